package video

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lodenet/lode/subnets/video/media"
)

// ErrGate says that an answer is not good enough.
var ErrGate = errors.New("below the quality gate")

// Gate is what an answer must hold. A mean alone hides ruined frames, luma alone hides
// lost colour, and both hide a drift in tone, which is cheap; so each has its bound.
type Gate struct {
	Measure media.Measure `json:"measure"`
	// Quality is the least mean of luma quality over frames, 0..100.
	Quality float64 `json:"quality"`
	// Tail bounds the 5th percentile of frames: its loss, 100 − quality, is at most
	// 1 + Tail times the loss that Quality allows. The worst frame of all may lose twice
	// that: in a short window one ruined frame is less than 5 %.
	Tail float64 `json:"tail"`
	// Chroma bounds the mean of each chroma plane (always SSIM): its loss is at most
	// Chroma times the loss that Quality allows.
	Chroma float64 `json:"chroma"`
	// Gain and Offset bound the tone fit of every frame: |gain − 1| and |offset|, the
	// latter in 8-bit code units. The chroma planes have the same bound on the offset
	// and ten times that on the gain: encoders smooth colour more than light.
	Gain   float64 `json:"gain"`
	Offset float64 `json:"offset"`
}

// DefaultGate returns the gate of a quality with the usual margins.
func DefaultGate(m media.Measure, quality float64) Gate {
	return Gate{Measure: m, Quality: quality, Tail: 1, Chroma: 2.5, Gain: 0.012, Offset: 2}
}

// Bounds of targets, on the scale of 0..100.
const (
	MinQuality = 50.0
	MaxQuality = 99.9
)

// Check refuses a gate that can't be passed or guards nothing.
func (g Gate) Check() error {
	switch {
	case g.Measure != media.SSIM && g.Measure != media.VMAFNEG:
		return fmt.Errorf("measure %q is not one of ssim, vmaf-neg", string(g.Measure))
	case !(g.Quality >= MinQuality && g.Quality <= MaxQuality):
		return fmt.Errorf("quality %v: it must be between %v and %v", g.Quality, MinQuality, MaxQuality)
	case !(g.Tail >= 0.1 && g.Tail <= 20) || !(g.Chroma >= 0.5 && g.Chroma <= 20):
		return fmt.Errorf("margins tail %v and chroma %v: between 0.1 and 20, and 0.5 and 20", g.Tail, g.Chroma)
	case !(g.Gain >= 0.001 && g.Gain <= 0.5) || !(g.Offset >= 0.1 && g.Offset <= 50):
		return fmt.Errorf("tone bounds gain %v and offset %v: between 0.001 and 0.5, and 0.1 and 50", g.Gain, g.Offset)
	}
	return nil
}

// tailFloor is the least 5th percentile.
func (g Gate) tailFloor() float64 { return max(0, 100-(1+g.Tail)*(100-g.Quality)) }

// worstFloor is the least quality of any frame.
func (g Gate) worstFloor() float64 { return max(0, 100-2*(1+g.Tail)*(100-g.Quality)) }

// chromaFloor is the least mean of a chroma plane. SSIM is what chroma is measured by,
// so under another measure the floor is that of a fair SSIM.
func (g Gate) chromaFloor() float64 {
	loss := 100 - g.Quality
	if g.Measure != media.SSIM {
		loss = min(loss, 2)
	}
	return max(0, 100-g.Chroma*loss)
}

// Quality is what was measured of an answer, over its frames.
type Quality struct {
	Mean float64 `json:"mean"` // luma, 0..100
	P5   float64 `json:"p5"`   // 5th percentile of luma
	Min  float64 `json:"min"`  // worst frame's luma
	U    float64 `json:"u"`    // mean, 0..100
	V    float64 `json:"v"`
	// Gain and Offset are those of the frame that is furthest off: of luma, and of
	// whichever chroma plane is.
	Gain         float64 `json:"gain"`
	Offset       float64 `json:"offset"`
	ChromaGain   float64 `json:"chroma_gain"`
	ChromaOffset float64 `json:"chroma_offset"`
}

// A change under these, in 8-bit code units at one standard deviation, is noise: flat
// pictures fit any line.
const (
	leastTone   = 0.25
	leastColour = 1.0
	chromaGain  = 10 // times the bound of luma's
)

// Summarize sums the frames of a comparison up.
func Summarize(frames []media.FrameQuality) Quality {
	if len(frames) == 0 {
		return Quality{}
	}
	q := Quality{Min: 100, Gain: 1, ChromaGain: 1}
	var luma []float64
	for _, f := range frames {
		luma = append(luma, f.Luma)
		q.Mean += f.Luma
		q.U += f.U
		q.V += f.V
		q.Min = min(q.Min, f.Luma)
		furthest(&q.Gain, &q.Offset, f.Tone[0], leastTone)
		furthest(&q.ChromaGain, &q.ChromaOffset, f.Tone[1], leastColour)
		furthest(&q.ChromaGain, &q.ChromaOffset, f.Tone[2], leastColour)
	}
	n := float64(len(frames))
	q.Mean, q.U, q.V = q.Mean/n, q.U/n, q.V/n
	slices.Sort(luma)
	q.P5 = luma[int(math.Ceil(0.05*n))-1]
	return q
}

func furthest(gain, offset *float64, t media.Tone, least float64) {
	if math.Abs(t.Gain-1) > math.Abs(*gain-1) && math.Abs(t.Gain-1)*t.Spread >= least {
		*gain = t.Gain
	}
	if math.Abs(t.Offset) > math.Abs(*offset) {
		*offset = t.Offset
	}
}

// Pass returns nil for what holds the gate, else an [ErrGate] that says what is missing.
func (g Gate) Pass(q Quality) error {
	fail := func(what string, have, need float64) error {
		return fmt.Errorf("%w: %s is %.3f, the bound is %.3f", ErrGate, what, have, need)
	}
	switch {
	case !(q.Mean >= g.Quality):
		return fail("mean luma quality", q.Mean, g.Quality)
	case !(q.P5 >= g.tailFloor()):
		return fail("5th percentile of luma quality", q.P5, g.tailFloor())
	case !(q.Min >= g.worstFloor()):
		return fail("worst frame's luma quality", q.Min, g.worstFloor())
	case !(q.U >= g.chromaFloor()):
		return fail("quality of the first chroma plane", q.U, g.chromaFloor())
	case !(q.V >= g.chromaFloor()):
		return fail("quality of the second chroma plane", q.V, g.chromaFloor())
	case !(math.Abs(q.Gain-1) <= g.Gain):
		return fail("contrast gain", q.Gain, 1+math.Copysign(g.Gain, q.Gain-1))
	case !(math.Abs(q.Offset) < g.Offset):
		return fail("brightness offset", q.Offset, math.Copysign(g.Offset, q.Offset))
	case !(math.Abs(q.ChromaGain-1) <= chromaGain*g.Gain):
		return fail("colour gain", q.ChromaGain, 1+math.Copysign(chromaGain*g.Gain, q.ChromaGain-1))
	case !(math.Abs(q.ChromaOffset) < g.Offset):
		return fail("colour offset", q.ChromaOffset, math.Copysign(g.Offset, q.ChromaOffset))
	}
	return nil
}

// distance is −log10(1 − Q): the scale on which quality falls about linearly with a rate
// factor, and rises about linearly with the logarithm of the size.
func distance(quality float64) float64 {
	return -math.Log10(max(1e-6, 1-quality/100))
}

// slack says how far an answer is above the gate on the scale of distance; negative is
// below. What sets it is the tightest of the bounds on quality; those on tone are left
// out, because how much rate they would take is unknown.
func (g Gate) slack(q Quality) float64 {
	s := distance(q.Mean) - distance(g.Quality)
	s = min(s, distance(q.P5)-distance(g.tailFloor()), distance(q.Min)-distance(g.worstFloor()))
	floor := distance(g.chromaFloor())
	return min(s, distance(q.U)-floor, distance(q.V)-floor)
}
