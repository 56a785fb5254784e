package x402_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
)

type vector struct {
	Kind, Name, Header string
	JSON               json.RawMessage
}

// vectors are headers that the npm packages wrote.
func vectors(t testing.TB) []vector {
	raw, err := os.ReadFile("testdata/headers.json")
	require.NoError(t, err)
	var file struct{ Vectors []vector }
	require.NoError(t, json.Unmarshal(raw, &file))
	require.NotEmpty(t, file.Vectors)
	return file.Vectors
}

func decodeAs(kind, header string) (any, error) {
	switch kind {
	case "required":
		return x402.DecodeRequired(header)
	case "payment":
		return x402.DecodePayment(header)
	}
	return x402.DecodeSettlement(header)
}

func TestHeadersOfTheNpmPackagesReadAndWriteAlike(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := decodeAs(v.Kind, v.Header)
			require.NoError(t, err)
			again, err := x402.Encode(got)
			require.NoError(t, err)
			raw, err := base64.StdEncoding.DecodeString(again)
			require.NoError(t, err)
			require.JSONEq(t, string(v.JSON), string(raw), "nothing is lost or added")
		})
	}
}

func TestAPaymentOfTheNpmPackageSaysWhatItPays(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Kind != "payment" {
			continue
		}
		p, err := x402.DecodePayment(v.Header)
		require.NoError(t, err)
		voucher, err := p.Payload.Voucher.Parse()
		require.NoError(t, err)
		require.Equal(t, uint64(5000), voucher.Cumulative)
		require.Equal(t, strings.Repeat("\xab", 32), string(voucher.ChannelID))
		require.Len(t, voucher.Signature, 64)
		id, err := p.Extensions.Identifier()
		require.NoError(t, err)
		require.Equal(t, "pay_7d5d747be160e280504c099d984bcfe0", id)
		terms, err := p.Accepted.Terms()
		require.NoError(t, err)
		require.Equal(t, x402.Terms{ReceiverAuthorizer: "lode1provider", WithdrawDelay: 3600, MinDeposit: "1000000",
			ServiceID: "7", Unit: "token", Price: "50", Per: "1000000"}, terms)
		chain, ok := x402.ChainID(p.Accepted.Network)
		require.True(t, ok)
		require.Equal(t, "lode-local-1", chain)
		return
	}
	t.Fatal("no payment among the vectors")
}

func TestAClientEchoesTheServersExtensionsAndAddsItsIdentifier(t *testing.T) {
	var declared x402.Extensions
	for _, v := range vectors(t) {
		if r, err := x402.DecodeRequired(v.Header); v.Kind == "required" && err == nil && r.Extensions != nil {
			declared = r.Extensions
		}
	}
	require.NotNil(t, declared)
	declared["other"] = json.RawMessage(`{"info":{}}`)
	ext, err := declared.WithIdentifier("pay_0123456789abcdef")
	require.NoError(t, err)
	id, err := ext.Identifier()
	require.NoError(t, err)
	require.Equal(t, "pay_0123456789abcdef", id)
	require.JSONEq(t, `{"info":{}}`, string(ext["other"]))
	none, err := declared.Identifier()
	require.NoError(t, err)
	require.Empty(t, none, "the server's declaration is not changed")
	// Ours and theirs declare the same.
	require.JSONEq(t, string(declared["payment-identifier"]), string(x402.DeclareIdentifier()["payment-identifier"]))
}

func payment(change func(m map[string]any)) string {
	m := map[string]any{
		"x402Version": 2,
		"accepted": map[string]any{"scheme": "batch-settlement", "network": "cosmos:a-1", "amount": "1", "asset": "rao",
			"payTo": "x", "maxTimeoutSeconds": 1, "extra": map[string]any{}},
		"payload": map[string]any{"type": "voucher", "voucher": map[string]any{
			"channelId": strings.Repeat("0a", 32), "maxClaimableAmount": "1", "signature": strings.Repeat("0b", 64)}},
	}
	change(m)
	raw, _ := json.Marshal(m)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestMalformedPaymentsAreRefusedAsMalformed(t *testing.T) {
	voucher := func(m map[string]any) map[string]any {
		return m["payload"].(map[string]any)["voucher"].(map[string]any)
	}
	_, err := x402.DecodePayment(payment(func(map[string]any) {}))
	require.NoError(t, err)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, header := range map[string]string{
		"empty":                    "",
		"not base64":               "%%%",
		"base64 of a URL's kind":   "_-8=",
		"bits after the last":      "e30=e30=",
		"a line break in base64":   payment(func(map[string]any) {})[:20] + "\n" + payment(func(map[string]any) {})[20:],
		"not JSON":                 b64("hello"),
		"an array":                 b64("[]"),
		"two values":               b64(`{"x402Version":2}{"x402Version":2}`),
		"not UTF-8":                b64("{\"x402Version\":2,\"payload\":{\"type\":\"\xff\"}}"),
		"deep nesting":             b64(strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000)),
		"too large":                b64(`{"x402Version":2,"x":"` + strings.Repeat("a", x402.MaxHeader) + `"}`),
		"no version":               payment(func(m map[string]any) { delete(m, "x402Version") }),
		"version 1":                payment(func(m map[string]any) { m["x402Version"] = 1 }),
		"no payload":               payment(func(m map[string]any) { delete(m, "payload") }),
		"a payload that is a list": payment(func(m map[string]any) { m["payload"] = []int{1} }),
		"an unknown type":          payment(func(m map[string]any) { m["payload"].(map[string]any)["type"] = "claim" }),
		"no channel":               payment(func(m map[string]any) { delete(voucher(m), "channelId") }),
		"a short channel":          payment(func(m map[string]any) { voucher(m)["channelId"] = "0a" }),
		"a channel with 0x":        payment(func(m map[string]any) { voucher(m)["channelId"] = "0x" + strings.Repeat("0a", 31) }),
		"an upper-case channel":    payment(func(m map[string]any) { voucher(m)["channelId"] = strings.Repeat("0A", 32) }),
		"no hex in the signature":  payment(func(m map[string]any) { voucher(m)["signature"] = strings.Repeat("zz", 64) }),
		"a number as amount":       payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = 1 }),
		"a negative amount":        payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "-1" }),
		"a fraction":               payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "1.5" }),
		"an exponent":              payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "1e9" }),
		"a leading zero":           payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "01" }),
		"a sign":                   payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "+1" }),
		"2^64":                     payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "18446744073709551616" }),
		"other digits":             payment(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "١" }),
		"a stream of no form":      payment(func(m map[string]any) { m["payload"].(map[string]any)["stream"] = "../etc" }),
		"a short identifier": payment(func(m map[string]any) {
			m["extensions"] = map[string]any{"payment-identifier": map[string]any{"info": map[string]any{"id": "short"}}}
		}),
		"a long identifier": payment(func(m map[string]any) {
			m["extensions"] = map[string]any{"payment-identifier": map[string]any{"info": map[string]any{"id": strings.Repeat("a", 129)}}}
		}),
		"an identifier with a line break": payment(func(m map[string]any) {
			m["extensions"] = map[string]any{"payment-identifier": map[string]any{"info": map[string]any{"id": strings.Repeat("a", 20) + "\n"}}}
		}),
		"a deposit without amount": payment(func(m map[string]any) {
			m["payload"].(map[string]any)["deposit"] = map[string]any{"transaction": "A"}
		}),
		"a deposit with an endless hash": payment(func(m map[string]any) {
			m["payload"].(map[string]any)["deposit"] = map[string]any{"amount": "1", "transaction": strings.Repeat("A", 200)}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := x402.DecodePayment(header)
			require.ErrorIs(t, err, x402.ErrMalformed)
		})
	}
}

func TestMalformedAnswersAreRefusedByClients(t *testing.T) {
	enc := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, s := range []string{`{}`, `{"x402Version":1,"accepts":[]}`, `[]`, `null x`,
		`{"x402Version":2,"accepts":[` + strings.Repeat(`{},`, 64) + `{}]}`} {
		_, err := x402.DecodeRequired(enc(s))
		require.ErrorIs(t, err, x402.ErrMalformed, s)
	}
	id := strings.Repeat("0a", 32)
	for _, s := range []string{
		`{"extra":{"chargedAmount":"-1"}}`, `{"extra":{"channelState":{}}}`, `{"extra":7}`,
		`{"extra":{"channelState":{"channelId":"` + id + `","balance":"1","totalClaimed":"x","chargedCumulativeAmount":"1"}}}`,
	} {
		_, err := x402.DecodeSettlement(enc(s))
		require.ErrorIs(t, err, x402.ErrMalformed, s)
		_, err = x402.ParseSettlement([]byte(s))
		require.ErrorIs(t, err, x402.ErrMalformed, s)
	}
	for _, s := range []string{``, `{}`, `{"channelId":"` + id + `","requiredCumulative":"1","acceptedCumulative":"1"}`} {
		_, err := x402.ParseNeedVoucher([]byte(s))
		require.ErrorIs(t, err, x402.ErrMalformed, s)
	}
	for _, extra := range []string{``, `null x`, `{"serviceId":1}`, `{"serviceId":"1","price":"1"}`,
		`{"serviceId":"1","price":"1","per":"1","voucherState":{"signedMaxClaimable":"1","signature":"00"}}`,
		`{"serviceId":"1","price":"1","per":"1","channelState":{"channelId":"00"}}`} {
		_, err := x402.Requirements{Scheme: x402.Scheme, Extra: json.RawMessage(extra)}.Terms()
		require.ErrorIs(t, err, x402.ErrMalformed, extra)
	}
	for _, body := range []string{"", "{", strings.Repeat(" ", x402.MaxBody+1), `{"paymentPayload":{}}`} {
		_, err := x402.ParseVerifyRequest(strings.NewReader(body))
		require.ErrorIs(t, err, x402.ErrMalformed)
	}
}

func FuzzDecoders(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, kind := range []string{"required", "payment", "settlement"} {
			v, err := decodeAs(kind, header)
			if err != nil {
				require.ErrorIs(t, err, x402.ErrMalformed)
				continue
			}
			again, err := x402.Encode(v)
			require.NoError(t, err)
			if len(again) <= x402.MaxHeader {
				_, err = decodeAs(kind, again)
				require.NoError(t, err, "what was read can be written and read again")
			}
		}
	})
}
