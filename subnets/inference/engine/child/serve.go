package child

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// socket is the file that the child has its parent on.
const socket = 3

// Main serves the parent of this process with the engine that open returns, until the
// parent goes. Open gets the [Options.Start] of the parent.
func Main(open func(start json.RawMessage) (engine.Engine, error)) error {
	if os.Getenv(Variable) == "" {
		return errors.New("this command is for Lode itself: it runs a model for its parent")
	}
	if err := leaveNoDump(); err != nil {
		return err
	}
	f := os.NewFile(socket, "parent")
	conn, err := net.FileConn(f)
	if err != nil {
		return fmt.Errorf("this command is for Lode itself: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return Serve(conn, open)
}

// Serve serves one parent. It returns when the connection ends, with nil, or when the
// engine does.
func Serve(conn io.ReadWriteCloser, open func(json.RawMessage) (engine.Engine, error)) error {
	r := bufio.NewReader(conn)
	first, err := readFrame(r)
	if err != nil {
		return err
	}
	if first.kind != kindStart {
		return fmt.Errorf("the parent begins with a frame of kind %d", first.kind)
	}
	s := &server{w: newWriter(), running: map[uint64]context.CancelFunc{}}
	written := make(chan error, 1)
	go func() { written <- s.w.run(conn) }()

	// From here on the end of the parent is seen, whatever the engine does.
	frames, gone, over := make(chan frame), make(chan struct{}), make(chan struct{})
	defer close(over)
	go func() {
		defer close(gone)
		for {
			f, err := readFrame(r)
			if err != nil {
				return
			}
			select {
			case frames <- f:
			case <-over:
				return
			}
		}
	}()
	opened := make(chan error, 1)
	go func() {
		var err error
		s.engine, err = open(first.body)
		opened <- err
	}()
	select {
	case err = <-opened:
	case <-gone:
		return nil // what is half open ends with the process
	}
	if err != nil {
		err = errors.Join(err, s.w.sendJSON(kindHello, 0, hello{Failure: engine.NewFailure(err)}))
		s.w.close()
		return errors.Join(err, <-written)
	}
	if err := s.w.sendJSON(kindHello, 0, hello{Info: s.engine.Info()}); err != nil {
		return err
	}
	var failed <-chan struct{}
	if e, ok := s.engine.(interface{ Done() <-chan struct{} }); ok {
		failed = e.Done()
	}
	for {
		select {
		case f := <-frames:
			if err := s.handle(f); err != nil {
				return err
			}
		case <-gone:
			s.cancelAll()
			return nil
		case err := <-written:
			return err
		case <-failed:
			s.all.Wait() // they have ended, and their callers are told
			s.w.close()
			return errors.Join(engine.ErrGone, <-written)
		}
	}
}

type server struct {
	engine  engine.Engine
	w       *writer
	mu      sync.Mutex
	running map[uint64]context.CancelFunc
	all     sync.WaitGroup
}

func (s *server) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.running {
		cancel()
	}
}

func (s *server) handle(f frame) error {
	var work func(context.Context) reply
	var err error
	switch f.kind {
	case kindCancel:
		s.mu.Lock()
		if cancel, ok := s.running[f.id]; ok {
			cancel()
		}
		s.mu.Unlock()
		return nil
	case kindGenerate:
		var r engine.Request
		err = json.Unmarshal(f.body, &r)
		work = func(ctx context.Context) reply { return s.generate(ctx, f.id, r) }
	case kindScore:
		var r engine.ScoreRequest
		err = json.Unmarshal(f.body, &r)
		work = func(ctx context.Context) reply {
			scores, err := s.engine.Score(ctx, r)
			return reply{Scores: scores, Failure: failure(err)}
		}
	case kindEmbed, kindTokens:
		var p engine.Prompt
		err = json.Unmarshal(f.body, &p)
		work = func(ctx context.Context) reply {
			if f.kind == kindTokens {
				tokens, err := s.engine.Tokens(ctx, p)
				return reply{Tokens: tokens, Failure: failure(err)}
			}
			embedding, err := s.engine.Embed(ctx, p)
			return reply{Embedding: embedding, Failure: failure(err)}
		}
	default:
		return fmt.Errorf("the parent sends a frame of kind %d", f.kind)
	}
	if err != nil {
		return fmt.Errorf("the parent sends what can't be read: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.running[f.id] = cancel
	s.mu.Unlock()
	s.all.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.running, f.id)
			s.mu.Unlock()
			cancel()
		}()
		r := work(ctx)
		if err := s.w.sendJSON(kindDone, f.id, r); err != nil {
			// The failure of a failure to be told is none.
			_ = s.w.sendJSON(kindDone, f.id, reply{Failure: engine.NewFailure(err)})
		}
	})
	return nil
}

func failure(err error) *engine.Failure {
	if err == nil {
		return nil
	}
	return engine.NewFailure(err)
}

func (s *server) generate(ctx context.Context, id uint64, r engine.Request) reply {
	result := engine.Result{Finish: engine.FinishCancelled}
	if err := r.Check(); err != nil {
		return reply{Result: result, Failure: failure(err)}
	}
	tokens, err := s.engine.Tokens(ctx, r.Prompt)
	if err != nil {
		return reply{Result: result, Failure: failure(err)}
	}
	if err := s.w.send(kindBegun, id, binary.AppendUvarint(nil, uint64(len(tokens)))); err != nil {
		return reply{Result: result, Failure: failure(err)}
	}
	r.Prompt = engine.Prompt{Tokens: tokens}
	result, err = s.engine.Generate(ctx, r, func(c engine.Chunk) error {
		return s.w.send(kindChunk, id, encodeChunk(c))
	})
	return reply{Result: result, Failure: failure(err)}
}
