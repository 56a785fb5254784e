package inference

import (
	"math"
	"time"

	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// Measured is what a validator knows of a miner after a round.
type Measured struct {
	Verdict fidelity.Verdict
	// Verifiable says that the miner's engine picks tokens by Lode's sampler, and Model
	// that it claims to run the subnet's.
	Verifiable, Model bool
	// Availability is the share of canaries of the last rounds that were answered.
	Availability float64
	// Wait is the mean time to the first token, Pace the mean time for each after it; both
	// 0: nothing was answered.
	Wait, Pace time.Duration
	Price      uint64 // rao for a million units
}

// Throughput is the tokens a second of an answer of so many tokens; 0 where nothing was
// answered.
func (m Measured) Throughput(tokens int) float64 {
	if m.Wait <= 0 && m.Pace <= 0 {
		return 0
	}
	return float64(tokens) / (m.Wait.Seconds() + float64(tokens-1)*m.Pace.Seconds())
}

// Score is what a miner is worth: nothing without fidelity, else availability × throughput
// per price, both against the subnet's reference and capped. The second result is false
// where there is too little to say: the miner keeps the score it has.
func Score(m Measured, p Params) (float64, bool) {
	if !m.Verifiable || !m.Model || !m.Verdict.Pass || m.Price > p.MaxPrice() {
		return 0, true
	}
	speed := m.Throughput(p.AnswerTokens) / p.ReferenceSpeed
	if speed <= 0 || m.Availability <= 0 {
		return 0, true
	}
	if !m.Verdict.Enough() {
		return 0, false
	}
	cheap := p.PriceCap
	if m.Price > 0 {
		cheap = min(cheap, float64(p.ReferencePrice)/float64(m.Price))
	}
	return min(1, m.Availability) * min(p.SpeedCap, speed) * cheap, true
}

// pace is how an answer came.
type pace struct {
	wait   time.Duration // to the first token
	rest   time.Duration // from there to the last
	tokens int
}

// meanPace puts the paces of answers together: the mean wait, and the mean time of a token
// after the first over all of them.
func meanPace(paces []pace) (wait, each time.Duration) {
	var waits, rests float64
	tokens := 0
	for _, p := range paces {
		waits += float64(p.wait)
		if p.tokens > 1 {
			rests += float64(p.rest)
			tokens += p.tokens - 1
		}
	}
	if len(paces) == 0 {
		return 0, 0
	}
	wait = time.Duration(math.Ceil(waits / float64(len(paces))))
	if tokens > 0 {
		each = time.Duration(math.Ceil(rests / float64(tokens)))
	}
	return wait, each
}
