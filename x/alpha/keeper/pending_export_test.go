package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// Emit and PayPending one thing at a time, with the coins that the caller moves.

func (k Keeper) AddLiquidity(ctx context.Context, id uint64, module string, tao, alpha uint64) error {
	if err := k.bring(ctx, module, tao); err != nil {
		return err
	}
	_, err := k.Emit(ctx, id, types.BlockEmission{TaoIn: tao, AlphaIn: alpha})
	return err
}

func (k Keeper) BuyForProtocol(ctx context.Context, id uint64, module string, tao uint64) (uint64, error) {
	if err := k.bring(ctx, module, tao); err != nil {
		return 0, err
	}
	before, err := k.Pool(ctx, id)
	if err != nil {
		return 0, err
	}
	if _, err := k.Emit(ctx, id, types.BlockEmission{Excess: tao}); err != nil {
		return 0, err
	}
	after, err := k.Pool(ctx, id)
	return after.AlphaProtocol - before.AlphaProtocol, err
}

func (k Keeper) SellMinted(ctx context.Context, id uint64, module string, alpha uint64) (uint64, error) {
	tao, err := k.Emit(ctx, id, types.BlockEmission{Sold: alpha})
	if err != nil || tao == 0 {
		return 0, err
	}
	return tao, k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, module, rao(tao))
}

func (k Keeper) MintPending(ctx context.Context, id, alpha uint64) error {
	_, err := k.Emit(ctx, id, types.BlockEmission{Pending: alpha})
	return err
}

func (k Keeper) StakePending(ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	return k.PayPending(ctx, id, []types.Payment{{To: types.Staked, Alpha: alpha, Hotkey: hotkey, Coldkey: coldkey, Reason: reason}})
}

func (k Keeper) RewardPending(ctx context.Context, id uint64, hotkey sdk.AccAddress, alpha uint64) error {
	return k.PayPending(ctx, id, []types.Payment{{To: types.Staked, Alpha: alpha, Hotkey: hotkey}})
}

func (k Keeper) BurnPending(ctx context.Context, id, alpha uint64) error {
	return k.PayPending(ctx, id, []types.Payment{{To: types.Burned, Alpha: alpha}})
}

func (k Keeper) RecyclePending(ctx context.Context, id, alpha uint64) error {
	return k.PayPending(ctx, id, []types.Payment{{To: types.Issuance, Alpha: alpha}})
}

func (k Keeper) Destination(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error) {
	h, err := k.binding(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	_, to, err := k.Payee(ctx, hotkey, h)
	return to, err
}

func (k Keeper) bring(ctx context.Context, module string, tao uint64) error {
	if tao == 0 {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, module, types.ModuleName, rao(tao))
}
