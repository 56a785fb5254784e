//go:build linux

package cluster_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// process is a running node.
type process struct {
	cmd  *exec.Cmd
	log  *journal
	done chan struct{}
}

// starter is the one thread that starts processes: the kernel ends them with the
// thread that they come from, so that a test that is cut off leaves none behind.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// run starts a program; what it prints is added to a file.
func run(logFile string, args ...string) (*process, error) {
	log, err := openJournal(logFile)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(args[0], args[1:]...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starter() <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		_ = p.cmd.Wait() // the state says how it ended
		log.Close()
		close(p.done)
	}()
	return p, nil
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	<-p.done
}

// stop asks the process to end, and waits until it has.
func (p *process) stop() {
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM) // it may have ended
	<-p.done
}

func (p *process) dead() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// exit is a process's exit code once it has ended; -1: by a signal.
func (p *process) exit() int { return p.cmd.ProcessState.ExitCode() }

// journal is what a process prints, in a file and for those who wait for a line.
type journal struct {
	mu      sync.Mutex
	file    *os.File
	partial []byte
	tail    []string // the last lines
	waits   []*wait
}

type wait struct {
	word string
	seen chan string // gets the first line that has it
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &journal{file: f}, err
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(p); err != nil {
		return 0, err
	}
	j.partial = append(j.partial, p...)
	for {
		line, rest, ok := bytes.Cut(j.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		j.line(string(line))
		j.partial = bytes.Clone(rest)
	}
}

func (j *journal) line(s string) {
	if j.tail = append(j.tail, s); len(j.tail) > 2000 {
		j.tail = append([]string(nil), j.tail[1000:]...)
	}
	kept := j.waits[:0]
	for _, w := range j.waits {
		if strings.Contains(s, w.word) {
			w.seen <- s
			continue
		}
		kept = append(kept, w)
	}
	j.waits = kept
}

// await gives the next line that has a word.
func (j *journal) await(word string) <-chan string {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := &wait{word, make(chan string, 1)}
	j.waits = append(j.waits, w)
	return w.seen
}

// last are the last n lines.
func (j *journal) last(n int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.tail[max(0, len(j.tail)-n):], "\n")
}

func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
