// Package memory is an engine without a model: a few lines of arithmetic that answer any
// prompt, the same way each time, through the same sampler, stops and checks as a real
// one. Tests of what lies around an engine use it, and benchmarks, as it costs next to
// nothing.
//
// A token is a byte; [End] ends an answer. By default the bytes are drawn from letters
// and spaces by numbers that depend on what came before, so that an answer depends on the
// whole prompt and on the seed; with [Options.Answer], they are what that says. A chat is
// read as `role: content` lines. Grammars are not followed.
package memory

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// End is the token that ends an answer.
const End = 256

// Options says how the engine behaves.
type Options struct {
	Context int                               // tokens; 0: 4096
	Slots   int                               // requests at once, others wait; 0: 64
	Answer  func(prompt string) string        // what it says; nil: letters
	Wait    func(context.Context, int) error  // is called before each token, with its place; nil: no wait
	Model   string                            // its name; empty: memory
	Noise   func(place int, logits []float32) // may change the logits: a model that is not the claimed one
}

// Engine answers without a model.
type Engine struct {
	options Options
	slots   chan struct{}
	mu      sync.RWMutex
	closed  chan struct{}
	running sync.WaitGroup
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine.
func New(o Options) *Engine {
	if o.Context == 0 {
		o.Context = 4096
	}
	if o.Slots == 0 {
		o.Slots = 64
	}
	if o.Model == "" {
		o.Model = "memory"
	}
	return &Engine{options: o, slots: make(chan struct{}, o.Slots), closed: make(chan struct{})}
}

// Every returns a wait for [Options.Wait]: one between tokens.
func Every(d time.Duration) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	}
}

// Info is described at [engine.Engine].
func (e *Engine) Info() engine.Info {
	return engine.Info{Model: e.options.Model, Digest: fmt.Sprintf("%064x", 0), Backend: "memory", Context: e.options.Context,
		Slots: e.options.Slots, Vocabulary: End + 1, Dimensions: 16, Threads: runtime.GOMAXPROCS(0), Chat: true, Verifiable: true}
}

// Close is described at [engine.Engine].
func (e *Engine) Close() error {
	e.mu.Lock()
	select {
	case <-e.closed:
	default:
		close(e.closed)
	}
	e.mu.Unlock()
	e.running.Wait()
	return nil
}

// enter counts a request in; the context it returns ends with the engine, too.
func (e *Engine) enter(ctx context.Context) (context.Context, func(), error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	select {
	case <-e.closed:
		return nil, nil, engine.ErrClosed
	default:
	}
	e.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	go func() {
		select {
		case <-e.closed:
			cancel(engine.ErrClosed)
		case <-stop:
		}
	}()
	return ctx, func() { close(stop); cancel(nil); e.running.Done() }, nil
}

func text(p engine.Prompt) string {
	out := p.Text
	if p.Chat != nil {
		for _, m := range p.Chat.Messages {
			out += m.Role + ": " + m.Content + "\n"
		}
	}
	for _, id := range p.Tokens {
		out += string([]byte{byte(id)})
	}
	return out
}

// Tokens is described at [engine.Engine].
func (e *Engine) Tokens(_ context.Context, p engine.Prompt) ([]int32, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	for _, id := range p.Tokens {
		if id < 0 || id > End {
			return nil, fmt.Errorf("%w: there is no token %d", engine.ErrInvalid, id)
		}
	}
	s := text(p)
	if len(s) >= e.options.Context {
		return nil, &engine.TooLongError{Tokens: len(s), Context: e.options.Context}
	}
	out := make([]int32, len(s))
	for i := range len(s) {
		out[i] = int32(s[i])
	}
	return out, nil
}

// source makes logits, from what came before.
type source struct {
	e      *Engine
	state  uint64
	answer string
	fixed  bool
	place  int
	logits []float32
}

func (e *Engine) source(p engine.Prompt) *source {
	h := fnv.New64a()
	h.Write([]byte(text(p))) // it has no error to give
	s := &source{e: e, state: h.Sum64(), logits: make([]float32, End+1)}
	if e.options.Answer != nil {
		s.answer, s.fixed = e.options.Answer(text(p)), true
	}
	return s
}

func (s *source) next() []float32 {
	for i := range s.logits {
		s.logits[i] = float32(math.Inf(-1))
	}
	switch {
	case s.fixed && s.place < len(s.answer):
		s.logits[s.answer[s.place]] = 0
	case s.fixed:
		s.logits[End] = 0
	default:
		x := s.state
		for _, c := range []byte("etaoin shrdlu cmfwyp") {
			x = x*6364136223846793005 + 1442695040888963407
			s.logits[c] = max(s.logits[c], float32(x>>40)/(1<<24)*4)
		}
		s.logits[End] = float32(s.place)/16 - 4
	}
	if s.e.options.Noise != nil {
		s.e.options.Noise(s.place, s.logits)
	}
	return s.logits
}

func (s *source) feed(id int32) {
	s.place++
	s.state = (s.state ^ uint64(id)) * 1099511628211
	s.state ^= s.state >> 29
}

func piece(id int32) []byte {
	if id == End {
		return nil
	}
	return []byte{byte(id)}
}

// Generate is described at [engine.Engine].
func (e *Engine) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	result := engine.Result{Finish: engine.FinishCancelled}
	if err := r.Check(); err != nil {
		return result, err
	}
	if !r.Grammar.IsZero() {
		return result, fmt.Errorf("%w: it follows no grammar", engine.ErrGrammar)
	}
	tokens, err := e.Tokens(ctx, r.Prompt)
	if err != nil {
		return result, err
	}
	ctx, leave, err := e.enter(ctx)
	if err != nil {
		return result, err
	}
	defer leave()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return result, context.Cause(ctx)
	}
	result.Usage.Prompt = len(tokens)
	left := e.options.Context - len(tokens)
	if r.MaxTokens > 0 {
		left = min(left, r.MaxTokens)
	}
	sampler, s, pieces := engine.NewSampler(r.Sampling), e.source(r.Prompt), engine.NewText(r.Stop)
	give := func(c engine.Chunk) error {
		if emit == nil || c.Text == "" && len(c.Tokens) == 0 {
			return nil
		}
		return emit(c)
	}
	for place := 0; ; place++ {
		var err error
		if e.options.Wait != nil {
			err = e.options.Wait(ctx, place)
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if err != nil {
			return result, err
		}
		logits := s.next()
		id := sampler.Pick(place, logits, nil)
		result.Answer = append(result.Answer, id)
		result.Usage.Completion++
		if id == End {
			result.Finish = engine.FinishStop
			return result, give(pieces.Flush())
		}
		p := engine.NewLogProbs(logits)
		t := engine.Token{ID: id, Bytes: piece(id), LogProb: p.Of(id)}
		for _, alt := range p.Top(r.TopLogProbs) {
			t.Top = append(t.Top, engine.Alternative{ID: alt, Bytes: piece(alt), LogProb: p.Of(alt)})
		}
		c, stop := pieces.Add(t)
		if err := give(c); err != nil {
			return result, err
		}
		if stop != "" {
			result.Finish, result.StopString = engine.FinishStop, stop
			return result, nil
		}
		if left--; left <= 0 {
			result.Finish = engine.FinishLength
			return result, give(pieces.Flush())
		}
		s.feed(id)
	}
}

// Score is described at [engine.Engine].
func (e *Engine) Score(ctx context.Context, r engine.ScoreRequest) ([]engine.TokenScore, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if !r.Grammar.IsZero() {
		return nil, fmt.Errorf("%w: it follows no grammar", engine.ErrGrammar)
	}
	tokens, err := e.Tokens(ctx, r.Prompt)
	if err != nil {
		return nil, err
	}
	if n := len(tokens) + len(r.Answer); n > e.options.Context {
		return nil, &engine.TooLongError{Tokens: n, Context: e.options.Context}
	}
	ctx, leave, err := e.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	sampler, s := engine.NewSampler(r.Sampling), e.source(r.Prompt)
	var out []engine.TokenScore
	for place, id := range r.Answer {
		if id < 0 || id > End {
			return nil, fmt.Errorf("%w: there is no token %d", engine.ErrInvalid, id)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		logits := s.next()
		out = append(out, engine.TokenScore{Margin: sampler.Margin(place, logits, id, nil), LogProb: engine.NewLogProbs(logits).Of(id),
			Bytes: piece(id), End: id == End})
		s.feed(id)
	}
	return out, nil
}

// Embed is described at [engine.Engine].
func (e *Engine) Embed(ctx context.Context, p engine.Prompt) (engine.Embedding, error) {
	tokens, err := e.Tokens(ctx, p)
	if err != nil {
		return engine.Embedding{}, err
	}
	v := make([]float32, 16)
	var square float64
	for i := range tokens {
		v[int(tokens[i])%len(v)]++
	}
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
	return engine.Embedding{Vector: v, Tokens: len(tokens)}, nil
}
