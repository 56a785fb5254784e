package pay_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
)

// rawPayer pays by hand: it sends whatever a test wants it to.
type rawPayer struct {
	t   testing.TB
	url string
	id  []byte
	key ed25519.PrivateKey
	n   *int // payments made
}

// raw opens a channel on the chain and pays with it.
func (s *shop) raw(n uint64, deposit uint64) *rawPayer {
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(s.t, err)
	return &rawPayer{t: s.t, url: s.server.URL, key: key, n: new(int), id: s.chain.open(n, key.Public().(ed25519.PublicKey), deposit)}
}

// terms asks what a path costs.
func (p *rawPayer) terms(path string) x402.Required {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	require.Equal(p.t, http.StatusPaymentRequired, resp.StatusCode)
	required, err := x402.DecodeRequired(resp.Header.Get(x402.HeaderRequired))
	require.NoError(p.t, err)
	return required
}

func (p *rawPayer) voucher(cumulative uint64) x402.Voucher {
	v := voucher.Voucher{ChannelID: p.id, Cumulative: cumulative}
	return x402.Voucher{ChannelID: hex.EncodeToString(p.id), MaxClaimableAmount: x402.Amount(cumulative),
		Signature: hex.EncodeToString(v.Sign(chainID, p.key))}
}

// payment is a good one for so much in all, with a new identifier.
func (p *rawPayer) payment(path string, cumulative uint64) x402.Payment {
	p.t.Helper()
	required := p.terms(path)
	*p.n++
	ext, err := required.Extensions.WithIdentifier(fmt.Sprintf("pay_%016d", *p.n))
	require.NoError(p.t, err)
	return x402.Payment{X402Version: 2, Resource: &required.Resource, Accepted: required.Accepts[0], Extensions: ext,
		Payload: x402.Payload{Type: x402.TypeVoucher, Voucher: p.voucher(cumulative)}}
}

type rawAnswer struct {
	status     int
	body       string
	header     http.Header
	required   x402.Required
	settlement x402.Settlement
}

// reason is why it was refused.
func (a rawAnswer) reason() string { return a.required.Error }

// send sends a payment.
func (p *rawPayer) send(method, path string, payment x402.Payment) rawAnswer {
	p.t.Helper()
	header, err := x402.Encode(payment)
	require.NoError(p.t, err)
	return p.sendHeader(method, path, header)
}

func (p *rawPayer) sendHeader(method, path string, headers ...string) rawAnswer {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, nil)
	require.NoError(p.t, err)
	req.Header[http.CanonicalHeaderKey(x402.HeaderSignature)] = headers
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	a := rawAnswer{status: resp.StatusCode, body: string(body), header: resp.Header}
	if h := resp.Header.Get(x402.HeaderRequired); h != "" {
		a.required, err = x402.DecodeRequired(h)
		require.NoError(p.t, err)
	}
	if h := resp.Header.Get(x402.HeaderResponse); h != "" {
		a.settlement, err = x402.DecodeSettlement(h)
		require.NoError(p.t, err)
	}
	require.False(p.t, resp.Header.Get(x402.HeaderRequired) != "" && resp.Header.Get(x402.HeaderResponse) != "", "never both headers")
	return a
}

// buy is the whole of it: a payment for so much, sent.
func (p *rawPayer) buy(path string, cumulative uint64) rawAnswer {
	p.t.Helper()
	return p.send(http.MethodGet, path, p.payment(path, cumulative))
}

// counted counts how often a handler ran.
type counted struct {
	next http.HandlerFunc
	runs chan struct{}
}

func count(next http.HandlerFunc) *counted { return &counted{next, make(chan struct{}, 10_000)} }

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.runs <- struct{}{}
	c.next(w, r)
}

func (c *counted) n() int { return len(c.runs) }

func hexOf(s string, n int) string { return strings.Repeat(s, n) }

func mustURL(t testing.TB, s string) *url.URL {
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}
