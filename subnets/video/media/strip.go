package media

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrStream says that bytes are no elementary stream of the codec they should be in.
var ErrStream = errors.New("not a valid elementary stream")

// Stream is an elementary stream without what a decoder has no use for.
type Stream struct {
	Codec Codec
	// Bytes is what is left: parameter sets and coded pictures. Padding, filler,
	// metadata (SEI), delimiters and reserved kinds are gone. AV1's temporal delimiters
	// stay, because a demuxer needs them.
	Bytes []byte
	// Counted is what is paid for, in bytes: what is left without AV1's delimiters, each
	// unit of Annex B with a four-byte start code.
	Counted int64
	// Dropped is what was taken out.
	Dropped int64
	// Depth is the bit depth of its profile: 8 or 10.
	Depth int
	// Profile is the number of the profile in the codec's own numbering.
	Profile int
	// starts are the offsets in Bytes at which access units may begin: see [Stream.Unit].
	starts []int64
}

// Strip parses an elementary stream. The result is what must be decoded, judged and
// delivered: what was stripped can then have no effect.
func Strip(c Codec, raw []byte) (*Stream, error) {
	s := &Stream{Codec: c, Bytes: make([]byte, 0, len(raw))}
	var err error
	switch c {
	case H264, HEVC:
		err = s.annexB(raw)
	case AV1:
		err = s.obus(raw)
	default:
		err = c.Check()
	}
	if err != nil {
		return nil, err
	}
	if s.Counted == 0 || s.Depth == 0 {
		return nil, fmt.Errorf("%w: no pictures with parameters in %d bytes of %s", ErrStream, len(raw), c)
	}
	s.Dropped = int64(len(raw) - len(s.Bytes))
	return s, nil
}

// annexB keeps the units that carry pictures and their parameters.
func (s *Stream) annexB(raw []byte) error {
	first := true
	for nal := range nals(raw) {
		if first && !bytes.HasPrefix(raw, []byte{0, 0, 1}) && !bytes.HasPrefix(raw, []byte{0, 0, 0, 1}) {
			return fmt.Errorf("%w: it does not begin with a start code", ErrStream)
		}
		first = false
		if len(nal) < 2 {
			continue
		}
		if nal[0]&0x80 != 0 {
			return fmt.Errorf("%w: forbidden bit set", ErrStream)
		}
		keep, err := s.keepNAL(nal)
		if err != nil {
			return err
		}
		if !keep {
			continue
		}
		s.starts = append(s.starts, int64(len(s.Bytes)))
		s.Bytes = append(s.Bytes, 0, 0, 0, 1)
		s.Bytes = append(s.Bytes, nal...)
		s.Counted += int64(4 + len(nal))
	}
	return nil
}

func (s *Stream) keepNAL(nal []byte) (bool, error) {
	if s.Codec == H264 {
		switch kind := nal[0] & 31; kind {
		case 1, 2, 3, 4, 5, 8: // slices, picture parameters
			return true, nil
		case 7:
			if len(nal) < 4 {
				return false, fmt.Errorf("%w: short parameters", ErrStream)
			}
			return true, s.profile(int(nal[1]), map[int]int{66: 8, 77: 8, 100: 8, 110: 10})
		}
		return false, nil
	}
	switch kind := nal[0] >> 1 & 63; {
	case kind <= 9, kind >= 16 && kind <= 21, kind == 32, kind == 34:
		return true, nil
	case kind == 33:
		sps := unescape(nal, 16)
		if len(sps) < 4 {
			return false, fmt.Errorf("%w: short parameters", ErrStream)
		}
		// After the two-byte header: 4+3+1 bits, then profile space, tier, profile.
		return true, s.profile(int(sps[3]&31), map[int]int{1: 8, 2: 10})
	}
	return false, nil
}

// profile notes the profile: one stream has one, and it is one that everybody decodes.
func (s *Stream) profile(p int, depths map[int]int) error {
	depth, ok := depths[p]
	if !ok {
		return fmt.Errorf("%w: %s profile %d is not one that is taken", ErrStream, s.Codec, p)
	}
	if s.Depth != 0 && s.Profile != p {
		return fmt.Errorf("%w: the profile changes from %d to %d", ErrStream, s.Profile, p)
	}
	s.Profile, s.Depth = p, depth
	return nil
}

// nals yields the units of an Annex B stream without start codes and trailing zeros.
func nals(raw []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		mark := []byte{0, 0, 1}
		i := bytes.Index(raw, mark)
		for i >= 0 {
			raw = raw[i+3:]
			i = bytes.Index(raw, mark)
			nal := raw
			if i >= 0 {
				nal = raw[:i]
			}
			if !yield(bytes.TrimRight(nal, "\x00")) {
				return
			}
		}
	}
}

// unescape removes emulation prevention from the first n bytes of a unit.
func unescape(nal []byte, n int) []byte {
	var out []byte
	zeros := 0
	for _, b := range nal {
		if len(out) == n {
			break
		}
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// Kinds of AV1's units (AV1 specification 6.2.2).
const (
	obuSequence     = 1
	obuDelimiter    = 2
	obuFrameHeader  = 3
	obuTiles        = 4
	obuFrame        = 6
	obuRepeatHeader = 7
)

// obus keeps the units that carry frames and their parameters.
func (s *Stream) obus(raw []byte) error {
	for at := 0; at < len(raw); {
		u, err := readOBU(raw[at:])
		if err != nil {
			return fmt.Errorf("%w at byte %d", err, at)
		}
		if at == 0 && u.kind != obuDelimiter {
			return fmt.Errorf("%w: it does not begin with a temporal delimiter", ErrStream)
		}
		unit := raw[at : at+u.size]
		at += u.size
		switch u.kind {
		case obuDelimiter:
			s.starts = append(s.starts, int64(len(s.Bytes)))
			s.Bytes = append(s.Bytes, unit...)
		case obuSequence:
			if len(u.payload) < 2 {
				return fmt.Errorf("%w: short parameters", ErrStream)
			}
			if p := int(u.payload[0] >> 5); p != 0 {
				return fmt.Errorf("%w: av1 profile %d is not one that is taken", ErrStream, p)
			}
			// 8 and 10 bits share the profile; the decoded pixel format tells them apart.
			s.Profile, s.Depth = 0, 8
			fallthrough
		case obuFrameHeader, obuTiles, obuFrame, obuRepeatHeader:
			if u.spatial > 0 {
				return fmt.Errorf("%w: av1 with spatial layers", ErrStream)
			}
			s.Bytes = append(s.Bytes, unit...)
			s.Counted += int64(len(unit))
		}
	}
	return nil
}

type obu struct {
	kind    int
	spatial int
	payload []byte
	size    int // of all of it
}

func readOBU(raw []byte) (obu, error) {
	var u obu
	if raw[0]&0x80 != 0 || raw[0]&0x02 == 0 {
		return u, fmt.Errorf("%w: an AV1 unit without its size", ErrStream)
	}
	u.kind = int(raw[0] >> 3 & 15)
	head := 1
	if raw[0]&0x04 != 0 {
		if len(raw) < 2 {
			return u, fmt.Errorf("%w: cut off", ErrStream)
		}
		u.spatial = int(raw[1] >> 3 & 3)
		head = 2
	}
	length, n := 0, 0
	for ; ; n++ {
		if n == 5 || head+n >= len(raw) {
			return u, fmt.Errorf("%w: a bad size", ErrStream)
		}
		b := raw[head+n]
		length |= int(b&0x7f) << (7 * n)
		if b&0x80 == 0 {
			break
		}
	}
	head += n + 1
	if length > len(raw)-head {
		return u, fmt.Errorf("%w: cut off", ErrStream)
	}
	u.payload, u.size = raw[head:head+length], head+length
	return u, nil
}
