package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Kind says what went wrong.
type Kind int

// What can go wrong.
const (
	Internal     Kind = iota // our fault; nothing more is told
	Invalid                  // the request can't be understood or honoured
	TooLong                  // the prompt does not fit the model's context
	BadGrammar               // the JSON schema can't be enforced
	UnknownModel             // nobody serves it
	Overloaded               // try again after RetryAfter
	OverPrice                // nobody serves it within the limits on what may be paid
	Gone                     // who was answering has stopped; may be tried again

	notFound    // no such endpoint
	tooLarge    // the body
	tooSlow     // the body
	notJSONType // the body's content type
)

// Error is what users are told. Its message says what to do and repeats nothing of what
// they asked.
type Error struct {
	Kind       Kind
	Param      string // the field at fault; backends leave it empty
	Message    string
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	if e.Kind == Invalid && e.Param != "" {
		return e.Param + ": " + e.Message
	}
	return e.Message
}

func bad(param, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Param: param, Message: fmt.Sprintf(format, args...)}
}

// told is what a backend's error is for users.
func told(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Gone, Message: "the answer took too long"}
	}
	return &Error{Kind: Internal, Message: "something went wrong here; it was not your request"}
}

// faces are how kinds of errors look: the status, OpenAI's type and code, Anthropic's
// status and type.
var faces = map[Kind]struct {
	status          int
	kind, code      string
	anthropicStatus int
	anthropic       string
}{
	Internal:     {500, "server_error", "internal_error", 500, "api_error"},
	Invalid:      {400, "invalid_request_error", "", 400, "invalid_request_error"},
	TooLong:      {400, "invalid_request_error", "context_length_exceeded", 400, "invalid_request_error"},
	BadGrammar:   {400, "invalid_request_error", "invalid_json_schema", 400, "invalid_request_error"},
	UnknownModel: {404, "invalid_request_error", "model_not_found", 404, "not_found_error"},
	Overloaded:   {503, "server_error", "overloaded", 529, "overloaded_error"},
	OverPrice:    {402, "insufficient_quota", "over_price_limit", 402, "billing_error"},
	Gone:         {503, "server_error", "engine_gone", 503, "api_error"},
	notFound:     {404, "invalid_request_error", "unknown_url", 404, "not_found_error"},
	tooLarge:     {413, "invalid_request_error", "request_too_large", 413, "request_too_large"},
	tooSlow:      {408, "invalid_request_error", "request_timeout", 408, "timeout_error"},
	notJSONType:  {415, "invalid_request_error", "unsupported_media_type", 415, "invalid_request_error"},
}

// dialect is whose shapes an endpoint speaks.
type dialect int

const (
	openAI dialect = iota
	anthropic
)

type openAIError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

type openAIFailure struct {
	Error openAIError `json:"error"`
}

type anthropicFailure struct {
	Type  string `json:"type"`
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
	RequestID string `json:"request_id,omitempty"`
}

func (e *Error) openAI() openAIFailure {
	f := faces[e.Kind]
	return openAIFailure{openAIError{Message: e.Error(), Type: f.kind, Param: orNull(e.Param), Code: orNull(f.code)}}
}

func (e *Error) anthropic(id string) anthropicFailure {
	f := anthropicFailure{Type: "error", RequestID: id}
	f.Error.Type, f.Error.Message = faces[e.Kind].anthropic, e.Error()
	return f
}

// write sends the error as a response.
func (e *Error) write(x *exchange) error {
	if e.RetryAfter > 0 {
		x.w.Header().Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if e.Kind == tooLarge || e.Kind == tooSlow {
		x.w.Header().Set("Connection", "close") // the rest of the body is not read
	}
	if x.speaks == anthropic {
		return x.json(faces[e.Kind].anthropicStatus, e.anthropic(x.id))
	}
	return x.json(faces[e.Kind].status, e.openAI())
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
