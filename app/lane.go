package app

import (
	"bytes"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// isFree tells whether a transaction offers no fee: then it must be the free
// lane's.
func isFree(tx sdk.Tx) bool {
	t, ok := tx.(sdk.FeeTx)
	return ok && t.GetFee().IsZero()
}

// laneMessage is the message of a transaction that has the free lane's form: one
// message of the lane's kinds, one signer who is the payer, no granter, ordered,
// and exactly the message's gas. State is not looked at. The error says what is
// not so.
func laneMessage(tx sdk.Tx) (sdk.Msg, error) {
	msgs := tx.GetMsgs()
	if len(msgs) != 1 {
		return nil, notLane("it has %d messages, the lane takes one", len(msgs))
	}
	gas, ok := weightstypes.LaneGas(msgs[0])
	if !ok {
		return nil, notLane("%s always pays", sdk.MsgTypeURL(msgs[0]))
	}
	fee, ok := tx.(sdk.FeeTx)
	if !ok || fee.GetGas() != gas {
		return nil, notLane("its gas limit is %d, must be exactly %d for this message", fee.GetGas(), gas)
	}
	signed, ok := tx.(authsigning.SigVerifiableTx)
	if !ok {
		return nil, notLane("it has no signers")
	}
	signers, err := signed.GetSigners()
	if err != nil {
		return nil, err
	}
	if len(signers) != 1 || !bytes.Equal(fee.FeePayer(), signers[0]) || fee.FeeGranter() != nil {
		return nil, notLane("it must have one signer, no other payer and no granter of fees")
	}
	if u, ok := tx.(sdk.TxWithUnordered); ok && u.GetUnordered() {
		return nil, notLane("it is unordered")
	}
	return msgs[0], nil
}

func notLane(format string, args ...any) error {
	return sdkerrors.ErrInsufficientFee.Wrapf("the fee is zero, and the transaction is not for the free lane: %s", fmt.Sprintf(format, args...))
}

// isGenesis tells whether a transaction of the genesis file is run.
func isGenesis(ctx sdk.Context) bool {
	return ctx.BlockHeight() == 0 && ctx.ExecMode() == sdk.ExecModeFinalize
}

// laneGate refuses free transactions that are not for the lane, before anybody
// has verified a signature for them.
type laneGate struct{ weights weightskeeper.Keeper }

func (g laneGate) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	if !isFree(tx) || isGenesis(ctx) || ctx.IsReCheckTx() {
		return next(ctx, tx, simulate)
	}
	msg, err := laneMessage(tx)
	if err != nil {
		if simulate { // how clients learn what gas and fee to offer
			return next(ctx, tx, simulate)
		}
		return ctx, err
	}
	// Not metered: laneConsume asks the same again, and pays for it.
	if err := g.weights.LaneCheck(ctx.WithGasMeter(storetypes.NewInfiniteGasMeter()), msg); err != nil {
		return ctx, err
	}
	return next(ctx, tx, simulate)
}

// laneConsume uses up the limit of a transaction in the free lane. It comes last,
// with the signature verified. What ante handlers write stays, so that a message
// that fails has used its limit; in the mempool's check it refuses a second
// pending transaction of the neuron and kind.
type laneConsume struct{ weights weightskeeper.Keeper }

func (c laneConsume) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	if isFree(tx) && !isGenesis(ctx) {
		msg, err := laneMessage(tx)
		switch {
		case err == nil:
			err = c.weights.LaneConsume(ctx, msg)
			ctx = weightskeeper.InLane(ctx)
		case simulate:
			err = nil
		}
		if err != nil {
			return ctx, err
		}
	}
	return next(ctx, tx, simulate)
}
