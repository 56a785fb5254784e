package inference

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// judgeMesh carries calls to miners by hotkey, over HTTP on loopback.
type judgeMesh struct {
	subnet.Mesh
	servers map[string]*httptest.Server
	self    string
}

func (m *judgeMesh) Hotkey() string                  { return m.self }
func (m *judgeMesh) AddPeer(string, ...string) error { return nil }

func (m *judgeMesh) RoundTrip(r *http.Request) (*http.Response, error) {
	s := m.servers[r.URL.Host]
	if s == nil {
		return nil, fmt.Errorf("nobody at %s", r.URL.Host)
	}
	to, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", to.Host, to.Host
	out.Header.Set("X-Caller", m.self)
	return http.DefaultTransport.RoundTrip(out)
}

// judged is a subnet of miners, and a validator of it.
type judged struct {
	mesh    *judgeMesh
	meta    *subnet.Metagraph
	v       *Validator
	gateway *CanaryGateway
}

// judgedMiner is a miner under test.
type judgedMiner struct {
	MinerConfig
	wrap func(http.Handler) http.Handler
}

func serve(e engine.Engine) judgedMiner { return judgedMiner{MinerConfig: MinerConfig{Engine: e}} }

// measuredHere are the thresholds of the engine in memory, whose arithmetic is exact.
func measuredHere(digest string) fidelity.Thresholds {
	return fidelity.Thresholds{Digest: digest, Flag: 0.02, Flagged: 1e-4, MeanMargin: 1e-4, LogProb: 1e-3, LogProbSpread: 1e-3, LogProbClip: 1e-2, Measured: &fidelity.Measured{}}
}

func newJudged(t *testing.T, cfg ValidatorConfig, params string, miners ...judgedMiner) *judged {
	t.Helper()
	j := &judged{mesh: &judgeMesh{servers: map[string]*httptest.Server{}, self: "payer"},
		meta: &subnet.Metagraph{Netuid: 2, Name: Name, Started: true, Parameters: []byte(params)}}
	for i, m := range miners {
		hotkey := fmt.Sprintf("m%d", i)
		made, err := NewMiner(m.MinerConfig)
		require.NoError(t, err)
		var h http.Handler = made
		if m.wrap != nil {
			h = m.wrap(h)
		}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/" + strings.TrimPrefix(r.URL.Path, "/subnet/2/")
			h.ServeHTTP(w, r.WithContext(mesh.WithCaller(r.Context(), r.Header.Get("X-Caller"))))
		}))
		t.Cleanup(s.Close)
		j.mesh.servers[hotkey] = s
		j.meta.Neurons = append(j.meta.Neurons, subnet.Neuron{UID: uint16(i), Hotkey: hotkey, Endpoints: []string{"/test"}, Protocol: Name + "/miner"})
	}
	j.meta.Neurons = append(j.meta.Neurons, subnet.Neuron{UID: uint16(len(miners)), Hotkey: "v0", Permit: true})
	var err error
	j.gateway, err = NewCanaryGateway(GatewayConfig{Netuid: 2, Caller: &Caller{HTTP: &http.Client{Transport: j.mesh}, Envelope: Plain{}}}, j.mesh)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.gateway.Close()) })
	if cfg.Engine == nil {
		cfg.Engine = memory.New(memory.Options{})
	}
	if cfg.Prober == nil {
		cfg.Prober = j.gateway
	}
	if cfg.RoundGoal == 0 {
		cfg.RoundGoal = 3 * time.Second
	}
	if cfg.Thresholds.Digest == "" {
		cfg.Thresholds = measuredHere(cfg.Engine.Info().Digest)
	}
	cfg.Logger = slog.New(slog.NewTextHandler(judgeLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	j.v, err = NewValidator(cfg)
	require.NoError(t, err)
	j.v.least = time.Second
	return j
}

type judgeLog struct{ t *testing.T }

func (w judgeLog) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func (j *judged) network() *subnet.Network {
	return subnet.NewNetwork(Name, j.meta, "v0", nil, rand.Reader, slog.New(slog.DiscardHandler))
}

// round runs a round, and returns what it found by miner.
func (j *judged) round(t *testing.T) ([]RoundMiner, subnet.Scores) {
	t.Helper()
	scores, err := j.v.Round(t.Context(), j.network())
	require.NoError(t, err)
	miners := j.v.Last().Miners
	for _, m := range miners {
		score, ok := scores[m.UID]
		require.Equal(t, ok, m.Score != nil)
		if ok {
			require.Equal(t, score, *m.Score)
		}
	}
	return miners, scores
}

// cheat answers otherwise than its engine would.
type cheat struct {
	engine.Engine
	ask  func(r *engine.Request)
	tell func(c *engine.Chunk)
	end  func(r *engine.Result)
	emit int // tokens after which it stops; 0: it doesn't
}

func (c cheat) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	if c.ask != nil {
		c.ask(&r)
	}
	if c.emit > 0 {
		r.MaxTokens, r.Stop = c.emit, nil
	}
	result, err := c.Engine.Generate(ctx, r, func(chunk engine.Chunk) error {
		if c.tell != nil {
			c.tell(&chunk)
		}
		return emit(chunk)
	})
	if err == nil && c.end != nil {
		c.end(&result)
	}
	return result, err
}

// honest answers a millisecond a token.
func honest() engine.Engine { return memory.New(memory.Options{Wait: memory.Every(time.Millisecond)}) }
