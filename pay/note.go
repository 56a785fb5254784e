package pay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/lodenet/lode/pay/x402"
)

// A provider's words may repeat what it was asked. They are for who asked: the books and
// the log have only what is of a kind that is known.

// noteOf is an error of a request for the books and the log. Errors about what the other
// side has sent quote it, and so are not told.
func noteOf(err error) string {
	var network *net.OpError
	var status statusError
	var body *bodyError
	switch {
	case errors.As(err, &network):
		return network.Error()
	case errors.As(err, &status):
		return status.Error()
	case errors.As(err, &body):
		return body.Error()
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF, ErrRefused, ErrDishonest} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "what came can't be read"
}

// reasonNote is why a provider has refused, if that is one of the protocol's reasons.
func reasonNote(reason string) string {
	if x402.KnownReason(reason) {
		return reason
	}
	return "refused, in the provider's own words"
}

// statusError is an answer's status as an error. The words that came with it are not
// taken over.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("answer %d %s", int(e), http.StatusText(int(e)))
}
