package keeper_test

import (
	"fmt"
	"strings"
	"testing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/x/weights/types"
)

func setMsg(uid uint32) *types.MsgSetWeights {
	return &types.MsgSetWeights{Hotkey: hotkey(uid), Netuid: 1, Uids: []uint32{2}, Values: []uint32{1}}
}

func TestSection8TheLaneCarriesFourKinds(t *testing.T) {
	for _, m := range []sdk.Msg{setMsg(1), &types.MsgCommitWeights{}, &types.MsgRevealWeights{}, &subnetstypes.MsgServe{}} {
		require.True(t, keeper.IsLaneMsg(m))
		_, ok := types.LaneGas(m)
		require.True(t, ok)
	}
	e := validators(t)
	for _, m := range []sdk.Msg{&types.MsgUpdateParams{}, &banktypes.MsgSend{}, &subnetstypes.MsgRegister{}} {
		require.False(t, keeper.IsLaneMsg(m))
		_, ok := types.LaneGas(m)
		require.False(t, ok)
		require.ErrorIs(t, e.k.LaneCheck(e.ctx, m), types.ErrNotLane)
		require.ErrorIs(t, e.k.LaneConsume(e.ctx, m), types.ErrNotLane)
	}
}

func TestSection8TheLaneTakesOnlyWhoMayAndOnlyWithinLimits(t *testing.T) {
	e := validators(t)
	for name, c := range map[string]struct {
		m    sdk.Msg
		is   error
		says string
	}{
		"a stranger":                   {&types.MsgSetWeights{Hotkey: addr("x").String(), Netuid: 1}, subnetstypes.ErrNotRegistered, "holds no uid"},
		"a stranger who serves":        {&subnetstypes.MsgServe{Hotkey: addr("x").String(), Netuid: 1}, subnetstypes.ErrNotRegistered, "holds no uid"},
		"no subnet":                    {&types.MsgCommitWeights{Hotkey: hotkey(1), Netuid: 2}, subnetstypes.ErrNoSubnet, "netuid 2: the subnets are 1"},
		"no address":                   {&types.MsgCommitWeights{Hotkey: "", Netuid: 1}, nil, "empty address"},
		"no permit":                    {setMsg(2), types.ErrNoPermit, "uid 2 of subnet 1 may not set weights"},
		"no permit to commit":          {&types.MsgCommitWeights{Hotkey: hotkey(2), Netuid: 1}, types.ErrNoPermit, "uid 2"},
		"no permit to reveal":          {&types.MsgRevealWeights{Hotkey: hotkey(2), Netuid: 1}, types.ErrNoPermit, "uid 2"},
		"a reveal of nothing":          {&types.MsgRevealWeights{Hotkey: hotkey(1), Netuid: 1}, types.ErrNoCommit, "uid 1 of subnet 1 has no open commit"},
		"a miner without it may serve": {&subnetstypes.MsgServe{Hotkey: hotkey(3), Netuid: 1}, nil, ""},
		"a validator":                  {setMsg(1), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, _ := e.ctx.CacheContext()
			for _, err := range []error{e.k.LaneCheck(ctx, c.m), e.k.LaneConsume(ctx, c.m)} {
				if c.says == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, c.says)
				if c.is != nil {
					require.ErrorIs(t, err, c.is)
				}
			}
		})
	}
}

func TestSection8TheLaneConsumesTheLimitForTheMessageThatFollows(t *testing.T) {
	e := validators(t)
	require.NoError(t, e.k.LaneCheck(e.ctx, setMsg(1)))
	require.NoError(t, e.k.LaneCheck(e.ctx, setMsg(1)), "a check consumes nothing")
	require.NoError(t, e.k.LaneConsume(e.ctx, setMsg(1)))
	require.NoError(t, e.inLane(func() error { return e.setWeights(1, []uint32{2}, []uint32{1}) }), "the limit was consumed for this message")
	require.ErrorIs(t, e.setWeights(1, []uint32{3}, []uint32{1}), types.ErrTooSoon, "and for none that pays")
	err := e.k.LaneConsume(e.ctx, setMsg(1))
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "the last was in block 13, the first block that will be accepted is 18 (this is for block 13)")
	e.to(18)
	require.NoError(t, e.k.LaneConsume(e.ctx, setMsg(1)))
}

func TestSection8AMessageOfTheLaneThatFailsHasUsedItsLimit(t *testing.T) {
	e := validators(t)
	require.NoError(t, e.k.LaneConsume(e.ctx, setMsg(1)))
	require.ErrorIs(t, e.inLane(func() error { return e.setWeights(1, []uint32{9}, []uint32{1}) }), types.ErrInvalidRow)
	require.ErrorIs(t, e.k.LaneCheck(e.ctx, setMsg(1)), types.ErrTooSoon)
	require.ErrorIs(t, e.setWeights(1, []uint32{2}, []uint32{1}), types.ErrTooSoon, "nor does a message that pays get it in the same block")
	e.to(17)
	require.ErrorIs(t, e.k.LaneCheck(e.ctx, setMsg(1)), types.ErrTooSoon)
	require.ErrorIs(t, e.setWeights(1, []uint32{2}, []uint32{1}), types.ErrTooSoon)
	e.to(18)
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}))
}

func TestSection8AMessageThatPaysUsesTheSameLimit(t *testing.T) {
	e := validators(t)
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}))
	require.ErrorIs(t, e.k.LaneCheck(e.ctx, setMsg(1)), types.ErrTooSoon)
}

func TestSection8OneTransactionPerNeuronAndKindIsPending(t *testing.T) {
	e := hidden(t)
	check := e.ctx.WithIsCheckTx(true) // on the state of block 13, for block 14
	commit := func(uid uint32) sdk.Msg {
		return &types.MsgCommitWeights{Hotkey: hotkey(uid), Netuid: 1, Hash: make([]byte, 32)}
	}
	require.NoError(t, e.k.LaneConsume(check, commit(1)))
	err := e.k.LaneConsume(check, commit(1))
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "the last was in block 14")
	require.ErrorIs(t, e.k.LaneConsume(check, setMsg(1)), types.ErrTooSoon, "plain rows and commits are one kind")
	require.NoError(t, e.k.LaneConsume(check, commit(0)), "another neuron's is another")
	require.NoError(t, e.k.LaneConsume(check, &subnetstypes.MsgServe{Hotkey: hotkey(1), Netuid: 1}), "serving is another kind")
	require.ErrorIs(t, e.k.LaneConsume(check, &subnetstypes.MsgServe{Hotkey: hotkey(1), Netuid: 1}), types.ErrTooSoon)
}

func TestSection8TheLaneTakesAReveal(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	err = e.k.LaneCheck(e.ctx, someRow.reveal())
	require.ErrorIs(t, err, types.ErrRevealWindow)
	require.ErrorContains(t, err, "from block 23 on")
	e.to(23)
	wrong := someRow.reveal()
	wrong.Version = 5
	require.NoError(t, e.k.LaneConsume(e.ctx, wrong))
	require.ErrorIs(t, e.inLane(func() error { _, err := send(e, e.msgs.RevealWeights, wrong); return err }), types.ErrNoCommit)
	require.ErrorIs(t, e.k.LaneConsume(e.ctx, someRow.reveal()), types.ErrTooSoon, "one a block")
	e.to(27)
	require.ErrorIs(t, e.k.LaneConsume(e.ctx, someRow.reveal()), types.ErrTooSoon, "as seldom as commits")
	paid, _ := e.ctx.CacheContext()
	_, err = e.msgs.RevealWeights(paid, someRow.reveal())
	require.NoError(t, err, "for a fee, in any block")
	e.to(28)
	require.NoError(t, e.k.LaneConsume(e.ctx, someRow.reveal()))
	require.NoError(t, e.inLane(func() error { return e.reveal(someRow) }))
	e.to(29)
	require.ErrorIs(t, e.k.LaneCheck(e.ctx, someRow.reveal()), types.ErrNoCommit, "nothing is left to open")
}

// servant is a subnet whose uid 3 has a real key, and its message.
func servant(t *testing.T) (*env, *subnetstypes.MsgServe) {
	e := validators(t)
	priv := secp256k1.GenPrivKeyFromSecret([]byte("miner"))
	key, err := crypto.UnmarshalSecp256k1PrivateKey(priv.Key)
	require.NoError(t, err)
	id, err := peer.IDFromPrivateKey(key)
	require.NoError(t, err)
	hot := sdk.AccAddress(priv.PubKey().Address())
	r, err := send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).Register,
		&subnetstypes.MsgRegister{Coldkey: addr(cold).String(), Hotkey: hot.String(), Netuid: 1, MaxBurn: 1e12})
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Uid)
	m := &subnetstypes.MsgServe{Hotkey: hot.String(), Netuid: 1, Protocol: strings.Repeat("p", 64), ProtocolVersion: strings.Repeat("1", 32)}
	for i := range subnetstypes.MaxEndpoints {
		host := fmt.Sprintf("%d%s.", i, strings.Repeat("a", 57))
		m.Endpoints = append(m.Endpoints, "/dns4/"+strings.Repeat(host, 3)+"org/tcp/4001/p2p/"+id.String())
	}
	return e, m
}

func TestSection8TheLanesLimitOfServingIsThatOfTheMessage(t *testing.T) {
	e, m := servant(t)
	serve := func() error {
		_, err := send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).Serve, m)
		return err
	}
	require.NoError(t, e.k.LaneConsume(e.ctx, m))
	require.NoError(t, serve())
	e.to(17)
	require.ErrorIs(t, serve(), subnetstypes.ErrTooSoon)
	err := e.k.LaneCheck(e.ctx, m)
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "serve_rate_limit: 5 blocks between two attempts; the last was in block 13, the first block that will be accepted is 18")
	e.to(18)
	require.NoError(t, serve(), "for a fee")
	require.ErrorIs(t, e.k.LaneCheck(e.ctx, m), types.ErrTooSoon, "the lane knows of it")
}

func TestTheGasOfTheLaneCoversItsLargestMessages(t *testing.T) {
	const ante = 30_000 // reading and writing the account, the signature
	cost := func(e *env, m sdk.Msg, run func(sdk.Context) error) {
		t.Helper()
		ctx, _ := e.ctx.CacheContext()
		ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		require.NoError(t, e.k.LaneConsume(ctx, m))
		require.NoError(t, run(keeper.InLane(ctx)))
		size := m.(interface{ Size() int }).Size() + 300 // signature, key, envelope
		used := ante + ctx.GasMeter().GasConsumed() + 10*uint64(size)
		may, _ := types.LaneGas(m)
		t.Logf("%T: %d of %d", m, used, may)
		require.LessOrEqual(t, used, may, "%T", m)
	}
	large := func(h *subnetstypes.Hyperparameters) { h.MaxUids = types.MaxRow }
	full := row{uid: 1, salt: "full"}
	for i := range uint32(types.MaxRow) {
		full.uids, full.values = append(full.uids, i), append(full.values, 65_535)
	}
	wordy := func(e *env) {
		_, err := subnetskeeper.NewMsgServer(e.subnets.Keeper).UpdateSubnet(e.ctx, &subnetstypes.MsgUpdateSubnet{
			Coldkey: addr(cold).String(), Netuid: 1, Name: strings.Repeat("n", subnetstypes.MaxName),
			Description: strings.Repeat("d", subnetstypes.MaxDescription),
			Parameters:  "{" + strings.Repeat(" ", subnetstypes.MaxParameters-2) + "}",
		})
		require.NoError(t, err)
	}
	big := func(commitReveal bool) *env {
		e := network(t, types.MaxRow, large, func(h *subnetstypes.Hyperparameters) { h.CommitReveal, h.WeightsRateLimit = commitReveal, 1 })
		wordy(e)
		e.stake(1, 2)
		e.to(13)
		return e
	}
	e := big(false)
	set := &types.MsgSetWeights{Hotkey: hotkey(1), Netuid: 1, Uids: full.uids, Values: full.values}
	cost(e, set, func(ctx sdk.Context) error { _, err := e.msgs.SetWeights(ctx, set); return err })

	e = big(true)
	for i := range 9 {
		r := someRow
		r.salt = fmt.Sprint(i)
		_, err := e.commit(r)
		require.NoError(t, err)
		e.to(e.ctx.BlockHeight() + 1)
	}
	commit := &types.MsgCommitWeights{Hotkey: hotkey(1), Netuid: 1, Hash: full.hash(chainID, 1)}
	cost(e, commit, func(ctx sdk.Context) error { _, err := e.msgs.CommitWeights(ctx, commit); return err })
	_, err := e.msgs.CommitWeights(e.ctx, commit)
	require.NoError(t, err)
	e.to(23)
	few := someRow
	few.salt = "0"
	cost(e, few.reveal(), func(ctx sdk.Context) error { _, err := e.msgs.RevealWeights(ctx, few.reveal()); return err })
	cost(e, full.reveal(), func(ctx sdk.Context) error { _, err := e.msgs.RevealWeights(ctx, full.reveal()); return err })

	e, m := servant(t)
	wordy(e)
	require.Greater(t, len(m.Endpoints[0]), subnetstypes.MaxEndpointLen-10)
	cost(e, m, func(ctx sdk.Context) error {
		_, err := subnetskeeper.NewMsgServer(e.subnets.Keeper).Serve(ctx, m)
		return err
	})
}
