// Package keeper holds the state of x/weights; see the module's package for what
// it promises.
package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/lodenet/lode/x/internal/events"
	"github.com/lodenet/lode/x/internal/field"
	"github.com/lodenet/lode/x/weights/types"
)

// slot is a neuron's place: permanent subnet id and uid.
type slot = collections.Pair[uint64, uint32]

// attempt is a neuron's limit of one kind.
type attempt = collections.Triple[uint64, uint32, string]

// due is an entry of the schedule: block, netuid, subnet id.
type due = collections.Triple[int64, uint32, uint64]

// Keeper keeps weights, bonds, commits, permits and the schedule of epochs.
type Keeper struct {
	cdc       codec.BinaryCodec
	ac        address.Codec
	authority string
	subnets   types.SubnetsKeeper
	alpha     types.AlphaKeeper
	staking   types.StakingKeeper

	schema   collections.Schema
	params   collections.Item[types.Params]
	rows     collections.Map[slot, types.Row]
	heights  collections.Map[slot, uint64] // of rows
	bonds    collections.Map[slot, types.Bonds]
	commits  collections.Map[slot, types.Commits]
	epochs   collections.Map[uint64, types.EpochState]
	results  collections.Map[uint64, types.EpochResult]
	permits  collections.KeySet[slot]
	attempts collections.Map[attempt, types.LastAttempt]
	schedule collections.KeySet[due]
}

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string,
	subnets types.SubnetsKeeper, alpha types.AlphaKeeper, staking types.StakingKeeper,
) Keeper {
	sb := collections.NewSchemaBuilder(ss)
	slotKey := collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key)
	k := Keeper{
		cdc: cdc, ac: ac, authority: authority, subnets: subnets, alpha: alpha, staking: staking,
		params:  collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		rows:    collections.NewMap(sb, types.RowsKey, "rows", slotKey, codec.CollValue[types.Row](cdc)),
		bonds:   collections.NewMap(sb, types.BondsKey, "bonds", slotKey, codec.CollValue[types.Bonds](cdc)),
		commits: collections.NewMap(sb, types.CommitsKey, "commits", slotKey, codec.CollValue[types.Commits](cdc)),
		epochs:  collections.NewMap(sb, types.EpochsKey, "epochs", collections.Uint64Key, codec.CollValue[types.EpochState](cdc)),
		results: collections.NewMap(sb, types.ResultsKey, "results", collections.Uint64Key, codec.CollValue[types.EpochResult](cdc)),
		permits: collections.NewKeySet(sb, types.PermitsKey, "permits", slotKey),
		attempts: collections.NewMap(sb, types.AttemptsKey, "attempts",
			collections.TripleKeyCodec(collections.Uint64Key, collections.Uint32Key, collections.StringKey),
			codec.CollValue[types.LastAttempt](cdc)),
		schedule: collections.NewKeySet(sb, types.DueKey, "schedule",
			collections.TripleKeyCodec(collections.Int64Key, collections.Uint32Key, collections.Uint64Key)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // the prefixes above collide: a mistake of this file, found by any test
	}
	k.heights = collections.NewMap(collections.NewSchemaBuilder(ss), types.RowsKey, "row_heights", slotKey, field.Uint64(5 /* Row.height */))
	k.schema = schema
	return k
}

// Params are the module's parameters.
func (k Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// Permitted tells whether a neuron holds a validator permit.
func (k Keeper) Permitted(ctx context.Context, subnetID uint64, uid uint32) (bool, error) {
	return k.permits.Has(ctx, collections.Join(subnetID, uid))
}

// Standing is which of a subnet's first n neurons hold permits, and of which block
// their rows are, 0 where there is none.
func (k Keeper) Standing(ctx context.Context, subnetID uint64, n int) (permits []bool, rows []int64, err error) {
	permits, rows = make([]bool, n), make([]int64, n)
	subnet := collections.NewPrefixedPairRange[uint64, uint32](subnetID)
	err = k.permits.Walk(ctx, subnet, func(at slot) (bool, error) {
		if int(at.K2()) < n {
			permits[at.K2()] = true
		}
		return false, nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = k.heights.Walk(ctx, subnet, func(at slot, height uint64) (bool, error) {
		if int(at.K2()) < n {
			rows[at.K2()] = int64(height)
		}
		return false, nil
	})
	return permits, rows, err
}

// Row is a neuron's row in force; ok is false where there is none.
func (k Keeper) Row(ctx context.Context, subnetID uint64, uid uint32) (row types.Row, ok bool, err error) {
	return found(k.rows.Get(ctx, collections.Join(subnetID, uid)))
}

// EpochResult is what the subnet's last epoch gave; ok is false before the first.
func (k Keeper) EpochResult(ctx context.Context, subnetID uint64) (r types.EpochResult, ok bool, err error) {
	return found(k.results.Get(ctx, subnetID))
}

// EpochState is the subnet's place in time; ok is false before its start.
func (k Keeper) EpochState(ctx context.Context, subnetID uint64) (s types.EpochState, ok bool, err error) {
	return found(k.epochs.Get(ctx, subnetID))
}

// NextEpoch is the block at whose end the subnet's next epoch is due; false
// before its start. x/subnets asks, by its types.Schedule.
func (k Keeper) NextEpoch(ctx context.Context, subnetID uint64) (int64, bool, error) {
	s, ok, err := k.EpochState(ctx, subnetID)
	return s.DueHeight, ok, err
}

// started is EpochState for callers that need one.
func (k Keeper) started(ctx context.Context, subnetID uint64, netuid uint32) (types.EpochState, error) {
	s, ok, err := k.EpochState(ctx, subnetID)
	if err == nil && !ok {
		err = types.ErrNotStarted.Wrapf("subnet %d has no epochs yet: its owner starts it with MsgStartSubnet", netuid)
	}
	return s, err
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
func emit(ctx context.Context, event eventMessage) error {
	return events.Emit(ctx, event)
}
