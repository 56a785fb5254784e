package inference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// roundUnderWay is a round that is not over.
type roundUnderWay struct {
	v        *Validator
	params   Params
	random   *rand.Rand // order and times
	canaries *Canaries
	miners   []*measuring
}

// measuring is a miner in a round.
type measuring struct {
	RoundMiner
	card    Card
	record  *record
	out     string    // why it is not asked, and gets nothing; "": it is asked
	probes  []*canary // the first alone, the others at once
	skipped error     // why it was not measured, through no fault of its own
	paces   []pace
}

// canary is a request of a validator, and what came of it.
type canary struct {
	request *api.Request
	prompt  int           // tokens
	most    int           // tokens after which the answer is left
	pause   time.Duration // before it is sent

	sent   bool
	asked  engine.Request
	answer Answer
	text   string
	pace   pace
	paid   uint64
	err    error // none, or errEnough, where all is well
}

// errEnough is why a validator leaves an answer: it has seen enough, or has no more time.
var errEnough = errors.New("the answer is long enough")

const (
	// leastTurn is the least time that a miner's canaries have.
	leastTurn = 3 * time.Second
	// leastTime is what a canary has at least.
	leastTime = 4 * time.Second
	// leastContext is how many tokens of prompt and answer a miner must hold, if the model
	// does.
	leastContext = 512
)

// add takes a miner up.
func (r *roundUnderWay) add(n subnet.Neuron, there []Known) {
	m := &measuring{RoundMiner: RoundMiner{UID: n.UID, Hotkey: n.Hotkey}, record: r.v.record(n.Hotkey)}
	r.miners = append(r.miners, m)
	i := slices.IndexFunc(there, func(x Known) bool { return x.Hotkey == n.Hotkey })
	if i < 0 {
		m.out = "it can't be reached"
	} else if there[i].Out != nil && !errors.Is(there[i].Out, errLie) {
		m.out = there[i].Out.Error()
	}
	if m.out != "" {
		m.record.note(false)
		return
	}
	m.card = there[i].Card
	m.Price = m.card.Price
	info := m.card.Engine
	switch {
	case !info.Verifiable:
		m.out = "its engine is not verifiable: nobody can tell which model it runs"
	case info.Digest != r.params.Model:
		m.out = fmt.Sprintf("it runs %.12s, not the subnet's model %.12s", info.Digest, r.params.Model)
	case info.Context < min(leastContext, r.v.cfg.Engine.Info().Context):
		m.out = fmt.Sprintf("it holds %d tokens of prompt and answer, at least %d are needed", info.Context, leastContext)
	case m.card.Price > r.params.MaxPrice():
		m.out = fmt.Sprintf("it takes %d rao for a million tokens, %d is the most that is paid", m.card.Price, r.params.MaxPrice())
	}
}

// turns says how long each miner has, and who has a turn in this round: those first whose
// last was longest ago.
func (r *roundUnderWay) turns() (turn time.Duration, list []*measuring) {
	for _, m := range r.miners {
		if m.out == "" {
			list = append(list, m)
		}
	}
	r.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(a, b *measuring) int { return cmp.Compare(a.record.measured, b.record.measured) })
	cfg := r.v.cfg
	if most := max(1, int(cfg.RoundGoal*time.Duration(cfg.AtOnce)/leastTurn)); len(list) > most {
		for _, m := range list[most:] {
			m.skipped = errors.New("it has its turn in another round")
		}
		list = list[:most]
	}
	rows := (len(list) + cfg.AtOnce - 1) / cfg.AtOnce
	if rows == 0 {
		return 0, nil
	}
	// The order within a round says nothing of how long anybody waited.
	r.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return cfg.RoundGoal / time.Duration(rows), list
}

// draw draws every miner's canaries: of the same kinds and number, never the same twice.
func (r *roundUnderWay) draw(ctx context.Context) error {
	e := r.v.cfg.Engine
	for _, m := range r.miners {
		if m.out != "" {
			continue
		}
		room := min(e.Info().Context, m.card.Engine.Context)
		for range 1 + r.v.cfg.Load {
			c, err := r.drawOne(ctx, e, room)
			if err != nil {
				return err
			}
			m.probes = append(m.probes, c)
		}
	}
	return nil
}

// drawOne draws a canary that leaves room for an answer; long ones are drawn anew.
func (r *roundUnderWay) drawOne(ctx context.Context, e engine.Engine, room int) (*canary, error) {
	name := cmp.Or(r.params.Name, e.Info().Model)
	for range 100 {
		q := r.canaries.Draw(name)
		n, err := promptTokens(ctx, e, q)
		switch {
		case errors.Is(err, engine.ErrTooLong), errors.Is(err, engine.ErrUnsupported), errors.Is(err, engine.ErrInvalid): // a model without a chat, or one that knows no system
			continue
		case err != nil:
			return nil, fmt.Errorf("the validator's own engine: %w", err)
		case n > room*3/4:
			continue
		}
		return &canary{request: q, prompt: n, most: min(r.v.cfg.MaxTokens, e.Info().Context-n)}, nil
	}
	return nil, fmt.Errorf("no canary fits into %d tokens: give shorter ones with --prompts", room)
}

// ask sends the canaries, to so many miners at once, each at a moment of its own.
func (r *roundUnderWay) ask(ctx context.Context) {
	turn, list := r.turns()
	work := make(chan *measuring)
	var wg sync.WaitGroup
	for range min(r.v.cfg.AtOnce, len(list)) {
		wg.Go(func() {
			for m := range work {
				r.v.probe(ctx, m, turn)
			}
		})
	}
	// Times are drawn here, as one goroutine may: a fifth of the turn at most is waited.
	for _, m := range list {
		for _, c := range m.probes {
			c.pause = time.Duration(r.random.Int64N(int64(turn/10) + 1))
		}
		m.record.measured = r.v.round
		select {
		case work <- m:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
}

// probe sends a miner its canaries: one alone, then the others at once.
func (v *Validator) probe(ctx context.Context, m *measuring, turn time.Duration) {
	limit := max(v.least, turn*2/5)
	pause := func(c *canary) bool {
		select {
		case <-time.After(c.pause):
			return true
		case <-ctx.Done():
			return false
		}
	}
	if !pause(m.probes[0]) {
		return
	}
	v.send(ctx, m, m.probes[0], limit)
	if len(m.probes) < 2 || !pause(m.probes[1]) {
		return
	}
	var wg sync.WaitGroup
	for _, c := range m.probes[1:] {
		wg.Go(func() { v.send(ctx, m, c, limit) })
	}
	wg.Wait()
}

// send sends a canary and takes down how its answer comes.
func (v *Validator) send(ctx context.Context, m *measuring, c *canary, limit time.Duration) {
	inner, cancel := context.WithTimeoutCause(ctx, limit, errEnough)
	defer cancel()
	began := time.Now()
	var first, last time.Time
	tokens, beginning := 0, 0
	c.sent = true
	call, err := v.cfg.Prober.Ask(inner, m.Hotkey, c.request, func(ev Event) error {
		last = time.Now()
		tokens += len(ev.Tokens)
		if first.IsZero() && tokens > 0 {
			first, beginning = last, tokens
		}
		if tokens >= c.most && ev.Finish == "" {
			return errEnough
		}
		return nil
	})
	c.asked, c.answer, c.text, c.paid, c.err = call.Asked.Request, call.Answer, call.Text, call.Paid, err
	if !first.IsZero() {
		c.pace = pace{wait: first.Sub(began), rest: last.Sub(first), tokens: tokens - beginning + 1}
	}
}

// answered says whether there is something to judge.
func (c *canary) answered() bool {
	return len(c.answer.Tokens) > 0 && (c.err == nil || errors.Is(c.err, errEnough) || errors.Is(c.err, errLie))
}

// why is why there is nothing to judge.
func (c *canary) why() error {
	if c.err == nil || errors.Is(c.err, errEnough) {
		return errors.New("no token came in time")
	}
	return c.err
}

// ours says whether a canary failed through no fault of the miner's.
func (c *canary) ours() bool {
	return errors.Is(c.err, pay.ErrLimit) || errors.Is(c.err, pay.ErrNoDeposit) || errors.Is(c.err, context.Canceled)
}

// judge scores the answers with the validator's own copy of the model, after all have come:
// the work takes nothing from miners on the same machine.
func (r *roundUnderWay) judge(ctx context.Context) error {
	for _, m := range r.miners {
		var reasons []error
		for _, c := range m.probes {
			if !c.sent {
				continue
			}
			m.Paid += c.paid
			if c.ours() && len(c.answer.Tokens) == 0 {
				m.skipped = c.err
				continue
			}
			m.Asked++
			if errors.Is(c.err, errLie) { // what it counts or charges can't be
				m.record.window.Break(fmt.Errorf("%w: %w", fidelity.ErrExact, c.err))
			}
			ok := c.answered()
			if ok {
				err := r.v.judge(ctx, m, c)
				if cause := context.Cause(ctx); cause != nil {
					return cause
				}
				if err != nil { // our own engine's fault
					m.skipped, ok = err, false
					m.Asked--
					continue
				}
				m.Answered++
				m.paces = append(m.paces, c.pace)
			} else {
				reasons = append(reasons, c.why())
			}
			m.record.note(ok)
		}
		if m.Error == "" && len(reasons) > 0 {
			m.Error = reasons[0].Error()
		}
	}
	return nil
}

// judge puts an answer into the miner's window. The error is about our own engine.
func (v *Validator) judge(ctx context.Context, m *measuring, c *canary) error {
	w := &m.record.window
	ids, reported := make([]int32, len(c.answer.Tokens)), make([]float64, len(c.answer.Tokens))
	for i, t := range c.answer.Tokens {
		ids[i], reported[i] = t.ID, t.LogProb
	}
	request := engine.ScoreRequest{Prompt: c.asked.Prompt, Answer: ids, Sampling: c.asked.Sampling}
	scores, err := v.score(ctx, request)
	switch {
	case errors.Is(err, engine.ErrInvalid), errors.Is(err, engine.ErrTooLong):
		w.Break(fmt.Errorf("%w: its tokens can't be scored: %w", fidelity.ErrExact, err))
		return nil
	case err != nil:
		return fmt.Errorf("the validator's own engine: %w", err)
	}
	a := fidelity.Answer{MaxTokens: c.asked.MaxTokens, Context: m.card.Engine.Context, Stop: c.asked.Stop,
		Prompt: c.answer.Prompt, Tokens: ids, LogProbs: reported, Text: c.text, Finish: c.answer.Finish, StopString: c.answer.StopString}
	w.Add(fidelity.Tokens(c.asked.Sampling, scores, a.Told(scores))...)
	switch {
	case a.Finish != "":
		if err := a.Exact(c.prompt, scores); err != nil {
			w.Break(err)
		}
	case a.Prompt != c.prompt: // we left it before its end
		w.Break(fmt.Errorf("%w: %d tokens of the prompt are charged, it has %d", fidelity.ErrExact, a.Prompt, c.prompt))
	}
	return nil
}

// score asks the engine, twice where its process fails.
func (v *Validator) score(ctx context.Context, r engine.ScoreRequest) ([]engine.TokenScore, error) {
	scores, err := v.cfg.Engine.Score(ctx, r)
	if err == nil || !engine.Retryable(err) {
		return scores, err
	}
	if e, ok := v.cfg.Engine.(interface{ Ready(context.Context) error }); ok {
		if err := e.Ready(ctx); err != nil {
			return nil, err
		}
	}
	return v.cfg.Engine.Score(ctx, r)
}

// result is what the round says.
func (r *roundUnderWay) result() (subnet.Scores, *Round, error) {
	scores := subnet.Scores{}
	round := &Round{Model: r.params.Model}
	var unpaid error
	measured := 0
	for _, m := range r.miners {
		m.Availability = m.record.availability()
		m.Fidelity = m.record.window.Verdict(r.v.cfg.Thresholds)
		score, known := 0.0, true
		switch {
		case m.out != "":
			m.Error = m.out
		case m.Asked == 0:
			known = false
			if m.Error = "the round was too short for it"; m.skipped != nil {
				m.Error = m.skipped.Error()
			}
			if errors.Is(m.skipped, pay.ErrLimit) || errors.Is(m.skipped, pay.ErrNoDeposit) {
				unpaid = m.skipped
			}
		default:
			x := Measured{Verdict: m.Fidelity, Verifiable: m.card.Engine.Verifiable, Model: m.card.Engine.Digest == r.params.Model,
				Availability: m.Availability, Price: m.Price}
			m.Wait, x.Tokens, x.Took = sumPaces(m.paces)
			m.Throughput = x.Throughput()
			score, known = Score(x, r.params)
			measured++
			if !m.Fidelity.Pass {
				m.Error = m.Fidelity.Reason
			} else if !known {
				m.Error = fmt.Sprintf("%d tokens of it are known, %d are needed", m.Fidelity.Tokens, fidelity.Enough)
			}
		}
		if known {
			scores[m.UID], m.Score = score, &score
		}
		if m.Error != "" {
			r.v.cfg.Logger.Info("no reward, or less", "uid", m.UID, "hotkey", m.Hotkey, "why", m.Error)
		}
		round.Miners = append(round.Miners, m.RoundMiner)
	}
	if unpaid != nil && measured == 0 {
		return nil, nil, fmt.Errorf("canaries can't be paid for, so nobody was measured: %w; raise the limits with --deposit, --per-day and --max-request", unpaid)
	}
	if unpaid != nil {
		r.v.cfg.Logger.Warn("some canaries can't be paid for: raise the limits", "err", unpaid)
	}
	return scores, round, nil
}
