package inference

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// refusal says whether an error is about the request, not about who was asked.
func refusal(err error) bool {
	for _, is := range []error{engine.ErrInvalid, engine.ErrTooLong, engine.ErrGrammar, engine.ErrUnsupported} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// outcome is what a call's end says of its miner.
func (g *Gateway) outcome(ctx context.Context, to *Remote, err error) outcome {
	o := outcome{err: err}
	if err == nil {
		return o
	}
	o.lie = errors.Is(err, errLie) || errors.Is(err, pay.ErrDishonest)
	o.busy = errors.Is(err, engine.ErrBusy)
	o.ours = !o.lie && (ctx.Err() != nil || refusal(err) || errors.Is(err, pay.ErrLimit) || errors.Is(err, pay.ErrNoDeposit) || errors.Is(err, errOverPrice))
	switch {
	case o.lie:
		g.log.Warn("a miner lies, and gets nothing for an hour", "hotkey", to.Hotkey, "uid", to.UID, "err", err)
	case !o.ours:
		g.log.Info("a miner failed", "hotkey", to.Hotkey, "uid", to.UID, "err", err)
	}
	return o
}

// told is an error in words for customers.
func told(ctx context.Context, err error) error {
	var known *api.Error
	var long *engine.TooLongError
	var limit *pay.LimitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &long):
		return &api.Error{Kind: api.TooLong, Message: long.Error()}
	case errors.Is(err, engine.ErrGrammar):
		return &api.Error{Kind: api.BadGrammar, Message: "the schema can't be enforced by this model's engines: simplify it, or leave it out"}
	case errors.Is(err, engine.ErrInvalid):
		return &api.Error{Kind: api.Invalid, Message: strings.TrimPrefix(err.Error(), engine.ErrInvalid.Error()+": ")}
	case errors.Is(err, engine.ErrUnsupported):
		return &api.Error{Kind: api.Invalid, Message: "the miners of this model can't do this: ask without a schema, logprobs or a chat"}
	case errors.As(err, &limit):
		return &api.Error{Kind: api.OverPrice, Message: limit.Error() + "; `lode pay limits` and the flags of this command set the limits"}
	case errors.As(err, new(noDeposit)):
		return &api.Error{Kind: api.OverPrice, Message: "it can't be paid: " + short(err) + "; the account that pays needs the deposit and a fee"}
	case errors.Is(err, pay.ErrLimit), errors.Is(err, pay.ErrNoDeposit):
		return &api.Error{Kind: api.OverPrice, Message: "it can't be paid: " + short(err) + "; `lode pay limits --deposit` lets channels be opened"}
	case errors.Is(err, errOverPrice):
		return &api.Error{Kind: api.OverPrice, Message: short(err)}
	case errors.Is(err, engine.ErrBusy):
		return &api.Error{Kind: api.Overloaded, Message: "all miners of this model are busy: try again soon", RetryAfter: time.Second}
	case errors.Is(err, errClosed):
		return &api.Error{Kind: api.Gone, Message: errClosed.Error()}
	case engine.Retryable(err):
		return &api.Error{Kind: api.Gone, Message: "no miner of this model answers: try again"}
	}
	return err
}

// short is an error of package pay without the URL that it went to.
func short(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return err.Error()
}
