package subnet_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/lodenet/lode/subnet"
)

// process is a miner or a validator that runs.
type process struct {
	host *fakeHost
	log  *logs
	end  func() error // ends it and returns what Run returned

	stats func() subnet.Stats
}

// logs keeps what was logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func launch(t *testing.T, p *process, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	p.end = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := p.end(); err != nil {
			t.Errorf("%s ended: %v", p.host.hotkey, err)
		}
	})
	synctest.Wait()
}

// common is the part of a configuration that all tests share.
func common(c *fakeChain, host *fakeHost) (subnet.Common, *logs) {
	l := &logs{}
	return subnet.Common{
		Chain: view{c, host.hotkey}, Mesh: host, Netuid: netuid, Name: "numbers", Version: "1",
		Logger: slog.New(slog.NewTextHandler(l, nil)),
	}, l
}

// startMiner runs a miner that returns a number.
func startMiner(t *testing.T, c *fakeChain, n *fakeNet, name string, number float64, set ...func(*subnet.MinerConfig)) *process {
	t.Helper()
	host := n.host(name)
	base, l := common(c, host)
	cfg := subnet.MinerConfig{Common: base, Miner: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, number)
	})}
	for _, s := range set {
		s(&cfg)
	}
	node, err := subnet.NewMinerNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{host: host, log: l, stats: node.Stats}
	launch(t, p, node.Run)
	return p
}

// numbers is the measure: what a miner returns is its score.
func numbers(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
	scores := subnet.Scores{}
	for _, m := range n.Miners() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL(m, "/number"), nil)
		if err != nil {
			return nil, err
		}
		scores[m.UID] = 0
		resp, err := n.Client().Do(req)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if f, parsed := strconv.ParseFloat(string(text), 64); err == nil && parsed == nil && resp.StatusCode == 200 {
			scores[m.UID] = f
		}
	}
	return scores, nil
}

// startValidator runs a validator that keeps its state in dir.
func startValidator(t *testing.T, c *fakeChain, n *fakeNet, name, dir string, set ...func(*subnet.ValidatorConfig)) *process {
	t.Helper()
	host := n.host(name)
	base, l := common(c, host)
	cfg := subnet.ValidatorConfig{
		Common: base, Validator: subnet.ValidatorFunc(numbers), StateFile: filepath.Join(dir, name+".json"), Smoothing: 1,
	}
	for _, s := range set {
		s(&cfg)
	}
	node, err := subnet.NewValidatorNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{host: host, log: l, stats: node.Stats}
	launch(t, p, node.Run)
	return p
}

// bubble runs a test with a clock that jumps.
func bubble(t *testing.T, hp subnet.Hyperparameters, f func(t *testing.T, c *fakeChain, n *fakeNet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newChain(hp), newNet()) })
}

var withReveal = subnet.Hyperparameters{CommitReveal: true}
