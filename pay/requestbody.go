package pay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// requestBody is a request's body that can be sent more than once.
type requestBody struct {
	get    func() (io.ReadCloser, error) // of the request, if it can
	max    int64
	length int64

	mu     sync.Mutex // guards what follows: a transport may read on while the next begins
	source io.ReadCloser
	kept   []byte // what was read of source, unless it is too much
	total  int64  // bytes read of source
	over   bool   // kept is dropped
	open   int    // readers
	done   bool   // nobody asks for another reader
}

// bodyError says that a body can't be sent again.
type bodyError struct{ max int64 }

func (e *bodyError) Error() string {
	return fmt.Sprintf("the request's body can't be sent again: it is over %d bytes; set GetBody, or raise MaxBody", e.max)
}

func newBody(req *http.Request, limit int64) (*requestBody, error) {
	b := &requestBody{max: limit, length: req.ContentLength}
	switch {
	case req.Body == nil || req.Body == http.NoBody:
	case req.GetBody != nil:
		b.get = req.GetBody
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
	default:
		b.source = req.Body
	}
	return b, nil
}

// large says whether a body is worth the wait for leave to send it.
func (b *requestBody) large() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return (b.get != nil || b.source != nil) && (b.length <= 0 || b.length > 64<<10) // 0: not known
}

// reader is the body from its start.
func (b *requestBody) reader() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.get != nil:
		return b.get()
	case b.source == nil:
		return http.NoBody, nil
	case b.over:
		return nil, &bodyError{b.max}
	}
	b.open++
	return &bodyReader{b: b}, nil
}

// check says whether it can be sent (again).
func (b *requestBody) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return &bodyError{b.max}
	}
	return nil
}

// finish says that no other reader is asked for. The source is closed with the last.
func (b *requestBody) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
	b.closeSource()
}

func (b *requestBody) closeSource() {
	if b.done && b.open == 0 && b.source != nil {
		_ = b.source.Close() // it was read, or nobody wants the rest
		b.source, b.kept = nil, nil
	}
}

// bodyReader reads what was kept, and then on.
type bodyReader struct {
	b      *requestBody
	at     int64
	closed bool
}

func (r *bodyReader) Read(p []byte) (int, error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case r.closed:
		return 0, errors.New("read of a closed body")
	case r.at < b.total && b.over:
		return 0, &bodyError{b.max}
	case r.at < b.total:
		n := copy(p, b.kept[r.at:])
		r.at += int64(n)
		return n, nil
	}
	n, err := b.source.Read(p)
	b.total += int64(n)
	r.at += int64(n)
	if b.total > b.max {
		b.over, b.kept = true, nil
	}
	if !b.over {
		b.kept = append(b.kept, p[:n]...)
	}
	return n, err
}

func (r *bodyReader) Close() error {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.b.open--
		r.b.closeSource()
	}
	return nil
}
