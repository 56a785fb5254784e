package media

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// Tone is the least-squares line from a plane of the reference to the answer's, on means
// of blocks, so that grain and fine texture, which encoders smooth, do not count as
// contrast. Values are in 8-bit code units.
type Tone struct {
	// Gain is the slope; 1 where the reference is flat.
	Gain float64
	// Offset is how much brighter the answer is on average.
	Offset float64
	// Spread is the standard deviation of the reference's block means. Where it is small
	// the gain says little.
	Spread float64
}

// toneBlock is the side of a block in samples of luma; in the chroma planes it is half
// of that, which is the same piece of the picture.
const toneBlock = 16

// pairSink reads pairs of raw frames, the answer above its reference, and keeps what is
// to know of them.
type pairSink struct {
	shape Shape
	buf   []byte
	count int64
	tones [][3]Tone // of the planes Y, U, V
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
	var tones [3]Tone
	for i, size := range []int{luma, luma / 4, luma / 4} {
		ans, ref := rest[:size], rest[size:2*size]
		rest = rest[2*size:]
		a.Write(ans)
		r.Write(ref)
		width, height, block := s.shape.Width, s.shape.Height, toneBlock
		if i > 0 {
			width, height, block = width/2, height/2, block/2
		}
		tones[i] = fitTone(ans, ref, width, height, block, s.shape.depth() > 8)
	}
	s.ans = append(s.ans, [32]byte(a.Sum(nil)))
	s.ref = append(s.ref, [32]byte(r.Sum(nil)))
	s.tones = append(s.tones, tones)
}

// fitTone fits the answer's plane to the reference's. wide planes have samples of two
// bytes, 10 bits used.
func fitTone(ans, ref []byte, width, height, block int, wide bool) Tone {
	var n, sa, sr, srr, sar float64
	for y := 0; y < height; y += block {
		for x := 0; x < width; x += block {
			// The last ones lie within the picture and overlap: no edge is left out.
			x, y := min(x, width-block), min(y, height-block)
			a := blockMean(ans, x, y, width, block, wide)
			r := blockMean(ref, x, y, width, block, wide)
			n++
			sa += a
			sr += r
			srr += r * r
			sar += a * r
		}
	}
	ma, mr := sa/n, sr/n
	t := Tone{Gain: 1, Offset: ma - mr}
	if variance := srr/n - mr*mr; variance > 1e-6 {
		t.Gain = (sar/n - ma*mr) / variance
		t.Spread = math.Sqrt(variance)
	}
	return t
}

func blockMean(plane []byte, x, y, width, block int, wide bool) float64 {
	sum := 0
	for dy := range block {
		at := (y+dy)*width + x
		if wide {
			for dx := range block {
				sum += int(binary.LittleEndian.Uint16(plane[2*(at+dx):]))
			}
			continue
		}
		for _, v := range plane[at : at+block] {
			sum += int(v)
		}
	}
	mean := float64(sum) / float64(block*block)
	if wide {
		mean /= 4 // 10 bits on the 8-bit scale
	}
	return mean
}
