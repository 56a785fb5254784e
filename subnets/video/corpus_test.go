package video

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lodenet/lode/subnets/video/media"
)

func TestTheDefaultClipIsRichEnough(t *testing.T) {
	for i := range 12 {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		line := ""
		for _, q := range []float64{95, 96.5, 98} {
			p := DefaultParams()
			p.MinQuality, p.MaxQuality = q, q
			pr, err := draw(t.Context(), tools(t), Generated{tools(t)}, p, sizes[i%4], rng)
			if err != nil {
				t.Fatal(err)
			}
			b, r, err := baseline(t.Context(), tools(t), pr.job, pr.source, media.X264("medium", media.SSIM).Start)
			if err != nil {
				t.Fatal(err)
			}
			pr.close()
			s := pr.job.Shape
			line += fmt.Sprintf("  %.3f (crf %.1f, src %.2f)", b*8/float64(s.Width*s.Height)/float64(s.Frames), r, float64(len(pr.bytes))*8/float64(s.Width*s.Height)/float64(s.Frames))
		}
		t.Log(sizes[i%4], line)
	}
}
