package keeper_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	txsigning "github.com/cosmos/cosmos-sdk/x/tx/signing"

	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/voucher"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/market/keeper"
	"github.com/lodenet/lode/x/market/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const (
	chain  = "lode-test-1"
	whole  = 1_000_000_000 // rao or alpha units
	dear   = 1 << 62
	source = "emission" // the module account that stands for x/emission
	delay  = 60         // close delay of the tests, seconds
)

func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

func str(name string) string { return addr(name).String() }

// hot is the name of a coldkey's first hotkey.
func hot(name string) string { return name + "-hot" }

// session is a payer's session key.
func session(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("session " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// env is the module over real stores, with the SDK's accounts, bank and authz and the
// real x/alpha and x/subnets; x/emission is a stand-in. A message that fails leaves
// nothing behind, as in a block; after each the invariants hold.
type env struct {
	t       require.TestingT
	ctx     sdk.Context
	k       keeper.Keeper
	msgs    types.MsgServer
	query   types.QueryServer
	bank    bankkeeper.BaseKeeper
	authz   authzkeeper.Keeper
	alpha   alphakeeper.Keeper
	subnets subnetskeeper.Keeper
	economy *economy
	faulty  *faulty
	router  *baseapp.MsgServiceRouter

	alphaMsgs   alphatypes.MsgServer
	subnetsMsgs subnetstypes.MsgServer
	passed      sdk.Events // of blocks that ended
	unchecked   bool       // blocks check no invariants: the test does
}

// bare is the modules without their genesis.
func bare(t require.TestingT) *env {
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, authzkeeper.StoreKey, alphatypes.StoreKey, subnetstypes.StoreKey, types.StoreKey)
	e := &env{t: t, ctx: testutil.DefaultContextWithKeys(keys, nil, nil).WithChainID(chain).
		WithBlockHeight(1).WithBlockTime(time.Unix(1_700_000_000, 0)).WithExecMode(sdk.ExecModeFinalize)}
	e.ctx = e.ctx.WithBlockHeader(headerAt(e.ctx))
	ac, governance := addresscodec.NewBech32Codec("lode"), str("governance")
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver, SigningOptions: txsigning.Options{AddressCodec: ac, ValidatorAddressCodec: ac},
	})
	require.NoError(t, err)
	authtypes.RegisterInterfaces(registry)
	authz.RegisterInterfaces(registry)
	banktypes.RegisterInterfaces(registry)
	types.RegisterInterfaces(registry)
	cdc := codec.NewProtoCodec(registry)
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount,
		map[string][]string{alphatypes.ModuleName: nil, types.ModuleName: nil, source: {authtypes.Minter, authtypes.Burner}},
		ac, "lode", governance)
	blocked := map[string]bool{governance: true}
	e.bank = bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts, blocked, governance, log.NewNopLogger())
	require.NoError(t, accounts.Params.Set(e.ctx, authtypes.DefaultParams()))
	require.NoError(t, e.bank.SetParams(e.ctx, banktypes.DefaultParams()))
	e.router = baseapp.NewMsgServiceRouter()
	e.router.SetInterfaceRegistry(registry)
	e.authz = authzkeeper.NewKeeper(runtime.NewKVStoreService(keys[authzkeeper.StoreKey]), cdc, e.router, accounts)

	e.alpha = alphakeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[alphatypes.StoreKey]), ac, governance, accounts, e.bank)
	e.subnets = subnetskeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[subnetstypes.StoreKey]), ac, governance, e.alpha, e.bank, noValidators{})
	e.economy = &economy{bank: e.bank, revenue: map[uint64]uint64{}}
	e.faulty = &faulty{Keeper: e.alpha}
	e.k = keeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[types.StoreKey]), ac, governance, accounts, e.bank, e.faulty, e.subnets, e.economy, e.authz)
	e.subnets.SetHooks(subnetstypes.MultiHooks{e.k.Hooks()})
	e.subnets.SetNetwork(subnetstypes.JoinNetwork(e.economy, e.economy))
	e.alpha.SetNetwork(e.economy)
	e.alpha.SetHooks(e.k.Hooks())
	e.msgs, e.query = keeper.NewMsgServer(e.k), keeper.NewQuerier(e.k)
	types.RegisterMsgServer(e.router, e.msgs)
	e.alphaMsgs, e.subnetsMsgs = alphakeeper.NewMsgServer(e.alpha), subnetskeeper.NewMsgServer(e.subnets)
	return e
}

// cast are a subnet's owner and two providers, uids 0 to 2, and two who pay.
var cast = []string{"owner", "provider", "rival", "payer", "other"}

// newEnv has subnet 1, started, with a pool of some thousand TAO, and service 1 of the
// provider's.
func newEnv(t require.TestingT, change ...func(*types.Params)) *env {
	e := bare(t)
	p := subnetstypes.LocalParams()
	for i := range p.Hyperparameters {
		if r := &p.Hyperparameters[i]; r.Name == "max_uids" {
			r.Default, r.Min = 3, 3
		}
	}
	p.MinNonImmune = 0
	require.NoError(t, p.Validate())
	market := types.DefaultGenesis()
	market.Params = types.LocalParams()
	for _, c := range change {
		c(&market.Params)
	}
	require.NoError(t, market.Validate())
	require.NoError(t, e.alpha.InitGenesis(e.ctx, *alphatypes.DefaultGenesis()))
	require.NoError(t, e.subnets.InitGenesis(e.ctx, subnetstypes.GenesisState{Params: p}))
	require.NoError(t, e.k.InitGenesis(e.ctx, *market))
	e.people(cast...)
	e.create("owner")
	e.register("provider")
	e.register("rival")
	e.list("provider", "chat")
	return e
}

// people get coins and a hotkey.
func (e *env) people(names ...string) {
	for _, name := range names {
		require.NoError(e.t, e.bank.MintCoins(e.ctx, source, coins(20_000*whole)))
		require.NoError(e.t, e.bank.SendCoinsFromModuleToAccount(e.ctx, source, addr(name), coins(20_000*whole)))
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

func listMsg(provider, name string) *types.MsgListService {
	return &types.MsgListService{
		Signer: str(hot(provider)), Hotkey: str(hot(provider)), Netuid: 1, Name: name, Description: "answers", Endpoint: "https://example.org/v1",
		Unit: types.UNIT_TOKEN, Price: 400_000, Per: 1_000, Terms: "none",
	}
}

func (e *env) list(provider, name string) uint64 {
	r, err := send(e, e.msgs.ListService, listMsg(provider, name))
	require.NoError(e.t, err)
	return r.ServiceId
}

// offer offers a plan of service 1: 10 TAO for 1,000 units in 100 seconds.
func (e *env) offer() uint64 {
	r, err := send(e, e.msgs.OfferPlan, &types.MsgOfferPlan{Signer: str("provider"), ServiceId: 1, Name: "basic", Price: 10 * whole, Period: 100, Quota: 1_000})
	require.NoError(e.t, err)
	return r.PlanId
}

func openMsg(payer string, amount uint64) *types.MsgDeposit {
	return &types.MsgDeposit{Payer: str(payer), Amount: amount, ServiceId: 1, SessionKey: public(session(payer)), CloseDelay: delay}
}

func (e *env) open(payer string, amount uint64) []byte {
	r, err := send(e, e.msgs.Deposit, openMsg(payer, amount))
	require.NoError(e.t, err)
	return r.ChannelId
}

// subscribe opens a channel that pays a plan.
func (e *env) subscribe(payer string, amount, plan uint64) []byte {
	m := openMsg(payer, amount)
	m.PlanId, m.MaxPrice = plan, 10*whole
	r, err := send(e, e.msgs.Deposit, m)
	require.NoError(e.t, err)
	return r.ChannelId
}

func (e *env) topUp(payer string, id []byte, amount uint64) {
	_, err := send(e, e.msgs.Deposit, &types.MsgDeposit{Payer: str(payer), Amount: amount, ChannelId: id})
	require.NoError(e.t, err)
}

// signed is an item whose voucher says what is claimed.
func signed(payer string, id []byte, claim uint64) types.RedeemItem {
	return signedUpTo(payer, id, claim, claim)
}

func signedUpTo(payer string, id []byte, cumulative, claim uint64) types.RedeemItem {
	v := voucher.Voucher{ChannelID: id, Cumulative: cumulative}
	return types.RedeemItem{ChannelId: id, Cumulative: cumulative, Claim: claim, Signature: v.Sign(chain, session(payer))}
}

func (e *env) redeem(signer string, items ...types.RedeemItem) *types.MsgRedeemResponse {
	r, err := send(e, e.msgs.Redeem, &types.MsgRedeem{Signer: str(signer), Items: items})
	require.NoError(e.t, err)
	require.Len(e.t, r.Results, len(items))
	return r
}

// status is how a single item goes.
func (e *env) status(signer string, item types.RedeemItem) types.RedeemStatus {
	return e.redeem(signer, item).Results[0].Status
}

func (e *env) close(signer string, id []byte) *types.MsgCloseResponse {
	r, err := send(e, e.msgs.Close, &types.MsgClose{Signer: str(signer), ChannelId: id})
	require.NoError(e.t, err)
	return r
}

func (e *env) cancel(signer string, id []byte, now bool) int64 {
	r, err := send(e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str(signer), ChannelId: id, Now: now})
	require.NoError(e.t, err)
	return r.Ends
}

// channel is an open one; ok is false where it is closed.
func (e *env) channel(id []byte) (c types.Channel, ok bool) {
	r, err := e.query.Channel(e.ctx, &types.QueryChannelRequest{ChannelId: fmt.Sprintf("%x", id)})
	if err != nil {
		require.ErrorIs(e.t, err, types.ErrNoChannel)
		return c, false
	}
	return r.Channel, true
}

func (e *env) revenue() types.Revenue {
	r, err := e.query.Revenue(e.ctx, &types.QueryRevenueRequest{Netuid: 1})
	require.NoError(e.t, err)
	return r.Revenue
}

// blocks ends n blocks, a second each.
func (e *env) blocks(n int) {
	for range n {
		e.block(time.Second)
	}
}

func (e *env) block(d time.Duration) {
	require.NoError(e.t, e.k.EndBlocker(e.ctx))
	require.NoError(e.t, e.alpha.EndBlocker(e.ctx))
	require.NoError(e.t, e.subnets.EndBlocker(e.ctx))
	if !e.unchecked {
		e.holds()
	}
	e.passed = append(e.passed, e.ctx.EventManager().Events()...)
	e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1).WithBlockTime(e.ctx.BlockTime().Add(d)).WithEventManager(sdk.NewEventManager())
	e.ctx = e.ctx.WithBlockHeader(headerAt(e.ctx))
	require.NoError(e.t, e.subnets.BeginBlocker(e.ctx))
}

// holds checks the invariants of all modules that have a part in it.
func (e *env) holds() {
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
	require.NoError(e.t, e.alpha.CheckInvariants(e.ctx))
	require.NoError(e.t, e.subnets.CheckInvariants(e.ctx))
	pools, err := e.alpha.Pools(e.ctx)
	require.NoError(e.t, err)
	for _, p := range pools {
		require.Equal(e.t, e.economy.revenue[p.SubnetId], p.AlphaPending, "what x/emission was told of is what waits")
	}
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
	before, rao := e.exported(), e.rao("payer")
	_, err := send(e, handle, m)
	require.ErrorIs(t, err, want)
	for _, w := range words {
		require.Contains(t, err.Error(), w)
	}
	require.Equal(t, before, e.exported())
	require.Equal(t, rao, e.rao("payer"))
}

func (e *env) exported() *types.GenesisState {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	return g
}

func (e *env) subnet() subnetstypes.Subnet {
	s, err := e.subnets.SubnetByNetuid(e.ctx, 1)
	require.NoError(e.t, err)
	return s
}

func (e *env) pool() alphatypes.Pool {
	p, err := e.alpha.PoolByNetuid(e.ctx, 1)
	require.NoError(e.t, err)
	return p
}

func (e *env) rao(name string) uint64 {
	return e.bank.GetBalance(e.ctx, addr(name), types.Denom).Amount.Uint64()
}

// held is what the module's account has.
func (e *env) held() uint64 {
	return e.bank.GetBalance(e.ctx, authtypes.NewModuleAddress(types.ModuleName), types.Denom).Amount.Uint64()
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
