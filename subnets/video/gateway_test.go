package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
)

// call makes one request and returns its status and what it says.
func call(t testing.TB, client *http.Client, method, url string, job *Job, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if job != nil {
		if err := job.setHeader(req.Header); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := mesh.ResponseError(resp); err != nil {
		return resp.StatusCode, err.Error()
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// anyJob is a job that is well-formed.
func anyJob() Job {
	return Job{Version: Version, Codecs: []media.Codec{media.H264}, Gate: DefaultGate(media.SSIM, 95), Source: "h264",
		Shape: media.Shape{Width: 160, Height: 96, PixFmt: "yuv420p", Frames: 25}, DeadlineMS: 60_000}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestJobsOfAWrongShapeAreRefusedInWords(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Job)
		words  string
	}{
		"a later version":     {func(j *Job) { j.Version = 2 }, "version 2"},
		"no codec":            {func(j *Job) { j.Codecs = nil }, "0 codecs"},
		"too many codecs":     {func(j *Job) { j.Codecs = make([]media.Codec, 99) }, "99 codecs"},
		"an unknown codec":    {func(j *Job) { j.Codecs = []media.Codec{"vp9"} }, "vp9"},
		"an unknown source":   {func(j *Job) { j.Source = "cinepak" }, "cinepak"},
		"a path as source":    {func(j *Job) { j.Source = "../../etc/passwd" }, "can't be read"},
		"an absurd quality":   {func(j *Job) { j.Gate.Quality = 1e9 }, "quality"},
		"an absurd margin":    {func(j *Job) { j.Gate.Tail = 1e9 }, "tail"},
		"no frames":           {func(j *Job) { j.Shape.Frames = 0 }, "0 frames"},
		"too many frames":     {func(j *Job) { j.Shape.Frames = 1 << 40 }, "frames"},
		"a negative width":    {func(j *Job) { j.Shape.Width = -160 }, "at least 64"},
		"a huge picture":      {func(j *Job) { j.Shape.Width, j.Shape.Height = 1<<20, 1<<20 }, "limit"},
		"an odd picture":      {func(j *Job) { j.Shape.Width = 161 }, "even"},
		"a filter as format":  {func(j *Job) { j.Shape.PixFmt = "yuv420p,movie=/etc/passwd" }, "pixel format"},
		"no time":             {func(j *Job) { j.DeadlineMS = 0 }, "deadline"},
		"a deadline for ever": {func(j *Job) { j.DeadlineMS = 1 << 60 }, "deadline"},
		"a negative deadline": {func(j *Job) { j.DeadlineMS = -1 << 60 }, "deadline"},
	} {
		j := anyJob()
		c.change(&j)
		h := http.Header{}
		if err := j.setHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := readJob(h); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v does not say %q", name, err, c.words)
		}
	}
	for _, raw := range []string{"", "{", "null", `{"version":"one"}`, strings.Repeat("[", 10000)} {
		h := http.Header{}
		h.Set(jobHeader, raw)
		if _, err := readJob(h); err == nil {
			t.Errorf("%.20q is taken", raw)
		}
	}
	if err := anyJob().Check(); err != nil {
		t.Error(err)
	}
}

func FuzzJobHeader(f *testing.F) {
	h := http.Header{}
	if err := anyJob().setHeader(h); err != nil {
		f.Fatal(err)
	}
	f.Add(h.Get(jobHeader))
	f.Add(`{"version":1,"codecs":["av1"],"shape":{"width":1e99}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		h := http.Header{}
		h.Set(jobHeader, raw)
		j, err := readJob(h)
		if err != nil {
			return
		}
		if j.Shape.Width > media.MaxSide || j.Shape.Frames > media.MaxFrames || j.deadline() > maxDeadline {
			t.Fatalf("%+v is taken", j)
		}
	})
}

func TestAMinerHasLimits(t *testing.T) {
	m, err := NewMiner(MinerConfig{Tools: tools(t), Strategy: StrategyX264, Jobs: 3, PerCaller: 2, Logger: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	dir := m.dir
	hold, err := m.turns.take(t.Context(), time.Now()) // nothing gets done
	if err != nil {
		t.Fatal(err)
	}
	fm := &fakeMesh{handlers: map[string]http.Handler{"m": m}}
	const url = "http://m/subnet/1/job"
	job := anyJob()
	post := func(who string, j *Job, body io.Reader) (int, string) {
		return call(t, fm.as(who), http.MethodPost, url, j, body)
	}
	bad := job
	bad.Version = 9
	for name, c := range map[string]struct {
		job    *Job
		body   io.Reader
		status int
		words  string
	}{
		"no job":             {nil, strings.NewReader("x"), http.StatusBadRequest, "no job"},
		"a bad job":          {&bad, strings.NewReader("x"), http.StatusBadRequest, "version 9"},
		"an empty source":    {&job, strings.NewReader(""), http.StatusBadRequest, "empty"},
		"an endless source":  {&job, io.LimitReader(zeros{}, MaxSource+1), http.StatusRequestEntityTooLarge, "67108864"},
		"a source cut short": {&job, io.MultiReader(strings.NewReader("x"), brokenReader{}), http.StatusBadRequest, "did not arrive"},
	} {
		if status, text := post("a", c.job, c.body); status != c.status || !strings.Contains(text, c.words) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	var ids []string
	for range 2 {
		status, text := post("a", &job, strings.NewReader("not a video"))
		if status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		ids = append(ids, strings.Split(text, `"`)[3])
	}
	if status, text := post("a", &job, strings.NewReader("x")); status != http.StatusServiceUnavailable || !strings.Contains(text, "2 of your jobs") {
		t.Errorf("a third of one caller: %d %s", status, text)
	}
	if status, text := post("b", &job, strings.NewReader("x")); status != http.StatusAccepted {
		t.Errorf("another caller: %d %s", status, text)
	}
	if status, text := post("c", &job, strings.NewReader("x")); status != http.StatusServiceUnavailable || !strings.Contains(text, "3 jobs are waiting") {
		t.Errorf("a fourth: %d %s", status, text)
	}
	if s := m.Stats(); s.Open != 3 || s.Refused != 7 || s.Strategy != StrategyX264 {
		t.Errorf("stats %+v", s)
	}
	for name, c := range map[string]struct {
		who, method, path string
		status            int
		words             string
	}{
		"somebody else's job":      {"b", http.MethodGet, "/" + ids[0], http.StatusNotFound, "no such job of yours"},
		"somebody else's answer":   {"b", http.MethodGet, "/" + ids[0] + "/answer", http.StatusNotFound, "no such job of yours"},
		"ending somebody's job":    {"b", http.MethodDelete, "/" + ids[0], http.StatusNotFound, "no such job of yours"},
		"an answer that isn't yet": {"a", http.MethodGet, "/" + ids[0] + "/answer", http.StatusConflict, "queued"},
		"no job at all":            {"a", http.MethodGet, "/zzz", http.StatusNotFound, "no such job"},
		"a wait that is no number": {"a", http.MethodGet, "/" + ids[0] + "?wait_ms=soon", http.StatusBadRequest, "soon"},
		"a wait into the past":     {"a", http.MethodGet, "/" + ids[0] + "?wait_ms=-1", http.StatusBadRequest, "-1"},
		"a path outside":           {"a", http.MethodGet, "/../../etc/passwd", http.StatusTemporaryRedirect, ""},
		"another method":           {"a", http.MethodPatch, "/" + ids[0], http.StatusMethodNotAllowed, ""},
	} {
		if status, text := call(t, fm.as(c.who), c.method, url+c.path, nil, nil); status != c.status || !strings.Contains(text, c.words) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, _ := call(t, fm.as("a"), http.MethodGet, url+"/"+ids[0]+"?wait_ms=1", nil, nil); status != http.StatusOK {
		t.Errorf("its own status: %d", status)
	}
	if status, _ := call(t, fm.as("a"), http.MethodDelete, url+"/"+ids[0], nil, nil); status != http.StatusNoContent {
		t.Errorf("its own end: %d", status)
	}
	// A source that is no video fails, in words, and its files go.
	hold()
	s, err := caller{client: fm.as("a"), base: "http://m/subnet/1"}.await(t.Context(), ids[1])
	if !errors.Is(err, ErrRefused) || s.State != StateFailed {
		t.Errorf("%+v, %v", s, err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if status, text := post("a", &job, strings.NewReader("x")); status != http.StatusServiceUnavailable || !strings.Contains(text, "shutting down") {
		t.Errorf("after the end: %d %s", status, text)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
	// Without the mesh nobody knows who calls.
	w := &responseSink{header: http.Header{}}
	req, _ := http.NewRequest(http.MethodGet, "/job/x", nil)
	m.ServeHTTP(w, req)
	if w.status != http.StatusForbidden {
		t.Errorf("a stranger got %d", w.status)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the line is down") }

type responseSink struct {
	header http.Header
	status int
}

func (w *responseSink) Header() http.Header         { return w.header }
func (w *responseSink) Write(p []byte) (int, error) { return len(p), nil }
func (w *responseSink) WriteHeader(status int)      { w.status = status }

func TestAJobEndsAtItsDeadline(t *testing.T) {
	m := miner(t, StrategyX264)
	hold, err := m.turns.take(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer hold()
	fm := &fakeMesh{handlers: map[string]http.Handler{"m": m}}
	c := caller{client: fm.as("a"), base: "http://m/subnet/1"}
	job := anyJob()
	job.DeadlineMS = 1000
	id, err := c.post(t.Context(), job, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.await(t.Context(), id); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("%v", err)
	}
	if s := m.Stats(); s.Failed != 1 || s.Open != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestAGatewayWithstandsItsCustomers(t *testing.T) {
	honest := &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { return media.H264, []byte("answer"), nil }}
	client, gateways, fm := market(t, honest)
	base := gateways[0]
	job := anyJob()
	bad := job
	bad.Shape.Frames = -5
	via := base + "/via/m0/job"
	for name, c := range map[string]struct {
		method, url string
		job         *Job
		body        io.Reader
		status      int
		words       string
	}{
		"no job":               {http.MethodPost, via, nil, strings.NewReader("x"), http.StatusBadRequest, "no job"},
		"a bad job":            {http.MethodPost, via, &bad, strings.NewReader("x"), http.StatusBadRequest, "-5 frames"},
		"nobody's miner":       {http.MethodPost, base + "/via/lode1nobody/job", &job, strings.NewReader("x"), http.StatusNotFound, "no miner of this subnet"},
		"the validator itself": {http.MethodPost, base + "/via/v0/job", &job, strings.NewReader("x"), http.StatusNotFound, "no miner of this subnet"},
		"a long name":          {http.MethodPost, base + "/via/" + strings.Repeat("m", 5000) + "/job", &job, strings.NewReader("x"), http.StatusNotFound, "…"},
		"an endless source":    {http.MethodPost, via, &job, io.LimitReader(zeros{}, MaxSource+1), http.StatusRequestEntityTooLarge, "shorter segments"},
		"a source cut short":   {http.MethodPost, via, &job, io.MultiReader(strings.NewReader("x"), brokenReader{}), http.StatusBadGateway, "line is down"},
		"a job that isn't":     {http.MethodGet, via + "/zzz", nil, nil, http.StatusNotFound, "no such job of yours"},
		"an answer of nothing": {http.MethodGet, via + "/zzz/answer", nil, nil, http.StatusNotFound, "no such job of yours"},
		"another path":         {http.MethodGet, base + "/secrets", nil, nil, http.StatusNotFound, ""},
		"a path outside":       {http.MethodGet, base + "/via/m0/job/../../../../etc/passwd", nil, nil, http.StatusTemporaryRedirect, ""},
	} {
		if status, text := call(t, client, c.method, c.url, c.job, c.body); status != c.status || !strings.Contains(text, c.words) {
			t.Errorf("%s: %d %s", name, status, cut(text, 200))
		}
	}
	if honest.took != 0 {
		t.Errorf("the miner was given %d jobs", honest.took)
	}
	status, text := call(t, client, http.MethodPost, via, &job, strings.NewReader("source"))
	if status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	id := strings.Split(text, `"`)[3]
	for name, url := range map[string]string{"status": via + "/" + id, "answer": via + "/" + id + "/answer"} {
		if status, text := call(t, fm.as("thief"), http.MethodGet, url, nil, nil); status != http.StatusNotFound {
			t.Errorf("another customer's %s: %d %s", name, status, text)
		}
	}
	if status, text := call(t, client, http.MethodGet, via+"/"+id+"/answer", nil, nil); status != http.StatusConflict {
		t.Errorf("an answer before the commitment: %d %s", status, text)
	}
	if status, text := call(t, client, http.MethodGet, via+"/"+id+"?wait_ms=nonsense", nil, nil); status != http.StatusOK || !strings.Contains(text, StateDone) {
		t.Errorf("a wait that is no number: %d %s", status, text)
	}
	if status, text := call(t, client, http.MethodGet, via+"/"+id+"/answer", nil, nil); status != http.StatusOK || text != "answer" {
		t.Errorf("its own answer: %d %s", status, text)
	}
	if status, _ := call(t, client, http.MethodDelete, via+"/"+id, nil, nil); status != http.StatusNoContent {
		t.Errorf("its own end: %d", status)
	}
}

func TestAGatewayHasLimits(t *testing.T) {
	var miners []http.Handler
	for range 8 {
		miners = append(miners, &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { return media.H264, []byte("answer"), nil }})
	}
	n, fm := network(t, "{}", miners...)
	v := validator(t, ValidatorConfig{})
	fm.handlers["v0"] = v.Gateway()
	base, job := GatewayURL("v0", 1), anyJob()
	if status, text := call(t, fm.as("a"), http.MethodGet, base+"/miners", nil, nil); status != http.StatusServiceUnavailable || !strings.Contains(text, "not seen the network yet") {
		t.Errorf("before the first round: %d %s", status, text)
	}
	v.gateway.follow(n)
	post := func(who string, m int) (int, string) {
		return call(t, fm.as(who), http.MethodPost, fmt.Sprintf("%s/via/m%d/job", base, m), &job, strings.NewReader("source"))
	}
	for i := range gatewayPerMiner {
		if status, text := post("a", 0); status != http.StatusAccepted {
			t.Fatalf("job %d: %d %s", i, status, text)
		}
	}
	if status, text := post("a", 0); status != http.StatusServiceUnavailable || !strings.Contains(text, "at that miner") {
		t.Errorf("one more for a miner: %d %s", status, text)
	}
	for i := gatewayPerMiner; i < gatewayPerCustomer; i++ {
		if status, text := post("a", 1+i%3); status != http.StatusAccepted {
			t.Fatalf("job %d: %d %s", i, status, text)
		}
	}
	if status, text := post("a", 7); status != http.StatusServiceUnavailable || !strings.Contains(text, "of your jobs") {
		t.Errorf("one more of a customer: %d %s", status, text)
	}
	for i := gatewayPerCustomer; i < gatewayJobs; i++ {
		if status, text := post("b", 4+i%4); status != http.StatusAccepted {
			t.Fatalf("job %d: %d %s", i, status, text)
		}
	}
	if status, text := post("c", 7); status != http.StatusServiceUnavailable || !strings.Contains(text, "under way") {
		t.Errorf("one more of all: %d %s", status, text)
	}
	// What was left behind makes room in time.
	v.gateway.mu.Lock()
	dir := v.gateway.dir
	for _, j := range v.gateway.jobs {
		j.began = j.began.Add(-2 * gatewayKeep)
	}
	v.gateway.mu.Unlock()
	if status, text := post("c", 7); status != http.StatusAccepted {
		t.Errorf("an hour later: %d %s", status, text)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d sources are kept: %v", len(files), err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if status, text := post("c", 7); status != http.StatusServiceUnavailable || !strings.Contains(text, "shutting down") {
		t.Errorf("after the end: %d %s", status, text)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
}

func TestAGatewayWithstandsItsMiners(t *testing.T) {
	answers := func(post, status, answer string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				io.WriteString(w, post)
			case strings.HasSuffix(r.URL.Path, "/answer"):
				io.WriteString(w, answer)
			default:
				io.WriteString(w, status)
			}
		})
	}
	ok := `{"id":"x"}`
	done := func(bytes int, commitment string) string {
		return fmt.Sprintf(`{"state":"done","codec":"h264","bytes":%d,"commitment":"%s"}`, bytes, commitment)
	}
	for name, c := range map[string]struct {
		miner http.Handler
		words string
	}{
		"no ticket":                 {answers("hello", "", ""), "no ticket"},
		"an endless ticket":         {answers(`{"id":"`+strings.Repeat("x", 3000)+`"}`, "", ""), "no ticket"},
		"more ticket than allowed":  {answers(strings.Repeat("x", 9000), "", ""), "more than"},
		"a status that is nonsense": {answers(ok, "<html>", ""), "unreadable"},
		"a failure of many words":   {answers(ok, `{"state":"failed","error":"`+strings.Repeat("very ", 2000)+`bad"}`, ""), "very"},
		"done without a commitment": {answers(ok, `{"state":"done"}`, ""), "without a commitment"},
		"another answer":            {answers(ok, done(5, strings.Repeat("0", 64)), "bytes"), "commitment"},
		"a huge size":               {answers(ok, done(1<<40, strings.Repeat("0", 64)), "bytes"), "limit"},
		"a negative size":           {answers(ok, done(-1, strings.Repeat("0", 64)), "bytes"), "limit"},
		"a size that it exceeds":    {answers(ok, done(5, strings.Repeat("0", 64)), strings.Repeat("x", 200<<10)), "more than"},
		"too many requests":         {http.HandlerFunc(tooMany), "in flight"},
	} {
		t.Run(name, func(t *testing.T) {
			client, gateways, _ := market(t, c.miner)
			p, err := findMiners(t.Context(), client, gateways, 4)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			got, err := p.order(ctx, p.members[0], anyJob(), []byte("source"))
			if err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%d bytes, %v does not say %q", len(got.bytes), cut(fmt.Sprint(err), 300), c.words)
			}
			if len(fmt.Sprint(err)) > 1000 {
				t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
			}
		})
	}
}

func TestMinersAreListedByWhatTheyEarn(t *testing.T) {
	client, gateways, _ := market(t, quick(t), quick(t), quick(t))
	p, err := findMiners(t.Context(), client, append(gateways, gateways[0]), 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.members) != 2 || p.members[0].Hotkey != "m2" || p.members[1].Hotkey != "m1" || len(p.members[0].routes) != 2 {
		t.Errorf("%+v", p.members)
	}
}

func TestThePoolGivesTheBestMoreAndTheBadNothing(t *testing.T) {
	p := &pool{changed: make(chan struct{}), members: []*member{
		{Worker: Worker{Hotkey: "best", Incentive: 0.6}}, {Worker: Worker{Hotkey: "fair", Incentive: 0.25}}, {Worker: Worker{Hotkey: "poor", Incentive: 0}}}}
	var order []string
	for range 4 {
		m, err := p.take(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, m.Hotkey)
	}
	if got := strings.Join(order, " "); got != "best best fair fair" {
		t.Errorf("order %s", got)
	}
	p.give(p.members[1], true)
	p.give(&member{}, false) // somebody else's change
	for range strikes - 1 {
		m, _ := p.take(t.Context(), map[string]bool{"best": true, "poor": true})
		p.give(m, true)
	}
	if m, err := p.take(t.Context(), map[string]bool{"best": true, "poor": true}); m != nil || err != nil {
		t.Errorf("%v is given work after %d bad answers; %v", m, strikes, err)
	}
	// Who waits for a busy one gets it when it is free.
	if m, err := p.take(t.Context(), map[string]bool{"fair": true, "poor": true}); err != nil || m.Hotkey != "best" {
		t.Fatalf("%v, %v", m, err)
	}
	got := make(chan *member)
	go func() {
		m, _ := p.take(t.Context(), map[string]bool{"fair": true, "poor": true})
		got <- m
	}()
	p.give(p.members[0], false)
	if m := <-got; m == nil || m.Hotkey != "best" {
		t.Errorf("got %v", m)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.take(ctx, map[string]bool{"fair": true, "poor": true}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// fakeHost is an address book.
type fakeHost struct {
	subnet.Mesh
	peers []string
}

func (h *fakeHost) Hotkey() string { return "me" }
func (h *fakeHost) AddPeer(hotkey string, endpoints ...string) error {
	if endpoints[0] == "bad" {
		return errors.New("bad endpoint")
	}
	h.peers = append(h.peers, hotkey)
	return nil
}

func TestGatewaysAreFoundInTheMetagraph(t *testing.T) {
	meta := &subnet.Metagraph{Netuid: 7, Name: "video", Neurons: []subnet.Neuron{
		{Hotkey: "miner", Protocol: "video/miner", Endpoints: []string{"e"}, Stake: 99},
		{Hotkey: "small", Protocol: "video/validator", Endpoints: []string{"e"}, Stake: 1},
		{Hotkey: "large", Protocol: "video/validator", Endpoints: []string{"e"}, Stake: 9},
		{Hotkey: "silent", Protocol: "video/validator", Stake: 50},
		{Hotkey: "wrong", Protocol: "video/validator", Endpoints: []string{"bad"}, Stake: 60},
		{Hotkey: "me", Protocol: "video/validator", Endpoints: []string{"e"}, Stake: 70},
	}}
	h := &fakeHost{}
	got, err := Gateways(meta, h)
	if err != nil || strings.Join(got, " ") != "http://large/subnet/7 http://small/subnet/7" || len(h.peers) != 2 {
		t.Errorf("%v, %v, peers %v", got, err, h.peers)
	}
	if got, err := Gateways(meta, h, "small"); err != nil || strings.Join(got, " ") != "http://small/subnet/7" {
		t.Errorf("%v, %v", got, err)
	}
	for _, other := range []string{"miner", "silent", "nobody"} {
		if _, err := Gateways(meta, h, "small", other); !errors.Is(err, ErrNoGateway) || !strings.Contains(err.Error(), other) {
			t.Errorf("%s: %v", other, err)
		}
	}
	meta.Neurons = meta.Neurons[:1]
	if _, err := Gateways(meta, h); !errors.Is(err, ErrNoGateway) || !strings.Contains(err.Error(), "subnet 7") {
		t.Errorf("%v", err)
	}
}

func TestOptionsSayWhatIsWrongWithThem(t *testing.T) {
	tl := tools(t)
	if _, err := (MineOptions{Strategy: "magic"}).Miner(tl, nil); err == nil || !strings.Contains(err.Error(), "--strategy") {
		t.Errorf("%v", err)
	}
	if _, err := (MineOptions{Strategy: "x264", Jobs: -1}).Miner(tl, nil); err == nil || !strings.Contains(err.Error(), "--jobs -1") {
		t.Errorf("%v", err)
	}
	if _, err := (ValidateOptions{Clips: filepath.Join(t.TempDir(), "none")}).Validator(t.Context(), tl, nil, nil); err == nil || !strings.Contains(err.Error(), "--clips") {
		t.Errorf("%v", err)
	}
	if _, err := (ValidateOptions{RoundGoal: -1}).Validator(t.Context(), tl, nil, nil); err == nil || !strings.Contains(err.Error(), "--round-goal") {
		t.Errorf("%v", err)
	}
	if _, err := (ValidateOptions{Price: "cheap"}).Validator(t.Context(), tl, nil, nil); err == nil || !strings.Contains(err.Error(), "--price") {
		t.Errorf("%v", err)
	}
	o := DefaultCompressOptions()
	if o.Quality != 98 || o.Codec != "av1" || o.Measure != "ssim" || o.Segment != 5*time.Second || o.Miners != 4 {
		t.Errorf("%+v", o)
	}
	if l := GatewayLimits(); !l.Open || l.PerPeer <= gatewayPerCustomer {
		t.Errorf("%+v", l)
	}
	if l := MinerLimits(); l.Open || l.PerPeer <= gatewayPerMiner {
		t.Errorf("%+v", l)
	}
	for _, cfg := range []MinerConfig{{}, {Tools: tl, Strategy: "magic"}} {
		if _, err := NewMiner(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	p := DefaultParams()
	p.Exponent = -1
	for _, cfg := range []ValidatorConfig{{}, {Tools: tl, Params: &p}} {
		if _, err := NewValidator(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}
