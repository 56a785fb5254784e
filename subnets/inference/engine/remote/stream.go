package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// maxLine is the longest line of a stream, in bytes.
const maxLine = 1 << 20

// event is a piece of an answer as a server sends it.
type event struct {
	Choices []struct {
		Index int
		Delta struct{ Content string }
		Text  string
		// The rest of a token's log-probability has no use without the token.
		Logprobs *struct {
			Content []struct {
				Token       string
				Bytes       []byte
				Logprob     float64
				TopLogprobs []struct {
					Token   string
					Bytes   []byte
					Logprob float64
				} `json:"top_logprobs"`
			}
		}
		FinishReason string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	}
	Error json.RawMessage
}

// stream is an answer that comes.
type stream struct {
	r      *bufio.Reader
	text   *engine.Text
	emit   func(engine.Chunk) error
	most   int
	pieces int
	usage  engine.Usage
	counts bool // usage is the server's
	finish engine.Finish
	stop   string
}

func (s *stream) give(c engine.Chunk) error {
	for i := range c.Tokens {
		if c.Tokens[i].ID == unknown {
			c.Tokens = nil // a piece of text that stands in for a token
			break
		}
	}
	if s.emit == nil || c.Text == "" && len(c.Tokens) == 0 {
		return nil
	}
	return s.emit(c)
}

// unknown marks text that stands in for a token: tokens of servers have no ids, -1 where
// there is a log-probability, and this where there is text alone.
const unknown = -2

func (s *stream) read(ctx context.Context) error {
	for {
		data, err := s.line()
		if err != nil {
			return fmt.Errorf("%w (the server's answer broke off: %w)", engine.ErrGone, err)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if string(data) == "[DONE]" {
			break
		}
		var ev event
		if err := json.Unmarshal(data, &ev); err != nil {
			return fmt.Errorf("%w (the server's answer can't be read)", engine.ErrGone)
		}
		if len(ev.Error) > 0 && string(ev.Error) != "null" {
			return fmt.Errorf("%w (the server failed underneath its answer)", engine.ErrGone)
		}
		if ev.Usage != nil && ev.Usage.Prompt >= 0 && ev.Usage.Completion >= 0 && s.stop == "" {
			s.usage, s.counts = engine.Usage{Prompt: ev.Usage.Prompt, Completion: ev.Usage.Completion}, true
		}
		done, err := s.take(ev)
		if err != nil || done {
			return err
		}
	}
	if s.finish == "" {
		return fmt.Errorf("%w (the server's answer has no end)", engine.ErrGone)
	}
	return nil
}

// line returns the data of the next event.
func (s *stream) line() ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := s.r.ReadSlice('\n')
			if len(line)+len(part) > maxLine {
				return nil, fmt.Errorf("a line has more than %d bytes", maxLine)
			}
			line = append(line, part...)
			if err == nil {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return nil, err
			}
		}
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return bytes.TrimSpace(data), nil
		}
	}
}

// take deals with an event, and reports whether the answer ends here.
func (s *stream) take(ev event) (bool, error) {
	for _, c := range ev.Choices {
		if c.Index != 0 || s.finish != "" {
			continue
		}
		text := c.Delta.Content + c.Text
		var tokens []engine.Token
		if c.Logprobs != nil {
			for _, l := range c.Logprobs.Content {
				t := engine.Token{ID: -1, Bytes: tokenBytes(l.Bytes, l.Token), LogProb: l.Logprob}
				for _, a := range l.TopLogprobs {
					t.Top = append(t.Top, engine.Alternative{ID: -1, Bytes: tokenBytes(a.Bytes, a.Token), LogProb: a.Logprob})
				}
				tokens = append(tokens, t)
			}
		}
		var said []byte
		for _, t := range tokens {
			said = append(said, t.Bytes...)
		}
		if string(said) != text { // the pieces are the answer, whatever is said of them
			tokens = nil
			if text != "" {
				tokens = []engine.Token{{ID: unknown, Bytes: []byte(text)}}
			}
		}
		for _, t := range tokens {
			if s.most > 0 && s.pieces == s.most {
				s.finish = engine.FinishLength
				return true, s.give(s.text.Flush())
			}
			s.pieces++
			if !s.counts {
				s.usage.Completion = s.pieces
			}
			chunk, stop := s.text.Add(t)
			if err := s.give(chunk); err != nil {
				return true, err
			}
			if stop != "" {
				s.stop, s.finish = stop, engine.FinishStop
				return true, nil
			}
		}
		switch c.FinishReason {
		case "":
		case "length":
			s.finish = engine.FinishLength
		default:
			s.finish = engine.FinishStop
		}
		if s.finish != "" {
			if err := s.give(s.text.Flush()); err != nil {
				return true, err
			}
		}
	}
	return false, nil
}

func tokenBytes(b []byte, token string) []byte {
	if b == nil {
		return []byte(token)
	}
	return b
}
