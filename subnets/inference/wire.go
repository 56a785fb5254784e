package inference

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// An answer is a stream of events (text/event-stream): each is a line `data: SEALED`, one
// piece, and an empty line. Events that have a name belong to who sells, pay for one.

// Bounds of an answer, in bytes.
const (
	maxPiece  = 1 << 20 // of a line
	maxStream = 64 << 20
	lineCost  = 16 // of a line beside what is in it: short ones take as much work
)

const eventStream = "text/event-stream"

var (
	errNotTaken       = errors.New("the caller does not take the answer")
	errPieceTooLarge  = fmt.Errorf("a piece of more than %d bytes", maxPiece)
	errStreamTooLarge = fmt.Errorf("an answer of more than %d bytes", maxStream)
)

// pieceReader reads the pieces of an answer.
type pieceReader struct {
	r    *bufio.Reader
	left int
	line []byte // that is longer than r's buffer
	data []byte
}

func newPieceReader(r io.Reader) *pieceReader {
	return &pieceReader{r: bufio.NewReaderSize(r, 1<<10), left: maxStream}
}

// next returns the next piece, which is good until the call after. It returns io.EOF
// where the stream ends between two events, io.ErrUnexpectedEOF where it ends within one.
func (p *pieceReader) next() ([]byte, error) {
	p.data = p.data[:0]
	begun, has, foreign := false, false, false
	for {
		line, err := p.readLine()
		if err != nil {
			if err == io.EOF && begun {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if len(line) == 0 {
			if has && !foreign {
				return p.data, nil
			}
			begun, has, foreign = false, false, false
			p.data = p.data[:0]
			continue
		}
		begun = true
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			foreign = len(value) > 0 && string(value) != "message"
		case "data":
			if has && !foreign {
				return nil, errors.New("a piece of more than one line")
			}
			has = true
			p.data = append(p.data[:0], value...)
		}
	}
}

// readLine returns a line without its end.
func (p *pieceReader) readLine() ([]byte, error) {
	p.line = p.line[:0]
	for {
		part, err := p.r.ReadSlice('\n')
		if p.left -= len(part) + lineCost; p.left < 0 {
			return nil, errStreamTooLarge
		}
		if len(p.line)+len(part) > maxPiece {
			return nil, errPieceTooLarge
		}
		switch {
		case err == nil && len(p.line) == 0:
			return trimEnd(part), nil
		case err == nil:
			p.line = append(p.line, part...)
			return trimEnd(p.line), nil
		case errors.Is(err, bufio.ErrBufferFull):
			p.line = append(p.line, part...)
		case err == io.EOF && len(p.line)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// pieceWriter writes the pieces of an answer.
type pieceWriter struct {
	w      http.ResponseWriter
	sealer Sealer
	buf    []byte
	begun  bool // a piece has left
}

// begin says what follows. Until the first piece leaves, all can be said anew.
func (p *pieceWriter) begin() {
	h := p.w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-store")
}

// send writes a piece and sees to it that it leaves: at once, or, of the last one of an
// answer that has begun, with the answer's end. (An answer that never was flushed would be
// none that streams, and kept by who sells.)
func (p *pieceWriter) send(v any, last bool) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sealed, err := p.sealer.Seal(plain)
	if err != nil {
		return err
	}
	if sealed, err = line(sealed); err != nil {
		return err
	}
	if len(sealed)+len("data: \n") > maxPiece {
		return errPieceTooLarge
	}
	p.buf = append(append(append(p.buf[:0], "data: "...), sealed...), "\n\n"...)
	if _, err = p.w.Write(p.buf); err == nil && !(last && p.begun) {
		err = http.NewResponseController(p.w).Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotTaken, err)
	}
	p.begun = true
	return nil
}
