package video

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnets/video/media"
)

// fakeMiner answers the calls of task.go with whatever a test wants.
type fakeMiner struct {
	// answer makes the answer to a job, while its sender waits.
	answer func(j Job, source []byte) (media.Codec, []byte, error)
	// commit, if set, is what is committed to instead of the answer.
	commit []byte
	// seen, if set, is told of every call.
	seen func(r *http.Request, body []byte)

	mu    sync.Mutex
	jobs  map[string]Status
	bytes map[string][]byte
	took  int // jobs
}

func (m *fakeMiner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_source", err.Error(), "")
		return
	}
	if m.seen != nil {
		m.seen(r, body)
	}
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/job/"), "/answer")
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		job, err := readJob(r.Header)
		if err != nil {
			refuse(w, http.StatusBadRequest, "bad_job", err.Error(), "")
			return
		}
		if m.jobs == nil {
			m.jobs, m.bytes = map[string]Status{}, map[string][]byte{}
		}
		m.took++
		id := fmt.Sprintf("%s-%d", strings.Repeat("f", 8), m.took)
		m.mu.Unlock()
		c, raw, err := m.answer(job, body)
		m.mu.Lock()
		if err != nil {
			m.jobs[id] = Status{State: StateFailed, Error: err.Error()}
		} else {
			promised := raw
			if m.commit != nil {
				promised = m.commit
			}
			m.jobs[id] = Status{State: StateDone, Codec: c, Bytes: int64(len(promised)), Commitment: Commit(c, promised)}
			m.bytes[id] = raw
		}
		writeJSON(w, http.StatusAccepted, Ticket{ID: id})
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/answer"):
		w.Write(m.bytes[id])
	default:
		s, ok := m.jobs[id]
		if !ok {
			refuse(w, http.StatusNotFound, "not_found", "no such job", "")
			return
		}
		raw, _ := json.Marshal(s)
		w.Write(raw)
	}
}

// coder makes answers with ffmpeg's command line: filters and options are the test's.
type coder struct {
	t      testing.TB
	codec  media.Codec
	filter string
	args   []string
}

// x264At codes as x264 does, at a rate factor.
func x264At(t testing.TB, filter string, crf string, more ...string) coder {
	return coder{t: t, codec: media.H264, filter: filter, args: append([]string{"-c:v", "libx264", "-preset", "fast", "-tune", "ssim", "-crf", crf, "-profile:v", "high",
		"-x264-params", "open-gop=0:threads=1"}, more...)}
}

func (c coder) encode(source []byte) []byte {
	c.t.Helper()
	dir := c.t.TempDir()
	in, out := filepath.Join(dir, "in.mkv"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, source, 0o600); err != nil {
		c.t.Fatal(err)
	}
	format := map[media.Codec]string{media.H264: "h264", media.HEVC: "hevc", media.AV1: "obu"}[c.codec]
	args := []string{"-v", "error", "-nostdin", "-y", "-r", "25", "-i", in, "-fps_mode", "passthrough"}
	if c.filter != "" {
		args = append(args, "-filter_complex", c.filter)
	}
	args = append(append(args, c.args...), "-pix_fmt", "yuv420p", "-f", format, out)
	return c.run(out, args)
}

// convert is encode with nothing but the given options.
func (c coder) convert(source []byte, options ...string) []byte {
	return c.from("in.mkv", source, options)
}

// convertStream does it with an elementary stream of H.264.
func (c coder) convertStream(raw []byte, options ...string) []byte {
	return c.from("in.h264", raw, options)
}

func (c coder) from(name string, raw []byte, options []string) []byte {
	c.t.Helper()
	dir := c.t.TempDir()
	in, out := filepath.Join(dir, name), filepath.Join(dir, "out")
	if err := os.WriteFile(in, raw, 0o600); err != nil {
		c.t.Error(err)
	}
	return c.run(out, append(append([]string{"-v", "error", "-nostdin", "-y", "-i", in}, options...), out))
}

func (c coder) run(out string, args []string) []byte {
	c.t.Helper()
	if text, err := exec.CommandContext(c.t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		c.t.Errorf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, text)
		return nil
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		c.t.Error(err)
	}
	return raw
}

type httpHandler = http.Handler

// miner makes a miner of the coder.
func (c coder) miner() *fakeMiner {
	return &fakeMiner{answer: func(_ Job, source []byte) (media.Codec, []byte, error) { return c.codec, c.encode(source), nil }}
}

// quick is an honest miner without a search: good enough for any gate under 97.
func quick(t testing.TB) *fakeMiner { return x264At(t, "", "12").miner() }

// refuser answers no job.
func refuser(err error) *fakeMiner {
	return &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { return "", nil, err }}
}

// tooMany answers every call as an overloaded mesh does.
func tooMany(w http.ResponseWriter, _ *http.Request) {
	mesh.WriteError(w, &mesh.Error{Status: http.StatusTooManyRequests, Code: "too_many", Message: "8 requests are in flight, the limit"})
}

func mustCaller(t testing.TB, r *http.Request) string {
	hotkey, ok := mesh.Caller(r.Context())
	if !ok {
		t.Error("a call from nobody")
	}
	return hotkey
}
