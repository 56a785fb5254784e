package inference

import (
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
	// Tokens are those of the answers that came, and Took the time of all of them, each from
	// its request to its end.
	Tokens int
	Took   time.Duration
	Price  uint64 // rao for a million units
}

// Throughput is tokens a second over whole answers; 0 where nothing was answered.
func (m Measured) Throughput() float64 {
	if m.Tokens <= 0 {
		return 0
	}
	return float64(m.Tokens) / max(m.Took, 1).Seconds()
}

// Score is what a miner is worth: nothing without fidelity, else availability × throughput
// per price, both against the subnet's reference and capped. The second result is false
// where there is too little to say: the miner keeps the score it has.
func Score(m Measured, p Params) (float64, bool) {
	if !m.Verifiable || !m.Model || !m.Verdict.Pass || m.Price > p.MaxPrice() {
		return 0, true
	}
	speed := m.Throughput() / p.ReferenceSpeed
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

// sumPaces puts the paces of answers together: their mean wait, their tokens, and the time
// of all of them.
func sumPaces(paces []pace) (wait time.Duration, tokens int, took time.Duration) {
	for _, p := range paces {
		wait += p.wait
		took += p.wait + p.rest
		tokens += p.tokens
	}
	return wait / time.Duration(max(1, len(paces))), tokens, took
}
