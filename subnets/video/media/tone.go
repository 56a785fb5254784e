package media

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// Tone is the least-squares line from the reference's luma to the answer's: answer ≈
// Gain·reference + Offset, on means of 8×8 blocks, so that grain, which encoders may
// smooth, does not count as contrast. Values are in 8-bit code units.
type Tone struct {
	Gain   float64
	Offset float64
	// Spread is the standard deviation of the reference's block means. Where it is small
	// the gain says little.
	Spread float64
}

const toneBlock = 8

// pairSink reads pairs of raw frames, the answer above its reference, and keeps what is
// to know of them.
type pairSink struct {
	shape Shape
	buf   []byte
	count int64
	tones []Tone
	ans   [][32]byte
	ref   [][32]byte
}

func (s *pairSink) Write(p []byte) (int, error) {
	size := int(2 * s.shape.frameBytes())
	n := len(p)
	if s.buf == nil {
		s.buf = make([]byte, 0, size)
	}
	for len(p) > 0 {
		take := min(size-len(s.buf), len(p))
		s.buf = append(s.buf, p[:take]...)
		p = p[take:]
		if len(s.buf) == size {
			s.pair()
			s.buf = s.buf[:0]
		}
	}
	return n, nil
}

func (s *pairSink) pair() {
	s.count++
	luma := int(s.shape.frameBytes() * 2 / 3)
	a, r := sha256.New(), sha256.New()
	rest := s.buf
	for _, plane := range []int{luma, luma / 4, luma / 4} {
		a.Write(rest[:plane])
		r.Write(rest[plane : 2*plane])
		rest = rest[2*plane:]
	}
	s.ans = append(s.ans, [32]byte(a.Sum(nil)))
	s.ref = append(s.ref, [32]byte(r.Sum(nil)))
	s.tones = append(s.tones, fitTone(s.buf[:luma], s.buf[luma:2*luma], s.shape))
}

// fitTone fits the answer's luma plane to the reference's.
func fitTone(ans, ref []byte, shape Shape) Tone {
	var n, sa, sr, srr, sar float64
	wide := shape.depth() > 8
	for y := 0; y+toneBlock <= shape.Height; y += toneBlock {
		for x := 0; x+toneBlock <= shape.Width; x += toneBlock {
			a := blockMean(ans, x, y, shape.Width, wide)
			r := blockMean(ref, x, y, shape.Width, wide)
			n++
			sa += a
			sr += r
			srr += r * r
			sar += a * r
		}
	}
	ma, mr := sa/n, sr/n
	variance := srr/n - mr*mr
	t := Tone{Gain: 1, Offset: ma - mr}
	if variance > 1e-6 {
		t.Gain = (sar/n - ma*mr) / variance
		t.Offset = ma - t.Gain*mr
		t.Spread = math.Sqrt(variance)
	}
	return t
}

func blockMean(plane []byte, x, y, width int, wide bool) float64 {
	sum := 0
	for dy := range toneBlock {
		at := (y+dy)*width + x
		if wide {
			for dx := range toneBlock {
				sum += int(binary.LittleEndian.Uint16(plane[2*(at+dx):]))
			}
			continue
		}
		for _, v := range plane[at : at+toneBlock] {
			sum += int(v)
		}
	}
	mean := float64(sum) / (toneBlock * toneBlock)
	if wide {
		mean /= 4 // 10 bits on the 8-bit scale
	}
	return mean
}
