package engine

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Text turns tokens into the pieces of an answer: it holds back what may be the start of
// a stop string or of a character, and cuts the answer at the first stop string.
type Text struct {
	stops   [][]byte
	pending []byte  // not given out yet
	tokens  []Token // not given out yet
	ends    []int   // where each of them ends in pending
	begin   int     // where the first of them begins: below 0 if part of it is out
}

// NewText returns a Text with the stop strings of a request that passed [Request.Check].
func NewText(stops []string) *Text {
	t := new(Text)
	for _, s := range stops {
		t.stops = append(t.stops, []byte(s))
	}
	return t
}

// Add takes the next token and returns what can be given out, which may be nothing, and
// the stop string that ended the answer. After one, nothing may be added.
func (t *Text) Add(token Token) (c Chunk, stop string) {
	t.pending = append(t.pending, token.Bytes...)
	t.tokens = append(t.tokens, token)
	t.ends = append(t.ends, len(t.pending))
	at := -1
	for _, s := range t.stops {
		if i := bytes.Index(t.pending, s); i >= 0 && (at < 0 || i < at) {
			at, stop = i, string(s)
		}
	}
	if at >= 0 {
		return t.cut(at), stop
	}
	keep := 0
	for _, s := range t.stops {
		for n := min(len(s)-1, len(t.pending)); n > keep; n-- {
			if bytes.HasSuffix(t.pending, s[:n]) {
				keep = n
				break
			}
		}
	}
	return t.out(whole(t.pending[:len(t.pending)-keep])), ""
}

// Flush returns what is held back. A character that is not whole becomes U+FFFD.
func (t *Text) Flush() Chunk { return t.out(len(t.pending)) }

// cut gives out what lies before a stop string, with the tokens that begin there.
func (t *Text) cut(at int) Chunk {
	c := Chunk{Text: strings.ToValidUTF8(string(t.pending[:at]), "\uFFFD")}
	begin := t.begin
	for i, token := range t.tokens {
		if begin < at || begin < 0 {
			c.Tokens = append(c.Tokens, token)
		}
		begin = t.ends[i]
	}
	*t = Text{stops: t.stops}
	return c
}

// out gives out the first n bytes and the tokens that end in them.
func (t *Text) out(n int) Chunk {
	tokens := 0
	for tokens < len(t.ends) && t.ends[tokens] <= n {
		tokens++
	}
	c := Chunk{Text: strings.ToValidUTF8(string(t.pending[:n]), "\uFFFD")}
	if tokens > 0 {
		c.Tokens = append(c.Tokens, t.tokens[:tokens]...)
	}
	if tokens > 0 {
		t.begin = t.ends[tokens-1]
	}
	t.begin -= n
	if len(t.tokens) == tokens {
		t.begin = 0
	}
	t.pending = append(t.pending[:0], t.pending[n:]...)
	t.tokens = append(t.tokens[:0], t.tokens[tokens:]...)
	t.ends = append(t.ends[:0], t.ends[tokens:]...)
	for i := range t.ends {
		t.ends[i] -= n
	}
	return c
}

// whole returns how many bytes of b are whole characters, or can't become any.
func whole(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if start := len(b) - i; utf8.RuneStart(b[start]) {
			if !utf8.FullRune(b[start:]) {
				return start
			}
			break
		}
	}
	return len(b)
}
