package video

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// ErrUnreachable says that an encoder can't hold the gate at any rate.
var ErrUnreachable = errors.New("the quality can't be reached")

// solver finds answers to one job.
type solver struct {
	tools  *media.Tools
	job    Job
	source media.Input
	rates  *rates
	// turn gives the machine to one encode at a time; nil: no limit. Its result ends the
	// turn.
	turn func(ctx context.Context) (func(), error)
	now  func() time.Time
	// end is when the answer must be there.
	end time.Time
	// slowest is the longest that an encode of the whole source took so far.
	slowest time.Duration
}

// attempt is an encode with what was measured of it.
type attempt struct {
	recipe  media.Recipe
	rate    float64
	judged  *Judged
	slack   float64
	counted int64
}

// passes says whether the attempt holds the whole gate.
func (a *attempt) passes() bool { return a.judged.Gate == nil }

func (a *attempt) point() ratePoint {
	return ratePoint{rate: a.rate, bytes: a.counted, slack: a.slack}
}

// try encodes the job's source, or a sample of it, at a rate and measures the result.
func (s *solver) try(ctx context.Context, r media.Recipe, rate float64, job Job, source media.Input) (*attempt, error) {
	began := s.now() // waiting for a turn is part of it
	if s.turn != nil {
		done, err := s.turn(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	left := s.end.Sub(s.now())
	if left <= 0 {
		return nil, context.DeadlineExceeded
	}
	pixels := int64(job.Shape.Width) * int64(job.Shape.Height)
	raw, err := s.tools.Encode(ctx, r, rate, source, job.Shape, media.LimitsFor(pixels, job.Shape.Frames, left))
	if err != nil {
		return nil, err
	}
	j, err := judge(ctx, s.tools, job, source, r.Codec, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	if job.Shape.Frames == s.job.Shape.Frames {
		s.slowest = max(s.slowest, s.now().Sub(began))
	}
	return &attempt{recipe: r, rate: rate, judged: j, slack: job.Gate.slack(j.Quality), counted: j.Stream.Counted}, nil
}

const (
	// closeEnough is a slack under which looking further saves less than 1 % of bytes.
	closeEnough = 0.006
	// aim is the slack that interpolation goes for, so that it lands above the gate.
	aim = 0.002
	// toneStep is the slack to add where the quality is enough but the tone is not.
	toneStep = 0.04
	// safe is the slack to aim for when there is time for one more encode only.
	safe = 0.05
	// maxTries bounds the encodes of one search; tryHarder where none has passed yet.
	maxTries  = 6
	tryHarder = 9
)

// errLate says that a search was given up in time to do something quicker.
var errLate = errors.New("there is no time for another encode")

// fit looks for the highest rate factor that holds the gate, from a first guess on:
// quality on the scale of distance is about linear in the rate factor, so two to four
// encodes do. It gives up with errLate when only the time reserve would be left.
func (s *solver) fit(ctx context.Context, r media.Recipe, guess float64, reserve time.Duration) (*attempt, error) {
	rate := r.Clamp(guess)
	var best *attempt
	var tried []*attempt
	for len(tried) < maxTries || best == nil && len(tried) < tryHarder {
		if best == nil && len(tried) > 0 && reserve > 0 && s.now().Add(s.slowest+reserve).After(s.end) {
			return nil, fmt.Errorf("%s: %w", r, errLate)
		}
		a, err := s.tryWithin(ctx, r, rate, best != nil, reserve)
		if err != nil {
			if best != nil {
				break // late, but not empty-handed
			}
			return nil, err
		}
		tried = append(tried, a)
		s.rates.learn(r, s.job.Gate.Quality, a.point())
		if a.passes() && (best == nil || a.counted < best.counted) {
			best = a
		}
		if best != nil && (best.slack < closeEnough || s.now().Add(s.slowest*3/2).After(s.end)) {
			break
		}
		next := nextRate(r, tried, aim)
		if best == nil && s.now().Add(s.slowest*5/2).After(s.end) {
			next = nextRate(r, tried, safe)
		}
		if slices.ContainsFunc(tried, func(t *attempt) bool { return math.Abs(t.rate-next) < 0.01 }) {
			break
		}
		rate = next
	}
	if best == nil {
		worst := tried[len(tried)-1]
		return nil, fmt.Errorf("%w with %s: at rate factor %.2f: %w", ErrUnreachable, r, worst.rate, worst.judged.Gate)
	}
	return best, nil
}

// tryWithin is try on the whole source. Until something has passed, an encode that
// takes longer than it should must not take the reserve's time: it ends with errLate.
func (s *solver) tryWithin(ctx context.Context, r media.Recipe, rate float64, passed bool, reserve time.Duration) (*attempt, error) {
	if passed || reserve == 0 {
		return s.try(ctx, r, rate, s.job, s.source)
	}
	within, cancel := context.WithTimeout(ctx, s.end.Sub(s.now())-2*reserve)
	defer cancel()
	a, err := s.try(within, r, rate, s.job, s.source)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%s: %w", r, errLate)
	}
	return a, err
}

// nextRate returns the rate to try, from those that were, to come out at a slack of aim.
func nextRate(r media.Recipe, tried []*attempt, aim float64) float64 {
	var low, high *attempt // the closest that pass and that fail
	for _, a := range tried {
		if a.passes() {
			if low == nil || a.rate > low.rate {
				low = a
			}
		} else if high == nil || a.rate < high.rate {
			high = a
		}
	}
	last := tried[len(tried)-1]
	slack := last.slack
	if slack >= 0 && !last.passes() {
		slack = -toneStep
	}
	var next float64
	switch {
	case low != nil && high != nil && low.slack-high.slack > 1e-6 && high.slack < 0:
		part := (low.slack - aim) / (low.slack - high.slack)
		next = low.rate + (high.rate-low.rate)*min(0.95, max(0.05, part))
	case low != nil && high != nil:
		next = (low.rate + high.rate) / 2
	case len(tried) > 1 && slack == last.slack:
		// Both on one side: go on along the line through the last two, a little further.
		prev := tried[len(tried)-2]
		per := r.Step
		if d := last.rate - prev.rate; math.Abs(d) > 0.01 {
			per = min(3*r.Step, max(r.Step/3, (prev.slack-last.slack)/d))
		}
		// Where that has not been enough yet, ever further.
		next = last.rate + (1.1+0.4*float64(len(tried)-2))*(slack-aim)/per
	default:
		next = last.rate + (slack-aim)/r.Step
	}
	if r.Whole {
		next = math.Floor(next)
		if low != nil && next <= low.rate {
			next = low.rate + 1
		}
		if high != nil && next >= high.rate {
			next = high.rate - 1
		}
	}
	return r.Clamp(next)
}

// solve returns the smallest answer that the strategy finds.
func (s *solver) solve(ctx context.Context, strategy Strategy) (*attempt, error) {
	recipes := strategy.recipes(s.job, s.tools)
	if len(recipes) == 0 {
		return nil, fmt.Errorf("no encoder for %v: ffmpeg %s has none of them", s.job.Codecs, s.tools.Version())
	}
	guesses := []guess{{recipe: recipes[0], rate: s.rates.guess(recipes[0], s.job.Gate.Quality)}}
	if len(recipes) > 1 {
		var err error
		if guesses, err = s.sample(ctx, recipes); err != nil {
			return nil, err
		}
	}
	var best *attempt
	var errs error
	// Time is kept for one encode with the quickest of them, should the best be too slow.
	quick := slices.MinFunc(guesses, func(a, b guess) int { return cmp.Compare(a.full, b.full) })
	for _, g := range guesses {
		if best != nil && !s.worthwhile(best, guesses[0], g) {
			break
		}
		reserve := quick.full
		if g.recipe == quick.recipe {
			reserve = 0
		}
		found, err := s.fit(ctx, g.recipe, g.rate, reserve)
		if err == nil && (best == nil || found.counted < best.counted) {
			best = found
		}
		errs = errors.Join(errs, err)
		if ctx.Err() != nil || errors.Is(err, errLate) {
			break
		}
	}
	if best == nil && errors.Is(errs, errLate) {
		a, err := s.try(ctx, quick.recipe, quick.recipe.Clamp(quick.rate-safe/quick.recipe.Step), s.job, s.source)
		if err == nil && a.passes() {
			best = a
		}
		errs = errors.Join(errs, err)
	}
	if best == nil {
		return nil, errs
	}
	return best, nil
}

// worthwhile says whether another recipe may beat what was found: it was as good on the
// sample, the winner lost by rounding to a whole rate, and there is time.
func (s *solver) worthwhile(best *attempt, first, g guess) bool {
	return best.slack > 2*closeEnough && g.bytes < first.bytes*math.Exp(bytesPerSlack*best.slack/2) &&
		s.now().Add(fits*g.full).Before(s.end)
}

// guess is a recipe with the rate that should just hold the gate.
type guess struct {
	recipe media.Recipe
	rate   float64
	bytes  float64       // that a sample would need
	full   time.Duration // that an encode of the whole source should take
}

// sampleFrames returns how many frames are enough to tell encoders apart.
func sampleFrames(frames int64) int64 { return min(frames, max(12, frames/4)) }

const (
	// farOff is a slack from which on a sample says too little, and is taken again.
	farOff = 0.15
	// sampling is the share of the time until the deadline that samples may take.
	sampling = 0.4
	// fits is how many encodes of the whole source should still fit afterwards.
	fits = 3
)

// sample tries recipes on some frames from the middle and returns them, the one that
// should need the fewest bytes first. On a machine that is too slow for all of them it
// leaves out the last ones, and puts those that would come too late behind.
func (s *solver) sample(ctx context.Context, recipes []media.Recipe) ([]guess, error) {
	job, source := s.job, s.source
	n := sampleFrames(job.Shape.Frames)
	if n < job.Shape.Frames {
		source.First, source.Count = (job.Shape.Frames-n)/2, n
		job.Shape.Frames = n
	}
	began := s.now()
	enough := began.Add(time.Duration(sampling * float64(s.end.Sub(began))))
	var out []guess
	var errs error
	for _, r := range recipes {
		if len(out) > 0 && s.now().After(enough) {
			break
		}
		start := s.now()
		a, err := s.try(ctx, r, s.rates.guess(r, job.Gate.Quality), job, source)
		took := s.now().Sub(start)
		if err == nil && math.Abs(a.slack) > farOff {
			var again *attempt
			if again, err = s.try(ctx, r, nextRate(r, []*attempt{a}, aim), job, source); err == nil {
				a = again
			}
		}
		if err != nil {
			errs = errors.Join(errs, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		g := guess{recipe: r, rate: nextRate(r, []*attempt{a}, aim), bytes: interpolate([]ratePoint{a.point()})}
		if r.Whole {
			g.bytes *= math.Exp(bytesPerSlack * r.Step / 2) // what rounding to whole rates costs
		}
		g.full = time.Duration(float64(took) * float64(s.job.Shape.Frames) / float64(n))
		out = append(out, g)
	}
	if len(out) == 0 {
		return nil, errs
	}
	left := s.end.Sub(s.now())
	late := func(g guess) int {
		if fits*g.full > left {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b guess) int {
		return cmp.Or(cmp.Compare(late(a), late(b)), cmp.Compare(a.bytes, b.bytes))
	})
	if late(out[0]) == 1 { // all of them: then the quickest
		slices.SortStableFunc(out, func(a, b guess) int { return cmp.Compare(a.full, b.full) })
	}
	return out, nil
}
