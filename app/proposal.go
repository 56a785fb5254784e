package app

import (
	"fmt"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
)

// laneShare is the free lane's part of a block's gas: one in so many.
const laneShare = 4

// proposals make and judge blocks. Both see only what transactions say of
// themselves; whether they succeed is seen when they run.
type proposals struct {
	decode sdk.TxDecoder
}

// budget is what is left of a block.
type budget struct {
	gas, lane uint64
}

func newBudget(ctx sdk.Context) budget {
	gas := uint64(maxBlockGas) // a chain without a limit keeps one for the lane
	limited := false
	if b := ctx.ConsensusParams().Block; b != nil && b.MaxGas > 0 {
		gas, limited = uint64(b.MaxGas), true
	}
	left := budget{gas: gas, lane: gas / laneShare}
	if !limited {
		left.gas = 1<<64 - 1
	}
	return left
}

// take charges a transaction, or says why it doesn't fit; then nothing is charged.
func (b *budget) take(tx sdk.Tx) error {
	t, ok := tx.(sdk.FeeTx)
	if !ok {
		return fmt.Errorf("a transaction without a fee field")
	}
	gas := t.GetGas()
	if gas > b.gas {
		return fmt.Errorf("%d gas, but %d is left of the block", gas, b.gas)
	}
	if isFree(tx) {
		if _, err := laneMessage(tx); err != nil {
			return err
		}
		if gas > b.lane {
			return fmt.Errorf("%d gas, but %d is left of the free lane", gas, b.lane)
		}
		b.lane -= gas
	}
	b.gas -= gas
	return nil
}

// prepare keeps the order of the mempool and leaves out what doesn't fit: the
// next block takes it. With a transaction go the later ones of its signers, whose
// sequence would be wrong without it.
func (p proposals) prepare(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	var (
		left    = newBudget(ctx)
		size    int64
		txs     [][]byte
		waiting = map[string]bool{} // signers
	)
	for _, raw := range req.Txs {
		tx, err := p.decode(raw)
		if err != nil {
			continue // a mempool that was fed without a check
		}
		signers := signersOf(tx)
		n := cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{raw})
		if waits(signers, waiting) || size+n > req.MaxTxBytes || left.take(tx) != nil {
			for _, s := range signers {
				waiting[string(s)] = true
			}
			continue
		}
		size += n
		txs = append(txs, raw)
	}
	return &abci.ResponsePrepareProposal{Txs: txs}, nil
}

// process refuses a block with a transaction that can't be read, with a free one
// that is not for the lane, with too much gas, or with too much of it in the lane.
func (p proposals) process(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	left := newBudget(ctx)
	for i, raw := range req.Txs {
		tx, err := p.decode(raw)
		if err == nil {
			err = left.take(tx)
		}
		if err != nil {
			ctx.Logger().Warn("a proposed block is refused", "height", req.Height, "tx", i, "err", err)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

func signersOf(tx sdk.Tx) [][]byte {
	signed, ok := tx.(authsigning.SigVerifiableTx)
	if !ok {
		return nil
	}
	signers, err := signed.GetSigners()
	if err != nil {
		return nil // it can't be run either
	}
	return signers
}

func waits(signers [][]byte, waiting map[string]bool) bool {
	return slices.ContainsFunc(signers, func(s []byte) bool { return waiting[string(s)] })
}
