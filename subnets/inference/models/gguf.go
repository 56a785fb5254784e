package models

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// ErrNoModel is wrapped by errors about files that are no whole GGUF file.
var ErrNoModel = errors.New("not a model's file")

// Header is what a GGUF file says of itself.
type Header struct {
	Name         string // general.name; may be empty
	Architecture string
	Tensors      []Tensor
	Data         int64 // where the tensors' data begins
	End          int64 // the least size of the file
}

// Tensor is a block of weights.
type Tensor struct {
	Name   string
	Type   uint32 // of ggml: 0 F32, 1 F16, 2 Q4_0, 8 Q8_0, …
	Values uint64
	Offset uint64 // from [Header].Data
	Bytes  uint64 // 0: the type is not known here
}

// Bounds of a header.
const (
	maxPairs       = 1 << 16
	maxTensors     = 1 << 20
	maxString      = 16 << 20
	maxArray       = 1 << 26
	maxAlignment   = 1 << 20
	maxDimensions  = 8
	headerVersion2 = 2
	headerVersion3 = 3
)

// Kinds of values in a header.
const (
	kindUint32 = 4
	kindString = 8
	kindArray  = 9
)

// widths are the bytes of a value by its kind; 0: none of fixed width.
var widths = [...]int64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 0, 9: 0, 10: 8, 11: 8, 12: 8}

// blocks are the sizes of ggml's types: so many values take so many bytes.
var blocks = map[uint32][2]uint64{
	0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, 9: {32, 36},
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, 15: {256, 292},
	16: {256, 66}, 17: {256, 74}, 18: {256, 98}, 19: {256, 50}, 20: {32, 18}, 21: {256, 110}, 22: {256, 82}, 23: {256, 136},
	24: {1, 1}, 25: {1, 2}, 26: {1, 4}, 27: {1, 8}, 28: {1, 8}, 29: {256, 56}, 30: {1, 2},
	34: {256, 54}, 35: {256, 66}, 39: {32, 17},
}

// ReadHeader reads the header of a file of so many bytes, and checks that all tensors lie
// within it. The error wraps [ErrNoModel], or is the reader's.
func ReadHeader(r io.Reader, size int64) (Header, error) {
	p := &headerReader{r: bufio.NewReaderSize(r, 1<<16), size: size}
	h, err := p.header()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: it ends within its header", ErrNoModel)
	}
	return h, err
}

type headerReader struct {
	r    *bufio.Reader
	at   int64
	size int64
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNoModel}, args...)...)
}

func (p *headerReader) header() (h Header, err error) {
	magic := make([]byte, 4)
	if err := p.read(magic); err != nil || string(magic) != "GGUF" {
		return h, bad("it does not begin as GGUF files do")
	}
	version, err := p.uint32()
	if err != nil {
		return h, err
	}
	if version != headerVersion2 && version != headerVersion3 {
		return h, bad("its version is %d, versions 2 and 3 are known", version)
	}
	tensors, err := p.uint64()
	if err != nil {
		return h, err
	}
	pairs, err := p.uint64()
	if err != nil {
		return h, err
	}
	if tensors == 0 || tensors > maxTensors || pairs > maxPairs {
		return h, bad("%d tensors and %d pairs, the bounds are %d and %d", tensors, pairs, maxTensors, maxPairs)
	}
	alignment := uint64(32)
	for range pairs {
		if err := p.pair(&h, &alignment); err != nil {
			return h, err
		}
	}
	for range tensors {
		t, err := p.tensor()
		if err != nil {
			return h, err
		}
		h.Tensors = append(h.Tensors, t)
	}
	h.Data = int64((uint64(p.at) + alignment - 1) / alignment * alignment)
	h.End = h.Data
	for _, t := range h.Tensors {
		if t.Offset%alignment != 0 || t.Offset > uint64(p.size) || t.Bytes > uint64(p.size) || h.Data+int64(t.Offset)+int64(t.Bytes) > p.size {
			return h, bad("tensor %.40q lies beyond its %d bytes: it is cut off or damaged, get it again", t.Name, p.size)
		}
		h.End = max(h.End, h.Data+int64(t.Offset)+int64(t.Bytes))
	}
	return h, nil
}

// pair reads a name and its value, of which a few are kept.
func (p *headerReader) pair(h *Header, alignment *uint64) error {
	key, err := p.string(1 << 16)
	if err != nil {
		return err
	}
	kind, err := p.uint32()
	if err != nil {
		return err
	}
	switch {
	case kind == kindString && (key == "general.name" || key == "general.architecture"):
		s, err := p.string(maxString)
		if err != nil {
			return err
		}
		if key == "general.name" {
			h.Name = s
		} else {
			h.Architecture = s
		}
		return nil
	case kind == kindUint32 && key == "general.alignment":
		n, err := p.uint32()
		if err != nil {
			return err
		}
		if n == 0 || n > maxAlignment || n&(n-1) != 0 {
			return bad("its alignment is %d", n)
		}
		*alignment = uint64(n)
		return nil
	}
	return p.skip(kind, false)
}

// skip passes over a value.
func (p *headerReader) skip(kind uint32, within bool) error {
	switch {
	case kind == kindString:
		n, err := p.uint64()
		if err != nil {
			return err
		}
		if n > maxString {
			return bad("a text of %d bytes", n)
		}
		return p.discard(int64(n))
	case kind == kindArray && !within:
		of, err := p.uint32()
		if err != nil {
			return err
		}
		n, err := p.uint64()
		if err != nil {
			return err
		}
		if n > maxArray {
			return bad("a list of %d", n)
		}
		if int(of) < len(widths) && widths[of] > 0 {
			return p.discard(int64(n) * widths[of])
		}
		for range n {
			if err := p.skip(of, true); err != nil {
				return err
			}
		}
		return nil
	case int(kind) < len(widths) && widths[kind] > 0:
		return p.discard(widths[kind])
	}
	return bad("a value of kind %d", kind)
}

func (p *headerReader) tensor() (t Tensor, err error) {
	if t.Name, err = p.string(1 << 10); err != nil {
		return t, err
	}
	n, err := p.uint32()
	if err != nil {
		return t, err
	}
	if n > maxDimensions {
		return t, bad("a tensor of %d dimensions", n)
	}
	t.Values = 1
	for range n {
		d, err := p.uint64()
		if err != nil {
			return t, err
		}
		if d == 0 || d > 1<<40 || t.Values > 1<<40/d {
			return t, bad("a tensor that is too large")
		}
		t.Values *= d
	}
	if t.Type, err = p.uint32(); err != nil {
		return t, err
	}
	if b, ok := blocks[t.Type]; ok {
		if t.Values%b[0] != 0 {
			return t, bad("a tensor of %d values in blocks of %d", t.Values, b[0])
		}
		t.Bytes = t.Values / b[0] * b[1]
	}
	t.Offset, err = p.uint64()
	return t, err
}

func (p *headerReader) read(b []byte) error {
	n, err := io.ReadFull(p.r, b)
	p.at += int64(n)
	return err
}

func (p *headerReader) discard(n int64) error {
	if n > p.size-p.at {
		return io.ErrUnexpectedEOF
	}
	for n > 0 {
		step, err := p.r.Discard(int(min(n, 1<<30)))
		p.at += int64(step)
		if n -= int64(step); err != nil {
			return err
		}
	}
	return nil
}

func (p *headerReader) uint32() (uint32, error) {
	var b [4]byte
	err := p.read(b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func (p *headerReader) uint64() (uint64, error) {
	var b [8]byte
	err := p.read(b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

func (p *headerReader) string(most int) (string, error) {
	n, err := p.uint64()
	if err != nil {
		return "", err
	}
	if n > uint64(most) {
		return "", bad("a text of %d bytes", n)
	}
	if int64(n) > p.size-p.at {
		return "", io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	if err := p.read(b); err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", bad("a name that is no text")
	}
	return string(b), nil
}
