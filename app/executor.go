package app

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// setExecutor lets blocks run one transaction after the other, or side by side
// where the node's configuration says so (block-executor): with the same outcome.
func setExecutor(base *baseapp.BaseApp, opts servertypes.AppOptions, stores []storetypes.StoreKey, decode sdk.TxDecoder) {
	var options []blockexec.Option
	if cast.ToString(opts.Get(server.FlagBlockExecutor)) == config.BlockExecutorBlockSTM {
		options = append(options, blockexec.WithRunnerWrap(func(r sdk.TxRunner) sdk.TxRunner { return readable{r, decode} }))
	}
	blockexec.Apply(base, opts, stores, decode, func(storetypes.MultiStore) string { return BaseDenom }, options...)
}

// readable answers for what is no transaction, such as the proof that every block
// begins with, as the SDK does where it runs one transaction after the other: no gas
// is used. Side by side it would report the gas of the block's beginning; results
// are hashed into the next header, so that such a node would leave the others.
type readable struct {
	sdk.TxRunner
	decode sdk.TxDecoder
}

func (r readable) Run(ctx context.Context, ms storetypes.MultiStore, txs [][]byte, deliver sdk.DeliverTxFunc) ([]*abci.ExecTxResult, error) {
	return r.TxRunner.Run(ctx, ms, txs, func(raw []byte, tx sdk.Tx, ms storetypes.MultiStore, at int, cache map[string]any) *abci.ExecTxResult {
		if tx == nil {
			var err error
			if tx, err = r.decode(raw); err != nil {
				return sdkerrors.ResponseExecTxResultWithEvents(sdkerrors.ErrTxDecode, 0, 0, nil, false)
			}
		}
		return deliver(raw, tx, ms, at, cache)
	})
}
