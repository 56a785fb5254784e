package child

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// A frame is its length without these 4 bytes (big-endian), a kind, a request's number (8
// bytes, big-endian) and a body: JSON, but for pieces of answers, which come once a token.
const (
	frameHead = 1 + 8
	maxFrame  = 64 << 20
)

type kind byte

const (
	kindStart    kind = iota + 1 // to the child: what to open
	kindGenerate                 // to the child: an engine.Request
	kindScore                    // to the child: an engine.ScoreRequest
	kindEmbed                    // to the child: an engine.Prompt
	kindTokens                   // to the child: an engine.Prompt
	kindCancel                   // to the child: the request is no longer wanted
	kindHello                    // from the child: hello
	kindBegun                    // from the child: the tokens of the prompt, a uvarint
	kindChunk                    // from the child: a piece of an answer
	kindDone                     // from the child: reply
)

type hello struct {
	Info    engine.Info     `json:"info"`
	Failure *engine.Failure `json:"failure,omitempty"`
}

type reply struct {
	Result    engine.Result       `json:"result,omitzero"`
	Scores    []engine.TokenScore `json:"scores,omitempty"`
	Embedding engine.Embedding    `json:"embedding,omitzero"`
	Tokens    []int32             `json:"tokens,omitempty"`
	Failure   *engine.Failure     `json:"failure,omitempty"`
}

type frame struct {
	kind kind
	id   uint64
	body []byte
}

func readFrame(r io.Reader) (frame, error) {
	var head [4 + frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < frameHead || n > maxFrame {
		return frame{}, fmt.Errorf("a frame of %d bytes, the bounds are %d and %d", n, frameHead, maxFrame)
	}
	f := frame{kind: kind(head[4]), id: binary.BigEndian.Uint64(head[5:]), body: make([]byte, n-frameHead)}
	_, err := io.ReadFull(r, f.body)
	return f, err
}

// writer writes frames without letting those wait who send them; those that come while
// others are written go out together.
type writer struct {
	mu     sync.Mutex
	buf    []byte
	closed bool
	wake   chan struct{}
}

func newWriter() *writer { return &writer{wake: make(chan struct{}, 1)} }

var errFrameTooLarge = errors.New("the request is too large")

func (w *writer) send(k kind, id uint64, body []byte) error {
	if len(body) > maxFrame-frameHead {
		return errFrameTooLarge
	}
	w.mu.Lock()
	if !w.closed {
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(frameHead+len(body)))
		w.buf = append(w.buf, byte(k))
		w.buf = binary.BigEndian.AppendUint64(w.buf, id)
		w.buf = append(w.buf, body...)
	}
	w.mu.Unlock()
	w.signal()
	return nil
}

func (w *writer) sendJSON(k kind, id uint64, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.send(k, id, body)
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// backlog is how many bytes wait to be written.
func (w *writer) backlog() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.buf)
}

// close makes run return when all is written.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

// run writes until close, or an error.
func (w *writer) run(to io.Writer) error {
	var spare []byte
	for {
		w.mu.Lock()
		out, closed := w.buf, w.closed
		w.buf = spare[:0]
		w.mu.Unlock()
		if len(out) > 0 {
			if _, err := to.Write(out); err != nil {
				w.close()
				return err
			}
			if spare = out; cap(spare) > 1<<20 {
				spare = nil
			}
			continue
		}
		spare = out
		if closed {
			return nil
		}
		<-w.wake
	}
}

func appendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func appendLogProb(b []byte, p float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(p))
}

func encodeChunk(c engine.Chunk) []byte {
	b := appendBytes(make([]byte, 0, 32+2*len(c.Text)+32*len(c.Tokens)), []byte(c.Text))
	b = binary.AppendUvarint(b, uint64(len(c.Tokens)))
	for _, t := range c.Tokens {
		b = binary.AppendUvarint(b, uint64(uint32(t.ID)))
		b = appendBytes(b, t.Bytes)
		b = appendLogProb(b, t.LogProb)
		b = binary.AppendUvarint(b, uint64(len(t.Top)))
		for _, a := range t.Top {
			b = binary.AppendUvarint(b, uint64(uint32(a.ID)))
			b = appendBytes(b, a.Bytes)
			b = appendLogProb(b, a.LogProb)
		}
	}
	return b
}

var errShort = errors.New("a piece of an answer is cut off")

// decoder reads what encodeChunk writes, and remembers that something was missing.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b, d.err = nil, errShort
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errShort
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) logProb() float64 {
	if len(d.b) < 8 {
		d.b, d.err = nil, errShort
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return v
}

// count reads how many things follow, each of 10 bytes or more.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b))/10 {
		d.b, d.err = nil, errShort
		return 0
	}
	return int(n)
}

func decodeChunk(b []byte) (engine.Chunk, error) {
	d := &decoder{b: b}
	c := engine.Chunk{Text: string(d.bytes())}
	for range d.count() {
		t := engine.Token{ID: int32(d.uvarint()), Bytes: d.bytes(), LogProb: d.logProb()}
		for range d.count() {
			t.Top = append(t.Top, engine.Alternative{ID: int32(d.uvarint()), Bytes: d.bytes(), LogProb: d.logProb()})
		}
		c.Tokens = append(c.Tokens, t)
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = errors.New("a piece of an answer is too long")
	}
	return c, d.err
}
