package pay_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// TestBooksAddUpWhateverCustomersSend lets customers send vouchers that rise, fall and
// repeat, between redemptions, top-ups and restarts.
func TestBooksAddUpWhateverCustomersSend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "pay")
		require.NoError(t, err)
		defer func() { require.NoError(t, os.RemoveAll(dir)) }()
		chain, clock := newFakeChain(), newClock()
		cfg := pay.GatewayConfig{Dir: dir, Chain: chain, ServiceID: 7, Now: clock.Now, RedeemAbove: 500}
		g, err := pay.OpenGateway(context.Background(), cfg)
		require.NoError(t, err)
		defer func() { require.NoError(t, g.Close()) }()
		serve := func(header string) *httptest.ResponseRecorder {
			req := httptest.NewRequest(http.MethodGet, "/", nil)
			if header != "" {
				req.Header.Set(x402.HeaderSignature, header)
			}
			w := httptest.NewRecorder()
			n := uint64(rapid.IntRange(0, 110).Draw(t, "units"))
			g.Handler(pay.Route{Units: pay.Flat(100)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := pay.MeterFrom(r.Context()).Charge(n); err != nil {
					http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
				}
			})).ServeHTTP(w, req)
			return w
		}
		required, err := x402.DecodeRequired(serve("").Header().Get(x402.HeaderRequired))
		require.NoError(t, err)

		type customer struct {
			rawPayer
			charged, highest uint64
			sent             []string
		}
		customers := make([]*customer, 2)
		for i := range customers {
			key := ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i)))
			customers[i] = &customer{rawPayer: rawPayer{key: key, id: chain.open(uint64(i+1), key.Public().(ed25519.PublicKey), 2000)}}
		}
		payments := 0
		t.Repeat(map[string]func(*rapid.T){
			"buy": func(t *rapid.T) {
				c := rapid.SampledFrom(customers).Draw(t, "customer")
				cumulative := c.charged + uint64(rapid.IntRange(-300, 600).Draw(t, "voucher"))
				if cumulative > 1<<60 {
					cumulative = 0
				}
				payments++
				ext, err := required.Extensions.WithIdentifier(fmt.Sprintf("pay_%016d", payments))
				require.NoError(t, err)
				header, err := x402.Encode(x402.Payment{X402Version: 2, Accepted: required.Accepts[0], Extensions: ext,
					Payload: x402.Payload{Type: x402.TypeVoucher, Voucher: c.voucher(cumulative)}})
				require.NoError(t, err)
				w := serve(header)
				if h := w.Header().Get(x402.HeaderResponse); h != "" {
					s, err := x402.DecodeSettlement(h)
					require.NoError(t, err)
					n, err := x402.ParseAmount(s.Extra.ChargedAmount)
					require.NoError(t, err)
					require.LessOrEqual(t, n, uint64(200))
					require.GreaterOrEqual(t, cumulative, c.charged+200, "only what its own voucher covers is served")
					c.charged += n
					if n > 0 || w.Code < 400 {
						c.sent = append(c.sent, header)
					}
					c.highest = max(c.highest, cumulative)
				} else {
					require.Equal(t, 402, w.Code)
				}
			},
			"send again": func(t *rapid.T) {
				c := rapid.SampledFrom(customers).Draw(t, "customer")
				if len(c.sent) > 0 {
					w := serve(rapid.SampledFrom(c.sent).Draw(t, "payment"))
					require.NotEmpty(t, w.Header().Get(x402.HeaderResponse))
				}
			},
			"top up": func(t *rapid.T) {
				c := rapid.SampledFrom(customers).Draw(t, "customer")
				chain.change(c.id, func(ch *markettypes.Channel) { ch.Deposit += 500 })
			},
			"round": func(t *rapid.T) { require.NoError(t, g.Tick(context.Background())) },
			"redeem": func(t *rapid.T) {
				chain.set(func() { chain.loseRedeem = rapid.Bool().Draw(t, "lost") })
				if _, err := g.Redeem(context.Background(), true); err != nil {
					require.ErrorIs(t, err, errDown)
				}
				chain.set(func() { chain.loseRedeem = false })
			},
			"start again": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
					t.Skip("it takes its time")
				}
				require.NoError(t, g.Close())
				g, err = pay.OpenGateway(context.Background(), cfg)
				require.NoError(t, err)
			},
			"": func(t *rapid.T) {
				sum, claimed := uint64(0), uint64(0)
				for _, ch := range g.Channels() {
					var c *customer
					for _, x := range customers {
						if fmt.Sprintf("%x", x.id) == ch.ID {
							c = x
						}
					}
					require.Equal(t, c.charged, ch.Charged)
					require.LessOrEqual(t, ch.Charged, ch.Signed)
					require.LessOrEqual(t, ch.Signed, ch.Limit)
					require.Equal(t, c.highest, ch.Signed)
					require.Zero(t, ch.Reserved)
					require.Empty(t, ch.Contested)
					require.LessOrEqual(t, ch.Claimed, ch.Charged)
					sum += ch.Charged
					claimed += ch.Claimed
				}
				history := uint64(0)
				require.NoError(t, g.History(clock.Now().Add(-1), func(e pay.Entry) bool {
					if e.Kind == pay.EntryCharge {
						history += e.Amount
					}
					return true
				}))
				require.Equal(t, sum, history)
				require.LessOrEqual(t, claimed, chain.claimed())
				require.LessOrEqual(t, chain.claimed(), sum)
				require.Equal(t, chain.claimed(), chain.paid)
			},
		})
	})
}
