package inference_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// inferencePath is a gateway on loopback that asks miners over the mesh, and pays them.
func inferencePath(b *testing.B, e engine.Engine, count int, price uint64) *httptest.Server {
	b.Helper()
	chain := sellertest.NewChain()
	var miners []*minertest.Miner
	var remotes []inference.Remote
	for i := range count {
		m := minertest.New(b, chain, fmt.Sprint("miner ", i), inference.MinerConfig{Engine: e, Price: price})
		miners = append(miners, m)
		remotes = append(remotes, inference.Remote{UID: uint16(i), Hotkey: m.Host.Hotkey(), URL: m.URL})
	}
	return gatewayTo(b, minertest.NewCustomer(b, chain, "customer", miners...), remotes)
}

func gatewayTo(b *testing.B, customer *minertest.Customer, remotes []inference.Remote) *httptest.Server {
	b.Helper()
	gateway, err := inference.NewGateway(inference.GatewayConfig{Netuid: 2, Caller: customer.Caller,
		Miners: func(context.Context) ([]inference.Remote, error) { return remotes, nil }})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, gateway.Close()) })
	s := httptest.NewServer(api.Handler(gateway, api.Config{}))
	b.Cleanup(s.Close)
	return s
}

// question is a chat that is asked for as many tokens.
func question(tokens int) string {
	return fmt.Sprintf(`{"model":"auto","stream":true,"temperature":1.5,"seed":7,"max_tokens":%d,"messages":[{"role":"user","content":"Tell me a story."}]}`, tokens)
}

// streamed asks for an answer and reads it: the time to its first piece, and to its end,
// and how many words there were.
func streamed(ctx context.Context, c *http.Client, base, body string) (first, all time.Duration, words int, err error) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, 0, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return 0, 0, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return 0, 0, 0, fmt.Errorf("%s: %s", resp.Status, raw)
	}
	lines := bufio.NewScanner(resp.Body)
	ended := false
	for lines.Scan() {
		switch {
		case bytes.Contains(lines.Bytes(), []byte(`"content":"`)) && !bytes.Contains(lines.Bytes(), []byte(`"content":""`)):
			if first == 0 {
				first = time.Since(began)
			}
			words += bytes.Count(lines.Bytes(), []byte("word "))
		case bytes.Equal(lines.Bytes(), []byte("data: [DONE]")):
			ended = true
		}
	}
	if err := lines.Err(); err != nil || !ended {
		return 0, 0, 0, fmt.Errorf("the stream broke off: %w", err)
	}
	return first, time.Since(began), words, nil
}

// BenchmarkInferencePath answers by turns with an engine that is called directly, and
// through a gateway that pays a miner over the mesh.
func BenchmarkInferencePath(b *testing.B) {
	const length = 100
	lodeMini, err := llama.Load(llama.Options{Model: "../../subnets/inference/testdata/models/lode-mini-Q8_0.gguf", Threads: 1, Slots: 4, Context: 256})
	require.NoError(b, err)
	defer func() { require.NoError(b, lodeMini.Close()) }()
	for name, e := range map[string]engine.Engine{"lode-mini": lodeMini, "50-tokens-a-second": &idle{every: 20 * time.Millisecond}} {
		b.Run(name, func(b *testing.B) {
			s := inferencePath(b, e, 1, 10_000_000)
			direct := func() (first, all time.Duration, tokens int, err error) {
				began := time.Now()
				result, err := e.Generate(b.Context(), engine.Request{MaxTokens: length, Sampling: engine.Sampling{Temperature: 1.5, Seed: 7},
					Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: "Tell me a story."}}}}},
					func(c engine.Chunk) error {
						if first == 0 && c.Text != "" {
							first = time.Since(began)
						}
						return nil
					})
				return first, time.Since(began), result.Usage.Completion, err
			}
			through := func() (time.Duration, time.Duration, int, error) {
				return streamed(b.Context(), s.Client(), s.URL, question(length))
			}
			_, _, _, err := through() // it opens the channel
			require.NoError(b, err)
			var firsts, alls [2][]float64
			for b.Loop() {
				for i, ask := range []func() (time.Duration, time.Duration, int, error){direct, through} {
					first, all, _, err := ask()
					require.NoError(b, err)
					firsts[i] = append(firsts[i], float64(first)/1e6)
					alls[i] = append(alls[i], float64(all)/1e6)
				}
			}
			middle := func(f []float64) float64 { return slices.Sorted(slices.Values(f))[len(f)/2] }
			b.ReportMetric(middle(firsts[0]), "ms-first-direct")
			b.ReportMetric(middle(firsts[1]), "ms-first-through")
			b.ReportMetric(middle(firsts[1])-middle(firsts[0]), "ms-first-added")
			b.ReportMetric(middle(alls[0]), "ms-all-direct")
			b.ReportMetric(100*middle(alls[0])/middle(alls[1]), "%-tokens/s")
		})
	}
}

// idle is an engine that does next to nothing: it says a word again and again.
type idle struct {
	every time.Duration // between two tokens
	hang  bool          // after the first one, until the caller leaves
}

func (*idle) Info() engine.Info {
	return engine.Info{Model: "idle", Digest: strings.Repeat("0", 64), Backend: "nothing", Context: 1 << 16, Slots: 1 << 16, Vocabulary: 1 << 16, Chat: true, Verifiable: true}
}

func (*idle) Tokens(context.Context, engine.Prompt) ([]int32, error) { return make([]int32, 8), nil }

func (e *idle) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	result := engine.Result{Finish: engine.FinishLength, Usage: engine.Usage{Prompt: 8}}
	if emit == nil {
		emit = func(engine.Chunk) error { return nil }
	}
	next := time.NewTimer(e.every)
	defer next.Stop()
	for n := range r.MaxTokens {
		if e.every > 0 {
			select {
			case <-next.C:
				next.Reset(e.every)
			case <-ctx.Done():
				return result, ctx.Err()
			}
		}
		result.Answer = append(result.Answer, int32(n))
		result.Usage.Completion++
		if err := emit(engine.Chunk{Text: "word ", Tokens: []engine.Token{{ID: int32(n), LogProb: -1}}}); err != nil {
			return result, err
		}
		if e.hang {
			<-ctx.Done()
			return result, ctx.Err()
		}
	}
	return result, nil
}

func (*idle) Score(context.Context, engine.ScoreRequest) ([]engine.TokenScore, error) {
	return nil, engine.ErrUnsupported
}

func (*idle) Embed(context.Context, engine.Prompt) (engine.Embedding, error) {
	return engine.Embedding{}, engine.ErrUnsupported
}
func (*idle) Close() error { return nil }

// direct is an API over an engine in the same process: no mesh, no payment.
type direct struct{ idle }

func (direct) Models(context.Context) ([]api.Model, error) { return nil, nil }

func (d direct) Generate(ctx context.Context, r *api.Request, emit func(api.Event) error) (api.Usage, error) {
	began := false
	result, err := d.idle.Generate(ctx, engine.Request{MaxTokens: r.MaxTokens}, func(c engine.Chunk) error {
		e := api.Event{Text: c.Text}
		if !began {
			began, e.Prompt = true, 8
		}
		return emit(e)
	})
	if err == nil {
		err = emit(api.Event{Finish: api.Length})
	}
	return api.Usage{Prompt: result.Usage.Prompt, Completion: result.Usage.Completion}, err
}

func (direct) Count(context.Context, *api.Request) (int, error) { return 8, nil }

func (direct) Embed(context.Context, string, []string) (*api.Embeddings, error) {
	return nil, engine.ErrUnsupported
}

// proxied is net/http's ReverseProxy before the same API, without mesh and payment.
func proxied(b *testing.B, e idle) *httptest.Server {
	b.Helper()
	upstream := httptest.NewServer(api.Handler(direct{e}, api.Config{}))
	b.Cleanup(upstream.Close)
	to, err := url.Parse(upstream.URL)
	require.NoError(b, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1
	proxy.ErrorLog = log.New(io.Discard, "", 0) // clients leave
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy.Transport = transport
	b.Cleanup(transport.CloseIdleConnections)
	s := httptest.NewServer(proxy)
	b.Cleanup(s.Close)
	return s
}

// BenchmarkInferenceRequests streams answers of 16 tokens from an engine that does
// nothing, eight at a time, by turns through a gateway that pays a miner over the mesh, the
// same for nothing, and through net/http's ReverseProxy. A request is counted with the CPU
// time that the process takes for it, the client's and the miner's or upstream's in it.
func BenchmarkInferenceRequests(b *testing.B) {
	const length, batch, atOnce = 16, 400, 8
	servers := []*httptest.Server{inferencePath(b, &idle{}, 1, 10_000_000), inferencePath(b, &idle{}, 1, 0), proxied(b, idle{})}
	run := func(s *httptest.Server) (perCPU, perSecond float64) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
		defer client.CloseIdleConnections()
		began, used := time.Now(), processTime()
		work := make(chan struct{})
		errs := make([]error, atOnce)
		var wg sync.WaitGroup
		for i := range atOnce {
			wg.Go(func() {
				for range work {
					_, _, words, err := streamed(b.Context(), client, s.URL, question(length))
					if err == nil && words != length {
						err = fmt.Errorf("%d words", words)
					}
					if err != nil && errs[i] == nil {
						errs[i] = err
					}
				}
			})
		}
		for range batch {
			work <- struct{}{}
		}
		close(work)
		wg.Wait()
		for _, err := range errs {
			require.NoError(b, err)
		}
		return batch / (processTime() - used).Seconds(), batch / time.Since(began).Seconds()
	}
	for _, s := range servers {
		run(s)
	}
	var cpu, rate [3][]float64
	for b.Loop() {
		for i, s := range servers {
			c, r := run(s)
			cpu[i], rate[i] = append(cpu[i], c), append(rate[i], r)
		}
	}
	middle := func(f []float64) float64 { return slices.Sorted(slices.Values(f))[len(f)/2] }
	b.ReportMetric(middle(rate[0]), "requests/s")
	for i, name := range []string{"", "-free", "-proxy"} {
		b.ReportMetric(middle(cpu[i]), "requests/cpu-s"+name)
		if i < 2 {
			b.ReportMetric(100*middle(cpu[i])/middle(cpu[2]), "%-of-proxy"+name)
		}
	}
}

// processTime is the CPU time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// minersVariable makes this program one that runs miners for others: [minersElsewhere].
const minersVariable = "LODE_BENCH_MINERS"

// TestMinersOfOthers runs miners for free until its input ends.
func TestMinersOfOthers(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv(minersVariable))
	if err != nil {
		t.Skip("only for benchmarks, which start it")
	}
	chain := sellertest.NewChain()
	for i := range count {
		m := minertest.New(t, chain, fmt.Sprint("miner ", i), inference.MinerConfig{Engine: &idle{hang: true}})
		fmt.Println("miner", m.Host.Hotkey(), m.Host.Endpoints()[0], m.URL)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	require.NoError(t, err)
}

// minersElsewhere starts miners in a process of their own, and a gateway here that asks
// them.
func minersElsewhere(b *testing.B, count int) *httptest.Server {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestMinersOfOthers$")
	cmd.Env = append(os.Environ(), fmt.Sprint(minersVariable, "=", count))
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = in.Close()
		require.NoError(b, cmd.Wait())
	})
	customer := minertest.NewCustomer(b, sellertest.NewChain(), "customer")
	var remotes []inference.Remote
	lines := bufio.NewScanner(out)
	for len(remotes) < count && lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 4 && f[0] == "miner" {
			require.NoError(b, customer.Host.AddPeer(f[1], f[2]))
			remotes = append(remotes, inference.Remote{UID: uint16(len(remotes)), Hotkey: f[1], URL: f[3]})
		}
	}
	require.Len(b, remotes, count, "%v", lines.Err())
	return gatewayTo(b, customer, remotes)
}

// BenchmarkInferenceStreams opens streams that have begun and wait for their next token,
// and reports the memory that one takes: in a gateway, with the miners elsewhere; in a
// gateway that pays and its miners, which are one process then; in a ReverseProxy and
// what is behind it. The client is a bare connection.
func BenchmarkInferenceStreams(b *testing.B) {
	const streams = 1000
	body := question(100)
	open := func(s *httptest.Server) (net.Conn, error) {
		address := s.Listener.Addr().String()
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address, len(body), body)
		buf := make([]byte, 4096)
		for got := []byte(nil); err == nil && !bytes.Contains(got, []byte("word")); {
			var n int
			n, err = c.Read(buf)
			if got = append(got, buf[:n]...); err == nil && !bytes.HasPrefix(got, []byte("HTTP/1.1 200")) {
				err = fmt.Errorf("it answers %s", got)
			}
		}
		return c, err
	}
	memory := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	found := map[string]float64{}
	for name, s := range map[string]*httptest.Server{
		"KiB/stream":             minersElsewhere(b, 6),
		"KiB/stream-with-miners": inferencePath(b, &idle{hang: true}, 6, 10_000_000),
		"KiB/stream-proxy":       proxied(b, idle{hang: true}),
	} {
		first, err := open(s) // the channel, the mesh's connections
		require.NoError(b, err)
		defer first.Close()
		before := memory()
		conns := make([]net.Conn, streams)
		for i := range conns {
			conns[i], err = open(s)
			require.NoError(b, err)
		}
		found[name] = (memory() - before) / streams / 1024
		for _, c := range conns {
			_ = c.Close()
		}
	}
	for b.Loop() {
	}
	for name, v := range found {
		b.ReportMetric(v, name)
	}
}
