package video

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnets/video/media"
)

// MinerConfig is what a miner is made of.
type MinerConfig struct {
	// Tools are the local ffmpeg; required.
	Tools *media.Tools
	// Strategy is how it looks for small answers; required.
	Strategy Strategy
	// Jobs bounds the jobs that are accepted and not yet answered; default 16.
	Jobs int
	// PerCaller bounds those of one caller; default 8.
	PerCaller int
	// Encodes bounds the encoders that run at once; default 1.
	Encodes int
	// Keep is how long an answer waits to be fetched; default 5 min.
	Keep time.Duration
	// Logger defaults to a silent one.
	Logger *slog.Logger
}

// Miner compresses clips for whoever the mesh lets through: it is the http.Handler that
// [subnet.RunMiner] serves. Callers are told apart by [mesh.Caller].
type Miner struct {
	cfg   MinerConfig
	mux   *http.ServeMux
	turns *turns
	rates rates
	dir   string

	ctx  context.Context // of all jobs; ended by Close
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	jobs   map[string]*minerJob
	closed bool
	stats  MinerStats
}

// MinerStats are what a miner has done since it started.
type MinerStats struct {
	Strategy Strategy `json:"strategy"`
	Jobs     uint64   `json:"jobs"`      // answered
	Failed   uint64   `json:"failed"`    // accepted, but not answered
	Refused  uint64   `json:"refused"`   // not accepted
	Open     int      `json:"open"`      // accepted and not yet answered
	BytesIn  uint64   `json:"bytes_in"`  // of sources
	BytesOut uint64   `json:"bytes_out"` // of answers fetched
	// Saved is the sum of sources' bytes less answers' bytes.
	Saved int64 `json:"saved"`
}

type minerJob struct {
	caller   string
	job      Job
	dir      string
	size     int64
	deadline time.Time
	cancel   context.CancelFunc
	done     chan struct{} // closed when status is final

	status Status // guarded by Miner.mu
	answer []byte // guarded by Miner.mu
	until  time.Time
}

// NewMiner makes a miner. Close it to end its work.
func NewMiner(cfg MinerConfig) (*Miner, error) {
	if cfg.Tools == nil {
		return nil, errors.New("video: miner config without Tools")
	}
	if _, err := ParseStrategy(string(cfg.Strategy)); err != nil {
		return nil, err
	}
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&cfg.Jobs, 16)
	def(&cfg.PerCaller, 8)
	def(&cfg.Encodes, 1)
	if cfg.Keep <= 0 {
		cfg.Keep = 5 * time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := os.MkdirTemp("", "lode-miner-")
	if err != nil {
		return nil, err
	}
	m := &Miner{cfg: cfg, mux: http.NewServeMux(), turns: newTurns(cfg.Encodes), dir: dir, jobs: map[string]*minerJob{}}
	m.stats.Strategy = cfg.Strategy
	m.ctx, m.stop = context.WithCancel(context.Background())
	m.mux.HandleFunc("POST /job", m.accept)
	m.mux.HandleFunc("GET /job/{id}", m.status)
	m.mux.HandleFunc("GET /job/{id}/answer", m.fetch)
	m.mux.HandleFunc("DELETE /job/{id}", m.forget)
	return m, nil
}

// Close ends all jobs, waits for their processes and removes their files.
func (m *Miner) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	m.work.Wait()
	return os.RemoveAll(m.dir)
}

// Stats returns what the miner has done so far.
func (m *Miner) Stats() MinerStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	for _, j := range m.jobs {
		if !j.status.Final() {
			s.Open++
		}
	}
	return s
}

// ServeHTTP answers the calls of task.go.
func (m *Miner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := mesh.Caller(r.Context()); !ok {
		refuse(w, http.StatusForbidden, "stranger", "nobody knows who is calling", "call over the mesh")
		return
	}
	m.mux.ServeHTTP(w, r)
}

func refuse(w http.ResponseWriter, status int, code, message, hint string) {
	mesh.WriteError(w, &mesh.Error{Status: status, Code: code, Message: message, Hint: hint})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", err.Error(), "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // an error means that the caller is gone
}

// accept takes a job in, or says why not.
func (m *Miner) accept(w http.ResponseWriter, r *http.Request) {
	caller, _ := mesh.Caller(r.Context())
	arrived := time.Now()
	job, err := readJob(r.Header)
	if err != nil {
		m.refused()
		refuse(w, http.StatusBadRequest, "bad_job", err.Error(), "")
		return
	}
	j := &minerJob{caller: caller, job: job, deadline: arrived.Add(job.deadline()), done: make(chan struct{}), status: Status{State: StateQueued}}
	id, err := m.admit(j)
	if err != nil {
		m.refused()
		refuse(w, http.StatusServiceUnavailable, "busy", err.Error(), "try again later, or another miner")
		return
	}
	if err := m.receive(j, http.MaxBytesReader(w, r.Body, MaxSource)); err != nil {
		m.drop(id)
		m.refused()
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("a source of more than %d bytes", int64(MaxSource)), "send shorter segments")
			return
		}
		refuse(w, http.StatusBadRequest, "bad_source", "the source did not arrive: "+err.Error(), "")
		return
	}
	if !m.start(j) {
		m.drop(id)
		refuse(w, http.StatusServiceUnavailable, "busy", "the miner is shutting down", "try another miner")
		return
	}
	writeJSON(w, http.StatusAccepted, Ticket{ID: id})
}

func (m *Miner) refused() {
	m.mu.Lock()
	m.stats.Refused++
	m.mu.Unlock()
}

// admit finds a place for a job, and throws out answers that nobody fetched.
func (m *Miner) admit(j *minerJob) (string, error) {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", err
	}
	id := hex.EncodeToString(raw[:])
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return "", errors.New("the miner is shutting down")
	}
	open, own, waiting := 0, 0, 0
	now := time.Now()
	for old, k := range m.jobs {
		if k.status.Final() {
			if now.After(k.until) {
				delete(m.jobs, old)
				continue
			}
			waiting++
			continue
		}
		open++
		if k.caller == j.caller {
			own++
		}
	}
	switch {
	case open >= m.cfg.Jobs:
		return "", fmt.Errorf("%d jobs are waiting, the limit", open)
	case own >= m.cfg.PerCaller:
		return "", fmt.Errorf("%d of your jobs are waiting, the limit", own)
	case waiting >= 4*m.cfg.Jobs:
		return "", fmt.Errorf("%d answers wait to be fetched, the limit", waiting)
	}
	j.dir = filepath.Join(m.dir, id)
	m.jobs[id] = j
	return id, nil
}

func (m *Miner) drop(id string) {
	m.mu.Lock()
	j := m.jobs[id]
	delete(m.jobs, id)
	m.mu.Unlock()
	if j == nil {
		return
	}
	if j.cancel != nil {
		j.cancel()
	}
	m.clean(j)
}

func (m *Miner) clean(j *minerJob) {
	if err := os.RemoveAll(j.dir); err != nil {
		m.cfg.Logger.Warn("a job's files stay behind", "dir", j.dir, "err", err)
	}
}

func (m *Miner) receive(j *minerJob, body io.Reader) error {
	if err := os.Mkdir(j.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(j.dir, "source"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	j.size, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err == nil && j.size == 0 {
		err = errors.New("it is empty")
	}
	return err
}

// find returns a caller's own job; another's looks like none at all.
func (m *Miner) find(w http.ResponseWriter, r *http.Request) *minerJob {
	caller, _ := mesh.Caller(r.Context())
	m.mu.Lock()
	j := m.jobs[r.PathValue("id")]
	m.mu.Unlock()
	if j == nil || j.caller != caller {
		refuse(w, http.StatusNotFound, "not_found", "no such job of yours", "it may have been forgotten: answers are kept for "+m.cfg.Keep.String())
		return nil
	}
	return j
}

func (m *Miner) status(w http.ResponseWriter, r *http.Request) {
	j := m.find(w, r)
	if j == nil {
		return
	}
	if text := r.URL.Query().Get("wait_ms"); text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 0 {
			refuse(w, http.StatusBadRequest, "bad_wait", fmt.Sprintf("wait_ms %q is no number from 0 up", text), "")
			return
		}
		wait := time.NewTimer(min(time.Duration(min(ms, 1<<30))*time.Millisecond, maxWait))
		defer wait.Stop()
		select {
		case <-j.done:
		case <-wait.C:
		case <-r.Context().Done():
		}
	}
	m.mu.Lock()
	s := j.status
	m.mu.Unlock()
	writeJSON(w, http.StatusOK, s)
}

func (m *Miner) fetch(w http.ResponseWriter, r *http.Request) {
	j := m.find(w, r)
	if j == nil {
		return
	}
	m.mu.Lock()
	answer, s := j.answer, j.status
	m.mu.Unlock()
	if s.State != StateDone {
		refuse(w, http.StatusConflict, "not_done", "the job is "+s.State, "wait for it to be done")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	n, err := io.Copy(w, bytes.NewReader(answer))
	m.mu.Lock()
	m.stats.BytesOut += uint64(n)
	m.mu.Unlock()
	if err != nil {
		m.cfg.Logger.Debug("an answer did not get through", "caller", j.caller, "err", err)
	}
}

func (m *Miner) forget(w http.ResponseWriter, r *http.Request) {
	if j := m.find(w, r); j != nil {
		m.mu.Lock()
		delete(m.jobs, r.PathValue("id"))
		m.mu.Unlock()
		if j.cancel != nil {
			j.cancel()
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
