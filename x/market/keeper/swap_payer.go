package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/market/types"
)

// MoveColdkey makes at most so many channels of a payer whose coldkey is swapped the new
// coldkey's, and returns how many. Ids, session keys and what was agreed stay as they
// are, so that vouchers are as good as before. Authorizations don't come along: what the
// old coldkey has allowed may be a thief's.
func (h Hooks) MoveColdkey(ctx context.Context, from, to sdk.AccAddress, most int) (moved int, err error) {
	channels, err := guarded.FirstKeys(ctx, h.k.byPayer.Iterate, collections.NewPrefixedPairRange[sdk.AccAddress, []byte](from), most)
	if err != nil {
		return 0, err
	}
	payer, err := h.k.text(to)
	if err != nil {
		return 0, err
	}
	for _, at := range channels {
		c, err := h.k.channels.Get(ctx, at.K2())
		if err != nil {
			return moved, err
		}
		if err := h.k.byPayer.Remove(ctx, at); err != nil {
			return moved, err
		}
		if err := h.k.byPayer.Set(ctx, collections.Join(to, c.Id)); err != nil {
			return moved, err
		}
		was := c.Payer
		if c.Payer = payer; c.Spender == payer {
			c.Spender, c.Spent = "", 0 // it pays for itself now
		}
		if err := h.k.channels.Set(ctx, c.Id, c); err != nil {
			return moved, err
		}
		if err := emit(ctx, &types.EventChannelMoved{ChannelId: hexID(c), Payer: was, NewPayer: payer}); err != nil {
			return moved, err
		}
		moved++
	}
	return moved, nil
}
