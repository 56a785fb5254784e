package pay

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/lodenet/lode/pay/x402"
)

// paidWriter is the ResponseWriter of a paid request. It holds an answer back until it
// is charged; one that grows too large or is flushed streams, and nothing leaves before
// what was charged until then is written. What a stream writes leaves with its next flush,
// or when the handler is done: its last charge is then written together with the settlement.
type paidWriter struct {
	w      http.ResponseWriter
	header http.Header
	m      *Meter
	limit  int64

	// What follows is guarded by the meter's lock.
	status int
	buf    bytes.Buffer
	broken error

	streaming atomic.Bool
	left      atomic.Bool // the client is gone
	cancel    func()      // ends the handler
}

func (p *paidWriter) Header() http.Header { return p.header }

func (p *paidWriter) WriteHeader(status int) {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if p.status == 0 && status >= 200 {
		p.status = status
	}
}

func (p *paidWriter) Write(b []byte) (int, error) {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if p.status == 0 {
		p.status = http.StatusOK
	}
	if !p.streaming.Load() && int64(p.buf.Len()+len(b)) <= p.limit {
		return p.buf.Write(b)
	}
	if err := p.stream(); err != nil {
		return 0, err
	}
	if p.buf.Len() > 0 && p.buf.Len()+len(b) > gathered {
		if err := p.pass(); err != nil {
			return 0, err
		}
	}
	if len(b) <= gathered {
		return p.buf.Write(b)
	}
	if err := p.m.commit(); err != nil {
		p.broken = err
		return 0, err
	}
	n, err := p.w.Write(b)
	if err != nil {
		p.broken = err
	}
	return n, err
}

// gathered is how many bytes of a stream wait for the next flush.
const gathered = 4 << 10

// pass writes what a stream has gathered, once its charge is written.
func (p *paidWriter) pass() error {
	if err := p.m.commit(); err != nil {
		p.broken = err
		return err
	}
	return p.drain()
}

// drain writes what was gathered or held back.
func (p *paidWriter) drain() error {
	if p.buf.Len() == 0 {
		return nil
	}
	_, err := p.w.Write(p.buf.Bytes())
	if err != nil {
		p.broken = err
	}
	p.buf.Reset()
	return err
}

// Flush sends what was written so far.
func (p *paidWriter) Flush() { _ = p.FlushError() }

// FlushError is Flush for http.ResponseController.
func (p *paidWriter) FlushError() error {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	return p.flush()
}

func (p *paidWriter) flush() error {
	if err := p.stream(); err != nil {
		return err
	}
	if err := p.pass(); err != nil {
		return err
	}
	if err := http.NewResponseController(p.w).Flush(); err != nil {
		p.broken = err
		return err
	}
	return nil
}

// stream begins to send: the charge so far, the header, what was held back.
func (p *paidWriter) stream() error {
	if p.broken != nil {
		return p.broken
	}
	if p.streaming.Load() {
		return nil
	}
	if p.status == 0 {
		p.status = http.StatusOK
	}
	if p.status < 400 {
		p.m.whole()
	}
	final := p.m.flat // nothing more will be charged
	if err := p.m.commit(); err != nil {
		p.broken = err
		return err
	}
	p.streaming.Store(true)
	if p.left.Load() {
		p.cancel()
	}
	a := p.m.c.account
	a.mu.Lock()
	var charged *uint64
	if final {
		charged = &p.m.committed
	}
	settlement := p.m.g.settlement(a, p.m.c.identifier, charged)
	a.mu.Unlock()
	encoded, err := settlement.Encode()
	if err != nil {
		p.broken = err
		return err
	}
	p.send(encoded)
	if !final {
		p.w.Header().Del("Content-Length") // the end follows in a trailer, or as an event
	}
	p.w.WriteHeader(p.status)
	return p.drain()
}

// send puts the handler's header and the settlement into the answer.
func (p *paidWriter) send(settlement string) {
	h := p.w.Header()
	for name := range h {
		if _, ok := p.header[name]; !ok {
			delete(h, name)
		}
	}
	for name, values := range p.header {
		h[name] = values
	}
	h.Set(x402.HeaderResponse, settlement)
}

// kept are the headers that an answer is kept with.
func (p *paidWriter) kept() http.Header {
	h := p.header.Clone()
	for _, name := range []string{"Date", "Connection", "Transfer-Encoding"} {
		h.Del(name)
	}
	return h
}

// events says whether the answer is a stream of events that the gateway can write into.
func (p *paidWriter) events() bool { return isEvents(p.header) }

// event writes one into the stream. The meter's lock is held.
func (p *paidWriter) event(name string, data []byte) error {
	if err := p.stream(); err != nil {
		return err
	}
	if err := p.pass(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.w, "event: %s\ndata: %s\n\n", name, data); err != nil {
		p.broken = err
		return err
	}
	return p.flush()
}

// gone is told that the client went away: a stream ends with it. It takes no lock, for
// the meter may be waiting for that client.
func (p *paidWriter) gone() {
	p.left.Store(true)
	if p.streaming.Load() {
		p.cancel()
	}
}

// fail makes an answer of a handler that panicked.
func (p *paidWriter) fail() {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if !p.streaming.Load() {
		p.status = http.StatusInternalServerError
		p.buf.Reset()
	}
}

// finish settles and sends what was held back.
func (p *paidWriter) finish() {
	p.m.mu.Lock()
	if p.status == 0 {
		p.status = http.StatusOK
	}
	streaming := p.streaming.Load()
	p.m.mu.Unlock()

	s := p.m.settle(p.status < 400) // the handler is over: nobody writes
	if s == nil {
		if !streaming {
			writeError(p.w, http.StatusInternalServerError, x402.ReasonSettleFailed, "the gateway can't keep its books; ask again with the same payment")
		}
		return
	}
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	if streaming && (p.broken != nil || p.drain() != nil) {
		return
	}
	if streaming && p.events() {
		data, err := s.AppendJSON(make([]byte, 0, 768))
		if err != nil {
			p.m.g.log.Error("a settlement can't be written", "err", err)
			return
		}
		// It leaves with the end of the answer.
		_, _ = fmt.Fprintf(p.w, "event: %s\ndata: %s\n\n", x402.EventResponse, data)
		return
	}
	encoded, err := s.Encode()
	if err != nil {
		p.m.g.log.Error("a settlement can't be encoded", "err", err)
		return
	}
	if !streaming {
		p.send(encoded)
		if !slices.Contains([]int{http.StatusNoContent, http.StatusNotModified}, p.status) {
			p.w.Header().Set("Content-Length", strconv.Itoa(p.buf.Len()))
		}
		p.w.WriteHeader(p.status)
		_, _ = p.w.Write(p.buf.Bytes()) // a client that is gone asks again
		return
	}
	if p.w.Header().Get("Content-Length") == "" {
		p.w.Header().Set(http.TrailerPrefix+x402.HeaderResponse, encoded)
	}
}
