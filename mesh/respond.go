package mesh

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// responder is the ResponseWriter that a handler sees. It lets the host answer in the
// handler's place as long as the handler has not begun to.
type responder struct {
	mu       sync.Mutex
	w        http.ResponseWriter
	rc       *http.ResponseController
	header   http.Header // the handler's own until it begins to answer
	begun    bool
	overrode bool
	read     bool // the request's body, to its end
	// After deadline an answer that has not begun is late's.
	deadline time.Time
	late     *Error
}

// overrule answers with e unless an answer has begun; it says whether it did. From
// then on the handler writes into the void.
func (r *responder) overrule(e *Error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takeOver(e)
}

func (r *responder) takeOver(e *Error) bool {
	if r.overrode {
		return true
	}
	if r.begun {
		return false
	}
	r.overrode = true
	r.lastOfItsStream()
	_ = r.SetWriteDeadline(time.Time{}) // the handler's own may have passed
	WriteError(r.w, e)
	_ = r.rc.Flush() // fails only if the caller is gone
	return true
}

// Header is kept apart from the real one, so that a handler may go on changing it
// while the host answers.
func (r *responder) Header() http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *responder) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeHeader(status)
}

func (r *responder) writeHeader(status int) {
	if r.begun || r.overrode {
		return
	}
	// A handler that its context's end woke may be faster than the timer.
	if !time.Now().Before(r.deadline) {
		r.takeOver(r.late)
		return
	}
	dst := r.w.Header()
	for k, v := range r.header {
		dst[k] = v
	}
	if status >= 200 { // 1xx are not the answer yet
		r.begun = true
		r.lastOfItsStream()
	}
	r.w.WriteHeader(status)
}

// lastOfItsStream says that no request may follow on the stream where it is not known what
// of this one is still to come.
func (r *responder) lastOfItsStream() {
	if !r.read {
		r.w.Header().Set("Connection", "close")
	}
}

func (r *responder) bodyRead() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = true
}

func (r *responder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeHeader(http.StatusOK)
	if r.overrode {
		return 0, http.ErrHandlerTimeout
	}
	return r.w.Write(b)
}

// FlushError sends what has been written so far; http.ResponseController uses it.
func (r *responder) FlushError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeHeader(http.StatusOK)
	if r.overrode {
		return http.ErrHandlerTimeout
	}
	return r.rc.Flush()
}

// Flush is FlushError for http.Flusher.
func (r *responder) Flush() { _ = r.FlushError() }

// SetReadDeadline bounds how long the caller may take to send what is read next;
// http.ResponseController uses it. It is never later than the request's own, which the
// zero time brings back.
func (r *responder) SetReadDeadline(t time.Time) error {
	return r.rc.SetReadDeadline(earlier(t, r.deadline.Add(readGrace)))
}

// SetWriteDeadline is the same for the answer. It does not wait for a write, but ends it.
func (r *responder) SetWriteDeadline(t time.Time) error {
	return r.rc.SetWriteDeadline(earlier(t, r.deadline.Add(writeGrace)))
}

func earlier(t, most time.Time) time.Time {
	if t.IsZero() || t.After(most) {
		return most
	}
	return t
}

// boundedBody answers 413 itself when the body turns out to be larger than it may be,
// whatever the handler makes of the error.
type boundedBody struct {
	body  io.ReadCloser
	left  int64
	limit int64
	rw    *responder
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &http.MaxBytesError{Limit: b.limit}
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) <= b.left {
		b.left -= int64(n)
		if err == io.EOF {
			b.rw.bodyRead()
		}
		return n, err
	}
	n = int(b.left)
	b.left = -1
	b.rw.overrule(tooLarge(b.limit))
	return n, &http.MaxBytesError{Limit: b.limit}
}

func (b *boundedBody) Close() error { return b.body.Close() }
