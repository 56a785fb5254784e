package child

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/internal/inbox"
)

// goodbye is how long a child has to end by itself.
const goodbye = 5 * time.Second

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

// startSession starts a child and waits for its hello.
func startSession(ctx context.Context, o Options) (*session, error) {
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
	cmd := exec.Command(o.Command[0], o.Command[1:]...)
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
	if err := s.w.send(kindStart, 0, o.Start); err != nil {
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
