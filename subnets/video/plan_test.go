package video

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
	"pgregory.net/rapid"
)

func TestCutsAreKeyFramesAndCoverTheClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := rapid.Int64Range(1, 5000).Draw(t, "frames")
		every := rapid.Int64Range(8, segmentFrames).Draw(t, "every")
		keys := []int64{0}
		for keys[len(keys)-1] < frames {
			keys = append(keys, keys[len(keys)-1]+rapid.Int64Range(1, 600).Draw(t, "gap"))
		}
		keys = keys[:len(keys)-1]
		cuts := planCuts(keys, frames, every)
		if !slices.IsSorted(cuts) {
			t.Fatalf("cuts %v", cuts)
		}
		last := int64(0)
		for _, c := range cuts {
			if !slices.Contains(keys, c) || c <= last || c >= frames {
				t.Fatalf("a cut at %d, keys %v", c, keys)
			}
			last = c
		}
		for i, c := range append(cuts, frames) {
			from := int64(0)
			if i > 0 {
				from = cuts[i-1]
			}
			if c-from > segmentFrames+600 {
				t.Fatalf("a segment of %d frames from %d", c-from, from)
			}
		}
	})
}

func TestCutsLeaveNoCrumbs(t *testing.T) {
	for _, c := range []struct {
		keys          []int64
		frames, every int64
		want          []int64
	}{
		{[]int64{0, 25, 50, 75}, 80, 50, []int64{50}},
		{[]int64{0, 25, 50, 75}, 80, 25, []int64{25, 50}},
		{[]int64{0}, 500, 50, nil},
		{[]int64{0, 10, 20, 30, 40, 50, 60}, 70, 25, []int64{30, 60}},
		{nil, 500, 50, nil},
	} {
		if got := planCuts(c.keys, c.frames, c.every); !slices.Equal(got, c.want) {
			t.Errorf("keys %v of %d frames, every %d: cuts %v, want %v", c.keys, c.frames, c.every, got, c.want)
		}
	}
}

func TestRatesLearnFromWhatWasEncoded(t *testing.T) {
	var m rates
	r := media.X264("medium", media.SSIM)
	if got := m.guess(r, learnedQuality); got != r.Start {
		t.Errorf("knowing nothing: %v, want %v", got, r.Start)
	}
	if a, b := m.guess(r, 94), m.guess(r, 98); a <= b {
		t.Errorf("quality 94 at %v, 98 at %v", a, b)
	}
	m.learn(r, 97, ratePoint{rate: 20, slack: 0})
	if got := m.guess(r, 97); got < 19.9 || got > 20.1 {
		t.Errorf("what held 97 at 20 is guessed as %v", got)
	}
	m.learn(r, 97, ratePoint{rate: 40, slack: -2})
	if got := m.guess(r, 97); got < 19.9 || got > 20.1 {
		t.Errorf("a far miss moved it to %v", got)
	}
	m.learn(r, 97, ratePoint{rate: 20, slack: 2 * r.Step}) // it could have been 22
	if got := m.guess(r, 97); got < 20.5 || got > 21.5 {
		t.Errorf("the mean of 20 and 22 is guessed as %v", got)
	}
	if got := m.guess(r, 99.9); got < r.Min {
		t.Errorf("a guess of %v", got)
	}
	if got := m.guess(media.SVTAV1(6), 94.7); got != float64(int(got)) {
		t.Errorf("a whole rate is %v", got)
	}
}

func TestTheNextRateGoesTheRightWay(t *testing.T) {
	r := media.X264("medium", media.SSIM)
	fail := func(rate, slack float64) *attempt {
		return &attempt{rate: rate, slack: slack, judged: &Judged{Gate: ErrGate}}
	}
	pass := func(rate, slack float64) *attempt { return &attempt{rate: rate, slack: slack, judged: &Judged{}} }
	for name, c := range map[string]struct {
		tried    []*attempt
		low, top float64
	}{
		"too bad: a lower one":        {[]*attempt{fail(30, -0.2)}, 20, 29},
		"too good: a higher one":      {[]*attempt{pass(20, 0.2)}, 21, 30},
		"between the two":             {[]*attempt{pass(20, 0.2), fail(26, -0.2)}, 21, 25},
		"both too bad":                {[]*attempt{fail(30, -0.4), fail(26, -0.2)}, 15, 25.5},
		"good enough, tone is off":    {[]*attempt{fail(26, 0.01)}, 20, 25.9},
		"tone between good and wrong": {[]*attempt{pass(20, 0.3), fail(26, 0.1)}, 20.5, 25.5},
	} {
		if got := nextRate(r, c.tried, aim); got < c.low || got > c.top {
			t.Errorf("%s: %v, want %v to %v", name, got, c.low, c.top)
		}
	}
	whole := media.SVTAV1(6)
	if got := nextRate(whole, []*attempt{pass(30, 0.03), fail(32, -0.03)}, aim); got != 31 {
		t.Errorf("between 30 and 32: %v", got)
	}
}

func TestTheEarliestDeadlineGoesNext(t *testing.T) {
	q := newTurns(1)
	now := time.Now()
	first, err := q.take(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	order := make(chan int, 3)
	for i, wait := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
		go func() {
			done, err := q.take(t.Context(), now.Add(wait))
			if err != nil {
				t.Error(err)
				return
			}
			order <- i
			done()
		}()
	}
	for { // until all three wait
		q.mu.Lock()
		n := len(q.waiting)
		q.mu.Unlock()
		if n == 3 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.take(ctx, now); err == nil {
		t.Error("a turn for who is gone")
	}
	first()
	first() // a second time changes nothing
	if got := []int{<-order, <-order, <-order}; !slices.Equal(got, []int{1, 2, 0}) {
		t.Errorf("order %v", got)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free != 1 || len(q.waiting) != 0 {
		t.Errorf("%d free, %d waiting", q.free, len(q.waiting))
	}
}

func TestProbesShrinkAndGrowTowardsTheGoal(t *testing.T) {
	b := newBudget(20 * time.Second)
	if b.size() != sizes[0] {
		t.Errorf("it begins with %+v", b.size())
	}
	for range 20 {
		b.took(time.Second)
	}
	if b.size() != sizes[len(sizes)-1] {
		t.Errorf("a quick machine gets %+v", b.size())
	}
	b.took(15 * time.Second)
	if b.size() != sizes[len(sizes)-1] {
		t.Errorf("what fits changes to %+v", b.size())
	}
	for range 20 {
		b.took(time.Minute)
	}
	if b.size() != sizes[0] {
		t.Errorf("a slow machine gets %+v", b.size())
	}
	for _, s := range sizes {
		if s.Seconds < 1 || s.Seconds > 2 || s.Width > 320 || s.Height > 180 {
			t.Errorf("a probe of %+v", s)
		}
	}
}

// TestASearchOnASlowMachineIsNotEmptyHanded lets every encode take so long.
func TestASearchOnASlowMachineIsNotEmptyHanded(t *testing.T) {
	p := shelfProbe(t, 95)
	defer p.close()
	for _, each := range []time.Duration{4 * time.Second, 8 * time.Second} {
		now := time.Now()
		s := &solver{
			tools: tools(t), job: p.job, source: p.source, rates: &rates{}, end: now.Add(27 * time.Second),
			now: func() time.Time { return now },
		}
		encodes := 0
		s.turn = func(context.Context) (func(), error) { encodes++; now = now.Add(each); return func() {}, nil }
		best, err := s.solve(t.Context(), StrategySearch)
		if err != nil {
			t.Errorf("%v an encode: %v", each, err)
			continue
		}
		t.Logf("%v an encode: after %d, %s, %d bytes, slack %.3f, %v left", each, encodes, best.recipe, best.counted, best.slack, s.end.Sub(now))
		if now.After(s.end) {
			t.Errorf("%v an encode: it is %v late", each, now.Sub(s.end))
		}
	}
}
