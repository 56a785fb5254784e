package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
)

// Gateway is how customers reach miners through a validator, with the very calls that
// probes use, from the very same caller: a miner can't tell who its work is for.
//
//	GET  /miners              → []Worker, best first
//	GET  /price               → Price, of a gateway that sells
//	POST /via/HOTKEY/job …    the calls of task.go, passed on to that miner
//
// Some of the answers that pass are measured like a probe's and count in the miner's
// score. Serve it open: it tells customers apart by [mesh.Caller].
//
// One that sells ([ValidatorConfig].Sells) is paid by package pay, with the milliseconds
// of a job's video ([Milliseconds]) as units, when an answer is handed out. It takes a
// job from who could pay for it, looks at the source, has the job done and measures the
// answer itself, so that only an answer that holds the job's gate costs anything. One
// that was paid is had again for nothing until its job is forgotten.
type Gateway struct {
	tools *media.Tools
	rates *rates // of baselines
	log   *slog.Logger
	mux   *http.ServeMux
	sells bool
	looks chan struct{} // bounds what is decoded for sold jobs at once

	ctx  context.Context // of sold jobs; ended by Close
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	till    *pay.Gateway // nil until customers can pay
	dir     string       // made when first needed
	network *subnet.Network
	jobs    map[string]*relayed // by miner and id
	audits  []*relayed          // delivered, to be measured
	open    int                 // sources on their way in
	closed  bool
}

// relayed is a customer's job at a miner.
type relayed struct {
	customer string
	miner    string // hotkey
	id       string
	job      Job
	source   string // file; "" once nobody needs it
	size     int64
	status   Status
	codec    media.Codec // of the answer
	answer   []byte      // what was delivered, or of a sold job will be
	began    time.Time
	sale     *sale // nil where nothing is paid
}

// Bounds of a gateway.
const (
	gatewayJobs        = 24 // customers' jobs at once
	gatewayPerCustomer = 12
	gatewayPerMiner    = 4 // so that probes find their way to a busy miner
	auditsWaiting      = 4
	auditMegasamples   = 4.0 // luma samples of an answer that is always audited
	gatewayKeep        = time.Hour
	// gatewayUnpaid is how long an answer waits for its customer to pay: jobs are few at
	// once, and nobody keeps others out by not paying.
	gatewayUnpaid = 5 * time.Minute
)

// Worker is a miner that a customer can give work to.
type Worker struct {
	Hotkey    string  `json:"hotkey"`
	UID       uint16  `json:"uid"`
	Incentive float64 `json:"incentive"` // of the last epoch
	// URL is where its calls are mounted, without a slash at the end: the miner itself,
	// or the way through a gateway.
	URL string `json:"url,omitempty"`
}

func newGateway(tools *media.Tools, rates *rates, sells bool, log *slog.Logger) *Gateway {
	g := &Gateway{
		tools: tools, rates: rates, sells: sells, log: log, mux: http.NewServeMux(), jobs: map[string]*relayed{},
		looks: make(chan struct{}, max(1, runtime.NumCPU()/2)),
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.mux.HandleFunc("GET /miners", g.miners)
	g.mux.HandleFunc("GET /price", g.price)
	g.mux.HandleFunc("POST /via/{miner}/job", g.order)
	g.mux.HandleFunc("POST /via/{miner}/job/{name}", g.order)
	g.mux.HandleFunc("GET /via/{miner}/job/{id}", g.poll)
	g.mux.HandleFunc("GET /via/{miner}/job/{id}/answer", g.hand)
	g.mux.HandleFunc("DELETE /via/{miner}/job/{id}", g.forget)
	return g
}

// ServeHTTP answers customers.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := mesh.Caller(r.Context()); !ok {
		refuse(w, http.StatusForbidden, "stranger", "nobody knows who is calling", "call over the mesh")
		return
	}
	g.mux.ServeHTTP(w, r)
}

// follow tells the gateway what the network looks like now.
func (g *Gateway) follow(n *subnet.Network) {
	g.mu.Lock()
	g.network = n
	g.mu.Unlock()
}

// Close ends sold jobs and removes all files. Requests that come later are refused.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.closed, g.jobs, g.audits = true, map[string]*relayed{}, nil
	dir := g.dir
	g.mu.Unlock()
	g.stop()
	g.work.Wait()
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

// at returns the network and one of its miners.
func (g *Gateway) at(hotkey string) (*subnet.Network, subnet.Neuron, error) {
	g.mu.Lock()
	n := g.network
	g.mu.Unlock()
	if n == nil {
		return nil, subnet.Neuron{}, errors.New("this validator has not seen the network yet")
	}
	for _, m := range n.Miners() {
		if m.Hotkey == hotkey {
			return n, m, nil
		}
	}
	if hotkey == "" {
		return n, subnet.Neuron{}, nil
	}
	return nil, subnet.Neuron{}, fmt.Errorf("%s is no miner of this subnet", cut(hotkey, 80))
}

func (g *Gateway) miners(w http.ResponseWriter, _ *http.Request) {
	n, _, err := g.at("")
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "not_ready", err.Error(), "try again in some seconds")
		return
	}
	out := []Worker{}
	for _, m := range n.Miners() {
		out = append(out, Worker{Hotkey: m.Hotkey, UID: m.UID, Incentive: m.Incentive})
	}
	slices.SortStableFunc(out, func(a, b Worker) int {
		switch {
		case a.Incentive > b.Incentive:
			return -1
		case a.Incentive < b.Incentive:
			return 1
		}
		return 0
	})
	writeJSON(w, http.StatusOK, out)
}

func (n *relayed) caller(g *Gateway) (caller, error) {
	net, m, err := g.at(n.miner)
	if err != nil {
		return caller{}, err
	}
	return caller{client: net.Client(), base: strings.TrimSuffix(net.URL(m, "/"), "/")}, nil
}

// post passes a job on and keeps its source for the audit.
func (g *Gateway) post(w http.ResponseWriter, r *http.Request) {
	customer, _ := mesh.Caller(r.Context())
	if m := pay.MeterFrom(r.Context()); m != nil {
		// It was let in because it could pay. What is paid for is the answer.
		if err := m.Charge(0); err != nil {
			refuse(w, http.StatusInternalServerError, "internal", err.Error(), "try another validator")
			return
		}
	}
	job, err := readJob(r.Header)
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_job", err.Error(), "")
		return
	}
	j := &relayed{customer: customer, miner: r.PathValue("miner"), job: job, began: time.Now()}
	to, err := j.caller(g)
	if err != nil {
		refuse(w, http.StatusNotFound, "not_found", err.Error(), "ask /miners")
		return
	}
	if err := g.admit(j); err != nil {
		refuse(w, http.StatusServiceUnavailable, "busy", err.Error(), "try again later, or another validator")
		return
	}
	source, err := g.receive(j, http.MaxBytesReader(w, r.Body, MaxSource))
	if err == nil {
		j.id, err = to.post(r.Context(), job, source)
	}
	g.mu.Lock()
	g.open--
	if err == nil && g.closed {
		err = errors.New("the validator is shutting down")
	}
	if err == nil {
		g.jobs[j.key()] = j
		if g.sells {
			g.sell(j, to)
		}
	}
	g.mu.Unlock()
	if err != nil {
		g.release(j)
		g.pass(w, err)
		return
	}
	writeJSON(w, http.StatusAccepted, Ticket{ID: j.id})
}

func (n *relayed) key() string { return n.miner + "/" + n.id }

// pass hands an error of a miner's on, as it was.
func (g *Gateway) pass(w http.ResponseWriter, err error) {
	var theirs *mesh.Error
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &theirs):
		mesh.WriteError(w, theirs)
	case errors.As(err, &big):
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("a source of more than %d bytes", int64(MaxSource)), "send shorter segments")
	default:
		refuse(w, http.StatusBadGateway, "miner", err.Error(), "try another miner")
	}
}

// admit counts a job in, and forgets those that were left behind.
func (g *Gateway) admit(j *relayed) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errors.New("the validator is shutting down")
	}
	own, same := 0, 0
	for key, k := range g.jobs {
		if time.Since(k.began) > gatewayKeep || k.sale.stale() {
			delete(g.jobs, key)
			k.sale.end()
			g.keep(k)
			continue
		}
		if k.customer == j.customer {
			own++
		}
		if k.miner == j.miner {
			same++
		}
	}
	switch {
	case g.open+len(g.jobs) >= gatewayJobs:
		return fmt.Errorf("%d jobs are under way, the limit", gatewayJobs)
	case own >= gatewayPerCustomer:
		return fmt.Errorf("%d of your jobs are under way, the limit", own)
	case same >= gatewayPerMiner:
		return fmt.Errorf("%d jobs are under way at that miner, the limit", same)
	}
	if g.dir == "" {
		dir, err := os.MkdirTemp("", "lode-gateway-")
		if err != nil {
			return err
		}
		g.dir = dir
	}
	g.open++
	return nil
}

func (g *Gateway) receive(j *relayed, body io.Reader) ([]byte, error) {
	source, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	dir := g.dir
	g.mu.Unlock()
	f, err := os.CreateTemp(dir, "source-*")
	if err != nil {
		return nil, err
	}
	j.source, j.size = f.Name(), int64(len(source))
	_, err = f.Write(source)
	return source, errors.Join(err, f.Close())
}

// remove deletes a job's source.
func (g *Gateway) remove(j *relayed) {
	if j.source == "" {
		return
	}
	if err := os.Remove(j.source); err != nil && !errors.Is(err, os.ErrNotExist) {
		g.log.Warn("a customer's source stays behind", "file", filepath.Base(j.source), "err", err)
	}
	j.source = ""
}

func (g *Gateway) release(j *relayed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(j)
}

func (g *Gateway) find(w http.ResponseWriter, r *http.Request) (*relayed, caller, bool) {
	customer, _ := mesh.Caller(r.Context())
	g.mu.Lock()
	j := g.jobs[r.PathValue("miner")+"/"+r.PathValue("id")]
	g.mu.Unlock()
	if j == nil || j.customer != customer {
		refuse(w, http.StatusNotFound, "not_found", "no such job of yours", "")
		return nil, caller{}, false
	}
	to, err := j.caller(g)
	if err != nil {
		refuse(w, http.StatusNotFound, "not_found", err.Error(), "give the job to another miner")
		return nil, caller{}, false
	}
	return j, to, true
}

func (g *Gateway) poll(w http.ResponseWriter, r *http.Request) {
	j, to, ok := g.find(w, r)
	if !ok {
		return
	}
	ms, err := strconv.ParseInt(r.URL.Query().Get("wait_ms"), 10, 64)
	if err != nil || ms < 0 {
		ms = 0
	}
	ms = min(ms, maxWait.Milliseconds())
	if j.sale != nil {
		j.sale.wait(r.Context(), time.Duration(ms)*time.Millisecond)
		writeJSON(w, http.StatusOK, g.statusOf(j))
		return
	}
	raw, err := to.do(r.Context(), http.MethodGet, jobPath+"/"+j.id+"?wait_ms="+strconv.FormatInt(ms, 10), nil, nil, 16<<10)
	if err != nil {
		g.pass(w, err)
		return
	}
	var s Status
	if err := json.Unmarshal(raw, &s); err != nil {
		refuse(w, http.StatusBadGateway, "miner", "the miner's status is unreadable", "try another miner")
		return
	}
	g.mu.Lock()
	if !j.status.Final() {
		j.status = s // the first final word counts: it is the commitment
	}
	s = j.status
	g.mu.Unlock()
	writeJSON(w, http.StatusOK, s)
}

func (g *Gateway) fetch(w http.ResponseWriter, r *http.Request) {
	j, to, ok := g.find(w, r)
	if !ok {
		return
	}
	if g.statusOf(j).State != StateDone {
		refuse(w, http.StatusConflict, "not_done", "the job is not done", "wait for it")
		return
	}
	raw, err := g.answerOf(r.Context(), j, to)
	if err != nil {
		g.pass(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = w.Write(raw) // an error means that the customer is gone
}

// answerOf returns a done job's answer: the miner's, or where it is sold the one that was
// measured.
func (g *Gateway) answerOf(ctx context.Context, j *relayed, to caller) ([]byte, error) {
	if j.sale != nil {
		return g.charge(ctx, j)
	}
	s := g.statusOf(j)
	raw, err := to.fetch(ctx, j.id, s, maxAnswer(j.size))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	j.answer, j.codec = raw, s.Codec
	return raw, nil
}

func (g *Gateway) statusOf(j *relayed) Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return j.status
}

// forget ends a job. Its answer, if one was delivered, may be looked at later.
func (g *Gateway) forget(w http.ResponseWriter, r *http.Request) {
	j, to, ok := g.find(w, r)
	if !ok {
		return
	}
	j.sale.end()
	to.forget(r.Context(), j.id)
	g.mu.Lock()
	if g.jobs[j.key()] == j {
		delete(g.jobs, j.key())
		g.keep(j)
	}
	g.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// keep puts a job that is over among those to be measured, or lets it go. The lock is
// held.
func (g *Gateway) keep(j *relayed) {
	if j.answer != nil && len(g.audits) < auditsWaiting && lucky(j.job.Shape) {
		g.audits = append(g.audits, j)
		return
	}
	g.remove(j)
}
