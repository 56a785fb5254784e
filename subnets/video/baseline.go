package video

import (
	"context"
	"math"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// baselineTries bounds the encodes of a baseline.
const baselineTries = 5

// baseline returns the bytes that x264 at its medium preset, tuned for the measure, needs
// for exactly the target's mean quality. Tuned, because an untuned one would pay 7 to 12 %
// for a flag; at the exact target, because rate factors miss it by more than good
// encoders differ. guess is the rate factor to begin with; the one that would hit the
// target comes back for next time.
func baseline(ctx context.Context, tools *media.Tools, job Job, source media.Input, guess float64) (bytes, rate float64, err error) {
	r := media.X264("medium", job.Gate.Measure)
	job.Codecs = []media.Codec{r.Codec}
	s := &solver{tools: tools, job: job, source: source, now: time.Now, end: time.Now().Add(judgeTime(job.Shape) + Deadline(job.Shape))}
	target := distance(job.Gate.Quality)
	rate = r.Clamp(guess)
	var points []ratePoint
	below, above := false, false
	for len(points) < baselineTries {
		a, err := s.try(ctx, r, rate, job, source)
		if err != nil {
			return 0, 0, err
		}
		q := a.judged.Quality.Mean
		points = append(points, ratePoint{rate: rate, bytes: a.counted, quality: q})
		off := distance(q) - target
		below, above = below || off <= 0, above || off >= 0
		if below && above && len(points) > 1 || math.Abs(off) < 0.002 {
			break
		}
		// A step too far on purpose: two points on both sides of the target are better
		// than two on one.
		next := r.Clamp(rate + 1.15*off/slope + math.Copysign(0.4, off))
		if next == rate {
			break // the end of the scale: what it gives is the baseline
		}
		rate = next
	}
	rate = rateFor(target, points)
	return interpolate(job.Gate.Quality, points), rate, nil
}

// rateFor returns the rate factor that hits a target, from encodes at others.
func rateFor(target float64, points []ratePoint) float64 {
	last := points[len(points)-1]
	if len(points) < 2 {
		return last.rate
	}
	prev := points[len(points)-2]
	dx := distance(last.quality) - distance(prev.quality)
	if math.Abs(dx) < 1e-6 {
		return last.rate
	}
	return last.rate + (last.rate-prev.rate)*(target-distance(last.quality))/dx
}
