package keeper_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/collateral/keeper"
	"github.com/lodenet/lode/x/collateral/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	whole  = 1_000_000_000 // rao or alpha units
	dear   = 1 << 62
	source = "emission" // the module account that stands for x/emission

	deposit = 10 * whole
	tempo   = 10
	unbond  = 30 // collateral_unbond of the tests, blocks of a second
)

func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

func str(name string) string { return addr(name).String() }

// hot is the name of a coldkey's first hotkey.
func hot(name string) string { return name + "-hot" }

var hash = bytes.Repeat([]byte{7}, 32)

// env is the module over real stores, with the SDK's accounts and bank and the
// real x/alpha, x/subnets and x/weights; x/emission is a stand-in. A message that
// fails leaves nothing behind, as in a block; after each the invariants hold.
type env struct {
	t       require.TestingT
	ctx     sdk.Context
	k       keeper.Keeper
	msgs    types.MsgServer
	query   types.QueryServer
	bank    bankkeeper.BaseKeeper
	alpha   alphakeeper.Keeper
	subnets subnetskeeper.Keeper
	weights weightskeeper.Keeper
	faulty  *faulty

	alphaMsgs   alphatypes.MsgServer
	subnetsMsgs subnetstypes.MsgServer
	passed      sdk.Events // of blocks that ended
	unchecked   bool       // blocks check no invariants: the test does
}

// bare is the modules without their genesis.
func bare(t require.TestingT) *env {
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, alphatypes.StoreKey, subnetstypes.StoreKey, weightstypes.StoreKey, types.StoreKey)
	e := &env{t: t, ctx: testutil.DefaultContextWithKeys(keys, nil, nil).WithChainID("lode-test-1").
		WithBlockHeight(1).WithBlockTime(time.Unix(1_700_000_000, 0)).WithExecMode(sdk.ExecModeFinalize)}
	registry := codectypes.NewInterfaceRegistry()
	authtypes.RegisterInterfaces(registry)
	cdc, ac, governance := codec.NewProtoCodec(registry), addresscodec.NewBech32Codec("lode"), str("governance")
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount,
		map[string][]string{alphatypes.ModuleName: nil, types.ModuleName: {authtypes.Burner}, source: {authtypes.Minter, authtypes.Burner}},
		ac, "lode", governance)
	e.bank = bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts, nil, governance, log.NewNopLogger())
	require.NoError(t, accounts.Params.Set(e.ctx, authtypes.DefaultParams()))
	require.NoError(t, e.bank.SetParams(e.ctx, banktypes.DefaultParams()))

	e.alpha = alphakeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[alphatypes.StoreKey]), ac, governance, accounts, e.bank)
	e.subnets = subnetskeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[subnetstypes.StoreKey]), ac, governance, e.alpha, e.bank, noValidators{})
	e.weights = weightskeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[weightstypes.StoreKey]), ac, governance, e.subnets, e.alpha, noValidators{})
	e.faulty = &faulty{Keeper: e.alpha}
	e.k = keeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[types.StoreKey]), ac, governance, accounts, e.bank, e.faulty, e.subnets, e.weights)
	e.subnets.SetHooks(subnetstypes.MultiHooks{e.weights.Hooks(), e.k.Hooks()})
	e.subnets.SetNetwork(subnetstypes.JoinNetwork(economy{e.bank}, e.weights))
	e.alpha.SetNetwork(economy{e.bank})
	e.k.SetNetwork(economy{e.bank})
	e.msgs, e.query = keeper.NewMsgServer(e.k), keeper.NewQuerier(e.k)
	e.alphaMsgs, e.subnetsMsgs = alphakeeper.NewMsgServer(e.alpha), subnetskeeper.NewMsgServer(e.subnets)
	return e
}

// cast are a subnet's owner, three validators and two miners: uids 0 to 5.
var cast = []string{"owner", "v1", "v2", "v3", "miner", "other"}

const minerUID = 4

// newEnv has subnet 1, started, with the cast registered and staked, the miner
// with more than 100 alpha, and the three validators with a third of the active
// stake each.
func newEnv(t require.TestingT, change ...func(*subnetstypes.Params)) *env {
	e := bare(t)
	p := subnetstypes.LocalParams()
	rule(&p, "collateral_unbond", unbond)
	rule(&p, "max_slash", 200_000)
	rule(&p, "max_uids", 16)
	for _, c := range change {
		c(&p)
	}
	require.NoError(t, p.Validate())
	require.NoError(t, e.alpha.InitGenesis(e.ctx, *alphatypes.DefaultGenesis()))
	require.NoError(t, e.subnets.InitGenesis(e.ctx, subnetstypes.GenesisState{Params: p}))
	require.NoError(t, e.weights.InitGenesis(e.ctx, *weightstypes.DefaultGenesis()))
	require.NoError(t, e.k.InitGenesis(e.ctx, *types.DefaultGenesis()))
	e.people(cast...)
	e.create("owner")
	for _, name := range cast[1:] {
		e.register(name)
	}
	e.stake("miner", 150*whole)
	for _, name := range cast {
		e.stake(name, 50*whole)
	}
	e.judge("v1", 1, "v2", 1, "v3", 1)
	return e
}

// rule changes a hyperparameter's default.
func rule(p *subnetstypes.Params, name string, value uint64) {
	for i := range p.Hyperparameters {
		if r := &p.Hyperparameters[i]; r.Name == name {
			r.Default, r.Min = value, min(r.Min, value)
		}
	}
}

// people get coins and a hotkey.
func (e *env) people(names ...string) {
	for _, name := range names {
		coins := sdk.NewCoins(sdk.NewInt64Coin(types.Denom, 20_000*whole))
		require.NoError(e.t, e.bank.MintCoins(e.ctx, source, coins))
		require.NoError(e.t, e.bank.SendCoinsFromModuleToAccount(e.ctx, source, addr(name), coins))
		e.bind(name, hot(name))
	}
}

func (e *env) bind(coldkey, hotkey string) {
	_, err := send(e, e.alphaMsgs.BindHotkey, &alphatypes.MsgBindHotkey{Coldkey: str(coldkey), Hotkey: str(hotkey)})
	require.NoError(e.t, err)
}

func (e *env) create(owner string) uint32 {
	r, err := send(e, e.subnetsMsgs.CreateSubnet, &subnetstypes.MsgCreateSubnet{Coldkey: str(owner), Hotkey: str(hot(owner)), MaxLock: 10_000 * whole, Name: owner})
	require.NoError(e.t, err)
	_, err = send(e, e.subnetsMsgs.StartSubnet, &subnetstypes.MsgStartSubnet{Coldkey: str(owner), Netuid: r.Netuid})
	require.NoError(e.t, err)
	return r.Netuid
}

func (e *env) register(name string) uint32 {
	r, err := send(e, e.subnetsMsgs.Register, &subnetstypes.MsgRegister{Coldkey: str(name), Hotkey: str(hot(name)), Netuid: 1, MaxBurn: 1_000 * whole})
	require.NoError(e.t, err)
	return r.Uid
}

func (e *env) stake(name string, tao uint64) {
	_, err := send(e, e.alphaMsgs.Stake, &alphatypes.MsgStake{Coldkey: str(name), Hotkey: str(hot(name)), Netuid: 1, Tao: tao, LimitPrice: dear})
	require.NoError(e.t, err)
}

// judge gives names their parts of the active stake, and permits.
func (e *env) judge(parts ...any) {
	s := e.subnet()
	n := int(s.Neurons)
	r := weightstypes.EpochResult{SubnetId: s.Id, Number: 1, Height: e.ctx.BlockHeight(), MaxValidators: 64, Active: make([]bool, n)}
	for _, column := range []*[]uint64{&r.Stake, &r.Incentive, &r.Dividends, &r.Consensus, &r.ValidatorTrust, &r.Rank} {
		*column = make([]uint64, n)
	}
	g, err := e.weights.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	g.Permits = nil
	for i := 0; i < len(parts); i += 2 {
		neuron, err := e.subnets.NeuronByHotkey(e.ctx, s.Id, addr(hot(parts[i].(string))))
		require.NoError(e.t, err)
		r.Stake[neuron.Uid], r.Active[neuron.Uid] = uint64(parts[i+1].(int)), parts[i+1] != 0
		g.Permits = append(g.Permits, weightstypes.Permit{SubnetId: s.Id, Uid: neuron.Uid})
	}
	g.Results = []weightstypes.EpochResult{r}
	require.NoError(e.t, g.Validate())
	require.NoError(e.t, e.weights.InitGenesis(e.ctx, *g))
}

func (e *env) subnet() subnetstypes.Subnet {
	s, err := e.subnets.SubnetByNetuid(e.ctx, 1)
	require.NoError(e.t, err)
	return s
}

// blocks ends n blocks, a second each.
func (e *env) blocks(n int) {
	for range n {
		e.block(time.Second)
	}
}

func (e *env) block(d time.Duration) {
	require.NoError(e.t, e.alpha.EndBlocker(e.ctx))
	require.NoError(e.t, e.k.EndBlocker(e.ctx))
	require.NoError(e.t, e.subnets.EndBlocker(e.ctx))
	if !e.unchecked {
		e.holds()
	}
	e.passed = append(e.passed, e.ctx.EventManager().Events()...)
	e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1).WithBlockTime(e.ctx.BlockTime().Add(d)).WithEventManager(sdk.NewEventManager())
	require.NoError(e.t, e.subnets.BeginBlocker(e.ctx))
}

// holds checks the invariants of all modules that have a part in it.
func (e *env) holds() {
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
	require.NoError(e.t, e.alpha.CheckInvariants(e.ctx))
	require.NoError(e.t, e.subnets.CheckInvariants(e.ctx))
}

// send runs a message; what a failing one wrote is dropped.
func send[M, R any](e *env, handle func(context.Context, M) (R, error), m M) (R, error) {
	ctx, write := e.ctx.CacheContext()
	r, err := handle(ctx, m)
	if err == nil {
		write()
	}
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
	return r, err
}

// refused is a message that must fail with an error and words, and changes nothing.
func refused[M, R any](t *testing.T, e *env, handle func(context.Context, M) (R, error), m M, want error, words ...string) {
	t.Helper()
	before, rao := e.exported(), e.rao("v1")
	_, err := send(e, handle, m)
	require.ErrorIs(t, err, want)
	for _, w := range words {
		require.Contains(t, err.Error(), w)
	}
	require.Equal(t, before, e.exported())
	require.Equal(t, rao, e.rao("v1"))
}

func (e *env) exported() *types.GenesisState {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	return g
}

func lockMsg(name string, alpha uint64) *types.MsgLockCollateral {
	return &types.MsgLockCollateral{Coldkey: str(name), Hotkey: str(hot(name)), Netuid: 1, Alpha: alpha}
}

func (e *env) lock(name string, alpha uint64) {
	_, err := send(e, e.msgs.LockCollateral, lockMsg(name, alpha))
	require.NoError(e.t, err)
}

func unbondMsg(name string, alpha uint64) *types.MsgUnbondCollateral {
	return &types.MsgUnbondCollateral{Coldkey: str(name), Hotkey: str(hot(name)), Netuid: 1, Alpha: alpha}
}

func (e *env) unbond(name string, alpha uint64) *types.MsgUnbondCollateralResponse {
	r, err := send(e, e.msgs.UnbondCollateral, unbondMsg(name, alpha))
	require.NoError(e.t, err)
	return r
}

// claimMsg is a claim against a uid, for a tenth of its collateral.
func claimMsg(author string, uid uint32) *types.MsgOpenClaim {
	return &types.MsgOpenClaim{
		Coldkey: str(author), Hotkey: str(hot(author)), Netuid: 1, Uid: uid, Share: 100_000,
		EvidenceHash: hash, EvidenceUrl: "https://example.org/evidence",
	}
}

func (e *env) claim(author string, uid uint32) *types.MsgOpenClaimResponse {
	r, err := send(e, e.msgs.OpenClaim, claimMsg(author, uid))
	require.NoError(e.t, err)
	return r
}

func (e *env) tryConfirm(hotkey string, id uint64) (*types.MsgConfirmClaimResponse, error) {
	return send(e, e.msgs.ConfirmClaim, &types.MsgConfirmClaim{Hotkey: str(hotkey), ClaimId: id})
}

// confirm confirms by validators, and tells whether the claim passed.
func (e *env) confirm(id uint64, names ...string) (passed bool) {
	for _, name := range names {
		r, err := e.tryConfirm(hot(name), id)
		require.NoError(e.t, err)
		passed = r.Passed
	}
	return passed
}

// at is what a name's first hotkey has at stake.
func (e *env) at(name string) types.CollateralInfo {
	r, err := e.query.Collateral(e.ctx, &types.QueryCollateralRequest{Netuid: 1, Hotkey: str(hot(name))})
	require.NoError(e.t, err)
	return r.Collateral
}

// staked and locked are of a name's own stake on a hotkey.
func (e *env) staked(name, hotkey string) uint64 {
	v, err := e.alpha.StakeOf(e.ctx, e.subnet().Id, addr(hotkey), addr(name))
	require.NoError(e.t, err)
	return v
}

func (e *env) locked(name, hotkey string) uint64 {
	v, err := e.alpha.Locked(e.ctx, e.subnet().Id, addr(hotkey), addr(name))
	require.NoError(e.t, err)
	return v
}

func (e *env) pool() alphatypes.Pool {
	p, err := e.alpha.PoolByNetuid(e.ctx, 1)
	require.NoError(e.t, err)
	return p
}

func (e *env) rao(name string) uint64 {
	return e.bank.GetBalance(e.ctx, addr(name), types.Denom).Amount.Uint64()
}

// supply is all the rao that there are.
func (e *env) supply() uint64 { return e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64() }

// events are the texts of all events of a message, in ended blocks and in this one.
func (e *env) events(m proto.Message) (texts []string) {
	for _, ev := range append(append(sdk.Events{}, e.passed...), e.ctx.EventManager().Events()...) {
		if ev.Type != proto.MessageName(m) {
			continue
		}
		text := ""
		for _, a := range ev.Attributes {
			text += fmt.Sprintf("%s=%s ", a.Key, a.Value)
		}
		texts = append(texts, text)
	}
	return texts
}
