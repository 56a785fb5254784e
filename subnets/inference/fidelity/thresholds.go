package fidelity

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Thresholds are upper bounds of what honest engines do with one model.
type Thresholds struct {
	Digest string `json:"digest"` // of the model
	// Flag is the margin over which a token is flagged, in logits, and Flagged the share
	// of honest tokens over it.
	Flag    float64 `json:"flag"`
	Flagged float64 `json:"flagged"`
	// MeanMargin is the mean of honest margins, each cut off at Flag.
	MeanMargin float64 `json:"mean_margin"`
	// LogProb is the mean difference of honest log-probabilities, each cut off at
	// LogProbClip, and LogProbSpread the root of their mean square.
	LogProb       float64 `json:"logprob"`
	LogProbSpread float64 `json:"logprob_spread"`
	LogProbClip   float64 `json:"logprob_clip"`

	// Measured says what the bounds were measured on; nil: they were not, and only coarse
	// cheats are seen.
	Measured *Measured `json:"measured,omitempty"`
}

// Measured is a calibration.
type Measured struct {
	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	Backend string    `json:"backend"`
	Shapes  []string  `json:"shapes"` // who answered whom: CPU variants, threads, batches
	Tokens  int       `json:"tokens"`
	// What was seen, before any safety.
	MaxMargin  float64 `json:"max_margin"`
	MeanMargin float64 `json:"mean_margin"`
	MatchRate  float64 `json:"match_rate"`
	LogProb    float64 `json:"logprob"`
}

// Default returns the bounds of a model that was not calibrated here. Another seed,
// temperature or prompt is seen with them, a model at fewer bits may not be.
func Default(digest string) Thresholds {
	return Thresholds{Digest: digest, Flag: 0.3, Flagged: 0.002, MeanMargin: 0.002, LogProb: 0.03, LogProbSpread: 0.06, LogProbClip: 0.3}
}

// Check refuses what can't be thresholds.
func (t Thresholds) Check() error {
	for _, v := range []struct {
		name        string
		value, most float64
	}{
		{"flag", t.Flag, engine.MaxMargin}, {"flagged", t.Flagged, 0.2}, {"mean_margin", t.MeanMargin, t.Flag},
		{"logprob_clip", t.LogProbClip, 10}, {"logprob_spread", t.LogProbSpread, t.LogProbClip}, {"logprob", t.LogProb, t.LogProbSpread},
	} {
		if !(v.value > 0 && v.value <= v.most) {
			return fmt.Errorf("thresholds: %s is %v, it must be above 0 and at most %v", v.name, v.value, v.most)
		}
	}
	return nil
}

const (
	// Safety is by how much more than on the machine that measured honest engines may differ
	// elsewhere.
	Safety = 3.0
	// LeastTokens are those that a calibration needs.
	LeastTokens = 1000
	// rare is the share of honest tokens by whose margin the flag is set.
	rare = 1e-3
	// most that Flag may be, in logits: engines that differ by more are not one model.
	mostFlag = 1.0
	// leastFlag and leastMean keep a model without any noise from being judged by nothing.
	leastFlag = 0.02
	leastMean = 1e-4
	// clips is how many times the mean a difference of log-probabilities counts at most.
	clips = 10
)

// Calibrate turns the tokens of honest answers into thresholds that hold on machines whose
// arithmetic errs [Safety] times as much:
//
//   - Flag is Safety times the margin that a thousandth of the tokens exceed, at least 0.02.
//     The largest margin says less: there is one in some ten thousand tokens that is many
//     times the others, and a flag above it would miss most of what a cheaper model does.
//   - Flagged is the share over that margin, a thousandth, with what chance may have hidden:
//     of k such tokens in n, (k + 3√k + 3)/n.
//   - MeanMargin is Safety times the mean of the margins, each cut off at Flag, and what
//     Flagged tokens would add to it.
//   - LogProb and LogProbSpread are Safety times those of the differences, each cut off at
//     ten times Safety times the mean.
func Calibrate(digest string, honest []Token) (Thresholds, error) {
	n := len(honest)
	if n < LeastTokens {
		return Thresholds{}, fmt.Errorf("%d tokens are too few to calibrate by: at least %d", n, LeastTokens)
	}
	var diff float64
	margins := make([]float64, n)
	for i, t := range honest {
		margins[i] = t.Margin
		diff += min(t.diff(), engine.MaxMargin)
	}
	slices.Sort(margins)
	k := int(math.Ceil(rare * float64(n)))
	border := margins[n-1-k]
	if Safety*border > mostFlag {
		return Thresholds{}, fmt.Errorf("the engine disagrees with itself: one in a thousand tokens by more than %.2g. It can't be calibrated: is the model's file whole, and its backend sound?", border)
	}
	t := Thresholds{Digest: digest, Flag: max(leastFlag, Safety*border), Flagged: (float64(k) + 3*math.Sqrt(float64(k)) + 3) / float64(n)}
	t.LogProbClip = max(clips*leastMean, Safety*clips*diff/float64(n))
	clipped, square, small := 0.0, 0.0, 0.0
	for _, h := range honest {
		d := min(h.diff(), t.LogProbClip)
		clipped += d
		square += d * d
		small += min(h.Margin, t.Flag)
	}
	t.MeanMargin = max(leastMean, Safety*small/float64(n)) + t.Flag*t.Flagged
	t.LogProbSpread = min(t.LogProbClip, max(leastMean, Safety*math.Sqrt(square/float64(n))))
	t.LogProb = min(t.LogProbSpread, max(leastMean, Safety*clipped/float64(n)))
	v := sum(honest, t)
	t.Measured = &Measured{Tokens: n, MaxMargin: v.MaxMargin, MeanMargin: v.MeanMargin, MatchRate: v.MatchRate, LogProb: v.MeanAbsLogProb}
	return t, t.Check()
}

// Token is one of an answer, as validator and miner see it.
type Token struct {
	Margin   float64 // in logits, from 0 to [engine.MaxMargin]
	LogProb  float64 // the validator's
	Reported float64 // the miner's
}

// diff is by how much the log-probabilities differ.
func (t Token) diff() float64 {
	d := math.Abs(t.LogProb - t.Reported)
	if math.IsNaN(d) {
		return math.MaxFloat64
	}
	return min(d, math.MaxFloat64)
}

// Tokens joins the scores of an answer with what the miner told of it ([Answer.Told]); what
// it left out counts as a probability of 0, but for the token that ends an answer, of which
// none is told. Margins become those of logits: at a low temperature the
// sampler's own would magnify rounding.
func Tokens(s engine.Sampling, scores []engine.TokenScore, reported []float64) []Token {
	out := make([]Token, len(scores))
	for i, score := range scores {
		t := Token{Margin: score.Margin, LogProb: score.LogProb, Reported: math.Inf(-1)}
		if s.Temperature > 0 && t.Margin < engine.MaxMargin {
			t.Margin = min(engine.MaxMargin, t.Margin*s.Temperature)
		}
		if !(t.Margin >= 0 && t.Margin <= engine.MaxMargin) {
			t.Margin = engine.MaxMargin
		}
		switch {
		case score.End:
			t.Reported = score.LogProb
		case i < len(reported):
			t.Reported = reported[i]
		}
		out[i] = t
	}
	return out
}
