package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// SetDestination chooses the hotkey of the coldkey on which a hotkey's incentive
// is staked, so that a miner's key on a rented machine need not hold the stake.
func (k msgServer) SetDestination(ctx context.Context, m *types.MsgSetDestination) (*types.MsgSetDestinationResponse, error) {
	_, hotkey, err := k.own(ctx, m.Coldkey, m.Hotkey, "chooses where its incentive goes")
	if err != nil {
		return nil, err
	}
	to := hotkey
	if m.Destination != "" {
		if _, to, err = k.own(ctx, m.Coldkey, m.Destination, "sends incentive to it"); err != nil {
			return nil, err
		}
	}
	h, err := k.record(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	name, err := k.text(to)
	if err != nil {
		return nil, err
	}
	if name = elsewhere(name, h.Hotkey); name == h.Destination {
		return &types.MsgSetDestinationResponse{}, nil
	}
	h.Destination = name
	if err := k.setHotkey(ctx, hotkey, h); err != nil {
		return nil, err
	}
	return &types.MsgSetDestinationResponse{}, emit(ctx, &types.EventDestinationSet{Hotkey: h.Hotkey, Destination: h.Destination})
}

// Payee is the coldkey of a hotkey with this record, and the hotkey on which its incentive
// is staked: itself where none was chosen, or where that one has another coldkey by now.
func (k Keeper) Payee(ctx context.Context, hotkey sdk.AccAddress, h types.Hotkey) (coldkey, destination sdk.AccAddress, err error) {
	if coldkey, err = k.addressOf("coldkey", h.Coldkey); err != nil || h.Destination == "" {
		return coldkey, hotkey, err
	}
	if destination, err = k.addressOf("destination", h.Destination); err != nil {
		return nil, nil, err
	}
	target, ok, err := found(k.hotkeys.Get(ctx, destination))
	if err == nil && (!ok || target.Coldkey != h.Coldkey) {
		destination = hotkey
	}
	return coldkey, destination, err
}
