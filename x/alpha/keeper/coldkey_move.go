package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

// movesPerBlock bounds the work of a block for coldkey swaps: each stake, each hotkey
// and each record of another module that moves counts, and each swap that is looked at.
const movesPerBlock = 200

const (
	// retryBlocks is when a swap that failed is tried again.
	retryBlocks = 100
	// mostLater bounds for how many blocks a swap is not looked at.
	mostLater = 1_000
)

// moveColdkeys executes coldkey swaps that are due, in their order, a part of the
// stakes in each block: where a coldkey has many, it takes several blocks. None
// keeps the others waiting: not one whose time is still to come, nor one that never
// ends because stake comes in as fast as it leaves, nor one that fails.
func (k Keeper) moveColdkeys(ctx context.Context) error {
	due, err := k.dueSwaps(ctx)
	if err != nil {
		return err
	}
	b := budget{most: movesPerBlock}
	for _, coldkey := range due {
		s, err := k.coldkeySwaps.Get(ctx, coldkey)
		if err != nil {
			return err
		}
		if !b.take(1) {
			return nil
		}
		if !s.Executing && !passed(ctx, s.DueHeight, s.DueTime) {
			if err := k.lookLater(ctx, coldkey, s); err != nil {
				return err
			}
			continue
		}
		if !s.Executing {
			s.Executing = true
			if err := k.setColdkeySwap(ctx, coldkey, s); err != nil {
				return err
			}
		}
		before := b.used
		done, failed := k.moveColdkey(ctx, coldkey, s, &b)
		switch {
		case failed != nil:
			sdk.UnwrapSDKContext(ctx).Logger().Error("a coldkey swap was put off", "module", types.ModuleName, "coldkey", s.Coldkey, "reason", failed.Error())
			if err := k.putOffSwap(ctx, coldkey, s, height(ctx)+retryBlocks); err != nil {
				return err
			}
		case done:
		case b.used > before: // it had its part of this block, and stands in line again
			return k.putOffSwap(ctx, coldkey, s, height(ctx)+1)
		default: // there was no room for its next part: it stays where it is
			return nil
		}
	}
	return nil
}

// lookLater puts off a swap whose blocks were quicker than planned, so that its
// time is still to come: by half of what is left, but not by much, since blocks may
// be slow again.
func (k Keeper) lookLater(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap) error {
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return err
	}
	left := s.DueTime - sdk.UnwrapSDKContext(ctx).BlockTime().Unix()
	blocks := left * 1_000 / max(1, target.Milliseconds()) / 2
	return k.putOffSwap(ctx, coldkey, s, height(ctx)+min(max(1, blocks), mostLater))
}

// putOffSwap makes a swap due in another block.
func (k Keeper) putOffSwap(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap, block int64) error {
	if err := k.removeColdkeySwap(ctx, coldkey, s); err != nil {
		return err
	}
	s.DueHeight = block
	return k.setColdkeySwap(ctx, coldkey, s)
}

// dueSwaps are the coldkeys whose blocks have passed, the first to come due first.
func (k Keeper) dueSwaps(ctx context.Context) (due []sdk.AccAddress, err error) {
	err = k.coldkeySwapsDue.Walk(ctx, nil, func(at coldkeyDue) (bool, error) {
		if at.K1() > height(ctx) {
			return true, nil
		}
		due = append(due, at.K2())
		return len(due) == movesPerBlock, nil
	})
	return due, err
}

// moveColdkey moves stakes, then hotkeys, then what modules above keep, then the
// balance. What the coldkey is given meanwhile, its hotkeys' incentive for instance,
// moves as well, since it is done only when nothing is left. Delegations stay where
// they are. Each part runs for itself: one that fails undoes none before it.
func (k Keeper) moveColdkey(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap, b *budget) (done bool, err error) {
	to, err := k.addressOf("new_coldkey", s.NewColdkey)
	if err != nil {
		return false, err
	}
	m := moving{Keeper: k, from: coldkey, to: to, names: s, b: b}
	for _, part := range []func(context.Context) (bool, error){m.moveStakes, m.moveHotkeys, m.moveRecords, m.finish} {
		if done, err := guarded.Attempt(ctx, types.ModuleName, part); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

// moving is the execution of a swap in a block.
type moving struct {
	Keeper
	from, to sdk.AccAddress
	names    types.ColdkeySwap
	b        *budget
}

func (m moving) moveStakes(ctx context.Context) (done bool, err error) {
	var held []positionKey // read first: a store is not changed under its iterator
	err = m.positionOfColdkey.Walk(ctx, collections.NewPrefixedTripleRange[sdk.AccAddress, uint64, sdk.AccAddress](m.from), func(of positionOf) (bool, error) {
		held = append(held, collections.Join3(of.K2(), of.K3(), m.from))
		return len(held) > movesPerBlock, nil
	})
	if err != nil {
		return false, err
	}
	for _, at := range held {
		if locked, err := m.locks.Has(ctx, at); err != nil {
			return false, err
		} else if locked {
			if room, err := m.moveOwn(ctx, at.K2()); err != nil || !room {
				return false, err
			}
		}
		if still, err := m.positions.Has(ctx, at); err != nil {
			return false, err
		} else if !still {
			continue // moveOwn did it
		}
		if !m.b.take(1) {
			return false, nil
		}
		if err := m.moveStake(ctx, at); err != nil {
			return false, err
		}
	}
	return len(held) <= movesPerBlock, nil
}

// moveOwn moves the coldkey's hotkey that has an account, together with all locked
// stakes on it: collateral is looked up by the hotkey's coldkey, so a lock and its
// hotkey never have different ones. Other locks can't be; they move with their stake.
func (m moving) moveOwn(ctx context.Context, account sdk.AccAddress) (room bool, err error) {
	hotkey, err := m.HotkeyOf(ctx, account)
	if err != nil {
		return false, err
	}
	if owner, err := m.Coldkey(ctx, hotkey); err != nil || !owner.Equals(m.from) {
		return true, err
	}
	var locked []positionKey
	err = m.netuids.Walk(ctx, nil, func(_ uint32, id uint64) (bool, error) {
		at := collections.Join3(id, account, m.from)
		has, err := m.locks.Has(ctx, at)
		if has {
			locked = append(locked, at)
		}
		return false, err
	})
	if err != nil {
		return false, err
	}
	// They go together even where a block has no room for as many: then it is the
	// block's first work.
	cost := 1 + len(locked)
	if m.b.used > 1 && m.b.used+cost > m.b.most {
		return false, nil
	}
	m.b.used += cost
	for _, at := range locked {
		if err := m.moveStake(ctx, at); err != nil {
			return false, err
		}
	}
	return true, m.moveHotkey(ctx, hotkey)
}

// moveStake moves shares and lock; where the new coldkey has some already, theirs grow.
func (m moving) moveStake(ctx context.Context, at positionKey) error {
	held, err := m.positions.Get(ctx, at)
	if err != nil {
		return err
	}
	if err := m.setPosition(ctx, at, new(big.Int)); err != nil {
		return err
	}
	there, all := collections.Join3(at.K1(), at.K2(), m.to), held
	has, ok, err := found(m.positions.Get(ctx, there))
	if err != nil {
		return err
	}
	if ok {
		all = has.Add(has, held)
	}
	if err := m.setPosition(ctx, there, all); err != nil {
		return err
	}
	if err := m.moveLock(ctx, at, there); err != nil {
		return err
	}
	hotkey, err := m.hotkeyText(ctx, at.K2())
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventStakeMoved{
		SubnetId: at.K1(), Hotkey: hotkey, Coldkey: m.names.Coldkey, NewColdkey: m.names.NewColdkey, Shares: sdkmath.NewIntFromBigInt(held),
	})
}

func (m moving) moveLock(ctx context.Context, from, to positionKey) error {
	alpha, ok, err := found(m.locks.Get(ctx, from))
	if err != nil || !ok {
		return err
	}
	has, _, err := found(m.locks.Get(ctx, to))
	if err != nil {
		return err
	}
	if err := m.locks.Remove(ctx, from); err != nil {
		return err
	}
	return m.locks.Set(ctx, to, has+alpha) // each is at most its stake, and the stakes' sum is below the cap
}

func (m moving) moveHotkeys(ctx context.Context) (done bool, err error) {
	var bound []sdk.AccAddress
	err = m.hotkeysOfColdkey.Walk(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, sdk.AccAddress](m.from), func(at hotkeyOf) (bool, error) {
		bound = append(bound, at.K2())
		return len(bound) > movesPerBlock, nil
	})
	if err != nil {
		return false, err
	}
	for _, h := range bound {
		if !m.b.take(1) {
			return false, nil
		}
		if err := m.moveHotkey(ctx, h); err != nil {
			return false, err
		}
	}
	return len(bound) <= movesPerBlock, nil
}

// moveHotkey binds a hotkey to the new coldkey.
func (m moving) moveHotkey(ctx context.Context, hotkey sdk.AccAddress) error {
	h, err := m.hotkeys.Get(ctx, hotkey)
	if err != nil {
		return err
	}
	if err := m.hotkeysOfColdkey.Remove(ctx, collections.Join(m.from, hotkey)); err != nil {
		return err
	}
	h.Coldkey = m.names.NewColdkey
	if err := m.setHotkey(ctx, hotkey, h); err != nil {
		return err
	}
	return emit(ctx, &types.EventHotkeyBound{Hotkey: h.Hotkey, Coldkey: h.Coldkey})
}

// moveRecords lets a module above move what it keeps under the coldkey.
func (m moving) moveRecords(ctx context.Context) (done bool, err error) {
	if m.upper.hooks == nil {
		return true, nil
	}
	room := m.b.most - m.b.used
	if room <= 0 {
		return false, nil
	}
	moved, err := m.upper.hooks.MoveColdkey(ctx, m.from, m.to, room)
	m.b.used += moved
	return moved < room, err
}

// finish moves what can be spent, and forgets the old coldkey.
func (m moving) finish(ctx context.Context) (done bool, err error) {
	coins := m.bank.SpendableCoins(ctx, m.from)
	if !coins.IsZero() {
		if err := m.bank.SendCoins(ctx, m.from, m.to, coins); err != nil {
			return false, err
		}
	}
	if err := m.removeColdkeySwap(ctx, m.from, m.names); err != nil {
		return false, err
	}
	if err := m.recoveries.Remove(ctx, m.from); err != nil {
		return false, err
	}
	if err := m.disputeBars.Remove(ctx, m.from); err != nil {
		return false, err
	}
	return true, emit(ctx, &types.EventColdkeySwapped{
		Coldkey: m.names.Coldkey, NewColdkey: m.names.NewColdkey, Tao: coins.AmountOf(types.Denom).Uint64(),
	})
}
