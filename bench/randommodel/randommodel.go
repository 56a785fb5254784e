// Package randommodel makes language models of a real size whose weights are random: how
// fast an engine is does not depend on what weights say, and no model of a real size comes
// with Lode. They are for speed only; what they say is noise.
//
// [Write] writes a GGUF file of llama's architecture with the tokenizer and the chat
// template of lode-mini. The same shape gives the same file, byte for byte.
package randommodel

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/lodenet/lode/subnets/inference"
)

// Type is how weights are stored, as ggml numbers it.
type Type uint32

const (
	norms Type = 0  // F32: what scales of whole layers are stored as
	F16   Type = 1  // a half
	Q40   Type = 2  // Q4_0: a half as scale, and 4 bits each
	Q80   Type = 8  // Q8_0: a half as scale, and 8 bits each
	Q4K   Type = 12 // Q4_K: two halves, 8 scales and minima of 6 bits, and 4 bits each
)

// Types are all that weights can be of.
var Types = []Type{F16, Q40, Q80, Q4K}

// layouts say how many weights share a block, and how many bytes it has.
var layouts = map[Type]struct {
	name           string
	weights, bytes int
}{
	norms: {"F32", 1, 4}, F16: {"F16", 1, 2}, Q40: {"Q4_0", 32, 18}, Q80: {"Q8_0", 32, 34}, Q4K: {"Q4_K", 256, 144},
}

func (t Type) String() string { return layouts[t].name }

// bytes are those of so many weights.
func (t Type) bytes(weights int) int {
	l := layouts[t]
	return weights / l.weights * l.bytes
}

// Shape says how large a model is.
type Shape struct {
	Layers     int
	Width      int // of what goes from layer to layer; a multiple of the type's blocks and of Heads
	Hidden     int // of a layer's feed-forward part; a multiple of the type's blocks
	Heads      int
	KVHeads    int // of keys and values; Heads is a multiple of it
	Vocabulary int // at least lode-mini's 4096; those beyond are made up
	Context    int // tokens
	Type       Type
	Seed       uint64
}

// Half is of half a billion weights and 32,768 tokens: with 8 bits a weight it is half a
// gigabyte, more than any processor's cache.
func Half(t Type) Shape {
	return Shape{Layers: 24, Width: 1280, Hidden: 3584, Heads: 20, KVHeads: 4, Vocabulary: 1 << 15, Context: 2048, Type: t, Seed: 1}
}

// Seven is of seven billion weights, as models are that one GPU serves.
func Seven(t Type) Shape {
	return Shape{Layers: 32, Width: 4096, Hidden: 14336, Heads: 32, KVHeads: 8, Vocabulary: 1 << 15, Context: 8192, Type: t, Seed: 1}
}

func (s Shape) check() error {
	if !slices.Contains(Types, s.Type) {
		return fmt.Errorf("weights of type %d: %v are known", s.Type, Types)
	}
	block := max(32, layouts[s.Type].weights)
	switch {
	case s.Layers < 1 || s.Width < 32 || s.Hidden < 32 || s.Heads < 1 || s.KVHeads < 1 || s.Context < 1:
		return fmt.Errorf("a model of %+v", s)
	case s.Width%block != 0 || s.Hidden%block != 0 || s.Width%(2*s.Heads) != 0 || s.Heads%s.KVHeads != 0:
		return fmt.Errorf("%+v: width and hidden come in blocks of %d, width in pairs for each head, heads in groups for each of keys", s, block)
	}
	return nil
}

// tensor is a matrix of weights, or a line of scales.
type tensor struct {
	name    string
	in, out int // out is 0 for scales
	kind    Type
}

func (t tensor) bytes() int { return t.kind.bytes(t.in * max(t.out, 1)) }

func (s Shape) tensors() []tensor {
	keys := s.Width / s.Heads * s.KVHeads
	all := []tensor{{"token_embd.weight", s.Width, s.Vocabulary, s.Type}}
	for i := range s.Layers {
		part := func(name string, in, out int) {
			t := tensor{fmt.Sprintf("blk.%d.%s.weight", i, name), in, out, s.Type}
			if out == 0 {
				t.kind = norms
			}
			all = append(all, t)
		}
		part("attn_norm", s.Width, 0)
		part("attn_q", s.Width, s.Width)
		part("attn_k", s.Width, keys)
		part("attn_v", s.Width, keys)
		part("attn_output", s.Width, s.Width)
		part("ffn_norm", s.Width, 0)
		part("ffn_gate", s.Width, s.Hidden)
		part("ffn_up", s.Width, s.Hidden)
		part("ffn_down", s.Hidden, s.Width)
	}
	return append(all, tensor{"output_norm.weight", s.Width, 0, norms})
}

// Weights is how many there are.
func (s Shape) Weights() int {
	sum := 0
	for _, t := range s.tensors() {
		sum += t.in * max(t.out, 1)
	}
	return sum
}

// Write writes the model to a new file.
func Write(path string, s Shape) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	head, err := s.header()
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = w.Write(head) // a later error of the writer's is this one
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], s.Seed)
	noise := rand.NewChaCha8(seed)
	for _, t := range s.tensors() {
		if err == nil {
			err = t.write(w, noise)
		}
	}
	return errors.Join(err, w.Flush())
}

// write writes weights that neither vanish nor grow from layer to layer.
func (t tensor) write(w io.Writer, noise *rand.ChaCha8) error {
	buf := make([]byte, t.kind.bytes(t.in))
	if t.kind == norms {
		for i := 0; i < len(buf); i += 4 {
			binary.LittleEndian.PutUint32(buf[i:], math.Float32bits(1))
		}
	}
	size := 1 / math.Sqrt(float64(t.in))
	for range max(t.out, 1) {
		switch t.kind {
		case Q80:
			fill(noise, buf)
			// Bytes are spread over 256 values, 74 around their middle.
			scale := halfOf(size / 74)
			for i := 0; i < len(buf); i += 34 {
				binary.LittleEndian.PutUint16(buf[i:], scale)
			}
		case Q40:
			fill(noise, buf)
			// 16 values, 4.6 around their middle.
			scale := halfOf(size / 4.6)
			for i := 0; i < len(buf); i += 18 {
				binary.LittleEndian.PutUint16(buf[i:], scale)
			}
		case Q4K:
			fill(noise, buf)
			// A weight is scale·a·q − least·b of a and b to 63 and q to 15: their means cancel, and
			// together they are some 300 around.
			scale, least := halfOf(size/300), halfOf(7.5*size/300)
			for i := 0; i < len(buf); i += 144 {
				binary.LittleEndian.PutUint16(buf[i:], scale)
				binary.LittleEndian.PutUint16(buf[i+2:], least)
			}
		case F16:
			fill(noise, buf)
			exponent := halfOf(size) & (31 << 10)
			for i := 0; i < len(buf); i += 2 {
				v := binary.LittleEndian.Uint16(buf[i:])
				binary.LittleEndian.PutUint16(buf[i:], v&(1<<15|1<<10-1)|exponent)
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return pad(w, t.bytes())
}

func fill(noise *rand.ChaCha8, buf []byte) {
	_, _ = noise.Read(buf) // it never fails
}

// halfOf is a positive number of a usual size as a half, rounded down.
func halfOf(f float64) uint16 {
	m, e := math.Frexp(f) // m in [½, 1)
	if e < -13 {
		return uint16(f * 0x1p24)
	}
	return uint16((e+14)<<10) + uint16((2*m-1)*1024)
}

// alignment is that of tensors in a file.
const alignment = 32

func pad(w io.Writer, written int) error {
	_, err := w.Write(make([]byte, (alignment-written%alignment)%alignment))
	return err
}

// header is all before the weights.
func (s Shape) header() ([]byte, error) {
	pairs, count, err := tokenizer(inference.Demo.Data, s.Vocabulary)
	if err != nil {
		return nil, err
	}
	var own []byte
	text := func(key, v string) {
		own = appendText(binary.LittleEndian.AppendUint32(appendText(own, key), kindText), v)
		count++
	}
	number := func(key string, v int) {
		own = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(appendText(own, key), kindUint32), uint32(v))
		count++
	}
	real := func(key string, v float32) {
		own = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(appendText(own, key), kindFloat32), math.Float32bits(v))
		count++
	}
	text("general.architecture", "llama")
	text("general.name", fmt.Sprintf("random weights: for speed only (%d million, %v)", s.Weights()/1_000_000, s.Type))
	number("llama.block_count", s.Layers)
	number("llama.context_length", s.Context)
	number("llama.embedding_length", s.Width)
	number("llama.feed_forward_length", s.Hidden)
	number("llama.attention.head_count", s.Heads)
	number("llama.attention.head_count_kv", s.KVHeads)
	number("llama.rope.dimension_count", s.Width/s.Heads)
	number("llama.vocab_size", s.Vocabulary)
	real("llama.attention.layer_norm_rms_epsilon", 1e-5)
	real("llama.rope.freq_base", 10_000)

	tensors := s.tensors()
	b := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(tensors)))
	b = binary.LittleEndian.AppendUint64(b, uint64(count))
	b = append(append(b, own...), pairs...)
	offset := 0
	for _, t := range tensors {
		b = appendText(b, t.name)
		dimensions := []int{t.in}
		if t.out > 0 {
			dimensions = append(dimensions, t.out)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dimensions)))
		for _, d := range dimensions {
			b = binary.LittleEndian.AppendUint64(b, uint64(d))
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(t.kind))
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		offset += (t.bytes() + alignment - 1) / alignment * alignment
	}
	return append(b, make([]byte, (alignment-len(b)%alignment)%alignment)...), nil
}
