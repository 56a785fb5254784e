package pay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// maxRounds bounds how often one request is paid anew: terms change, channels run dry.
const maxRounds = 8

// pay pays for a request and sends it, until it is answered. Where old terms, those of
// an earlier request, can't be paid as they are, it sends nothing and fails with
// errOldTerms.
func (c *Client) pay(req *http.Request, body *requestBody, key string, choices []choice, old bool) (*http.Response, error) {
	deposited := false
	wait := 250 * time.Millisecond
	for range maxRounds {
		if err := body.check(); err != nil {
			return nil, err // before anything is paid for it
		}
		picked, p, header, opened, err := c.prepare(req, choices, deposited, old)
		if err != nil && old {
			return nil, errOldTerms
		}
		if err != nil {
			return nil, err
		}
		deposited, old = deposited || opened, false
		resp, err := c.deliver(req, body, header, p)
		if err != nil {
			return nil, err
		}
		again, err := c.judge(req.Context(), resp, p, picked, &choices)
		switch {
		case err != nil:
			drain(resp)
			return nil, err
		case again == "":
			if resp.Header.Get(x402.HeaderResponse) == "" {
				c.remember(key, nil) // it may cost nothing (any more)
			}
			return resp, nil
		}
		drain(resp)
		c.remember(key, choices)
		if again == x402.ReasonNoChannel || again == x402.ReasonOverBalance || again == x402.ReasonPlan {
			// The chain says otherwise: the gateway's node may be a block behind ours, and a
			// plan's next period begins with a block.
			select {
			case <-c.cfg.After(wait):
				wait *= 2
			case <-req.Context().Done():
				return nil, context.Cause(req.Context())
			}
		}
	}
	return nil, fmt.Errorf("%w: %s asks for other payments again and again", ErrRefused, req.URL.Host)
}

// prepare makes a payment that is ready to be sent.
func (c *Client) prepare(req *http.Request, choices []choice, deposited, old bool) (picked choice, p *Payment, header string, opened bool, err error) {
	picked, mine, ok := c.pick(choices)
	if !ok {
		return picked, nil, "", false, fmt.Errorf("%w: %s sells by plans alone, subscribe to one", ErrNoDeposit, req.URL.Host)
	}
	if err := c.known(req.Context(), picked, mine); err != nil {
		return picked, nil, "", false, err
	}
	if c.cfg.Approve != nil {
		if err := c.cfg.Approve(picked.quote(req)); err != nil {
			return picked, nil, "", false, err
		}
	}
	p, header, opened, err = c.begin(req, picked, mine, deposited, old)
	return picked, p, header, opened, err
}

// send sends a request once, with a payment or without.
func (c *Client) send(req *http.Request, body *requestBody, payment string) (*http.Response, error) {
	out := req.Clone(req.Context())
	var err error
	if out.Body, err = body.reader(); err != nil {
		return nil, err
	}
	out.GetBody = nil
	if payment != "" {
		out.Header.Set(x402.HeaderSignature, payment)
	} else if body.large() {
		out.Header.Set("Expect", "100-continue") // a 402 comes before the body is sent
	}
	resp, err := c.base(out.Context()).RoundTrip(out)
	if err == nil && resp.Request == nil {
		resp.Request = out
	}
	return resp, err
}

// maxWhole is the size up to which an answer is read before it is handed on, so that
// one that breaks off can be asked for again.
const maxWhole = 1 << 20

// deliver sends a paid request, and the same payment again where its answer is lost.
func (c *Client) deliver(req *http.Request, body *requestBody, header string, p *Payment) (*http.Response, error) {
	wait := 100 * time.Millisecond
	var last error
	sent := false // it may have reached somebody
	for try := range c.cfg.Tries {
		if try > 0 {
			select {
			case <-c.cfg.After(wait):
				wait *= 3
			case <-req.Context().Done():
			}
		}
		if err := req.Context().Err(); err != nil {
			last = errors.Join(last, err)
			break
		}
		resp, connected, err := c.sendPaid(req, body, header)
		sent = sent || connected
		if err != nil && !sent {
			// Nobody can have charged it, and the caller can ask again.
			if err := c.unpaid(p, cutTo("not sent: "+noteOf(err), 200)); err != nil {
				return nil, err
			}
			return nil, err
		}
		if err == nil {
			if resp, err = whole(resp); err == nil && !lostOnTheWay(resp) {
				return resp, nil
			}
			if err == nil {
				err = statusError(resp.StatusCode)
				if try == c.cfg.Tries-1 {
					return resp, c.unsettled(p, resp)
				}
				drain(resp)
			}
		}
		var fixed *bodyError
		if errors.As(err, &fixed) {
			last = err
			break
		}
		last = err
		c.log.Warn("the answer to a payment is lost", "url", p.URL, "payment", p.Identifier, "try", try+1, "err", noteOf(err))
	}
	if err := c.lost(p, cutTo("no answer: "+noteOf(last), 200)); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrUnknownOutcome, p.URL, last)
}

// sendPaid is send with a payment. It reports false where that is sure to have reached
// nobody: no connection was made.
func (c *Client) sendPaid(req *http.Request, body *requestBody, payment string) (resp *http.Response, connected bool, err error) {
	var got atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}
	resp, err = c.send(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)), body, payment)
	var failed *net.OpError
	dialing := errors.As(err, &failed) && failed.Op == "dial"
	return resp, !dialing || got.Load(), err // a connection that broke off may be followed by one that is refused
}

// lostOnTheWay says whether an answer is not of the gateway that was paid, or one that
// it wants to give again.
func lostOnTheWay(resp *http.Response) bool {
	if resp.Header.Get(x402.HeaderResponse) != "" {
		return false
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// unsettled books the last try's answer, which does not say whether it was charged.
func (c *Client) unsettled(p *Payment, resp *http.Response) error {
	p.Status = resp.StatusCode
	return c.lost(p, statusError(resp.StatusCode).Error())
}

// whole reads a short answer to its end.
func whole(resp *http.Response) (*http.Response, error) {
	if resp.ContentLength < 0 || resp.ContentLength > maxWhole {
		return resp, nil
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(strings.NewReader(string(raw)))
	return resp, nil
}

// drain reads the rest of a short answer, so that its connection is used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // what is lost is nobody's
	_ = resp.Body.Close()
}
