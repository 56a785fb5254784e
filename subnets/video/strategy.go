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

// Strategy is a way to look for the smallest answer that holds the gate. Nobody is asked
// which one he uses: it is the miner's own business.
type Strategy string

// The strategies that come with Lode. A miner who wants to earn more writes a better one.
const (
	// StrategyX264 is quick: x264, or a codec's quick preset where another is asked for.
	StrategyX264 Strategy = "x264"
	// StrategyX265 takes x265 at its medium preset, or another codec's.
	StrategyX265 Strategy = "x265"
	// StrategySearch tries the best encoders of all allowed codecs on a sample, then
	// takes the one that did best.
	StrategySearch Strategy = "search"
)

// Strategies are all of them.
func Strategies() []Strategy { return []Strategy{StrategyX264, StrategyX265, StrategySearch} }

// ParseStrategy reads a strategy's name.
func ParseStrategy(s string) (Strategy, error) {
	if slices.Contains(Strategies(), Strategy(s)) {
		return Strategy(s), nil
	}
	return "", fmt.Errorf("strategy %q is not one of x264, x265, search", s)
}

// recipes returns what a strategy tries on a job, its favourite first. A job that names
// one codec gets that codec.
func (s Strategy) recipes(job Job, tools *media.Tools) []media.Recipe {
	m := job.Gate.Measure
	var all []media.Recipe
	switch s {
	case StrategyX264:
		all = []media.Recipe{media.X264("fast", m), media.SVTAV1(10), media.AOM(8, m), media.X265("veryfast", m)}
	case StrategyX265:
		all = []media.Recipe{media.X265("medium", m), media.SVTAV1(8), media.AOM(7, m), media.X264("medium", m)}
	case StrategySearch:
		all = []media.Recipe{media.AOM(5, m), media.SVTAV1(6), media.X265("slow", m), media.X264("slower", m)}
	}
	var out []media.Recipe
	for _, r := range all {
		if job.allows(r.Codec) && tools.HasEncoder(r.Encoder) {
			out = append(out, r)
		}
	}
	if s != StrategySearch && len(out) > 1 {
		out = out[:1]
	}
	return out
}

// ErrUnreachable says that an encoder can't hold the gate at any rate.
var ErrUnreachable = errors.New("the quality can't be reached")

// solver finds answers to one job.
type solver struct {
	tools  *media.Tools
	job    Job
	source media.Input
	// turn gives the machine to one encode at a time; nil: no limit. Its result ends the
	// turn.
	turn func(ctx context.Context) (func(), error)
	now  func() time.Time
	// end is when the answer must be there.
	end time.Time
	// slowest is the longest encode of the whole source so far.
	slowest time.Duration
}

// attempt is an encode with what was measured of it.
type attempt struct {
	recipe  media.Recipe
	rate    float64
	raw     []byte
	judged  *Judged
	slack   float64
	counted int64
}

// try encodes the job's source, or a sample of it, at a rate and measures the result.
func (s *solver) try(ctx context.Context, r media.Recipe, rate float64, job Job, source media.Input) (*attempt, error) {
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
	began := s.now()
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
	return &attempt{recipe: r, rate: rate, raw: raw, judged: j, slack: job.Gate.slack(j.Quality), counted: j.Stream.Counted}, nil
}

const (
	// closeEnough is a slack under which looking further saves less than 1 % of bytes.
	closeEnough = 0.006
	// aim is the slack that interpolation goes for, so that it lands above the gate.
	aim = 0.002
	// slope is how much slack one step of a rate factor costs, before it was measured.
	slope = 0.027
	// maxTries bounds the encodes of one search.
	maxTries = 6
)

// fit looks for the highest rate factor that holds the gate, from a first guess on:
// quality on the scale of distance is about linear in the rate factor, so two to four
// encodes do. tries bounds them.
func (s *solver) fit(ctx context.Context, r media.Recipe, guess float64, tries int, job Job, source media.Input) (best *attempt, tried []*attempt, err error) {
	rate := r.Clamp(guess)
	var low, high *attempt // the closest that pass and that fail
	for len(tried) < tries {
		a, err := s.try(ctx, r, rate, job, source)
		if err != nil {
			if best != nil {
				return best, tried, nil // late, but not empty-handed
			}
			return nil, tried, err
		}
		tried = append(tried, a)
		if a.slack >= 0 {
			if best == nil || a.counted < best.counted {
				best = a
			}
			if low == nil || a.rate > low.rate {
				low = a
			}
		} else if high == nil || a.rate < high.rate {
			high = a
		}
		if best != nil && (best.slack < closeEnough || s.now().Add(s.slowest*3/2).After(s.end)) {
			break
		}
		next := s.next(r, tried, low, high)
		if slices.ContainsFunc(tried, func(t *attempt) bool { return math.Abs(t.rate-next) < 0.01 }) {
			break
		}
		rate = next
	}
	if best == nil {
		worst := tried[len(tried)-1]
		return nil, tried, fmt.Errorf("%w with %s: rate factor %.2f misses by %.3f: %w", ErrUnreachable, r, worst.rate, -worst.slack, worst.judged.Gate)
	}
	return best, tried, nil
}

// next returns the rate to try.
func (s *solver) next(r media.Recipe, tried []*attempt, low, high *attempt) float64 {
	last := tried[len(tried)-1]
	var next float64
	switch {
	case low != nil && high != nil && low.slack-high.slack > 1e-6:
		part := (low.slack - aim) / (low.slack - high.slack)
		next = low.rate + (high.rate-low.rate)*min(0.95, max(0.05, part))
	case len(tried) > 1:
		// Both on one side: go on along the line through the last two, a little further.
		prev := tried[len(tried)-2]
		per := slope
		if d := last.rate - prev.rate; math.Abs(d) > 0.01 {
			per = max(slope/4, (prev.slack-last.slack)/d)
		}
		next = last.rate + 1.1*(last.slack-aim)/per
	default:
		next = last.rate + (last.slack-aim)/slope
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
	guesses := []guess{{recipe: recipes[0], rate: recipes[0].Start}}
	if len(recipes) > 1 {
		var err error
		if guesses, err = s.sample(ctx, recipes); err != nil {
			return nil, err
		}
	}
	var errs error
	for _, g := range guesses {
		best, _, err := s.fit(ctx, g.recipe, g.rate, maxTries, s.job, s.source)
		if err == nil {
			return best, nil
		}
		errs = errors.Join(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errs
}

// guess is a recipe with the rate that should just hold the gate.
type guess struct {
	recipe media.Recipe
	rate   float64
	bytes  float64 // that a sample would need
}

// sampleFrames returns how many frames are enough to tell encoders apart.
func sampleFrames(frames int64) int64 { return min(frames, max(12, frames/4)) }

// sample tries all recipes on some frames from the middle and returns them, the one that
// needs the fewest bytes first.
func (s *solver) sample(ctx context.Context, recipes []media.Recipe) ([]guess, error) {
	job, source := s.job, s.source
	if n := sampleFrames(job.Shape.Frames); n < job.Shape.Frames {
		source.First, source.Count = (job.Shape.Frames-n)/2, n
		job.Shape.Frames = n
	}
	var out []guess
	var errs error
	for _, r := range recipes {
		_, tried, err := s.fit(ctx, r, r.Start, 2, job, source)
		if len(tried) == 0 {
			errs = errors.Join(errs, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		var points []ratePoint
		for _, a := range tried {
			points = append(points, ratePoint{rate: a.rate, bytes: a.counted, quality: a.judged.Quality.Mean})
		}
		g := guess{recipe: r, bytes: interpolate(job.Gate.Quality, points)}
		var low, high *attempt
		for _, a := range tried {
			if a.slack >= 0 {
				low = a
			} else {
				high = a
			}
		}
		g.rate = s.next(r, tried, low, high)
		out = append(out, g)
	}
	if len(out) == 0 {
		return nil, errs
	}
	slices.SortStableFunc(out, func(a, b guess) int { return cmp.Compare(a.bytes, b.bytes) })
	return out, nil
}
