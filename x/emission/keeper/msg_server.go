package keeper

import (
	"context"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
)

// msgServer is the keeper as the messages see it.
type msgServer struct{ Keeper }

// NewMsgServer serves the module's messages.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// UpdateParams replaces the parameters; governance only. The cap stays: it is
// what holders were promised.
func (k msgServer) UpdateParams(ctx context.Context, m *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if m.Authority != k.authority {
		return nil, sdkerrors.ErrUnauthorized.Wrapf("%s may not set parameters, only governance (%s)", m.Authority, k.authority)
	}
	if err := m.Params.Validate(); err != nil {
		return nil, err
	}
	old, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if m.Params.Cap != old.Cap {
		return nil, types.ErrInvalidParams.Wrapf("the cap is %d rao and can't be changed to %d", old.Cap, m.Params.Cap)
	}
	if err := k.rescale(ctx, uint64(old.TargetBlockTime), uint64(m.Params.TargetBlockTime)); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, k.params.Set(ctx, m.Params)
}

// rescale keeps carried numerators below the target block time, their
// denominator, and worth the same part of a unit.
func (k Keeper) rescale(ctx context.Context, from, to uint64) error {
	if from == to {
		return nil
	}
	remainder, _, err := found(k.taoRemainder.Get(ctx))
	if err != nil {
		return err
	}
	if err := k.taoRemainder.Set(ctx, curve.MulDiv(remainder, to, from)); err != nil {
		return err
	}
	all, err := k.all(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		e.AlphaRemainder = curve.MulDiv(e.AlphaRemainder, to, from)
		if err := k.emissions.Set(ctx, e.SubnetId, e); err != nil {
			return err
		}
	}
	return nil
}
