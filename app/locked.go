package app

import (
	"bytes"

	"github.com/cosmos/cosmos-sdk/codec"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// coldkeyLock refuses transactions in which a coldkey acts whose swap is announced
// (protocol.md §4): whatever it signs, what others do for it by an authorization,
// and fees that it would pay. The one thing left to it is its dispute, in a
// transaction of its own. It comes before the fee is taken, so that the lock keeps
// the coldkey's coins too.
type coldkeyLock struct {
	alpha alphakeeper.Keeper
	cdc   codec.Codec
}

func (l coldkeyLock) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	read := ctx
	if isFree(tx) { // the lane's gas is fixed, and its form has one signer
		read = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
	}
	keys, err := l.acting(tx)
	if err != nil {
		return ctx, err
	}
	disputes, err := l.disputes(read, tx)
	if err != nil {
		return ctx, err
	}
	for _, key := range keys {
		if bytes.Equal(key, disputes) {
			continue
		}
		if err := l.alpha.Unlocked(read, key); err != nil {
			return ctx, err
		}
	}
	return next(ctx, tx, simulate)
}

// acting are all accounts that a transaction acts for, each once: its signers,
// those of messages inside of authorizations however deep, and who pays.
func (l coldkeyLock) acting(tx sdk.Tx) ([]sdk.AccAddress, error) {
	signed, ok := tx.(authsigning.SigVerifiableTx)
	if !ok {
		return nil, sdkerrors.ErrTxDecode.Wrap("the transaction has no signers")
	}
	signers, err := signed.GetSigners()
	if err != nil {
		return nil, err
	}
	var keys []sdk.AccAddress
	seen := map[string]bool{}
	add := func(list ...[]byte) {
		for _, a := range list {
			if len(a) > 0 && !seen[string(a)] {
				seen[string(a)] = true
				keys = append(keys, a)
			}
		}
	}
	add(signers...)
	if fee, ok := tx.(sdk.FeeTx); ok {
		add(fee.FeePayer(), fee.FeeGranter())
	}
	var open []*authz.MsgExec // how deep they nest is bounded by the decoder
	for _, m := range tx.GetMsgs() {
		if exec, ok := m.(*authz.MsgExec); ok {
			open = append(open, exec)
		}
	}
	for len(open) > 0 {
		exec := open[0]
		open = open[1:]
		for _, inner := range exec.Msgs {
			signers, _, err := l.cdc.GetMsgAnySigners(inner)
			if err != nil {
				return nil, err
			}
			add(signers...)
			if exec, ok := inner.GetCachedValue().(*authz.MsgExec); ok {
				open = append(open, exec)
			}
		}
	}
	return keys, nil
}

// disputes is the coldkey whose dispute is all that a transaction does; nil if it
// is none, or would be refused: a refused one would cost the locked coldkey a fee
// of any size.
func (l coldkeyLock) disputes(ctx sdk.Context, tx sdk.Tx) (sdk.AccAddress, error) {
	msgs := tx.GetMsgs()
	if len(msgs) != 1 {
		return nil, nil
	}
	if _, ok := msgs[0].(*alphatypes.MsgDisputeColdkeySwap); !ok {
		return nil, nil
	}
	signers, _, err := l.cdc.GetMsgV1Signers(msgs[0])
	if err != nil || len(signers) != 1 {
		return nil, err
	}
	if l.alpha.Disputable(ctx, signers[0]) != nil {
		return nil, nil
	}
	return signers[0], nil
}
