package keeper_test

import (
	"errors"
	"fmt"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

// own binds a hotkey to the coldkey of another.
func (e *env) own(hotkey, of string) {
	e.alpha.coldkeys[string(addr(hotkey))] = addr(of + "'s coldkey")
}

func (e *env) swapHotkey(coldkeyOf, hotkey, to string) (*types.MsgSwapHotkeyResponse, error) {
	return send(e, e.msgs.SwapHotkey, &types.MsgSwapHotkey{
		Coldkey: addr(coldkeyOf + "'s coldkey").String(), Hotkey: addr(hotkey).String(), NewHotkey: addr(to).String(),
	})
}

// swapReady has bob registered in subnets 1 and 3 of three, uid 1 in each, and a
// new hotkey of bob's.
func swapReady(t *testing.T) *env {
	e := newEnv(t, local())
	e.started("ann")
	e.started("cid")
	e.started("dan")
	e.register(1, "bob")
	e.register(3, "bob")
	e.own("bob 2", "bob")
	return e
}

func TestSection4ASwapMovesEveryUidWithAllThatIsKeptByIt(t *testing.T) {
	e := swapReady(t)
	hot, id := hotkeyOf(t, "miner")
	e.alpha.coldkeys[string(hot)] = addr("bob's coldkey")
	// The hotkey with a real key serves, and is swapped for bob 2.
	_, err := send(e, e.msgs.Register, &types.MsgRegister{Coldkey: addr("bob's coldkey").String(), Hotkey: hot.String(), Netuid: 1, MaxBurn: tao})
	require.NoError(t, err)
	e.pass(6)
	_, err = send(e, e.msgs.Serve, &types.MsgServe{
		Hotkey: hot.String(), Netuid: 1, Protocol: "video/miner", ProtocolVersion: "1", Endpoints: []string{"/ip4/127.0.0.1/tcp/1/p2p/" + id},
	})
	require.NoError(t, err)
	s := e.subnet(1)
	require.NoError(t, e.setEmissions(s.Id, []uint64{0, 0, 9}))
	before, err := e.k.Neuron(e.ctx, s.Id, 2)
	require.NoError(t, err)
	require.NotEmpty(t, before.Endpoints)

	r, err := send(e, e.msgs.SwapHotkey, &types.MsgSwapHotkey{
		Coldkey: addr("bob's coldkey").String(), Hotkey: hot.String(), NewHotkey: addr("bob 2").String(),
	})
	require.NoError(t, err)
	require.Equal(t, []uint32{1}, r.Netuids)
	after, err := e.k.NeuronByHotkey(e.ctx, s.Id, addr("bob 2"))
	require.NoError(t, err)
	want := before // the same uid, block of registration, emission and limit of serving
	want.Hotkey, want.Endpoints, want.Protocol, want.ProtocolVersion = addr("bob 2").String(), nil, "", ""
	require.Equal(t, want, after)
	_, err = e.k.NeuronByHotkey(e.ctx, s.Id, hot)
	require.ErrorIs(t, err, types.ErrNotRegistered)
	require.Equal(t, [][2]string{{hot.String(), addr("bob 2").String()}}, e.alpha.swapped)
	require.Equal(t, []string{fmt.Sprintf("%s %d hotkey_swap", addr("bob's coldkey"), tao/10)}, e.net.fees, "0.1 TAO, recycled")
	event := lastEvent(t, e.ctx, "lode.subnets.v1.EventHotkeySwapped")
	for _, part := range []string{hot.String(), addr("bob 2").String(), addr("bob's coldkey").String(), "[1]", `fee="100000000"`} {
		require.Contains(t, event, part)
	}
	e.holds()
}

func TestSection4ASwapReachesEverySubnetAndTheOwnersKeyFollows(t *testing.T) {
	e := swapReady(t)
	r, err := e.swapHotkey("bob", "bob", "bob 2")
	require.NoError(t, err)
	require.Equal(t, []uint32{1, 3}, r.Netuids)
	require.Equal(t, addr("ann").String(), e.subnet(1).OwnerHotkey)
	e.holds()

	e.own("ann 2", "ann")
	r, err = e.swapHotkey("ann", "ann", "ann 2")
	require.NoError(t, err)
	require.Equal(t, []uint32{1}, r.Netuids)
	require.Equal(t, addr("ann 2").String(), e.subnet(1).OwnerHotkey)
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 1), "the coldkey owns it as before")
	e.holds()

	// A key that is registered nowhere moves its stakes alone.
	e.own("staked", "eve")
	e.own("staked 2", "eve")
	r, err = e.swapHotkey("eve", "staked", "staked 2")
	require.NoError(t, err)
	require.Empty(t, r.Netuids)
	require.Len(t, e.alpha.swapped, 3)
}

func TestSection4ASwapRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*env, *types.MsgSwapHotkey)
		is     error
		says   string
	}{
		"a target of another coldkey": {func(e *env, m *types.MsgSwapHotkey) { e.own("bob 2", "eve") }, types.ErrWrongColdkey, "is bound to " + addr("eve's coldkey").String()},
		"a target that is not bound":  {func(e *env, m *types.MsgSwapHotkey) { m.NewHotkey = addr("x").String() }, nil, "is not bound"},
		"another's hotkey":            {func(e *env, m *types.MsgSwapHotkey) { m.Coldkey = addr("thief").String() }, types.ErrWrongColdkey, "not to " + addr("thief").String()},
		"a target that is registered": {func(e *env, m *types.MsgSwapHotkey) {
			hot, cold := addr("bob 2").String(), addr("bob's coldkey").String()
			_, err := send(e, e.msgs.Register, &types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: 2, MaxBurn: tao})
			require.NoError(e.t, err)
		}, types.ErrRegistered, "is registered in subnet 2"},
		"the same key": {func(e *env, m *types.MsgSwapHotkey) { m.NewHotkey = m.Hotkey }, types.ErrInvalidSwap, "can't be swapped for itself"},
		"a hotkey that operates a chain validator": {func(e *env, m *types.MsgSwapHotkey) { e.chain[m.Hotkey] = true },
			types.ErrChainOperator, "hotkey " + addr("bob").String() + " operates a chain validator"},
		"a target that operates a chain validator": {func(e *env, m *types.MsgSwapHotkey) { e.chain[m.NewHotkey] = true },
			types.ErrChainOperator, "hotkey " + addr("bob 2").String()},
		"a coldkey that can't pay": {func(e *env, m *types.MsgSwapHotkey) { e.bank[m.Coldkey] = tao/10 - 1 },
			sdkerrors.ErrInsufficientFunds, "costs 100000000 rao (hotkey_swap_fee)"},
		"a target that has stake": {func(e *env, m *types.MsgSwapHotkey) { e.alpha.refuses = errors.New("has stake") }, nil, "has stake"},
		"a hotkey of another network": {func(e *env, m *types.MsgSwapHotkey) {
			m.NewHotkey = sdk.MustBech32ifyAddressBytes("cosmos", addr("bob 2"))
		}, nil, "lode"},
	} {
		t.Run(name, func(t *testing.T) {
			e := swapReady(t)
			m := types.MsgSwapHotkey{Coldkey: addr("bob's coldkey").String(), Hotkey: addr("bob").String(), NewHotkey: addr("bob 2").String()}
			c.change(e, &m)
			_, err := send(e, e.msgs.SwapHotkey, &m)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			_, err = e.k.NeuronByHotkey(e.ctx, e.subnet(1).Id, addr("bob"))
			require.NoError(t, err, "nothing moved")
			e.holds()
		})
	}
}

func TestSection4ASwapCannotBeReplayed(t *testing.T) {
	e := swapReady(t)
	_, err := e.swapHotkey("bob", "bob", "bob 2")
	require.NoError(t, err)
	_, err = e.swapHotkey("bob", "bob", "bob 2")
	require.ErrorIs(t, err, types.ErrRegistered)
	require.Len(t, e.net.fees, 1)
	require.Len(t, e.alpha.swapped, 1)
	e.holds()
}

func TestSection4ASwapRenewsNoImmunity(t *testing.T) {
	e := swapReady(t)
	e.pass(61)
	_, err := e.swapHotkey("bob", "bob", "bob 2")
	require.NoError(t, err)
	order, err := e.k.PruningOrder(e.ctx, e.subnet(1).Id)
	require.NoError(t, err)
	require.Equal(t, []types.PruningPlace{{Uid: 1}}, order)
}

func TestSection4AfterASwapTheNewKeyRevealsWhatTheOldOneSealed(t *testing.T) {
	e := swapReady(t)
	require.NoError(t, e.seal("bob", 1, "model"))
	e.pass(1)
	_, err := e.swapHotkey("bob", "bob", "bob 2")
	require.NoError(t, err)
	require.ErrorIs(t, e.reveal("bob", 1, "model", salt), types.ErrNotRegistered)
	require.NoError(t, e.reveal("bob 2", 1, "model", salt))
	p := e.published("bob 2", 1)
	require.Equal(t, addr("bob").String(), p.Hotkey, "a commit keeps the hotkey that committed")
	require.EqualValues(t, []int64{1, 2}, []int64{p.SealedHeight, p.Height})
	e.holds()
}
