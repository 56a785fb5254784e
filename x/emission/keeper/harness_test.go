package keeper

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	corestore "cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
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
	collateral   collateralkeeper.Keeper
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

// Emit fails late in a subnet's step: after it issued, traded and sold.
func (s *sabotage) Emit(ctx context.Context, id uint64, e alphatypes.BlockEmission) (uint64, error) {
	root, err := s.AlphaKeeper.Emit(ctx, id, e)
	if err == nil {
		err = s.hit("Emit", id)
	}
	return root, err
}

// PayPending fails late in a payout.
func (s *sabotage) PayPending(ctx context.Context, id uint64, payments []alphatypes.Payment) error {
	if err := s.AlphaKeeper.PayPending(ctx, id, payments); err != nil {
		return err
	}
	return s.hit("PayPending", id)
}

// mintPending issues alpha that waits for an epoch.
func (h *harness) mintPending(s subnetstypes.Subnet, alpha uint64) {
	h.t.Helper()
	_, err := h.alpha.Emit(h.ctx, s.Id, alphatypes.BlockEmission{Pending: alpha})
	require.NoError(h.t, err)
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
	alpha := *alphatypes.DefaultGenesis()
	alpha.Params.ChildrenCooldown = 1
	require.NoError(t, h.alpha.InitGenesis(h.ctx, alpha))
	require.NoError(t, h.subnets.InitGenesis(h.ctx, subnetstypes.GenesisState{Params: p}))
	weights := *weightstypes.DefaultGenesis()
	weights.Params.MinLendingWeight = 0 // stakes here are of any size
	require.NoError(t, h.weights.InitGenesis(h.ctx, weights))
	require.NoError(t, h.collateral.InitGenesis(h.ctx, *collateraltypes.DefaultGenesis()))
	require.NoError(t, h.k.InitGenesis(h.ctx, g))
	return h
}

// bareHarness has the SDK's modules at genesis, ours without state. What it
// returns beside is the genesis that newHarness loads: the local profile, weights
// set at once and at will.
func bareHarness(t testing.TB) (*harness, types.GenesisState, subnetstypes.Params) {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, distributiontypes.StoreKey,
		alphatypes.StoreKey, subnetstypes.StoreKey, weightstypes.StoreKey, collateraltypes.StoreKey, types.StoreKey)
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
		collateraltypes.ModuleName:          {authtypes.Burner},
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
	h.subnets = subnetskeeper.NewKeeper(cdc, service(subnetstypes.StoreKey), ac, governance, h.alpha, bank, staking)
	h.weights = weightskeeper.NewKeeper(cdc, service(weightstypes.StoreKey), ac, governance, h.subnets, h.alpha, staking)
	h.sabotage = &sabotage{AlphaKeeper: h.alpha}
	h.collateral = collateralkeeper.NewKeeper(cdc, service(collateraltypes.StoreKey), ac, governance, accounts, counted, h.alpha, h.subnets, h.weights)
	h.k = NewKeeper(cdc, service(types.StoreKey), ac, governance, accounts, counted, distribution, staking, h.sabotage, h.subnets, h.weights, h.collateral)
	h.subnets.SetHooks(subnetstypes.MultiHooks{h.weights.Hooks(), h.collateral.Hooks(), h.k.Hooks()})
	h.subnets.SetNetwork(subnetstypes.JoinNetwork(h.k, h.weights))
	h.alpha.SetNetwork(h.k)
	h.collateral.SetNetwork(h.k)

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
	for _, end := range []func(context.Context) error{h.k.EndBlocker, h.alpha.EndBlocker, h.collateral.EndBlocker, h.subnets.EndBlocker} {
		require.NoError(h.t, end(h.ctx))
	}
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
		"weights": h.weights.CheckInvariants, "collateral": h.collateral.CheckInvariants, "emission": h.k.CheckInvariants,
	} {
		require.NoError(h.t, check(h.ctx), "invariants of %s at block %d", name, h.ctx.BlockHeight())
	}
}
