package app

import (
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// newCheck answers a mempool as the SDK does, with two differences.
//
// It says of each transaction that it wants no gas. CometBFT proposes the first
// transactions of its mempool whose gas makes a block; this way it proposes the first
// whose bytes do, and [proposals] choose among all of these by price. Else a few that
// ask for a block's gas each, and free ones of which only a quarter of a block is
// taken, would wait in front of all others.
//
// And it asks more than [MinGasPrice] where many wait: see [crowd].
func newCheck(base *baseapp.BaseApp, decode sdk.TxDecoder) sdk.CheckTxHandler {
	var waiting crowd
	return func(run sdk.RunTx, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
		tx, err := decode(req.Tx)
		if err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(sdkerrors.ErrTxDecode.Wrap(err.Error()), 0, 0, nil, base.Trace()), nil
		}
		again := req.Type == abci.CheckTxType_Recheck
		if err := waiting.admit(tx, base.LastBlockHeight(), again); err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(err, 0, 0, nil, base.Trace()), nil
		}
		gas, result, events, err := run(req.Tx, tx)
		if err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(err, gas.GasWanted, gas.GasUsed, events, base.Trace()), nil
		}
		waiting.add(tx, len(req.Tx))
		return &abci.ResponseCheckTx{GasUsed: int64(gas.GasUsed), Log: result.Log, Data: result.Data, Events: result.Events}, nil
	}
}

// How many blocks' worth may wait before the price rises. CometBFT offers a proposer
// one block's bytes of its mempool, in the order in which they came; so whoever pays
// more is only seen among as many, and bytes that wait are dear sooner than gas.
const (
	calmGas   = 16 * maxBlockGas
	calmBytes = 2 * maxBlockBytes
)

// crowd counts what waits in the node's mempool and pays, by what it asks for. Where
// that is more than a few blocks hold, the least price doubles with each block's worth
// beyond: else whoever offers the least price for a mempool full of the largest
// transactions would shut all others out for hours, and pay a few TAO. It is the
// node's own rule, as a minimum price in its configuration is: blocks may hold
// transactions that it would not have taken. Free ones neither count nor are asked.
//
// After each block CometBFT checks again what still waits, in order: that counts it
// anew, and refuses nobody who was let in before.
type crowd struct {
	mu         sync.Mutex
	height     int64 // the block after which it was counted
	gas, bytes uint64
}

// admit says whether a transaction pays enough to wait behind the others.
func (c *crowd) admit(tx sdk.Tx, height int64, again bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.height != height {
		c.height, c.gas, c.bytes = height, 0, 0
	}
	t, ok := tx.(sdk.FeeTx)
	over := c.over()
	if again || !ok || isFree(tx) || over == 0 {
		return nil
	}
	price := MinGasPrice.MulInt64(1 << over)
	least := price.MulInt(math.NewIntFromUint64(t.GetGas())).Ceil().TruncateInt()
	if paid := t.GetFee().AmountOf(BaseDenom); paid.LT(least) {
		return sdkerrors.ErrInsufficientFee.Wrapf("many transactions wait: the fee is %s for %d gas, must be at least %s%s now (%s%s a unit). Offer that, or try again in a few blocks",
			t.GetFee(), t.GetGas(), least, BaseDenom, price, BaseDenom)
	}
	return nil
}

// over is how often the price has doubled.
func (c *crowd) over() int {
	var n uint64
	if c.gas > calmGas {
		n = (c.gas - calmGas + maxBlockGas - 1) / maxBlockGas
	}
	if c.bytes > calmBytes {
		n = max(n, (c.bytes-calmBytes+maxBlockBytes-1)/maxBlockBytes)
	}
	return int(min(n, 40)) // a price that nobody can pay
}

func (c *crowd) add(tx sdk.Tx, bytes int) {
	t, ok := tx.(sdk.FeeTx)
	if !ok || isFree(tx) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gas += min(t.GetGas(), maxBlockGas) // more fits in no block
	c.bytes += uint64(bytes)
}
