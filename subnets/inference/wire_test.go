package inference

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// readAll reads a stream's pieces to its end.
func readAll(r io.Reader) (all []string, err error) {
	p := newPieceReader(r)
	for {
		piece, err := p.next()
		if err != nil {
			return all, err
		}
		all = append(all, string(piece))
	}
}

func TestPiecesAreReadAsTheyAreWritten(t *testing.T) {
	w := httptest.NewRecorder()
	out := pieceWriter{w: w, sealer: plainPieces{}}
	out.begin()
	events := []Event{
		{Prompt: 3, Text: "a\nb\r\n\u2028", Tokens: []Token{{ID: 1, LogProb: -0.5, Bytes: []byte{0xff}, Top: []Alternative{{ID: 2}}}}},
		{Text: strings.Repeat("long ", 10_000)},
		{Finish: engine.FinishStop, StopString: "data: x\n\n"},
	}
	for _, ev := range events {
		require.NoError(t, out.send(ev, false))
	}
	require.True(t, w.Flushed)
	require.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
	for name, r := range map[string]io.Reader{
		"at once":             bytes.NewReader(w.Body.Bytes()),
		"byte by byte":        iotest.OneByteReader(bytes.NewReader(w.Body.Bytes())),
		"with the end beside": iotest.DataErrReader(bytes.NewReader(w.Body.Bytes())),
	} {
		all, err := readAll(r)
		require.Equal(t, io.EOF, err, name)
		require.Len(t, all, len(events))
		for i, raw := range all {
			var ev Event
			require.NoError(t, decode([]byte(raw), &ev))
			require.Equal(t, events[i], ev)
		}
	}
	require.ErrorIs(t, out.send(Event{Text: strings.Repeat("x", maxPiece)}, false), errPieceTooLarge)
}

func TestAStreamThatBreaksOffDoesNotLookWhole(t *testing.T) {
	whole := "data: one\n\nevent: x\ndata: two\n\n: said beside\n\ndata: three\n\n"
	borders := map[int]bool{0: true}
	for i := range len(whole) {
		if strings.HasSuffix(whole[:i+1], "\n\n") {
			borders[i+1] = true
		}
	}
	for n := range len(whole) + 1 {
		all, err := readAll(strings.NewReader(whole[:n]))
		want := io.ErrUnexpectedEOF
		if borders[n] {
			want = io.EOF
		}
		require.Equal(t, want, err, "%q", whole[:n])
		require.Subset(t, []string{"one", "three"}, all)
	}
	broken := errors.New("broken")
	_, err := readAll(io.MultiReader(strings.NewReader("data: one\n"), iotest.ErrReader(broken)))
	require.Equal(t, broken, err)
}

func TestReadersHaveBounds(t *testing.T) {
	_, err := readAll(strings.NewReader("data: " + strings.Repeat("x", maxPiece) + "\n\n"))
	require.ErrorIs(t, err, errPieceTooLarge)
	_, err = readAll(strings.NewReader(strings.Repeat("\n", maxStream/lineCost)))
	require.ErrorIs(t, err, errStreamTooLarge)
	_, err = readAll(io.LimitReader(&repeated{text: "event: x\ndata: " + strings.Repeat("y", 1000) + "\n\n"}, 2*maxStream))
	require.ErrorIs(t, err, errStreamTooLarge)
}

// repeated says the same for ever.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// FuzzPieces reads whatever comes: every piece is one line, and all of them written anew
// are read as the same.
func FuzzPieces(f *testing.F) {
	for _, s := range []string{
		"", "\n", "data: a\n\n", "data:a\r\n\r\n", "event: x\ndata: b\n\ndata: c\n\n", "data: a\ndata: b\n\n", "data\n\n", ": c\n\n", "data: a", "data: a\n",
		"event:\ndata: d\n\n", "event: message\ndata: e\n\n", "id: 1\nretry: 2\ndata: f\n\n", "data: \xff\x00\n\n", "\rdata: a\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		all, err := readAll(bytes.NewReader(in))
		slow, err2 := readAll(iotest.OneByteReader(bytes.NewReader(in)))
		require.Equal(t, err, err2)
		require.Equal(t, all, slow)
		var out strings.Builder
		for _, piece := range all {
			require.NotContains(t, piece, "\n")
			out.WriteString("data: " + piece + "\n\n")
		}
		again, err := readAll(strings.NewReader(out.String()))
		require.Equal(t, io.EOF, err)
		require.Equal(t, len(all), len(again))
		for i := range all { // a \r at a line's end is the line's
			require.Equal(t, strings.TrimSuffix(all[i], "\r"), again[i])
		}
	})
}

// FuzzEvents checks whatever miners may send: what is accepted keeps to the bounds, and
// no error repeats it.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		`{"prompt":1,"text":"a","tokens":[{"id":97,"logprob":-1}]}`, `{"finish":"stop","tokens":[{"id":256,"logprob":0}]}`, `{"finish":"length"}`,
		`{"error":{"kind":"busy","message":"x"}}`, `{"error":{"too_long":{"tokens":9,"context":5}}}`, `{"text":"\ud800"}`, `{}`, `null`, `[]`, `{"tokens":null}`,
		`{"prompt":1e3}`, `{"prompt":-1,"finish":"stop"}`, `{"tokens":[{"id":-2147483649}]}`, `{"tokens":[{"top":[{"id":1,"bytes":"!"}]}]}`,
	} {
		f.Add([]byte(s), []byte(s), true)
	}
	f.Fuzz(func(t *testing.T, one, two []byte, verifiable bool) {
		r := Generate{Request: engine.Request{Prompt: engine.Prompt{Text: "abc"}, MaxTokens: 8, TopLogProbs: 2, Stop: []string{"x"}}}
		a := answer{request: &r, to: Remote{Card: Card{Engine: engine.Info{Vocabulary: 257, Context: 64, Verifiable: verifiable}}}}
		for _, raw := range [][]byte{one, two} {
			var ev Event
			err := open(plainPieces{}, raw, &ev)
			if err == nil && ev.Error != nil {
				err = errorOf(ev.Error)
				require.Error(t, err)
				require.NotContains(t, err.Error(), "canary")
				return
			}
			if err == nil {
				err = a.take(ev)
			}
			if err != nil {
				require.ErrorIs(t, err, ErrMiner)
				require.NotContains(t, err.Error(), "canary")
				return
			}
			require.True(t, a.Started)
			require.True(t, utf8.ValidString(ev.Text))
			require.LessOrEqual(t, a.Completion, 8)
			require.InDelta(t, 32, a.Prompt, 32)
			for _, token := range a.Tokens {
				require.Less(t, token.ID, int32(257))
				require.LessOrEqual(t, len(token.Top), 2)
			}
			raw, err := json.Marshal(ev)
			require.NoError(t, err)
			require.True(t, json.Valid(raw))
		}
	})
}

// FuzzCalls reads whatever callers may send: it is refused, or what engines take.
func FuzzCalls(f *testing.F) {
	for _, s := range []string{
		`{"version":1,"digest":"","prompt":{"text":"a"},"temperature":0.5,"seed":18446744073709551615,"max_tokens":4,"stop":["x"]}`,
		`{"version":1,"prompt":{"chat":{"messages":[{"role":"user","content":"a"}],"tools":[]}}}`, `{"prompt":{"tokens":[1,2]}}`, `{"grammar":{"schema":{}}}`,
		`{"seed":-1}`, `{"temperature":1e999}`, `null`, `{`, `[[[[`, `{"prompt":{"text":"a","tokens":[1]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var g Generate
		if err := decode(in, &g); err != nil {
			return
		}
		if err := g.Check(); err != nil {
			f, status := failureOf(err)
			require.Contains(t, []string{"invalid", "grammar"}, f.Kind)
			require.Contains(t, []int{400, 422}, status)
			return
		}
		require.GreaterOrEqual(t, promptBytes(g.Prompt), 1)
		n := Ceiling(promptBytes(g.Prompt), g.MaxTokens)
		read, err := readUnits(jsonNumber(n))
		require.NoError(t, err)
		require.Equal(t, n, read)
	})
}

func jsonNumber(n uint64) string {
	raw, _ := json.Marshal(n)
	return string(raw)
}
