package media

import (
	"fmt"
	"slices"
)

// Unit is what a decoder turns into one picture.
type Unit struct {
	Display int // index of the picture in display order
	Key     bool
	Bytes   []byte
}

// Units cuts a stream into the units of its pictures, in the order of decoding.
// positions are those of a [Comparison] of this very stream: where each displayed
// picture's unit begins.
func (s *Stream) Units(positions []int64) ([]Unit, error) {
	order := make([]int, len(positions))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(positions[a] - positions[b]) })
	var out []Unit
	var begins []int64
	for i, display := range order {
		// Demuxers differ in whether the first zero of a start code belongs to it.
		at := positions[display]
		k, found := slices.BinarySearch(s.starts, at)
		if !found && k > 0 && s.starts[k-1] == at-1 {
			k, found = k-1, true
		}
		if !found || i == 0 && s.starts[k] != 0 || i > 0 && s.starts[k] <= begins[i-1] {
			return nil, fmt.Errorf("%w: picture %d has no unit of its own at byte %d", ErrStream, display, at)
		}
		begins = append(begins, s.starts[k])
		out = append(out, Unit{Display: display})
	}
	for i := range out {
		end := int64(len(s.Bytes))
		if i+1 < len(out) {
			end = begins[i+1]
		}
		out[i].Bytes = s.Bytes[begins[i]:end]
	}
	if len(out) > 0 {
		out[0].Key = out[0].Display == 0
	}
	if len(out) == 0 || !out[0].Key {
		return nil, fmt.Errorf("%w: it does not begin with the picture that is shown first", ErrStream)
	}
	return out, nil
}

// Sets returns the parameter sets before the unit's picture, as Annex B; none for AV1.
func (u Unit) Sets(c Codec) []byte {
	if c == AV1 {
		return nil
	}
	var out []byte
	for nal := range nals(u.Bytes) {
		if len(nal) == 0 {
			continue
		}
		if c == H264 && nal[0]&31 <= 5 || c == HEVC && nal[0]>>1&63 < 32 {
			break
		}
		out = append(append(out, 0, 0, 0, 1), nal...)
	}
	return out
}
