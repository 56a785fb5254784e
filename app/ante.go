package app

import (
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
)

// MinGasPrice is the least that a transaction outside of the free lane pays, in
// rao a unit of gas. It is consensus: a node may ask for more in its
// configuration, never for less.
var MinGasPrice = math.LegacyMustNewDecFromStr(minGasPrice)

const minGasPrice = "0.01"

// MinGasPrices is [MinGasPrice] as a node's configuration has it.
func MinGasPrices() string { return minGasPrice + BaseDenom }

// newAnteHandler checks a transaction before its messages run: the SDK's
// decorators, the lock of announced coldkey swaps, and the free lane. The lane is looked at twice: at the beginning,
// so that what is not for it costs nobody a signature check; and, with its limit
// consumed, at the end, where the signature is known to be the hotkey's.
func newAnteHandler(enc EncodingConfig, k Keepers, lastHeight func() int64) (sdk.AnteHandler, error) {
	return sdk.ChainAnteDecorators(
		restarted{lastHeight},
		ante.NewSetUpContextDecorator(),
		ante.NewExtensionOptionsDecorator(nil),
		ante.NewValidateBasicDecorator(),
		ante.NewTxTimeoutHeightDecorator(),
		ante.NewValidateMemoDecorator(k.Account),
		laneGate{k.Weights},
		ante.NewConsumeGasForTxSizeDecorator(k.Account),
		coldkeyLock{k.Alpha, enc.Codec},
		ante.NewDeductFeeDecorator(k.Account, k.Bank, k.FeeGrant, checkFee),
		ante.NewSetPubKeyDecorator(k.Account),
		ante.NewValidateSigCountDecorator(k.Account),
		ante.NewSigGasConsumeDecorator(k.Account, ante.DefaultSigVerificationGasConsumer),
		ante.NewSigVerificationDecorator(rememberingKeeper{k.Account, &verified{}}, enc.TxConfig.SignModeHandler()),
		ante.NewIncrementSequenceDecorator(k.Account),
		laneConsume{k.Weights},
	), nil
}

// restarted gives checks the height of their state. Until its first block after a
// start the SDK checks as if the chain were at height 0: what waits for a block would
// be refused as too early.
type restarted struct{ lastHeight func() int64 }

func (r restarted) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	if ctx.BlockHeight() == 0 && (ctx.IsCheckTx() || simulate) {
		ctx = ctx.WithBlockHeight(r.lastHeight())
	}
	return next(ctx, tx, simulate)
}

// checkFee is the fee that a transaction pays, and its priority. It runs in every
// mode but simulation, where clients learn what gas to ask for.
func checkFee(ctx sdk.Context, tx sdk.Tx) (sdk.Coins, int64, error) {
	t, ok := tx.(sdk.FeeTx)
	if !ok {
		return nil, 0, sdkerrors.ErrTxDecode.Wrap("the transaction has no fee field")
	}
	if isGenesis(ctx) {
		return t.GetFee(), 0, nil // there is nothing yet to pay with
	}
	if isFree(tx) { // laneGate let it in
		_, err := laneMessage(tx)
		return nil, 0, err
	}
	price := MinGasPrice
	if ctx.IsCheckTx() {
		price = math.LegacyMaxDec(price, ctx.MinGasPrices().AmountOf(BaseDenom))
	}
	gas := math.LegacyNewDecFromInt(math.NewIntFromUint64(t.GetGas()))
	least := sdk.NewCoin(BaseDenom, price.Mul(gas).Ceil().TruncateInt())
	paid := t.GetFee().AmountOf(BaseDenom)
	if paid.LT(least.Amount) {
		return nil, 0, sdkerrors.ErrInsufficientFee.Wrapf("the fee is %s for %d gas, must be at least %s (%s%s a unit)",
			t.GetFee(), t.GetGas(), least, price, BaseDenom)
	}
	priority := paid.Quo(math.MaxInt(math.NewIntFromUint64(t.GetGas()), math.OneInt()))
	if !priority.IsInt64() {
		return t.GetFee(), 1 << 62, nil
	}
	return t.GetFee(), priority.Int64(), nil
}
