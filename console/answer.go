package console

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/client"
)

// failure is an error as the API answers it.
type failure struct {
	status  int
	code    string // lower_snake_case, stable
	message string
	hint    string // what to do; may be empty
	hash    string // of a transaction; may be empty
	height  int64  // that a transaction failed in; 0: none
	cause   error  // for the log alone; nil: nothing else is known
}

func (f *failure) Error() string { return f.message }

func fail(status int, code, hint, format string, args ...any) *failure {
	return &failure{status: status, code: code, hint: hint, message: fmt.Sprintf(format, args...)}
}

// badValue is what was asked for wrongly.
func badValue(hint, format string, args ...any) *failure {
	return fail(http.StatusBadRequest, "bad_value", hint, format, args...)
}

// statuses of codes; others are 500 where they are ours, 400 of the chain's.
var statuses = map[string]int{
	"not_found": http.StatusNotFound, "no_account": http.StatusNotFound, "no_index": http.StatusNotFound,
	"unavailable": http.StatusServiceUnavailable, "node_behind": http.StatusServiceUnavailable, "wrong_network": http.StatusServiceUnavailable,
	"timeout": http.StatusGatewayTimeout, "tx_unknown": http.StatusGatewayTimeout,
	"tx_failed": http.StatusUnprocessableEntity, "tx_expired": http.StatusUnprocessableEntity, "insufficient_funds": http.StatusUnprocessableEntity,
	"fee_too_low": http.StatusUnprocessableEntity, "no_fee_allowance": http.StatusUnprocessableEntity,
	"canceled": 499,
}

// hints of the page, where those of the command line make no sense.
var hints = map[string]string{
	"insufficient_funds": "the account needs more TAO first",
	"fee_too_low":        "give a higher gas price",
	"unavailable":        "is the node running? the console goes on by itself once it answers",
	"node_behind":        "wait until the node has caught up",
	"wrong_network":      "the console's --node belongs to another network",
	"timeout":            "try again",
}

// failureOf makes an answer of an error.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var tx *client.TxError
	var query *client.QueryError
	code, hint := client.Describe(err)
	out := &failure{message: strings.TrimSpace(err.Error())}
	switch {
	case errors.As(err, &tx):
		out.hash, out.height = tx.Hash, tx.Height
		switch { // the console does not know the signers, as the client does
		case errors.Is(err, sdkerrors.ErrInsufficientFunds):
			code = "insufficient_funds"
		case errors.Is(err, sdkerrors.ErrInsufficientFee):
			code = "fee_too_low"
		}
	case code == "error" && errors.As(err, &query):
		code = "bad_value" // the chain's own words about the question
		out.status = http.StatusBadRequest
	}
	if h, ok := hints[code]; ok {
		hint = h
	}
	out.code, out.hint = code, hint
	if out.status == 0 {
		out.status = statuses[code]
	}
	if out.status == 0 {
		out.status = http.StatusInternalServerError
	}
	return out
}

// writeFailure answers with an error.
func writeFailure(w http.ResponseWriter, f *failure) {
	type body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
		Hash    string `json:"hash,omitempty"`
		Height  int64  `json:"height,omitempty"`
	}
	if f.status == http.StatusServiceUnavailable || f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, nil, f.status, struct {
		Error body `json:"error"`
	}{body{f.code, f.message, f.hint, f.hash, f.height}})
}

// worthPacking is from how many bytes on an answer is compressed.
const worthPacking = 2 << 10

// writeJSON answers with a value; r, if given, says whether it may be compressed.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil { // a value of ours that JSON can't have
		status, raw = http.StatusInternalServerError, []byte(`{"error":{"code":"error","message":"the answer can't be written","hint":""}}`)
	}
	writeBytes(w, r, status, "application/json; charset=utf-8", append(raw, '\n'))
}

// writeBytes answers with bytes that are not to be kept.
func writeBytes(w http.ResponseWriter, r *http.Request, status int, contentType string, raw []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if r != nil {
		h.Add("Vary", "Accept-Encoding")
	}
	if r == nil || len(raw) < worthPacking || !accepts(r, "gzip") {
		h.Set("Content-Length", strconv.Itoa(len(raw)))
		w.WriteHeader(status)
		_, _ = w.Write(raw) // an error means that the caller is gone
		return
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is one
	_, _ = z.Write(raw)
	_ = z.Close()
}

// accepts says whether a request takes an encoding.
func accepts(r *http.Request, encoding string) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ReplaceAll(q, " ", ""), "q=")
		if !ok {
			return true
		}
		f, err := strconv.ParseFloat(weight, 64)
		return err == nil && f > 0
	}
	return false
}

// at is the block that an answer is of.
type at struct {
	Height int64  `json:"height"`
	Time   string `json:"time"` // RFC 3339
}

func newAt(height int64, t time.Time) at { return at{height, rfc3339(t)} }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// unix is a time of the chain's, in Unix seconds.
func unix(seconds int64) string { return rfc3339(time.Unix(seconds, 0)) }

// orNull is nil for 0, where the chain says "none" by it.
func orNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// orNone is nil for an empty text.
func orNone(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeOrNull is nil for 0.
func timeOrNull(seconds int64) *string {
	if seconds == 0 {
		return nil
	}
	t := unix(seconds)
	return &t
}

// isCanceled says whether an error is only that who asked has gone.
func isCanceled(err error) bool { return errors.Is(err, context.Canceled) }
