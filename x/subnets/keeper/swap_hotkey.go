package keeper

import (
	"context"
	"errors"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/subnets/types"
)

// hotkeySwap is the reason for which the fee is recycled.
const hotkeySwap = "hotkey_swap"

// SwapHotkey gives all that a hotkey has to another of the same coldkey: uids with
// all that is kept by uid (rows, bonds, permits, commits, limits, published data),
// what it owns, and its stakes (protocol.md §4). The block of registration stays,
// so a swap renews no immunity. Endpoints end in the old key's peer ID and are
// cleared: the new key serves its own.
func (k msgServer) SwapHotkey(ctx context.Context, m *types.MsgSwapHotkey) (*types.MsgSwapHotkeyResponse, error) {
	old, coldkey, err := k.bound(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	to, _, err := k.bound(ctx, m.NewHotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	seats, err := k.swappable(ctx, old, to)
	if err != nil {
		return nil, err
	}
	fee, err := k.paySwap(ctx, coldkey.addr)
	if err != nil {
		return nil, err
	}
	var netuids []uint32
	for _, s := range seats {
		if err := k.reseat(ctx, s, old, to); err != nil {
			return nil, err
		}
		netuids = append(netuids, s.Netuid)
	}
	if err := k.alpha.ExchangeHotkeys(ctx, old.addr, to.addr); err != nil {
		return nil, err
	}
	return &types.MsgSwapHotkeyResponse{Netuids: netuids}, emit(ctx, &types.EventHotkeySwapped{
		Hotkey: old.text, NewHotkey: to.text, Coldkey: coldkey.text, Netuids: netuids, Fee: fee,
	})
}

// swappable are the subnets in which a hotkey is registered, by netuid, if it may
// be swapped for the other.
func (k Keeper) swappable(ctx context.Context, old, to key) ([]types.Subnet, error) {
	if old.text == to.text {
		return nil, types.ErrInvalidSwap.Wrapf("%s can't be swapped for itself", old)
	}
	for _, hotkey := range []key{old, to} {
		_, err := k.staking.GetValidator(ctx, sdk.ValAddress(hotkey.addr))
		if err == nil {
			return nil, types.ErrChainOperator.Wrapf("hotkey %s operates a chain validator, whose stake and delegators can't follow a swap", hotkey)
		}
		if !errors.Is(err, stakingtypes.ErrNoValidatorFound) {
			return nil, err
		}
	}
	at, err := k.registeredIn(ctx, to.addr, 1)
	if err != nil {
		return nil, err
	}
	if len(at) > 0 {
		return nil, types.ErrRegistered.Wrapf("hotkey %s is registered in subnet %d: swap for a key that is registered nowhere", to, at[0].Netuid)
	}
	return k.registeredIn(ctx, old.addr, -1)
}

// registeredIn are the first so many subnets in which a hotkey holds a uid, by
// netuid; all if most is negative.
func (k Keeper) registeredIn(ctx context.Context, hotkey sdk.AccAddress, most int) (at []types.Subnet, err error) {
	var ids []uint64
	err = k.netuids.Walk(ctx, nil, func(_ uint32, id uint64) (bool, error) {
		ids = append(ids, id)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if len(at) == most {
			break
		}
		there, err := k.hotkeys.Has(ctx, joinHotkey(id, hotkey))
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		s, err := k.Subnet(ctx, id)
		if err != nil {
			return nil, err
		}
		at = append(at, s)
	}
	return at, nil
}

// paySwap recycles the fee of a swap.
func (k Keeper) paySwap(ctx context.Context, payer sdk.AccAddress) (uint64, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	fee := p.HotkeySwapFee
	if has := k.bank.SpendableCoin(ctx, payer, alphatypes.Denom).Amount; has.IsUint64() && has.Uint64() < fee {
		return 0, sdkerrors.ErrInsufficientFunds.Wrapf("a swap of hotkeys costs %d rao (hotkey_swap_fee), %s can spend %d", fee, payer, has.Uint64())
	}
	return fee, k.upper.network.RecycleOf(ctx, payer, fee, hotkeySwap)
}

// reseat gives a hotkey's uid, and the subnet if it owned it, to another.
func (k Keeper) reseat(ctx context.Context, s types.Subnet, old, to key) error {
	n, err := k.NeuronByHotkey(ctx, s.Id, old.addr)
	if err != nil {
		return err
	}
	if err := k.hotkeys.Remove(ctx, joinHotkey(s.Id, old.addr)); err != nil {
		return err
	}
	n.Hotkey, n.Endpoints, n.Protocol, n.ProtocolVersion = to.text, nil, "", ""
	if err := k.seat(ctx, n, to.addr); err != nil {
		return err
	}
	if s.OwnerHotkey != old.text {
		return nil
	}
	s.OwnerHotkey = to.text
	return k.subnets.Set(ctx, s.Id, s)
}
