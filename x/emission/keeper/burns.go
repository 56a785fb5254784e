package keeper

import (
	"context"

	"cosmossdk.io/collections"
	corestore "cosmossdk.io/core/store"

	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"

	"github.com/lodenet/lode/x/emission/types"
)

// burnCounter is a bank that remembers what was burned through it.
type burnCounter struct {
	bankkeeper.Keeper
	uncounted collections.Item[uint64]
}

// CountBurns wraps the bank for the modules that burn coins: slashing by
// x/staking, deposits of x/gov and of claims, fees of key rotation. What they burn is
// added up in x/emission's store, ss, and counted in Totals.burned at the end of the block;
// what modules burn at their own end of a block after that, with the next.
// It needs no keeper of x/emission, which is made later than those that it is for.
func CountBurns(bank bankkeeper.Keeper, ss corestore.KVStoreService) bankkeeper.Keeper {
	sb := collections.NewSchemaBuilder(ss)
	c := burnCounter{Keeper: bank, uncounted: uncounted(sb)}
	if _, err := sb.Build(); err != nil {
		panic(err) // one prefix can't collide
	}
	return c
}

func uncounted(sb *collections.SchemaBuilder) collections.Item[uint64] {
	return collections.NewItem(sb, types.UncountedKey, "uncounted", collections.Uint64Value)
}

// BurnCoins burns and remembers.
func (c burnCounter) BurnCoins(ctx context.Context, module string, amount sdk.Coins) error {
	if err := c.Keeper.BurnCoins(ctx, module, amount); err != nil {
		return err
	}
	rao := amount.AmountOf(types.Denom)
	if rao.IsZero() {
		return nil
	}
	before, _, err := found(c.uncounted.Get(ctx))
	if err != nil {
		return err
	}
	return c.uncounted.Set(ctx, before+rao.Uint64()) // no more than the supply, which is under 64 bits
}

// countBurns moves what was burned since the last block into the totals.
func (k Keeper) countBurns(ctx context.Context) error {
	burned, ok, err := found(k.uncounted.Get(ctx))
	if err != nil || !ok {
		return err
	}
	totals, err := k.totals.Get(ctx)
	if err != nil {
		return err
	}
	totals.Burned += burned
	if err := k.totals.Set(ctx, totals); err != nil {
		return err
	}
	if err := k.uncounted.Remove(ctx); err != nil {
		return err
	}
	return emit(ctx, &types.EventBurned{Tao: burned})
}

// Recycle takes rao of another module's account out of circulation, so that they
// can be minted again.
func (k Keeper) Recycle(ctx context.Context, fromModule string, rao uint64, reason string) error {
	if rao == 0 {
		return nil
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, fromModule, types.ModuleName, coins(rao)); err != nil {
		return err
	}
	return k.recycle(ctx, rao, reason)
}

// RecycleOf is Recycle for an account's rao.
func (k Keeper) RecycleOf(ctx context.Context, payer sdk.AccAddress, rao uint64, reason string) error {
	if rao == 0 {
		return nil
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, payer, types.ModuleName, coins(rao)); err != nil {
		return err
	}
	return k.recycle(ctx, rao, reason)
}

// recycle takes rao of the module's account out of circulation, so that it can be
// minted again.
func (k Keeper) recycle(ctx context.Context, rao uint64, reason string) error {
	if rao == 0 {
		return nil
	}
	if err := k.bank.BurnCoins(ctx, types.ModuleName, coins(rao)); err != nil {
		return err
	}
	totals, err := k.totals.Get(ctx)
	if err != nil {
		return err
	}
	totals.Issued -= rao
	totals.Recycled += rao
	if err := k.totals.Set(ctx, totals); err != nil {
		return err
	}
	return emit(ctx, &types.EventRecycled{Tao: rao, Reason: reason})
}
