package inference

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// Generate answers a request. Each choice is a call of its own, at whichever miner of the
// model is best at the moment; the seed of the first is the request's, or drawn when all
// else is fixed, those of the others follow from it ([choiceSeed]).
func (g *Gateway) Generate(ctx context.Context, r *api.Request, emit func(api.Event) error) (api.Usage, error) {
	asked, err := requestOf(r)
	if err != nil {
		return api.Usage{}, told(ctx, err)
	}
	m, err := g.model(ctx, r.Model, false)
	if err != nil {
		return api.Usage{}, err
	}
	if asked.Seed, err = g.seed(r.Seed); err != nil {
		return api.Usage{}, err
	}
	var mu sync.Mutex // one emits at a time
	var usage api.Usage
	one := func(ctx context.Context, choice int) error {
		own := asked
		own.Seed = choiceSeed(asked.Seed, choice)
		call, err := g.answer(ctx, m.key, &own, r.Logprobs, func(ev Event) error {
			out := eventOf(ev, choice, r.Logprobs)
			mu.Lock()
			defer mu.Unlock()
			if err := ctx.Err(); err != nil {
				return err
			}
			return emit(out)
		})
		mu.Lock()
		usage.Prompt = max(usage.Prompt, call.Answer.Prompt)
		usage.Completion += call.Answer.Completion
		mu.Unlock()
		g.keep(r.ID, choice, m, call)
		return err
	}
	if r.N <= 1 {
		err = one(ctx, 0)
	} else {
		group, ctx := errgroup.WithContext(ctx)
		for choice := range r.N {
			group.Go(func() error { return one(ctx, choice) })
		}
		err = group.Wait()
	}
	return usage, told(ctx, err)
}

// seed is the customer's, or a new one.
func (g *Gateway) seed(given *int64) (uint64, error) {
	if given != nil {
		return uint64(*given), nil
	}
	var b [8]byte
	err := g.read(b[:])
	return binary.BigEndian.Uint64(b[:]), err
}

// choiceSeed is the seed of a choice: of the first the request's own, of others the first
// 8 bytes, big-endian, of SHA-256("lode/inference/choice/v1" ‖ seed ‖ choice), both as 8
// bytes, big-endian.
func choiceSeed(seed uint64, choice int) uint64 {
	if choice == 0 {
		return seed
	}
	b := binary.BigEndian.AppendUint64([]byte("lode/inference/choice/v1"), seed)
	h := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(choice)))
	return binary.BigEndian.Uint64(h[:])
}

// Call is how a miner answered.
type Call struct {
	To     Remote
	Asked  Generate
	Answer Answer
	Text   string        // of the answer, without a stop string
	First  time.Duration // to the first piece, without the time of a deposit on chain
	Took   time.Duration
	Paid   uint64 // rao
	// Unknown is the part of Paid that may not have been charged.
	Unknown uint64

	begun bool // a piece was handed on
}

// Pinned asks one miner, as customers are answered: nobody can tell its calls from theirs.
type Pinned struct {
	g      *Gateway
	hotkey string
}

// Pin returns a way to a miner alone, whatever speaks against it in routing: for those
// that measure miners.
func (g *Gateway) Pin(hotkey string) *Pinned { return &Pinned{g, hotkey} }

// Ask asks the miner for a choice of an answer. The request's seed, or one that is drawn
// now, is in the call. An error of the miner's is as [Caller.Generate] returns it; one that
// its card, its prices or its count of the prompt are to blame for, too, wraps [ErrMiner];
// or it is ErrNotServed.
func (p *Pinned) Ask(ctx context.Context, r *api.Request, emit func(Event) error) (Call, error) {
	asked, err := requestOf(r)
	if err != nil {
		return Call{}, err
	}
	if err := p.g.dir.fresh(ctx); err != nil {
		return Call{}, err
	}
	to, done, ok := p.g.dir.take(want{hotkey: p.hotkey})
	if !ok {
		return Call{}, ErrNotServed
	}
	if asked.Seed, err = p.g.seed(r.Seed); err != nil {
		return Call{}, err
	}
	call, err := p.g.call(ctx, &to, &asked, r.Logprobs, emit)
	done(p.g.learned(ctx, call, err))
	p.g.count(call)
	if errors.Is(err, errLie) && !errors.Is(err, ErrMiner) {
		err = minerFailed("%v", err)
	}
	return *call, err
}

// ErrNotServed says that a miner can't be asked: it is not there, or its card is no good.
var ErrNotServed = errors.New("the miner does not serve")

// emitError is what a customer's end of a call failed with.
type emitError struct{ error }

func (e emitError) Unwrap() error { return e.error }

// answer has one choice answered: by another miner where one fails before it has begun.
// The call is the last one, or an empty one. Calls and what they are about go by pointers
// here: a stream that waits keeps its stack, of which there may be thousands.
func (g *Gateway) answer(ctx context.Context, key string, r *engine.Request, withBytes bool, emit func(Event) error) (*Call, error) {
	w := want{model: key, chat: r.Prompt.Chat != nil, grammar: !r.Grammar.IsZero(), maxPrice: g.cfg.MaxPrice, tried: map[string]bool{}}
	last := &Call{}
	var failed, refused error
	var refuser string
	for range g.cfg.Tries {
		to, done, ok := g.dir.take(w)
		if !ok {
			break
		}
		w.tried[to.Hotkey] = true
		g.lost(last) // it has no receipt
		call, err := g.call(ctx, &to, r, withBytes, emit)
		done(g.learned(ctx, call, err))
		last = call
		if errors.As(err, new(chargedTooMuch)) {
			err = nil
		}
		switch {
		case err == nil:
			if refused != nil {
				g.dir.blame(refuser, refused)
			}
			return call, nil
		case ctx.Err() != nil || errors.As(err, new(emitError)):
			return call, err
		case call.begun:
			return call, &api.Error{Kind: api.Gone, Message: "the miner stopped in the middle of its answer; what came of it is charged: ask again"}
		case refusal(err) && refused != nil:
			return call, err // a second one says so: it is believed
		case refusal(err):
			refused, refuser = err, to.Hotkey
		default:
			failed = err
		}
	}
	switch {
	case refused != nil:
		return last, refused
	case failed != nil:
		return last, failed
	}
	return last, g.nobody(w)
}

// lost counts what a call has cost that came to nothing.
func (g *Gateway) lost(c *Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.totals.Paid += c.Paid
	g.totals.Unknown += c.Unknown
}

// call makes one call.
func (g *Gateway) call(ctx context.Context, to *Remote, r *engine.Request, withBytes bool, emit func(Event) error) (*Call, error) {
	call := &Call{To: *to, Asked: Generate{Version: Version, Digest: to.Card.Engine.Digest, Request: *r, Bytes: withBytes}}
	bill := &bill{}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := g.cfg.Now()
	wait := newPatience(g.cfg.Now, g.cfg.FirstPiece+time.Duration(promptBytes(r.Prompt)>>12)*time.Second,
		func(d time.Duration) { cancel(minerFailed("nothing came of it for %s", d)) })
	defer wait.stop()
	took := func() time.Duration { return max(1, g.cfg.Now().Sub(began)-wait.deposited()) }
	var text strings.Builder
	// Who has enough, of a call that a grammar ends, mostly has it one piece before the end,
	// where what it costs is told.
	var enough error
	more := 1
	paying := context.WithValue(pay.OnPaid(inner, bill.note), patienceKey{}, wait)
	answer, err := g.cfg.Caller.Generate(paying, *to, call.Asked, func(ev Event) error {
		wait.stop() // a customer may be slow to take it
		if call.First == 0 {
			call.First = took()
		}
		if ev.Prompt > mostPrompt(r.Prompt) {
			return fmt.Errorf("%w: it counts %d tokens in a prompt of %d bytes", errLie, ev.Prompt, promptBytes(r.Prompt))
		}
		text.WriteString(ev.Text)
		call.begun = true
		if emit != nil && enough == nil {
			enough = emit(ev)
		} else if enough != nil {
			more--
		}
		if enough != nil && ev.Finish == "" && (more <= 0 || inner.Err() != nil) { // after the end nobody needs more
			return emitError{enough}
		}
		wait.came(g.cfg.NextPiece)
		return nil
	})
	wait.stop()
	call.Answer, call.Text, call.Took = answer, text.String(), took()
	call.Paid, call.Unknown = bill.sum()
	if err == nil {
		return call, overcharged(call)
	}
	call.Answer.Finish = "" // it may be said, and not be true
	return call, err
}

// overcharged is an error where a miner took more than its answer costs. The answer is
// good; the miner gets no more work.
func overcharged(c *Call) error {
	e := c.To.Card.Engine
	if !e.Verifiable || c.Unknown > 0 {
		return nil // its tokens can't be counted here, or nobody knows
	}
	most, err := pay.Cost(Units(c.Answer.Prompt, c.Answer.Completion), c.To.Card.Price, PricePer)
	if err != nil || c.Paid > most {
		return chargedTooMuch{fmt.Errorf("%w: it charged %d rao for what costs %d", errLie, c.Paid, most)}
	}
	return nil
}

// chargedTooMuch is about the miner alone: its customer has an answer.
type chargedTooMuch struct{ error }

func (e chargedTooMuch) Unwrap() error { return e.error }

// learned is what a call says of its miner.
func (g *Gateway) learned(ctx context.Context, c *Call, err error) outcome {
	var out outcome
	if errors.As(err, new(emitError)) {
		out.ours, out.err = true, err
	} else {
		out = g.outcome(ctx, &c.To, err)
	}
	out.first = c.First
	if err == nil && c.Took > 0 { // of the whole: pieces may be held back, and come all at once
		out.rate = float64(c.Answer.Completion) / c.Took.Seconds()
	}
	return out
}

// count counts a call.
func (g *Gateway) count(c *Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.totals.Paid += c.Paid
	g.totals.Unknown += c.Unknown
	g.totals.Prompt += c.Answer.Prompt
	g.totals.Completion += c.Answer.Completion
	if c.begun {
		g.totals.Answers++
	}
	if c.Answer.Finish == "" {
		g.totals.Failed++
	}
}

// keep counts a call, and writes its receipt where an answer was begun.
func (g *Gateway) keep(id string, choice int, m model, c *Call) {
	g.count(c)
	if g.cfg.Receipts == nil || !c.begun {
		return
	}
	a, r := c.Answer, c.Asked
	receipt := Receipt{Version: ReceiptVersion, ID: id, Choice: choice, Time: g.cfg.Now().UTC(),
		ChainID: g.cfg.ChainID, Netuid: g.cfg.Netuid, UID: c.To.UID, Hotkey: c.To.Hotkey,
		Model: m.id, Digest: r.Digest, Context: c.To.Card.Engine.Context,
		PromptTokens: a.Prompt, CompletionTokens: a.Completion, Price: c.To.Card.Price, Paid: c.Paid, Exact: c.Unknown == 0,
		Temperature: r.Temperature, TopP: r.TopP, Seed: r.Seed, MaxTokens: r.MaxTokens, Finish: a.Finish, Stopped: a.StopString != ""}
	if receipt.Finish == "" {
		receipt.Finish = engine.FinishCancelled
	}
	err := receipt.seal(lockedRand{g}, r.Prompt, c.Text, a.Tokens)
	if err == nil {
		err = g.cfg.Receipts(receipt)
	}
	if err != nil {
		g.log.Error("a receipt can't be kept", "err", err) // the answer is there, and paid
	}
}

// lockedRand is a gateway's randomness.
type lockedRand struct{ g *Gateway }

func (r lockedRand) Read(b []byte) (int, error) { return len(b), r.g.read(b) }
