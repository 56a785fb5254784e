// Package keeper holds the state of x/emission; see the module's package for what
// it promises.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/events"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// WeightsKeeper is what x/emission needs of the epochs.
type WeightsKeeper interface {
	Params(ctx context.Context) (weightstypes.Params, error)

	// Due lists the subnets whose epoch runs in this block; RunEpoch runs one and
	// FailEpoch puts one off whose run was dropped.
	Due(ctx context.Context) ([]uint64, error)
	RunEpoch(ctx context.Context, subnetID uint64, roots weightskeeper.RootStakes) (weightskeeper.Result, error)
	FailEpoch(ctx context.Context, subnetID uint64, reason string) error

	// What a metagraph shows.
	EpochState(ctx context.Context, subnetID uint64) (weightstypes.EpochState, bool, error)
	EpochResult(ctx context.Context, subnetID uint64) (weightstypes.EpochResult, bool, error)
	Standing(ctx context.Context, subnetID uint64, neurons int) (permits []bool, rows []int64, err error)
	StakeWeights(ctx context.Context, subnetID uint64, neurons []subnetstypes.Neuron) ([]weightskeeper.Stake, error)
}

// Keeper mints, divides and pays.
type Keeper struct {
	ac        address.Codec
	authority string

	accounts     types.AccountKeeper
	bank         types.BankKeeper
	distribution types.DistributionKeeper
	staking      types.StakingKeeper
	alpha        types.AlphaKeeper
	subnets      types.SubnetsKeeper
	weights      WeightsKeeper
	collateral   types.CollateralKeeper

	schema       collections.Schema
	params       collections.Item[types.Params]
	totals       collections.Item[types.Totals]
	clock        collections.Item[types.Clock]
	taoRemainder collections.Item[uint64]
	uncounted    collections.Item[uint64]
	emissions    collections.Map[uint64, types.SubnetEmission]
}

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance. bank may be given bare or as CountBurns wrapped it: what this
// keeper burns is recycled TAO, which it accounts for by itself.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string,
	accounts types.AccountKeeper, bank types.BankKeeper, distribution types.DistributionKeeper, staking types.StakingKeeper,
	alpha types.AlphaKeeper, subnets types.SubnetsKeeper, weights WeightsKeeper,
	collateral types.CollateralKeeper,
) Keeper {
	if c, ok := bank.(burnCounter); ok {
		bank = c.Keeper
	}
	if accounts.GetModuleAddress(types.ModuleName) == nil {
		panic(fmt.Sprintf("the account %q is not set: app must give it the permissions minter and burner", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(ss)
	k := Keeper{
		ac: ac, authority: authority, accounts: accounts, bank: bank, distribution: distribution, staking: staking,
		alpha: alpha, subnets: subnets, weights: weights, collateral: collateral,
		params:       collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		totals:       collections.NewItem(sb, types.TotalsKey, "totals", codec.CollValue[types.Totals](cdc)),
		clock:        collections.NewItem(sb, types.ClockKey, "clock", codec.CollValue[types.Clock](cdc)),
		emissions:    collections.NewMap(sb, types.SubnetsKey, "subnets", collections.Uint64Key, codec.CollValue[types.SubnetEmission](cdc)),
		taoRemainder: collections.NewItem(sb, types.TaoRemainderKey, "tao_remainder", collections.Uint64Value),
		uncounted:    uncounted(sb),
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

// Totals are the sums of TAO. Within a block what other modules burned in it is
// not yet among them.
func (k Keeper) Totals(ctx context.Context) (types.Totals, error) { return k.totals.Get(ctx) }

// Emission is what a subnet has in the air; nothing where it never had anything.
func (k Keeper) Emission(ctx context.Context, subnetID uint64) (types.SubnetEmission, error) {
	e, ok, err := found(k.emissions.Get(ctx, subnetID))
	if !ok {
		e = types.SubnetEmission{SubnetId: subnetID}
	}
	return e, err
}

// TargetBlockTime is how long a block should take.
func (k Keeper) TargetBlockTime(ctx context.Context) (time.Duration, error) {
	p, err := k.params.Get(ctx)
	return p.BlockTime(), err
}

// coins is an amount of rao.
func coins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(rao)))
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
