package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

// TransferStake gives stake to another coldkey; hotkey and subnet stay.
func (k msgServer) TransferStake(ctx context.Context, m *types.MsgTransferStake) (*types.MsgTransferStakeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, hotkey, err := k.keys(m.Coldkey, m.Hotkey)
	if err != nil {
		return nil, err
	}
	to, err := k.addressOf("to_coldkey", m.ToColdkey)
	if err != nil {
		return nil, err
	}
	switch {
	case to.Equals(coldkey):
		return nil, types.ErrInvalidRequest.Wrapf("the stake is %s's already: transfer it to another coldkey", m.ToColdkey)
	case k.bank.BlockedAddr(to):
		return nil, sdkerrors.ErrUnauthorized.Wrapf("%s is a module's account, which could never give the stake back", m.ToColdkey)
	}
	p, h, err := k.leaving(ctx, m.Netuid, hotkey, coldkey, m.Alpha, "transferred")
	if err != nil {
		return nil, err
	}
	if err := k.removeStake(ctx, p, h, m.Alpha, types.ReasonTransfer); err != nil {
		return nil, err
	}
	return &types.MsgTransferStakeResponse{}, k.addStake(ctx, p, hotkey, to, m.Alpha, types.ReasonTransfer)
}

// leaving reads a stake of which alpha is to leave without a trade. Less than all
// that can leave must be worth the least of a stake: dust on thousands of accounts
// would cost nobody but the chain.
func (k msgServer) leaving(ctx context.Context, netuid uint32, hotkey, coldkey sdk.AccAddress, alpha uint64, done string) (types.Pool, holding, error) {
	p, err := k.PoolByNetuid(ctx, netuid)
	if err != nil {
		return p, holding{}, err
	}
	h, err := k.holding(ctx, p, hotkey, coldkey)
	if err != nil {
		return p, h, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return p, h, err
	}
	if err := h.part(alpha); err != nil || alpha == h.free() {
		return p, h, err
	}
	return p, h, enough(params, p.Reserves().Worth(alpha), done)
}
