package bench_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// payChain is a chain in memory, as far as a gateway and a client ask one.
type payChain struct {
	mu       sync.Mutex
	channels map[string]*markettypes.Channel
}

func (c *payChain) ChainID(context.Context) (string, error) { return voucherChain, nil }

func (c *payChain) Channel(_ context.Context, id []byte) (*markettypes.QueryChannelResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.channels[string(id)]; ch != nil {
		return &markettypes.QueryChannelResponse{Channel: *ch, Hotkey: "provider", Height: 1}, nil
	}
	return nil, pay.ErrNoChannel
}

func (c *payChain) Service(context.Context, uint64) (*markettypes.ServiceInfo, error) {
	return &markettypes.ServiceInfo{Hotkey: "provider", Service: markettypes.Service{Id: 1, Unit: markettypes.UNIT_REQUEST, Price: 10, Per: 1, Listed: true}}, nil
}

func (c *payChain) Services(context.Context) ([]markettypes.ServiceInfo, error) { return nil, nil }

func (c *payChain) all() []markettypes.Channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []markettypes.Channel
	for _, ch := range c.channels {
		all = append(all, *ch)
	}
	return all
}

func (c *payChain) ChannelsTo(context.Context, string) ([]markettypes.Channel, error) {
	return c.all(), nil
}
func (c *payChain) ChannelsOf(context.Context) ([]markettypes.Channel, error) { return c.all(), nil }

func (c *payChain) Redeem(_ context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &markettypes.MsgRedeemResponse{Results: make([]markettypes.RedeemResult, len(items))}
	for i, it := range items {
		ch := c.channels[string(it.ChannelId)]
		r.Results[i] = markettypes.RedeemResult{Status: markettypes.REDEEM_PAID, Paid: it.Claim - ch.Claimed}
		ch.Claimed = it.Claim
	}
	return r, nil
}

func (c *payChain) Close(context.Context, []byte) (*markettypes.MsgCloseResponse, error) {
	return &markettypes.MsgCloseResponse{}, nil
}

func (c *payChain) CancelPlan(context.Context, []byte, bool) (*markettypes.MsgCancelPlanResponse, error) {
	return &markettypes.MsgCancelPlanResponse{}, nil
}

func (c *payChain) Deposit(_ context.Context, m markettypes.MsgDeposit) (pay.Deposited, error) {
	id := m.ChannelId
	if len(id) == 0 {
		id = voucher.ChannelID(voucherChain, voucher.Config{SessionKey: m.SessionKey, ServiceID: m.ServiceId}, 1)
	}
	c.put(id, m.SessionKey, m.Amount)
	return pay.Deposited{ChannelID: id, Deposit: m.Amount, Transaction: "TX"}, nil
}

func (c *payChain) put(id, key []byte, deposit uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channels[string(id)] = &markettypes.Channel{Id: id, Payer: "payer", Provider: "provider", ServiceId: 1, SessionKey: key, CloseDelay: 3600, Deposit: deposit}
}

func greet(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// BenchmarkPaidRequest asks for the same answer by turns unpaid and paid, over loopback
// on connections that are kept, and reports the middle times.
func BenchmarkPaidRequest(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%v", durable), func(b *testing.B) { paidRequest(b, durable) })
	}
}

func paidRequest(b *testing.B, durable bool) {
	chain := &payChain{channels: map[string]*markettypes.Channel{}}
	g, err := pay.OpenGateway(context.Background(), pay.GatewayConfig{Dir: b.TempDir(), Chain: chain, ServiceID: 1, Sync: durable})
	must(b, err)
	defer func() { must(b, g.Close()) }()
	mux := http.NewServeMux()
	mux.HandleFunc("/free", greet)
	mux.Handle("/paid", g.Handler(pay.Route{Units: pay.Flat(1)}, http.HandlerFunc(greet)))
	server := httptest.NewServer(mux)
	defer server.Close()
	c, err := pay.OpenClient(pay.ClientConfig{Dir: b.TempDir(), Chain: chain, Sync: durable, Limits: pay.Limits{Deposit: 1 << 50}})
	must(b, err)
	defer func() { must(b, c.Close()) }()
	ask := func(by *http.Client, path string) time.Duration {
		begin := time.Now()
		resp, err := by.Get(server.URL + path)
		must(b, err)
		_, err = io.Copy(io.Discard, resp.Body)
		must(b, err)
		must(b, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
		return time.Since(begin)
	}
	plain, payer := &http.Client{}, &http.Client{Transport: c}
	for range 100 { // both are warm
		ask(plain, "/free")
		ask(payer, "/paid")
	}
	var free, paid []float64
	b.ResetTimer()
	for range b.N {
		for range 100 {
			free = append(free, float64(ask(plain, "/free").Nanoseconds())/1e3)
			paid = append(paid, float64(ask(payer, "/paid").Nanoseconds())/1e3)
		}
	}
	b.ReportMetric(median(free), "unpaid-µs")
	b.ReportMetric(median(paid), "paid-µs")
	b.ReportMetric(median(paid)-median(free), "added-µs")
	b.ReportMetric(slices.Min(paid)-slices.Min(free), "added-min-µs")
}

// BenchmarkGatewayChannels fills a gateway with 10,000 channels that have paid, and
// reports what they take in memory and on disk to open again, and a payment and a
// redemption of all of them.
func BenchmarkGatewayChannels(b *testing.B) {
	const channels = 10_000
	chain := &payChain{channels: map[string]*markettypes.Channel{}}
	cfg := pay.GatewayConfig{Dir: b.TempDir(), Chain: chain, ServiceID: 1}
	before := heap()
	g, err := pay.OpenGateway(context.Background(), cfg)
	must(b, err)
	empty := heap()
	handler := g.Handler(pay.Route{Units: pay.Flat(1)}, http.HandlerFunc(greet))
	unpaid := httptest.NewRecorder()
	handler.ServeHTTP(unpaid, httptest.NewRequest(http.MethodGet, "/", nil))
	required, err := x402.DecodeRequired(unpaid.Header().Get(x402.HeaderRequired))
	must(b, err)
	begin := time.Now()
	for n := range channels {
		key := sessionKey(1, n)
		id := make([]byte, 32)
		binary.BigEndian.PutUint64(id, uint64(n))
		chain.put(id, key.Public().(ed25519.PublicKey), 1<<40)
		v := voucher.Voucher{ChannelID: id, Cumulative: 10}
		header, err := x402.Encode(x402.Payment{X402Version: x402.Version, Accepted: required.Accepts[0], Payload: x402.Payload{Type: x402.TypeVoucher,
			Voucher: x402.Voucher{ChannelID: hex.EncodeToString(id), MaxClaimableAmount: "10", Signature: hex.EncodeToString(v.Sign(voucherChain, key))}}})
		must(b, err)
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Header.Set(x402.HeaderSignature, header)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	first := float64(time.Since(begin).Microseconds()) / channels
	held := float64(heap() - empty)
	must(b, g.Close())

	var opened []float64
	b.ResetTimer()
	for range b.N {
		runtime.GC()
		begin := time.Now()
		g, err = pay.OpenGateway(context.Background(), cfg)
		must(b, err)
		opened = append(opened, float64(time.Since(begin).Microseconds())/1e3)
		if n := len(g.Channels()); n != channels {
			b.Fatal(n)
		}
		must(b, g.Close())
	}
	b.ReportMetric(first, "µs/first-payment")
	b.ReportMetric(held/(1<<20), "MiB")
	b.ReportMetric(float64(empty-before)/(1<<20), "MiB-empty")
	b.ReportMetric(slices.Min(opened), "min-ms/restart")
	b.ReportMetric(median(opened), "ms/restart")

	g, err = pay.OpenGateway(context.Background(), cfg)
	must(b, err)
	begin = time.Now()
	got, err := g.Redeem(context.Background(), true)
	must(b, err)
	if got.Channels != 0 && got.Channels != channels {
		b.Fatal(got)
	}
	b.ReportMetric(float64(time.Since(begin).Microseconds())/1e3, "ms/redeem-all")
	must(b, g.Close())
}

// heap is the memory that is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
