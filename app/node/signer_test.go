package node_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/test/ports"
)

// signerFiles are a new validator's key, and its record, in a folder of a signer's own.
func signerFiles(t *testing.T) node.SignerConfig {
	t.Helper()
	dir := t.TempDir()
	c := node.SignerConfig{
		KeyFile: filepath.Join(dir, "key.json"), StateFile: filepath.Join(dir, "state.json"), ChainID: "lode-test-1",
		Identity: filepath.Join(dir, "identity.json"),
	}
	privval.GenFilePV(c.KeyFile, c.StateFile).Save()
	return c
}

func startSigner(t *testing.T, c node.SignerConfig) *node.Signer {
	t.Helper()
	s, err := node.StartSigner(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func TestAValidatorWhoseKeyIsWithARemoteSignerStallsWithoutItAndGoesOnWithIt(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	c := signerFiles(t)
	at := func(name string) string { return filepath.Join(home, name) }
	require.NoError(t, os.Rename(at("config/priv_validator_key.json"), c.KeyFile))
	require.NoError(t, os.Rename(at("data/priv_validator_state.json"), c.StateFile))
	c.ChainID, c.Connect = "lode-local-1", fmt.Sprintf("tcp://127.0.0.1:%d", ports.Free(t, 1))
	replaceIn(t, at("config/config.toml"), `priv_validator_laddr = ""`, fmt.Sprintf("priv_validator_laddr = %q", c.Connect))

	// The address in config.toml is where this home's node listens: the doctor finds it.
	rpc := fmt.Sprintf("127.0.0.1:%d", ports.Free(t, 1))
	replaceIn(t, at("config/config.toml"), "tcp://127.0.0.1:26657", "tcp://"+rpc)
	begin := func() (*node.Node, error) {
		cfg := config(home)
		cfg.RPC = ""
		return node.Start(t.Context(), cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	_, err := node.Start(ctx, config(home))
	cancel()
	require.ErrorIs(t, err, node.ErrNoSigner)

	first := startSigner(t, c)
	n, err := begin()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	waitLong(t, n, 3)
	require.NoFileExists(t, at("config/priv_validator_key.json"), "no key is made in the home")
	require.NoFileExists(t, at("data/priv_validator_state.json"))
	found := diagnose(t, home)
	require.Equal(t, node.OK, found["keys"].State, found["keys"])
	require.Contains(t, found["keys"].Says, "a remote signer has the validator's key")
	require.Equal(t, node.OK, found["VRF key"].State, found["VRF key"])
	require.Contains(t, found["VRF key"].Says, "in force since genesis")

	// One signer at a time has the key, on this machine.
	_, err = node.StartSigner(t.Context(), c)
	require.ErrorIs(t, err, node.ErrSignerRuns)

	// A copy of the record from now knows nothing of what is signed from here on.
	old, err := os.ReadFile(c.StateFile)
	require.NoError(t, err)
	waitLong(t, n, n.Height()+3)

	require.NoError(t, first.Stop())
	signed := lastSigned(t, c.StateFile)
	ctx, cancel = context.WithTimeout(t.Context(), 3*time.Second)
	err = n.WaitHeight(ctx, signed+1)
	cancel()
	require.ErrorIs(t, err, context.DeadlineExceeded, "nothing above what the signer signed is a block")
	require.Equal(t, signed, lastSigned(t, c.StateFile))

	stale := c
	stale.StateFile, stale.Node = filepath.Join(t.TempDir(), "state.json"), "http://"+n.Endpoints().RPC
	require.NoError(t, os.WriteFile(stale.StateFile, old, 0o600))
	_, err = node.StartSigner(t.Context(), stale)
	require.ErrorIs(t, err, node.ErrStateOld)
	require.ErrorContains(t, err, "the chain has a signature of this key at")

	c.Node = stale.Node
	startSigner(t, c)
	waitLong(t, n, signed+3)
	require.NoError(t, n.Stop())

	// The node starts again on the same address.
	n, err = begin()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	waitLong(t, n, n.Height()+2)
}

func lastSigned(t *testing.T, file string) int64 {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.json")
	privval.GenFilePV(key, filepath.Join(t.TempDir(), "none.json")).Key.Save()
	return privval.LoadFilePV(key, file).LastSignState.Height
}

// client is a node's end of the connection to a signer.
func client(t *testing.T, address string, key *p2p.NodeKey) *privval.SignerClient {
	t.Helper()
	endpoint, err := privval.NewSignerListenerFromAddr(address, key.PrivKey, log.NewNopLogger())
	require.NoError(t, err)
	c, err := privval.NewSignerClient(endpoint, "lode-test-1")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, endpoint.Stop()) })
	return c
}

func vote(height int64, block byte) *cmtproto.Vote {
	hash := make([]byte, 32)
	hash[0] = block
	return &cmtproto.Vote{
		Type: cmtproto.PrevoteType, Height: height, Timestamp: time.Unix(1_700_000_000, 0).UTC(),
		BlockID:          cmtproto.BlockID{Hash: hash, PartSetHeader: cmtproto.PartSetHeader{Total: 1, Hash: hash}},
		ValidatorAddress: make([]byte, 20),
	}
}

func TestASignerNeverSignsAHeightTwice(t *testing.T) {
	c := signerFiles(t)
	node1, err := p2p.LoadOrGenNodeKey(filepath.Join(t.TempDir(), "node_key.json"))
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", ports.Free(t, 1))
	c.Connect = "tcp://" + address
	s := startSigner(t, c) // before the node listens: it calls again
	asks := client(t, c.Connect, node1)
	key, err := asks.GetPubKey()
	require.NoError(t, err)
	require.Equal(t, s.Address, key.Address().String())

	a := vote(5, 1)
	require.NoError(t, asks.SignVote("lode-test-1", a))
	require.True(t, key.VerifySignature(cmttypes.VoteSignBytes("lode-test-1", a), a.Signature))
	require.EqualValues(t, 5, lastSigned(t, c.StateFile), "on disk before the node has it")
	same := vote(5, 1)
	require.NoError(t, asks.SignVote("lode-test-1", same), "the same again is no harm")
	require.Equal(t, a.Signature, same.Signature)
	refused := func(asks *privval.SignerClient) {
		require.ErrorContains(t, asks.SignVote("lode-test-1", vote(5, 2)), "conflicting data")
		require.ErrorContains(t, asks.SignVote("lode-test-1", vote(4, 1)), "height regression")
		require.Error(t, asks.SignVote("lode-1", vote(6, 1)), "another chain")
		require.ErrorContains(t, asks.SignProposal("lode-test-1", &cmtproto.Proposal{Type: cmtproto.ProposalType, Height: 5}), "step regression")
	}
	refused(asks)

	// The connection breaks: the signer calls again, and remembers.
	require.NoError(t, asks.Close())
	require.Eventually(t, func() bool { return asks.SignVote("lode-test-1", vote(6, 1)) == nil }, time.Minute, 10*time.Millisecond)
	require.Error(t, asks.SignVote("lode-test-1", vote(6, 2)))

	// So does one that begins anew with the same record.
	require.NoError(t, s.Stop())
	startSigner(t, c)
	require.Eventually(t, func() bool { return asks.SignVote("lode-test-1", vote(7, 1)) == nil }, time.Minute, 10*time.Millisecond)
	require.ErrorContains(t, asks.SignVote("lode-test-1", vote(7, 2)), "conflicting data")
	require.ErrorContains(t, asks.SignVote("lode-test-1", vote(6, 2)), "height regression")
}

func TestANoiseConnectionIsForTheTwoThatKnowEachOther(t *testing.T) {
	c := signerFiles(t)
	keyFile := filepath.Join(t.TempDir(), "node_key.json")
	key, err := p2p.LoadOrGenNodeKey(keyFile)
	require.NoError(t, err)
	nodeID, err := node.SignerID(keyFile)
	require.NoError(t, err)
	signerID, err := node.SignerID(c.Identity)
	require.NoError(t, err)
	require.NotEqual(t, nodeID, signerID)
	address := fmt.Sprintf("127.0.0.1:%d", ports.Free(t, 1))
	asks := client(t, "noise://"+signerID+"@"+address, key)

	// A stranger with a key of its own gets no request.
	stranger := signerFiles(t)
	stranger.Connect = "noise://" + nodeID + "@" + address
	strange := startSigner(t, stranger)
	_, err = asks.GetPubKey()
	require.Error(t, err)
	require.NoError(t, strange.Stop())

	// Nor does the signer talk to another node than the one it knows.
	lost := c
	lost.Connect = "noise://" + signerID + "@" + address
	s := startSigner(t, lost)
	_, err = asks.GetPubKey()
	require.Error(t, err)
	require.NoError(t, s.Stop())

	c.Connect = "noise://" + nodeID + "@" + address
	s = startSigner(t, c)
	require.Eventually(t, func() bool {
		got, err := asks.GetPubKey()
		return err == nil && got.Address().String() == s.Address
	}, time.Minute, 10*time.Millisecond)
}

func TestASignerRefusesFilesThatItCantTrust(t *testing.T) {
	other := signerFiles(t)
	pv := privval.LoadFilePV(other.KeyFile, other.StateFile)
	require.NoError(t, pv.SignVote("lode-test-1", vote(9, 1)))
	for says, change := range map[string]func(t *testing.T, c *node.SignerConfig){
		"no such file":                func(_ *testing.T, c *node.SignerConfig) { c.KeyFile += "x" },
		"is not there":                func(_ *testing.T, c *node.SignerConfig) { c.StateFile += "x" },
		"--new is for a key that has": func(_ *testing.T, c *node.SignerConfig) { c.New = true },
		"is damaged": func(t *testing.T, c *node.SignerConfig) {
			require.NoError(t, os.WriteFile(c.StateFile, []byte("{"), 0o600))
		},
		"is another key's": func(_ *testing.T, c *node.SignerConfig) { c.StateFile = other.StateFile },
		"it has no key": func(t *testing.T, c *node.SignerConfig) {
			require.NoError(t, os.WriteFile(c.KeyFile, []byte("{}"), 0o600))
		},
		"has mode 0644":                func(t *testing.T, c *node.SignerConfig) { require.NoError(t, os.Chmod(c.KeyFile, 0o644)) },
		"needs to know the chain's id": func(_ *testing.T, c *node.SignerConfig) { c.ChainID = "" },
		"it is no address":             func(_ *testing.T, c *node.SignerConfig) { c.Connect = "127.0.0.1:1" },
		"missing port":                 func(_ *testing.T, c *node.SignerConfig) { c.Connect = "tcp://127.0.0.1" },
		`"http" is no kind of address`: func(_ *testing.T, c *node.SignerConfig) { c.Connect = "http://127.0.0.1:1" },
		"it has no id":                 func(_ *testing.T, c *node.SignerConfig) { c.Connect = "noise://127.0.0.1:1" },
		"does not answer":              func(_ *testing.T, c *node.SignerConfig) { c.Node = "http://127.0.0.1:1" },
	} {
		t.Run(says, func(t *testing.T) {
			c := signerFiles(t)
			c.Connect = "tcp://127.0.0.1:1"
			change(t, &c)
			_, err := node.StartSigner(t.Context(), c)
			require.ErrorContains(t, err, says)
		})
	}
	// A key that has never signed begins its record itself, not before all else is right.
	c := signerFiles(t)
	require.NoError(t, os.Remove(c.StateFile))
	c.Connect, c.New = "127.0.0.1:1", true
	_, err := node.StartSigner(t.Context(), c)
	require.ErrorContains(t, err, "it is no address")
	c.Connect = "tcp://127.0.0.1:1"
	startSigner(t, c)
	require.FileExists(t, c.StateFile)
}

func TestASocketThatAKilledNodeLeftIsTakenOver(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	c := signerFiles(t)
	require.NoError(t, os.Rename(filepath.Join(home, "config/priv_validator_key.json"), c.KeyFile))
	dir, err := os.MkdirTemp("", "lode") // a socket's path is short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	c.ChainID, c.Connect = "lode-local-1", "unix://"+filepath.Join(dir, "s")
	replaceIn(t, filepath.Join(home, "config/config.toml"), `priv_validator_laddr = ""`, fmt.Sprintf("priv_validator_laddr = %q", c.Connect))

	file := filepath.Join(dir, "s")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = node.Start(t.Context(), config(home))
	require.ErrorContains(t, err, "is a file already")
	require.NoError(t, os.Remove(file))
	leaveSocket(t, file)

	startSigner(t, c)
	n := start(t, home)
	waitLong(t, n, 2)
	_, header := get(t, "http://"+n.Endpoints().REST+"/lode/seed/v1/seeds/2")
	require.Equal(t, "application/json", header.Get("Content-Type"), http.StatusText(http.StatusOK))
}
