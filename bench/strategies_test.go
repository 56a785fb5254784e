package bench_test

import (
	"fmt"
	"testing"

	"github.com/lodenet/lode/subnets/video"
)

// BenchmarkStrategies compresses default clips with each strategy, at equal quality, and
// reports what it saves against the baseline (x264 medium, tuned, at the exact target).
func BenchmarkStrategies(b *testing.B) {
	tools, err := video.FindTools(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, quality := range []float64{94, 96, 98} {
		for _, s := range video.Strategies() {
			b.Run(fmt.Sprintf("%s/quality=%g", s, quality), func(b *testing.B) {
				saved, score, bytes := 0.0, 0.0, 0.0
				for i := range b.N {
					t, err := video.Try(b.Context(), tools, s, video.ProbeSize{Width: 192, Height: 108, Seconds: 1}, quality, uint64(i))
					if err != nil {
						b.Fatal(err)
					}
					saved += t.Saved()
					score += t.Score
					bytes += float64(t.Bytes)
				}
				n := float64(b.N)
				b.ReportMetric(100*saved/n, "%saved")
				b.ReportMetric(score/n, "score")
				b.ReportMetric(bytes/n, "bytes")
			})
		}
	}
}
