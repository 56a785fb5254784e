package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// Failures cross the wire as kinds, not in words: an engine's words may repeat what it was
// asked, and a miner's whatever it likes.

// ErrMiner says that a miner failed, or does not keep to the protocol. Of such an error
// [engine.Retryable] is true: another miner may be asked.
var ErrMiner = errors.New("the miner failed")

// minerError is an ErrMiner with what happened.
type minerError struct {
	what  string
	cause error // nil: what says all
}

func (e *minerError) Error() string {
	s := ErrMiner.Error() + ": " + e.what
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *minerError) Unwrap() error        { return e.cause }
func (e *minerError) Is(target error) bool { return target == ErrMiner || target == engine.ErrGone }

func minerFailed(format string, args ...any) error {
	return &minerError{what: fmt.Sprintf(format, args...)}
}

// Codes of errors that are not an engine's.
const (
	codeTooLong  = "too_long"
	codeNotReady = "not_ready"
	codeGone     = "gone"
	codeBusy     = "busy"
)

// failures are the kinds of [engine.Failure] that a caller is told of, the status of each
// before an answer has begun, and its words.
var failures = []struct {
	kind   string
	status int
	err    error
	words  string
}{
	{"invalid", http.StatusBadRequest, engine.ErrInvalid, "no engine can serve this request"},
	{"grammar", http.StatusUnprocessableEntity, engine.ErrGrammar, "the grammar can't be enforced here"},
	{"unsupported", http.StatusUnprocessableEntity, engine.ErrUnsupported, "this miner's engine can't do this"},
	{codeBusy, http.StatusServiceUnavailable, engine.ErrBusy, "the miner has too much to do"},
	{codeGone, http.StatusServiceUnavailable, engine.ErrGone, "the miner's engine failed"},
}

// failureOf is what a caller is told of err, and the status that goes with it.
func failureOf(err error) (*engine.Failure, int) {
	f := &engine.Failure{}
	if errors.As(err, &f.TooLong) {
		f.Kind, f.Message = codeTooLong, f.TooLong.Error()
		return f, http.StatusBadRequest
	}
	for _, k := range failures {
		if errors.Is(err, k.err) {
			f.Kind, f.Message = k.kind, k.words
			return f, k.status
		}
	}
	f.Kind, f.Message = codeGone, "the miner's engine failed"
	return f, http.StatusServiceUnavailable
}

// errorOf is the error that a failure stands for. Of its words none are taken over.
func errorOf(f *engine.Failure) error {
	if f.TooLong != nil {
		t := *f.TooLong
		if t.Tokens < 0 || t.Context < 0 {
			return minerFailed("it says that the prompt is too long, and nonsense beside")
		}
		return &t
	}
	for _, k := range failures {
		if f.Kind == k.kind {
			return fmt.Errorf("%w (said by the miner)", k.err)
		}
	}
	return minerFailed("it says so, of no kind that is known")
}

// failureBody is a [mesh.Error]'s, and what it has no place for.
type failureBody struct {
	Error struct {
		Code    string               `json:"code"`
		Message string               `json:"message"`
		Hint    string               `json:"hint"`
		TooLong *engine.TooLongError `json:"too_long,omitempty"`
	} `json:"error"`
}

// writeFailure answers a request with what went wrong.
func writeFailure(w http.ResponseWriter, f *engine.Failure, status int) {
	var body failureBody
	body.Error.Code, body.Error.Message, body.Error.TooLong = f.Kind, f.Message, f.TooLong
	if f.Kind == codeBusy || f.Kind == codeGone {
		body.Error.Hint = "ask again, or ask another miner"
		w.Header().Set("Retry-After", "1")
	}
	raw, err := json.Marshal(body)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // an error means that the caller is gone
}

// maxFailure bounds how much of a failed answer is read, in bytes.
const maxFailure = 16 << 10

// readFailure is the error that an answer other than 200 stands for. It closes the body.
func readFailure(resp *http.Response) error {
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	var body failureBody
	if err != nil || json.Unmarshal(raw, &body) != nil {
		return minerFailed("it answers %d", resp.StatusCode)
	}
	e := body.Error
	switch {
	case resp.StatusCode == http.StatusPaymentRequired:
		return minerFailed("it asks for a payment that can't be made")
	case e.Code == codeTooLong && e.TooLong == nil:
		return minerFailed("it does not say how much too long the prompt is")
	case e.Code == "too_many" || e.Code == codeNotReady: // the mesh's own bound; nothing is sold yet
		return fmt.Errorf("%w (said by the miner)", engine.ErrBusy)
	case e.Code == codeTooLong:
		return errorOf(&engine.Failure{TooLong: e.TooLong})
	}
	for _, k := range failures {
		if e.Code == k.kind {
			return fmt.Errorf("%w (said by the miner)", k.err)
		}
	}
	return minerFailed("it answers %d", resp.StatusCode)
}

// lost is the error of a call that got no answer, or half of one. A caller's own end, and
// its own limits of spending, are told as they are.
func lost(ctx context.Context, what string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, pay.ErrLimit) || errors.Is(err, pay.ErrNoDeposit) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return minerFailed("%s: its time is up", what) // of this call, not of who asks
	}
	for _, known := range []error{pay.ErrDishonest, pay.ErrUnknownOutcome, pay.ErrRefused} {
		if errors.Is(err, known) {
			return &minerError{what: what, cause: known} // the rest may be in the miner's words
		}
	}
	return &minerError{what: what, cause: err}
}

// refuse answers with an error that is not an engine's.
func refuse(w http.ResponseWriter, status int, code, message, hint string) {
	mesh.WriteError(w, &mesh.Error{Status: status, Code: code, Message: message, Hint: hint})
}
