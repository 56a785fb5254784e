package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// sse writes an answer as server-sent events, each within the write timeout. Nothing is
// kept for a client that does not read.
type sse struct {
	*exchange
	buf bytes.Buffer
	enc *json.Encoder
}

func (x *exchange) sse() *sse {
	s := &sse{exchange: x}
	s.enc = json.NewEncoder(&s.buf)
	s.enc.SetEscapeHTML(false)
	return s
}

// send writes an event, with its name if it has one.
func (s *sse) send(name string, v any) error {
	s.buf.Reset()
	if name != "" {
		s.buf.WriteString("event: ")
		s.buf.WriteString(name)
		s.buf.WriteByte('\n')
	}
	s.buf.WriteString("data: ")
	if err := s.enc.Encode(v); err != nil { // ends the line
		return err
	}
	s.buf.WriteByte('\n')
	return s.write(s.buf.Bytes())
}

func (s *sse) write(frame []byte) error {
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // or nginx collects pieces
		s.w.WriteHeader(http.StatusOK)
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(s.WriteTimeout))
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	return s.flush()
}

// end writes the usage, if it was asked for, and what OpenAI's clients take as the end.
func (s *sse) end(asked bool, usage any) error {
	if asked {
		if err := s.send("", usage); err != nil {
			return err
		}
	}
	return s.write([]byte("data: [DONE]\n\n"))
}

// fail tells an error: as a status, or as the last thing in a stream.
func (s *sse) fail(err *Error) error {
	if !s.begun {
		return err
	}
	return s.send("", err.openAI())
}
