package api

import (
	"strings"
	"unicode/utf8"
)

// cutter passes a choice's text on, up to a stop string. It holds back what may become
// one, and bytes that are not yet a whole character.
type cutter struct {
	stops  []string
	hold   string
	tokens []Token // of text that was not yet passed on
	starts []int   // of tokens, in bytes of the whole text
	came   int     // bytes of tokens
	passed int     // bytes of text
}

// push takes a piece and returns the text that is certain, the tokens that begin in it,
// and the stop string that ended it. After the last piece nothing is held back.
func (c *cutter) push(text string, tokens []Token, last bool) (out string, toks []Token, stop string) {
	for _, t := range tokens {
		c.tokens, c.starts = append(c.tokens, t), append(c.starts, c.came)
		c.came += len(t.Text)
	}
	c.hold += text
	at := -1
	for _, s := range c.stops {
		if i := strings.Index(c.hold, s); i >= 0 && (at < 0 || i < at) {
			at, stop = i, s
		}
	}
	if at < 0 {
		at = len(c.hold)
		if !last {
			at -= c.keep()
		}
	}
	out, c.hold = c.hold[:at], c.hold[at:]
	c.passed += len(out)
	n := len(c.tokens)
	if stop != "" || !last {
		n = 0
		for n < len(c.starts) && c.starts[n] < c.passed {
			n++
		}
	}
	toks, c.tokens, c.starts = c.tokens[:n], c.tokens[n:], c.starts[n:]
	return out, toks, stop
}

// keep is how many bytes at the end must wait for more.
func (c *cutter) keep() int {
	most := 0
	for _, s := range c.stops {
		most = max(most, overlap(c.hold, s))
	}
	at := len(c.hold) - most
	for n := 1; n < utf8.UTFMax && n <= at; n++ {
		if b := c.hold[at-n]; utf8.RuneStart(b) {
			if !utf8.FullRuneInString(c.hold[at-n : at]) {
				most += n
			}
			break
		}
	}
	return most
}
