package keeper

import (
	"context"
	"math"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/types"
)

// paySecurity mints the security share and hands it to the bonded validators by
// their tokens, by largest remainder; x/distribution divides each one's part
// between commission and delegators. It returns what was minted: nothing while
// nobody is bonded.
func (k Keeper) paySecurity(ctx context.Context, b block, rao uint64) (uint64, error) {
	if rao == 0 || sum(b.tokens) == 0 {
		return 0, nil
	}
	if err := k.bank.MintCoins(ctx, types.ModuleName, coins(rao)); err != nil {
		return 0, err
	}
	if err := k.toDistribution(ctx, rao); err != nil {
		return 0, err
	}
	for i, part := range fixed.Apportion(rao, b.tokens) {
		if err := k.payDelegators(ctx, b.validators[i], part); err != nil {
			return 0, err
		}
	}
	return rao, nil
}

// toDistribution brings rao of the module's account to x/distribution's, all that is
// for delegators at once: a send for each validator is a tenth of a block's end.
func (k Keeper) toDistribution(ctx context.Context, rao uint64) error {
	if rao == 0 {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, distributiontypes.ModuleName, coins(rao))
}

// payDelegators hands rao that toDistribution has brought to a validator's
// delegators, less its commission: x/distribution keeps them for whoever withdraws.
func (k Keeper) payDelegators(ctx context.Context, v stakingtypes.Validator, rao uint64) error {
	if rao == 0 {
		return nil
	}
	return k.distribution.AllocateTokensToValidator(ctx, v, sdk.NewDecCoinsFromCoins(coins(rao)...))
}

// clamp is an amount of the bank as a uint64; the supply's cap lies far below.
func clamp(i sdkmath.Int) uint64 {
	switch {
	case i.IsNil() || i.IsNegative():
		return 0
	case i.IsUint64():
		return i.Uint64()
	}
	return math.MaxUint64
}
