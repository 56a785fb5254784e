package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// Unlocked is an error for a coldkey whose swap is announced: nothing but what
// [Keeper.Disputable] allows may be done with it. The error says what is pending
// and who may do what. The ante handler asks for everyone who signs or pays.
func (k Keeper) Unlocked(ctx context.Context, coldkey sdk.AccAddress) error {
	// Every transaction asks, and hardly ever is there one: Get would put a text of the
	// key into its error.
	if announced, err := k.coldkeySwaps.Has(ctx, coldkey); err != nil || !announced {
		return err
	}
	s, err := k.coldkeySwaps.Get(ctx, coldkey)
	if err != nil {
		return err
	}
	if s.Executing {
		return types.ErrColdkeyLocked.Wrapf("%s is being swapped for %s: it is free again when everything has moved", s.Coldkey, s.NewColdkey)
	}
	r, _, err := k.recovery(ctx, coldkey)
	if err != nil {
		return err
	}
	may := "until then it can do nothing but cancel that, with MsgDisputeColdkeySwap in a transaction of its own"
	if r.Key != "" {
		may = "until then only its recovery key " + r.Key + " can cancel that or choose another coldkey, with MsgDecideColdkeySwap"
	}
	return types.ErrColdkeyLocked.Wrapf("%s has announced its swap for %s in block %d, not before %s; %s", s.Coldkey, s.NewColdkey, s.DueHeight, utc(s.DueTime), may)
}

// Disputable is an error where the coldkey's dispute would be refused.
func (k Keeper) Disputable(ctx context.Context, coldkey sdk.AccAddress) error {
	s, announced, err := found(k.coldkeySwaps.Get(ctx, coldkey))
	if err != nil {
		return err
	}
	if !announced {
		name, err := k.text(coldkey)
		if err != nil {
			return err
		}
		return types.ErrColdkeySwap.Wrapf("%s has announced no swap: there is nothing to dispute", name)
	}
	if s.Executing {
		return types.ErrColdkeySwap.Wrapf("stakes of %s are moving to %s already: that can't be disputed any more", s.Coldkey, s.NewColdkey)
	}
	if r, _, err := k.recovery(ctx, coldkey); err != nil {
		return err
	} else if r.Key != "" {
		return types.ErrRecovery.Wrapf("%s has a recovery key, %s: only that one decides about the swap, with MsgDecideColdkeySwap", s.Coldkey, r.Key)
	}
	return nil
}
