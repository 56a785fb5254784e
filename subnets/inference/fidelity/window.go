package fidelity

import "slices"

// DefaultWindow is how many tokens of a miner are looked at together: some ten answers. A
// miner that cheats in one of ten of them is seen in it, one that has mended its ways is
// trusted again after as many.
const DefaultWindow = 2048

// Window holds the last tokens of a miner, over its answers. The zero value holds
// [DefaultWindow] of them. It is for one goroutine at a time.
type Window struct {
	Size int // 0: [DefaultWindow]

	tokens []Token
	broken string // what an answer contradicted; "": none
	since  int    // tokens that came after it
}

func (w *Window) size() int {
	if w.Size > 0 {
		return w.Size
	}
	return DefaultWindow
}

// Add puts tokens into the window; the oldest leave it.
func (w *Window) Add(tokens ...Token) {
	w.tokens = append(w.tokens, tokens...)
	if over := len(w.tokens) - w.size(); over > 0 {
		w.tokens = slices.Delete(w.tokens, 0, over)
	}
	if w.since += len(tokens); w.since >= w.size() {
		w.broken = ""
	}
}

// Break notes an answer that contradicts itself or what was asked ([ErrExact]): the window
// fails until as many tokens came after it as it holds.
func (w *Window) Break(err error) { w.broken, w.since = err.Error(), 0 }

// Tokens is how many there are.
func (w *Window) Tokens() int { return len(w.tokens) }

// Verdict judges what is in the window.
func (w *Window) Verdict(th Thresholds) Verdict {
	v := Judge(th, w.tokens)
	if w.broken != "" {
		v.Pass, v.Reason = false, w.broken
	}
	return v
}
