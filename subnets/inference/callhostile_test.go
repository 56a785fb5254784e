package inference_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// canary is what nobody may repeat.
const canary = "xyzzy-canary"

// liar answers every call with the same bytes.
func liar(t *testing.T, handler http.HandlerFunc) (*inference.Caller, inference.Remote) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	info := memory.New(memory.Options{}).Info()
	return &inference.Caller{HTTP: s.Client(), Envelope: inference.Plain{}}, inference.Remote{
		URL: s.URL, Card: inference.Card{Version: 1, Engine: info, Tier: inference.TierAny, Envelope: "plain"},
	}
}

func streams(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, body)
	}
}

// pieces makes a stream of JSON.
func pieces(all ...string) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString("data: " + p + "\n\n")
	}
	return b.String()
}

const (
	first = `{"prompt":1,"text":"` + canary + `","tokens":[{"id":97,"logprob":-1}]}`
	next  = `{"text":"b","tokens":[{"id":98,"logprob":-1}]}`
	last  = `{"finish":"stop","tokens":[{"id":256,"logprob":0}]}`
)

func TestAnAnswerThatIsRightIsHandedOn(t *testing.T) {
	for name, body := range map[string]string{
		"as it is":                   pieces(first, next, last),
		"with what others say":       "event: payment-response\ndata: {\"x\":1}\n\n: a word beside\n\n" + pieces(first) + "event: ping\ndata: 1\ndata: 2\n\nid: 7\nretry: 3\n\n" + pieces(next, last),
		"with lines that end in \\r": strings.ReplaceAll(pieces(first, next, last), "\n", "\r\n"),
		"that breaks off at its end": pieces(first, next, last) + "data: {",
		"with messages by their own name": strings.ReplaceAll(pieces(first, next, last), "data: ",
			"event: message\ndata: "),
	} {
		t.Run(name, func(t *testing.T) {
			c, to := liar(t, streams(body))
			var got gather
			a, err := c.Generate(t.Context(), to, ask("x"), got.take)
			require.NoError(t, err)
			require.Equal(t, canary+"b", got.text)
			require.Equal(t, []int32{97, 98, 256}, ids(a.Tokens))
			require.Len(t, got.events, 3)
		})
	}
}

func TestAMinerThatLiesIsFoundOutAndAnotherMayBeAsked(t *testing.T) {
	token := func(n int) string {
		return fmt.Sprintf(`{"text":"b","tokens":[%s]}`, strings.TrimSuffix(strings.Repeat(`{"id":98,"logprob":-1},`, n), ","))
	}
	for name, body := range map[string]string{
		"nothing":                           "",
		"no end":                            pieces(first, next),
		"an end in the middle of an event":  pieces(first) + "data: " + last,
		"an end in the middle of a line":    pieces(first) + "data: {",
		"more after the end":                pieces(first, last, next),
		"two ends":                          pieces(first, last, last),
		"the first piece twice":             pieces(first, first, last),
		"no count of the prompt":            pieces(next, last),
		"a prompt of fewer than no tokens":  pieces(strings.Replace(first, `"prompt":1`, `"prompt":-1`, 1), last),
		"a prompt of more than it can have": pieces(strings.Replace(first, `"prompt":1`, `"prompt":4100`, 1), last),
		"a prompt beyond all numbers":       pieces(strings.Replace(first, `"prompt":1`, `"prompt":9223372036854775808`, 1), last),
		"a token that there isn't":          pieces(first, `{"text":"b","tokens":[{"id":257,"logprob":-1}]}`, last),
		"a token below all":                 pieces(first, `{"text":"b","tokens":[{"id":-1,"logprob":-1}]}`, last),
		"a probability above one":           pieces(first, `{"text":"b","tokens":[{"id":98,"logprob":0.5}]}`, last),
		"alternatives that nobody wants":    pieces(first, `{"text":"b","tokens":[{"id":98,"logprob":-1,"top":[{"id":1,"logprob":-1}]}]}`, last),
		"more tokens than may be":           pieces(first, token(64), last),
		"a piece of nothing":                pieces(first, `{}`, last),
		"no tokens at all":                  pieces(`{"prompt":1,"text":"a"}`, `{"finish":"stop"}`),
		"an end for no reason":              pieces(first, `{"finish":"tired"}`),
		"an end that is a cancellation":     pieces(first, `{"finish":"cancelled"}`),
		"a stop string of its own":          pieces(first, `{"finish":"stop","stop_string":"zzz"}`),
		"a stop string in the middle":       pieces(first, `{"text":"b","stop_string":"zzz"}`, last),
		"JSON that is none":                 pieces(first, `{"text":"`+canary, last),
		"JSON and more":                     pieces(first, next+next, last),
		"another type":                      pieces(first, `{"text":["`+canary+`"]}`, last),
		"what is not UTF-8":                 pieces(first, "{\"text\":\"\xff\"}", last),
		"a piece of two lines":              pieces(first) + "data: {\"text\":\ndata: \"b\"}\n\n" + pieces(last),
		"a line without end":                pieces(first) + "data: " + strings.Repeat("x", 2<<20),
		"an event without end":              pieces(first) + strings.Repeat(": x\n", 1<<20),
		"an error of no kind":               pieces(first, `{"error":{"kind":"`+canary+`","message":"`+canary+`"}}`),
		"an error that is nonsense":         pieces(first, `{"error":{"kind":"","message":"","too_long":{"tokens":-1,"context":1}}}`),
		"an error and more":                 pieces(first, `{"error":{"kind":"invalid","message":""}}`, last),
	} {
		t.Run(name, func(t *testing.T) {
			c, to := liar(t, streams(body))
			var got gather
			a, err := c.Generate(t.Context(), to, ask("x"), got.take)
			require.ErrorIs(t, err, inference.ErrMiner)
			require.True(t, engine.Retryable(err))
			require.NotContains(t, err.Error(), canary)
			require.Equal(t, len(got.events) > 0, a.Started)
			for _, ev := range got.events {
				require.Empty(t, ev.Finish, "it is not handed on as whole")
			}
		})
	}
}

func TestAnswersOfMinersHaveBounds(t *testing.T) {
	endless := func(piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, pieces(first))
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"events of others": endless("event: x\ndata: " + strings.Repeat("y", 100_000) + "\n\n"),
		"empty lines":      endless(strings.Repeat("\n", 100_000)),
		"pieces":           endless(pieces(`{"text":"` + strings.Repeat("y", 100_000) + `","tokens":[{"id":98,"logprob":-1}]}`)),
	} {
		t.Run(name, func(t *testing.T) {
			c, to := liar(t, h)
			r := ask("x")
			r.MaxTokens = 0
			to.Card.Engine.Context = 1 << 20
			_, err := c.Generate(t.Context(), to, r, nil)
			require.ErrorIs(t, err, inference.ErrMiner)
		})
	}
	t.Run("one that never answers ends with who asks", func(t *testing.T) {
		c, to := liar(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := c.Generate(ctx, to, ask("x"), nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, inference.ErrMiner)
	})
	t.Run("short answers", func(t *testing.T) {
		c, to := liar(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tokens":`+strings.Repeat(" ", 100_000)+`1}`)
		})
		_, err := c.Card(t.Context(), to.URL)
		require.ErrorIs(t, err, inference.ErrMiner)
		_, err = c.Count(t.Context(), to, engine.Prompt{Text: "x"})
		require.ErrorIs(t, err, inference.ErrMiner)
	})
}

func TestStatusesAreErrorsOfTheirKind(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   error
		retry  bool
	}{
		{400, `{"error":{"code":"invalid","message":"` + canary + `"}}`, engine.ErrInvalid, false},
		{422, `{"error":{"code":"grammar"}}`, engine.ErrGrammar, false},
		{422, `{"error":{"code":"unsupported"}}`, engine.ErrUnsupported, false},
		{400, `{"error":{"code":"too_long","too_long":{"tokens":9,"context":5}}}`, engine.ErrTooLong, false},
		{400, `{"error":{"code":"too_long"}}`, inference.ErrMiner, true},
		{503, `{"error":{"code":"busy"}}`, engine.ErrBusy, true},
		{503, `{"error":{"code":"not_ready"}}`, engine.ErrBusy, true},
		{429, `{"error":{"code":"too_many"}}`, engine.ErrBusy, true},
		{503, `{"error":{"code":"gone"}}`, engine.ErrGone, true},
		{500, `{"error":{"code":"internal","message":"` + canary + `"}}`, inference.ErrMiner, true},
		{404, `{"error":{"code":"not_found"}}`, inference.ErrMiner, true},
		{402, `{"error":{"code":"busy"}}`, inference.ErrMiner, true},
		{302, ``, inference.ErrMiner, true},
		{204, ``, inference.ErrMiner, true},
		{500, canary, inference.ErrMiner, true},
		{500, strings.Repeat("x", 1<<20), inference.ErrMiner, true},
		{400, `[]`, inference.ErrMiner, true},
	} {
		caller, to := liar(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(c.status)
			if c.status != 204 {
				_, _ = io.WriteString(w, c.body)
			}
		})
		for call, try := range map[string]func() error{
			"generate": func() error { _, err := caller.Generate(t.Context(), to, ask("x"), nil); return err },
			"count":    func() error { _, err := caller.Count(t.Context(), to, engine.Prompt{Text: "x"}); return err },
			"embed": func() error {
				_, err := caller.Embed(t.Context(), to, inference.Embed{Prompt: engine.Prompt{Text: "x"}})
				return err
			},
			"card": func() error { _, err := caller.Card(t.Context(), to.URL); return err },
		} {
			err := try()
			require.ErrorIs(t, err, c.want, "%s: %d %.60s", call, c.status, c.body)
			require.Equal(t, c.retry, engine.Retryable(err), "%s: %d %.60s", call, c.status, c.body)
			require.NotContains(t, err.Error(), canary)
		}
	}
}

func TestCardsCountsAndEmbeddingsAreChecked(t *testing.T) {
	good := `{"version":1,"engine":{"model":"m"},"tier":"any","envelope":"plain","price_rao":"0","open":0}`
	caller, to := liar(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, good) })
	_, err := caller.Card(t.Context(), to.URL)
	require.NoError(t, err)
	for _, bad := range []string{
		"", "{}", "null", good + "x", strings.Replace(good, `"any"`, `"best"`, 1), strings.Replace(good, `"version":1`, `"version":2`, 1),
		strings.Replace(good, `"price_rao":"0"`, `"price_rao":"5"`, 1), strings.Replace(good, `"m"`, `"`+strings.Repeat("m", 300)+`"`, 1),
	} {
		caller, to := liar(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bad) })
		_, err := caller.Card(t.Context(), to.URL)
		require.ErrorIs(t, err, inference.ErrMiner, bad)
	}
	for _, bad := range []string{"", `{"tokens":0}`, `{"tokens":-1}`, `{"tokens":5000}`, `{"tokens":1.5}`, `{"tokens":"1"}`} {
		caller, to := liar(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bad) })
		_, err := caller.Count(t.Context(), to, engine.Prompt{Text: "x"})
		require.ErrorIs(t, err, inference.ErrMiner, bad)
	}
	vector := func(first string, n int) string {
		return `{"tokens":1,"vector":[` + first + strings.Repeat(",0", n-1) + `]}`
	}
	caller, to = liar(t, streams(pieces(vector("1", 16))))
	embed := func(c *inference.Caller, to inference.Remote) error {
		_, err := c.Embed(t.Context(), to, inference.Embed{Prompt: engine.Prompt{Text: "x"}})
		return err
	}
	require.NoError(t, embed(caller, to))
	for _, bad := range []string{
		"", pieces(vector("1", 15)), pieces(vector("2", 16)), pieces(vector("0", 16)), pieces(vector("1e999", 16)), pieces(vector("1", 16), vector("1", 16)),
		pieces(strings.Replace(vector("1", 16), `"tokens":1`, `"tokens":0`, 1)), pieces(`{}`),
	} {
		caller, to := liar(t, streams(bad))
		require.ErrorIs(t, embed(caller, to), inference.ErrMiner, bad)
	}
	caller, to = liar(t, streams(pieces(`{"error":{"kind":"unsupported","message":"x"}}`)))
	require.ErrorIs(t, embed(caller, to), engine.ErrUnsupported)
	to.Card.Envelope = "another"
	require.ErrorIs(t, embed(caller, to), inference.ErrMiner)
}

func TestWhatNoMinerCanAnswerIsNotSent(t *testing.T) {
	caller, to := liar(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	_, err := caller.Generate(t.Context(), to, ask(""), nil)
	require.ErrorIs(t, err, engine.ErrInvalid)
	_, err = caller.Generate(t.Context(), to, ask(strings.Repeat("x", 9<<20)), nil)
	require.ErrorIs(t, err, engine.ErrInvalid)
	_, err = caller.Count(t.Context(), to, engine.Prompt{})
	require.ErrorIs(t, err, engine.ErrInvalid)
	_, err = caller.Embed(t.Context(), to, inference.Embed{})
	require.ErrorIs(t, err, engine.ErrInvalid)
}

func TestAMinerThatCantBeReachedCostsNothingAndNoTime(t *testing.T) {
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{}), Price: price})
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	_, err := c.Generate(t.Context(), to, ask("x"), nil) // now it knows the terms
	require.NoError(t, err)
	require.NoError(t, m.Host.Close())
	require.NoError(t, c.Host.AddPeer(m.Host.Hotkey(), "/ip4/127.0.0.1/tcp/1/p2p/"+m.Host.PeerID().String()))
	_, err = c.Generate(t.Context(), to, ask("x"), nil)
	require.ErrorIs(t, err, inference.ErrMiner)
	require.NotErrorIs(t, err, pay.ErrUnknownOutcome)
	paid := c.Ledger(t)
	require.Equal(t, pay.Unpaid, paid[len(paid)-1].State)
}
