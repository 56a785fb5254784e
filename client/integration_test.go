package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// realHome makes the home of a node of a local network whose funded key is "user".
func realHome(t *testing.T, rao uint64) (home string, user *wallet.Signer) {
	t.Helper()
	home, user = t.TempDir(), key(t, "user")
	require.NoError(t, node.Init(home, node.InitOptions{
		ChainID: "lode-local-1", BlockTime: 200 * time.Millisecond,
		Accounts:  []node.Account{{Address: user.Address(), Rao: rao}},
		Validator: node.Validator{OperatorAddress: key(t, "operator").Address(), SelfBondRao: 10 * tao, Moniker: "one"},
	}))
	return home, user
}

func realNode(t *testing.T, home, rpc string) *node.Node {
	t.Helper()
	n, err := node.Start(context.Background(), node.Config{
		Home: home, RPC: rpc, GRPC: "127.0.0.1:0", REST: "127.0.0.1:0", P2P: "127.0.0.1:0", CheckInvariants: 1,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	return n
}

func realClient(t *testing.T, n *node.Node, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{Nodes: []string{"http://" + n.Endpoints().RPC}, ChainID: "lode-local-1"}
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestAgainstARealNode(t *testing.T) {
	home, user := realHome(t, 100_000*tao)
	n := realNode(t, home, "127.0.0.1:0")
	c := realClient(t, n, nil)
	ctx := within(t, 4*time.Minute)
	require.NoError(t, n.WaitHeight(ctx, 1))
	bob := key(t, "bob")

	t.Run("a transfer moves the amount and costs the fee", func(t *testing.T) {
		before, err := c.Balance(ctx, user.Address())
		require.NoError(t, err)
		res, err := c.Transfer(ctx, user, bob.Address(), 2*tao)
		require.NoError(t, err)
		require.Less(t, res.GasUsed, res.GasWanted)
		after, err := c.Balance(ctx, user.Address())
		require.NoError(t, err)
		require.Equal(t, before-2*tao-res.FeeRao, after)
		rao, err := c.Balance(client.AtHeight(ctx, res.Height-1), bob.Address())
		require.NoError(t, err)
		require.Zero(t, rao, "a block before")
	})

	t.Run("100 goroutines with one key have 100 transactions committed", func(t *testing.T) {
		_, before := sequence(t, c, user)
		sendMany(t, c, user, 100)
		_, after := sequence(t, c, user)
		require.EqualValues(t, 100, after-before, "none twice")
	})

	t.Run("insufficient funds are refused for free, with both numbers", func(t *testing.T) {
		before, err := c.Balance(ctx, bob.Address())
		require.NoError(t, err)
		_, err = c.Transfer(ctx, bob, user.Address(), 3*tao)
		require.ErrorIs(t, err, client.ErrInsufficientFunds)
		require.ErrorContains(t, err, "has 2 TAO to spend, this needs 3 TAO")
		_, err = c.Transfer(ctx, bob, user.Address(), 2*tao)
		require.ErrorIs(t, err, client.ErrInsufficientFunds, "nothing would be left for the fee")
		after, err := c.Balance(ctx, bob.Address())
		require.NoError(t, err)
		require.Equal(t, before, after)
	})

	t.Run("an account that does not exist is told apart", func(t *testing.T) {
		nobody := key(t, "nobody")
		_, err := c.Transfer(ctx, nobody, user.Address(), 1)
		require.ErrorIs(t, err, client.ErrNoAccount)
	})

	t.Run("what there is not is not found, in the chain's words", func(t *testing.T) {
		_, err := c.Metagraph(ctx, 77)
		require.ErrorIs(t, err, client.ErrNotFound)
		require.ErrorContains(t, err, "77")
		_, err = c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: 77})
		require.ErrorIs(t, err, client.ErrNotFound)
		_, err = c.Alpha().Pool(ctx, &alphatypes.QueryPoolRequest{Netuid: 77})
		require.ErrorIs(t, err, client.ErrNotFound)
		_, err = c.Alpha().Hotkey(ctx, &alphatypes.QueryHotkeyRequest{Hotkey: bob.Address()})
		require.ErrorIs(t, err, client.ErrNotFound)
		_, err = c.BlockTime(ctx, 1<<40)
		require.ErrorIs(t, err, client.ErrNotFound)
	})

	t.Run("two keys sign one transaction and its answers come back", func(t *testing.T) {
		res, err := c.Send(ctx, []*wallet.Signer{user, bob},
			&alphatypes.MsgBindHotkey{Coldkey: user.Address(), Hotkey: bob.Address()},
			&subnetstypes.MsgCreateSubnet{Coldkey: user.Address(), Hotkey: bob.Address(), MaxLock: 5_000 * tao, Name: "test"},
			&subnetstypes.MsgStartSubnet{Coldkey: user.Address(), Netuid: 1})
		require.NoError(t, err)
		created, err := client.Response[*subnetstypes.MsgCreateSubnetResponse](res)
		require.NoError(t, err)
		require.EqualValues(t, 1, created.Netuid)
		types := map[string]bool{}
		for _, e := range client.TypedEvents(res.Events) {
			switch e.(type) {
			case *subnetstypes.EventSubnetCreated:
				types["created"] = true
			case *alphatypes.EventHotkeyBound:
				types["bound"] = true
			}
		}
		require.Len(t, types, 2)
	})

	t.Run("a stake within its quote goes through, one beyond its limit is refused for free", func(t *testing.T) {
		quote, err := c.QuoteStake(ctx, 1, 10*tao, client.DefaultSlippage)
		require.NoError(t, err)
		require.True(t, quote.WithinLimit)
		msg := &alphatypes.MsgStake{Coldkey: user.Address(), Hotkey: bob.Address(), Netuid: 1, Tao: 10 * tao, LimitPrice: quote.LimitPrice}
		res, err := c.Send(ctx, []*wallet.Signer{user}, msg)
		require.NoError(t, err)
		staked, err := client.Response[*alphatypes.MsgStakeResponse](res)
		require.NoError(t, err)
		require.GreaterOrEqual(t, staked.AlphaStaked, quote.Worst)

		big, err := c.QuoteStake(ctx, 1, 1_000*tao, client.DefaultSlippage)
		require.NoError(t, err)
		require.False(t, big.WithinLimit)
		msg.Tao, msg.LimitPrice = 1_000*tao, big.LimitPrice
		_, err = c.Send(ctx, []*wallet.Signer{user}, msg)
		require.ErrorIs(t, err, alphatypes.ErrLimitPrice)
		var tx *client.TxError
		require.ErrorAs(t, err, &tx)
		require.Zero(t, tx.Height)
	})

	t.Run("a fee below the node's is told apart", func(t *testing.T) {
		poor := realClient(t, n, func(cfg *client.Config) { cfg.GasPrice = "0rao" })
		_, err := poor.Transfer(ctx, user, bob.Address(), 1)
		require.ErrorIs(t, err, client.ErrFeeTooLow)
	})

	t.Run("a client of another network is refused", func(t *testing.T) {
		other := realClient(t, n, func(cfg *client.Config) { cfg.ChainID = "lode-1" })
		_, err := other.Transfer(ctx, user, bob.Address(), 1)
		require.ErrorIs(t, err, client.ErrWrongNetwork)
	})
}

func sequence(t *testing.T, c *client.Client, s *wallet.Signer) (number, sequence uint64) {
	t.Helper()
	number, sequence, err := client.AccountNumbers(within(t, 10*time.Second), c, s.Address())
	require.NoError(t, err)
	return number, sequence
}

func TestARealNodeThatRestartsIsFoundAgain(t *testing.T) {
	home, user := realHome(t, 100*tao)
	n := realNode(t, home, "127.0.0.1:0")
	rpc := n.Endpoints().RPC
	log := &logged{}
	c := realClient(t, n, logTo(log))
	ctx := within(t, 3*time.Minute)
	blocks := c.Blocks(ctx)
	require.True(t, next(t, blocks).Missed)
	for b := next(t, blocks); b.Missed || b.Height < 2; b = next(t, blocks) {
	}
	_, err := c.Transfer(ctx, user, user.Address(), 1)
	require.NoError(t, err)

	require.NoError(t, n.Stop())
	last := n.Height()
	_, err = c.Balance(ctx, user.Address())
	require.ErrorIs(t, err, client.ErrUnavailable)

	realNode(t, home, rpc)
	sawGap := false
	for at := int64(0); at <= last+1; {
		b := next(t, blocks) // several may be merged
		sawGap, at = sawGap || b.Missed, b.Height
	}
	require.True(t, sawGap, "who hangs on events is told to look again")
	_, err = c.Transfer(ctx, user, user.Address(), 2)
	require.NoError(t, err)
	require.Equal(t, 1, log.count("the chain can't be reached"))
	require.Equal(t, 1, log.count("the chain can be reached again"))
}
