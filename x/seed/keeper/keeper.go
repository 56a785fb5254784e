// Package keeper holds the state of x/seed; see the module's package for what it
// promises.
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
	"github.com/lodenet/lode/x/seed/types"
)

// Keeper keeps the seed, those of the last blocks, and operators' VRF keys.
type Keeper struct {
	ac        address.Codec
	authority string
	staking   types.StakingKeeper

	schema collections.Schema
	params collections.Item[types.Params]
	seed   collections.Item[[]byte]
	seeds  collections.Map[int64, types.Seed]
	keys   collections.Map[[]byte, types.VRFKey]
	owners collections.Map[[]byte, []byte]
}

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance.
func NewKeeper(cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string, staking types.StakingKeeper) Keeper {
	sb := collections.NewSchemaBuilder(ss)
	k := Keeper{
		ac: ac, authority: authority, staking: staking,
		params: collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		seed:   collections.NewItem(sb, types.SeedKey, "seed", collections.BytesValue),
		seeds:  collections.NewMap(sb, types.SeedsKey, "seeds", collections.Int64Key, codec.CollValue[types.Seed](cdc)),
		keys:   collections.NewMap(sb, types.KeysKey, "keys", collections.BytesKey, codec.CollValue[types.VRFKey](cdc)),
		owners: collections.NewMap(sb, types.OwnersKey, "owners", collections.BytesKey, collections.BytesValue),
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

// Seed is the seed of the last block: in a block's transactions and at its end,
// that block's own; while it is proposed, that of the block before.
func (k Keeper) Seed(ctx context.Context) ([]byte, error) { return k.seed.Get(ctx) }

// SeedAt is the seed of a past block, of those that are kept.
func (k Keeper) SeedAt(ctx context.Context, height int64) (types.Seed, error) {
	s, err := k.seeds.Get(ctx, height)
	if !errors.Is(err, collections.ErrNotFound) {
		return s, err
	}
	first, last, ok, err := k.kept(ctx)
	switch {
	case err != nil:
		return s, err
	case !ok:
		return s, types.ErrNoSeed.Wrapf("block %d: no block has a seed yet", height)
	}
	return s, types.ErrNoSeed.Wrapf("block %d: the chain keeps those of blocks %d to %d", height, first, last)
}

// kept are the first and the last block whose seed is kept.
func (k Keeper) kept(ctx context.Context) (first, last int64, ok bool, err error) {
	up, err := k.seeds.Iterate(ctx, nil)
	if err != nil {
		return 0, 0, false, err
	}
	defer up.Close()
	if !up.Valid() {
		return 0, 0, false, nil
	}
	if first, err = up.Key(); err != nil {
		return 0, 0, false, err
	}
	down, err := k.seeds.Iterate(ctx, new(collections.Range[int64]).Descending())
	if err != nil {
		return 0, 0, false, err
	}
	defer down.Close()
	last, err = down.Key()
	return first, last, err == nil, err
}

// VRFKey is an operator's key as the next block's proposer has it; ok is false
// where none is registered.
func (k Keeper) VRFKey(ctx context.Context, operator sdk.AccAddress) (key types.VRFKey, ok bool, err error) {
	key, err = k.keys.Get(ctx, operator)
	if errors.Is(err, collections.ErrNotFound) {
		return types.VRFKey{}, false, nil
	}
	return key, err == nil, err
}

// emit emits a typed event.
func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}
