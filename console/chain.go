package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"

	sdkmath "cosmossdk.io/math"
	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const (
	// gasAdjustment is what a simulation's gas is multiplied with: between it and the
	// block others change the state.
	gasAdjustment = 1.3
	coinType      = 118
)

type paramsJSON struct {
	at
	ChainID              string  `json:"chain_id"`
	Local                bool    `json:"local"`
	Denom                string  `json:"denom"`
	Prefix               string  `json:"bech32_prefix"`
	CoinType             int     `json:"coin_type"`
	GasPrice             string  `json:"gas_price"`
	GasAdjustment        float64 `json:"gas_adjustment"`
	TxLifetimeBlocks     int     `json:"tx_lifetime_blocks"`
	BlockSeconds         float64 `json:"block_seconds"`
	TradeFee             float64 `json:"trade_fee"`
	MinTradeRao          uint64  `json:"min_trade_rao,string"`
	MinReserve           uint64  `json:"min_reserve,string"`
	DefaultSlippage      int     `json:"default_slippage"`
	MaxTake              float64 `json:"max_take"`
	ColdkeySwapDelay     int64   `json:"coldkey_swap_delay_blocks"`
	ColdkeySwapFeeRao    uint64  `json:"coldkey_swap_fee_rao,string"`
	RecoveryDelay        int64   `json:"recovery_delay_blocks"`
	HotkeySwapFeeRao     uint64  `json:"hotkey_swap_fee_rao,string"`
	MinDepositRao        uint64  `json:"min_deposit_rao,string"`
	MinCloseDelaySeconds int64   `json:"min_close_delay_seconds"`
	MaxCloseDelaySeconds int64   `json:"max_close_delay_seconds"`
}

func (s *Server) params(ctx context.Context, _ *ask) (any, error) {
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	id, err := s.client.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	var alpha *alphatypes.QueryParamsResponse
	var emission *emissiontypes.QueryParamsResponse
	var subnets *subnetstypes.QueryParamsResponse
	var market *markettypes.QueryParamsResponse
	g, asking := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		alpha, err = s.client.Alpha().Params(asking, &alphatypes.QueryParamsRequest{})
		return err
	})
	g.Go(func() (err error) {
		emission, err = s.client.Emission().Params(asking, &emissiontypes.QueryParamsRequest{})
		return err
	})
	g.Go(func() (err error) {
		subnets, err = s.client.Subnets().Params(asking, &subnetstypes.QueryParamsRequest{})
		return err
	})
	g.Go(func() (err error) {
		market, err = s.client.Market().Params(asking, &markettypes.QueryParamsRequest{})
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return paramsJSON{
		at: now, ChainID: id, Local: isLocal(id), Denom: client.Denom, Prefix: alphatypes.Bech32Prefix, CoinType: coinType,
		GasPrice: price(s.cfg.GasPrice), GasAdjustment: gasAdjustment, TxLifetimeBlocks: client.TxLifetime, BlockSeconds: blockSeconds(emission.Params),
		TradeFee: share(alpha.Params.TradeFee), MinTradeRao: alpha.Params.MinTrade, MinReserve: alpha.Params.MinReserve,
		DefaultSlippage: client.DefaultSlippage, MaxTake: share(alpha.Params.MaxTake), ColdkeySwapDelay: alpha.Params.ColdkeySwapDelay,
		ColdkeySwapFeeRao: alpha.Params.ColdkeySwapFee, RecoveryDelay: alpha.Params.RecoveryDelay, HotkeySwapFeeRao: subnets.Params.HotkeySwapFee,
		MinDepositRao: market.Params.MinDeposit, MinCloseDelaySeconds: market.Params.MinCloseDelay, MaxCloseDelaySeconds: market.Params.MaxCloseDelay,
	}, nil
}

func (s *Server) chainAccount(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	id, err := s.client.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	sign, err := s.signing(ctx, address)
	if err != nil {
		return nil, err
	}
	balance, err := s.client.Balance(ctx, address)
	if err != nil {
		return nil, err
	}
	return struct {
		at
		ChainID       string  `json:"chain_id"`
		Address       string  `json:"address"`
		Exists        bool    `json:"exists"`
		AccountNumber uint64  `json:"account_number,string"`
		Sequence      uint64  `json:"sequence,string"`
		KeyType       *string `json:"key_type"`
		PublicKey     *string `json:"public_key"`
		BalanceRao    uint64  `json:"balance_rao,string"`
	}{now, id, address, sign.exists, sign.number, sign.sequence, sign.keyType, sign.publicKey, balance}, nil
}

// maxTx is how many bytes a transaction may have: no block takes a larger one.
const maxTx = 1 << 20

// txBytes reads the transaction of a request's body.
func (a *ask) txBytes() ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, fail(http.StatusUnsupportedMediaType, "bad_value", "send Content-Type: application/json", "the body is no JSON")
	}
	var body struct {
		TxBytes *string `json:"tx_bytes"`
	}
	dec := json.NewDecoder(a.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(&body)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one value")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fail(http.StatusRequestEntityTooLarge, "too_large", "", "a body may have %d bytes", large.Limit)
	case err != nil:
		return nil, badValue(`send {"tx_bytes": "BASE64"}`, "the body can't be read: %v", err)
	case body.TxBytes == nil:
		return nil, badValue(`send {"tx_bytes": "BASE64"}`, "tx_bytes is missing")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(*body.TxBytes)
	if err != nil || len(raw) == 0 {
		return nil, badValue("", "tx_bytes is no base64 of a transaction")
	}
	if len(raw) > maxTx {
		return nil, fail(http.StatusRequestEntityTooLarge, "too_large", "", "the transaction has %d bytes, no block takes more than %d", len(raw), maxTx)
	}
	return raw, nil
}

func (s *Server) simulate(ctx context.Context, a *ask) (any, error) {
	tx, err := a.txBytes()
	if err != nil {
		return nil, err
	}
	height, t, err := s.chain.latest(ctx)
	if err != nil {
		return nil, err
	}
	used, err := s.client.SimulateRaw(ctx, tx)
	if err != nil {
		return nil, err
	}
	limit := uint64(math.Ceil(float64(used) * gasAdjustment))
	fee, err := feeOf(s.cfg.GasPrice, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		at
		GasUsed  uint64 `json:"gas_used,string"`
		GasLimit uint64 `json:"gas_limit,string"`
		FeeRao   uint64 `json:"fee_rao,string"`
	}{newAt(height, t), used, limit, fee}, nil
}

// feeOf is what gas costs, in rao, rounded up.
func feeOf(gasPrice string, gas uint64) (uint64, error) {
	p, err := sdkmath.LegacyNewDecFromStr(gasPrice)
	if err != nil {
		return 0, err
	}
	fee := p.MulInt(sdkmath.NewIntFromUint64(gas)).Ceil().TruncateInt()
	if !fee.IsUint64() {
		return 0, errors.New("the fee is beyond all TAO")
	}
	return fee.Uint64(), nil
}

func (s *Server) broadcast(ctx context.Context, a *ask) (any, error) {
	tx, err := a.txBytes()
	if err != nil {
		return nil, err
	}
	r, err := s.client.SendRaw(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.chain.wait(ctx, r.Height) // who asks next sees what it has done
	t, err := s.client.BlockTime(ctx, r.Height)
	if err != nil {
		return nil, err
	}
	return struct {
		at
		Hash    string `json:"hash"`
		GasUsed string `json:"gas_used"`
	}{newAt(r.Height, t), r.Hash, strconv.FormatInt(max(0, r.GasUsed), 10)}, nil
}
