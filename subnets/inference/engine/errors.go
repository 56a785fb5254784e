package engine

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrInvalid is wrapped by errors about a request that no engine can serve.
	ErrInvalid = errors.New("invalid request")
	// ErrTooLong is wrapped by [TooLongError].
	ErrTooLong = errors.New("the prompt is too long")
	// ErrGrammar is wrapped by errors about a grammar or schema that the engine can't
	// enforce.
	ErrGrammar = errors.New("the grammar can't be enforced")
	// ErrUnsupported is wrapped by errors about what this engine can't do.
	ErrUnsupported = errors.New("the engine can't do this")
	// ErrBusy means that the queue is full. The request may be retried.
	ErrBusy = errors.New("the engine is busy: ask again, or ask another")
	// ErrGone means that the engine failed underneath a request. The request may be
	// retried.
	ErrGone = errors.New("the engine failed: ask again, or ask another")
	// ErrClosed means that the engine was closed.
	ErrClosed = errors.New("the engine is closed")
)

// Retryable reports whether the request of this error may be asked again, here or of
// another engine, with hope.
func Retryable(err error) bool { return errors.Is(err, ErrBusy) || errors.Is(err, ErrGone) }

// TooLongError is about a prompt that leaves no room for an answer.
type TooLongError struct {
	Tokens  int `json:"tokens"`  // of the prompt
	Context int `json:"context"` // of the engine
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, and the model holds %d of prompt and answer: shorten the prompt", e.Tokens, e.Context)
}

// Is makes the error match [ErrTooLong].
func (e *TooLongError) Is(target error) bool { return target == ErrTooLong }

// Failure is an error in a form that crosses a process border and keeps its meaning for
// errors.Is and errors.As.
type Failure struct {
	Kind    string        `json:"kind"`
	Message string        `json:"message"`
	TooLong *TooLongError `json:"too_long,omitempty"`
}

var kinds = []struct {
	name string
	err  error
}{
	{"invalid", ErrInvalid}, {"grammar", ErrGrammar}, {"unsupported", ErrUnsupported}, {"busy", ErrBusy},
	{"gone", ErrGone}, {"closed", ErrClosed}, {"cancelled", context.Canceled},
}

// NewFailure describes err, which may not be nil.
func NewFailure(err error) *Failure {
	f := &Failure{Message: err.Error()}
	if errors.As(err, &f.TooLong) {
		return f
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			f.Kind = k.name
			break
		}
	}
	return f
}

// Err returns the error that f describes.
func (f *Failure) Err() error {
	if f.TooLong != nil {
		return f.TooLong
	}
	for _, k := range kinds {
		if f.Kind == k.name {
			return &crossed{f.Message, k.err}
		}
	}
	return errors.New(f.Message)
}

// crossed has the message of an error from another process.
type crossed struct {
	message string
	kind    error
}

func (e *crossed) Error() string { return e.message }
func (e *crossed) Unwrap() error { return e.kind }
