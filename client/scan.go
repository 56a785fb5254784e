package client

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// scan reads JSON from its beginning to its end, once: a block's results are half a
// megabyte, and CometBFT's types take a parser for each attribute of each event. It
// writes over the text: strings are parts of it, with what was escaped put in its place,
// so the text must not change any more. The first error stops it: what follows is empty.
type scan struct {
	b     []byte
	at    int
	depth int
	err   error
}

// errJSON is an answer that can't be read.
var errJSON = errors.New("what answers there is no CometBFT RPC server")

// maxDepth bounds how deep JSON is nested.
const maxDepth = 64

func (s *scan) fail(why string) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s at byte %d of its answer", errJSON, why, s.at)
		s.b, s.at = nil, 0
	}
}

// next is the first byte of the next token; 0 at the end.
func (s *scan) next() byte {
	for s.at < len(s.b) {
		c := s.b[s.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return 0
		}
		s.at++
	}
	return 0
}

// take passes over a byte that must be next.
func (s *scan) take(c byte) {
	if s.next() != c {
		s.fail(fmt.Sprintf("no %q", c))
		return
	}
	s.at++
}

// word passes over one, if it is next.
func (s *scan) word(w string) bool {
	if s.next() != w[0] || len(s.b)-s.at < len(w) || string(s.b[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scan) null() bool { return s.next() == 'n' && s.word("null") }

// down counts how deep it is; up is its end.
func (s *scan) down() {
	if s.depth++; s.depth > maxDepth {
		s.fail("too much nesting")
	}
}

// object calls f with each key, to read the value; null is an object without any.
func (s *scan) object(f func(key string)) {
	if s.null() {
		return
	}
	s.take('{')
	if s.next() == '}' {
		s.at++
		return
	}
	s.down()
	s.member(f)
	s.rest(f)
}

// member reads a key and its value.
func (s *scan) member(f func(key string)) {
	if s.next() != '"' {
		s.fail("no key")
		return
	}
	key := s.text()
	s.take(':')
	f(key)
}

// rest reads what follows a value of an object, to the object's end.
func (s *scan) rest(f func(key string)) {
	for s.next() == ',' {
		s.at++
		s.member(f)
	}
	s.depth--
	s.take('}')
}

// list calls f to read each element; null is a list without any.
func (s *scan) list(f func()) {
	if s.null() {
		return
	}
	s.take('[')
	if s.next() == ']' {
		s.at++
		return
	}
	s.down()
	for f(); s.next() == ','; f() {
		s.at++
	}
	s.depth--
	s.take(']')
}

// text is a string; null is an empty one.
func (s *scan) text() string {
	if s.null() {
		return ""
	}
	s.take('"')
	start := s.at
	if t, after := plain(s.b, start); after > 0 {
		s.at = after
		return t
	}
	return s.escaped(start)
}

// special are the bytes that end the plain part of a string: its end, what is escaped,
// what is not allowed, and what is no ASCII.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf
	}
	return t
}()

// plain is a string of ASCII from after its quotation mark on, and where it ends; it may
// be a quoted one within, as typed events have them. Of others it reads nothing: after
// is 0.
func plain(b []byte, start int) (t string, after int) {
	at := start
	for at < len(b) && !special[b[at]] {
		at++
	}
	if at < len(b) && b[at] == '"' {
		return unsafe.String(unsafe.SliceData(b[start:]), at-start), at + 1
	}
	if at != start || len(b)-at < 5 || b[at] != '\\' || b[at+1] != '"' {
		return "", 0
	}
	for at += 2; at < len(b) && !special[b[at]]; {
		at++
	}
	if len(b)-at < 3 || b[at] != '\\' || b[at+1] != '"' || b[at+2] != '"' {
		return "", 0
	}
	b[at] = '"'
	return unsafe.String(unsafe.SliceData(b[start+1:]), at-start), at + 3
}

// escaped reads a string that is not plain.
func (s *scan) escaped(start int) string {
	b, at, to, seen := s.b, start, start, byte(0)
	for at < len(b) {
		c := b[at]
		if c == '"' {
			s.at = at + 1
			return textOf(b[start:to], seen)
		}
		if c < ' ' {
			break
		}
		at++
		if c != '\\' {
			seen |= c
			b[to] = c
			to++
			continue
		}
		if at == len(b) {
			break
		}
		c = b[at]
		at++
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, after := escapedRune(b, at)
			if after == 0 {
				s.fail("no character")
				return ""
			}
			at = after
			if r < utf8.RuneSelf {
				c = byte(r)
				break
			}
			seen = utf8.RuneSelf
			to += utf8.EncodeRune(b[to:], r) // shorter than what was read
			continue
		default:
			s.fail("an unknown escape")
			return ""
		}
		b[to] = c
		to++
	}
	s.fail("no end of a string")
	return ""
}

// escapedRune reads the digits of \uXXXX, and of a second one where it takes two; what is
// none is U+FFFD, as everywhere in JSON. after is 0 where there are no digits.
func escapedRune(b []byte, at int) (r rune, after int) {
	digits := func(at int) rune {
		if at+4 > len(b) {
			return -1
		}
		n, err := strconv.ParseUint(string(b[at:at+4]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(n)
	}
	if r = digits(at); r < 0 {
		return 0, 0
	}
	at += 4
	if !utf16.IsSurrogate(r) {
		return r, at
	}
	if at+2 <= len(b) && b[at] == '\\' && b[at+1] == 'u' {
		if both := utf16.DecodeRune(r, digits(at+2)); both != utf8.RuneError {
			return both, at + 6
		}
	}
	return utf8.RuneError, at
}

// textOf is bytes as a string, without a copy; seen has the highest bit where it is not
// all ASCII.
func textOf(b []byte, seen byte) string {
	t := unsafe.String(unsafe.SliceData(b), len(b))
	if seen >= utf8.RuneSelf && !utf8.ValidString(t) {
		return string([]rune(t)) // as encoding/json does: U+FFFD for each byte
	}
	return t
}

// token is a number as it is written, quoted or not.
func (s *scan) token() string {
	if s.next() == '"' {
		return s.text()
	}
	start := s.at
	for s.at < len(s.b) && (s.b[s.at] == '-' || s.b[s.at] == '+' || s.b[s.at] == '.' || s.b[s.at] >= '0' && s.b[s.at] <= '9' || s.b[s.at]|' ' == 'e') {
		s.at++
	}
	return textOf(s.b[start:s.at], 0)
}

// number is a whole one; null is 0.
func (s *scan) number() int64 {
	if s.null() {
		return 0
	}
	n, err := strconv.ParseInt(s.token(), 10, 64)
	if err != nil {
		s.fail("no number")
	}
	return n
}

// number32 is one from 0 up.
func (s *scan) number32() uint32 {
	n := s.number()
	if n < 0 || n > math.MaxUint32 {
		s.fail("no number of 32 bits")
	}
	return uint32(n)
}

func (s *scan) flag() bool {
	switch {
	case s.word("true"):
		return true
	case s.word("false"), s.null():
	default:
		s.fail("neither true nor false")
	}
	return false
}

// base64 and hex are bytes.
func (s *scan) base64() []byte {
	out, err := base64.StdEncoding.DecodeString(s.text())
	if err != nil {
		s.fail("no base64")
	}
	return out
}

func (s *scan) hex() []byte {
	out, err := hex.DecodeString(s.text())
	if err != nil {
		s.fail("no hexadecimal digits")
	}
	return out
}

func (s *scan) time() time.Time {
	t, err := time.Parse(time.RFC3339Nano, s.text())
	if err != nil {
		s.fail("no time")
	}
	return t
}

// skip passes over a value.
func (s *scan) skip() {
	switch c := s.next(); {
	case c == '"':
		s.text()
	case c == '{':
		s.object(func(string) { s.skip() })
	case c == '[':
		s.list(s.skip)
	case c == 't' || c == 'f' || c == 'n':
		s.flag()
	default:
		if t := s.token(); !json.Valid([]byte(t)) {
			s.fail("no value")
		}
	}
}

// end is where nothing may follow.
func (s *scan) end() error {
	if s.err == nil && s.next() != 0 || s.at < len(s.b) {
		s.fail("more than was asked for")
	}
	return s.err
}
