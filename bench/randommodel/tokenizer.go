package randommodel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Kinds of values in a GGUF header.
const (
	kindUint32  = 4
	kindFloat32 = 6
	kindText    = 8
	kindList    = 9
)

// widths are the bytes of a value by its kind; 0: none of fixed width.
var widths = [...]int{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 0, 9: 0, 10: 8, 11: 8, 12: 8}

var errCutOff = errors.New("the model ends within its header")

// scanner reads a header that lies in memory.
type scanner struct {
	data []byte
	at   int
	err  error
}

func (s *scanner) take(n int) []byte {
	if s.err == nil && (n < 0 || n > len(s.data)-s.at) {
		s.err = errCutOff
	}
	if s.err != nil {
		return make([]byte, 8) // zeros for who does not look yet
	}
	s.at += n
	return s.data[s.at-n : s.at]
}

func (s *scanner) uint32() uint32 { return binary.LittleEndian.Uint32(s.take(4)) }

// length is one of something that lies in the rest.
func (s *scanner) length() int {
	n := binary.LittleEndian.Uint64(s.take(8))
	if n > uint64(len(s.data)) && s.err == nil {
		s.err = errCutOff
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

func (s *scanner) text() string { return string(s.take(s.length())) }

// skip passes over a value.
func (s *scanner) skip(kind uint32) {
	switch {
	case kind == kindText:
		s.take(s.length())
	case kind == kindList:
		of, n := s.uint32(), s.length()
		for i := 0; i < n && s.err == nil; i++ {
			s.skip(of)
		}
	case int(kind) < len(widths):
		s.take(widths[kind])
	case s.err == nil:
		s.err = fmt.Errorf("a value of kind %d", kind)
	}
}

// tokenizer takes the pairs about the tokenizer out of a model, with as many tokens, and
// counts them. Tokens beyond the model's own are made up; no text is read as them.
func tokenizer(model []byte, vocabulary int) (pairs []byte, count int, err error) {
	s := &scanner{data: model}
	magic := string(s.take(8)[:4])
	s.take(8)
	n := s.length()
	if s.err != nil || magic != "GGUF" {
		return nil, 0, errors.New("it is not a GGUF file")
	}
	for range n {
		begin := s.at
		key, kind := s.text(), s.uint32()
		value := s.at
		s.skip(kind)
		if s.err != nil {
			return nil, 0, s.err
		}
		if !strings.HasPrefix(key, "tokenizer.") {
			continue
		}
		count++
		var made func(i int) []byte
		switch key {
		case "tokenizer.ggml.tokens":
			made = func(i int) []byte { return appendText(nil, fmt.Sprintf("▁made%d", i)) }
		case "tokenizer.ggml.scores":
			made = func(int) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(-1e6)) }
		case "tokenizer.ggml.token_type":
			const usual = 1
			made = func(int) []byte { return binary.LittleEndian.AppendUint32(nil, usual) }
		default:
			pairs = append(pairs, model[begin:s.at]...)
			continue
		}
		// A list: the kind of what it has, how many, and they.
		const head = 4 + 8
		if kind != kindList {
			return nil, 0, fmt.Errorf("%s is no list", key)
		}
		have := int(binary.LittleEndian.Uint64(model[value+4:]))
		if vocabulary < have {
			return nil, 0, fmt.Errorf("a vocabulary of %d, the tokenizer has %d", vocabulary, have)
		}
		pairs = append(pairs, model[begin:value+4]...)
		pairs = binary.LittleEndian.AppendUint64(pairs, uint64(vocabulary))
		pairs = append(pairs, model[value+head:s.at]...)
		for i := have; i < vocabulary; i++ {
			pairs = append(pairs, made(i)...)
		}
	}
	if count == 0 {
		return nil, 0, errors.New("the model has no tokenizer")
	}
	return pairs, count, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}
