package pay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// eventsOfOurs is how the names of events about payment begin.
const eventsOfOurs = "payment-"

// maxEvent is the size up to which an event is looked at; larger ones pass as they are.
const maxEvent = 1 << 20

// paidBody is an answer's body that ends with its settlement: in an event of a stream
// of events, in a trailer otherwise. Events about payment are answered and taken out.
type paidBody struct {
	ctx    context.Context
	c      *Client
	resp   *http.Response
	p      *Payment
	picked choice

	source io.ReadCloser
	in     *bufio.Reader
	block  bytes.Buffer // of the event that is being read
	out    bytes.Buffer // for the application
	raw    bool         // the event is too large to be looked at
	events bool
	late   error // why the last voucher was not handed in
	err    error
}

func newPaidBody(ctx context.Context, c *Client, resp *http.Response, p *Payment, picked choice) *paidBody {
	return &paidBody{ctx: ctx, c: c, resp: resp, p: p, picked: picked, source: resp.Body,
		in: bufio.NewReaderSize(resp.Body, 4<<10), events: isEvents(resp.Header)}
}

func (b *paidBody) Read(p []byte) (int, error) {
	if !b.events {
		n, err := b.in.Read(p)
		if err == io.EOF {
			if err = b.trailer(); err == nil {
				err = io.EOF
			}
		}
		return n, err
	}
	for b.out.Len() == 0 && b.err == nil {
		b.err = b.fill()
	}
	if b.out.Len() > 0 {
		return b.out.Read(p)
	}
	return 0, b.err
}

// Close ends the payment too: what was charged until then is unknown, unless the end
// was read.
func (b *paidBody) Close() error {
	err := b.source.Close()
	return errors.Join(err, b.c.lost(b.p, "the answer was not read to its end"))
}

// trailer books the settlement at the end of an answer that is no stream of events.
func (b *paidBody) trailer() error {
	header := b.resp.Trailer.Get(x402.HeaderResponse)
	if header == "" {
		return b.c.lost(b.p, "the answer ended without a settlement")
	}
	b.resp.Trailer.Del(x402.HeaderResponse)
	s, err := x402.DecodeSettlement(header)
	if err != nil {
		return b.c.unreadable(b.p, "its settlement", err)
	}
	return b.c.settled(b.ctx, b.p, s)
}

// fill reads a line, and deals with the event that it ends.
func (b *paidBody) fill() error {
	line, err := b.in.ReadSlice('\n')
	whole := err == nil
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	b.block.Write(line)
	if b.block.Len() > maxEvent {
		b.raw = true
	}
	blank := whole && len(bytes.TrimRight(line, "\r\n")) == 0 && (b.block.Len() == len(line) || endsLine(b.block.Bytes()[:b.block.Len()-len(line)]))
	switch {
	case err == io.EOF:
		b.pass()
		if err := errors.Join(b.late, b.c.lost(b.p, "the stream ended without a settlement")); err != nil {
			return err
		}
		return io.EOF
	case err != nil:
		b.pass()
		return errors.Join(err, b.late, b.c.lost(b.p, "the stream broke off"))
	case blank:
		raw := b.raw
		b.raw = false
		if raw {
			b.pass()
			return nil
		}
		return b.event()
	case b.raw:
		b.pass()
	}
	return nil
}

func endsLine(b []byte) bool { return len(b) == 0 || b[len(b)-1] == '\n' }

// pass hands what was read to the application.
func (b *paidBody) pass() {
	b.out.Write(b.block.Bytes())
	b.block.Reset()
}

// event deals with a whole one.
func (b *paidBody) event() error {
	if !bytes.Contains(b.block.Bytes(), []byte(eventsOfOurs)) {
		b.pass()
		return nil
	}
	name, data := parseEvent(b.block.Bytes())
	switch name {
	case x402.EventNeedVoucher:
		b.block.Reset()
		need, err := x402.ParseNeedVoucher(data)
		var header string
		if err == nil {
			header, err = b.c.extend(b.ctx, b.p, b.picked, need)
		}
		if err != nil {
			why := err.Error()
			if errors.Is(err, x402.ErrMalformed) {
				why = noteOf(err)
			}
			return errors.Join(err, b.source.Close(), b.c.lost(b.p, cutTo("the stream was left: "+why, 200)))
		}
		if err := b.handIn(header); err != nil {
			b.late = err // it may have arrived; the stream tells, and what was sent meanwhile is read
		}
	case x402.EventResponse:
		b.block.Reset()
		s, err := x402.ParseSettlement(data)
		if err != nil {
			return b.c.unreadable(b.p, "its settlement", err)
		}
		return b.c.settled(b.ctx, b.p, s)
	default:
		b.pass()
	}
	return nil
}

// parseEvent reads an event's name and data.
func parseEvent(block []byte) (name string, data []byte) {
	for line := range bytes.Lines(block) {
		field, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, value...)
		}
	}
	return name, data
}

// handIn hands a stream's next voucher in.
func (b *paidBody) handIn(header string) error {
	wait := 100 * time.Millisecond
	var last error
	for try := range b.c.cfg.Tries {
		if try > 0 {
			select {
			case <-b.c.cfg.After(wait):
				wait *= 3
			case <-b.ctx.Done():
				return context.Cause(b.ctx)
			}
		}
		resp, err := b.post(header)
		if err != nil {
			last = err
			continue
		}
		drain(resp)
		switch resp.StatusCode {
		case http.StatusNoContent:
			return nil
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			last = statusError(resp.StatusCode)
			continue
		}
		return fmt.Errorf("%w: the stream's next voucher: %w", ErrRefused, statusError(resp.StatusCode))
	}
	return fmt.Errorf("the stream's next voucher can't be handed in: %w", last)
}

// post sends a voucher to the URL of the stream, with the headers of its request.
func (b *paidBody) post(header string) (*http.Response, error) {
	sent := b.resp.Request
	req, err := http.NewRequestWithContext(b.ctx, http.MethodHead, sent.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range sent.Header {
		if !strings.HasPrefix(name, "Content-") && name != "Expect" && name != "Transfer-Encoding" {
			req.Header[name] = values
		}
	}
	req.Host = sent.Host
	req.Header.Set(x402.HeaderSignature, header)
	return b.c.base(req.Context()).RoundTrip(req)
}

// extend makes the voucher that a stream asks for, if the limits allow it. How far one
// asks ahead at a time is bounded: what was delivered meanwhile only the application
// knows.
func (c *Client) extend(ctx context.Context, p *Payment, picked choice, need x402.NeedVoucher) (string, error) {
	required, err := x402.ParseAmount(need.RequiredCumulative)
	if err != nil {
		return "", err
	}
	additional, err := x402.ParseAmount(need.Additional)
	if err != nil {
		return "", err
	}
	if need.ChannelID != p.Channel {
		return "", fmt.Errorf("%w: the stream asks for a voucher of another channel", ErrDishonest)
	}
	for {
		limits, err := c.limits()
		if err != nil {
			return "", err
		}
		c.mu.Lock()
		ch := c.mine(p)
		if ch == nil || ch.Stopped != "" || p.State != Pending {
			c.mu.Unlock()
			return "", fmt.Errorf("%w: channel %s pays nothing more", ErrRefused, p.Channel)
		}
		more := max(additional, sub(required, ch.Charged+ch.ahead))
		promised := ch.Charged + ch.ahead + more
		c.spent.turn(c.cfg.Now())
		if most := limits.ahead(picked.amount); more > most {
			c.mu.Unlock()
			return "", &LimitError{map[bool]string{true: "units", false: "stream"}[picked.plan != 0], more, ch.ahead, most}
		}
		if picked.plan == 0 {
			if err := limits.check(&c.spent, p.Provider, p.Ceiling+more, more); err != nil {
				c.mu.Unlock()
				return "", err
			}
		}
		if promised > ch.Limit {
			c.mu.Unlock()
			if err := c.fill(ctx, ch, picked, promised); err != nil {
				return "", err
			}
			continue
		}
		header, err := c.extended(ch, p, picked, promised, more)
		c.mu.Unlock()
		return header, err
	}
}

// fill tops a stream's channel up.
func (c *Client) fill(ctx context.Context, ch *clientChannel, picked choice, required uint64) error {
	c.opening.Lock()
	defer c.opening.Unlock()
	c.mu.Lock()
	limit := ch.Limit
	c.mu.Unlock()
	if required <= limit {
		return nil
	}
	if picked.plan != 0 {
		return c.renewed(ctx, ch, func() uint64 { return required })
	}
	put, err := c.mayDeposit(ch.ServiceID, required-limit)
	if err != nil {
		return err
	}
	_, err = c.topUp(ctx, ch.ID, put)
	return err
}

// extended signs and writes a stream's next voucher. c.mu is held.
func (c *Client) extended(ch *clientChannel, p *Payment, picked choice, promised, more uint64) (string, error) {
	cumulative := max(ch.Signed, promised)
	signed, err := c.sign(ch, cumulative)
	if err != nil {
		return "", err
	}
	header, err := x402.Encode(x402.Payment{X402Version: x402.Version, Accepted: picked.requirements,
		Payload: x402.Payload{Type: x402.TypeVoucher, Voucher: signed, Stream: p.Identifier}})
	if err != nil {
		return "", err
	}
	after, grown := *ch, *p
	after.Signed = cumulative
	grown.Ceiling += more
	var b batch
	b.put(keyed(kindMine, ch.ID), &after)
	b.put(numbered(kindPayment, p.N), &grown)
	if err := c.store.write("extend", false, &b); err != nil {
		return "", err
	}
	ch.Signed = cumulative
	ch.ahead += more
	p.Ceiling = grown.Ceiling
	c.spent.count(p, more, 0)
	return header, nil
}
