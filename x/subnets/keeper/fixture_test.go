package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/keeper"
	"github.com/lodenet/lode/x/subnets/types"
)

const tao = 1_000_000_000 // rao

// chainID is what seals are of.
const chainID = "lode-test-1"

// target is the block time of the tests.
const target = time.Second

// governance is the authority of the tests' keepers.
var governance = addr("governance").String()

// addr is an account's address by a name.
func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

// env is the module over a real store, with fakes of its neighbours. A message
// that fails leaves nothing behind, as in a block.
type env struct {
	t     testing.TB
	ctx   sdk.Context
	k     keeper.Keeper
	msgs  types.MsgServer
	query types.QueryServer
	alpha *fakeAlpha
	net   *fakeNetwork
	hooks *recorder
	bank  fakeBank
	chain fakeStaking
}

func newEnv(t testing.TB, p types.Params) *env {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContextWithDB(t, key, storetypes.NewTransientStoreKey("transient")).Ctx
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	e := &env{
		t:     t,
		alpha: &fakeAlpha{coldkeys: map[string]sdk.AccAddress{}, started: map[uint64]bool{}, retired: map[uint64]bool{}, left: map[uint64]int{}, unpaid: map[uint64]int{}},
		net:   &fakeNetwork{price: fixed.OneQ64(), due: map[uint64]int64{}, prices: map[uint64]fixed.Q64{}},
		hooks: &recorder{left: map[uint64]int{}}, bank: fakeBank{}, chain: fakeStaking{},
		ctx: ctx.WithChainID(chainID).WithBlockHeight(1).WithBlockTime(time.Unix(1_000_000, 0)).WithExecMode(sdk.ExecModeFinalize),
	}
	e.k = keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(key),
		addresscodec.NewBech32Codec("lode"), governance, e.alpha, e.bank, e.chain)
	e.k.SetHooks(types.MultiHooks{e.hooks})
	e.k.SetNetwork(types.JoinNetwork(e.net, e.net))
	e.msgs, e.query = keeper.NewMsgServer(e.k), keeper.NewQuerier(e.k)
	require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{Params: p}))
	return e
}

// local is the local profile with the limits out of the way.
func local() types.Params { return types.LocalParams() }

// pass lets n blocks pass, a second each.
func (e *env) pass(n int64) {
	for range n {
		require.NoError(e.t, e.k.EndBlocker(e.ctx))
		e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1).WithBlockTime(e.ctx.BlockTime().Add(target)).
			WithEventManager(sdk.NewEventManager())
		require.NoError(e.t, e.k.BeginBlocker(e.ctx))
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

// setEmissions says what all neurons of a subnet got.
func (e *env) setEmissions(subnetID uint64, byUID []uint64) error {
	neurons, err := e.k.Neurons(e.ctx, subnetID)
	return errors.Join(err, e.k.SetEmissions(e.ctx, neurons, byUID))
}

// neuron names a hotkey and its coldkey and binds them.
func (e *env) bind(name string) (hotkey, coldkey string) {
	hot, cold := addr(name), addr(name+"'s coldkey")
	e.alpha.coldkeys[string(hot)] = cold
	return hot.String(), cold.String()
}

func (e *env) tryCreate(name string, change ...func(*types.MsgCreateSubnet)) (*types.MsgCreateSubnetResponse, error) {
	hot, cold := e.bind(name)
	m := &types.MsgCreateSubnet{Coldkey: cold, Hotkey: hot, MaxLock: 1_000_000 * tao, Name: name}
	for _, c := range change {
		c(m)
	}
	return send(e, e.msgs.CreateSubnet, m)
}

// create opens a subnet whose owner is called name.
func (e *env) create(name string) types.Subnet {
	e.t.Helper()
	r, err := e.tryCreate(name)
	require.NoError(e.t, err)
	return e.subnet(r.Netuid)
}

// started opens and starts a subnet.
func (e *env) started(name string) types.Subnet {
	e.t.Helper()
	s := e.create(name)
	_, cold := e.bind(name)
	_, err := send(e, e.msgs.StartSubnet, &types.MsgStartSubnet{Coldkey: cold, Netuid: s.Netuid})
	require.NoError(e.t, err)
	return e.subnet(s.Netuid)
}

func (e *env) subnet(netuid uint32) types.Subnet {
	e.t.Helper()
	s, err := e.k.SubnetByNetuid(e.ctx, netuid)
	require.NoError(e.t, err)
	return s
}

func (e *env) tryRegister(netuid uint32, name string) (*types.MsgRegisterResponse, error) {
	hot, cold := e.bind(name)
	return send(e, e.msgs.Register, &types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: netuid, MaxBurn: 1_000 * tao})
}

func (e *env) register(netuid uint32, name string) uint32 {
	e.t.Helper()
	r, err := e.tryRegister(netuid, name)
	require.NoError(e.t, err)
	return r.Uid
}

// fill registers hotkeys until the subnet has n neurons.
func (e *env) fill(netuid uint32, n int) {
	e.t.Helper()
	for i := int(e.subnet(netuid).Neurons); i < n; i++ {
		require.EqualValues(e.t, i, e.register(netuid, fmt.Sprint("miner ", i)))
	}
}

// set sets a hyperparameter as the owner of that name.
func (e *env) set(owner string, netuid uint32, name string, value uint64) error {
	_, cold := e.bind(owner)
	return e.setAs(cold, netuid, name, value)
}

func (e *env) setAs(signer string, netuid uint32, name string, value uint64) error {
	_, err := send(e, e.msgs.SetHyperparameter, &types.MsgSetHyperparameter{Signer: signer, Netuid: netuid, Name: name, Value: value})
	return err
}

// publish, seal and reveal are a neuron's by its hotkey's name.
func (e *env) publish(name string, netuid uint32, data string) error {
	_, err := send(e, e.msgs.Publish, &types.MsgPublish{Hotkey: addr(name).String(), Netuid: netuid, Data: []byte(data)})
	return err
}

func (e *env) seal(name string, netuid uint32, data string) error {
	hash := types.PublishHash(chainID, uint16(netuid), addr(name), []byte(data), salt)
	return e.sealHash(name, netuid, hash[:])
}

func (e *env) sealHash(name string, netuid uint32, hash []byte) error {
	_, err := send(e, e.msgs.PublishSealed, &types.MsgPublishSealed{Hotkey: addr(name).String(), Netuid: netuid, Hash: hash})
	return err
}

func (e *env) reveal(name string, netuid uint32, data string, salt []byte) error {
	_, err := send(e, e.msgs.RevealPublished, &types.MsgRevealPublished{Hotkey: addr(name).String(), Netuid: netuid, Data: []byte(data), Salt: salt})
	return err
}

func (e *env) published(name string, netuid uint32) types.Published {
	e.t.Helper()
	r, err := e.query.Published(e.ctx, &types.QueryPublishedRequest{Netuid: netuid, Hotkey: addr(name).String()})
	require.NoError(e.t, err)
	return r.Published
}

// salt is one for all seals of the tests.
var salt = bytes.Repeat([]byte{7}, types.SaltSize)

// info is what a query tells of a hyperparameter.
func (e *env) info(netuid uint32, name string) types.HyperparameterInfo {
	e.t.Helper()
	r, err := e.query.Hyperparameters(e.ctx, &types.QueryHyperparametersRequest{Netuid: netuid})
	require.NoError(e.t, err)
	i := slices.IndexFunc(r.Hyperparameters, func(h types.HyperparameterInfo) bool { return h.Name == name })
	require.GreaterOrEqual(e.t, i, 0, name)
	return r.Hyperparameters[i]
}

func (e *env) burn(s types.Subnet) uint64 {
	e.t.Helper()
	b, err := e.k.BurnCost(e.ctx, s.Id)
	require.NoError(e.t, err)
	return b
}

func (e *env) holds() {
	e.t.Helper()
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
}

// uids are those of a pruning order.
func uids(order []types.PruningPlace) []uint32 {
	out := make([]uint32, len(order))
	for i, p := range order {
		out[i] = p.Uid
	}
	return out
}

// withRule is params with a rule changed.
func withRule(p types.Params, name string, change func(*types.HyperparameterRule)) types.Params {
	p.Hyperparameters = slices.Clone(p.Hyperparameters)
	for i := range p.Hyperparameters {
		if p.Hyperparameters[i].Name == name {
			change(&p.Hyperparameters[i])
		}
	}
	return p
}
