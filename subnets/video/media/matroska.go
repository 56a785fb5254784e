package media

import (
	"encoding/binary"
	"fmt"
	"io"
)

// matroskaUnit is the unit of timestamps in files that [MatroskaWriter] writes, in
// nanoseconds.
const matroskaUnit = 1000

// MatroskaWriter writes one video stream into a Matroska file for [Tools.Join] to read,
// and for nobody else: a block's time is when its picture is decoded, and its duration
// is how much later it is shown. ffmpeg can't be told the times of an elementary stream's
// pictures; where it is only told when they are shown it guesses in which rhythm they
// are decoded, and guesses wrong where segments of several encoders follow each other.
type MatroskaWriter struct {
	w     io.Writer
	codec Codec
	shape Shape
	sets  []byte
	begun bool
	err   error
}

// codecIDs are Matroska's names.
var codecIDs = map[Codec]string{H264: "V_MPEG4/ISO/AVC", HEVC: "V_MPEGH/ISO/HEVC", AV1: "V_AV1"}

// NewMatroskaWriter makes a writer; the file begins with the first unit. sets are
// the parameter sets that the stream begins with, see [Unit.Sets].
func NewMatroskaWriter(w io.Writer, c Codec, shape Shape, sets []byte) *MatroskaWriter {
	return &MatroskaWriter{w: w, codec: c, shape: shape, sets: sets}
}

// begin writes what comes before the units.
func (m *MatroskaWriter) begin() {
	m.write(element(0x1A45DFA3,
		number8(0x4286, 1), number8(0x42F7, 1), number8(0x42F2, 4), number8(0x42F3, 8),
		element(0x4282, []byte("matroska")), number8(0x4287, 4), number8(0x4285, 2)))
	// A segment of unknown size: it ends with the file.
	m.write([]byte{0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	m.write(element(0x1549A966, number8(0x2AD7B1, matroskaUnit), element(0x4D80, []byte("lode")), element(0x5741, []byte("lode"))))
	track := [][]byte{
		number8(0xD7, 1), number8(0x73C5, 1), number8(0x83, 1), element(0x86, []byte(codecIDs[m.codec])),
		element(0xE0, number8(0xB0, uint64(m.shape.Width)), number8(0xBA, uint64(m.shape.Height))),
	}
	if len(m.sets) > 0 {
		track = append(track, element(0x63A2, m.sets))
	}
	m.write(element(0x1654AE6B, element(0xAE, track...)))
}

// Write adds a unit that is decoded at a time and shown later by so much, both in
// microseconds. Times must rise, and what is later must not be negative.
func (m *MatroskaWriter) Write(u Unit, decoded, later int64) error {
	if decoded < 0 || later < 0 {
		return fmt.Errorf("matroska: decoded at %d µs, shown %d µs later", decoded, later)
	}
	if !m.begun {
		m.begun = true
		m.begin()
	}
	data := u.Bytes
	if m.codec == AV1 && len(data) >= 2 && data[0]>>3&15 == obuDelimiter {
		data = data[2:] // Matroska's blocks are its delimiters
	}
	group := [][]byte{element(0xA1, append([]byte{0x81, 0, 0, 0}, data...)), number8(0x9B, uint64(later+laterBias))}
	if !u.Key {
		group = append(group, element(0xFB, []byte{0xFF})) // it refers to another
	}
	// A cluster for each: its time has no bounds, a block's time in it has 16 bits.
	m.write(element(0x1F43B675, number8(0xE7, uint64(decoded)), element(0xA0, group...)))
	return m.err
}

// laterBias is added to durations: one of zero would mean that it is unknown.
const laterBias = 1

// timeFilter makes of a file by MatroskaWriter what it stands for: shift is taken off
// all times, each picture lasts for so long where nothing follows, all in microseconds.
func timeFilter(shift, lasts int64) string {
	return fmt.Sprintf("setts=pts=PTS+DURATION-%d:dts=PTS-%d:duration=%d", shift+laterBias, shift, max(1, lasts))
}

func (m *MatroskaWriter) write(b []byte) {
	if m.err == nil {
		_, m.err = m.w.Write(b)
	}
}

// element is an EBML element with a size of eight bytes.
func element(id uint32, parts ...[]byte) []byte {
	var out []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if b := byte(id >> shift); b != 0 || len(out) > 0 {
			out = append(out, b)
		}
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	out = binary.BigEndian.AppendUint64(out, 1<<56|uint64(size))
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func number8(id uint32, v uint64) []byte {
	return element(id, binary.BigEndian.AppendUint64(nil, v))
}
