package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

// AnnounceColdkeySwap will move all that a coldkey has to a new one (protocol.md
// §4), and locks it until then. A change of the recovery key that still waits is
// dropped: only a key that was in force before decides about this swap.
func (k msgServer) AnnounceColdkeySwap(ctx context.Context, m *types.MsgAnnounceColdkeySwap) (*types.MsgAnnounceColdkeySwapResponse, error) {
	coldkey, next, err := k.swapKeys(ctx, m.Coldkey, m.NewColdkey)
	if err != nil {
		return nil, err
	}
	if err := k.Unlocked(ctx, coldkey); err != nil {
		return nil, err
	}
	if bar, barred, err := k.bar(ctx, coldkey); err != nil {
		return nil, err
	} else if barred {
		return nil, types.ErrColdkeySwap.Wrapf("a swap of %s was disputed: none can be announced before block %d and %s (this is block %d, %s)",
			m.Coldkey, bar.UntilHeight, utc(bar.UntilTime), height(ctx), now(ctx))
	} else if err := k.disputeBars.Remove(ctx, coldkey); err != nil { // one that has ended
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	// Blocks carry out so much of swaps: throwaway ones must not hold up the others.
	if err := k.payFee(ctx, coldkey, params.ColdkeySwapFee, types.ReasonColdkeySwap); err != nil {
		return nil, err
	}
	block, second, err := k.due(ctx, params.ColdkeySwapDelay)
	if err != nil {
		return nil, err
	}
	r, _, err := k.recovery(ctx, coldkey)
	if err != nil {
		return nil, err
	}
	if r.DueHeight > 0 {
		if err := k.dropRecoveryChange(ctx, coldkey, r); err != nil {
			return nil, err
		}
	}
	return &types.MsgAnnounceColdkeySwapResponse{DueHeight: block, DueTime: second}, k.announce(ctx, coldkey, next, block, second)
}

// announce stores a swap that is to be executed once block and second have come.
func (k Keeper) announce(ctx context.Context, coldkey, next sdk.AccAddress, block, second int64) error {
	s := types.ColdkeySwap{AnnouncedHeight: height(ctx), DueHeight: block, DueTime: second}
	var err error
	if s.Coldkey, err = k.text(coldkey); err != nil {
		return err
	}
	if s.NewColdkey, err = k.text(next); err != nil {
		return err
	}
	if err := k.setColdkeySwap(ctx, coldkey, s); err != nil {
		return err
	}
	return emit(ctx, &types.EventColdkeySwapAnnounced{Coldkey: s.Coldkey, NewColdkey: s.NewColdkey, DueHeight: block, DueTime: second})
}

// DisputeColdkeySwap cancels the coldkey's announcement, and bars new ones for a
// time. Whoever else has the key has announced it, or disputes it: without a
// recovery key the chain can't tell, so nothing moves.
func (k msgServer) DisputeColdkeySwap(ctx context.Context, m *types.MsgDisputeColdkeySwap) (*types.MsgDisputeColdkeySwapResponse, error) {
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	if err := k.Disputable(ctx, coldkey); err != nil {
		return nil, err
	}
	s, err := k.coldkeySwaps.Get(ctx, coldkey)
	if err != nil {
		return nil, err
	}
	if err := k.removeColdkeySwap(ctx, coldkey, s); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	b := types.DisputeBar{Coldkey: s.Coldkey}
	if b.UntilHeight, b.UntilTime, err = k.due(ctx, params.DisputeBar); err != nil {
		return nil, err
	}
	if err := k.disputeBars.Set(ctx, coldkey, b); err != nil {
		return nil, err
	}
	return &types.MsgDisputeColdkeySwapResponse{}, emit(ctx, &types.EventColdkeySwapCancelled{Coldkey: s.Coldkey, Disputed: true})
}

// DecideColdkeySwap is the recovery key's word. Without a new coldkey it cancels
// the announcement, and a change of the recovery key that waits; with one,
// everything goes there from the end of this block on, announced or not.
func (k msgServer) DecideColdkeySwap(ctx context.Context, m *types.MsgDecideColdkeySwap) (*types.MsgDecideColdkeySwapResponse, error) {
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	r, err := k.recoveryBy(ctx, coldkey, m)
	if err != nil {
		return nil, err
	}
	s, announced, err := found(k.coldkeySwaps.Get(ctx, coldkey))
	switch {
	case err != nil:
		return nil, err
	case s.Executing:
		return nil, types.ErrColdkeySwap.Wrapf("stakes of %s are moving to %s already: that can't be cancelled or redirected", s.Coldkey, s.NewColdkey)
	case m.NewColdkey == "" && !announced && r.DueHeight == 0:
		return nil, types.ErrColdkeySwap.Wrapf("%s has announced no swap, and no change of its recovery key waits: there is nothing to cancel", m.Coldkey)
	}
	var next sdk.AccAddress
	if m.NewColdkey != "" {
		if _, next, err = k.swapKeys(ctx, m.Coldkey, m.NewColdkey); err != nil {
			return nil, err
		}
	}
	if r.DueHeight > 0 {
		if err := k.dropRecoveryChange(ctx, coldkey, r); err != nil {
			return nil, err
		}
	}
	if announced {
		if err := k.removeColdkeySwap(ctx, coldkey, s); err != nil {
			return nil, err
		}
		if err := emit(ctx, &types.EventColdkeySwapCancelled{Coldkey: s.Coldkey}); err != nil {
			return nil, err
		}
	}
	if next == nil {
		return &types.MsgDecideColdkeySwapResponse{}, nil
	}
	c := sdk.UnwrapSDKContext(ctx)
	return &types.MsgDecideColdkeySwapResponse{}, k.announce(ctx, coldkey, next, c.BlockHeight(), c.BlockTime().Unix())
}

// recoveryBy checks that who decides is the recovery key in force.
func (k Keeper) recoveryBy(ctx context.Context, coldkey sdk.AccAddress, m *types.MsgDecideColdkeySwap) (types.Recovery, error) {
	key, err := k.addressOf("recovery", m.Recovery)
	if err != nil {
		return types.Recovery{}, err
	}
	name, err := k.text(key)
	if err != nil {
		return types.Recovery{}, err
	}
	r, _, err := k.recovery(ctx, coldkey)
	switch {
	case err != nil || r.Key == name:
		return r, err
	case r.Key != "":
		return r, sdkerrors.ErrUnauthorized.Wrapf("%s is not the recovery key of %s: that is %s", name, m.Coldkey, r.Key)
	case r.Next == name:
		return r, sdkerrors.ErrUnauthorized.Wrapf("%s becomes the recovery key of %s in block %d, not before %s (this is block %d, %s)",
			name, m.Coldkey, r.DueHeight, utc(r.DueTime), height(ctx), now(ctx))
	}
	return r, sdkerrors.ErrUnauthorized.Wrapf("%s has no recovery key in force: its coldkey sets one with MsgSetRecoveryKey", m.Coldkey)
}

// swapKeys reads a swap's two keys, of which the new one must be able to take over.
func (k Keeper) swapKeys(ctx context.Context, from, to string) (coldkey, next sdk.AccAddress, err error) {
	if coldkey, err = k.addressOf("coldkey", from); err != nil {
		return nil, nil, err
	}
	if next, err = k.addressOf("new_coldkey", to); err != nil {
		return nil, nil, err
	}
	switch {
	case next.Equals(coldkey):
		return nil, nil, types.ErrInvalidRequest.Wrapf("%s can't be swapped for itself: name another coldkey", from)
	case k.bank.BlockedAddr(next):
		return nil, nil, sdkerrors.ErrUnauthorized.Wrapf("%s is a module's account, which could never give anything back", to)
	}
	if h, bound, err := found(k.hotkeys.Get(ctx, next)); err != nil {
		return nil, nil, err
	} else if bound {
		return nil, nil, types.ErrColdkeySwap.Wrapf("%s is a hotkey, %s's: a hotkey lies on a working machine, name a coldkey", to, h.Coldkey)
	}
	if s, announced, err := found(k.coldkeySwaps.Get(ctx, next)); err != nil {
		return nil, nil, err
	} else if announced {
		return nil, nil, types.ErrColdkeySwap.Wrapf("%s is about to be swapped itself, for %s: name that one, or wait until it is done", to, s.NewColdkey)
	}
	return coldkey, next, nil
}

func (k Keeper) setColdkeySwap(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap) error {
	if err := k.coldkeySwapsDue.Set(ctx, collections.Join(s.DueHeight, coldkey)); err != nil {
		return err
	}
	return k.coldkeySwaps.Set(ctx, coldkey, s)
}

func (k Keeper) removeColdkeySwap(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap) error {
	if err := k.coldkeySwapsDue.Remove(ctx, collections.Join(s.DueHeight, coldkey)); err != nil {
		return err
	}
	return k.coldkeySwaps.Remove(ctx, coldkey)
}

// now is the block's time for messages.
func now(ctx context.Context) string { return utc(sdk.UnwrapSDKContext(ctx).BlockTime().Unix()) }

// ColdkeySwap is a coldkey's announced swap, its recovery key and its bar, as they
// are at this block.
func (q querier) ColdkeySwap(ctx context.Context, r *types.QueryColdkeySwapRequest) (*types.QueryColdkeySwapResponse, error) {
	coldkey, err := q.k.addressOf("coldkey", r.Coldkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryColdkeySwapResponse{}
	s, announced, err := found(q.k.coldkeySwaps.Get(ctx, coldkey))
	if err != nil {
		return nil, err
	}
	if announced {
		out.Swap = &s
	}
	recovery, some, err := q.k.recovery(ctx, coldkey)
	if err != nil {
		return nil, err
	}
	if some {
		out.Recovery = &recovery
	}
	bar, barred, err := q.k.bar(ctx, coldkey)
	if barred {
		out.Bar = &bar
	}
	return out, err
}
