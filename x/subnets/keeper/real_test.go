package keeper_test

import (
	"context"
	"fmt"
	"math"
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
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/subnets/keeper"
	"github.com/lodenet/lode/x/subnets/types"
)

// mint is the module account that stands for x/emission.
const mint = "emission"

// real is the module over the real x/alpha, bank and accounts.
type real struct {
	*env
	alpha alphakeeper.Keeper
	coins bankkeeper.BaseKeeper
	stake alphatypes.MsgServer
}

// economy stands for x/emission: what is recycled is burned.
type economy struct {
	*fakeNetwork
	bank bankkeeper.BaseKeeper
}

func rao(amount uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewInt64Coin(alphatypes.Denom, int64(amount)))
}

func (e economy) Recycle(ctx context.Context, fromModule string, amount uint64, _ string) error {
	if err := e.bank.SendCoinsFromModuleToModule(ctx, fromModule, mint, rao(amount)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, mint, rao(amount))
}

func (e economy) RecycleOf(ctx context.Context, payer sdk.AccAddress, amount uint64, _ string) error {
	if err := e.bank.SendCoinsFromAccountToModule(ctx, payer, mint, rao(amount)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, mint, rao(amount))
}

// newReal has one slot and no immunity, and everybody of names has 10,000 TAO on
// the coldkey that its hotkey is bound to.
func newReal(t testing.TB, p types.Params, names ...string) *real {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, alphatypes.StoreKey, types.StoreKey)
	ctx := testutil.DefaultContextWithKeys(keys, nil, nil).WithChainID(chainID).
		WithBlockHeight(1).WithBlockTime(time.Unix(1_000_000, 0)).WithExecMode(sdk.ExecModeFinalize)
	ac := addresscodec.NewBech32Codec("lode")
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: signing.Options{AddressCodec: ac, ValidatorAddressCodec: addresscodec.NewBech32Codec("lodevaloper")},
	})
	require.NoError(t, err)
	authtypes.RegisterInterfaces(registry)
	cdc := codec.NewProtoCodec(registry)
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount,
		map[string][]string{alphatypes.ModuleName: nil, mint: {authtypes.Minter, authtypes.Burner}}, ac, "lode", governance)
	r := &real{env: &env{t: t, ctx: ctx, hooks: &recorder{left: map[uint64]int{}}, chain: fakeStaking{},
		net: &fakeNetwork{price: fixed.OneQ64(), due: map[uint64]int64{}, prices: map[uint64]fixed.Q64{}}}}
	r.coins = bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts, nil, governance, log.NewNopLogger())
	require.NoError(t, accounts.Params.Set(ctx, authtypes.DefaultParams()))
	require.NoError(t, r.coins.SetParams(ctx, banktypes.DefaultParams()))
	r.alpha = alphakeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[alphatypes.StoreKey]), ac, governance, accounts, r.coins)
	r.stake = alphakeeper.NewMsgServer(r.alpha)
	r.k = keeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[types.StoreKey]), ac, governance, r.alpha, r.coins, r.chain)
	network := economy{r.net, r.coins}
	r.alpha.SetNetwork(network)
	r.k.SetHooks(types.MultiHooks{r.hooks})
	r.k.SetNetwork(types.JoinNetwork(network, r.net))
	r.msgs, r.query = keeper.NewMsgServer(r.k), keeper.NewQuerier(r.k)
	require.NoError(t, r.alpha.InitGenesis(ctx, *alphatypes.DefaultGenesis()))
	require.NoError(t, r.k.InitGenesis(ctx, types.GenesisState{Params: p}))
	for _, name := range names {
		r.bindReal(name, name)
		require.NoError(t, r.coins.MintCoins(ctx, mint, rao(10_000*tao)))
		require.NoError(t, r.coins.SendCoinsFromModuleToAccount(ctx, mint, cold(name), rao(10_000*tao)))
	}
	return r
}

func cold(name string) sdk.AccAddress { return addr(name + "'s coldkey") }

func (r *real) bindReal(hotkey, of string) {
	r.t.Helper()
	_, err := r.stake.BindHotkey(r.ctx, &alphatypes.MsgBindHotkey{Coldkey: cold(of).String(), Hotkey: addr(hotkey).String()})
	require.NoError(r.t, err)
}

// open creates and starts a subnet.
func (r *real) open(owner string) types.Subnet {
	r.t.Helper()
	c, err := send(r.env, r.msgs.CreateSubnet, &types.MsgCreateSubnet{
		Coldkey: cold(owner).String(), Hotkey: addr(owner).String(), MaxLock: 5_000 * tao, Name: owner,
	})
	require.NoError(r.t, err)
	_, err = send(r.env, r.msgs.StartSubnet, &types.MsgStartSubnet{Coldkey: cold(owner).String(), Netuid: c.Netuid})
	require.NoError(r.t, err)
	return r.subnet(c.Netuid)
}

func (r *real) stakeOn(netuid uint32, hotkey, by string, amount uint64) {
	r.t.Helper()
	_, err := send(r.env, r.stake.Stake, &alphatypes.MsgStake{
		Coldkey: cold(by).String(), Hotkey: addr(hotkey).String(), Netuid: netuid, Tao: amount, LimitPrice: math.MaxUint64,
	})
	require.NoError(r.t, err)
}

func (r *real) alphaOn(subnetID uint64, hotkey string) uint64 {
	r.t.Helper()
	a, err := r.alpha.StakeOn(r.ctx, subnetID, addr(hotkey))
	require.NoError(r.t, err)
	return a
}

func (r *real) balance(name string) uint64 {
	return r.coins.GetBalance(r.ctx, cold(name), alphatypes.Denom).Amount.Uint64()
}

// block ends a block and begins the next, in the order of the application.
func (r *real) block() {
	r.t.Helper()
	require.NoError(r.t, r.alpha.EndBlocker(r.ctx))
	require.NoError(r.t, r.k.EndBlocker(r.ctx))
	r.holdsReal()
	r.ctx = r.ctx.WithBlockHeight(r.ctx.BlockHeight() + 1).WithBlockTime(r.ctx.BlockTime().Add(target)).WithEventManager(sdk.NewEventManager())
	require.NoError(r.t, r.k.BeginBlocker(r.ctx))
}

func (r *real) holdsReal() {
	r.t.Helper()
	require.NoError(r.t, r.k.CheckInvariants(r.ctx))
	require.NoError(r.t, r.alpha.CheckInvariants(r.ctx))
}

func TestSection3ARemovalPaysHoldersAndLeavesNothingOfTheSubnet(t *testing.T) {
	p := local()
	p.MaxSubnets, p.NetworkImmunity, p.SweepKeysPerBlock = 1, 0, 10
	r := newReal(t, p, "ann", "bob", "cid")
	old := r.open("ann")
	r.stakeOn(1, "ann", "bob", 300*tao)
	r.stakeOn(1, "ann", "cid", 100*tao)
	require.NotZero(t, r.alphaOn(old.Id, "ann"))
	bob, cid := r.balance("bob"), r.balance("cid")
	supply := r.coins.GetSupply(r.ctx, alphatypes.Denom).Amount.Uint64()

	s := r.open("bob") // takes the only slot, for 2,000 TAO
	require.EqualValues(t, 1, s.Netuid)
	require.Zero(t, r.alphaOn(s.Id, "ann"), "the successor has no stakes")
	r.stakeOn(1, "bob", "cid", tao)
	for range 12 {
		r.block()
	}
	require.Greater(t, r.balance("bob"), bob-2_000*tao)
	require.Greater(t, r.balance("cid"), cid-tao)
	require.Less(t, r.coins.GetSupply(r.ctx, alphatypes.Denom).Amount.Uint64(), supply, "the pool's own part is recycled")
	g, err := r.k.ExportGenesis(r.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Removals)
	require.Len(t, g.Neurons, 1)
	a, err := r.alpha.ExportGenesis(r.ctx)
	require.NoError(t, err)
	require.Empty(t, a.Retired)
	for _, pool := range a.StakePools {
		require.Equal(t, s.Id, pool.SubnetId)
	}
}

func TestSection4ASwapCarriesTheStakeOfAllNominators(t *testing.T) {
	r := newReal(t, local(), "ann", "bob", "cid", "dan")
	r.bindReal("ann 2", "ann")
	one := r.open("ann")
	two := r.open("bob")
	for i, by := range []string{"bob", "cid", "dan"} {
		r.stakeOn(1, "ann", by, uint64(i+1)*tao)
		r.stakeOn(2, "ann", by, tao)
	}
	before := []uint64{r.alphaOn(one.Id, "ann"), r.alphaOn(two.Id, "ann")}
	paid := r.balance("ann")
	swap := &types.MsgSwapHotkey{Coldkey: cold("ann").String(), Hotkey: addr("ann").String(), NewHotkey: addr("ann 2").String()}
	_, err := send(r.env, r.msgs.SwapHotkey, swap)
	require.NoError(t, err)
	require.Equal(t, before, []uint64{r.alphaOn(one.Id, "ann 2"), r.alphaOn(two.Id, "ann 2")})
	require.Zero(t, r.alphaOn(one.Id, "ann"))
	require.EqualValues(t, tao/10, paid-r.balance("ann"))
	require.Equal(t, addr("ann 2").String(), r.subnet(1).OwnerHotkey)
	r.block()

	_, err = send(r.env, r.msgs.SwapHotkey, swap)
	require.ErrorIs(t, err, types.ErrRegistered, "again")
	// A target on which another has staked would carry what is not the coldkey's.
	r.bindReal("ann 3", "ann")
	r.stakeOn(2, "ann 3", "cid", tao)
	swap.Hotkey, swap.NewHotkey = addr("ann 2").String(), addr("ann 3").String()
	_, err = send(r.env, r.msgs.SwapHotkey, swap)
	require.ErrorIs(t, err, alphatypes.ErrUsed)
	require.Equal(t, addr("ann 2").String(), r.subnet(1).OwnerHotkey)
	r.holdsReal()
}

// What a swap costs must not grow with nominators, nor a removal with holders.
func TestSection3And4GasDoesNotGrowWithHolders(t *testing.T) {
	cost := func(holders int) (swap, removal uint64) {
		names := []string{"ann", "bob"}
		for i := range holders {
			names = append(names, fmt.Sprint("holder ", i))
		}
		p := local()
		p.MaxSubnets, p.NetworkImmunity = 1, 0
		r := newReal(t, p, names...)
		r.bindReal("ann 2", "ann")
		r.open("ann")
		for _, by := range names[2:] {
			r.stakeOn(1, "ann", by, tao)
		}
		gas := func(f func() error) uint64 {
			r.ctx = r.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
			require.NoError(t, f())
			return r.ctx.GasMeter().GasConsumed()
		}
		swap = gas(func() error {
			_, err := send(r.env, r.msgs.SwapHotkey, &types.MsgSwapHotkey{
				Coldkey: cold("ann").String(), Hotkey: addr("ann").String(), NewHotkey: addr("ann 2").String(),
			})
			return err
		})
		removal = gas(func() error {
			_, err := send(r.env, r.msgs.CreateSubnet, &types.MsgCreateSubnet{
				Coldkey: cold("bob").String(), Hotkey: addr("bob").String(), MaxLock: 5_000 * tao, Name: "bob",
			})
			return err
		})
		return swap, removal
	}
	swap2, removal2 := cost(2)
	swap60, removal60 := cost(60)
	require.InDelta(t, swap2, swap60, 300, "but for the digits of the numbers")
	require.InDelta(t, removal2, removal60, 300)
}
