package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

// SetRecoveryKey names the key that decides about swaps of the coldkey. Owner and
// thief of a coldkey sign alike, so a change takes effect after a delay only, in
// which the key in force can cancel it. A second change replaces what waits.
// Under the bar of a dispute it waits until the bar ends at least: else who was
// refused a swap would get one by a key of theirs.
func (k msgServer) SetRecoveryKey(ctx context.Context, m *types.MsgSetRecoveryKey) (*types.MsgSetRecoveryKeyResponse, error) {
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	next, err := k.recoveryOf(coldkey, m.Recovery)
	if err != nil {
		return nil, err
	}
	// The ante handler refuses this already, but not in the announcement's own transaction.
	if err := k.Unlocked(ctx, coldkey); err != nil {
		return nil, err
	}
	r, some, err := k.recovery(ctx, coldkey)
	if err != nil {
		return nil, err
	}
	waits := r.DueHeight > 0
	switch {
	case !some && next == "":
		return nil, types.ErrRecovery.Wrapf("%s has no recovery key, and none waits: there is nothing to take back", m.Coldkey)
	case next == r.Key && !waits:
		return nil, types.ErrRecovery.Wrapf("%s is the recovery key of %s already", next, m.Coldkey)
	case next == r.Key: // back to what is in force: nothing waits any more
		return &types.MsgSetRecoveryKeyResponse{}, k.dropRecoveryChange(ctx, coldkey, r)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	height, second, err := k.due(ctx, params.RecoveryDelay)
	if err != nil {
		return nil, err
	}
	if bar, barred, err := k.bar(ctx, coldkey); err != nil {
		return nil, err
	} else if barred {
		height, second = max(height, bar.UntilHeight), max(second, bar.UntilTime)
	}
	if r.Coldkey, err = k.text(coldkey); err != nil {
		return nil, err
	}
	r.Next, r.DueHeight, r.DueTime = next, height, second
	if err := k.recoveries.Set(ctx, coldkey, r); err != nil {
		return nil, err
	}
	return &types.MsgSetRecoveryKeyResponse{DueHeight: height, DueTime: second},
		emit(ctx, &types.EventRecoveryKeySet{Coldkey: r.Coldkey, Key: next, DueHeight: height, DueTime: second})
}

// recoveryOf reads a message's recovery key; "" for none.
func (k Keeper) recoveryOf(coldkey sdk.AccAddress, bech32 string) (string, error) {
	if bech32 == "" {
		return "", nil
	}
	key, err := k.addressOf("recovery", bech32)
	if err != nil {
		return "", err
	}
	switch {
	case key.Equals(coldkey):
		return "", types.ErrRecovery.Wrapf("%s can't be its own recovery key: who has stolen it would have both", bech32)
	case k.bank.BlockedAddr(key):
		return "", sdkerrors.ErrUnauthorized.Wrapf("%s is a module's account, which could never decide", bech32)
	}
	return k.text(key)
}

// recovery is a coldkey's recovery key as of now, a change that has come due among
// it. A change waits where due_height is not 0; next is empty where the coldkey is
// to have none any more. some is false where there is neither key nor change.
func (k Keeper) recovery(ctx context.Context, coldkey sdk.AccAddress) (r types.Recovery, some bool, err error) {
	r, _, err = found(k.recoveries.Get(ctx, coldkey))
	if err != nil {
		return r, false, err
	}
	if r.DueHeight > 0 && passed(ctx, r.DueHeight, r.DueTime) {
		r.Key, r.Next, r.DueHeight, r.DueTime = r.Next, "", 0, 0
	}
	return r, r.Key != "" || r.DueHeight > 0, nil
}

// dropRecoveryChange leaves what is in force, and stores it.
func (k Keeper) dropRecoveryChange(ctx context.Context, coldkey sdk.AccAddress, r types.Recovery) error {
	r.Next, r.DueHeight, r.DueTime = "", 0, 0
	if r.Key == "" {
		if err := k.recoveries.Remove(ctx, coldkey); err != nil {
			return err
		}
	} else if err := k.recoveries.Set(ctx, coldkey, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRecoveryKeySet{Coldkey: r.Coldkey, Key: r.Key})
}

// bar is that of a coldkey whose swap was disputed, as long as it lasts.
func (k Keeper) bar(ctx context.Context, coldkey sdk.AccAddress) (types.DisputeBar, bool, error) {
	b, ok, err := found(k.disputeBars.Get(ctx, coldkey))
	return b, ok && !passed(ctx, b.UntilHeight, b.UntilTime), err
}
