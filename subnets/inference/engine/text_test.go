package engine

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func token(s string) Token { return Token{Bytes: []byte(s)} }

// feed adds pieces until a stop string, and returns the texts and the tokens' bytes.
func feed(stops []string, pieces ...string) (texts, tokens []string, stop string) {
	text := NewText(stops)
	take := func(c Chunk) {
		if c.Text != "" {
			texts = append(texts, c.Text)
		}
		for _, t := range c.Tokens {
			tokens = append(tokens, string(t.Bytes))
		}
	}
	for _, p := range pieces {
		var c Chunk
		c, stop = text.Add(token(p))
		take(c)
		if stop != "" {
			return texts, tokens, stop
		}
	}
	take(text.Flush())
	return texts, tokens, ""
}

func TestTextComesAtOnceWhereNothingSpeaksAgainstIt(t *testing.T) {
	texts, tokens, _ := feed(nil, "Hel", "lo", " world")
	require.Equal(t, []string{"Hel", "lo", " world"}, texts)
	require.Equal(t, []string{"Hel", "lo", " world"}, tokens)
}

func TestStopStringsAreCutOffAcrossTokens(t *testing.T) {
	for _, c := range []struct {
		name   string
		stops  []string
		pieces []string
		text   string
		tokens int
		stop   string
	}{
		{"inside a token", []string{"X"}, []string{"abXcd", "e"}, "ab", 1, "X"},
		{"over three tokens", []string{"END"}, []string{"ab", "cE", "N", "D", "x"}, "abc", 2, "END"},
		{"not reached", []string{"END"}, []string{"ab", "E", "N"}, "abEN", 3, ""},
		{"a false start before the true one", []string{"aab"}, []string{"a", "a", "a", "b"}, "a", 1, "aab"},
		{"the first of two", []string{"yz", "xy"}, []string{"wxyz"}, "w", 1, "xy"},
		{"at the very start", []string{"\n"}, []string{"\n", "x"}, "", 0, "\n"},
		{"of two that begin alike, the one that is whole", []string{"abc", "ab"}, []string{"a", "b", "c"}, "", 0, "ab"},
		{"characters in pieces", []string{"é!"}, []string{"x\xc3", "\xa9", "!"}, "x", 1, "é!"},
	} {
		texts, tokens, stop := feed(c.stops, c.pieces...)
		require.Equal(t, c.text, strings.Join(texts, ""), c.name)
		require.Len(t, tokens, c.tokens, c.name)
		require.Equal(t, c.stop, stop, c.name)
	}
}

func TestPiecesAreWholeCharacters(t *testing.T) {
	var pieces []string
	for _, b := range []byte("aé€😀z") {
		pieces = append(pieces, string([]byte{b}))
	}
	texts, tokens, _ := feed(nil, pieces...)
	require.Equal(t, []string{"a", "é", "€", "😀", "z"}, texts)
	require.Len(t, tokens, len(pieces))

	texts, _, _ = feed(nil, "a\xf0\x9f")
	require.Equal(t, []string{"a", "\uFFFD"}, texts, "what is never whole is replaced at the end")
	texts, _, _ = feed(nil, "\xff", "b", "\x80")
	require.Equal(t, "\uFFFDb\uFFFD", strings.Join(texts, ""), "what can't be whole is replaced at once")
}

func FuzzText(f *testing.F) {
	f.Add([]byte("hello END"), "END", uint64(1))
	f.Add([]byte("a\xf0\x9f\x98\x80b"), "\x80b", uint64(2))
	f.Fuzz(func(t *testing.T, raw []byte, stop string, seed uint64) {
		if stop == "" || len(stop) > MaxStopBytes || !utf8.ValidString(stop) {
			t.Skip()
		}
		r := rand.New(rand.NewPCG(seed, 0))
		var pieces []string
		for rest := raw; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 5))
			pieces = append(pieces, string(rest[:n]))
			rest = rest[n:]
		}
		texts, tokens, stopped := feed([]string{stop}, pieces...)
		for _, text := range texts {
			require.True(t, utf8.ValidString(text))
		}
		before, _, found := strings.Cut(string(raw), stop)
		require.Equal(t, found, stopped != "")
		if utf8.ValidString(before) {
			require.Equal(t, before, strings.Join(texts, ""))
		}
		require.LessOrEqual(t, len(tokens), len(pieces))
	})
}
