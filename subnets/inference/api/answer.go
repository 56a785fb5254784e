package api

import (
	"context"
	"errors"
	"strconv"
)

// sink writes an answer in an endpoint's shape. Choices come mixed, but each in order.
// An error says that the client is gone.
type sink interface {
	begin(prompt int) error
	text(choice int, text string, tokens []Token) error
	call(choice, index int, name string) error
	arguments(choice, index int, piece string) error
	// finish ends a choice, at a stop string if it is one that ended it.
	finish(choice int, why finish) error
	end(Usage) error
	// fail ends an answer that can't go on.
	fail(*Error) error
}

// finish is why a choice ended.
type finish struct {
	Finish
	stop  string
	calls bool
}

// errEnough tells a backend that all choices have ended, or that the answer is too long.
var errEnough = errors.New("nobody needs more")

// answer takes the events of requests, one after another, to a sink.
type answer struct {
	sink
	usage  Usage
	begun  bool
	lanes  []*lane // the choices of the request that is being answered
	first  int     // choice of the whole answer that lanes[0] is
	open   int     // lanes that have not ended
	left   int64   // bytes that may still come
	failed error   // of the sink
}

// lane is a choice on its way.
type lane struct {
	a      *answer
	choice int
	cut    cutter
	caller *caller
	tokens []Token // of the text that is being passed on
	ended  bool
}

// generate answers requests, which differ only in their prompts, with one answer.
func (x *exchange) generate(t toolset, s sink, reqs ...*Request) error {
	if x.IDHeader != "" {
		x.w.Header().Set(x.IDHeader, x.id)
	}
	a := &answer{sink: s, left: x.MaxAnswer}
	for _, r := range reqs {
		if err := a.ask(x, t, r); err != nil {
			if a.failed != nil || x.r.Context().Err() != nil {
				return err // nobody is left to tell
			}
			return s.fail(told(err))
		}
	}
	return s.end(a.usage)
}

// ask has a backend answer a request.
func (a *answer) ask(x *exchange, t toolset, r *Request) error {
	a.first += len(a.lanes)
	a.lanes, a.open = nil, r.N
	for i := range r.N {
		l := &lane{a: a, choice: a.first + i, cut: cutter{stops: r.Stop}, caller: newCaller(r, t)}
		l.caller.out = l
		a.lanes = append(a.lanes, l)
	}
	ctx, cancel := context.WithCancel(x.ctx)
	defer cancel()
	used, err := x.b.Generate(ctx, r, func(e Event) error { return a.event(ctx, e) })
	a.usage.Prompt += used.Prompt
	a.usage.Completion += used.Completion
	switch {
	case a.failed != nil:
		return a.failed
	case a.open == 0:
		return nil
	case a.left < 0:
		return &Error{Kind: Gone, Message: "the answer is longer than " + strconv.FormatInt(x.MaxAnswer, 10) + " bytes: ask for less, with max_tokens"}
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &Error{Kind: Gone, Message: "the answer was cut off: ask again"}
}

// event passes a piece on.
func (a *answer) event(ctx context.Context, e Event) error {
	switch {
	case a.failed != nil:
		return a.failed
	case a.open == 0:
		return errEnough
	case ctx.Err() != nil:
		return ctx.Err()
	case e.Choice < 0 || e.Choice >= len(a.lanes):
		return errors.New("an event of no choice")
	}
	if a.left -= e.size(); a.left < 0 {
		return errEnough
	}
	if !a.begun {
		a.begun = true
		a.note(a.begin(e.Prompt))
	}
	a.lanes[e.Choice].event(e)
	if a.failed == nil && a.open == 0 {
		return errEnough
	}
	return a.failed
}

// size is about how many bytes an event keeps: a token takes a few beside its text.
func (e Event) size() int64 {
	const beside = 32
	n := len(e.Text)
	for _, t := range e.Tokens {
		n += len(t.Text) + beside
		for _, alt := range t.Top {
			n += len(alt.Text) + beside
		}
	}
	return int64(n)
}

func (a *answer) note(err error) {
	if a.failed == nil {
		a.failed = err
	}
}

func (l *lane) event(e Event) {
	if l.ended {
		return
	}
	last := e.Finish != ""
	text, tokens, stop := l.cut.push(e.Text, e.Tokens, last)
	l.tokens = append(l.tokens, tokens...)
	last = last || stop != ""
	l.caller.push(text, last)
	if last = last || l.caller.done(); !last {
		return
	}
	l.ended = true
	l.a.open--
	why := finish{Finish: e.Finish, stop: stop, calls: l.caller.made > 0}
	if stop != "" || why.Finish != Length {
		why.Finish = Stop
	}
	l.a.note(l.a.finish(l.choice, why))
}

func (l *lane) text(s string) {
	l.a.note(l.a.sink.text(l.choice, s, l.tokens))
	l.tokens = nil
}

func (l *lane) call(name string) { l.a.note(l.a.sink.call(l.choice, l.caller.made-1, name)) }

func (l *lane) arguments(s string) {
	l.a.note(l.a.sink.arguments(l.choice, l.caller.made-1, s))
}
