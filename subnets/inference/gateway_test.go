package inference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// counter is somebody who asks miners through a gateway.
type counter struct {
	*inference.Gateway
	t        *testing.T
	pay      *pay.Client
	mu       sync.Mutex
	receipts []inference.Receipt
	log      *bytes.Buffer
}

// unpaid is a gateway over miners that cost nothing, behind plain HTTP.
func unpaid(t *testing.T, cfg inference.GatewayConfig, miners ...inference.Remote) *counter {
	t.Helper()
	c := &counter{t: t, log: &bytes.Buffer{}}
	cfg.Netuid, cfg.ChainID = 2, "lode-test-1"
	if cfg.Miners == nil {
		cfg.Miners = func(context.Context) ([]inference.Remote, error) { return miners, nil }
	}
	if cfg.Caller == nil {
		cfg.Caller = &inference.Caller{HTTP: http.DefaultClient, Envelope: inference.Plain{}}
	}
	cfg.Receipts = func(r inference.Receipt) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.receipts = append(c.receipts, r)
		return nil
	}
	cfg.Logger = slog.New(slog.NewTextHandler(&locked{mu: &c.mu, w: c.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	c.Gateway, err = inference.NewGateway(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// paid is a gateway that pays miners on the mesh.
func paid(t *testing.T, chain *sellertest.Chain, cfg inference.GatewayConfig, miners ...*minertest.Miner) *counter {
	t.Helper()
	host, name := minertest.Host(t, "gateway"), "gateway"
	chain.Give(name, 1e12)
	var c *counter
	dir := t.TempDir()
	own, err := pay.OpenClient(pay.ClientConfig{Dir: dir, Chain: chain.Payer(name), Base: host.RoundTripper(), SameTerms: true,
		Approve: func(q pay.Quote) error { return c.Approve(q) },
		Limits:  pay.Limits{PerRequest: 1e9, PerDay: 1e11, Deposit: minertest.Deposit, MaxDeposit: 1e12}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	var list []inference.Remote
	for i, m := range miners {
		require.NoError(t, host.AddPeer(m.Host.Hotkey(), m.Host.Endpoints()...))
		list = append(list, inference.Remote{UID: uint16(i), Hotkey: m.Host.Hotkey(), URL: m.URL})
	}
	cfg.Caller = &inference.Caller{HTTP: &http.Client{Transport: own}, Envelope: inference.Plain{}}
	cfg.Services = func(ctx context.Context) (map[uint64]inference.Service, error) {
		all, err := chain.Services(ctx)
		out := map[uint64]inference.Service{}
		for _, s := range all {
			out[s.Service.Id] = inference.Service{Hotkey: s.Hotkey, Price: s.Service.Price, Per: s.Service.Per}
		}
		return out, err
	}
	c = unpaid(t, cfg, list...)
	c.pay = own
	return c
}

// question is a request for an answer.
func question(text string) *api.Request {
	seed := int64(7)
	return &api.Request{ID: "chatcmpl-1", Model: "memory", Messages: []api.Message{{Role: api.User, Content: text}},
		Temperature: 1, TopP: 1, N: 1, Seed: &seed, MaxTokens: 32}
}

// ask asks and returns the text of each choice.
func (c *counter) ask(r *api.Request) ([]string, api.Usage, error) {
	texts := make([]string, r.N)
	ended := make([]int, r.N)
	used, err := c.Generate(c.t.Context(), r, func(e api.Event) error {
		texts[e.Choice] += e.Text
		if e.Finish != "" {
			ended[e.Choice]++
		}
		return nil
	})
	if err == nil {
		for _, n := range ended {
			require.Equal(c.t, 1, n, "each choice ends once")
		}
	}
	return texts, used, err
}

func (c *counter) refused(r *api.Request, kind api.Kind, text string) {
	c.t.Helper()
	_, _, err := c.ask(r)
	var e *api.Error
	require.ErrorAs(c.t, err, &e)
	require.Equal(c.t, kind, e.Kind, e.Message)
	require.Contains(c.t, e.Message, text)
}

// served is a miner behind plain HTTP.
func served(t *testing.T, hotkey string, cfg inference.MinerConfig, wrap ...func(http.Handler) http.Handler) inference.Remote {
	t.Helper()
	m, err := inference.NewMiner(cfg)
	require.NoError(t, err)
	var h http.Handler = m
	for _, w := range wrap {
		h = w(h)
	}
	return behind(t, hotkey, h)
}

func behind(t *testing.T, hotkey string, h http.Handler) inference.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(mesh.WithCaller(r.Context(), "customer")))
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return inference.Remote{Hotkey: hotkey, URL: s.URL}
}

// acting is a miner that shows an engine's card, and answers with whatever events it likes.
func acting(t *testing.T, hotkey string, act func(w http.ResponseWriter, r *http.Request, send func(any))) inference.Remote {
	return served(t, hotkey, inference.MinerConfig{Engine: memory.New(memory.Options{})}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			act(w, r, func(v any) {
				raw, err := json.Marshal(v)
				require.NoError(t, err)
				_, _ = fmt.Fprintf(w, "data: %s\n\n", raw)
				_ = http.NewResponseController(w).Flush()
			})
		})
	})
}

// direct asks an engine as the gateway does.
func answerOf(t *testing.T, r *api.Request, seed uint64) string {
	t.Helper()
	var text strings.Builder
	chat := &engine.Chat{}
	for _, m := range r.Messages {
		chat.Messages = append(chat.Messages, engine.Message{Role: string(m.Role), Content: m.Content})
	}
	_, err := memory.New(memory.Options{}).Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Chat: chat},
		Sampling: engine.Sampling{Temperature: r.Temperature, Seed: seed}, MaxTokens: r.MaxTokens},
		func(c engine.Chunk) error { text.WriteString(c.Text); return nil })
	require.NoError(t, err)
	return text.String()
}

func TestAGatewayAnswersByAMinerAndPaysIt(t *testing.T) {
	chain := sellertest.NewChain()
	var requests atomic.Int64
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "generate") {
				requests.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	c := paid(t, chain, inference.GatewayConfig{}, m)
	models, err := c.Models(t.Context())
	require.NoError(t, err)
	require.Len(t, models, 1)
	require.Equal(t, "memory", models[0].ID)
	require.Equal(t, uint64(price), models[0].OutputPrice)
	require.Equal(t, uint64(price/4), models[0].InputPrice)

	r := question("Tell me a story.")
	texts, used, err := c.ask(r)
	require.NoError(t, err)
	require.Equal(t, answerOf(t, r, 7), texts[0])
	require.Equal(t, int64(2), requests.Load(), "the first asks for the terms")
	_, _, err = c.ask(r)
	require.NoError(t, err)
	require.Equal(t, int64(3), requests.Load(), "the next one pays at once")

	cost := inference.Units(used.Prompt, used.Completion) * 1000
	require.Len(t, c.receipts, 2)
	got := c.receipts[0]
	require.Equal(t, cost, got.Paid)
	require.True(t, got.Exact)
	require.Equal(t, uint64(price), got.Price)
	require.Equal(t, used.Prompt, got.PromptTokens)
	require.Equal(t, used.Completion, got.CompletionTokens)
	require.Equal(t, m.Host.Hotkey(), got.Hotkey)
	require.Equal(t, uint64(7), got.Seed)
	require.Equal(t, engine.FinishLength, got.Finish)
	require.Equal(t, "chatcmpl-1", got.ID)
	require.Equal(t, inference.Totals{Answers: 2, Prompt: 2 * used.Prompt, Completion: 2 * used.Completion, Paid: 2 * cost}, c.Totals())
	spent, _ := c.pay.Spent()
	require.Equal(t, 2*cost, spent)

	n, err := c.Count(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, used.Prompt, n)
	e, err := c.Embed(t.Context(), "auto", []string{"a", "bcd"})
	require.NoError(t, err)
	require.Len(t, e.Vectors, 2)
	require.Equal(t, 4, e.Tokens)
}

func TestTheCheapestIsAskedThatMayBe(t *testing.T) {
	chain := sellertest.NewChain()
	cheap := minertest.New(t, chain, "cheap", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price / 2})
	dear := minertest.New(t, chain, "dear", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price})
	c := paid(t, chain, inference.GatewayConfig{MaxPrice: price / 2}, dear, cheap)
	for range 4 {
		_, _, err := c.ask(question("hello"))
		require.NoError(t, err)
	}
	require.Equal(t, uint64(4), cheap.Stats().Answered)
	require.Zero(t, dear.Stats().Answered)
	list, err := c.Miners(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, 4, list[1].Answered)
	require.Positive(t, list[1].First)

	low := paid(t, chain, inference.GatewayConfig{MaxPrice: price / 4}, dear, cheap)
	low.refused(question("hello"), api.OverPrice, "the cheapest takes 0.5")
}

func TestOurOwnLimitsAreNamed(t *testing.T) {
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price * 10_000})
	c := paid(t, chain, inference.GatewayConfig{}, m)
	c.refused(question("hello"), api.OverPrice, "the limit for a request")
	list, err := c.Miners(t.Context())
	require.NoError(t, err)
	require.Zero(t, list[0].Failed, "it is not the miner's fault")
}

func TestChoicesHaveSeedsAndReceiptsOfTheirOwn(t *testing.T) {
	m := served(t, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{})})
	c := unpaid(t, inference.GatewayConfig{}, m)
	r := question("Tell me a story.")
	r.N = 8
	texts, used, err := c.ask(r)
	require.NoError(t, err)
	require.Len(t, c.receipts, 8)
	seeds := map[uint64]bool{}
	sum := 0
	for _, x := range c.receipts {
		seeds[x.Seed] = true
		sum += x.CompletionTokens
		require.Equal(t, answerOf(t, r, x.Seed), texts[x.Choice], "no choice has another's text")
	}
	require.Len(t, seeds, 8)
	require.True(t, seeds[7], "the first has the request's own")
	require.Equal(t, sum, used.Completion)
	require.Equal(t, c.receipts[0].PromptTokens, used.Prompt, "the prompt counts once for the customer")

	r.Seed = nil
	first, _, err := c.ask(r)
	require.NoError(t, err)
	second, _, err := c.ask(r)
	require.NoError(t, err)
	require.NotEqual(t, first, second, "seeds are drawn")
}

func TestAClientThatLeavesEndsTheAnswer(t *testing.T) {
	e := memory.New(memory.Options{Answer: func(string) string { return strings.Repeat("x", 3000) }, Wait: memory.Every(time.Millisecond)})
	m := served(t, "miner", inference.MinerConfig{Engine: e})
	c := unpaid(t, inference.GatewayConfig{}, m)
	r := question("hello")
	r.MaxTokens = 0
	ctx, leave := context.WithCancel(t.Context())
	n := 0
	used, err := c.Generate(ctx, r, func(api.Event) error {
		if n++; n == 5 {
			leave()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, used.Completion, 200)
	require.Equal(t, engine.FinishCancelled, c.receipts[0].Finish)
	require.Equal(t, used.Completion, c.receipts[0].CompletionTokens)

	enough := errors.New("enough")
	used, err = c.Generate(t.Context(), r, func(api.Event) error { return enough })
	require.ErrorIs(t, err, enough)
	require.Less(t, used.Completion, 200)
	list, err := c.Miners(t.Context())
	require.NoError(t, err)
	require.Zero(t, list[0].Failed, "it is not the miner's fault")
}

func TestModelsOfOneNameAreToldApart(t *testing.T) {
	claim := func(name, digest string, verifiable bool) *engine.Info {
		info := memory.New(memory.Options{}).Info()
		info.Model, info.Digest, info.Verifiable = name, digest, verifiable
		return &info
	}
	e := memory.New(memory.Options{})
	a := served(t, "a", inference.MinerConfig{Engine: e, Claim: claim("tiny", strings.Repeat("a", 64), true)})
	b := served(t, "b", inference.MinerConfig{Engine: e, Claim: claim("tiny", strings.Repeat("b", 64), true)})
	d := served(t, "d", inference.MinerConfig{Engine: e, Claim: claim("other", "", false)})
	b.Incentive = 0.5
	c := unpaid(t, inference.GatewayConfig{}, a, b, d)
	models, err := c.Models(t.Context())
	require.NoError(t, err)
	require.Len(t, models, 2, "engines that can't be checked are served only to who asks")
	require.Equal(t, "tiny", models[0].ID)
	require.Equal(t, strings.Repeat("b", 64), models[0].Digest, "the name is whose the validators pay")
	require.Equal(t, "tiny@aaaaaaaaaaaa", models[1].ID)
	for name, hotkey := range map[string]string{"tiny": "b", "auto": "b", "lode": "b", "tiny@aaaaaaaaaaaa": "a", strings.Repeat("a", 64): "a", "sha256:" + strings.Repeat("a", 64): "a", "aaaaaaaaaaaaaa": "a"} {
		c.receipts = nil
		r := question("hello")
		r.Model = name
		_, _, err := c.ask(r)
		require.NoError(t, err, name)
		require.Equal(t, hotkey, c.receipts[0].Hotkey, name)
	}
	r := question("hello")
	r.Model = "other"
	c.refused(r, api.UnknownModel, "no miner serves this model")
	r.Model = "aaaa"
	c.refused(r, api.UnknownModel, "no miner serves this model")

	all := unpaid(t, inference.GatewayConfig{Unverified: true, Model: "other"}, a, b, d)
	r.Model = "auto"
	_, _, err = all.ask(r)
	require.NoError(t, err)
	require.Equal(t, "d", all.receipts[0].Hotkey)
}

func TestANetworkWithoutMiners(t *testing.T) {
	c := unpaid(t, inference.GatewayConfig{})
	c.refused(question("hello"), api.Overloaded, "no miner of the subnet can be reached")
	down := errors.New("no node answers")
	broken := unpaid(t, inference.GatewayConfig{Miners: func(context.Context) ([]inference.Remote, error) { return nil, down }})
	_, _, err := broken.ask(question("hello"))
	require.ErrorIs(t, err, down)
	_, err = inference.NewGateway(inference.GatewayConfig{Tier: inference.TierAttested, Caller: &inference.Caller{Envelope: inference.Plain{}},
		Miners: func(context.Context) ([]inference.Remote, error) { return nil, nil }})
	require.ErrorContains(t, err, "can't prove it")
}

func TestAPinnedMinerIsAskedWhateverSpeaksAgainstIt(t *testing.T) {
	a := served(t, "a", inference.MinerConfig{Engine: memory.New(memory.Options{})})
	b := served(t, "b", inference.MinerConfig{Engine: memory.New(memory.Options{})})
	b.Incentive = 1
	c := unpaid(t, inference.GatewayConfig{}, a, b)
	r := question("Tell me a story.")
	call, err := c.Pin("a").Ask(t.Context(), r, nil)
	require.NoError(t, err)
	require.Equal(t, "a", call.To.Hotkey)
	require.Equal(t, answerOf(t, r, 7), call.Text)
	require.Equal(t, uint64(7), call.Asked.Seed)
	require.Positive(t, call.First)
	require.Empty(t, c.receipts)
	_, err = c.Pin("nobody").Ask(t.Context(), r, nil)
	require.ErrorIs(t, err, inference.ErrNotServed)
}

// slowChain takes a while to take a deposit.
type slowChain struct {
	pay.PayerChain
	wait time.Duration
}

func (c slowChain) Deposit(ctx context.Context, m markettypes.MsgDeposit) (pay.Deposited, error) {
	time.Sleep(c.wait) // a block's time
	return c.PayerChain.Deposit(ctx, m)
}

func TestADepositsTimeIsNotTheMiners(t *testing.T) {
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price})
	const slow = 700 * time.Millisecond
	for _, patient := range []bool{true, false} {
		name := fmt.Sprint("customer ", patient)
		chain.Give(name, 1e12)
		host := minertest.Host(t, name)
		require.NoError(t, host.AddPeer(m.Host.Hotkey(), m.Host.Endpoints()...))
		cfg := pay.ClientConfig{Dir: t.TempDir(), Chain: slowChain{chain.Payer(name), slow}, Base: host.RoundTripper(), Limits: pay.Limits{Deposit: minertest.Deposit}}
		if patient {
			cfg.Chain = inference.PatientChain(cfg.Chain)
		}
		own, err := pay.OpenClient(cfg)
		require.NoError(t, err)
		c := unpaid(t, inference.GatewayConfig{FirstPiece: slow / 2, Caller: &inference.Caller{HTTP: &http.Client{Transport: own}, Envelope: inference.Plain{}}},
			inference.Remote{Hotkey: m.Host.Hotkey(), URL: m.URL})
		_, _, err = c.ask(question("hello"))
		if !patient {
			require.ErrorContains(t, err, "no miner of this model answers")
		} else {
			require.NoError(t, err)
			list, err := c.Miners(t.Context())
			require.NoError(t, err)
			require.Less(t, list[0].First, slow)
		}
		require.NoError(t, own.Close())
	}
}
