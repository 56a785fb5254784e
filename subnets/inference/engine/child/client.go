package child

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/internal/inbox"
)

// Variable is set in the environment of a child: none starts another.
const Variable = "LODE_ENGINE_CHILD"

const (
	firstPause  = 100 * time.Millisecond // before a child that failed is started again
	longestRest = 30 * time.Second
	steadyAfter = time.Minute     // a child that ran as long counts as sound
	patience    = 2 * time.Second // for a child to say what it made of a cancelled request
	goodbye     = 5 * time.Second // for a child to end by itself
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
	s, err := c.open(ctx)
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
	s, err := c.open(ctx)
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
					return partial, s.gone(c), true
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
					return partial, s.gone(c), true
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
			return partial, s.gone(c)
		}
	}
}

// session is one child process.
type session struct {
	cmd  *exec.Cmd
	conn net.Conn
	w    *writer
	info engine.Info

	mu    sync.Mutex
	next  uint64
	calls map[uint64]*inbox.Inbox[frame]
	cause error // why this side ended it

	ended chan struct{} // closed when the process has ended; then err says why
	err   error
}

// open starts a child and waits for its hello.
func (c *Client) open(ctx context.Context) (*session, error) {
	syscall.ForkLock.RLock() // no process that is started meanwhile gets the sockets
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(pair[0])
		unix.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("a socket for the engine's process: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "engine"), os.NewFile(uintptr(pair[1]), "parent")
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	said := &lastWords{}
	cmd := exec.Command(c.options.Command[0], c.options.Command[1:]...)
	cmd.Env = append(os.Environ(), Variable+"=1", "GGML_NO_BACKTRACE=1") // a backtrace has arguments
	cmd.ExtraFiles = []*os.File{theirs}                                  // file 3
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is ours to pass on
	err = cmd.Start()
	// With its end open here, the end of a child would not be seen.
	if e := theirs.Close(); err != nil || e != nil {
		if err == nil {
			err = errors.Join(e, cmd.Process.Kill(), cmd.Wait())
		}
		return nil, errors.Join(fmt.Errorf("start the engine's process: %w", err), conn.Close())
	}
	s := &session{cmd: cmd, conn: conn, w: newWriter(), calls: map[uint64]*inbox.Inbox[frame]{}, ended: make(chan struct{})}
	hellos := make(chan hello, 1)
	go s.run(said, hellos)
	stop := context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })
	defer stop()
	if err := s.w.send(kindStart, 0, c.options.Start); err != nil {
		s.fail(err)
	}
	select {
	case h := <-hellos:
		if h.Failure == nil && stop() {
			s.info = h.Info
			return s, nil
		}
		s.close()
		<-s.ended
		if h.Failure == nil {
			return nil, context.Cause(ctx)
		}
		return nil, h.Failure.Err()
	case <-s.ended:
		return nil, s.err
	}
}

// run reads what the child sends until it ends.
func (s *session) run(said *lastWords, hellos chan<- hello) {
	written := make(chan error, 1)
	go func() { written <- s.w.run(s.conn) }()
	err := s.read(hellos)
	s.w.close()
	s.fail(err)
	<-written // its error is the connection's, which read has seen
	kill := time.AfterFunc(goodbye, func() {
		_ = s.cmd.Process.Kill() // it has ended by itself, or is ended
	})
	exit := s.cmd.Wait()
	kill.Stop()
	s.mu.Lock()
	cause := s.cause
	s.mu.Unlock()
	for _, first := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(cause, first) {
			cause = nil // it ended first: how says more
		}
	}
	switch {
	case cause != nil:
		s.err = cause
	case exit != nil:
		s.err = fmt.Errorf("it ended: %w", exit)
	default:
		s.err = errors.New("it ended")
	}
	if words := said.String(); words != "" {
		s.err = fmt.Errorf("%w at %s", s.err, words)
	}
	close(s.ended)
}

func (s *session) read(hellos chan<- hello) error {
	r := bufio.NewReaderSize(s.conn, 64<<10)
	for greeted := false; ; {
		f, err := readFrame(r)
		if err != nil {
			return err
		}
		switch {
		case f.kind == kindHello && !greeted:
			greeted = true
			var h hello
			if err := json.Unmarshal(f.body, &h); err != nil {
				return err
			}
			hellos <- h
		case f.kind == kindBegun || f.kind == kindChunk || f.kind == kindDone:
			s.mu.Lock()
			in := s.calls[f.id]
			s.mu.Unlock()
			if in != nil {
				in.Put(f)
			}
		default:
			return fmt.Errorf("it sends a frame of kind %d", f.kind)
		}
	}
}

func (s *session) begin() (uint64, *inbox.Inbox[frame]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	in := inbox.New[frame]()
	s.calls[s.next] = in
	return s.next, in
}

func (s *session) forget(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, id)
}

// fail ends the session.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.cause == nil {
		s.cause = err
	}
	s.mu.Unlock()
	_ = s.conn.Close() // the second time it says that it is closed
}

// close ends the session in good order: the child sees that its parent has gone.
func (s *session) close() { s.fail(engine.ErrClosed) }

// gone is the error of requests of a session that has ended, or is about to.
func (s *session) gone(c *Client) error {
	<-s.ended
	select {
	case <-c.closing:
		return engine.ErrClosed
	default:
		return fmt.Errorf("%w (%w)", engine.ErrGone, s.err)
	}
}

// assertion matches what ggml prints of a failed assertion: a place and a condition of its
// source. All else that a process prints may hold what it works on.
var assertion = regexp.MustCompile(`(?m)^\S+\.(?:c|cpp|h|cu):\d+: GGML_ASSERT\([ -~]{1,200}\) failed$`)

// lastWords keeps the first failed assertion of what is printed.
type lastWords struct {
	mu    sync.Mutex
	tail  []byte
	words string
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.words == "" {
		l.tail = append(l.tail, p...)
		l.words = string(assertion.Find(l.tail))
		l.tail = l.tail[max(0, len(l.tail)-512):]
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.words
}
