package video

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
)

func TestARoundPaysBetterWorkMore(t *testing.T) {
	n, _ := network(t, at95, miner(t, StrategyX264), miner(t, StrategyX265), miner(t, StrategySearch))
	v := validator(t, ValidatorConfig{Corpus: onShelf(t)}) // of clips drawn at random a few are x265's
	scores, err := v.Round(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	r := v.Last()
	t.Logf("%v: %s at %.1f, source %d bytes, baseline %.0f", r.Took.Round(time.Millisecond), r.Job.Shape, r.Job.Gate.Quality, r.Source, r.Baseline)
	for _, a := range r.Answers {
		t.Logf("uid %d: %s, %d bytes, quality %.2f, score %.3f %s", a.UID, a.Codec, a.Bytes, a.Quality.Mean, a.Score, a.Error)
	}
	if !(scores[0] > 0.5 && scores[1] > scores[0] && scores[2] > scores[1]) {
		t.Errorf("x264, x265 and search score %.3f, %.3f, %.3f", scores[0], scores[1], scores[2])
	}
}

func TestSwappingStrategiesSwapsScores(t *testing.T) {
	round := func(a, b Strategy) subnet.Scores {
		n, _ := network(t, at95, miner(t, a), miner(t, b))
		scores, err := validator(t, ValidatorConfig{Corpus: onShelf(t)}).Round(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	first, second := round(StrategyX264, StrategySearch), round(StrategySearch, StrategyX264)
	t.Logf("%v, then %v", first, second)
	if !(first[1] > 1.15*first[0] && second[0] > 1.15*second[1]) {
		t.Errorf("x264 and search score %v; the other way round %v", first, second)
	}
}

func TestEveryStrategyUsesTheCodecThatIsAskedFor(t *testing.T) {
	tl := tools(t)
	for _, s := range Strategies() {
		for _, c := range media.Codecs() {
			job := Job{Codecs: []media.Codec{c}, Gate: DefaultGate(media.SSIM, 95)}
			recipes := s.recipes(job, tl)
			if len(recipes) == 0 {
				t.Errorf("%s has nothing for %s", s, c)
			}
			for _, r := range recipes {
				if r.Codec != c {
					t.Errorf("%s uses %s where %s is asked for", s, r, c)
				}
			}
		}
		job := Job{Codecs: media.Codecs(), Gate: DefaultGate(media.SSIM, 95)}
		var codecs []media.Codec
		for _, r := range s.recipes(job, tl) {
			codecs = append(codecs, r.Codec)
		}
		want := map[Strategy][]media.Codec{StrategyX264: {media.H264}, StrategyX265: {media.HEVC}}[s]
		if want != nil && !slices.Equal(codecs, want) || want == nil && len(slices.Compact(codecs)) < 2 {
			t.Errorf("%s chooses among %v", s, codecs)
		}
	}
	if _, err := ParseStrategy("magic"); err == nil || !strings.Contains(err.Error(), "x264, x265, search") {
		t.Errorf("%v", err)
	}
}

// TestNoAnswerLeavesBeforeAllAreCommittedTo: whoever waits to see another's answer has
// nothing to see.
func TestNoAnswerLeavesBeforeAllAreCommittedTo(t *testing.T) {
	n, fm := network(t, at95, quick(t), quick(t), refuser(errors.New("no")))
	if _, err := validator(t, ValidatorConfig{Corpus: onShelf(t)}).Round(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	fetched := false
	for _, line := range fm.log {
		switch {
		case strings.HasSuffix(line, "/answer"):
			fetched = true
		case fetched && !strings.Contains(line, "DELETE"):
			t.Errorf("%s came after an answer was fetched", line)
		}
	}
	if !fetched {
		t.Error("nothing was fetched")
	}
}

func TestAMinerGivesAnAnswerToWhoAskedForItAlone(t *testing.T) {
	m := miner(t, StrategyX264)
	fm := &fakeMesh{handlers: map[string]http.Handler{"m": m}}
	mine := caller{client: fm.as("v0"), base: "http://m/subnet/1"}
	theirs := caller{client: fm.as("m1"), base: "http://m/subnet/1"}
	p := shelfProbe(t, 95)
	defer p.close()
	id, err := mine.post(t.Context(), p.job, p.bytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.await(t.Context(), id); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "no such job") {
		t.Errorf("another caller's status: %v", err)
	}
	s, err := mine.await(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.fetch(t.Context(), id, s, 1<<20); !errors.Is(err, ErrRefused) {
		t.Errorf("another caller's answer: %v", err)
	}
	raw, err := mine.fetch(t.Context(), id, s, 1<<20)
	if err != nil || Commit(s.Codec, raw) != s.Commitment {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
	if st := m.Stats(); st.Jobs != 1 || st.BytesOut != uint64(len(raw)) || st.BytesIn != uint64(len(p.bytes)) || st.Open != 0 {
		t.Errorf("stats %+v", st)
	}
	theirs.forget(t.Context(), id)
	if _, err := mine.await(t.Context(), id); err != nil {
		t.Errorf("somebody else could make it forget: %v", err)
	}
	mine.forget(t.Context(), id)
	if _, err := mine.await(t.Context(), id); err == nil {
		t.Error("it was not forgotten")
	}
}

// shelfProbe is a probe of the clip on the shelf.
func shelfProbe(t testing.TB, quality float64) *probe {
	t.Helper()
	params := DefaultParams()
	params.MinQuality, params.MaxQuality, params.OneCodec = quality, quality, 0
	p, err := draw(t.Context(), tools(t), onShelf(t), params, sizes[0], rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoIsLateIsNotWaitedFor(t *testing.T) {
	never := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			writeJSON(w, http.StatusAccepted, Ticket{ID: "x"})
			return
		}
		writeJSON(w, http.StatusOK, Status{State: StateRunning})
	})
	n, _ := network(t, at95, never, quick(t))
	p := shelfProbe(t, 95)
	defer p.close()
	p.job.DeadlineMS = 3000
	began := time.Now()
	answers := ask(t.Context(), n, n.Miners(), p)
	if !errors.Is(answers[0].err, ErrRefused) || !strings.Contains(answers[0].err.Error(), "time is up") {
		t.Errorf("the late one: %v", answers[0].err)
	}
	if answers[1].err != nil {
		t.Errorf("the quick one: %v", answers[1].err)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestProbesAndCustomersLookAlike: the same calls in the same order from the same caller
// with the same headers, and a job with the same fields.
func TestProbesAndCustomersLookAlike(t *testing.T) {
	type call struct{ who, what string }
	record := func(calls *[]call) *fakeMiner {
		m := quick(t)
		var mu sync.Mutex
		m.seen = func(r *http.Request, _ []byte) {
			mu.Lock()
			defer mu.Unlock()
			var headers []string
			for k := range r.Header {
				headers = append(headers, k)
			}
			slices.Sort(headers)
			path := strings.ReplaceAll(r.URL.Path, "ffffffff-1", "ID")
			query := "?" + strings.Split(r.URL.RawQuery, "=")[0]
			fields := ""
			if raw := r.Header.Get(jobHeader); raw != "" {
				for _, f := range strings.FieldsFunc(raw, func(c rune) bool { return c == ',' || c == '{' }) {
					name, _, ok := strings.Cut(f, ":")
					if ok {
						fields += " " + name
					}
				}
			}
			*calls = append(*calls, call{mustCaller(t, r), r.Method + " " + path + query + " " + strings.Join(headers, ",") + fields})
		}
		return m
	}
	var probed, bought []call
	n, _ := network(t, at95, record(&probed))
	if _, err := validator(t, ValidatorConfig{Corpus: onShelf(t)}).Round(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	client, gateways, _ := market(t, record(&bought))
	in, out := makeClip(t, "in.mp4", "1"), filepath.Join(t.TempDir(), "out.mp4")
	if _, err := Compress(t.Context(), tools(t), client, gateways, options(in, out), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(probed, bought) {
		t.Errorf("a probe's calls:\n%v\na customer's:\n%v", probed, bought)
	}
	if len(probed) != 4 || probed[0].who != "v0" {
		t.Errorf("calls %v", probed)
	}
	// And as long to do it in.
	if a, b := Deadline(media.Shape{Width: 160, Height: 96, Frames: 25}), Deadline(media.Shape{Width: 1920, Height: 1080, Frames: 250}); a >= b {
		t.Errorf("deadlines %v and %v", a, b)
	}
}

func TestACustomersBadResultLowersTheScore(t *testing.T) {
	// The miner does probes well, and what comes through the gateway badly.
	lazy := x264At(t, "gblur=sigma=2", "20").miner()
	good := x264At(t, "", "16").miner()
	cheat := &fakeMiner{answer: func(j Job, s []byte) (media.Codec, []byte, error) {
		if bytes.Equal(s, onShelf(t).raw) {
			return good.answer(j, s)
		}
		return lazy.answer(j, s)
	}}
	n, fm := network(t, at95, cheat, work2(good))
	v := validator(t, ValidatorConfig{Corpus: onShelf(t)})
	v.gateway.follow(n)
	fm.handlers["v0"] = v.Gateway()
	in := makeClip(t, "in.mp4", "1")
	_, err := Compress(t.Context(), tools(t), fm.as("customer"), []string{GatewayURL("v0", 1)}, options(in, filepath.Join(t.TempDir(), "out.mp4")), nil)
	if err != nil {
		t.Fatal(err)
	}
	// m1 is the better paid one, and honest: the cheat has to be asked directly.
	p, err := findMiners(t.Context(), fm.as("customer"), []string{GatewayURL("v0", 1)}, 9)
	if err != nil {
		t.Fatal(err)
	}
	pr := shelfProbe(t, 95)
	defer pr.close()
	source := file(t, "other.mkv", append(picture("1"), "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p")...)
	job := pr.job
	for _, m := range p.members {
		if m.Hotkey == "m0" {
			if _, err := p.order(t.Context(), m, job, source); err != nil {
				t.Fatal(err)
			}
		}
	}
	scores, err := v.Round(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	// Both did the probe alike and share; the cheat has half of that left.
	if !(scores[0] < 0.6*scores[1] && scores[0] > 0) {
		t.Errorf("the cheat scores %.3f, the honest one %.3f", scores[0], scores[1])
	}
}

func TestDifferentSeedsGiveDifferentProbesAndEqualOnesTheSame(t *testing.T) {
	tl := tools(t)
	dir := t.TempDir()
	clip := filepath.Join(dir, "big.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3,noise=alls=20:allf=t+u", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p", clip)
	if err := os.WriteFile(filepath.Join(dir, "notes.mp4"), []byte("no video at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	folder, err := OpenFolder(t.Context(), tl, dir, func(string, error) { skipped++ })
	if err != nil || folder.Clips() != 1 || skipped != 1 {
		t.Fatalf("%v; %d skipped", err, skipped)
	}
	for name, c := range map[string]Corpus{"generated": Generated{tl}, "folder": folder} {
		seen := map[string]int{}
		for _, seed := range []uint64{1, 1, 2} {
			path := filepath.Join(t.TempDir(), "w.mkv")
			if err := c.Draw(t.Context(), rand.New(rand.NewPCG(seed, 9)), ProbeSize{Width: 96, Height: 64, Seconds: 0.4}, path); err != nil {
				t.Fatal(err)
			}
			in, err := media.Source(path, "h264")
			if err != nil {
				t.Fatal(err)
			}
			shape := media.Shape{Width: 96, Height: 64, PixFmt: "yuv420p"}
			scan, err := tl.Scan(t.Context(), in, shape, 100, media.LimitsFor(96*64, 100, time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			var key strings.Builder
			for _, h := range scan.Hashes(0, scan.Shape.Frames) {
				key.Write(h[:])
			}
			seen[key.String()]++
		}
		if len(seen) != 2 {
			t.Errorf("%s: three draws with two seeds gave %d clips", name, len(seen))
		}
	}
	if _, err := OpenFolder(t.Context(), tl, t.TempDir(), nil); !errors.Is(err, ErrCorpus) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestDullWindowsAreNotAskedFor: of a black clip nobody learns who is good.
func TestDullWindowsAreNotAskedFor(t *testing.T) {
	black := file(t, "black.mkv", "-f", "lavfi", "-i", "color=s=160x96:r=25:d=1", "-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p")
	_, err := draw(t.Context(), tools(t), shelf{black}, DefaultParams(), sizes[0], rand.New(rand.NewPCG(1, 1)))
	if !errors.Is(err, ErrCorpus) {
		t.Errorf("%v", err)
	}
}

func TestAValidatorWithoutTheMeasureRefusesAndSaysHowToGetIt(t *testing.T) {
	tl := tools(t)
	if tl.HasFilter("libvmaf") {
		if _, err := (ValidateOptions{}).Validator(t.Context(), tl, []byte(`{"measure":"vmaf-neg"}`), nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	_, err := ValidateOptions{}.Validator(t.Context(), tl, []byte(`{"measure":"vmaf-neg"}`), nil)
	if !errors.Is(err, media.ErrMeasure) || !strings.Contains(err.Error(), "--enable-libvmaf") {
		t.Errorf("at the start: %v", err)
	}
	// The subnet may name it later.
	n, _ := network(t, `{"measure":"vmaf-neg"}`, quick(t))
	if _, err := validator(t, ValidatorConfig{}).Round(t.Context(), n); !errors.Is(err, media.ErrMeasure) {
		t.Errorf("in a round: %v", err)
	}
	n, _ = network(t, `{"measure":"psnr"}`, quick(t))
	if _, err := validator(t, ValidatorConfig{}).Round(t.Context(), n); err == nil {
		t.Error("an unknown measure was taken")
	}
}

func TestARoundEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { cancel(); return "", nil, errors.New("x") }}
	n, _ := network(t, at95, m)
	if _, err := validator(t, ValidatorConfig{Corpus: onShelf(t)}).Round(ctx, n); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestABrokenSeedEndsTheRound(t *testing.T) {
	n, fm := network(t, at95, quick(t))
	n = subnet.NewNetwork(Name, n.Metagraph(), "v0", fm.as("v0"), strings.NewReader(""), slog.New(slog.DiscardHandler))
	if _, err := validator(t, ValidatorConfig{}).Round(t.Context(), n); err == nil || !strings.Contains(err.Error(), "seed") {
		t.Errorf("%v", err)
	}
}
