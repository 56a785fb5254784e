package keeper_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/x/weights/types"
)

const (
	chainID  = "lode-test-1"
	firstID  = 701 // the permanent id of netuid 1, which no netuid equals
	cold     = "everybody's coldkey"
	tempo    = 10
	firstDue = 12 // start in block 1, tempo 10, netuid 1
)

var governance = addr("governance").String()

// addr is an account's address by a name.
func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

// hotkey is a neuron's key, by uid.
func hotkey(uid uint32) string { return addr(fmt.Sprint("hotkey ", uid)).String() }

// env is the module above the real x/subnets, over real stores, with fakes of
// alpha and staking. A message that fails leaves nothing behind, as in a block.
type env struct {
	t       testing.TB
	ctx     sdk.Context
	k       keeper.Keeper
	msgs    types.MsgServer
	query   types.QueryServer
	subnets *breakable
	alpha   *fakeAlpha
	staking fakeStaking

	failing map[uint64]bool // subnets whose epochs fail
	ran     []string        // epochs, "netuid@block"
	results map[uint64]keeper.Result
}

func newEnv(t testing.TB) *env {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(types.StoreKey, subnetstypes.StoreKey)
	ctx := testutil.DefaultContextWithKeys(keys, nil, nil).WithChainID(chainID).
		WithBlockHeight(1).WithBlockTime(time.Unix(1_000_000, 0)).WithExecMode(sdk.ExecModeFinalize)
	registry := codectypes.NewInterfaceRegistry()
	cdc, ac := codec.NewProtoCodec(registry), addresscodec.NewBech32Codec("lode")
	e := &env{
		t: t, ctx: ctx, alpha: &fakeAlpha{stake: map[string]uint64{}}, staking: fakeStaking{},
		failing: map[uint64]bool{}, results: map[uint64]keeper.Result{},
	}
	subnets := subnetskeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[subnetstypes.StoreKey]), ac, governance, e.alpha, fakeBank{}, e.staking)
	e.subnets = &breakable{Keeper: subnets}
	e.k = keeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[types.StoreKey]), ac, governance, e.subnets, e.alpha, e.staking)
	subnets.SetHooks(e.k.Hooks())
	subnets.SetNetwork(subnetstypes.JoinNetwork(fakeEconomy{}, e.k))
	e.msgs, e.query = keeper.NewMsgServer(e.k), keeper.NewQuerier(e.k)
	require.NoError(t, subnets.InitGenesis(ctx, subnetstypes.GenesisState{Params: subnetstypes.LocalParams()}))
	params := types.LocalParams()
	params.MinLendingWeight = 0 // tests count in single units
	require.NoError(t, e.k.InitGenesis(ctx, types.GenesisState{Params: params}))
	return e
}

// network opens and starts subnet 1 in block 1 with n neurons. change may set
// hyperparameters before its start.
func network(t testing.TB, n uint32, change ...func(*subnetstypes.Hyperparameters)) *env {
	t.Helper()
	e := newEnv(t)
	e.add(1, n, change...)
	return e
}

// add opens and starts a subnet of n neurons in this block; uid 0 is the owner's.
func (e *env) add(netuid, n uint32, change ...func(*subnetstypes.Hyperparameters)) subnetstypes.Subnet {
	e.t.Helper()
	h, err := subnetstypes.LocalParams().Defaults()
	require.NoError(e.t, err)
	h.CommitReveal = false
	for _, c := range change {
		c(&h)
	}
	s := subnetstypes.Subnet{
		Id: firstID - 1 + uint64(netuid), Netuid: netuid, OwnerHotkey: hotkey(0), Name: "n", Parameters: "{}",
		CreatedHeight: 1, StartedHeight: e.ctx.BlockHeight(), Neurons: n, Hyperparameters: h,
	}
	g, err := e.subnets.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	g.Subnets = append(g.Subnets, s)
	for uid := range n {
		g.Neurons = append(g.Neurons, subnetstypes.Neuron{SubnetId: s.Id, Uid: uid, Hotkey: hotkey(uid), RegisteredHeight: 1})
	}
	g.BurnPrices = append(g.BurnPrices, subnetstypes.BurnPrice{SubnetId: s.Id, Burn: h.MinBurn})
	require.NoError(e.t, g.Validate())
	require.NoError(e.t, e.subnets.InitGenesis(e.ctx, *g))
	require.NoError(e.t, e.k.Hooks().AfterSubnetStarted(e.ctx, s))
	return s
}

// set sets a hyperparameter of subnet 1 by governance.
func (e *env) set(name string, value uint64) {
	e.t.Helper()
	_, err := send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).SetHyperparameter,
		&subnetstypes.MsgSetHyperparameter{Signer: governance, Netuid: 1, Name: name, Value: value})
	require.NoError(e.t, err)
}

// stake puts alpha, in units, on neurons' hotkeys, by uid.
func (e *env) stake(units ...uint64) {
	for uid, u := range units {
		e.alpha.stake[hotkey(uint32(uid))] = u
	}
}

// roots are the root stakes of the bonded chain validators.
func (e *env) roots() keeper.RootStakes {
	e.t.Helper()
	roots, err := e.k.RootStakes(e.ctx)
	require.NoError(e.t, err)
	return roots
}

// end ends the block: due epochs run, as x/emission runs them.
func (e *env) end() {
	e.t.Helper()
	due, err := e.k.Due(e.ctx)
	require.NoError(e.t, err)
	for _, id := range due {
		ctx, write := e.ctx.CacheContext()
		r, err := e.k.RunEpoch(ctx, id, e.roots())
		if err == nil && e.failing[id] {
			err = fmt.Errorf("the payout of subnet id %d fails", id)
		}
		if err != nil {
			require.NoError(e.t, e.k.FailEpoch(e.ctx, id, err.Error()))
			continue
		}
		write()
		e.results[id] = r
		e.ran = append(e.ran, fmt.Sprintf("%d@%d", r.Subnet.Netuid, e.ctx.BlockHeight()))
	}
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
}

// to goes on to the transactions of a block.
func (e *env) to(height int64) {
	e.t.Helper()
	for e.ctx.BlockHeight() < height {
		e.end()
		e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1).WithBlockTime(e.ctx.BlockTime().Add(time.Second)).
			WithEventManager(sdk.NewEventManager())
	}
}

// send runs a message; what a failing one wrote is dropped.
func send[M, R any](e *env, handle func(context.Context, M) (R, error), m M) (R, error) {
	ctx, write := e.ctx.CacheContext()
	r, err := handle(ctx, m)
	if err == nil {
		write()
	}
	return r, err
}

// inLane runs what the free lane has let in and consumed the limit for.
func (e *env) inLane(run func() error) error {
	before := e.ctx
	e.ctx = keeper.InLane(e.ctx)
	err := run()
	e.ctx = before
	return err
}

func (e *env) setWeights(uid uint32, uids, values []uint32) error {
	_, err := send(e, e.msgs.SetWeights, &types.MsgSetWeights{Hotkey: hotkey(uid), Netuid: 1, Uids: uids, Values: values})
	return err
}

// row is a row that a validator commits to and reveals.
type row struct {
	uid     uint32
	uids    []uint32
	values  []uint32
	version uint64
	salt    string
}

func (r row) saltBytes() []byte {
	s := sha256.Sum256([]byte(r.salt))
	return s[:]
}

func (r row) hash(chain string, netuid uint16) []byte {
	h := types.WeightsHash(chain, netuid, addr(fmt.Sprint("hotkey ", r.uid)), r.version, narrow(r.uids), narrow(r.values), r.saltBytes())
	return h[:]
}

func narrow(in []uint32) []uint16 {
	out := make([]uint16, len(in))
	for i, v := range in {
		out[i] = uint16(v)
	}
	return out
}

func (e *env) commit(r row) (*types.MsgCommitWeightsResponse, error) {
	return send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: hotkey(r.uid), Netuid: 1, Hash: r.hash(chainID, 1)})
}

func (r row) reveal() *types.MsgRevealWeights {
	return &types.MsgRevealWeights{Hotkey: hotkey(r.uid), Netuid: 1, Uids: r.uids, Values: r.values, Salt: r.saltBytes(), Version: r.version}
}

func (e *env) reveal(r row) error {
	_, err := send(e, e.msgs.RevealWeights, r.reveal())
	return err
}

func (e *env) row(uid uint32) (types.Row, bool) {
	e.t.Helper()
	r, ok, err := e.k.Row(e.ctx, firstID, uid)
	require.NoError(e.t, err)
	return r, ok
}

func (e *env) state() types.EpochState {
	e.t.Helper()
	s, ok, err := e.k.EpochState(e.ctx, firstID)
	require.NoError(e.t, err)
	require.True(e.t, ok)
	return s
}

// events are the texts of all events of a type in this block.
func (e *env) events(kind string) (texts []string) {
	for _, ev := range e.ctx.EventManager().Events() {
		if ev.Type != "lode.weights.v1."+kind {
			continue
		}
		text := ""
		for _, a := range ev.Attributes {
			text += a.Key + "=" + a.Value + " "
		}
		texts = append(texts, text)
	}
	return texts
}

// breakable is x/subnets' keeper, and can be made to fail for one subnet.
type breakable struct {
	subnetskeeper.Keeper
	broken uint64
}

func (b *breakable) Subnet(ctx context.Context, id uint64) (subnetstypes.Subnet, error) {
	if id == b.broken {
		return subnetstypes.Subnet{}, fmt.Errorf("the record of subnet id %d is damaged", id)
	}
	return b.Keeper.Subnet(ctx, id)
}

// fakeAlpha knows stakes and children; everybody's hotkey is bound to one coldkey.
type fakeAlpha struct {
	stake    map[string]uint64
	children []alphatypes.Children // of every subnet
}

// lend replaces what a parent lends; pairs are a child's name and millionths.
func (a *fakeAlpha) lend(parent string, pairs ...any) {
	c := alphatypes.Children{Parent: parent}
	for i := 0; i < len(pairs); i += 2 {
		c.Children = append(c.Children, alphatypes.Child{Hotkey: pairs[i].(string), Proportion: uint32(pairs[i+1].(int))})
	}
	a.children = slices.DeleteFunc(a.children, func(old alphatypes.Children) bool { return old.Parent == parent })
	a.children = append(a.children, c)
}

func (a *fakeAlpha) ChildrenIn(context.Context, uint64) ([]alphatypes.Children, error) {
	return a.children, nil
}

func (a *fakeAlpha) EndLending(_ context.Context, _ uint64, parent sdk.AccAddress) error {
	a.children = slices.DeleteFunc(a.children, func(c alphatypes.Children) bool { return c.Parent == parent.String() })
	return nil
}

func (a *fakeAlpha) Staked(_ context.Context, _ uint64, hotkey sdk.AccAddress) (uint64, alphatypes.Binding, error) {
	return a.stake[hotkey.String()], alphatypes.Binding{}, nil
}

func (*fakeAlpha) CreatePool(context.Context, uint32, sdk.AccAddress, uint64, uint64) (uint64, error) {
	return 0, fmt.Errorf("no subnet is created here")
}
func (*fakeAlpha) StartTrading(context.Context, uint64) error { return nil }
func (*fakeAlpha) Coldkey(context.Context, sdk.AccAddress) (sdk.AccAddress, error) {
	return addr(cold), nil
}
func (*fakeAlpha) RetirePool(context.Context, uint64) error { return nil }
func (*fakeAlpha) Sweep(context.Context, uint64, int) (int, bool, error) {
	return 0, true, nil
}
func (*fakeAlpha) ExchangeHotkeys(context.Context, sdk.AccAddress, sdk.AccAddress) error { return nil }
func (*fakeAlpha) BuyAndBurn(context.Context, uint64, sdk.AccAddress, uint64, string) (uint64, error) {
	return 0, nil
}

// fakeBank knows no poor.
type fakeBank struct{}

func (fakeBank) SpendableCoin(_ context.Context, _ sdk.AccAddress, denom string) sdk.Coin {
	return sdk.NewInt64Coin(denom, 1_000_000_000_000)
}

// fakeStaking are chain validators by operator.
type fakeStaking map[string]stakingtypes.Validator

func (s fakeStaking) add(operator string, tokens int64, status stakingtypes.BondStatus) {
	at, err := sdk.AccAddressFromBech32(operator)
	if err != nil {
		panic(err)
	}
	s[operator] = stakingtypes.Validator{OperatorAddress: sdk.ValAddress(at).String(), Tokens: sdkmath.NewInt(tokens), Status: status}
}

func (s fakeStaking) GetValidator(_ context.Context, at sdk.ValAddress) (stakingtypes.Validator, error) {
	if v, ok := s[sdk.AccAddress(at).String()]; ok {
		return v, nil
	}
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

func (s fakeStaking) GetBondedValidatorsByPower(context.Context) (out []stakingtypes.Validator, err error) {
	for _, v := range s {
		if v.IsBonded() {
			out = append(out, v)
		}
	}
	return out, nil
}

type fakeEconomy struct{}

func (fakeEconomy) MedianMovingPrice(context.Context) (fixed.Q64, error) { return fixed.OneQ64(), nil }
func (fakeEconomy) TargetBlockTime(context.Context) (time.Duration, error) {
	return time.Second, nil
}
func (fakeEconomy) MovingPrice(context.Context, uint64) (fixed.Q64, error) { return fixed.Q64{}, nil }
func (fakeEconomy) RecycleOf(context.Context, sdk.AccAddress, uint64, string) error {
	return nil
}
