// Package keeper holds the state of x/subnets; see the module's package for what
// it promises.
package keeper

import (
	"context"
	"errors"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/events"
	"github.com/lodenet/lode/x/subnets/types"
)

// slot is a neuron's place: permanent subnet id and uid.
type slot = collections.Pair[uint64, uint32]

// queued is a removed subnet's place in the queue of the sweep: block and
// permanent subnet id.
type queued = collections.Pair[int64, uint64]

// Keeper keeps subnets, their hyperparameters and their neurons.
type Keeper struct {
	ac        address.Codec
	authority string
	alpha     types.AlphaKeeper
	bank      types.BankKeeper
	staking   types.StakingKeeper
	upper     *upper

	schema    collections.Schema
	params    collections.Item[types.Params]
	subnets   collections.Map[uint64, types.Subnet]
	netuids   collections.Map[uint32, uint64]
	neurons   collections.Map[slot, types.Neuron]
	hotkeys   collections.Map[collections.Pair[uint64, sdk.AccAddress], uint32]
	burns     collections.Map[uint64, uint64]
	creations collections.Map[sdk.AccAddress, int64]
	sets      collections.Map[collections.Pair[uint64, string], int64]
	lock      collections.Item[types.LockState]
	scheduled collections.Map[collections.Pair[uint64, string], types.ScheduledHyperparameter]
	published collections.Map[slot, types.Published]
	uses      collections.Map[slot, types.PublishUse]
	removals  collections.Map[queued, types.Removal]
}

// upper is what app wires once all keepers exist; copies of the keeper share it.
type upper struct {
	hooks   types.Hooks
	network types.Network
}

// NewKeeper makes the keeper. authority is the address that may set parameters
// and any hyperparameter: governance. SetHooks and SetNetwork must be called
// before the first block.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string,
	alpha types.AlphaKeeper, bank types.BankKeeper, staking types.StakingKeeper,
) Keeper {
	sb := collections.NewSchemaBuilder(ss)
	k := Keeper{
		ac: ac, authority: authority, alpha: alpha, bank: bank, staking: staking, upper: &upper{hooks: types.MultiHooks{}},
		params:  collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		subnets: collections.NewMap(sb, types.SubnetsKey, "subnets", collections.Uint64Key, codec.CollValue[types.Subnet](cdc)),
		netuids: collections.NewMap(sb, types.NetuidsKey, "netuids", collections.Uint32Key, collections.Uint64Value),
		neurons: collections.NewMap(sb, types.NeuronsKey, "neurons",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.Neuron](cdc)),
		hotkeys: collections.NewMap(sb, types.HotkeysKey, "hotkeys",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), collections.Uint32Value),
		burns:     collections.NewMap(sb, types.BurnsKey, "burns", collections.Uint64Key, collections.Uint64Value),
		creations: collections.NewMap(sb, types.CreationsKey, "creations", sdk.AccAddressKey, collections.Int64Value),
		sets: collections.NewMap(sb, types.SetsKey, "hyperparameter_sets",
			collections.PairKeyCodec(collections.Uint64Key, collections.StringKey), collections.Int64Value),
		lock: collections.NewItem(sb, types.LockKey, "lock", codec.CollValue[types.LockState](cdc)),
		scheduled: collections.NewMap(sb, types.ScheduledKey, "scheduled",
			collections.PairKeyCodec(collections.Uint64Key, collections.StringKey), codec.CollValue[types.ScheduledHyperparameter](cdc)),
		published: collections.NewMap(sb, types.PublishedKey, "published",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.Published](cdc)),
		uses: collections.NewMap(sb, types.UsesKey, "publish_uses",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.PublishUse](cdc)),
		removals: collections.NewMap(sb, types.RemovalsKey, "removals",
			collections.PairKeyCodec(collections.Int64Key, collections.Uint64Key), codec.CollValue[types.Removal](cdc)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // the prefixes above collide: a mistake of this file, found by any test
	}
	k.schema = schema
	return k
}

// SetHooks wires the listeners of upper modules.
func (k Keeper) SetHooks(h types.Hooks) { k.upper.hooks = h }

// SetNetwork wires what upper modules know; see types.JoinNetwork.
func (k Keeper) SetNetwork(n types.Network) { k.upper.network = n }

// Params are the module's parameters.
func (k Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// ServeRateLimit is how many blocks must lie between two serves of a neuron.
func (k Keeper) ServeRateLimit(ctx context.Context) (int64, error) {
	p, err := k.params.Get(ctx)
	return p.ServeRateLimit, err
}

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

// found turns collections.ErrNotFound into ok = false.
func found[V any](v V, err error) (V, bool, error) {
	if errors.Is(err, collections.ErrNotFound) {
		var none V
		return none, false, nil
	}
	return v, err == nil, err
}

// emit emits typed events; an event that can't be encoded is an error, since
// indexers rebuild the state from events.
func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}
