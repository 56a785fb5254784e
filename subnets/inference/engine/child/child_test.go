package child_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/child"
	"github.com/lodenet/lode/subnets/inference/engine/enginetest"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

// TestMain makes this program able to be the processes that the tests start.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case "engine-child":
		err = child.Main(open)
	case "garbage":
		_, err = os.NewFile(3, "").Write([]byte("\xff\xff\xff\xffthis is not a frame"))
		_, _ = io.Copy(io.Discard, os.NewFile(3, ""))
	case "silent-exit":
	case "parent":
		var c *child.Client
		if c, err = child.Start(context.Background(), child.Options{}); err == nil {
			fmt.Println(c.Process())
			select {}
		}
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// start is what a child is told to open.
type start struct {
	Refuse string
	Digest string // a file whose first letter makes the model another one
}

// named is an engine with a digest.
type named struct {
	engine.Engine
	digest string
}

func (n named) Info() engine.Info {
	i := n.Engine.Info()
	i.Digest = n.digest
	return i
}

func open(raw json.RawMessage) (engine.Engine, error) {
	var s start
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
	}
	if s.Refuse != "" {
		return nil, errors.New(s.Refuse)
	}
	e := memory.New(memory.Options{Slots: 4, Wait: memory.Every(time.Millisecond)})
	if s.Digest != "" {
		b, err := os.ReadFile(s.Digest)
		return named{e, string(b)}, err
	}
	return e, nil
}

// logged is what a client logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func run(t *testing.T, s start, command ...string) (*child.Client, *logged, error) {
	t.Helper()
	raw, err := json.Marshal(s)
	require.NoError(t, err)
	l := &logged{}
	if len(command) > 0 {
		command = append([]string{os.Args[0]}, command...)
	}
	c, err := child.Start(t.Context(), child.Options{Command: command, Start: raw, Log: slog.New(slog.NewTextHandler(l, nil))})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	return c, l, err
}

func prompt(text string) engine.Request {
	return engine.Request{Prompt: engine.Prompt{Text: text}, Sampling: engine.Sampling{Temperature: 1, Seed: 1}}
}

// watch returns a channel that is closed when a process has ended.
func watch(t *testing.T, pid int) <-chan struct{} {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if n > 0 {
				close(ended)
				return
			}
			if err != nil && !errors.Is(err, unix.EINTR) {
				return
			}
		}
	}()
	return ended
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		t.Fatal(what + " has not come")
	}
}

func TestEngine(t *testing.T) {
	c, _, err := run(t, start{})
	require.NoError(t, err)
	enginetest.Run(t, c)
}

func TestACrashEndsRequestsWithWhatWasMadeAndTheChildComesBack(t *testing.T) {
	const canary = "canary-4711"
	home := t.TempDir()
	for _, name := range []string{"HOME", "TMPDIR", "XDG_CACHE_HOME"} {
		t.Setenv(name, home)
	}
	c, l, err := run(t, start{})
	require.NoError(t, err)
	first := c.Process()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", first))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^Max core file size +0 +0`, string(limits))

	const n = 3
	errs := make([]error, n)
	results := make([]engine.Result, n)
	var wg, under sync.WaitGroup
	under.Add(n)
	for i := range n {
		wg.Go(func() {
			pieces := 0
			results[i], errs[i] = c.Generate(t.Context(), prompt(canary), func(engine.Chunk) error {
				if pieces++; pieces == 3 {
					under.Done()
				}
				return nil
			})
		})
	}
	under.Wait()
	require.NoError(t, unix.Kill(first, unix.SIGKILL))
	wg.Wait()
	for i := range n {
		require.ErrorIs(t, errs[i], engine.ErrGone)
		require.True(t, engine.Retryable(errs[i]))
		require.Equal(t, engine.FinishCancelled, results[i].Finish)
		require.GreaterOrEqual(t, results[i].Usage.Completion, 3)
		require.Len(t, results[i].Answer, results[i].Usage.Completion)
		require.Equal(t, len(canary), results[i].Usage.Prompt)
	}
	require.NoError(t, c.Ready(t.Context()))
	require.NotEqual(t, first, c.Process())
	r, err := c.Generate(t.Context(), prompt(canary), nil)
	require.NoError(t, err)
	require.NotEqual(t, engine.FinishCancelled, r.Finish)

	require.Contains(t, l.String(), "killed")
	require.NotContains(t, l.String(), canary)
	require.NoError(t, filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		require.NotContains(t, string(b), canary, path)
		return err
	}))
}

func TestAChildEndsWithItsParent(t *testing.T) {
	for name, signal := range map[string]unix.Signal{"killed": unix.SIGKILL, "interrupted": unix.SIGINT} {
		parent := exec.Command(os.Args[0], "parent")
		out, err := parent.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, parent.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		ended := watch(t, pid)
		require.NoError(t, parent.Process.Signal(signal))
		within(t, "the end of the child of a parent that was "+name, ended)
		require.Error(t, parent.Wait())
	}
}

func TestCloseEndsRequestsAndTheProcess(t *testing.T) {
	c, _, err := run(t, start{})
	require.NoError(t, err)
	ended := watch(t, c.Process())
	going := make(chan struct{})
	var once sync.Once
	done := make(chan error, 1)
	go func() {
		_, err := c.Generate(t.Context(), prompt("x"), func(engine.Chunk) error { once.Do(func() { close(going) }); return nil })
		done <- err
	}()
	<-going
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-done, engine.ErrClosed)
	within(t, "the end of the process", ended)
	_, err = c.Generate(t.Context(), prompt("x"), nil)
	require.ErrorIs(t, err, engine.ErrClosed)
	require.ErrorIs(t, c.Ready(t.Context()), engine.ErrClosed)
	require.Zero(t, c.Process())
}

func TestStartFailsWithWhatIsWrong(t *testing.T) {
	_, _, err := run(t, start{Refuse: "the model is damaged"})
	require.EqualError(t, err, "the model is damaged")
	_, _, err = run(t, start{}, "garbage")
	require.ErrorContains(t, err, "a frame of 4294967295 bytes")
	_, _, err = run(t, start{}, "silent-exit")
	require.ErrorContains(t, err, "it ended")
	_, err = child.Start(t.Context(), child.Options{Command: []string{"/nonexistent"}})
	require.ErrorContains(t, err, "/nonexistent")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = child.Start(ctx, child.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, child.Main(open), "for Lode itself", "by hand")
	t.Setenv(child.Variable, "1")
	_, err = child.Start(t.Context(), child.Options{})
	require.ErrorContains(t, err, "starts no other", "no child has children")
}

func TestAModelThatHasChangedIsNotServed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "model")
	require.NoError(t, os.WriteFile(file, []byte("one"), 0o600))
	c, _, err := run(t, start{Digest: file})
	require.NoError(t, err)
	require.Equal(t, "one", c.Info().Digest)
	require.NoError(t, os.WriteFile(file, []byte("two"), 0o600))
	ended := watch(t, c.Process())
	require.NoError(t, unix.Kill(c.Process(), unix.SIGKILL))
	within(t, "the end", ended)
	require.Eventually(t, func() bool {
		_, err = c.Generate(t.Context(), prompt("x"), nil)
		return err != nil && strings.Contains(err.Error(), "the model's file has changed")
	}, 20*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, err, engine.ErrGone)
	require.NoError(t, os.WriteFile(file, []byte("one"), 0o600))
	require.NoError(t, c.Ready(t.Context()))
}

// A process that hangs must not hold callers who have left.
func TestCallersCanLeaveAProcessThatHangs(t *testing.T) {
	c, _, err := run(t, start{})
	require.NoError(t, err)
	pid := c.Process()
	require.NoError(t, unix.Kill(pid, unix.SIGSTOP))
	defer func() { require.NoError(t, unix.Kill(pid, unix.SIGCONT)) }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	r, err := c.Generate(ctx, prompt("x"), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, engine.FinishCancelled, r.Finish)
}
