package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// MinerConfig is what a miner is made of.
type MinerConfig struct {
	// Engine answers; required. The miner does not close it.
	Engine engine.Engine
	// Claim, if given, is what the card says of the engine in place of the truth. It is for
	// the cheat of demonstrations and tests, which must look like any other miner.
	Claim *engine.Info
	// Envelope opens calls; default [Plain].
	Envelope Unsealer
	// Tier is what the card says of privacy; default [TierAny].
	Tier string
	// Price is what a million units ([Units]) cost, in rao. With one, customers are refused
	// until [Miner.Sell] has a till for them; 0: everything is free.
	Price uint64
	// PerCaller bounds the requests of one caller at once; default 448.
	PerCaller int
	// Open bounds those of all; default 1024. How many are worked on is the engine's matter.
	Open int
	// Logger defaults to a silent one. It is told of kinds and numbers, never of what was
	// asked and answered.
	Logger *slog.Logger

	writeTime time.Duration
}

// Miner answers the calls of task.go: it is the http.Handler that [subnet.RunMiner] serves,
// with [MinerLimits]. Callers are told apart by [mesh.Caller]. Nothing of what it is asked
// and answers is logged, counted or written to a disk, by the till neither.
type Miner struct {
	cfg MinerConfig
	mux *http.ServeMux

	mu    sync.Mutex
	till  *pay.Gateway
	peers map[string]int // requests at once
	held  int64          // bytes of them
	stats MinerStats
}

// MinerStats are what a miner has done since it started.
type MinerStats struct {
	Answered  uint64 `json:"answered"`   // requests, to their end
	Failed    uint64 `json:"failed"`     // accepted, and not answered
	Left      uint64 `json:"left"`       // by their callers before the end
	Refused   uint64 `json:"refused"`    // not accepted
	Open      int    `json:"open"`       // that are worked on or wait
	TokensIn  uint64 `json:"tokens_in"`  // of prompts that were answered, or begun to be
	TokensOut uint64 `json:"tokens_out"` // of answers
	Units     uint64 `json:"units"`      // charged, or what would have been
}

// NewMiner makes a miner.
func NewMiner(cfg MinerConfig) (*Miner, error) {
	if cfg.Engine == nil {
		return nil, errors.New("inference: miner config without Engine")
	}
	if cfg.PerCaller < 0 || cfg.Open < 0 {
		return nil, fmt.Errorf("inference: bounds of %d requests a caller, %d in all: none may be below 0", cfg.PerCaller, cfg.Open)
	}
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&cfg.PerCaller, 448)
	def(&cfg.Open, 1024)
	if cfg.Envelope == nil {
		cfg.Envelope = Plain{}
	}
	if cfg.Tier == "" {
		cfg.Tier = TierAny
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.writeTime == 0 {
		cfg.writeTime = writeTime
	}
	m := &Miner{cfg: cfg, mux: http.NewServeMux(), peers: map[string]int{}}
	if err := m.card(0, 0).Check(); err != nil {
		return nil, fmt.Errorf("inference: the miner would show %w", err)
	}
	m.mux.HandleFunc("GET "+cardPath, m.showCard)
	m.mux.HandleFunc("POST "+countPath, m.count)
	m.mux.HandleFunc(generatePath+"/{units}", m.sold("an answer of a language model", m.generate))
	m.mux.HandleFunc(embedPath+"/{units}", m.sold("a text's place in a language model's space", m.embed))
	m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", "a miner answers GET "+cardPath+", POST "+countPath+", "+generatePath+"/UNITS and "+embedPath+"/UNITS", "")
	})
	return m, nil
}

// Stats returns what the miner has done so far.
func (m *Miner) Stats() MinerStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// ServeHTTP answers the calls of task.go.
func (m *Miner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := mesh.Caller(r.Context()); !ok {
		refuse(w, http.StatusForbidden, "stranger", "nobody knows who is calling", "call over the mesh")
		return
	}
	out := &patientWriter{ResponseWriter: w, rc: http.NewResponseController(w), caller: r.Context(), time: m.cfg.writeTime}
	m.mux.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), outerKey{}, out)))
}

// info is what the card says of the engine.
func (m *Miner) info() engine.Info {
	if m.cfg.Claim != nil {
		return *m.cfg.Claim
	}
	return m.cfg.Engine.Info()
}

func (m *Miner) card(service, price uint64) Card {
	m.mu.Lock()
	open := m.stats.Open
	m.mu.Unlock()
	return Card{
		Version: Version, Engine: m.info(), Tier: m.cfg.Tier, Envelope: m.cfg.Envelope.Name(), Key: m.cfg.Envelope.Key(),
		ServiceID: service, Price: price, Open: open,
	}
}

func (m *Miner) showCard(w http.ResponseWriter, r *http.Request) {
	till, ok := m.cashier(w, r)
	if !ok {
		return
	}
	var service, price uint64
	if till != nil {
		s := till.Service().Service
		var err error
		if price, err = pay.Cost(PricePer, s.Price, s.Per); err != nil {
			m.cfg.Logger.Error("the service's price can't be told", "service", s.Id, "err", err)
			refuse(w, http.StatusInternalServerError, "internal", "the price can't be told", "")
			return
		}
		service = s.Id
	}
	writeJSON(w, m.card(service, price))
}

func writeJSON(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", "the answer can't be written", "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = w.Write(raw) // an error means that the caller is gone
}

// count says how many tokens a prompt has.
func (m *Miner) count(w http.ResponseWriter, r *http.Request) {
	var c Count
	call, ok := m.begin(w, r, &c)
	if !ok {
		return
	}
	defer call.end()
	if err := c.Prompt.Check(); err != nil {
		call.refuse(err)
		return
	}
	tokens, err := m.cfg.Engine.Tokens(call.ctx, c.Prompt)
	if err != nil {
		call.fail(err)
		return
	}
	plain, err := json.Marshal(Counted{Tokens: len(tokens)})
	var sealed []byte
	if err == nil {
		sealed, err = call.sealer.Seal(plain)
	}
	if err != nil {
		call.fail(err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(sealed)))
	_, _ = w.Write(sealed) // an error means that the caller is gone
}

// minerCall is a call that the miner works on.
type minerCall struct {
	m      *Miner
	w      http.ResponseWriter
	outer  *patientWriter
	ctx    context.Context // ends with the caller, too
	sealer Sealer
	end    func()
}

// begin lets a call in and opens it, or answers why not; end must be called.
func (m *Miner) begin(w http.ResponseWriter, r *http.Request, v any) (_ *minerCall, ok bool) {
	caller, _ := mesh.Caller(r.Context())
	outer, _ := r.Context().Value(outerKey{}).(*patientWriter)
	size := r.ContentLength
	if size < 0 || size > maxRequest {
		size = maxRequest
	}
	if err := m.enter(caller, size); err != nil {
		m.add(func(s *MinerStats) { s.Refused++ })
		f, status := failureOf(err)
		if errors.Is(err, errPerCaller) {
			status = http.StatusTooManyRequests
		}
		writeFailure(w, f, status)
		return nil, false
	}
	// Behind a till the request's own context does not end with the caller.
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(outer.caller, func() { cancel(context.Cause(outer.caller)) })
	c := &minerCall{m: m, w: w, outer: outer, ctx: ctx, end: func() { stop(); cancel(nil); m.leave(caller, size) }}
	if err := c.read(r, v); err != nil {
		c.refuse(err)
		c.end()
		return nil, false
	}
	return c, true
}

// read reads a call and opens its envelope.
func (c *minerCall) read(r *http.Request, v any) error {
	_ = c.outer.rc.SetReadDeadline(time.Now().Add(bodyTime)) // a test's recorder has none
	sealed, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	_ = c.outer.rc.SetReadDeadline(time.Time{})
	switch {
	case err != nil:
		return fmt.Errorf("%w: it did not arrive", engine.ErrInvalid)
	case len(sealed) > maxRequest:
		return fmt.Errorf("%w: more than %d bytes", engine.ErrInvalid, maxRequest)
	}
	plain, sealer, err := c.m.cfg.Envelope.Unseal(sealed)
	if err != nil {
		return fmt.Errorf("%w: it can't be opened", engine.ErrInvalid)
	}
	c.sealer = sealer
	if err := decode(plain, v); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrInvalid, err)
	}
	return nil
}

// refuse answers a call that was never begun.
func (c *minerCall) refuse(err error) {
	c.m.add(func(s *MinerStats) { s.Refused++ })
	f, status := failureOf(err)
	writeFailure(c.w, f, status)
}

// fail answers a call that went wrong, unless an answer has begun.
func (c *minerCall) fail(err error) {
	f, status := c.failed(err, 0)
	writeFailure(c.w, f, status)
}

// failed counts a call that went wrong after so many tokens, and says what its caller is
// told.
func (c *minerCall) failed(err error, tokens int) (*engine.Failure, int) {
	f, status := failureOf(err)
	if c.outer.caller.Err() != nil || errors.Is(err, errNotTaken) {
		c.m.add(func(s *MinerStats) { s.Left++ })
		return f, status
	}
	if f.Kind == codeGone || f.Kind == codeBusy {
		c.m.cfg.Logger.Warn("a request failed", "kind", f.Kind, "tokens", tokens)
	}
	c.m.add(func(s *MinerStats) { s.Failed++ })
	return f, status
}

var (
	errPerCaller = fmt.Errorf("%w: too many requests of one caller", engine.ErrBusy)
	errOpen      = fmt.Errorf("%w: too many requests", engine.ErrBusy)
)

// enter counts a request in that holds so many bytes.
func (m *Miner) enter(caller string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.peers[caller] >= m.cfg.PerCaller:
		return errPerCaller
	case m.stats.Open >= m.cfg.Open || m.held+size > maxHeld:
		return errOpen
	}
	m.peers[caller]++
	m.stats.Open++
	m.held += size
	return nil
}

func (m *Miner) leave(caller string, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Open--
	m.held -= size
	if m.peers[caller]--; m.peers[caller] == 0 {
		delete(m.peers, caller)
	}
}

func (m *Miner) add(count func(*MinerStats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.stats)
}

type outerKey struct{}

// patientWriter writes to a caller who may take a while for each piece, and no longer: who
// reads too slowly must not hold an engine's slot.
type patientWriter struct {
	http.ResponseWriter
	rc     *http.ResponseController
	caller context.Context // ends with the caller
	begun  bool            // the answer has
	time   time.Duration   // for a piece
	until  time.Time       // to write
}

func (p *patientWriter) WriteHeader(status int) {
	p.begun = p.begun || status >= 200
	p.wait()
	p.ResponseWriter.WriteHeader(status)
}

func (p *patientWriter) Write(b []byte) (int, error) {
	p.begun = true
	p.wait()
	return p.ResponseWriter.Write(b)
}

// FlushError sends what was written; http.ResponseController uses it.
func (p *patientWriter) FlushError() error {
	p.begun = true
	p.wait()
	return p.rc.Flush()
}

func (p *patientWriter) wait() {
	now := time.Now()
	if p.until.Sub(now) > p.time*9/10 {
		return // it was just set
	}
	p.until = now.Add(p.time)
	_ = p.rc.SetWriteDeadline(p.until) // a test's recorder has none
}
