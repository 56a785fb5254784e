package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Limits bound a child process that reads media.
type Limits struct {
	Wall   time.Duration // default 2 min
	CPU    time.Duration // of the process; default 2 min
	Memory int64         // address space in bytes; default 2 GiB
	File   int64         // largest file that it may write, in bytes; default 256 MiB
	Output int64         // most bytes read from its standard output; default 4 MiB
}

func (l Limits) defaults() Limits {
	set := func(v *int64, def int64) {
		if *v <= 0 {
			*v = def
		}
	}
	if l.Wall <= 0 {
		l.Wall = 2 * time.Minute
	}
	if l.CPU <= 0 {
		l.CPU = 2 * time.Minute
	}
	set(&l.Memory, 2<<30)
	set(&l.File, 256<<20)
	set(&l.Output, 4<<20)
	return l
}

// LimitsFor returns limits that leave an honest clip room: pixels in a frame, frames in
// all. wall bounds both the clock and the CPU time.
func LimitsFor(pixels, frames int64, wall time.Duration) Limits {
	raw := pixels * 3 * frames
	return Limits{
		Wall: wall, CPU: wall,
		// The libraries alone map 0.5 GiB; an encoder keeps some 60 frames of 16 bits
		// with their analysis.
		Memory: 1<<30 + pixels*1024,
		File:   max(64<<20, min(raw, 8<<30)),
		Output: 64<<20 + 3*raw,
	}
}

// Reasons of an [Error].
var (
	// ErrLimit: the child was stopped by a limit on time, memory or size.
	ErrLimit = errors.New("it ran into a limit")
	// ErrMedia: ffmpeg could not read or write the media.
	ErrMedia = errors.New("ffmpeg can't process it")
)

// Error is a child process that did not do its work.
type Error struct {
	Op     string // what was being done, for example "decode"
	Reason error  // ErrLimit, ErrMedia or the context's error
	Detail string // the last lines that the child printed, bounded
}

// Error returns a line without paths of temporary files.
func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Reason)
	}
	return fmt.Sprintf("%s: %v: %s", e.Op, e.Reason, e.Detail)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Reason }

// niceness leaves the machine to whoever needs it now.
const niceness = 10

// limitScript sets the limits and becomes the program: no moment passes in which the
// program runs without them. Units are those of POSIX ulimit: seconds, KiB and blocks
// of 512 bytes.
const limitScript = `ulimit -c 0 && ulimit -t "$1" && ulimit -v "$2" && ulimit -f "$3" && shift 3 && exec nice -n "$@"`

// command is one run of ffmpeg or ffprobe.
type command struct {
	op     string
	limits Limits
	dir    string    // working folder; a folder of its own for every job
	stdout io.Writer // nil: dropped
	line   func([]byte) bool
	// damage are words of errors that ffmpeg prints and goes on from; here they end the
	// run as [ErrMedia].
	damage []string
	args   []string
}

// run starts a program under limits and waits for it. Lines of standard error go to
// c.line first; those that it does not take are the detail of the error.
func (t *Tools) run(ctx context.Context, program string, c command) error {
	l := c.limits.defaults()
	ctx, cancel := context.WithTimeout(ctx, l.Wall)
	defer cancel()
	seconds := int64(l.CPU/time.Second) + 1
	args := append([]string{"-c", limitScript, "sh",
		strconv.FormatInt(seconds, 10), strconv.FormatInt(l.Memory/1024, 10), strconv.FormatInt(l.File/512, 10),
		strconv.Itoa(niceness), program}, c.args...)
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Dir = c.dir
	// Nothing of our environment reaches a process that strangers may take over.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=/nonexistent", "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	tail := &lines{take: c.line}
	cmd.Stderr = tail
	var out *capped
	if c.stdout != nil {
		out = &capped{w: c.stdout, left: l.Output}
		cmd.Stdout = out
	}
	err := cmd.Run()
	tail.flush()
	if err == nil {
		if word := tail.mentions(c.damage); word != "" {
			return &Error{Op: c.op, Reason: ErrMedia, Detail: tail.last(c.dir)}
		}
		return nil
	}
	fail := &Error{Op: c.op, Reason: ErrMedia, Detail: tail.last(c.dir)}
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		fail.Reason = fmt.Errorf("%w: it took longer than %v: %w", ErrLimit, l.Wall.Round(time.Millisecond), context.DeadlineExceeded)
	case ctx.Err() != nil:
		fail.Reason, fail.Detail = ctx.Err(), ""
	case out != nil && out.err != nil:
		fail.Reason, fail.Detail = out.err, ""
	case errors.As(err, &exit):
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			fail.Reason = fmt.Errorf("%w: the child was ended by %v", ErrLimit, s.Signal())
		} else if bytes.Contains([]byte(fail.Detail), []byte("Cannot allocate memory")) || bytes.Contains([]byte(fail.Detail), []byte("File too large")) {
			fail.Reason = ErrLimit
		}
	default:
		fail.Reason = err
	}
	return fail
}

// capped passes at most left bytes on.
type capped struct {
	w    io.Writer
	left int64
	err  error
}

func (c *capped) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		c.err = fmt.Errorf("%w: more output than the clip can have", ErrLimit)
		return 0, c.err
	}
	c.left -= int64(len(p))
	n, err := c.w.Write(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

// lines cuts standard error into lines, and keeps the last of those that nobody took.
type lines struct {
	take func([]byte) bool
	buf  []byte
	kept [][]byte
}

const (
	longestLine = 16 << 10 // bytes; a longer one is cut there
	keptLines   = 6
)

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexAny(p, "\n\r")
		end := i
		if i < 0 {
			end = len(p)
		}
		if room := longestLine - len(l.buf); room > 0 {
			l.buf = append(l.buf, p[:min(end, room)]...)
		}
		if i < 0 {
			break
		}
		l.flush()
		p = p[i+1:]
	}
	return n, nil
}

func (l *lines) flush() {
	line := bytes.TrimSpace(l.buf)
	if len(line) > 0 && (l.take == nil || !l.take(line)) {
		if len(line) > 300 {
			line = line[:300]
		}
		l.kept = append(l.kept, bytes.Clone(line))
		if len(l.kept) > keptLines {
			l.kept = l.kept[1:]
		}
	}
	l.buf = l.buf[:0]
}

// mentions returns the first of the words that a kept line has.
func (l *lines) mentions(words []string) string {
	for _, w := range words {
		for _, line := range l.kept {
			if bytes.Contains(line, []byte(w)) {
				return w
			}
		}
	}
	return ""
}

// last joins what was kept, without the names of temporary files.
func (l *lines) last(dir string) string {
	text := bytes.Join(l.kept, []byte("; "))
	if dir != "" {
		text = bytes.ReplaceAll(text, []byte("file:"+dir+"/"), nil)
		text = bytes.ReplaceAll(text, []byte(dir+"/"), nil)
	}
	return string(text)
}
