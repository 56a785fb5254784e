package llama

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hybridgroup/yzma/pkg/llama"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/internal/inbox"
)

// Engine is llama.cpp with a model in this process.
type Engine struct {
	model   *model
	info    engine.Info
	options Options

	use   sync.RWMutex // held while the model is read outside of the loop
	freed bool

	mu      sync.Mutex
	waiting []*job
	ended   error // why no request is taken
	wake    chan struct{}
	done    chan struct{} // the loop has ended

	embedder *embedder
}

// Load loads the libraries and the model and is ready for requests when it returns.
// Libraries and their CPU variant are the process's: all engines in it share them.
func Load(o Options) (*Engine, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	if err := load(o.Libraries, o.Variant); err != nil {
		return nil, err
	}
	backend := "llama.cpp " + Version
	if o.GPULayers != 0 {
		found := gpus()
		if len(found) == 0 {
			return nil, fmt.Errorf("the libraries in %s find no GPU: its driver must be there, and what they need beside it (for NVIDIA's, libcudart.so.13 and libcublas.so.13 of CUDA 13 where the loader looks); or leave layers to the processor", o.Libraries)
		}
		backend += " on " + strings.Join(found, ", ")
	}
	m, err := openModel(o)
	if err != nil {
		return nil, err
	}
	if o.Context == 0 {
		o.Context = 4096
	}
	if trained := int(llama.ModelNCtxTrain(m.handle)); trained > 0 {
		o.Context = min(o.Context, trained)
	}
	l, err := newLoop(m, o)
	if err != nil {
		return nil, errors.Join(err, m.free())
	}
	e := &Engine{model: m, options: o, wake: make(chan struct{}, 1), done: make(chan struct{}), embedder: newEmbedder()}
	e.info = engine.Info{
		Model: m.name, Digest: m.digest, Backend: backend, Context: o.Context, Slots: o.Slots,
		Vocabulary: len(m.pieces), Dimensions: int(llama.ModelNEmbd(m.handle)), Threads: l.threads,
		Chat: m.template != nil, Grammar: true, Verifiable: true,
	}
	go func() {
		defer close(e.done)
		e.finish(l.run(e))
		l.free()
	}()
	return e, nil
}

// Info is described at [engine.Engine].
func (e *Engine) Info() engine.Info { return e.info }

// Done is closed when the engine serves no more: after Close, or when llama.cpp failed.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Close is described at [engine.Engine]. It returns when the memory is given back.
func (e *Engine) Close() error {
	e.finish(engine.ErrClosed)
	<-e.done
	e.use.Lock() // who still reads the model, or embeds, comes to an end first
	defer e.use.Unlock()
	if e.freed {
		return nil
	}
	e.freed = true
	return errors.Join(e.embedder.close(), e.model.free())
}

// finish makes the engine take no more requests, and ends those that wait.
func (e *Engine) finish(err error) {
	e.mu.Lock()
	if e.ended == nil {
		e.ended = err
	}
	waiting := e.waiting
	e.waiting = nil
	err = e.ended
	e.mu.Unlock()
	for _, j := range waiting {
		j.end(engine.FinishCancelled, err)
	}
	e.signal()
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// submit puts a job at the queue's end.
func (e *Engine) submit(j *job) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ended != nil:
		return e.ended
	case len(e.waiting) >= e.options.Queue:
		return engine.ErrBusy
	}
	e.waiting = append(e.waiting, j)
	context.AfterFunc(j.ctx, func() { e.leave(j) })
	e.signal()
	return nil
}

// leave ends a job whose caller has left, if it still waits; the loop ends the others.
func (e *Engine) leave(j *job) {
	e.mu.Lock()
	i := slices.Index(e.waiting, j)
	if i >= 0 {
		e.waiting = slices.Delete(e.waiting, i, i+1)
	}
	e.mu.Unlock()
	if i >= 0 {
		j.end(engine.FinishCancelled, context.Cause(j.ctx))
	}
}

// next takes up to n jobs from the queue; the error ends the loop.
func (e *Engine) next(n int) ([]*job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended != nil {
		return nil, e.ended
	}
	n = min(n, len(e.waiting))
	jobs := slices.Clone(e.waiting[:n])
	e.waiting = slices.Delete(e.waiting, 0, n) // nothing of them stays behind
	return jobs, nil
}

// Generate is described at [engine.Engine].
func (e *Engine) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	none := engine.Result{Finish: engine.FinishCancelled}
	if err := r.Check(); err != nil {
		return none, err
	}
	prompt, err := e.prompt(r.Prompt)
	if err != nil {
		return none, err
	}
	j, err := e.newJob(ctx, prompt, r.Sampling)
	if err != nil {
		return none, err
	}
	defer j.cancel()
	j.left = e.info.Context - len(prompt)
	if r.MaxTokens > 0 {
		j.left = min(j.left, r.MaxTokens)
	}
	j.text = engine.NewText(r.Stop)
	j.top = r.TopLogProbs
	if err := e.submit(j); err != nil {
		j.release()
		return none, err
	}
	var refused error
	for range j.out.Ready() {
		for _, ev := range j.out.Take() {
			if ev.done {
				if refused != nil {
					ev.err, ev.result.Finish = refused, engine.FinishCancelled
				}
				return ev.result, ev.err
			}
			if refused == nil && emit != nil && ctx.Err() == nil {
				if refused = emit(ev.chunk); refused != nil {
					j.cancel()
				}
			}
		}
	}
	panic("llama: unreachable")
}

// Score is described at [engine.Engine].
func (e *Engine) Score(ctx context.Context, r engine.ScoreRequest) ([]engine.TokenScore, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	prompt, err := e.prompt(r.Prompt)
	if err != nil {
		return nil, err
	}
	if n := len(prompt) + len(r.Answer); n > e.info.Context {
		return nil, &engine.TooLongError{Tokens: n, Context: e.info.Context}
	}
	for _, id := range r.Answer {
		if id < 0 || int(id) >= len(e.model.pieces) {
			return nil, fmt.Errorf("%w: there is no token %d, the vocabulary has %d", engine.ErrInvalid, id, len(e.model.pieces))
		}
	}
	j, err := e.newJob(ctx, prompt, r.Sampling)
	if err != nil {
		return nil, err
	}
	defer j.cancel()
	j.answer = r.Answer
	j.input = append(j.input[:len(prompt):len(prompt)], r.Answer[:len(r.Answer)-1]...)
	if err := e.submit(j); err != nil {
		j.release()
		return nil, err
	}
	<-j.out.Ready()
	ev := j.out.Take()[0]
	return ev.scores, ev.err
}

// event is what the loop tells a caller.
type event struct {
	chunk  engine.Chunk
	done   bool
	result engine.Result
	scores []engine.TokenScore
	err    error
}

// job is a request on its way through the loop.
type job struct {
	ctx     context.Context
	cancel  context.CancelFunc
	out     *inbox.Inbox[event]
	sampler *engine.Sampler
	mask    *mask
	prompt  int     // tokens of the prompt
	input   []int32 // what the model reads: the prompt, then the answer
	fed     int     // tokens of input that it has read

	// of an answer in the making
	left int // tokens that may still be made
	made []int32
	text *engine.Text
	top  int
	stop string // that ended it

	// of an answer that is scored
	answer []int32
	scores []engine.TokenScore
	broken bool // the answer has left the grammar

	slot  int
	ended bool
}

func (e *Engine) newJob(ctx context.Context, prompt []int32, s engine.Sampling) (*job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k, err := e.mask(s.Grammar)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	return &job{ctx: ctx, cancel: cancel, out: inbox.New[event](), sampler: engine.NewSampler(s), mask: k,
		prompt: len(prompt), input: prompt[:len(prompt):len(prompt)]}, nil
}

func (j *job) release() {
	j.mask.free()
	j.cancel()
}

// end tells the caller that the job is over.
func (j *job) end(f engine.Finish, err error) {
	if j.ended {
		return
	}
	j.ended = true
	j.mask.free()
	ev := event{done: true, err: err, result: engine.Result{Finish: f, StopString: j.stop, Answer: j.made,
		Usage: engine.Usage{Prompt: j.prompt, Completion: len(j.made)}}}
	if err == nil {
		ev.scores = j.scores
	}
	j.out.Put(ev)
}
