package app

import (
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// newCheck answers a mempool as the SDK does, but says of a free transaction that it
// wants no gas. CometBFT proposes the first transactions of its mempool whose gas
// makes a block: free ones, of which only a quarter of a block is taken, would wait in
// front of those that pay, and keep all of them out until they are through.
func newCheck(base *baseapp.BaseApp, decode sdk.TxDecoder) sdk.CheckTxHandler {
	return func(run sdk.RunTx, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
		tx, err := decode(req.Tx)
		if err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(sdkerrors.ErrTxDecode.Wrap(err.Error()), 0, 0, nil, base.Trace()), nil
		}
		gas, result, events, err := run(req.Tx, tx)
		if err != nil {
			return sdkerrors.ResponseCheckTxWithEvents(err, gas.GasWanted, gas.GasUsed, events, base.Trace()), nil
		}
		wanted := int64(gas.GasWanted) // at most 2^63 - 1, which handlers see to
		if isFree(tx) {
			wanted = 0
		}
		return &abci.ResponseCheckTx{GasWanted: wanted, GasUsed: int64(gas.GasUsed), Log: result.Log, Data: result.Data, Events: result.Events}, nil
	}
}
