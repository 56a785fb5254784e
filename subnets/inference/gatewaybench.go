package inference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// BenchOptions say what a benchmark asks.
type BenchOptions struct {
	Model       string // a name as customers give it; empty: any
	Requests    int    // of each miner; 8
	Concurrency int    // at once; 1
	MaxTokens   int    // of an answer; 128
	// Engine, if given, re-scores the answers of miners of its model, by Thresholds.
	Engine     engine.Engine
	Thresholds fidelity.Thresholds
	// Progress, if given, is told how many requests of how many are done.
	Progress func(done, of int)
}

// Bench is how the miners of a subnet look to a customer.
type Bench struct {
	Netuid      uint16       `json:"netuid"`
	Requests    int          `json:"requests"` // of each miner
	Concurrency int          `json:"concurrency"`
	MaxTokens   int          `json:"max_tokens"`
	Miners      []BenchMiner `json:"miners"`
}

// BenchMiner is how one miner did.
type BenchMiner struct {
	UID    uint16 `json:"uid"`
	Hotkey string `json:"hotkey"`
	Model  string `json:"model"`
	Digest string `json:"digest"`
	Out    string `json:"out,omitempty"` // why it was not asked
	// First is the median time from the request to the first piece, First90 the 90th
	// percentile; Rate the median of tokens a second of one answer, the wait for its first
	// piece included; all of answers that came to their ends.
	First   time.Duration `json:"first_ns"`
	First90 time.Duration `json:"first_90_ns"`
	Rate    float64       `json:"tokens_per_second"`
	// Total is tokens a second of all answers together.
	Total    float64           `json:"total_tokens_per_second"`
	Price    uint64            `json:"price_rao,string"` // for a million units
	Paid     uint64            `json:"paid_rao,string"`
	Tokens   int               `json:"tokens"` // of answers
	Answered int               `json:"answered"`
	Failed   int               `json:"failed"`
	Error    string            `json:"error,omitempty"` // of the last failure
	Fidelity *fidelity.Verdict `json:"fidelity,omitempty"`
}

// benchPrompts are what is asked, in turns.
var benchPrompts = []string{
	"Explain how a bridge carries its load, for somebody who has never built one.",
	"Write a short story about a lighthouse keeper who finds a letter.",
	"List the steps of baking bread, with the reason for each.",
	"What should one look at before buying a used bicycle?",
	"Describe a city that lies under the sea, in the style of a travel guide.",
	"Compare two ways to sort a long list of names.",
	"Write a polite letter that asks a neighbour to play music less loudly.",
	"Summarise what happens in a cell when it divides.",
}

// RunBench asks every miner that serves the model the same, one miner after another, as a
// customer: it pays what is asked. One request before, which opens a channel where there is
// none, is not counted, unless it fails. Seeds are drawn; answers can't come from a cache.
func (g *Gateway) RunBench(ctx context.Context, o BenchOptions) (*Bench, error) {
	o.Requests, o.Concurrency, o.MaxTokens = cmp.Or(o.Requests, 8), cmp.Or(o.Concurrency, 1), cmp.Or(o.MaxTokens, 128)
	if o.Requests < 1 || o.Concurrency < 1 || o.MaxTokens < 1 {
		return nil, fmt.Errorf("%d requests, %d at once, of %d tokens: none may be below 1", o.Requests, o.Concurrency, o.MaxTokens)
	}
	key := ""
	if !slices.Contains(anyModel, o.Model) {
		m, err := g.model(ctx, o.Model, false)
		if err != nil {
			return nil, err
		}
		key = m.key
	}
	list, err := g.Miners(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(m Known) bool { return key != "" && m.Out == nil && modelKey(m.Card.Engine) != key })
	if len(list) == 0 {
		return nil, fmt.Errorf("subnet %d has no miners: a network that has just started publishes their endpoints within some blocks", g.cfg.Netuid)
	}
	out := &Bench{Netuid: g.cfg.Netuid, Requests: o.Requests, Concurrency: o.Concurrency, MaxTokens: o.MaxTokens}
	for i, m := range list {
		one, err := g.benchMiner(ctx, m, o, func(done int) {
			if o.Progress != nil {
				o.Progress(i*o.Requests+done, len(list)*o.Requests)
			}
		})
		if err != nil {
			return nil, err
		}
		out.Miners = append(out.Miners, one)
	}
	return out, nil
}

// benchMiner asks one miner. An error is about this machine.
func (g *Gateway) benchMiner(ctx context.Context, m Known, o BenchOptions, progress func(int)) (BenchMiner, error) {
	out := BenchMiner{UID: m.UID, Hotkey: m.Hotkey, Model: m.Card.Engine.Model, Digest: m.Card.Engine.Digest, Price: m.Card.Price}
	switch {
	case m.Out != nil:
		out.Out = m.Out.Error()
	case g.cfg.MaxPrice > 0 && m.Card.Price > g.cfg.MaxPrice:
		out.Out = errPrice(m.Card.Price, g.cfg.MaxPrice).Error()
	case !m.Card.Engine.Verifiable && !g.cfg.Unverified:
		out.Out = "nobody can tell whether its engine runs the model; --unverified asks it, too"
	}
	if out.Out != "" {
		progress(o.Requests)
		return out, nil
	}
	if _, err := g.Pin(m.Hotkey).Ask(ctx, benchRequest(m, 0, 1), nil); err != nil {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		out.Failed, out.Error = 1, err.Error()
		progress(o.Requests)
		return out, nil
	}
	var mu sync.Mutex
	var calls []Call
	var firsts []time.Duration
	var rates []float64
	done := 0
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(o.Concurrency)
	began := time.Now()
	for i := range o.Requests {
		group.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			call, err := g.Pin(m.Hotkey).Ask(inner, benchRequest(m, i, o.MaxTokens), nil)
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done)
			out.Paid += call.Paid
			out.Tokens += call.Answer.Completion
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				out.Failed++
				out.Error = err.Error()
				return nil
			}
			out.Answered++
			firsts = append(firsts, call.First)
			rates = append(rates, float64(call.Answer.Completion)/max(call.Took, 1).Seconds())
			calls = append(calls, call)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return out, err
	}
	out.Total = float64(out.Tokens) / time.Since(began).Seconds()
	out.First, out.First90, out.Rate = quantile(firsts, 0.5), quantile(firsts, 0.9), quantile(rates, 0.5)
	if o.Engine == nil || out.Digest != o.Engine.Info().Digest {
		return out, nil
	}
	var window fidelity.Window
	for _, c := range calls {
		if err := rescore(ctx, o.Engine, c, &window); err != nil {
			return out, err
		}
	}
	v := window.Verdict(o.Thresholds)
	out.Fidelity = &v
	return out, nil
}

func benchRequest(m Known, i, maxTokens int) *api.Request {
	text := benchPrompts[i%len(benchPrompts)]
	r := &api.Request{N: 1, Temperature: 1, TopP: 1, MaxTokens: maxTokens, Prompt: text}
	if m.Card.Engine.Chat {
		r.Messages = []api.Message{{Role: api.User, Content: text}}
	}
	return r
}

// rescore puts the tokens of an answer into a window, as a validator does.
func rescore(ctx context.Context, e engine.Engine, c Call, w *fidelity.Window) error {
	a := fidelity.Answer{MaxTokens: c.Asked.MaxTokens, Context: c.To.Card.Engine.Context, Stop: c.Asked.Stop, Prompt: c.Answer.Prompt,
		Text: c.Text, Finish: c.Answer.Finish, StopString: c.Answer.StopString}
	for _, t := range c.Answer.Tokens {
		a.Tokens, a.LogProbs = append(a.Tokens, t.ID), append(a.LogProbs, t.LogProb)
	}
	prompt, err := e.Tokens(ctx, c.Asked.Prompt)
	if err != nil {
		return err
	}
	scores, err := e.Score(ctx, engine.ScoreRequest{Prompt: c.Asked.Prompt, Answer: a.Tokens, Sampling: c.Asked.Sampling})
	if errors.Is(err, engine.ErrInvalid) {
		w.Break(errors.New("its tokens are not the model's"))
		return nil
	}
	if err != nil {
		return err
	}
	w.Add(fidelity.Tokens(c.Asked.Sampling, scores, a.LogProbs)...)
	if err := a.Exact(len(prompt), scores); err != nil {
		w.Break(err)
	}
	return nil
}

// quantile is the value that a share of the others lie below; 0 of none.
func quantile[T int | float64 | time.Duration](list []T, q float64) T {
	if len(list) == 0 {
		var none T
		return none
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}
