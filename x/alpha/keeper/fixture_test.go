package keeper_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/lodenet/lode/x/alpha/keeper"
	"github.com/lodenet/lode/x/alpha/types"
)

const (
	whole = 1_000_000_000 // rao or alpha units
	dear  = math.MaxUint64
	cheap = 1
	// source is the module account that stands for x/emission.
	source = "emission"
)

func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

func str(name string) string { return addr(name).String() }

// env is the module over a real store, with the SDK's own accounts and bank. A
// message that fails leaves nothing behind, as in a block; after each the
// invariants hold.
type env struct {
	t     require.TestingT
	ctx   sdk.Context
	k     keeper.Keeper
	bank  bankkeeper.BaseKeeper
	msgs  types.MsgServer
	query types.QueryServer
	cdc   *codec.ProtoCodec
}

// bareEnv has accounts and coins, but no genesis of x/alpha.
func bareEnv(t require.TestingT) *env {
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	e := &env{t: t, ctx: storeContext(t, keys).
		WithBlockHeight(10).WithBlockTime(time.Unix(1_700_000_000, 0)).WithExecMode(sdk.ExecModeFinalize)}
	ac := addresscodec.NewBech32Codec("lode")
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: signing.Options{AddressCodec: ac, ValidatorAddressCodec: addresscodec.NewBech32Codec("lodevaloper")},
	})
	require.NoError(t, err)
	authtypes.RegisterInterfaces(registry)
	types.RegisterInterfaces(registry)
	e.cdc = codec.NewProtoCodec(registry)
	governance := str("governance")
	accounts := authkeeper.NewAccountKeeper(e.cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount,
		map[string][]string{types.ModuleName: nil, source: {authtypes.Minter, authtypes.Burner}}, ac, "lode", governance)
	blocked := map[string]bool{authtypes.NewModuleAddress(types.ModuleName).String(): true}
	e.bank = bankkeeper.NewBaseKeeper(e.cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts, blocked, governance, log.NewNopLogger())
	require.NoError(t, accounts.Params.Set(e.ctx, authtypes.DefaultParams()))
	require.NoError(t, e.bank.SetParams(e.ctx, banktypes.DefaultParams()))

	e.k = keeper.NewKeeper(e.cdc, runtime.NewKVStoreService(keys[types.StoreKey]), ac, governance, accounts, e.bank)
	e.k.SetNetwork(network{e.bank})
	e.msgs, e.query = keeper.NewMsgServer(e.k), keeper.NewQuerier(e.k)
	e.mint(source, 1_000*whole)
	for _, name := range []string{"founder", "alice", "bob"} {
		e.mint(name, 100_000*whole)
	}
	return e
}

// network stands for x/emission: blocks of 3 s, and what is recycled is burned.
type network struct{ bank bankkeeper.BaseKeeper }

func (network) TargetBlockTime(context.Context) (time.Duration, error) { return 3 * time.Second, nil }

func (n network) Recycle(ctx context.Context, fromModule string, rao uint64, _ string) error {
	coins := sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(rao)))
	if err := n.bank.SendCoinsFromModuleToModule(ctx, fromModule, source, coins); err != nil {
		return err
	}
	return n.bank.BurnCoins(ctx, source, coins)
}

// newEnv has subnets 1 (price 1) and 2 (price 0.5), both started, and hotkeys
// "miner" (alice's) and "validator" (bob's). Subnet 3 has not started.
func newEnv(t require.TestingT) *env {
	e := bareEnv(t)
	require.NoError(t, e.k.InitGenesis(e.ctx, *types.DefaultGenesis()))
	e.pool(1, 1_000*whole, 1_000*whole, true)
	e.pool(2, 1_000*whole, 2_000*whole, true)
	e.pool(3, 1_000*whole, 1_000*whole, false)
	e.bind("alice", "miner")
	e.bind("bob", "validator")
	return e
}

// fundReserves gives the module's account what a genesis with pools needs.
func (e *env) fundReserves(amount uint64) {
	coins := sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(amount)))
	require.NoError(e.t, e.bank.SendCoinsFromAccountToModule(e.ctx, addr("founder"), types.ModuleName, coins))
}

func (e *env) mint(name string, amount uint64) {
	coins := sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(amount)))
	require.NoError(e.t, e.bank.MintCoins(e.ctx, source, coins))
	if name != source {
		require.NoError(e.t, e.bank.SendCoinsFromModuleToAccount(e.ctx, source, addr(name), coins))
	}
}

func (e *env) pool(netuid uint32, tao, alpha uint64, start bool) uint64 {
	id, err := e.k.CreatePool(e.ctx, netuid, addr("founder"), tao, alpha)
	require.NoError(e.t, err)
	if start {
		require.NoError(e.t, e.k.StartTrading(e.ctx, id))
	}
	return id
}

func (e *env) bind(coldkey, hotkey string) {
	_, err := send(e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: str(coldkey), Hotkey: str(hotkey)})
	require.NoError(e.t, err)
}

// stake buys and stakes in subnet 1 unless told otherwise; it must succeed.
func (e *env) stake(coldkey, hotkey string, netuid uint32, tao uint64) *types.MsgStakeResponse {
	r, err := send(e, e.msgs.Stake, &types.MsgStake{Coldkey: str(coldkey), Hotkey: str(hotkey), Netuid: netuid, Tao: tao, LimitPrice: dear})
	require.NoError(e.t, err)
	return r
}

// at is the state at a netuid.
func (e *env) at(netuid uint32) types.Pool {
	p, err := e.k.PoolByNetuid(e.ctx, netuid)
	require.NoError(e.t, err)
	return p
}

// staked is a stake's worth in alpha units.
func (e *env) staked(coldkey, hotkey string, netuid uint32) uint64 {
	v, err := e.k.StakeOf(e.ctx, e.at(netuid).SubnetId, addr(hotkey), addr(coldkey))
	require.NoError(e.t, err)
	return v
}

func (e *env) rao(name string) uint64 {
	return e.bank.GetBalance(e.ctx, addr(name), types.Denom).Amount.Uint64()
}

func (e *env) sourceRao() uint64 {
	return e.bank.GetBalance(e.ctx, authtypes.NewModuleAddress(source), types.Denom).Amount.Uint64()
}

// do runs f as a block would run a message: what fails is undone, and the
// invariants hold afterwards.
func (e *env) do(f func(ctx context.Context) error) error {
	ctx, write := e.ctx.CacheContext()
	err := f(ctx)
	if err == nil {
		write()
	}
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
	return err
}

// send is a message through the server.
func send[M, R any](e *env, call func(context.Context, M) (R, error), m M) (r R, err error) {
	err = e.do(func(ctx context.Context) (err error) { r, err = call(ctx, m); return err })
	return r, err
}

// refuse is a message that must fail with an error and words, and changes nothing.
func refuse[M, R any](t *testing.T, e *env, call func(context.Context, M) (R, error), m M, want error, words ...string) {
	t.Helper()
	before, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	_, err = send(e, call, m)
	require.ErrorIs(t, err, want)
	for _, w := range words {
		require.Contains(t, err.Error(), w)
	}
	after, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Equal(t, before, after)
}
