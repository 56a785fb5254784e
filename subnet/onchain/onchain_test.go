package onchain_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	tao    = client.RaoPerTAO
	netuid = 1
)

func key(t *testing.T, name string) *wallet.Signer {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	s, err := wallet.NewSigner(sum[:])
	require.NoError(t, err)
	return s
}

// endpoint is one that only the hotkey may publish.
func endpoint(t *testing.T, hotkey *wallet.Signer) string {
	t.Helper()
	priv, err := crypto.UnmarshalSecp256k1PrivateKey(hotkey.PrivKey())
	require.NoError(t, err)
	id, err := peer.IDFromPrivateKey(priv)
	require.NoError(t, err)
	return "/ip4/127.0.0.1/udp/4001/quic-v1/p2p/" + id.String()
}

// changed waits for a block that may have changed the subnet, and for the height.
func changed(t *testing.T, blocks <-chan subnet.Block, from int64) subnet.Block {
	t.Helper()
	end := time.After(time.Minute)
	for {
		select {
		case b, ok := <-blocks:
			require.True(t, ok)
			if b.Changed && b.Height >= from {
				return b
			}
		case <-end:
			t.Fatal("no block changed the subnet")
		}
	}
}

func TestAHotkeyLivesOnARealChain(t *testing.T) {
	home, owner, validator := t.TempDir(), key(t, "owner"), key(t, "owner/hot")
	cold, hot := key(t, "miner"), key(t, "miner/hot")
	require.NoError(t, node.Init(home, node.InitOptions{
		ChainID: "lode-local-1", BlockTime: 200 * time.Millisecond,
		Accounts: []node.Account{
			{Address: owner.Address(), Rao: 50_000 * tao}, {Address: validator.Address(), Rao: 1}, {Address: cold.Address(), Rao: 100 * tao},
		},
		Validator: node.Validator{OperatorAddress: key(t, "operator").Address(), SelfBondRao: 10 * tao, Moniker: "one"},
	}))
	n, err := node.Start(context.Background(), node.Config{
		Home: home, RPC: "127.0.0.1:0", GRPC: "127.0.0.1:0", REST: "127.0.0.1:0", P2P: "127.0.0.1:0", CheckInvariants: 1,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	require.NoError(t, n.WaitHeight(ctx, 1))
	c, err := client.New(client.Config{Nodes: []string{"http://" + n.Endpoints().RPC}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })

	miner := onchain.New(c, hot, cold)
	_, err = miner.Metagraph(ctx, netuid)
	require.ErrorIs(t, err, client.ErrNotFound)
	require.NotErrorIs(t, err, subnet.ErrUnavailable, "waiting won't help")

	_, err = c.Send(ctx, []*wallet.Signer{owner, validator},
		&alphatypes.MsgBindHotkey{Coldkey: owner.Address(), Hotkey: validator.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: owner.Address(), Hotkey: validator.Address(), MaxLock: 2_000 * tao, Name: "numbers", Parameters: `{"a":1}`},
		&subnetstypes.MsgStartSubnet{Coldkey: owner.Address(), Netuid: netuid},
		&alphatypes.MsgStake{Coldkey: owner.Address(), Hotkey: validator.Address(), Netuid: netuid, Tao: 100 * tao, LimitPrice: 4 * tao})
	require.NoError(t, err)
	blocks := miner.Blocks(ctx, netuid)
	changed(t, blocks, 1)

	t.Run("a hotkey without an account is bound and registered once", func(t *testing.T) {
		require.ErrorContains(t, onchain.New(c, hot, nil).Register(ctx, netuid, tao), "only its coldkey can pay")
		require.ErrorIs(t, miner.Serve(ctx, netuid, subnet.Serving{Endpoints: []string{endpoint(t, hot)}, Protocol: "numbers/miner"}), client.ErrNoAccount)
		require.NoError(t, miner.Register(ctx, netuid, 10*tao))
		has, err := c.Balance(ctx, cold.Address())
		require.NoError(t, err)
		require.NoError(t, miner.Register(ctx, netuid, 10*tao), "it has a uid already")
		again, err := c.Balance(ctx, cold.Address())
		require.NoError(t, err)
		require.Equal(t, has, again)
		changed(t, blocks, 1)
	})

	t.Run("a limit that is too low is refused in the chain's words", func(t *testing.T) {
		err := onchain.New(c, key(t, "another/hot"), cold).Register(ctx, netuid, 1)
		require.ErrorIs(t, err, subnetstypes.ErrTooExpensive)
		require.NotErrorIs(t, err, subnet.ErrUnavailable)
		coldkey, err := c.ColdkeyOf(ctx, key(t, "another/hot").Address())
		require.NoError(t, err)
		require.Empty(t, coldkey, "who is not registered is not bound either")
	})

	t.Run("a hotkey that is bound to another coldkey is refused", func(t *testing.T) {
		_, err := c.SendBound(ctx, cold, key(t, "another/hot"))
		require.NoError(t, err)
		err = onchain.New(c, key(t, "another/hot"), owner).Register(ctx, netuid, tao)
		require.ErrorIs(t, err, client.ErrBoundElsewhere)
		require.ErrorContains(t, err, cold.Address())
	})

	t.Run("what is served is published without a fee", func(t *testing.T) {
		require.NoError(t, miner.Serve(ctx, netuid, subnet.Serving{Endpoints: []string{endpoint(t, hot)}, Protocol: "numbers/miner", Version: "1"}))
		m, err := miner.Metagraph(ctx, netuid)
		require.NoError(t, err)
		changed(t, blocks, m.Height-1)
		self, ok := m.ByHotkey(hot.Address())
		require.True(t, ok)
		require.Equal(t, []string{endpoint(t, hot)}, self.Endpoints)
		require.Equal(t, "numbers/miner", self.Protocol)
		require.Equal(t, "1", self.ProtocolVersion)
		require.JSONEq(t, `{"a":1}`, string(m.Parameters))
		rao, err := c.Balance(ctx, hot.Address())
		require.NoError(t, err)
		require.EqualValues(t, 1, rao, "what made its account, and no more")
		require.ErrorIs(t, onchain.New(c, key(t, "another/hot"), nil).Serve(ctx, netuid, subnet.Serving{Endpoints: []string{endpoint(t, key(t, "another/hot"))}, Protocol: "numbers/miner"}), subnet.ErrNotRegistered)
	})

	t.Run("a commit is revealed in its epoch", func(t *testing.T) {
		judge := onchain.New(c, validator, nil)
		own, _ := permitted(t, ctx, judge, blocks, validator.Address())
		w := subnet.Weights{UIDs: []uint16{1}, Values: []uint16{65_535}}
		require.ErrorIs(t, judge.SetWeights(ctx, netuid, w), weightstypes.ErrCommitReveal)
		commits := waitFor(t, ctx, judge, blocks)
		require.Empty(t, commits.Open)
		salt := sha256.Sum256([]byte("salt"))
		hash := weightstypes.WeightsHash(own.ChainID, netuid, validator.AccAddress(), 0, w.UIDs, w.Values, salt[:])
		require.NoError(t, judge.CommitWeights(ctx, netuid, hash))
		commits, err := judge.Commits(ctx, netuid)
		require.NoError(t, err)
		require.Len(t, commits.Open, 1)
		require.Equal(t, hash, commits.Open[0].Hash)
		require.Greater(t, commits.NextHeight, commits.Open[0].Height)
		for {
			m, err := judge.Metagraph(ctx, netuid)
			require.NoError(t, err)
			if m.Epoch == commits.Open[0].Epoch+m.Hyperparameters.RevealPeriod {
				break
			}
			require.Less(t, m.Epoch, commits.Open[0].Epoch+m.Hyperparameters.RevealPeriod, "the epoch to reveal in went by")
			changed(t, blocks, m.Height)
		}
		require.NoError(t, judge.RevealWeights(ctx, netuid, w, salt))
		commits, err = judge.Commits(ctx, netuid)
		require.NoError(t, err)
		require.Empty(t, commits.Open)
	})

	require.NoError(t, n.Stop())
	_, err = miner.Metagraph(ctx, netuid)
	require.ErrorIs(t, err, subnet.ErrUnavailable)
}

// permitted waits until a hotkey has a permit.
func permitted(t *testing.T, ctx context.Context, c subnet.Chain, blocks <-chan subnet.Block, hotkey string) (*subnet.Metagraph, subnet.Neuron) {
	t.Helper()
	for {
		m, err := c.Metagraph(ctx, netuid)
		require.NoError(t, err)
		if n, ok := m.ByHotkey(hotkey); ok && n.Permit {
			return m, n
		}
		changed(t, blocks, m.Height)
	}
}

// waitFor waits until a commit is accepted.
func waitFor(t *testing.T, ctx context.Context, c subnet.Chain, blocks <-chan subnet.Block) subnet.Commits {
	t.Helper()
	for {
		commits, err := c.Commits(ctx, netuid)
		require.NoError(t, err)
		b := <-blocks
		if b.Height >= commits.NextHeight {
			return commits
		}
	}
}
