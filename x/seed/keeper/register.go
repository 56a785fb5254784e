package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

// gasProof is what verifying a proof costs, beside the store: some five signatures.
const gasProof = 5_000

type msgServer struct{ Keeper }

// NewMsgServer serves the module's messages.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// RegisterVRFKey registers a key, or the one that will take its place.
//
// A key that waits can't be replaced: with a choice between the one in force and
// the one to come, an operator could take, in the last block before, whichever
// gives it the better seed.
func (k msgServer) RegisterVRFKey(ctx context.Context, m *types.MsgRegisterVRFKey) (*types.MsgRegisterVRFKeyResponse, error) {
	if err := m.ValidateBasic(); err != nil { // governance and authz run messages, too
		return nil, err
	}
	operator, err := k.ac.StringToBytes(m.Operator)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("operator %q: %s", m.Operator, err)
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	height := sdkCtx.BlockHeight()
	sdkCtx.GasMeter().ConsumeGas(gasProof, "a VRF proof")
	if err := vrf.Check(m.Key); err != nil {
		return nil, types.ErrInvalidKey.Wrap(err.Error())
	}
	if _, ok := vrf.Verify(m.Key, vrf.Possession(sdkCtx.ChainID(), operator), m.Proof); !ok {
		return nil, types.ErrInvalidProof.Wrapf("the proof does not show that %s has the secret of the key %x: prove over %q, the chain id %s and the operator's address", m.Operator, m.Key, "lode/vrf-key", sdkCtx.ChainID())
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	had, _, err := k.VRFKey(ctx, operator)
	if err != nil {
		return nil, err
	}
	now := had.At(height + 1) // as the next block's proposer has it
	if len(now.Pending) > 0 {
		return nil, types.ErrPending.Wrapf("%s takes effect at block %d, and can't be replaced before: register another one from that block on", keyText(now.Pending), now.PendingHeight)
	}
	if len(had.Pending) > 0 && len(had.Key) > 0 { // the one that it has replaced is free again
		if err := k.owners.Remove(ctx, had.Key); err != nil {
			return nil, err
		}
	}
	switch taken, err := k.owners.Has(ctx, m.Key); {
	case err != nil:
		return nil, err
	case taken:
		return nil, types.ErrKeyTaken.Wrapf("%s has an operator: make a new key", keyText(m.Key))
	}
	next := types.VRFKey{
		Operator: m.Operator, Key: now.Key, ActiveHeight: now.ActiveHeight,
		Pending: m.Key, PendingHeight: height + params.ActivationDelay,
	}
	if err := k.setKey(ctx, operator, next); err != nil {
		return nil, err
	}
	return &types.MsgRegisterVRFKeyResponse{ActiveHeight: next.PendingHeight},
		emit(ctx, &types.EventVRFKeyRegistered{Operator: m.Operator, Key: m.Key, ActiveHeight: next.PendingHeight})
}

// setKey stores an operator's keys, and whose they are.
func (k Keeper) setKey(ctx context.Context, operator []byte, key types.VRFKey) error {
	for _, public := range [][]byte{key.Key, key.Pending} {
		if len(public) == 0 {
			continue
		}
		if err := k.owners.Set(ctx, public, operator); err != nil {
			return err
		}
	}
	return k.keys.Set(ctx, operator, key)
}

// UpdateParams replaces the parameters; governance only.
func (k msgServer) UpdateParams(ctx context.Context, m *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if m.Authority != k.authority {
		return nil, sdkerrors.ErrUnauthorized.Wrapf("%s may not set parameters, only governance (%s)", m.Authority, k.authority)
	}
	if err := m.Params.Validate(); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, k.params.Set(ctx, m.Params)
}
