package child

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/internal/inbox"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

var piece = engine.Chunk{Text: "aé", Tokens: []engine.Token{
	{ID: 7, Bytes: []byte("a"), LogProb: -0.5, Top: []engine.Alternative{{ID: 7, Bytes: []byte("a"), LogProb: -0.5}, {ID: math.MaxInt32, Bytes: []byte{0xff}, LogProb: -1e9}}},
	{ID: 8, Bytes: []byte{}, LogProb: -1},
}}

func TestAPieceArrivesAsItWasSent(t *testing.T) {
	got, err := decodeChunk(encodeChunk(piece))
	require.NoError(t, err)
	require.Equal(t, piece, got)
	whole := encodeChunk(piece)
	for n := range whole {
		_, err := decodeChunk(whole[:n])
		require.Error(t, err, n)
	}
	_, err = decodeChunk(append(whole, 0))
	require.Error(t, err)
	_, err = decodeChunk(binary.AppendUvarint([]byte{0}, math.MaxUint64))
	require.ErrorIs(t, err, errShort, "no memory for what can't follow")
}

func FuzzDecodeChunk(f *testing.F) {
	f.Add(encodeChunk(piece))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeChunk(b)
		if err != nil {
			return
		}
		again, err := decodeChunk(encodeChunk(c))
		require.NoError(t, err)
		require.Equal(t, len(c.Tokens), len(again.Tokens))
		require.Equal(t, c.Text, again.Text)
	})
}

func TestFramesHaveBounds(t *testing.T) {
	for name, raw := range map[string]string{
		"empty": "", "cut off": "\x00\x00\x00\x0a\x01", "too short": "\x00\x00\x00\x08" + strings.Repeat("x", 20), "too long": "\x7f\xff\xff\xff" + strings.Repeat("x", 20),
	} {
		_, err := readFrame(strings.NewReader(raw))
		require.Error(t, err, name)
	}
	require.ErrorIs(t, newWriter().send(kindScore, 1, make([]byte, maxFrame)), errFrameTooLarge)
	w := newWriter()
	require.NoError(t, w.send(kindCancel, 99, []byte("x")))
	w.close()
	var b bytes.Buffer
	require.NoError(t, w.run(&b))
	f, err := readFrame(&b)
	require.NoError(t, err)
	require.Equal(t, frame{kindCancel, 99, []byte("x")}, f)
}

// Requests to a process that has stopped reading do not pile up.
func TestRequestsThatAreNotReadAreBounded(t *testing.T) {
	s := &session{w: newWriter(), calls: map[uint64]*inbox.Inbox[frame]{}, ended: make(chan struct{})}
	c := &Client{session: s}
	require.NoError(t, s.w.send(kindEmbed, 1, make([]byte, maxFrame-frameHead)))
	_, err := c.Embed(t.Context(), engine.Prompt{Text: "x"})
	require.ErrorIs(t, err, engine.ErrBusy)
	require.Empty(t, s.calls)
	require.Less(t, s.w.backlog(), maxFrame+100)
}

// A parent that sends what it must not is left.
func TestAServerEndsWithAParentThatIsNoParent(t *testing.T) {
	for name, frames := range map[string][]frame{
		"no start":          {{kindGenerate, 1, []byte("{}")}},
		"two starts":        {{kindStart, 0, nil}, {kindStart, 0, nil}},
		"an unknown kind":   {{kindStart, 0, nil}, {200, 1, nil}},
		"what is not JSON":  {{kindStart, 0, nil}, {kindScore, 1, []byte("{")}},
		"a reply to itself": {{kindStart, 0, nil}, {kindDone, 1, []byte("{}")}},
	} {
		here, there := net.Pipe()
		served := make(chan error, 1)
		go func() {
			served <- Serve(there, func(json.RawMessage) (engine.Engine, error) { return memory.New(memory.Options{}), nil })
		}()
		w := newWriter()
		go func() { _ = w.run(here) }() // it fails when the test ends
		go func() {
			for {
				if _, err := readFrame(here); err != nil {
					return
				}
			}
		}()
		for _, f := range frames {
			require.NoError(t, w.send(f.kind, f.id, f.body))
		}
		require.Error(t, <-served, name)
		w.close()
		require.NoError(t, here.Close())
	}
}

func TestOnlyFailedAssertionsAreKeptOfWhatAProcessPrints(t *testing.T) {
	var l lastWords
	for _, s := range []string{"prompt: my secret\nparse: error parsing grammar: my secret\n", "/src/ggml/ggml.c:17: GGML_ASS", "ERT(a < b) failed\nmy secret\n"} {
		n, err := l.Write([]byte(s))
		require.NoError(t, err)
		require.Len(t, s, n)
	}
	require.Equal(t, "/src/ggml/ggml.c:17: GGML_ASSERT(a < b) failed", l.String())
}
