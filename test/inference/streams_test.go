package inference_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
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
)

// mortal is a miner that sells, and is killed and started again where it was.
type mortal struct {
	t       *testing.T
	chain   *sellertest.Chain
	key     [32]byte
	service uint64
	books   string
	listen  []string
	pace    time.Duration
	slots   int

	host   *mesh.Host
	till   *pay.Gateway
	engine *memory.Engine
	life   context.Context
	die    context.CancelFunc
}

func (m *mortal) start() {
	var err error
	m.host, err = mesh.New(context.Background(), mesh.Config{PrivKey: m.key[:], Listen: m.listen})
	require.NoError(m.t, err)
	if m.listen == nil {
		for _, e := range m.host.Endpoints() {
			at, _, _ := strings.Cut(e, "/p2p/")
			m.listen = append(m.listen, at)
		}
		m.service, err = m.chain.List(context.Background(), inference.Listing(m.host.Hotkey(), 2, m.host.Endpoints()[0], 1_000_000))
		require.NoError(m.t, err)
	}
	m.till, err = pay.OpenGateway(context.Background(), pay.GatewayConfig{Dir: m.books, Chain: m.chain, ServiceID: m.service})
	require.NoError(m.t, err)
	m.engine = memory.New(memory.Options{Slots: m.slots, Wait: memory.Every(m.pace)})
	miner, err := inference.NewMiner(inference.MinerConfig{Engine: m.engine, Price: 1_000_000})
	require.NoError(m.t, err)
	miner.Sell(m.till)
	m.life, m.die = context.WithCancel(context.Background())
	life := m.life
	cut := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		miner.ServeHTTP(w, r.WithContext(ctx))
		if life.Err() != nil {
			panic(http.ErrAbortHandler)
		}
	})
	require.NoError(m.t, m.host.Handle(minertest.Mount, http.StripPrefix(strings.TrimSuffix(minertest.Mount, "/"), cut), inference.MinerLimits()))
}

// kill ends a miner in the middle of what it does: its engine dies before it, or all of it
// at once.
func (m *mortal) kill() error {
	var err error
	if rand.IntN(2) == 0 {
		err = m.engine.Close()
	}
	m.die()
	return errors.Join(err, m.host.Close(), m.engine.Close(), m.till.Close())
}

// TestManyStreamsThroughOneGateway keeps streams open through one gateway that pays, while
// its miners are killed and started again at random. Each answer is whole and its asker's
// own, or ends in an error after a beginning that is; memory stays flat. LODE_LONG=1 makes
// it 1,000 streams for five minutes.
func TestManyStreamsThroughOneGateway(t *testing.T) {
	streams, miners, long, pace, every := 60, 4, 8*time.Second, 10*time.Millisecond, time.Second
	if os.Getenv("LODE_LONG") != "" {
		streams, miners, long, pace, every = 1000, 10, 5*time.Minute, 400*time.Millisecond, 5*time.Second
	}
	const tokens = 30
	chain := sellertest.NewChain()
	customer := minertest.NewCustomer(t, chain, "customer")
	var all []*mortal
	var remotes []inference.Remote
	for i := range miners {
		m := &mortal{t: t, chain: chain, key: sha256.Sum256(fmt.Append(nil, "mortal ", i)), books: t.TempDir(), pace: pace, slots: streams / miners * 3 / 2}
		m.start()
		require.NoError(t, customer.Host.AddPeer(m.host.Hotkey(), m.host.Endpoints()...))
		all = append(all, m)
		remotes = append(remotes, inference.Remote{UID: uint16(i), Hotkey: m.host.Hotkey(), URL: "http://" + m.host.Hotkey() + strings.TrimSuffix(minertest.Mount, "/")})
	}
	gateway, err := inference.NewGateway(inference.GatewayConfig{Netuid: 2, Caller: customer.Caller,
		Miners: func(context.Context) ([]inference.Remote, error) { return remotes, nil }})
	require.NoError(t, err)
	s := httptest.NewServer(api.Handler(gateway, api.Config{}))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
	oracle := memory.New(memory.Options{Slots: streams})

	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var whole, broken, refused atomic.Int64
	var asking, killing sync.WaitGroup
	for i := range streams {
		asking.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				said := fmt.Sprintf("story %d of %d", n, i)
				want, err := oracle.Generate(context.Background(), engine.Request{MaxTokens: tokens, Sampling: engine.Sampling{Temperature: 1, Seed: uint64(i)},
					Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: said}}}}}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				expected := ""
				for _, id := range want.Answer {
					if id != memory.End {
						expected += string(rune(id))
					}
				}
				text, ended, err := stream(client, s.URL, said, i, tokens)
				switch {
				case err != nil: // before the first token
					refused.Add(1)
				case ended && text != expected:
					t.Errorf("stream %d got %q, its answer is %q", i, text, expected)
				case !strings.HasPrefix(expected, text):
					t.Errorf("stream %d got %q, its answer begins %q", i, text, expected)
				case ended:
					whole.Add(1)
				default:
					broken.Add(1)
				}
			}
		})
	}
	killed := 0
	var heaps []uint64
	killing.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			m := all[rand.IntN(len(all))]
			if err := m.kill(); err != nil {
				t.Error(err)
			}
			m.start()
			killed++
			runtime.GC()
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			heaps = append(heaps, mem.HeapAlloc)
			t.Logf("%d whole, %d broken off, %d refused, %d killed; heap %d MiB, %d goroutines", whole.Load(), broken.Load(), refused.Load(), killed, mem.HeapAlloc>>20, runtime.NumGoroutine())
		}
	})
	killing.Wait()
	asking.Wait()
	s.Close()
	client.CloseIdleConnections()
	require.NoError(t, gateway.Close())
	for _, m := range all {
		require.NoError(t, m.kill())
	}
	require.Greater(t, killed, 3)
	require.Greater(t, whole.Load(), int64(streams), "each stream on average")
	require.Positive(t, broken.Load()+refused.Load(), "nobody was killed in an answer")
	if third := len(heaps) / 3; third > 5 {
		early, late := mean(heaps[third:2*third]), mean(heaps[2*third:])
		require.Less(t, late, 1.2*early+16<<20, "heap grows from %.0f to %.0f bytes", early, late)
	}
}

func mean(all []uint64) (sum float64) {
	for _, v := range all {
		sum += float64(v) / float64(len(all))
	}
	return sum
}

// stream asks and reads: the text so far, and whether it came to its end. The error is one
// before the first token.
func stream(c *http.Client, base, said string, seed, tokens int) (text string, ended bool, err error) {
	body, err := json.Marshal(map[string]any{"model": "auto", "stream": true, "seed": seed, "temperature": 1, "max_tokens": tokens,
		"messages": []map[string]string{{"role": "user", "content": said}}})
	if err != nil {
		return "", false, err
	}
	resp, err := c.Post(base+"/v1/chat/completions", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", false, errors.New(resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return text, true, lines.Err()
		}
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return text, false, err
		}
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
		}
	}
	return text, false, nil
}
