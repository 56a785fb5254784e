package engine

import (
	"container/heap"
	"encoding/binary"
	"math"
	"slices"
)

// MaxMargin is what a margin is clipped at: the noise of another seed goes far beyond
// what any error of arithmetic does, and says no more.
const MaxMargin = 10.0

// topPSlack is by how much of probability a validator's idea of the likeliest tokens may
// differ from a miner's before it counts: honest logits differ by some thousandths, some by
// a tenth. A temperature below 1 magnifies that, and the slack with it.
const topPSlack = 0.02

// Mask says which tokens a grammar allows next.
type Mask interface {
	// Allows reports whether the token may come next.
	Allows(id int32) bool
	// Forbid sets the logits of all tokens that may not come next to −Inf.
	Forbid(logits []float32)
}

// Sampler picks the tokens of one answer, and tells how far others are from its picks. It
// is for one goroutine.
type Sampler struct {
	noise       *Noise
	temperature float64
	topP        float64
	bits        []byte
	masked      []float32
	heap        candidates
	nucleus     []candidate
}

type candidate struct {
	id int32
	z  float64 // logit/temperature
	w  float64 // exp(z − the greatest z)
}

// NewSampler returns the sampler of s, which must have passed [Sampling.Check].
func NewSampler(s Sampling) *Sampler {
	out := &Sampler{temperature: s.Temperature, topP: s.TopP}
	if s.Temperature > 0 {
		out.noise = NewNoise(s.Seed)
	}
	if out.topP <= 0 || out.topP > 1 {
		out.topP = 1
	}
	return out
}

// Clone returns another sampler of the same answer, for another goroutine.
func (s *Sampler) Clone() *Sampler {
	return &Sampler{noise: s.noise, temperature: s.temperature, topP: s.topP}
}

// Pick returns the token for a position of the answer, counted from 0, given the model's
// logits, which it leaves as they are. A nil mask allows all. It returns −1 where no token
// is allowed.
//
// The order is: the mask; with a temperature of 0, the greatest logit; else z =
// logit/temperature; with top_p below 1, the fewest tokens of greatest z (of equals, the
// lower id first) whose softmax adds up to top_p or more; then the token with the greatest
// z + [Noise], of equals the lowest id. Logits that are not numbers count as −Inf.
func (s *Sampler) Pick(position int, logits []float32, mask Mask) int32 {
	if mask != nil && s.topP >= 1 {
		// The best of all tokens is the best of the allowed ones, if it is allowed: mostly
		// it is, and the others need not be looked at.
		if id := s.best(position, logits); id < 0 || mask.Allows(id) {
			return id
		}
	}
	logits = s.apply(mask, logits)
	if s.temperature == 0 || s.topP >= 1 {
		return s.best(position, logits)
	}
	s.fill(position, len(logits))
	id, best := int32(-1), math.Inf(-1)
	for _, c := range s.likeliest(logits, s.topP) {
		v := c.z + gumbel(s.x(c.id))
		if v > best || v == best && c.id < id {
			id, best = c.id, v
		}
	}
	return id
}

// Margin returns by how much the token misses being [Sampler.Pick]'s choice: the greatest
// z + noise of any allowed token less the token's own, from 0, a pick, to [MaxMargin]. With
// a temperature of 0 it is the difference of the logits. Tokens that the mask forbids have
// MaxMargin. Those outside of top_p miss by at least as much as they would need to be in it;
// near its border, where rounding decides which tokens are in, the doubt is in the token's
// favour.
func (s *Sampler) Margin(position int, logits []float32, token int32, mask Mask) float64 {
	if token < 0 || int(token) >= len(logits) || mask != nil && !mask.Allows(token) {
		return MaxMargin
	}
	if mask != nil && s.topP >= 1 && s.best(position, logits) == token {
		return 0
	}
	logits = s.apply(mask, logits)
	var best, own float64
	switch {
	case s.temperature == 0:
		id := s.best(position, logits)
		if id < 0 {
			return MaxMargin
		}
		best, own = number(logits[id]), number(logits[token])
	case s.topP >= 1:
		id := s.best(position, logits)
		if id < 0 {
			return MaxMargin
		}
		best, own = s.value(id, logits), s.value(token, logits)
	default:
		s.fill(position, len(logits))
		own = s.value(token, logits)
		best = own
		slack := topPSlack / min(1, s.temperature)
		wide := s.likeliest(logits, min(1, s.topP+slack))
		if len(wide) == 0 {
			return MaxMargin
		}
		if !slices.ContainsFunc(wide, func(c candidate) bool { return c.id == token }) {
			best += max(0, wide[len(wide)-1].z-number(logits[token])/s.temperature)
		}
		for _, c := range s.likeliest(logits, max(0, s.topP-slack)) {
			best = max(best, c.z+gumbel(s.x(c.id)))
		}
	}
	if m := best - own; m >= 0 {
		return min(m, MaxMargin)
	}
	return MaxMargin // not a number
}

// number reads a logit: what is not a number is −Inf.
func number(l float32) float64 {
	if l != l {
		return math.Inf(-1)
	}
	return float64(l)
}

func (s *Sampler) apply(mask Mask, logits []float32) []float32 {
	if mask == nil {
		return logits
	}
	s.masked = append(s.masked[:0], logits...)
	mask.Forbid(s.masked)
	return s.masked
}

func (s *Sampler) fill(position, tokens int) {
	s.bits = slices.Grow(s.bits[:0], 4*tokens)[:4*tokens]
	s.noise.Bits(position, s.bits)
}

func (s *Sampler) x(id int32) uint32 { return binary.LittleEndian.Uint32(s.bits[4*id:]) }

func (s *Sampler) value(id int32, logits []float32) float64 {
	return number(logits[id])/s.temperature + gumbel(s.x(id))
}

// best returns the token with the greatest logit/temperature + noise, or with a
// temperature of 0 the greatest logit; −1 if all are −Inf.
func (s *Sampler) best(position int, logits []float32) int32 {
	top := int32(-1)
	greatest := float32(math.Inf(-1))
	for i, l := range logits {
		if l > greatest {
			top, greatest = int32(i), l
		}
	}
	if s.temperature == 0 || top < 0 || math.IsInf(float64(greatest), 1) {
		return top
	}
	s.fill(position, len(logits))
	// Most tokens can't win whatever their noise is: their logarithms are spared.
	id, best := top, s.value(top, logits)
	hopeless := s.hopeless(best)
	for i, l := range logits {
		x := s.x(int32(i))
		if l < hopeless[leadingOnes(x)] || l != l {
			continue
		}
		v := float64(l)/s.temperature + gumbel(x)
		if v > best || v == best && int32(i) < id {
			id, best = int32(i), v
			hopeless = s.hopeless(best)
		}
	}
	return id
}

// hopeless are the logits below which no token reaches best, by the leading ones of its x:
// a little less than (best − [gumbelBelow])·temperature, so that no rounding matters.
func (s *Sampler) hopeless(best float64) (below [33]float32) {
	for ones := range below {
		l := (best - gumbelBelow(ones)) * s.temperature
		below[ones] = math.Nextafter32(float32(l-1e-9*math.Abs(l)), float32(math.Inf(-1)))
	}
	return below
}

// likeliest returns the fewest tokens of greatest logit whose softmax (with the
// temperature) adds up to p or more, greatest first.
func (s *Sampler) likeliest(logits []float32, p float64) []candidate {
	greatest := math.Inf(-1)
	for _, l := range logits {
		greatest = max(greatest, number(l)/s.temperature)
	}
	if math.IsInf(greatest, -1) {
		return nil
	}
	s.heap = s.heap[:0]
	var sum float64
	for i, l := range logits {
		z := number(l) / s.temperature
		// Below −40 an exponential is lost in the sum of even a million of them.
		if z-greatest > -expRange {
			w := expBelow(z - greatest)
			sum += w
			s.heap = append(s.heap, candidate{int32(i), z, w})
		}
	}
	// Those that have less than an equal part of what is left out are left out.
	least := sum * (1 - p) / float64(len(s.heap))
	s.heap = slices.DeleteFunc(s.heap, func(c candidate) bool { return c.w < least })
	heap.Init(&s.heap)
	var part float64
	s.nucleus = s.nucleus[:0]
	for len(s.heap) > 0 && (part < p*sum || len(s.nucleus) == 0) {
		c := s.heap[0]
		s.nucleus = append(s.nucleus, c)
		part += c.w
		last := len(s.heap) - 1
		s.heap[0] = s.heap[last]
		s.heap = s.heap[:last]
		heap.Fix(&s.heap, 0)
	}
	return s.nucleus
}

// candidates are a heap, the likeliest first.
type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c candidates) Less(i, j int) bool {
	return c[i].z > c[j].z || c[i].z == c[j].z && c[i].id < c[j].id
}
func (c candidates) Push(any) {}
func (c candidates) Pop() any { return nil }

// LogProbs tells probabilities by the model alone.
type LogProbs struct {
	logits []float32
	logSum float64
}

// NewLogProbs reads a model's logits, which it keeps a reference to.
func NewLogProbs(logits []float32) LogProbs {
	top := float32(math.Inf(-1))
	for _, l := range logits {
		if l > top {
			top = l
		}
	}
	greatest := float64(top)
	if math.IsInf(greatest, 0) {
		return LogProbs{logits, greatest}
	}
	var sum float64
	for _, l := range logits {
		// Below −40 an exponential is lost in the sum of even a million of them.
		if d := float64(l) - greatest; d > -expRange {
			sum += expBelow(d)
		}
	}
	return LogProbs{logits, greatest + math.Log(sum)}
}

const (
	expRange = 40
	expSteps = 256 // of a factor of two
)

// powers are 2^(i/expSteps), as bits.
var powers = func() (out [expSteps]uint64) {
	for i := range out {
		out[i] = math.Float64bits(math.Exp2(float64(i) / expSteps))
	}
	return out
}()

// expBelow is eˣ for −expRange < x ≤ 0, to eight digits: probabilities need no more, and it
// is asked for each token of the vocabulary.
func expBelow(x float64) float64 {
	const up = 64 // x·log₂e + up is positive
	steps := (x*math.Log2E + up) * expSteps
	n := uint64(steps)
	r := (steps - float64(n)) * (math.Ln2 / expSteps)
	power := math.Float64frombits(powers[n%expSteps] + (n/expSteps-up)<<52)
	return power * (1 + r*(1+r/2))
}

// Of returns the natural logarithm of a token's probability, at least −1e9, so that it has
// a form in JSON.
func (p LogProbs) Of(id int32) float64 {
	if id < 0 || int(id) >= len(p.logits) {
		return -1e9
	}
	l := number(p.logits[id]) - p.logSum
	if math.IsNaN(l) {
		return -1e9
	}
	return max(l, -1e9)
}

// Top returns the n likeliest tokens, likeliest first.
func (p LogProbs) Top(n int) []int32 {
	if n <= 0 {
		return nil
	}
	top := make([]int32, 0, n+1)
	for i, l := range p.logits {
		if l != l || len(top) == n && l <= p.logits[top[n-1]] {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, l, func(id int32, l float32) int {
			if p.logits[id] >= l {
				return -1
			}
			return 1
		})
		top = slices.Insert(top, at, int32(i))
		top = top[:min(len(top), n)]
	}
	return top
}
