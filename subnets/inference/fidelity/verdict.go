package fidelity

import "fmt"

const (
	// FalseReject bounds the probability with which one test fails an honest window.
	FalseReject = 1e-6
	// Enough is how many tokens a verdict needs to say anything for a miner: below, it has
	// only failed or not yet.
	Enough = 64
)

// Verdict is what is known of a miner's answers.
type Verdict struct {
	Tokens         int     `json:"tokens"`
	Flagged        int     `json:"flagged"`          // margins over the threshold
	MeanMargin     float64 `json:"mean_margin"`      // in logits, clipped at 10
	MaxMargin      float64 `json:"max_margin"`       // in logits, clipped at 10
	MatchRate      float64 `json:"match_rate"`       // share of tokens that the validator would have picked
	MeanAbsLogProb float64 `json:"mean_abs_logprob"` // difference of log-probabilities, each cut off
	Pass           bool    `json:"pass"`
	Reason         string  `json:"reason,omitempty"` // why not
}

// Enough reports whether the verdict rests on enough tokens to pay by.
func (v Verdict) Enough() bool { return v.Tokens >= Enough }

// Judge judges tokens by thresholds, which must have passed their check.
func Judge(th Thresholds, tokens []Token) Verdict {
	v := sum(tokens, th)
	v.Pass = true
	if v.Tokens == 0 {
		return v
	}
	fail := func(format string, args ...any) Verdict {
		v.Pass, v.Reason = false, fmt.Sprintf(format, args...)
		return v
	}
	if most := mostFlagged(v.Tokens, th.Flagged, FalseReject); v.Flagged > most {
		return fail("%d of %d tokens are not what the model picks, honest ones at most %d", v.Flagged, v.Tokens, most)
	}
	clipped := 0.0
	for _, t := range tokens {
		clipped += min(t.Margin, th.Flag)
	}
	clipped /= float64(v.Tokens)
	if most := mostMean(v.Tokens, th.MeanMargin, th.MeanMargin*th.Flag, th.Flag, FalseReject); clipped > most {
		return fail("tokens miss the model's picks by %.2g in the mean of %d, honest ones by at most %.2g", clipped, v.Tokens, most)
	}
	if most := mostMean(v.Tokens, th.LogProb, th.LogProbSpread*th.LogProbSpread, th.LogProbClip, FalseReject); v.MeanAbsLogProb > most {
		return fail("log-probabilities are off by %.2g in the mean of %d tokens, honest ones by at most %.2g", v.MeanAbsLogProb, v.Tokens, most)
	}
	return v
}

// sum counts and adds up.
func sum(tokens []Token, th Thresholds) Verdict {
	v := Verdict{Tokens: len(tokens)}
	if v.Tokens == 0 {
		return v
	}
	matches := 0
	for _, t := range tokens {
		if t.Margin > th.Flag {
			v.Flagged++
		}
		if t.Margin == 0 {
			matches++
		}
		v.MeanMargin += t.Margin
		v.MaxMargin = max(v.MaxMargin, t.Margin)
		v.MeanAbsLogProb += min(t.diff(), th.LogProbClip)
	}
	n := float64(v.Tokens)
	v.MeanMargin /= n
	v.MeanAbsLogProb /= n
	v.MatchRate = float64(matches) / n
	return v
}
