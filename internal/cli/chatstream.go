package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

type chatError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

func (e chatError) err() error {
	code := plain(e.Code)
	if code == "" {
		code = "refused"
	}
	return fail(code, "", "%s", plain(e.Message))
}

// chatStream reads an answer's stream.
type chatStream struct {
	out    io.Writer
	text   strings.Builder
	finish string
	usage  json.RawMessage

	ID      string
	Created int64
	Model   string
}

func (s *chatStream) read(from io.Reader) error {
	lines := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fail("cut_off", "ask again", "the answer was cut off")
		}
		data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: "))
		if !ok {
			continue
		}
		if string(data) == "[DONE]" {
			return nil
		}
		if err := s.chunk(data); err != nil {
			return err
		}
	}
}

func (s *chatStream) chunk(data []byte) error {
	var c struct {
		ID      string `json:"id"`
		Created int64  `json:"created"`
		Model   string `json:"model"`
		Choices []struct {
			Delta struct {
				Content string `json:"content"`
			} `json:"delta"`
			Finish *string `json:"finish_reason"`
		} `json:"choices"`
		Usage json.RawMessage `json:"usage"`
		Error *chatError      `json:"error"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("a piece of the answer can't be read: %w", err)
	}
	if c.Error != nil {
		return c.Error.err()
	}
	s.ID, s.Created, s.Model = c.ID, c.Created, c.Model
	if len(c.Usage) > 0 && string(c.Usage) != "null" {
		s.usage = c.Usage
	}
	for _, choice := range c.Choices {
		s.text.WriteString(choice.Delta.Content)
		if _, err := io.WriteString(s.out, printed(choice.Delta.Content)); err != nil {
			return err
		}
		if choice.Finish != nil {
			s.finish = *choice.Finish
		}
	}
	return nil
}

// printed is text that does nothing to a terminal but show: no control characters, and
// none that turn a line around.
func printed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

// whole is the answer as one that was not streamed.
func (s *chatStream) whole() (json.RawMessage, error) {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	type choice struct {
		Index   int     `json:"index"`
		Message message `json:"message"`
		Finish  string  `json:"finish_reason"`
	}
	return json.Marshal(struct {
		ID      string          `json:"id"`
		Object  string          `json:"object"`
		Created int64           `json:"created"`
		Model   string          `json:"model"`
		Choices []choice        `json:"choices"`
		Usage   json.RawMessage `json:"usage,omitempty"`
	}{s.ID, "chat.completion", s.Created, s.Model, []choice{{0, message{"assistant", s.text.String()}, s.finish}}, s.usage})
}
