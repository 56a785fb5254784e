// Package keeper holds the state of x/collateral; see the module's package for
// what it promises.
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

	"github.com/lodenet/lode/x/collateral/types"
	"github.com/lodenet/lode/x/internal/events"
)

// place is permanent subnet id and a hotkey's account.
type place = collections.Pair[uint64, sdk.AccAddress]

// look is an index entry: block, subnet id and account.
type look = collections.Triple[int64, uint64, sdk.AccAddress]

// claimEnd is an index entry: block and claim id.
type claimEnd = collections.Pair[int64, uint64]

// voterOf is claim id and a validator's account.
type voterOf = collections.Pair[uint64, sdk.AccAddress]

// Keeper keeps collaterals and claims.
type Keeper struct {
	ac        address.Codec
	authority string
	bank      types.BankKeeper
	account   sdk.AccAddress // the module's, which holds the deposits
	alpha     types.AlphaKeeper
	subnets   types.SubnetsKeeper
	weights   types.WeightsKeeper

	schema      collections.Schema
	params      collections.Item[types.Params]
	nextClaimID collections.Item[uint64]
	collaterals collections.Map[place, types.Collateral]
	looks       collections.KeySet[look]
	claims      collections.Map[uint64, types.Claim]
	claimOf     collections.Map[place, uint64]
	claimEnds   collections.KeySet[claimEnd]
	voters      collections.Map[voterOf, types.Voter]
	waits       collections.Map[place, types.Wait]

	upper *upper
}

// upper is what app wires once all keepers exist; copies of the keeper share it.
type upper struct{ network types.Network }

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance. bank counts what is burned through it (x/emission's CountBurns), so
// that burned deposits are in the totals.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string,
	accounts types.AccountKeeper, bank types.BankKeeper, alpha types.AlphaKeeper, subnets types.SubnetsKeeper, weights types.WeightsKeeper,
) Keeper {
	account := accounts.GetModuleAddress(types.ModuleName)
	if account == nil {
		panic(fmt.Sprintf("the module account %q is not among the application's: add it, with the permission burner", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(ss)
	placeKey := collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey)
	k := Keeper{
		ac: ac, authority: authority, bank: bank, account: account, alpha: alpha, subnets: subnets, weights: weights,
		params:      collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		nextClaimID: collections.NewItem(sb, types.NextClaimIDKey, "next_claim_id", collections.Uint64Value),
		collaterals: collections.NewMap(sb, types.CollateralsKey, "collaterals", placeKey, codec.CollValue[types.Collateral](cdc)),
		looks: collections.NewKeySet(sb, types.LooksKey, "looks",
			collections.TripleKeyCodec(collections.Int64Key, collections.Uint64Key, sdk.AccAddressKey)),
		claims:    collections.NewMap(sb, types.ClaimsKey, "claims", collections.Uint64Key, codec.CollValue[types.Claim](cdc)),
		claimOf:   collections.NewMap(sb, types.ClaimOfKey, "claim_of", placeKey, collections.Uint64Value),
		claimEnds: collections.NewKeySet(sb, types.ClaimEndsKey, "claim_ends", collections.PairKeyCodec(collections.Int64Key, collections.Uint64Key)),
		voters: collections.NewMap(sb, types.VotersKey, "voters",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), codec.CollValue[types.Voter](cdc)),
		waits: collections.NewMap(sb, types.WaitsKey, "waits", placeKey, codec.CollValue[types.Wait](cdc)),
		upper: &upper{},
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // the prefixes above collide: a mistake of this file, found by any test
	}
	k.schema = schema
	return k
}

// SetNetwork wires what upper modules know.
func (k Keeper) SetNetwork(n types.Network) { k.upper.network = n }

// Params are the module's parameters.
func (k Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// now is the block's number and its time in Unix seconds.
func now(ctx context.Context) (height, seconds int64) {
	c := sdk.UnwrapSDKContext(ctx)
	return c.BlockHeight(), c.BlockTime().Unix()
}

// targetHeight is the block that a transaction is checked for. A check or a
// simulation runs on the state of the last block, for the next one.
func targetHeight(ctx context.Context) int64 {
	c := sdk.UnwrapSDKContext(ctx)
	if c.IsCheckTx() || c.ExecMode() == sdk.ExecModeSimulate {
		return c.BlockHeight() + 1
	}
	return c.BlockHeight()
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
