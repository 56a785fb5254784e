package video

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// baselineTries bounds the encodes of a baseline.
const baselineTries = 5

// baseline returns the bytes that x264 at its medium preset, tuned for the measure, needs
// to just hold the gate's quality. Tuned, because an untuned one would pay 7 to 12 % for
// a flag; interpolated to the exact target, because rate factors miss it by more than
// good encoders differ. rates remembers what was needed, for a better first guess.
func baseline(ctx context.Context, tools *media.Tools, job Job, source media.Input, rates *rates) (float64, error) {
	r := media.X264("medium", job.Gate.Measure)
	job.Codecs = []media.Codec{r.Codec}
	s := &solver{tools: tools, job: job, source: source, rates: rates, now: time.Now, end: time.Now().Add(judgeTime(job.Shape) + Deadline(job.Shape))}
	rate := rates.guess(r, job.Gate.Quality)
	var points []ratePoint
	below, above := false, false
	for len(points) < baselineTries {
		a, err := s.try(ctx, r, rate, job, source)
		if err != nil {
			return 0, err
		}
		points = append(points, a.point())
		below, above = below || a.slack <= 0, above || a.slack >= 0
		if below && above && len(points) > 1 || math.Abs(a.slack) < 0.002 {
			break
		}
		// A step too far on purpose: two points on both sides of the target are better
		// than two on one.
		next := r.Clamp(rate + 1.15*a.slack/r.Step + math.Copysign(0.4, a.slack))
		if next == rate {
			break // the end of the scale: what it gives is the baseline
		}
		rate = next
	}
	for _, p := range points {
		rates.learn(r, job.Gate.Quality, p)
	}
	return interpolate(points), nil
}

// ratePoint is an encode: its size, and how far above the gate it is.
type ratePoint struct {
	rate  float64
	bytes int64
	slack float64
}

// bytesPerSlack is by how much the logarithm of a size grows with a unit of slack, where
// it was not measured.
const bytesPerSlack = 1.8

// interpolate returns the size, in bytes, that an encoder would need for a slack of
// exactly 0, from encodes at several rates: log(size) is linear in slack between
// neighbours. There must be at least one point.
func interpolate(points []ratePoint) float64 {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b ratePoint) int {
		switch {
		case a.slack < b.slack:
			return -1
		case a.slack > b.slack:
			return 1
		}
		return 0
	})
	at, per := points[0], bytesPerSlack
	if len(points) > 1 {
		i := 1
		for i < len(points)-1 && points[i].slack < 0 {
			i++
		}
		a, b := points[i-1], points[i]
		at = a
		if math.Abs(b.slack) < math.Abs(a.slack) {
			at = b
		}
		if d := b.slack - a.slack; d > 1e-3 {
			per = (math.Log(float64(b.bytes)) - math.Log(float64(a.bytes))) / d
			per = min(4*bytesPerSlack, max(bytesPerSlack/4, per))
		}
	}
	return float64(at.bytes) * math.Exp(-per*at.slack)
}
