package keeper_test

import (
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

// hotkeyOf is an account with a real key, and its peer ID.
func hotkeyOf(t testing.TB, seed string) (sdk.AccAddress, string) {
	t.Helper()
	priv := secp256k1.GenPrivKeyFromSecret([]byte(seed))
	key, err := crypto.UnmarshalSecp256k1PrivateKey(priv.Key)
	require.NoError(t, err)
	id, err := peer.IDFromPrivateKey(key)
	require.NoError(t, err)
	return sdk.AccAddress(priv.PubKey().Address()), id.String()
}

// served is a started subnet with a registered miner that has a real key.
func served(t *testing.T) (e *env, s types.Subnet, m types.MsgServe) {
	e = newEnv(t, local())
	s = e.started("ann")
	hot, id := hotkeyOf(t, "miner")
	e.alpha.coldkeys[string(hot)] = addr("cold")
	_, err := send(e, e.msgs.Register, &types.MsgRegister{Coldkey: addr("cold").String(), Hotkey: hot.String(), Netuid: 1, MaxBurn: tao})
	require.NoError(t, err)
	return e, s, types.MsgServe{
		Hotkey: hot.String(), Netuid: 1, Protocol: "video/miner", ProtocolVersion: "1",
		Endpoints: []string{"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/" + id, "/dns4/miner.example.org/tcp/4001/p2p/" + id},
	}
}

func TestSection4ServePublishesWhereANeuronAnswers(t *testing.T) {
	e, s, m := served(t)
	e.pass(6)
	_, err := send(e, e.msgs.Serve, &m)
	require.NoError(t, err)
	n, err := e.k.Neuron(e.ctx, s.Id, 1)
	require.NoError(t, err)
	require.Equal(t, m.Endpoints, n.Endpoints)
	require.Equal(t, []string{"video/miner", "1"}, []string{n.Protocol, n.ProtocolVersion})
	require.EqualValues(t, 7, n.ServedHeight)
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventNeuronServed"), m.Endpoints[1])
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventNeuronServed"), `protocol_version="1"`)

	e.pass(4)
	_, err = send(e, e.msgs.Serve, &m)
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "5 blocks between two serves; the last was in block 7, the first block that will be accepted is 12 (this is for block 11)")
	e.pass(1)
	_, err = send(e, e.msgs.Serve, &m)
	require.NoError(t, err)
	e.holds()
}

func TestSection4ServeRefusesWhatIsNotTheHotkeys(t *testing.T) {
	e, _, good := served(t)
	_, mine := hotkeyOf(t, "miner")
	_, foreign := hotkeyOf(t, "somebody else")
	for name, c := range map[string]struct {
		change func(*types.MsgServe)
		says   string
	}{
		"no endpoint":                    {func(m *types.MsgServe) { m.Endpoints = nil }, "0 endpoints, must be 1 to 8"},
		"too many endpoints":             {func(m *types.MsgServe) { m.Endpoints = make([]string, 9) }, "9 endpoints, must be 1 to 8"},
		"an endpoint twice":              {func(m *types.MsgServe) { m.Endpoints[1] = m.Endpoints[0] }, "is there twice"},
		"an endpoint that is too long":   {func(m *types.MsgServe) { m.Endpoints[1] = "/dns4/" + strings.Repeat("a", 250) + "/tcp/1/p2p/" + mine }, "bytes, may have 256"},
		"an endpoint of a megabyte":      {func(m *types.MsgServe) { m.Endpoints[0] = strings.Repeat("/ip4", 1<<18) }, "bytes, may have 256"},
		"no multiaddr":                   {func(m *types.MsgServe) { m.Endpoints[0] = "https://example.org" }, "is not a multiaddr"},
		"an empty endpoint":              {func(m *types.MsgServe) { m.Endpoints[0] = "" }, "is not a multiaddr"},
		"a multiaddr with a broken part": {func(m *types.MsgServe) { m.Endpoints[0] = "/ip4/1.2.3/tcp/1/p2p/" + mine }, "is not a multiaddr"},
		"no peer ID":                     {func(m *types.MsgServe) { m.Endpoints[0] = "/ip4/1.2.3.4/tcp/4001" }, "does not end in /p2p/ID of the hotkey"},
		"a peer ID that is not the last": {func(m *types.MsgServe) { m.Endpoints[0] = "/ip4/1.2.3.4/p2p/" + mine + "/tcp/4001" }, "does not end in /p2p/ID"},
		"nothing but a peer ID":          {func(m *types.MsgServe) { m.Endpoints[0] = "/p2p/" + mine }, "has no transport"},
		"another's peer ID":              {func(m *types.MsgServe) { m.Endpoints[0] = "/ip4/1.2.3.4/tcp/4001/p2p/" + foreign }, "ends in the peer ID of lode1"},
		"a peer ID that holds no key": {func(m *types.MsgServe) {
			m.Endpoints[0] = "/ip4/1.2.3.4/tcp/4001/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"
		}, "is not the peer ID of a hotkey"},
		"a peer ID of another kind of key": {func(m *types.MsgServe) {
			m.Endpoints[0] = "/ip4/1.2.3.4/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
		}, "its key is Ed25519, must be Secp256k1"},
		"an old way to write it":      {func(m *types.MsgServe) { m.Endpoints[0] = "/ip4/1.2.3.4/tcp/4001/ipfs/" + mine }, `write it as "/ip4/1.2.3.4/tcp/4001/p2p/`},
		"no protocol":                 {func(m *types.MsgServe) { m.Protocol = "" }, "protocol has 0 bytes, must have 1 to 64"},
		"a protocol that is too long": {func(m *types.MsgServe) { m.Protocol = strings.Repeat("p", 65) }, "protocol has 65 bytes"},
		"a version with a line break": {func(m *types.MsgServe) { m.ProtocolVersion = "1\n2" }, "must be one line"},
		"a version that is too long":  {func(m *types.MsgServe) { m.ProtocolVersion = strings.Repeat("1", 33) }, "protocol_version has 33 bytes"},
		"a hotkey that is not registered": {func(m *types.MsgServe) {
			h, id := hotkeyOf(t, "x")
			m.Hotkey, m.Endpoints = h.String(), []string{"/ip4/1.2.3.4/tcp/1/p2p/" + id}
		}, "holds no uid in subnet 1: MsgRegister gives it one"},
		"a hotkey that is no address": {func(m *types.MsgServe) { m.Hotkey = "me" }, "is no address"},
		"a subnet that is not there":  {func(m *types.MsgServe) { m.Netuid = 2 }, "netuid 2: the subnets are 1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := good
			m.Endpoints = append([]string(nil), good.Endpoints...)
			c.change(&m)
			_, err := send(e, e.msgs.Serve, &m)
			require.ErrorContains(t, err, c.says)
			require.Less(t, len(err.Error()), 1_000)
		})
	}
	e.holds()
}

func TestARelayedAddressEndsInTheHotkeysPeerID(t *testing.T) {
	e, _, m := served(t)
	_, mine := hotkeyOf(t, "miner")
	_, relay := hotkeyOf(t, "relay")
	m.Endpoints = []string{"/ip4/1.2.3.4/tcp/4001/p2p/" + relay + "/p2p-circuit/p2p/" + mine}
	_, err := send(e, e.msgs.Serve, &m)
	require.NoError(t, err)
}
