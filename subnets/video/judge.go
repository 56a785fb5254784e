package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// ErrAnswer says that an answer is no valid video of the job's kind. What it wraps says
// why.
var ErrAnswer = errors.New("bad answer")

// Judged is an answer after everything was computed from its bytes.
type Judged struct {
	Stream  *media.Stream
	Quality Quality
	// Gate is nil if the answer passes, else why not.
	Gate       error
	Comparison *media.Comparison
}

// judgeTime bounds decoding and comparing a job's frames.
func judgeTime(s media.Shape) time.Duration {
	return 30*time.Second + Deadline(s)/4
}

// judge computes everything that there is to know of an answer from its bytes. Nothing
// that its sender said is used but the codec, which must be one of the job's. An error
// that is [ErrAnswer] is the sender's fault; any other is our own.
func judge(ctx context.Context, tools *media.Tools, job Job, source media.Input, c media.Codec, answer []byte) (*Judged, error) {
	if !job.allows(c) {
		return nil, fmt.Errorf("%w: codec %q is not one of %v", ErrAnswer, string(c), job.Codecs)
	}
	stream, err := media.Strip(c, answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	dir, err := os.MkdirTemp("", "lode-judge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "answer")
	if err := os.WriteFile(path, stream.Bytes, 0o600); err != nil {
		return nil, err
	}
	pixels := int64(job.Shape.Width) * int64(job.Shape.Height)
	limits := media.LimitsFor(pixels, job.Shape.Frames, judgeTime(job.Shape))
	cmp, err := tools.Compare(ctx, job.Gate.Measure, media.Elementary(path, c), source, job.Shape, limits)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var child *media.Error
		if errors.Is(err, media.ErrShape) || errors.As(err, &child) {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		return nil, err
	}
	j := &Judged{Stream: stream, Quality: Summarize(cmp.Frames), Comparison: cmp}
	j.Gate = job.Gate.Pass(j.Quality)
	return j, nil
}

// fits says whether an answer holds its job's gate and can be joined with those to other
// segments: an error says why not.
func (j *Judged) fits(job Job) error {
	if j.Gate != nil {
		return j.Gate
	}
	// One profile for all, so that one decoder plays the whole.
	if want := profile(j.Stream.Codec, job.Shape); j.Stream.Profile != want {
		return fmt.Errorf("%w: profile %d of %s, not %d as all segments", ErrAnswer, j.Stream.Profile, j.Stream.Codec, want)
	}
	if _, err := j.Stream.Units(j.Comparison.Positions); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// measured is what scores are made of.
func (j *Judged) measured(baseline, k float64) Measured {
	m := Measured{Codec: j.Stream.Codec, Bytes: j.Stream.Counted, Hash: j.Comparison.Hash}
	for _, f := range j.Comparison.Frames {
		m.Curve = append(m.Curve, f.Luma)
	}
	if j.Gate == nil {
		m.Score = Score(baseline, m.Bytes, k)
	}
	return m
}
