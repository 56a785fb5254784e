package app

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
)

// What metrics read of a transaction's bytes is what the application decodes.
func TestAnOfferIsReadAsTheApplicationReadsIt(t *testing.T) {
	enc := MakeEncodingConfig()
	to := sdk.AccAddress(make([]byte, 20)).String()
	rapid.Check(t, func(t *rapid.T) {
		b := enc.TxConfig.NewTxBuilder()
		msg := &banktypes.MsgSend{FromAddress: to, ToAddress: to, Amount: sdk.NewCoins(sdk.NewInt64Coin(BaseDenom, 1))}
		require.NoError(t, b.SetMsgs(msg))
		gas := rapid.Uint64().Draw(t, "gas")
		b.SetGasLimit(gas)
		b.SetMemo(rapid.String().Draw(t, "memo"))
		var fee sdk.Coins
		for _, amount := range rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 0, 3).Draw(t, "fee") {
			fee = append(fee, sdk.NewInt64Coin(BaseDenom, amount))
		}
		b.SetFeeAmount(fee)
		raw, err := enc.TxConfig.TxEncoder()(b.GetTx())
		require.NoError(t, err)
		want := paid
		if isFree(b.GetTx()) {
			want = lane
		}
		kind, got := offer(raw)
		require.Equal(t, want, kind)
		require.Equal(t, gas, got)
	})
}

func FuzzAnOfferOfAnyBytesIsReadWithoutPanic(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x12, 0x02, 0x12, 0x00})
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(protowire.AppendTag(nil, 2, protowire.StartGroupType))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if kind, _ := offer(raw); kind != lane && kind != paid {
			t.Errorf("kind %q", kind)
		}
	})
}
