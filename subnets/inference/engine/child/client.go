package child

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Variable is set in the environment of a child: none starts another.
const Variable = "LODE_ENGINE_CHILD"

const (
	firstPause  = 100 * time.Millisecond // before a child that failed is started again
	longestRest = 30 * time.Second
	steadyAfter = time.Minute     // a child that ran as long counts as sound
	patience    = 2 * time.Second // for a child to say what it made of a cancelled request
	maxBacklog  = maxFrame        // bytes that a child has not read; beyond, no request is sent
)

// Options says which program becomes the child.
type Options struct {
	Command []string        // a program and its arguments; empty: this program, with the argument engine-child
	Start   json.RawMessage // what it is to open
	Log     *slog.Logger    // starts and failures; nil: slog's default
}

// Client is an engine in a child process.
type Client struct {
	options Options
	info    engine.Info

	mu      sync.Mutex
	session *session      // nil: no child is ready
	changed chan struct{} // closed when session changes
	failure error         // why the last child ended
	closing chan struct{}
	closed  bool
	done    chan struct{}
}

var _ engine.Engine = (*Client)(nil)

// Start starts the child and returns when its engine is open, or with the error that it
// has.
func Start(ctx context.Context, o Options) (*Client, error) {
	if os.Getenv(Variable) != "" {
		return nil, errors.New("this process is an engine's child: it starts no other. A program that starts engines must serve as one when its first argument is engine-child")
	}
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		o.Command = []string{self, "engine-child"}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	c := &Client{options: o, changed: make(chan struct{}), closing: make(chan struct{}), done: make(chan struct{})}
	s, err := startSession(ctx, c.options)
	if err != nil {
		return nil, err
	}
	c.info = s.info
	c.set(s, nil)
	go c.supervise(s)
	return c, nil
}

// set makes s the session of new requests.
func (c *Client) set(s *session, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.failure = s, failure
	close(c.changed)
	c.changed = make(chan struct{})
}

// supervise keeps a child running until Close.
func (c *Client) supervise(s *session) {
	defer close(c.done)
	pause := firstPause
	for {
		started := time.Now()
		select {
		case <-s.ended:
		case <-c.closing:
			s.close()
			<-s.ended
		}
		c.set(nil, s.err)
		select {
		case <-c.closing:
			return
		default:
		}
		if time.Since(started) > steadyAfter {
			pause = firstPause
		}
		c.options.Log.Error("the engine's process failed and is started again", "model", c.info.Model, "pause", pause, "error", s.err)
		for s = nil; s == nil; {
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-c.closing:
				timer.Stop()
				return
			}
			pause = min(2*pause, longestRest)
			next, err := c.reopen()
			if err != nil {
				c.options.Log.Error("the engine's process can't be started", "model", c.info.Model, "pause", pause, "error", err)
				c.set(nil, err)
				continue
			}
			s = next
		}
		c.set(s, nil)
	}
}

func (c *Client) reopen() (*session, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-c.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	s, err := startSession(ctx, c.options)
	if err != nil {
		return nil, err
	}
	if s.info.Digest != c.info.Digest {
		s.close()
		<-s.ended
		return nil, fmt.Errorf("the model's file has changed (SHA-256 %s, it was %s): start anew to serve it", s.info.Digest, c.info.Digest)
	}
	return s, nil
}

// Ready waits until a child takes requests.
func (c *Client) Ready(ctx context.Context) error {
	for {
		c.mu.Lock()
		s, changed, closed := c.session, c.changed, c.closed
		c.mu.Unlock()
		switch {
		case closed:
			return engine.ErrClosed
		case s != nil:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Process returns the number of the child's process; 0 if there is none.
func (c *Client) Process() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return 0
	}
	return c.session.cmd.Process.Pid
}

// Info is described at [engine.Engine].
func (c *Client) Info() engine.Info { return c.info }

// Close is described at [engine.Engine]. It returns when the process has ended.
func (c *Client) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.closing)
	}
	c.mu.Unlock()
	<-c.done
	return nil
}

// current returns the session of new requests.
func (c *Client) current() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, engine.ErrClosed
	case c.session == nil:
		return nil, fmt.Errorf("%w (its process is being started: %w)", engine.ErrGone, c.failure)
	}
	return c.session, nil
}

// Tokens is described at [engine.Engine].
func (c *Client) Tokens(ctx context.Context, p engine.Prompt) ([]int32, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	r, err := c.ask(ctx, kindTokens, p, nil)
	return r.Tokens, err
}

// Score is described at [engine.Engine].
func (c *Client) Score(ctx context.Context, r engine.ScoreRequest) ([]engine.TokenScore, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	reply, err := c.ask(ctx, kindScore, r, nil)
	if err != nil {
		return nil, err
	}
	if len(reply.Scores) != len(r.Answer) {
		return nil, fmt.Errorf("%w (%d scores of %d)", engine.ErrGone, len(reply.Scores), len(r.Answer))
	}
	return reply.Scores, nil
}

// Embed is described at [engine.Engine].
func (c *Client) Embed(ctx context.Context, p engine.Prompt) (engine.Embedding, error) {
	if err := p.Check(); err != nil {
		return engine.Embedding{}, err
	}
	r, err := c.ask(ctx, kindEmbed, p, nil)
	return r.Embedding, err
}

// Generate is described at [engine.Engine].
func (c *Client) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	if err := r.Check(); err != nil {
		return engine.Result{Finish: engine.FinishCancelled}, err
	}
	if emit == nil {
		emit = func(engine.Chunk) error { return nil }
	}
	reply, err := c.ask(ctx, kindGenerate, r, emit)
	return reply.Result, err
}

// ask sends a request and waits for its reply. What came of an answer before an error is
// in the reply.
func (c *Client) ask(ctx context.Context, k kind, v any, emit func(engine.Chunk) error) (reply, error) {
	partial := reply{Result: engine.Result{Finish: engine.FinishCancelled}}
	if err := ctx.Err(); err != nil {
		return partial, err
	}
	s, err := c.current()
	if err != nil {
		return partial, err
	}
	body, err := json.Marshal(v)
	if err != nil {
		return partial, fmt.Errorf("%w: %w", engine.ErrInvalid, err)
	}
	if s.w.backlog() > maxBacklog {
		return partial, engine.ErrBusy
	}
	id, in := s.begin()
	defer s.forget(id)
	if err := s.w.send(k, id, body); err != nil {
		return partial, fmt.Errorf("%w: %w", engine.ErrInvalid, err)
	}
	cancelled := ctx.Done()
	var refused error
	var late <-chan time.Time
	cancel := func(why error) error {
		refused, cancelled = why, nil
		timer := time.NewTimer(patience)
		late = timer.C
		return s.w.send(kindCancel, id, nil)
	}
	// take deals with what came, and reports whether the reply did.
	take := func() (reply, error, bool) {
		for _, f := range in.Take() {
			switch f.kind {
			case kindBegun:
				n, _ := binary.Uvarint(f.body)
				partial.Result.Usage.Prompt = int(n)
			case kindChunk:
				chunk, err := decodeChunk(f.body)
				if err != nil {
					s.fail(err)
					return partial, c.gone(s), true
				}
				for _, t := range chunk.Tokens {
					partial.Result.Answer = append(partial.Result.Answer, t.ID)
				}
				partial.Result.Usage.Completion += len(chunk.Tokens)
				if refused != nil || emit == nil {
					continue
				}
				if err = context.Cause(ctx); err == nil {
					err = emit(chunk)
				}
				if err != nil {
					if err := cancel(err); err != nil {
						return partial, err, true
					}
				}
			case kindDone:
				var r reply
				if err := json.Unmarshal(f.body, &r); err != nil {
					s.fail(err)
					return partial, c.gone(s), true
				}
				switch {
				case refused != nil:
					r.Result.Finish = engine.FinishCancelled
					return r, refused, true
				case r.Failure != nil:
					return r, r.Failure.Err(), true
				}
				return r, nil, true
			}
		}
		return partial, nil, false
	}
	for {
		select {
		case <-cancelled:
			if err := cancel(context.Cause(ctx)); err != nil {
				return partial, err
			}
		case <-late:
			return partial, refused
		case <-in.Ready():
			if r, err, done := take(); done {
				return r, err
			}
		case <-s.ended:
			if r, err, done := take(); done {
				return r, err
			}
			if refused != nil {
				return partial, refused
			}
			return partial, c.gone(s)
		}
	}
}

// gone is the error of requests of a session that has ended, or is about to.
func (c *Client) gone(s *session) error {
	<-s.ended
	select {
	case <-c.closing:
		return engine.ErrClosed
	default:
		return fmt.Errorf("%w (%w)", engine.ErrGone, s.err)
	}
}
