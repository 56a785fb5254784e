package media

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAChildIsStoppedByItsLimits(t *testing.T) {
	tl := tools(t)
	endless := []string{"-nostdin", "-v", "level+error", "-f", "lavfi", "-i", "testsrc2=s=640x360"}
	null := append(append([]string{}, endless...), "-f", "null", "-")
	for name, c := range map[string]struct {
		limits Limits
		args   []string
		also   error
	}{
		"time":   {Limits{Wall: 300 * time.Millisecond}, null, context.DeadlineExceeded},
		"cpu":    {Limits{CPU: time.Millisecond, Wall: time.Minute}, null, nil},
		"memory": {Limits{Memory: 600 << 20, Wall: time.Minute}, append(append([]string{}, endless...), "-vf", "scale=15000:15000", "-frames:v", "1", "-f", "null", "-"), nil},
		"file":   {Limits{File: 64 << 10, Wall: time.Minute}, append(append([]string{}, endless...), "-frames:v", "200", "-f", "rawvideo", "-y", "out"), nil},
		"output": {Limits{Output: 64 << 10, Wall: time.Minute}, append(append([]string{}, endless...), "-frames:v", "200", "-f", "rawvideo", "pipe:1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			dir := t.TempDir()
			began := time.Now()
			err := tl.run(t.Context(), tl.ffmpeg, command{op: "test", limits: c.limits, dir: dir, stdout: &out, line: quiet, args: c.args})
			if !errors.Is(err, ErrLimit) {
				t.Fatalf("%v", err)
			}
			var e *Error
			if !errors.As(err, &e) || e.Op != "test" || strings.Contains(err.Error(), dir) {
				t.Errorf("%v", err)
			}
			if c.also != nil && !errors.Is(err, c.also) {
				t.Errorf("%v is no %v", err, c.also)
			}
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("it took %v", d)
			}
			if out.Len() > 64<<10 {
				t.Errorf("%d bytes came through", out.Len())
			}
			if st, err := os.Stat(filepath.Join(dir, "out")); err == nil && st.Size() > 64<<10 {
				t.Errorf("a file of %d bytes", st.Size())
			}
		})
	}
}

func TestAChildEndsWithItsContextAndTakesItsChildrenAlong(t *testing.T) {
	tl := tools(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		// The grandchild holds a lock on the pipe until it is gone.
		done <- tl.run(ctx, "/bin/sh", command{op: "test", dir: dir, args: []string{"-c", "sleep 1000 & echo $! > pid.tmp; mv pid.tmp pid; wait"}})
	}()
	var pid string
	for pid == "" {
		raw, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err == nil {
			pid = strings.TrimSpace(string(raw))
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// It was killed; the kernel and init take a moment to clear it away.
	for began := time.Now(); ; runtime.Gosched() {
		raw, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(raw), ") Z ") {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the grandchild lives on: %s", raw)
		}
	}
}

func TestAChildSeesNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("LODE_PASSPHRASE", "secret")
	tl := tools(t)
	var out bytes.Buffer
	if err := tl.run(t.Context(), "/usr/bin/env", command{op: "test", stdout: &out}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		name, _, _ := strings.Cut(line, "=")
		switch name {
		case "PATH", "LC_ALL", "HOME", "AV_LOG_FORCE_NOCOLOR", "PWD", "OLDPWD", "SHLVL", "_":
		default:
			t.Errorf("the child sees %s", line)
		}
	}
}

// TestAFileCanReachNothingElse: playlists and the like name other files and hosts; they
// are neither taken for videos nor followed.
func TestAFileCanReachNothingElse(t *testing.T) {
	tl := tools(t)
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.ts")
	if err := os.WriteFile(secret, bytes.Repeat([]byte("secret"), 99), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"hls":    "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n" + srv.URL + "/a.ts\n#EXT-X-ENDLIST\n",
		"concat": "ffconcat version 1.0\nfile " + srv.URL + "/a.mp4\nfile " + secret + "\n",
		"sdp":    "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
	} {
		path := filepath.Join(dir, name+".mp4")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tl.Inspect(t.Context(), path); !errors.Is(err, ErrNotVideo) {
			t.Errorf("%s: inspected with %v", name, err)
		}
		// Even where the demuxer were the file's choice, the protocols are not.
		if name != "sdp" {
			if _, err := tl.Scan(t.Context(), Input{Path: path, Format: name, Decoder: "h264"}, small, 10, limits()); err == nil {
				t.Errorf("%s: scanned", name)
			}
		}
		if _, err := tl.Scan(t.Context(), Elementary(path, H264), small, 10, limits()); err == nil {
			t.Errorf("%s as a stream: scanned", name)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the network was asked %d times", n)
	}
}

func TestAPathThatLooksLikeAProtocolIsAFile(t *testing.T) {
	tl := tools(t)
	t.Chdir(t.TempDir())
	for _, name := range []string{"http:", "-i.mp4", "concat:a|b"} {
		if err := os.WriteFile(name, []byte("no video"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tl.Inspect(t.Context(), name); !errors.Is(err, ErrNotVideo) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatAChildPrintsIsBounded(t *testing.T) {
	l := &lines{}
	for range 100 {
		l.Write(bytes.Repeat([]byte("x"), 100<<10))
		l.Write([]byte("\n"))
	}
	l.flush()
	if text := l.last(""); len(text) > keptLines*310 {
		t.Errorf("%d bytes are kept", len(text))
	}
	if cap(l.buf) > 2*longestLine {
		t.Errorf("a buffer of %d bytes", cap(l.buf))
	}
}

func TestToolsThatAreMissingSayHowToGetThem(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find(t.Context())
	if !errors.Is(err, ErrNoFFmpeg) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("%v", err)
	}
}
