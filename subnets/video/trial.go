package video

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// Trial is what a strategy made of a default clip.
type Trial struct {
	Job      Job
	Source   int64   // bytes
	Baseline float64 // bytes
	Bytes    int64   // counted
	Codec    media.Codec
	Quality  Quality
	Score    float64
	Took     time.Duration // of the strategy alone
}

// Saved is the share of the baseline's bytes that the strategy saved; negative if it
// needed more.
func (t Trial) Saved() float64 { return 1 - float64(t.Bytes)/t.Baseline }

// Try lets a strategy compress a default clip, as a round would ask for it, without a
// network and without a deadline. Equal seeds give equal clips.
func Try(ctx context.Context, tools *Tools, s Strategy, size ProbeSize, quality float64, seed uint64) (t Trial, err error) {
	p := DefaultParams()
	p.MinQuality, p.MaxQuality, p.OneCodec = quality, quality, 0
	if err := p.check(); err != nil {
		return t, err
	}
	pr, err := draw(ctx, tools, Generated{Tools: tools}, p, size, rand.New(rand.NewPCG(seed, 0)))
	if err != nil {
		return t, err
	}
	defer func() {
		if e := pr.close(); err == nil {
			err = e
		}
	}()
	t = Trial{Job: pr.job, Source: int64(len(pr.bytes))}
	var known rates
	if t.Baseline, err = baseline(ctx, tools, pr.job, pr.source, &known); err != nil {
		return t, fmt.Errorf("baseline: %w", err)
	}
	began := time.Now()
	sv := &solver{tools: tools, job: pr.job, source: pr.source, rates: &rates{}, now: time.Now, end: began.Add(10 * time.Minute)}
	best, err := sv.solve(ctx, s)
	if err != nil {
		return t, err
	}
	t.Took = time.Since(began)
	t.Bytes, t.Codec, t.Quality = best.counted, best.recipe.Codec, best.judged.Quality
	t.Score = Score(t.Baseline, t.Bytes, p.Exponent)
	return t, nil
}
