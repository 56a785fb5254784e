package video

import (
	"math"

	"github.com/lodenet/lode/subnets/video/media"
)

// maxRatio bounds what one answer can be worth: should the gate ever have a hole, the
// whole subnet is not paid to who finds it.
const maxRatio = 8

// Score is what an answer of size bytes is worth that passed the gate, against a
// baseline of the same quality: (baseline/bytes)^k. It is positive for whoever passes,
// however weak the encoder: a score of the savings alone would pay nothing for matching
// the baseline. k says how steeply better work is paid.
func Score(baseline float64, bytes int64, k float64) float64 {
	if !(baseline > 0) || bytes <= 0 {
		return 0
	}
	return math.Pow(min(maxRatio, baseline/float64(bytes)), k)
}

// Measured is an answer that was judged.
type Measured struct {
	Codec media.Codec
	Bytes int64 // counted
	Hash  [32]byte
	// Curve is the luma quality of each frame.
	Curve []float64
	// Score is before sharing; 0 for what failed.
	Score float64
}

// Nearness within which two answers count as copies of one.
const (
	nearSize    = 0.01 // of the smaller
	nearQuality = 0.04 // mean difference of frames' losses, of the loss that is allowed
)

// copies says whether two answers are the same work: the same decoded frames, or nearly
// the same size *and* nearly the same quality frame by frame. Padding and a nudged rate
// factor change neither enough.
func copies(a, b Measured, target float64) bool {
	if a.Score == 0 || b.Score == 0 {
		return false
	}
	if a.Hash == b.Hash {
		return true
	}
	if a.Codec != b.Codec || len(a.Curve) != len(b.Curve) || len(a.Curve) == 0 {
		return false
	}
	low, high := float64(min(a.Bytes, b.Bytes)), float64(max(a.Bytes, b.Bytes))
	if high > low*(1+nearSize) {
		return false
	}
	diff := 0.0
	for i := range a.Curve {
		diff += math.Abs(a.Curve[i] - b.Curve[i])
	}
	return diff/float64(len(a.Curve)) <= nearQuality*(100-target)
}

// Share divides rewards among copies: those that are copies of each other, directly or
// by way of others, each get their own score divided by their number. Nobody falls to
// zero: honest miners with equal tools give equal answers. What it takes away is the
// reason to run one answer under many hotkeys.
func Share(answers []Measured, target float64) []float64 {
	group := make([]int, len(answers))
	for i := range group {
		group[i] = i
	}
	for i := range answers {
		for j := range i {
			if group[i] != group[j] && copies(answers[i], answers[j], target) {
				from, to := group[i], group[j]
				for k := range group {
					if group[k] == from {
						group[k] = to
					}
				}
			}
		}
	}
	size := map[int]int{}
	for _, g := range group {
		size[g]++
	}
	out := make([]float64, len(answers))
	for i, a := range answers {
		out[i] = a.Score / float64(size[group[i]])
	}
	return out
}

// customerSlack is the part of its probe score that a miner must reach for customers.
// Clips differ in how much can be saved, so less than that is no fault.
const customerSlack = 0.5

// Combine joins the score of a probe with those of verified customer results since the
// last one. A customer's result can only lower the score, because a customer may be the
// miner itself, with a clip and an answer prepared: it counts as the probe's score, or,
// if it is under half of that, as what it is.
func Combine(probe float64, customers []float64) float64 {
	sum := probe
	for _, c := range customers {
		if c >= customerSlack*probe {
			c = probe
		}
		sum += c
	}
	return sum / float64(1+len(customers))
}
