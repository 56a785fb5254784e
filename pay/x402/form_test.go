package x402_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
)

func TestAFormIsThePaymentThatEncodeWrites(t *testing.T) {
	voucher := x402.Voucher{ChannelID: strings.Repeat("0a", 32), MaxClaimableAmount: "18446744073709551615", Signature: strings.Repeat("0b", 64)}
	accepted := x402.Requirements{Scheme: x402.Scheme, Network: "cosmos:a-1", Amount: "1", Asset: "rao", PayTo: `<"&\>`, MaxTimeoutSeconds: 1,
		Extra: json.RawMessage(`{ "b": "<&>", "a": [1, 2] }`)}
	const id = "pay_0123456789abcdef"
	for name, extensions := range map[string]x402.Extensions{
		"none":                     nil,
		"ours":                     x402.DeclareIdentifier(),
		"without a schema":         {x402.ExtensionIdentifier: json.RawMessage(`{"info":{"required":true,"id":"what the server says"}}`)},
		"a schema of another kind": {x402.ExtensionIdentifier: json.RawMessage(`{"schema": "a" }`)},
		"others before and behind": {"a\"<": json.RawMessage(`{ "info":{}}`), "z": json.RawMessage(`[ ]`), x402.ExtensionIdentifier: x402.DeclareIdentifier()[x402.ExtensionIdentifier]},
	} {
		for _, resource := range []*x402.Resource{nil, {URL: "https://a.example/?b=<&", Description: "\u2028ü", Tags: []string{"a"}}} {
			t.Run(name, func(t *testing.T) {
				with, err := extensions.WithIdentifier(id)
				require.NoError(t, err)
				want, err := x402.Encode(x402.Payment{X402Version: x402.Version, Resource: resource, Accepted: accepted, Extensions: with,
					Payload: x402.Payload{Type: x402.TypeVoucher, Voucher: voucher}})
				require.NoError(t, err)
				form, err := x402.NewForm(resource, accepted, extensions)
				require.NoError(t, err)
				require.Equal(t, want, form.Encode(voucher, id))
				require.Equal(t, want, form.Encode(voucher, id), "a form is used again")
				read, err := x402.DecodePayment(want)
				require.NoError(t, err)
				parsed, identifier := read.Read()
				require.Equal(t, id, identifier)
				require.Equal(t, uint64(1<<64-1), parsed.Cumulative)
			})
		}
	}
}

func TestADeclarationThatCanNotBeReadMakesNoForm(t *testing.T) {
	_, err := x402.NewForm(nil, x402.Requirements{}, x402.Extensions{x402.ExtensionIdentifier: json.RawMessage(`{"info":1}`)})
	require.ErrorIs(t, err, x402.ErrMalformed)
}

func TestASettlementWritesItselfAsEncodeDoes(t *testing.T) {
	state := &x402.ChannelState{ChannelID: "a", Balance: "1", TotalClaimed: "2", WithdrawRequestedAt: -3, ChargedCumulativeAmount: "4"}
	for _, s := range []x402.Settlement{
		{},
		{Success: true, Payer: "lode1payer", Network: "cosmos:a-1", Extra: x402.SettlementExtra{CommitmentID: "a/b", ChargedAmount: "1", ChannelState: state}},
		{ErrorReason: "\"<\\&\n", ErrorMessage: "ü\u2028\xff", Transaction: "a", Amount: "1", Extra: x402.SettlementExtra{ChannelState: state}},
		{Extensions: x402.DeclareIdentifier()},
	} {
		want, err := x402.Encode(s)
		require.NoError(t, err)
		got, err := s.Encode()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
