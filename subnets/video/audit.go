package video

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/lodenet/lode/subnets/video/media"
)

// lucky draws whether an answer is audited: always where it is as small as a probe, else
// so rarely that audits cost the same on average.
func lucky(s media.Shape) bool {
	mega := float64(s.Width) * float64(s.Height) * float64(s.Frames) / 1e6
	n, err := rand.Int(rand.Reader, big.NewInt(1<<20))
	return err == nil && float64(n.Int64())/(1<<20) < auditMegasamples/mega
}

// audit measures what was delivered to customers since the last time, and returns the
// scores by hotkey. What fails on our side is left out.
func (g *Gateway) audit(ctx context.Context, p Params) map[string][]float64 {
	g.mu.Lock()
	todo := g.audits
	g.audits = nil
	g.mu.Unlock()
	out := map[string][]float64{}
	for _, j := range todo {
		score, err := g.score(ctx, j, p)
		g.release(j)
		switch {
		case errors.Is(err, ErrAnswer):
			g.log.Info("a customer was given a bad answer", "hotkey", j.miner, "err", err)
			out[j.miner] = append(out[j.miner], 0)
		case err != nil:
			g.log.Warn("a customer's result can't be measured", "hotkey", j.miner, "err", err)
		default:
			out[j.miner] = append(out[j.miner], score)
		}
	}
	return out
}

func (g *Gateway) score(ctx context.Context, j *relayed, p Params) (float64, error) {
	source, err := media.Source(j.source, j.job.Source)
	if err != nil {
		return 0, err
	}
	// The source is checked first, by the baseline: a damaged one is not the miner's fault.
	base, err := baseline(ctx, g.tools, j.job, source, g.rates)
	if err != nil {
		return 0, fmt.Errorf("baseline: %v", err) // not wrapped: it is no verdict on the answer
	}
	judged, err := judge(ctx, g.tools, j.job, source, j.codec, j.answer)
	if err != nil {
		return 0, err
	}
	return judged.measured(base, p.Exponent).Score, nil
}
