package app_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	libp2pcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// The cast: a subnet's owner, two validators, two miners. A hotkey is its
// coldkey's name with "-hot".
var cast = []string{"owner", "validator-1", "validator-2", "miner-1", "miner-2"}

// Uids that they get, in the order in which they register.
const (
	uidValidator1 = 1
	uidMiner1     = 3
	uidMiner2     = 4
)

const anyPrice = 1 << 62 // rao a whole alpha: a limit that never holds

// settle opens subnet 1 with its cast registered and its validators staked, all
// by transactions.
func settle(c *chain) {
	c.t.Helper()
	var fund, bind [][]byte
	for _, name := range cast {
		hot := name + "-hot"
		if name != "owner" {
			fund = append(fund, c.sign(paid, []string{"user"}, send("user", name, 1_000*tao)))
		}
		fund = append(fund, c.sign(paid, []string{"user"}, send("user", hot, 1)))
	}
	c.runTx(fund...)
	for _, name := range cast {
		hot := name + "-hot"
		bind = append(bind, c.sign(paid, []string{name, hot}, &alphatypes.MsgBindHotkey{Coldkey: text(name), Hotkey: text(hot)}))
	}
	c.runTx(bind...)
	c.run([]string{"owner"}, &subnetstypes.MsgCreateSubnet{Coldkey: text("owner"), Hotkey: text("owner-hot"), MaxLock: 2_000 * tao, Name: "video"})
	c.run([]string{"owner"}, &subnetstypes.MsgStartSubnet{Coldkey: text("owner"), Netuid: 1})
	for _, name := range cast[1:] {
		c.run([]string{name}, &subnetstypes.MsgRegister{Coldkey: text(name), Hotkey: text(name + "-hot"), Netuid: 1, MaxBurn: tao})
	}
	c.runTx(
		c.sign(paid, []string{"validator-1"}, stake("validator-1", "validator-1-hot", 100*tao)),
		c.sign(paid, []string{"validator-2"}, stake("validator-2", "validator-2-hot", 50*tao)),
		c.sign(paid, []string{"user"}, stake("user", "validator-1-hot", 30*tao)),
	)
}

func send(from, to string, rao int64) sdk.Msg {
	return banktypes.NewMsgSend(addr(from), addr(to), sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, rao)))
}

func stake(cold, hot string, rao uint64) sdk.Msg {
	return &alphatypes.MsgStake{Coldkey: text(cold), Hotkey: text(hot), Netuid: 1, Tao: rao, LimitPrice: anyPrice}
}

// free signs a transaction of the free lane.
func (c *chain) free(name string, msg sdk.Msg) []byte {
	c.t.Helper()
	gas, ok := weightstypes.LaneGas(msg)
	require.True(c.t, ok)
	return c.sign(offer{gas: gas}, []string{name}, msg)
}

// serve publishes an endpoint of a hotkey.
func serve(t testing.TB, hot string) *subnetstypes.MsgServe {
	t.Helper()
	pub, err := libp2pcrypto.UnmarshalSecp256k1PublicKey(key(hot).PubKey().Bytes())
	require.NoError(t, err)
	id, err := peer.IDFromPublicKey(pub)
	require.NoError(t, err)
	return &subnetstypes.MsgServe{
		Hotkey: text(hot), Netuid: 1, Endpoints: []string{"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/" + id.String()},
		Protocol: "video/miner", ProtocolVersion: "1",
	}
}

// row is a validator's judgement: hot thinks that miner 1 is worth so much more.
func row(hot string, first, second uint32) *weightstypes.MsgRevealWeights {
	salt := sha256.Sum256([]byte(hot))
	return &weightstypes.MsgRevealWeights{
		Hotkey: text(hot), Netuid: 1, Uids: []uint32{uidMiner1, uidMiner2}, Values: []uint32{first, second}, Salt: salt[:],
	}
}

func commit(hot string, r *weightstypes.MsgRevealWeights) *weightstypes.MsgCommitWeights {
	uids, values := make([]uint16, len(r.Uids)), make([]uint16, len(r.Values))
	for i := range r.Uids {
		uids[i], values[i] = uint16(r.Uids[i]), uint16(r.Values[i])
	}
	hash := weightstypes.WeightsHash(chainID, 1, addr(hot), r.Version, uids, values, r.Salt)
	return &weightstypes.MsgCommitWeights{Hotkey: text(hot), Netuid: 1, Hash: hash[:]}
}

// epoch makes blocks until the subnet's epoch has run once more.
func (c *chain) epoch() {
	c.t.Helper()
	for before := c.epochs(); c.epochs() == before; {
		c.block()
	}
}

func (c *chain) epochs() uint64 {
	s, _, err := c.Weights.EpochState(c.query(), c.subnetID())
	require.NoError(c.t, err)
	return s.Number
}

func (c *chain) subnetID() uint64 {
	s, err := c.Subnets.SubnetByNetuid(c.query(), 1)
	require.NoError(c.t, err)
	return s.Id
}

// stakeOf is what a coldkey's stake on a hotkey is worth, in alpha units.
func (c *chain) stakeOf(cold, hot string) uint64 {
	v, err := c.Alpha.StakeOf(c.query(), c.subnetID(), addr(hot), addr(cold))
	require.NoError(c.t, err)
	return v
}

// judge lets both validators commit, and reveal an epoch later.
func (c *chain) judge(first, second uint32) {
	c.t.Helper()
	rows := map[string]*weightstypes.MsgRevealWeights{}
	hots := []string{"validator-1-hot", "validator-2-hot"}
	for _, hot := range hots {
		rows[hot] = row(hot, first, second)
	}
	c.runTx(c.free(hots[0], commit(hots[0], rows[hots[0]])), c.free(hots[1], commit(hots[1], rows[hots[1]])))
	c.epoch()
	c.runTx(c.free(hots[0], rows[hots[0]]), c.free(hots[1], rows[hots[1]]))
	c.epoch()
}

// live is the life of a network: from an empty genesis to miners that are paid
// and sell.
func live(c *chain) {
	c.t.Helper()
	settle(c)
	c.runTx(c.free("miner-1-hot", serve(c.t, "miner-1-hot")), c.free("miner-2-hot", serve(c.t, "miner-2-hot")))
	c.epoch() // gives the validators their permits
	c.judge(60_000, 20_000)

	// Without commit–reveal a row takes force at once.
	c.run([]string{"owner"}, &subnetstypes.MsgSetHyperparameter{Signer: text("owner"), Netuid: 1, Name: "commit_reveal", Value: 0})
	r := row("validator-1-hot", 10_000, 50_000)
	c.runTx(c.free("validator-1-hot", &weightstypes.MsgSetWeights{Hotkey: r.Hotkey, Netuid: 1, Uids: r.Uids, Values: r.Values}))
	c.epoch()

	c.run([]string{"miner-1"}, &alphatypes.MsgUnstake{
		Coldkey: text("miner-1"), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: c.stakeOf("miner-1", "miner-1-hot") / 2, LimitPrice: 1,
	})
	c.run([]string{"user"}, &alphatypes.MsgMoveStake{
		Coldkey: text("user"), Netuid: 1, FromHotkey: text("validator-1-hot"), ToHotkey: text("validator-2-hot"), Alpha: 10 * tao,
	})
	c.run([]string{"validator-2"}, &alphatypes.MsgUnstake{
		Coldkey: text("validator-2"), Hotkey: text("validator-2-hot"), Netuid: 1,
		Alpha: c.stakeOf("validator-2", "validator-2-hot"), LimitPrice: 1,
	})
	c.blocks(3)
}
