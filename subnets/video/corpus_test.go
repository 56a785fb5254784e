package video

import (
	"math/rand/v2"
	"testing"
)

// TestTheDefaultClipIsRichEnough: a clip of little but noise-free gradients would be
// coded in a handful of bytes by anyone, and the scores would be about overhead.
func TestTheDefaultClipIsRichEnough(t *testing.T) {
	tl := tools(t)
	p := DefaultParams()
	var known rates
	for i, size := range []ProbeSize{sizes[0], sizes[1], sizes[2], sizes[3]} {
		// The lowest target is the one that takes the fewest bits.
		p.MaxQuality = p.MinQuality
		rng := rand.New(rand.NewPCG(uint64(i), 4))
		pr, err := draw(t.Context(), tl, Generated{tl}, p, size, rng)
		if err != nil {
			t.Fatal(err)
		}
		b, err := baseline(t.Context(), tl, pr.job, pr.source, &known)
		if err != nil {
			t.Fatal(err)
		}
		if err := pr.close(); err != nil {
			t.Error(err)
		}
		s := pr.job.Shape
		bits := b * 8 / float64(s.Width*s.Height) / float64(s.Frames)
		t.Logf("%s at quality %.1f: %.3f bit per pixel as x264", s, pr.job.Gate.Quality, bits)
		if bits < 0.1 {
			t.Errorf("%s: %.3f bit per pixel as x264 at the target, want at least 0.1", s, bits)
		}
	}
}
