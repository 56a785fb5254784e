package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateralkeeper "github.com/lodenet/lode/x/collateral/keeper"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// send runs a message; what a failing one wrote is dropped.
func send[M, R any](h *harness, handle func(context.Context, M) (R, error), m M) (R, error) {
	ctx, write := h.ctx.CacheContext()
	r, err := handle(ctx, m)
	if err == nil {
		write()
	}
	return r, err
}

func must[M, R any](h *harness, handle func(context.Context, M) (R, error), m M) R {
	h.t.Helper()
	r, err := send(h, handle, m)
	require.NoError(h.t, err)
	return r
}

// fund gives an account rao of genesis.
func (h *harness) fund(to sdk.AccAddress, rao uint64) {
	h.t.Helper()
	require.NoError(h.t, h.bank.SendCoins(h.ctx, addr(treasury), to, coins(rao)))
}

// bind makes a hotkey of a coldkey, by their names.
func (h *harness) bind(hotkey string, coldkey sdk.AccAddress) {
	h.t.Helper()
	must(h, alphakeeper.NewMsgServer(h.alpha).BindHotkey, &alphatypes.MsgBindHotkey{Coldkey: coldkey.String(), Hotkey: addr(hotkey).String()})
}

// subnet makes a started subnet; owner is its hotkey's name, uid 0.
func (h *harness) subnet(owner string) subnetstypes.Subnet {
	h.t.Helper()
	s := h.unstarted(owner)
	must(h, subnetskeeper.NewMsgServer(h.subnets).StartSubnet, &subnetstypes.MsgStartSubnet{Coldkey: coldkeyOf(owner).String(), Netuid: s.Netuid})
	s, err := h.subnets.Subnet(h.ctx, s.Id)
	require.NoError(h.t, err)
	return s
}

func (h *harness) unstarted(owner string) subnetstypes.Subnet {
	h.t.Helper()
	h.fund(coldkeyOf(owner), 100_000*tao)
	h.bind(owner, coldkeyOf(owner))
	r := must(h, subnetskeeper.NewMsgServer(h.subnets).CreateSubnet, &subnetstypes.MsgCreateSubnet{
		Coldkey: coldkeyOf(owner).String(), Hotkey: addr(owner).String(), MaxLock: 100_000 * tao, Name: owner,
	})
	s, err := h.subnets.Subnet(h.ctx, r.SubnetId)
	require.NoError(h.t, err)
	return s
}

// register gives a hotkey a uid; it is bound to a coldkey of its own.
func (h *harness) register(s subnetstypes.Subnet, hotkey string) uint32 {
	h.t.Helper()
	return h.registerFor(s, hotkey, coldkeyOf(hotkey))
}

func (h *harness) registerFor(s subnetstypes.Subnet, hotkey string, coldkey sdk.AccAddress) uint32 {
	h.t.Helper()
	h.fund(coldkey, 1_000*tao)
	if _, err := h.alpha.Coldkey(h.ctx, addr(hotkey)); err != nil {
		h.bind(hotkey, coldkey)
	}
	r := must(h, subnetskeeper.NewMsgServer(h.subnets).Register, &subnetstypes.MsgRegister{
		Coldkey: coldkey.String(), Hotkey: addr(hotkey).String(), Netuid: s.Netuid, MaxBurn: 1_000 * tao,
	})
	return r.Uid
}

// stake buys alpha for rao on a hotkey, from a nominator of that name.
func (h *harness) stake(s subnetstypes.Subnet, hotkey string, nominator sdk.AccAddress, rao uint64) {
	h.t.Helper()
	h.fund(nominator, rao)
	must(h, alphakeeper.NewMsgServer(h.alpha).Stake, &alphatypes.MsgStake{
		Coldkey: nominator.String(), Hotkey: addr(hotkey).String(), Netuid: s.Netuid, Tao: rao, LimitPrice: 1 << 62,
	})
}

// lend sets a hotkey's children; pairs are a child's name and millionths. They are
// in force two blocks later.
func (h *harness) lend(s subnetstypes.Subnet, parent string, pairs ...any) {
	h.t.Helper()
	m := &alphatypes.MsgSetChildren{Coldkey: h.cold(parent).String(), Hotkey: addr(parent).String(), Netuid: s.Netuid}
	for i := 0; i < len(pairs); i += 2 {
		m.Children = append(m.Children, alphatypes.Child{Hotkey: addr(pairs[i].(string)).String(), Proportion: uint32(pairs[i+1].(int))})
	}
	h.fund(h.cold(parent), tao/100) // what it costs
	must(h, alphakeeper.NewMsgServer(h.alpha).SetChildren, m)
}

// childkeyTake sets what a child keeps, per 10^6.
func (h *harness) childkeyTake(s subnetstypes.Subnet, child string, take uint32) {
	h.t.Helper()
	must(h, alphakeeper.NewMsgServer(h.alpha).SetChildkeyTake, &alphatypes.MsgSetChildkeyTake{
		Coldkey: h.cold(child).String(), Hotkey: addr(child).String(), Netuid: s.Netuid, Take: take,
	})
}

// destine sends a hotkey's incentive to another.
func (h *harness) destine(hotkey, to string) {
	h.t.Helper()
	must(h, alphakeeper.NewMsgServer(h.alpha).SetDestination, &alphatypes.MsgSetDestination{
		Coldkey: h.cold(hotkey).String(), Hotkey: addr(hotkey).String(), Destination: addr(to).String(),
	})
}

// bond locks alpha of a hotkey as collateral.
func (h *harness) bond(s subnetstypes.Subnet, hotkey string, alpha uint64) {
	h.t.Helper()
	must(h, collateralkeeper.NewMsgServer(h.collateral).LockCollateral, &collateraltypes.MsgLockCollateral{
		Coldkey: h.cold(hotkey).String(), Hotkey: addr(hotkey).String(), Netuid: s.Netuid, Alpha: alpha,
	})
}

// cold is the coldkey that a hotkey is bound to.
func (h *harness) cold(hotkey string) sdk.AccAddress {
	h.t.Helper()
	c, err := h.alpha.Coldkey(h.ctx, addr(hotkey))
	require.NoError(h.t, err)
	return c
}

// judge sets a validator's weights; pairs are (uid, value).
func (h *harness) judge(s subnetstypes.Subnet, hotkey string, pairs ...uint32) {
	h.t.Helper()
	m := &weightstypes.MsgSetWeights{Hotkey: addr(hotkey).String(), Netuid: s.Netuid}
	for i := 0; i < len(pairs); i += 2 {
		m.Uids, m.Values = append(m.Uids, pairs[i]), append(m.Values, pairs[i+1])
	}
	must(h, weightskeeper.NewMsgServer(h.weights).SetWeights, m)
}

// validator makes a hotkey the operator of a bonded chain validator.
func (h *harness) validator(hotkey string, rao uint64, commission string) {
	h.t.Helper()
	operator := addr(hotkey)
	h.fund(operator, rao)
	rate := sdkmath.LegacyMustNewDecFromStr(commission)
	key := ed25519.GenPrivKeyFromSecret([]byte(hotkey)).PubKey()
	m, err := stakingtypes.NewMsgCreateValidator(sdk.ValAddress(operator).String(), key, sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(rao)),
		stakingtypes.Description{Moniker: hotkey}, stakingtypes.NewCommissionRates(rate, rate, rate), sdkmath.OneInt())
	require.NoError(h.t, err)
	must(h, stakingkeeper.NewMsgServerImpl(h.staking).CreateValidator, m)
	_, err = h.staking.EndBlocker(h.ctx)
	require.NoError(h.t, err)
}

// untilEpoch lets blocks pass until the subnet's next epoch has run, and returns
// the events of that block.
func (h *harness) untilEpoch(s subnetstypes.Subnet) sdk.Events {
	h.t.Helper()
	state, ok, err := h.weights.EpochState(h.ctx, s.Id)
	require.NoError(h.t, err)
	require.True(h.t, ok)
	h.blocks(int(state.DueHeight - h.ctx.BlockHeight()))
	return h.block(h.target())
}

func (h *harness) totals() types.Totals {
	h.t.Helper()
	t, err := h.k.Totals(h.ctx)
	require.NoError(h.t, err)
	return t
}

func (h *harness) supply() uint64 { return clamp(h.bank.GetSupply(h.ctx, types.Denom).Amount) }

func (h *harness) emission(s subnetstypes.Subnet) types.SubnetEmission {
	h.t.Helper()
	e, err := h.k.Emission(h.ctx, s.Id)
	require.NoError(h.t, err)
	return e
}

func (h *harness) setEmission(s subnetstypes.Subnet, change func(*types.SubnetEmission)) {
	h.t.Helper()
	e := h.emission(s)
	change(&e)
	require.NoError(h.t, h.k.emissions.Set(h.ctx, s.Id, e))
}

func (h *harness) pool(s subnetstypes.Subnet) alphatypes.Pool {
	h.t.Helper()
	p, err := h.alpha.Pool(h.ctx, s.Id)
	require.NoError(h.t, err)
	return p
}

func (h *harness) stakeOn(s subnetstypes.Subnet, hotkey string) uint64 {
	h.t.Helper()
	a, err := h.alpha.StakeOn(h.ctx, s.Id, addr(hotkey))
	require.NoError(h.t, err)
	return a
}

// typed are the events of one type.
func typed[E proto.Message](h *harness, events sdk.Events) (out []E) {
	h.t.Helper()
	var none E
	name := proto.MessageName(none)
	for _, e := range events.ToABCIEvents() {
		if e.Type != name {
			continue
		}
		m, err := sdk.ParseTypedEvent(e)
		require.NoError(h.t, err)
		out = append(out, m.(E))
	}
	return out
}

// one is the only event of a type.
func one[E proto.Message](h *harness, events sdk.Events) E {
	h.t.Helper()
	found := typed[E](h, events)
	require.Len(h.t, found, 1)
	return found[0]
}

func q64(s string) fixed.Q64 {
	q, err := fixed.ParseQ64(s)
	if err != nil {
		panic(err)
	}
	return q
}

// balance is what a module's account holds, rao.
func (h *harness) balance(module string) uint64 {
	return clamp(h.bank.GetBalance(h.ctx, h.k.accounts.GetModuleAddress(module), types.Denom).Amount)
}
