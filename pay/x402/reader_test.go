package x402_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
)

func formed(t testing.TB, resource string, extensions x402.Extensions) *x402.Form {
	t.Helper()
	f, err := x402.NewForm(&x402.Resource{URL: resource, Tags: []string{"a"}}, x402.Requirements{Scheme: x402.Scheme, Network: "cosmos:a-1", Amount: "1",
		Asset: "rao", PayTo: "lode1provider", MaxTimeoutSeconds: 1, Extra: json.RawMessage(`{"b":1}`)}, extensions)
	require.NoError(t, err)
	return f
}

func voucherOf(n int) x402.Voucher {
	return x402.Voucher{ChannelID: fmt.Sprintf("%064x", n), MaxClaimableAmount: fmt.Sprint(n), Signature: fmt.Sprintf("%0128x", n)}
}

func TestAReaderReadsWhatDecodePaymentReads(t *testing.T) {
	var r x402.Reader
	extensions := map[string]x402.Extensions{"none": nil, "ours": x402.DeclareIdentifier(),
		"another behind": {"z": json.RawMessage(`{"info":{"id":"pay_aaaaaaaaaaaaaaaa"}}`), x402.ExtensionIdentifier: x402.DeclareIdentifier()[x402.ExtensionIdentifier]}}
	for name, e := range extensions {
		for n := range 5 {
			header := formed(t, "https://"+strings.ReplaceAll(name, " ", "."), e).Encode(voucherOf(n+1), fmt.Sprintf("pay_%016d", n))
			want, err := x402.DecodePayment(header)
			require.NoError(t, err)
			got, err := r.DecodePayment(header)
			require.NoError(t, err)
			require.Equal(t, want, got, "%s, payment %d", name, n)
		}
	}
}

// Hostile payments begin as one that is known.
func TestWhatDiffersFromAKnownPaymentIsReadWhole(t *testing.T) {
	var r x402.Reader
	f := formed(t, "https://a.example", x402.DeclareIdentifier())
	good := f.Encode(voucherOf(1), "pay_0123456789abcdef")
	_, err := r.DecodePayment(good)
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(good)
	require.NoError(t, err)
	text := string(raw)
	for name, s := range map[string]string{
		"an escaped identifier":      strings.Replace(text, "pay_0123456789abcdef", `pay_0123456789abcde\u0066`, 1),
		"a short identifier":         strings.Replace(text, "pay_0123456789abcdef", "pay_", 1),
		"no identifier":              strings.Replace(text, "pay_0123456789abcdef", "", 1),
		"an upper-case signature":    strings.Replace(text, fmt.Sprintf("%0128x", 1), strings.Repeat("0A", 64), 1),
		"a short signature":          strings.Replace(text, fmt.Sprintf("%0128x", 1), strings.Repeat("0a", 63), 1),
		"a channel that is cut":      strings.Replace(text, fmt.Sprintf("%064x", 1), strings.Repeat("0", 62), 1),
		"a sum with a zero":          strings.Replace(text, `"maxClaimableAmount":"1"`, `"maxClaimableAmount":"01"`, 1),
		"a sum that is too large":    strings.Replace(text, `"maxClaimableAmount":"1"`, `"maxClaimableAmount":"18446744073709551616"`, 1),
		"a sum of none":              strings.Replace(text, `"maxClaimableAmount":"1"`, `"maxClaimableAmount":""`, 1),
		"a deposit beside it":        strings.Replace(text, `"}},"extensions"`, `"},"deposit":{"amount":"1","transaction":"a"}},"extensions"`, 1),
		"the payload twice":          strings.TrimSuffix(text, "}") + `,"payload":{"type":"refund","voucher":{"channelId":"` + strings.Repeat("0a", 32) + `","maxClaimableAmount":"7","signature":"` + strings.Repeat("0b", 64) + `"}}}`,
		"more behind it":             text + " {}",
		"a space behind it":          text + " ",
		"cut off":                    text[:len(text)-1],
		"cut off in the head":        text[:40],
		"cut off behind the head":    text[:strings.Index(text, "channelId")+12],
		"not UTF-8":                  strings.Replace(text, "pay_0123456789abcdef", "pay_0123456789abcde\xff", 1),
		"another version":            strings.Replace(text, `"x402Version":2`, `"x402Version":3`, 1),
		"another amount":             strings.Replace(text, `"amount":"1"`, `"amount":"2"`, 1),
		"another field in a voucher": strings.Replace(text, `","signature"`, `","x":"","signature"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, text, s)
			header := base64.StdEncoding.EncodeToString([]byte(s))
			want, wantErr := x402.DecodePayment(header)
			got, err := r.DecodePayment(header)
			require.Equal(t, wantErr, err)
			require.Equal(t, want, got)
		})
	}
}

func TestAReaderKeepsOnlySoMany(t *testing.T) {
	var r x402.Reader
	for n := range 1000 {
		header := formed(t, fmt.Sprint("https://a.example/", n), nil).Encode(voucherOf(n), "pay_0123456789abcdef")
		_, err := r.DecodePayment(header)
		require.NoError(t, err)
		require.LessOrEqual(t, r.Known(), 256)
	}
	require.Positive(t, r.Known())
}

func FuzzReader(f *testing.F) {
	one := formed(f, "https://a.example", x402.DeclareIdentifier())
	good := one.Encode(voucherOf(1), "pay_0123456789abcdef")
	raw, err := base64.StdEncoding.DecodeString(good)
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(strings.Replace(string(raw), `"}},"extensions"`, `" }},"extensions"`, 1)))
	var r x402.Reader
	_, err = r.DecodePayment(good)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		header := base64.StdEncoding.EncodeToString(raw)
		want, wantErr := x402.DecodePayment(header)
		got, err := r.DecodePayment(header)
		require.Equal(t, wantErr, err)
		require.Equal(t, want, got)
	})
}

func settlements() []x402.Settlement {
	state := &x402.ChannelState{ChannelID: strings.Repeat("0a", 32), Balance: "1", TotalClaimed: "2", WithdrawRequestedAt: 3, ChargedCumulativeAmount: "4"}
	return []x402.Settlement{
		{},
		{Success: true, Payer: "lode1payer", Network: "cosmos:a-1", Extra: x402.SettlementExtra{CommitmentID: "a/b", ChargedAmount: "1", ChannelState: state}},
		{Success: true, Payer: "lode1payer", Network: "cosmos:a-1", Extra: x402.SettlementExtra{ChannelState: state}},
		{ErrorReason: "no", ErrorMessage: `a "word"`, Transaction: "a", Amount: "1"},
		{ErrorReason: "ü", Extensions: x402.DeclareIdentifier()},
	}
}

func TestASettlementIsReadAsItsJSONIs(t *testing.T) {
	for _, s := range settlements() {
		raw, err := s.AppendJSON(nil)
		require.NoError(t, err)
		got, err := x402.ParseSettlement(raw)
		require.NoError(t, err)
		require.Equal(t, s, got)
		for cut := range raw {
			_, err := x402.ParseSettlement(raw[:cut])
			require.ErrorIs(t, err, x402.ErrMalformed, "%s", raw[:cut])
		}
	}
}

func FuzzSettlement(f *testing.F) {
	for _, s := range settlements() {
		raw, err := s.AppendJSON(nil)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := x402.ScanSettlement(string(raw))
		if !ok {
			return
		}
		var want x402.Settlement
		require.NoError(t, json.Unmarshal(raw, &want))
		require.Equal(t, want, got)
	})
}
