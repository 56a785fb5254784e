package keeper

import (
	"fmt"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	anteGas   = 60_000 // more than signature, account and parameters cost
	txBytes   = 400    // signature, key, fee and names around a message
	gasOfByte = 10
)

// used is what a message of the free lane costs, all in all. It must be within
// LaneGas.
func (h *harness) used(m interface {
	sdk.Msg
	Size() int
}, run func(sdk.Context) error) uint64 {
	h.t.Helper()
	meter := storetypes.NewInfiniteGasMeter()
	ctx := h.ctx.WithGasMeter(meter)
	require.NoError(h.t, h.weights.LaneConsume(ctx, m))
	require.NoError(h.t, run(ctx))
	used := meter.GasConsumed() + anteGas + gasOfByte*uint64(txBytes+m.Size())
	limit, ok := weightstypes.LaneGas(m)
	require.True(h.t, ok)
	require.LessOrEqual(h.t, used, limit, "%T of %d bytes", m, m.Size())
	h.t.Logf("%T of %d bytes: %d of %d gas", m, m.Size(), used, limit)
	return used
}

func TestLaneGasIsEnoughForEachKindAtItsLargest(t *testing.T) {
	h := newHarness(t, withRule("commit_reveal", 1), withRule("burn_increase", 101), withRule("min_burn", tao/2_000),
		withRule("reveal_period", 3), withRule("activity_cutoff", 5_000), withRule("immunity_period", 5_000))
	h.uncheckedBlocks = true
	s := crowd(h)
	server := weightskeeper.NewMsgServer(h.weights)

	// Ten open commits; the first is revealed with a row of many entries.
	reveal := &weightstypes.MsgRevealWeights{Hotkey: addr("v1").String(), Netuid: s.Netuid, Salt: make([]byte, 32)}
	var uids, values []uint16
	for uid := uint16(2); uid < 242; uid++ {
		uids, values = append(uids, uid), append(values, 65_535)
		reveal.Uids, reveal.Values = append(reveal.Uids, uint32(uid)), append(reveal.Values, 65_535)
	}
	for i := range 10 {
		hash := weightstypes.WeightsHash(h.ctx.ChainID(), uint16(s.Netuid), addr("v1"), 0, uids, values, reveal.Salt)
		hash[0] += byte(i)
		m := &weightstypes.MsgCommitWeights{Hotkey: reveal.Hotkey, Netuid: s.Netuid, Hash: hash[:]}
		h.used(m, func(ctx sdk.Context) error { _, err := server.CommitWeights(ctx, m); return err })
		h.blocks(1)
	}
	for number := uint64(0); number+1 != 2+3; { // the first was made in epoch 2
		h.untilEpoch(s)
		state, _, err := h.weights.EpochState(h.ctx, s.Id)
		require.NoError(t, err)
		number = state.Number
	}
	h.used(reveal, func(ctx sdk.Context) error { _, err := server.RevealWeights(ctx, reveal); return err })

}

// A row of twice the entries costs no more than the limit grows by: what holds
// for a few hundred neurons holds for 4,096.
func TestLaneGasGrowsAtLeastAsFastAsARowsCost(t *testing.T) {
	h := newHarness(t, withRule("burn_increase", 101))
	h.uncheckedBlocks = true
	s := crowd(h)
	var cost, limit []uint64
	for range 2 { // then a row of the same length is there to be read
		for _, n := range []uint32{120, 240} {
			m := &weightstypes.MsgSetWeights{Hotkey: addr("v1").String(), Netuid: s.Netuid}
			for uid := range n {
				m.Uids, m.Values = append(m.Uids, uid+2), append(m.Values, 65_535)
			}
			cost = append(cost, h.used(m, func(ctx sdk.Context) error {
				_, err := weightskeeper.NewMsgServer(h.weights).SetWeights(ctx, m)
				return err
			}))
			gas, _ := weightstypes.LaneGas(m)
			limit = append(limit, gas)
			h.blocks(1)
		}
	}
	require.LessOrEqual(t, cost[1]-cost[0], limit[1]-limit[0])
	require.LessOrEqual(t, cost[3]-cost[0], limit[3]-limit[0], "with the old row read")
}

// verbose makes a subnet's record as long as it may be: every message reads it.
func verbose(h *harness, s subnetstypes.Subnet) {
	h.t.Helper()
	must(h, subnetskeeper.NewMsgServer(h.subnets).UpdateSubnet, &subnetstypes.MsgUpdateSubnet{
		Coldkey: coldkeyOf("owner").String(), Netuid: s.Netuid, Name: strings.Repeat("n", subnetstypes.MaxName),
		Description: strings.Repeat("d", subnetstypes.MaxDescription), Url: "https://" + strings.Repeat("u", subnetstypes.MaxURL-8),
		Parameters: `{"p":"` + strings.Repeat("p", subnetstypes.MaxParameters-8) + `"}`,
	})
}

// crowd is a subnet of 242 neurons past its first epoch; v1, uid 1, is permitted.
func crowd(h *harness) subnetstypes.Subnet {
	s := h.subnet("owner")
	h.register(s, "v1")
	for i := range 240 {
		h.register(s, fmt.Sprint("m", i))
	}
	h.stake(s, "v1", coldkeyOf("v1"), 300*tao)
	h.untilEpoch(s)
	h.blocks(1)
	verbose(h, s)
	return s
}

func TestLaneGasIsEnoughForWeightsAndTheLongestEndpoints(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	verbose(h, s)
	judge := &weightstypes.MsgSetWeights{Hotkey: addr("v1").String(), Netuid: s.Netuid, Uids: []uint32{2, 3, 4}, Values: []uint32{65_535, 1, 7}}
	h.used(judge, func(ctx sdk.Context) error {
		_, err := weightskeeper.NewMsgServer(h.weights).SetWeights(ctx, judge)
		return err
	})

	key := secp256k1.GenPrivKeyFromSecret([]byte("server"))
	hotkey, coldkey := sdk.AccAddress(key.PubKey().Address()), coldkeyOf("server")
	h.fund(coldkey, 1_000*tao)
	must(h, alphakeeper.NewMsgServer(h.alpha).BindHotkey, &alphatypes.MsgBindHotkey{Coldkey: coldkey.String(), Hotkey: hotkey.String()})
	must(h, subnetskeeper.NewMsgServer(h.subnets).Register, &subnetstypes.MsgRegister{
		Coldkey: coldkey.String(), Hotkey: hotkey.String(), Netuid: s.Netuid, MaxBurn: 1_000 * tao,
	})
	public, err := crypto.UnmarshalSecp256k1PublicKey(key.PubKey().Bytes())
	require.NoError(t, err)
	id, err := peer.IDFromPublicKey(public)
	require.NoError(t, err)
	h.blocks(10)
	serve := &subnetstypes.MsgServe{
		Hotkey: hotkey.String(), Netuid: s.Netuid,
		Protocol: strings.Repeat("p", subnetstypes.MaxProtocol), ProtocolVersion: strings.Repeat("1", subnetstypes.MaxVersion),
	}
	for i := range subnetstypes.MaxEndpoints {
		end := fmt.Sprintf("/tcp/443/p2p/%s", id)
		name := fmt.Sprint(i) + strings.Repeat("a", subnetstypes.MaxEndpointLen-len("/dns4/.example")-1-len(end))
		serve.Endpoints = append(serve.Endpoints, "/dns4/"+name+".example"+end)
	}
	run := func(ctx sdk.Context) error {
		_, err := subnetskeeper.NewMsgServer(h.subnets).Serve(ctx, serve)
		return err
	}
	h.used(serve, run)
	h.blocks(10)
	h.used(serve, run) // now what it had served is read too
}

func TestOnlyTheLanesMessagesHaveAGas(t *testing.T) {
	_, ok := weightstypes.LaneGas(&subnetstypes.MsgRegister{})
	require.False(t, ok)
	for _, m := range []sdk.Msg{&subnetstypes.MsgServe{}, &weightstypes.MsgSetWeights{}, &weightstypes.MsgCommitWeights{}, &weightstypes.MsgRevealWeights{}} {
		_, ok := weightstypes.LaneGas(m)
		require.True(t, ok)
		require.True(t, weightskeeper.IsLaneMsg(m))
	}
}
