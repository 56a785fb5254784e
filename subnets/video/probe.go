package video

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/lodenet/lode/subnets/video/media"
)

// probe is a job whose answers are measured, with its source.
type probe struct {
	job    Job
	source media.Input
	bytes  []byte
	dir    string
}

func (p *probe) close() error { return os.RemoveAll(p.dir) }

// dullest is the least size of a window at its rate factor, in bits per sample of luma.
// What is below (a black bar, a still title) tells nobody's encoder from another's.
const dullest = 0.15

// drawTries bounds the windows that are looked at for one that isn't dull.
const drawTries = 8

// draw makes a probe. All that is random in it comes from rng.
func draw(ctx context.Context, tools *media.Tools, corpus Corpus, p Params, size ProbeSize, rng *rand.Rand) (*probe, error) {
	dir, err := os.MkdirTemp("", "lode-probe-")
	if err != nil {
		return nil, err
	}
	pr := &probe{dir: dir}
	if err := pr.draw(ctx, tools, corpus, p, size, rng); err != nil {
		return nil, errors.Join(err, pr.close())
	}
	return pr, nil
}

func (pr *probe) draw(ctx context.Context, tools *media.Tools, corpus Corpus, p Params, size ProbeSize, rng *rand.Rand) error {
	path := filepath.Join(pr.dir, "source.mkv")
	var err error
	if pr.source, err = media.Source(path, "h264"); err != nil {
		return err
	}
	var shape media.Shape
	for try := 1; ; try++ {
		if err := corpus.Draw(ctx, rng, size, path); err != nil {
			return fmt.Errorf("draw a window: %w", err)
		}
		if pr.bytes, err = os.ReadFile(path); err != nil {
			return err
		}
		info, err := tools.Inspect(ctx, path)
		if err != nil {
			return fmt.Errorf("read the window: %w", err)
		}
		shape = info.Shape
		samples := int64(shape.Width) * int64(shape.Height)
		scan, err := tools.Scan(ctx, pr.source, shape, media.MaxFrames, media.LimitsFor(samples, media.MaxFrames, drawTime))
		if err != nil {
			return fmt.Errorf("read the window: %w", err)
		}
		shape = scan.Shape
		if bits := float64(len(pr.bytes)) * 8 / float64(samples*shape.Frames); bits >= dullest && shape.Frames >= 8 {
			break
		}
		if try == drawTries {
			return fmt.Errorf("%w: of %d windows none had enough going on; use other clips", ErrCorpus, try)
		}
	}
	codecs := p.Codecs
	if rng.Float64() < p.OneCodec {
		i := rng.IntN(len(codecs))
		codecs = codecs[i : i+1]
	}
	pr.job = Job{
		Version: Version, Codecs: codecs, Source: "h264", Shape: shape,
		Gate:       p.Gate(target(p, rng)),
		DeadlineMS: Deadline(shape).Milliseconds(),
	}
	return pr.job.Check()
}

// targetStep is between the targets that are drawn: people ask for round numbers.
const targetStep = 0.5

func target(p Params, rng *rand.Rand) float64 {
	n := int((p.MaxQuality - p.MinQuality) / targetStep)
	return p.MinQuality + targetStep*float64(rng.IntN(n+1))
}
