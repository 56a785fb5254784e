package mesh

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Error is the one form of error that crosses the mesh, as the JSON body
// {"error":{"code","message","hint"}} of a response with a status of 400 or above.
type Error struct {
	// Status is the HTTP status; it is not part of the body.
	Status int `json:"-"`
	// Code is a word for programs: "stranger", "too_large", "too_many", "busy",
	// "timeout", "not_found", "not_a_hotkey", "internal", or a handler's own.
	Code string `json:"code"`
	// Message says what was wrong.
	Message string `json:"message"`
	// Hint says what to do about it; it may be empty.
	Hint string `json:"hint"`
}

// Error returns the message with its hint.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%d %s)", e.Message, e.Status, e.Code)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

type errorBody struct {
	Error *Error `json:"error"`
}

// WriteError answers a request with e as JSON. Handlers use it for their own errors.
func WriteError(w http.ResponseWriter, e *Error) {
	body, err := json.Marshal(errorBody{e})
	if err != nil { // three strings always marshal
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	// An error here means that the caller is gone, and there is nobody left to tell.
	_, _ = w.Write(body)
}

// maxErrorBody bounds how much of a failed response is read for its message.
const maxErrorBody = 16 << 10

// ResponseError returns nil for a response with a status under 300. For any other it
// reads and closes the body and returns an [*Error], made up from the status where
// the body isn't one.
func ResponseError(resp *http.Response) error {
	if resp.StatusCode < 300 {
		return nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var body errorBody
	if err != nil || json.Unmarshal(raw, &body) != nil || body.Error == nil || body.Error.Code == "" {
		body.Error = &Error{Code: "http", Message: "the peer answered " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)}
	}
	body.Error.Status = resp.StatusCode
	return body.Error
}
