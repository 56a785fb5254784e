package inference_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
)

func TestAnotherMinerIsAskedBeforeTheFirstToken(t *testing.T) {
	good := served(t, "good", inference.MinerConfig{Engine: memory.New(memory.Options{})})
	for name, bad := range map[string]inference.Remote{
		"it hangs": acting(t, "bad", func(_ http.ResponseWriter, r *http.Request, _ func(any)) { <-r.Context().Done() }),
		"it hangs after it began": acting(t, "bad", func(w http.ResponseWriter, r *http.Request, _ func(any)) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}),
		"it ends": acting(t, "bad", func(http.ResponseWriter, *http.Request, func(any)) {}),
		"it says no": acting(t, "bad", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Error: engine.NewFailure(engine.ErrGone)})
		}),
		"it is busy": acting(t, "bad", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Error: engine.NewFailure(engine.ErrBusy)})
		}),
		"it refuses": acting(t, "bad", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Error: engine.NewFailure(engine.ErrInvalid)})
		}),
		"it has no room": acting(t, "bad", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Error: engine.NewFailure(&engine.TooLongError{Tokens: 1, Context: 1})})
		}),
		"it says nonsense": acting(t, "bad", func(w http.ResponseWriter, _ *http.Request, _ func(any)) { _, _ = io.WriteString(w, "data: [7\n\n") }),
		"it counts more tokens than the prompt has bytes": acting(t, "bad", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Prompt: 1000, Text: "x", Tokens: []inference.Token{{ID: 1}}})
		}),
	} {
		t.Run(name, func(t *testing.T) {
			bad.Incentive, good.Incentive = 0.5, 0.004 // so that it is asked first
			c := unpaid(t, inference.GatewayConfig{FirstPiece: 50 * time.Millisecond}, bad, good)
			r := question("Tell me a story.")
			texts, _, err := c.ask(r)
			require.NoError(t, err)
			require.Equal(t, answerOf(t, r, 7), texts[0])
			require.Len(t, c.receipts, 1)
			require.Equal(t, "good", c.receipts[0].Hotkey)
			list, err := c.Miners(t.Context())
			require.NoError(t, err)
			asked := map[string]inference.Known{}
			for _, m := range list {
				asked[m.Hotkey] = m
			}
			require.Zero(t, asked["bad"].Answered)
			if name != "it is busy" {
				require.Equal(t, 1, asked["bad"].Failed)
			}
			texts, _, err = c.ask(r)
			require.NoError(t, err)
			require.Equal(t, answerOf(t, r, 7), texts[0])
			list, err = c.Miners(t.Context())
			require.NoError(t, err)
			for _, m := range list {
				require.LessOrEqual(t, m.Failed, 1, "who has failed pauses")
			}
		})
	}
}

func TestAnAnswerThatHasBegunIsNotBegunAnew(t *testing.T) {
	piece := inference.Event{Prompt: 3, Text: "once", Tokens: []inference.Token{{ID: 1}}}
	for name, act := range map[string]func(w http.ResponseWriter, r *http.Request, send func(any)){
		"it dies":   func(_ http.ResponseWriter, _ *http.Request, send func(any)) { send(piece) },
		"it hangs":  func(_ http.ResponseWriter, r *http.Request, send func(any)) { send(piece); <-r.Context().Done() },
		"it aborts": func(_ http.ResponseWriter, _ *http.Request, send func(any)) { send(piece); panic(http.ErrAbortHandler) },
		"it goes on after its end": func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(piece)
			send(inference.Event{Finish: engine.FinishStop})
			send(inference.Event{Text: "more"})
		},
		"it says more than it may": func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(piece)
			for range 40 {
				send(inference.Event{Text: "x", Tokens: []inference.Token{{ID: 1}}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad := acting(t, "bad", act)
			bad.Incentive = 1
			good := served(t, "good", inference.MinerConfig{Engine: memory.New(memory.Options{})})
			good.Incentive = 0.1
			c := unpaid(t, inference.GatewayConfig{NextPiece: 50 * time.Millisecond}, bad, good)
			c.refused(question("hello"), api.Gone, "in the middle of its answer")
			require.Len(t, c.receipts, 1)
			require.Equal(t, engine.FinishCancelled, c.receipts[0].Finish)
			require.Equal(t, 1, c.Totals().Failed)
		})
	}
}

func TestMinersThatLieAboutMoney(t *testing.T) {
	chain := sellertest.NewChain()
	good := minertest.New(t, chain, "good", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price})
	card := func(change func(*inference.Card)) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/card" {
					next.ServeHTTP(w, r)
					return
				}
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
				var c inference.Card
				if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil {
					panic(err)
				}
				change(&c)
				_ = json.NewEncoder(w).Encode(c)
			})
		}
	}
	for name, tc := range map[string]struct {
		price  uint64
		change func(*inference.Card)
		out    string
	}{
		"another's service":            {price / 10, func(c *inference.Card) { c.ServiceID = 1 }, "another's"},
		"no service":                   {price / 10, func(c *inference.Card) { c.ServiceID = 99 }, "not in the catalogue"},
		"a price that it does not ask": {price / 10, func(c *inference.Card) { c.Price = 1 }, "the catalogue"},
		"a price and no service":       {price / 10, func(c *inference.Card) { c.ServiceID = 0 }, "a card with a price"},
		"free, and then not":           {price / 10, func(c *inference.Card) { c.ServiceID, c.Price = 0, 0 }, "wants"},
		"another envelope":             {price / 10, func(c *inference.Card) { c.Envelope = "better" }, "envelopes"},
		"an odd tier":                  {price / 10, func(c *inference.Card) { c.Tier = "best" }, "tier"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := minertest.New(t, chain, "bad "+name, inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: tc.price}, card(tc.change))
			c := paid(t, chain, inference.GatewayConfig{}, bad, good)
			_, _, err := c.ask(question("hello"))
			require.NoError(t, err)
			require.Len(t, c.receipts, 1)
			require.Equal(t, good.Host.Hotkey(), c.receipts[0].Hotkey)
			list, err := c.Miners(t.Context())
			require.NoError(t, err)
			require.ErrorContains(t, list[0].Out, tc.out)
			require.Zero(t, bad.Stats().Answered)
		})
	}
}

func TestAMinerThatChargesTooMuchGetsNothingMore(t *testing.T) {
	chain := sellertest.NewChain()
	good := minertest.New(t, chain, "good", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price})
	bad := minertest.New(t, chain, "bad", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price / 10})
	// It charges a hundred units before anything else.
	require.NoError(t, bad.Host.Handle("/greedy/", greedy(bad), inference.MinerLimits()))
	bad.URL = "http://" + bad.Host.Hotkey() + "/greedy"
	c := paid(t, chain, inference.GatewayConfig{}, bad, good)
	texts, _, err := c.ask(question("hello"))
	require.NoError(t, err, "its answer is good")
	require.Equal(t, answerOf(t, question("hello"), 7), texts[0])
	require.Equal(t, bad.Host.Hotkey(), c.receipts[0].Hotkey)
	require.Contains(t, c.log.String(), "it charged")
	_, _, err = c.ask(question("hello"))
	require.NoError(t, err)
	require.Equal(t, good.Host.Hotkey(), c.receipts[1].Hotkey)
}

// greedy sells a miner's answers for a hundred units more than they cost.
func greedy(m *minertest.Miner) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/greedy")
		if r.URL.Path == "/card" {
			m.ServeHTTP(w, r)
			return
		}
		free, err := inference.NewMiner(inference.MinerConfig{Engine: memory.New(memory.Options{})})
		if err != nil {
			panic(err)
		}
		m.Till.Handler(pay.Route{Units: pay.Flat(256)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			if err := pay.MeterFrom(r.Context()).Charge(200); err != nil {
				panic(err)
			}
			free.ServeHTTP(w, r.WithContext(mesh.WithCaller(context.WithoutCancel(context.Background()), "customer")))
		})).ServeHTTP(w, r)
	})
}

func TestAMinerThatNeverShowsItsCardHoldsNobodyUp(t *testing.T) {
	slow := behind(t, "slow", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	good := served(t, "good", inference.MinerConfig{Engine: memory.New(memory.Options{})})
	c := unpaid(t, inference.GatewayConfig{}, slow, good)
	began := time.Now()
	_, _, err := c.ask(question("hello"))
	require.NoError(t, err)
	require.Less(t, time.Since(began), 4*time.Second)
}
