package keeper

import (
	"context"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	corestore "cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distributionkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	tao = 1_000_000_000 // rao

	// treasury holds genesis, all of it.
	treasury    = "treasury"
	genesisRao  = 1_000_000 * tao
	harnessTime = 1_700_000_000
)

// addr is an account's address by a name.
func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

func coldkeyOf(name string) sdk.AccAddress { return addr(name + "'s coldkey") }

// harness is the module over a real store with its real neighbours: auth, bank,
// staking, distribution, alpha, subnets, weights. Every block ends with all
// modules' invariants.
type harness struct {
	t   testing.TB
	ctx sdk.Context
	k   Keeper

	bank         bankkeeper.Keeper
	staking      *stakingkeeper.Keeper
	distribution distributionkeeper.Keeper
	alpha        alphakeeper.Keeper
	subnets      subnetskeeper.Keeper
	weights      weightskeeper.Keeper
	sabotage     *sabotage

	uncheckedBlocks bool
}

// sabotage is x/alpha as x/emission sees it, with a fault to inject.
type sabotage struct {
	types.AlphaKeeper
	fault func(method string, subnetID uint64) error
}

func (s *sabotage) hit(method string, subnetID uint64) error {
	if s.fault == nil {
		return nil
	}
	return s.fault(method, subnetID)
}

func (s *sabotage) Pool(ctx context.Context, id uint64) (alphatypes.Pool, error) {
	if err := s.hit("Pool", id); err != nil {
		return alphatypes.Pool{}, err
	}
	return s.AlphaKeeper.Pool(ctx, id)
}

// MintPending fails late in a subnet's step: after it minted, traded and sold.
func (s *sabotage) MintPending(ctx context.Context, id, alpha uint64) error {
	if err := s.hit("MintPending", id); err != nil {
		return err
	}
	return s.AlphaKeeper.MintPending(ctx, id, alpha)
}

// StakePending fails late in a payout.
func (s *sabotage) StakePending(ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	if err := s.hit("StakePending", id); err != nil {
		return err
	}
	return s.AlphaKeeper.StakePending(ctx, id, hotkey, coldkey, alpha, reason)
}

// setting is what a test changes of the genesis.
type setting func(*types.GenesisState, *subnetstypes.Params)

// withParams changes the parameters of x/emission.
func withParams(change func(*types.Params)) setting {
	return func(g *types.GenesisState, _ *subnetstypes.Params) { change(&g.Params) }
}

// withRule changes a hyperparameter's default.
func withRule(name string, value uint64) setting {
	return func(_ *types.GenesisState, p *subnetstypes.Params) {
		for i := range p.Hyperparameters {
			if r := &p.Hyperparameters[i]; r.Name == name {
				r.Default, r.Min = value, min(r.Min, value)
			}
		}
	}
}

func newHarness(t testing.TB, settings ...setting) *harness {
	t.Helper()
	h, g, p := bareHarness(t)
	for _, set := range settings {
		set(&g, &p)
	}
	require.NoError(t, g.Validate())
	require.NoError(t, p.Validate())
	require.NoError(t, h.alpha.InitGenesis(h.ctx, *alphatypes.DefaultGenesis()))
	require.NoError(t, h.subnets.InitGenesis(h.ctx, subnetstypes.GenesisState{Params: p}))
	require.NoError(t, h.weights.InitGenesis(h.ctx, *weightstypes.DefaultGenesis()))
	require.NoError(t, h.k.InitGenesis(h.ctx, g))
	return h
}

// bareHarness has the SDK's modules at genesis, ours without state. What it
// returns beside is the genesis that newHarness loads: the local profile, weights
// set at once and at will.
func bareHarness(t testing.TB) (*harness, types.GenesisState, subnetstypes.Params) {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, distributiontypes.StoreKey,
		alphatypes.StoreKey, subnetstypes.StoreKey, weightstypes.StoreKey, types.StoreKey)
	ctx := testutil.DefaultContextWithKeys(keys, nil, nil).
		WithBlockHeight(1).WithBlockTime(time.Unix(harnessTime, 0)).WithExecMode(sdk.ExecModeFinalize).WithChainID("lode-test-1")

	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	authtypes.RegisterInterfaces(registry)
	stakingtypes.RegisterInterfaces(registry)
	cdc := codec.NewProtoCodec(registry)
	ac, governance := addresscodec.NewBech32Codec("lode"), addr("governance").String()
	service := func(name string) corestore.KVStoreService { return runtime.NewKVStoreService(keys[name]) }

	accounts := authkeeper.NewAccountKeeper(cdc, service(authtypes.StoreKey), authtypes.ProtoBaseAccount, map[string][]string{
		authtypes.FeeCollectorName:          nil,
		distributiontypes.ModuleName:        nil,
		stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
		stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
		stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
		alphatypes.ModuleName:               nil,
		types.ModuleName:                    {authtypes.Minter, authtypes.Burner},
	}, ac, "lode", governance)
	bank := bankkeeper.NewBaseKeeper(cdc, service(banktypes.StoreKey), accounts, nil, governance, log.NewNopLogger())
	counted := CountBurns(bank, service(types.StoreKey))
	staking := stakingkeeper.NewKeeper(cdc, service(stakingtypes.StoreKey), accounts, counted, governance,
		addresscodec.NewBech32Codec("lodevaloper"), addresscodec.NewBech32Codec("lodevalcons"))
	distribution := distributionkeeper.NewKeeper(cdc, service(distributiontypes.StoreKey), accounts, counted, staking, authtypes.FeeCollectorName, governance)
	staking.SetHooks(stakingtypes.NewMultiStakingHooks(distribution.Hooks()))

	h := &harness{t: t, ctx: ctx, bank: bank, staking: staking, distribution: distribution}
	h.alpha = alphakeeper.NewKeeper(cdc, service(alphatypes.StoreKey), ac, governance, accounts, bank)
	h.subnets = subnetskeeper.NewKeeper(cdc, service(subnetstypes.StoreKey), ac, governance, h.alpha)
	h.weights = weightskeeper.NewKeeper(cdc, service(weightstypes.StoreKey), ac, governance, h.subnets, h.alpha, staking)
	h.sabotage = &sabotage{AlphaKeeper: h.alpha}
	h.k = NewKeeper(cdc, service(types.StoreKey), ac, governance, accounts, counted, distribution, staking, h.sabotage, h.subnets, h.weights)
	h.subnets.SetHooks(subnetstypes.MultiHooks{h.weights.Hooks(), h.k.Hooks()})
	h.subnets.SetNetwork(subnetstypes.JoinNetwork(h.k, h.weights))

	require.NoError(t, accounts.Params.Set(ctx, authtypes.DefaultParams()))
	genesis := sdk.NewCoins(sdk.NewInt64Coin(types.Denom, genesisRao))
	bank.InitGenesis(ctx, banktypes.NewGenesisState(banktypes.DefaultParams(),
		[]banktypes.Balance{{Address: addr(treasury).String(), Coins: genesis}}, genesis, nil, nil))
	params := stakingtypes.DefaultParams()
	params.BondDenom, params.KeyRotationFee = types.Denom, sdk.NewInt64Coin(types.Denom, tao)
	require.NoError(t, staking.SetParams(ctx, params))
	distributionParams := distributiontypes.DefaultParams()
	distributionParams.CommunityTax = sdkmath.LegacyZeroDec()
	require.NoError(t, distribution.Params.Set(ctx, distributionParams))
	require.NoError(t, distribution.FeePool.Set(ctx, distributiontypes.InitialFeePool()))

	p := subnetstypes.LocalParams()
	for _, set := range []setting{withRule("commit_reveal", 0), withRule("weights_rate_limit", 1)} {
		set(nil, &p)
	}
	return h, types.GenesisState{Params: types.LocalParams()}, p
}

// block ends the current block and begins the next one, d later. It returns the
// block's events.
func (h *harness) block(d time.Duration) sdk.Events {
	h.t.Helper()
	_, err := h.staking.EndBlocker(h.ctx)
	require.NoError(h.t, err)
	require.NoError(h.t, h.k.EndBlocker(h.ctx))
	events := h.ctx.EventManager().Events()
	h.check()
	h.ctx = h.ctx.WithBlockHeight(h.ctx.BlockHeight() + 1).WithBlockTime(h.ctx.BlockTime().Add(d)).WithEventManager(sdk.NewEventManager())
	require.NoError(h.t, h.subnets.BeginBlocker(h.ctx))
	return events
}

// blocks lets n blocks of the target time pass.
func (h *harness) blocks(n int) (events sdk.Events) {
	h.t.Helper()
	for range n {
		events = append(events, h.block(h.target())...)
	}
	return events
}

func (h *harness) target() time.Duration {
	d, err := h.k.TargetBlockTime(h.ctx)
	require.NoError(h.t, err)
	return d
}

// check runs the invariants of all our modules.
func (h *harness) check() {
	h.t.Helper()
	if h.uncheckedBlocks {
		return
	}
	for name, check := range map[string]func(context.Context) error{
		"alpha": h.alpha.CheckInvariants, "subnets": h.subnets.CheckInvariants,
		"weights": h.weights.CheckInvariants, "emission": h.k.CheckInvariants,
	} {
		require.NoError(h.t, check(h.ctx), "invariants of %s at block %d", name, h.ctx.BlockHeight())
	}
}

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
