package client_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

func TestAmountsAreReadExactly(t *testing.T) {
	for in, want := range map[string]uint64{
		"0": 0, "1": tao, "1.5": 1_500_000_000, "0.000000001": 1, "21000000": 21_000_000 * tao,
		"1.500000000": 1_500_000_000, "007": 7 * tao, "20999999.999999999": 21_000_000*tao - 1,
	} {
		got, err := client.ParseTAO(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}

func TestAmountsThatCantBeMeantAreRefused(t *testing.T) {
	for in, why := range map[string]string{
		"": "is not a number of TAO", ".": "is not a number", ".5": "is not a number", "5.": "is not a number",
		"-1": "is negative", "-": "is negative", "+1": "is not a number", "1e3": "is not a number", "1,5": "is not a number",
		"1.5 ": "is not a number", "0x10": "is not a number", "1.2.3": "is not a number", "NaN": "is not a number", "١": "is not a number",
		"0.0000000001": "has 10 digits after the point, the smallest unit of TAO has 9", "1.0000000000": "has 10 digits",
		"21000000.000000001": "more TAO than there can ever be (21,000,000)", "18446744073709551616": "more TAO",
		strings.Repeat("9", 100): "more TAO", strings.Repeat("9", 1_000): "is not a number",
	} {
		_, err := client.ParseTAO(in)
		require.ErrorContains(t, err, why, in)
	}
	_, err := client.ParseAlpha("-1")
	require.ErrorContains(t, err, "alpha")
}

func TestAmountsSurviveBeingWrittenAndRead(t *testing.T) {
	require.Equal(t, "18446744073.709551615", client.FormatTAO(math.MaxUint64))
	require.Equal(t, "0", client.FormatAlpha(0))
	require.Equal(t, "10", client.FormatTAO(10*tao))
	rapid.Check(t, func(t *rapid.T) {
		rao := rapid.Uint64Range(0, 21_000_000*tao).Draw(t, "rao")
		got, err := client.ParseTAO(client.FormatTAO(rao))
		require.NoError(t, err)
		require.Equal(t, rao, got)
	})
}

func FuzzParseTAO(f *testing.F) {
	for _, s := range []string{"1.5", "-1", "0.0000000001", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rao, err := client.ParseTAO(s)
		if err == nil && rao > 21_000_000*tao {
			t.Fatalf("%q gives %d rao", s, rao)
		}
	})
}

func TestLimitsLieOnTheSafeSideOfThePrice(t *testing.T) {
	for _, c := range []struct {
		price           string
		slippage        uint32
		highest, lowest uint64
	}{
		{"1", 500, 1_050_000_000, 950_000_000},
		{"0.123456789", 0, 123_456_789, 123_456_789},
		{"0.0000000015", 0, 2, 1}, // up for a purchase, down for a sale
		{"0", 500, 1, 1},
		{"0.1", 100, 101_000_000, 99_000_000},
		{"340282366920938463463374607431768211455.5", 500, math.MaxUint64, math.MaxUint64},
		{"1", 9_999, 1_999_900_000, 100_000},
	} {
		high, err := client.StakeLimit(c.price, c.slippage)
		require.NoError(t, err)
		require.Equal(t, c.highest, high, c)
		low, err := client.UnstakeLimit(c.price, c.slippage)
		require.NoError(t, err)
		require.Equal(t, c.lowest, low, c)
	}
	for _, price := range []string{"", "-1", "1/3", "1e9", "Inf", "..", strings.Repeat("1", 300)} {
		_, err := client.StakeLimit(price, 500)
		require.ErrorContains(t, err, "price", price)
		_, err = client.UnstakeLimit(price, 500)
		require.ErrorContains(t, err, "price", price)
	}
	_, err := client.UnstakeLimit("1", 10_000)
	require.ErrorContains(t, err, "would sell at any price")
}

func TestAQuoteShowsTheWorstThatTheLimitAllows(t *testing.T) {
	f := newFakeChain("lode-test-1")
	f.answer["/lode.alpha.v1.Query/Quote"] = func(raw []byte) (proto.Message, error) {
		var req alphatypes.QueryQuoteRequest
		require.NoError(t, req.Unmarshal(raw))
		if req.Tao > 0 {
			return &alphatypes.QueryQuoteResponse{Received: 4_975_000_000, Fee: 5_000_000, PriceBefore: "2", PriceAfter: "2.02", Height: 7}, nil
		}
		return &alphatypes.QueryQuoteResponse{Received: 15_000_000_000, Fee: 5_000_000, PriceBefore: "2", PriceAfter: "1.5", Height: 7}, nil
	}
	c := connect(t, nil, f.node(t))
	buy, err := c.QuoteStake(context.Background(), 1, 10*tao, client.DefaultSlippage)
	require.NoError(t, err)
	require.Equal(t, client.Trade{
		Netuid: 1, Height: 7, Given: 10 * tao, Received: 4_975_000_000, Fee: 5_000_000, Worst: 9_995_000_000 * 10 / 21,
		Before: "2", After: "2.02", LimitPrice: 2_100_000_000, WithinLimit: true,
	}, buy)
	require.EqualValues(t, 4_997_500_000*10/21, buy.WorstWith(5*tao), "half of it, less half of the fee")
	require.EqualValues(t, (tao+1-500_001)*10/21, buy.WorstWith(tao+1), "a fee is rounded up")
	require.Zero(t, buy.WorstWith(0))
	sell, err := c.QuoteUnstake(context.Background(), 1, 10*tao, client.DefaultSlippage)
	require.NoError(t, err)
	require.EqualValues(t, 1_900_000_000, sell.LimitPrice)
	require.EqualValues(t, 9_995_000_000*19/10, sell.Worst)
	require.False(t, sell.WithinLimit, "it would move the price by 25 %")
}
