// Package keeper holds the state of x/market; see the module's package for what it
// promises.
package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/events"
	"github.com/lodenet/lode/x/market/types"
)

// nameOf is an index key: subnet id, a provider's account and a service's name.
type nameOf = collections.Triple[uint64, sdk.AccAddress, string]

// listedAt is an index entry: subnet id, uid and service id.
type listedAt = collections.Triple[uint64, uint32, uint64]

// planOf is an index entry: service id and plan id.
type planOf = collections.Pair[uint64, uint64]

// channelOf is an index entry: a payer or a provider's account, and a channel's id.
type channelOf = collections.Pair[sdk.AccAddress, []byte]

// look is an index entry: Unix seconds and a channel's id.
type look = collections.Pair[int64, []byte]

// Keeper keeps services, channels and revenue.
type Keeper struct {
	ac        address.Codec
	authority string
	bank      types.BankKeeper
	account   sdk.AccAddress // the module's, which holds deposits and what of the revenue waits
	alpha     types.AlphaKeeper
	subnets   types.SubnetsKeeper
	emission  types.EmissionKeeper
	authz     types.AuthzKeeper

	schema        collections.Schema
	params        collections.Item[types.Params]
	nextServiceID collections.Item[uint64]
	nextPlanID    collections.Item[uint64]
	services      collections.Map[uint64, types.Service]
	names         collections.Map[nameOf, uint64]
	listed        collections.KeySet[listedAt]
	plans         collections.Map[uint64, types.Plan]
	plansOf       collections.KeySet[planOf]
	channels      collections.Map[[]byte, types.Channel]
	byPayer       collections.KeySet[channelOf]
	byProvider    collections.KeySet[channelOf]
	looks         collections.KeySet[look]
	splits        collections.Map[uint64, types.SubnetSplit]
	revenues      collections.Map[uint64, types.Revenue]
	waiting       collections.KeySet[uint64]
}

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string, accounts types.AccountKeeper, bank types.BankKeeper,
	alpha types.AlphaKeeper, subnets types.SubnetsKeeper, emission types.EmissionKeeper, authz types.AuthzKeeper,
) Keeper {
	account := accounts.GetModuleAddress(types.ModuleName)
	if account == nil {
		panic(fmt.Sprintf("the module account %q is not among the application's: add it, without permissions", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(ss)
	ofChannel := collections.PairKeyCodec(sdk.AccAddressKey, collections.BytesKey)
	k := Keeper{
		ac: ac, authority: authority, bank: bank, account: account, alpha: alpha, subnets: subnets, emission: emission, authz: authz,
		params:        collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		nextServiceID: collections.NewItem(sb, types.NextServiceIDKey, "next_service_id", collections.Uint64Value),
		nextPlanID:    collections.NewItem(sb, types.NextPlanIDKey, "next_plan_id", collections.Uint64Value),
		services:      collections.NewMap(sb, types.ServicesKey, "services", collections.Uint64Key, codec.CollValue[types.Service](cdc)),
		names: collections.NewMap(sb, types.NamesKey, "names",
			collections.TripleKeyCodec(collections.Uint64Key, sdk.AccAddressKey, collections.StringKey), collections.Uint64Value),
		listed: collections.NewKeySet(sb, types.ListedKey, "listed",
			collections.TripleKeyCodec(collections.Uint64Key, collections.Uint32Key, collections.Uint64Key)),
		plans:      collections.NewMap(sb, types.PlansKey, "plans", collections.Uint64Key, codec.CollValue[types.Plan](cdc)),
		plansOf:    collections.NewKeySet(sb, types.PlansOfKey, "plans_of", collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key)),
		channels:   collections.NewMap(sb, types.ChannelsKey, "channels", collections.BytesKey, codec.CollValue[types.Channel](cdc)),
		byPayer:    collections.NewKeySet(sb, types.ByPayerKey, "by_payer", ofChannel),
		byProvider: collections.NewKeySet(sb, types.ByProviderKey, "by_provider", ofChannel),
		looks:      collections.NewKeySet(sb, types.LooksKey, "looks", collections.PairKeyCodec(collections.Int64Key, collections.BytesKey)),
		splits:     collections.NewMap(sb, types.SplitsKey, "splits", collections.Uint64Key, codec.CollValue[types.SubnetSplit](cdc)),
		revenues:   collections.NewMap(sb, types.RevenuesKey, "revenues", collections.Uint64Key, codec.CollValue[types.Revenue](cdc)),
		waiting:    collections.NewKeySet(sb, types.WaitingKey, "waiting", collections.Uint64Key),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // the prefixes above collide: a mistake of this file, found by any test
	}
	k.schema = schema
	return k
}

// Params are the module's parameters.
func (k Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// now is the block's number and its time in Unix seconds. A check or a simulation runs
// on the state of the last block, for the next one.
func now(ctx context.Context) (height, seconds int64) {
	c := sdk.UnwrapSDKContext(ctx)
	height = c.BlockHeight()
	if c.IsCheckTx() || c.ExecMode() == sdk.ExecModeSimulate {
		height++
	}
	return height, c.BlockTime().Unix()
}

// blockMillis is the target block time in milliseconds, at least 1.
func (k Keeper) blockMillis(ctx context.Context) (int64, error) {
	d, err := k.emission.TargetBlockTime(ctx)
	return max(1, d.Milliseconds()), err
}

// rao is an amount of TAO as bank has it.
func rao(amount uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(amount)))
}

// found turns collections.ErrNotFound into ok = false.
func found[V any](v V, err error) (V, bool, error) {
	if errors.Is(err, collections.ErrNotFound) {
		var none V
		return none, false, nil
	}
	return v, err == nil, err
}

// next takes the next number of a sequence.
func next(ctx context.Context, sequence collections.Item[uint64]) (uint64, error) {
	id, err := sequence.Get(ctx)
	if err != nil {
		return 0, err
	}
	return id, sequence.Set(ctx, id+1)
}

// values are all of a map's, in the order of their keys.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) (out []V, err error) {
	err = m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}

// emit emits a typed event; one that can't be encoded is an error, since
// indexers rebuild the state from events.
func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}
