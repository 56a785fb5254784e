package app

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	seedkeeper "github.com/lodenet/lode/x/seed/keeper"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
)

// laneShare is the free lane's part of a block's gas: one in so many.
const laneShare = 4

// proposals make and judge blocks: the proposer's proof of its part of the seed,
// then transactions. Of those that pay they see only what they say of themselves;
// whether they succeed is seen when they run. Free ones must be a registered
// neuron's, within its limits, by the state of the block before: no proposer can give
// a block's quarter away to its friends, who are strangers to the subnets.
type proposals struct {
	decode  sdk.TxDecoder
	weights weightskeeper.Keeper
	seed    seedkeeper.Keeper
	vrf     *prover
}

// budget is what is left of a block.
type budget struct {
	gas, lane uint64
}

// newBudget is what a block has to begin with.
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
// A free one uses up its neuron's limit in consume.
func (b *budget) take(tx sdk.Tx, consume func(sdk.Msg) error) error {
	t, ok := tx.(sdk.FeeTx)
	if !ok {
		return fmt.Errorf("a transaction without a fee field")
	}
	gas := t.GetGas()
	if gas > b.gas {
		return fmt.Errorf("%d gas, but %d is left of the block", gas, b.gas)
	}
	if isFree(tx) {
		msg, err := laneMessage(tx)
		if err != nil {
			return err
		}
		if gas > b.lane {
			return fmt.Errorf("%d gas, but %d is left of the free lane", gas, b.lane)
		}
		if err := consume(msg); err != nil {
			return err
		}
		b.lane -= gas
	}
	b.gas -= gas
	return nil
}

// prepare begins with the proof, whatever becomes of the rest: on an error or a
// panic baseapp would propose the mempool's transactions as they are, and the block
// would be refused for want of its proof.
func (p proposals) prepare(ctx sdk.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	frame := p.vrf.frame(ctx, p.seed, req.ProposerAddress, req.Height)
	txs, err := p.fill(ctx, req.Txs, req.MaxTxBytes-txSize(frame))
	if err != nil {
		ctx.Logger().Error("the proposed block has no transactions", "height", req.Height, "err", err)
		txs = nil
	}
	return &abci.ResponsePrepareProposal{Txs: append([][]byte{frame}, txs...)}, nil
}

// fill takes what fits of the mempool, the lane's first and then who pays most for its
// gas; the next block takes the rest. What doesn't fit keeps the later ones of its
// signers out too, whose sequence would be wrong without it.
func (p proposals) fill(ctx sdk.Context, mempool [][]byte, most int64) (txs [][]byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	var (
		left    = newBudget(ctx)
		consume = p.consumer(ctx)
		size    int64
		waiting = newQueue(p.decode, mempool)
	)
	for o := waiting.next(); o != nil; o = waiting.next() {
		n := txSize(o.raw)
		if size+n > most || left.take(o.tx, consume) != nil {
			continue
		}
		size += n
		txs = append(txs, o.raw)
		waiting.taken(o)
	}
	return txs, nil
}

// consumer uses limits up on a state of its own, which is thrown away.
func (p proposals) consumer(ctx sdk.Context) func(sdk.Msg) error {
	state, _ := ctx.CacheContext()
	return func(msg sdk.Msg) error { return p.weights.LaneConsume(state, msg) }
}

// txSize is what a transaction takes of a block, in bytes.
func txSize(raw []byte) int64 { return cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{raw}) }

// process refuses a block without its proposer's proof, or with a transaction that
// can't be read, with a free one that is not for the lane or beyond a neuron's limit,
// with too much gas, or with too much of it in the lane.
func (p proposals) process(ctx sdk.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if err := p.judge(ctx, req); err != nil {
		ctx.Logger().Warn("a proposed block is refused", "height", req.Height, "err", err)
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

func (p proposals) judge(ctx sdk.Context, req *abci.RequestProcessProposal) error {
	if err := p.seed.CheckProposal(ctx, req.ProposerAddress, req.Height, req.Txs); err != nil {
		return err
	}
	left, consume := newBudget(ctx), p.consumer(ctx)
	for i, raw := range req.Txs[1:] {
		tx, err := p.decode(raw)
		if err == nil {
			err = left.take(tx, consume)
		}
		if err != nil {
			return fmt.Errorf("transaction %d: %w", i+1, err)
		}
	}
	return nil
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
