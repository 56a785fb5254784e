package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
	"golang.org/x/sync/errgroup"
)

// ValidatorConfig is what a validator is made of.
type ValidatorConfig struct {
	// Tools are the local ffmpeg; required.
	Tools *media.Tools
	// Corpus is where probes come from; default [Generated].
	Corpus Corpus
	// Params are the subnet's parameters as known at the start; the chain's replace them
	// in every round. Default [DefaultParams].
	Params *Params
	// RoundGoal is how long a round should take; probes shrink and grow towards it.
	// Default 20 s.
	RoundGoal time.Duration
	// Sells says that customers pay: the gateway refuses them until [Gateway.Sell] is
	// called. A seller of package subnet/seller does it.
	Sells bool
	// Logger defaults to a silent one.
	Logger *slog.Logger
}

// Validator measures miners: it is the [subnet.Validator] of the video subnet, and
// [Validator.Gateway] is what it serves to customers.
type Validator struct {
	cfg     ValidatorConfig
	budget  *budget
	rates   rates // of baselines
	gateway *Gateway
	last    atomic.Pointer[Round]
}

// NewValidator makes a validator. It refuses to where the local ffmpeg lacks the
// subnet's measure, with an error that says how to get it.
func NewValidator(cfg ValidatorConfig) (*Validator, error) {
	if cfg.Tools == nil {
		return nil, errors.New("video: validator config without Tools")
	}
	if cfg.Params == nil {
		p := DefaultParams()
		cfg.Params = &p
	}
	if err := cfg.Params.check(); err != nil {
		return nil, err
	}
	if err := cfg.Tools.Check(cfg.Params.Measure); err != nil {
		return nil, err
	}
	if !cfg.Tools.HasEncoder("libx264") {
		return nil, fmt.Errorf("ffmpeg %s has no libx264, which the baseline is made with; install a complete ffmpeg", cfg.Tools.Version())
	}
	if cfg.Corpus == nil {
		cfg.Corpus = Generated{Tools: cfg.Tools}
	}
	if cfg.RoundGoal <= 0 {
		cfg.RoundGoal = 20 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	v := &Validator{cfg: cfg, budget: newBudget(cfg.RoundGoal)}
	v.gateway = newGateway(cfg.Tools, &v.rates, cfg.Sells, cfg.Logger)
	return v, nil
}

// Gateway returns the handler that customers call through this validator; see [Gateway].
func (v *Validator) Gateway() *Gateway { return v.gateway }

// Close removes what waits to be looked at. Call it when no round runs any more.
func (v *Validator) Close() error { return v.gateway.Close() }

// Round is what a validator found in one round.
type Round struct {
	Job      Job           `json:"job"`
	Source   int           `json:"source"`   // bytes
	Baseline float64       `json:"baseline"` // bytes
	Took     time.Duration `json:"took"`
	Answers  []RoundAnswer `json:"answers"`
}

// RoundAnswer is what one miner did in a round.
type RoundAnswer struct {
	UID     uint16      `json:"uid"`
	Hotkey  string      `json:"hotkey"`
	Codec   media.Codec `json:"codec,omitempty"`
	Bytes   int64       `json:"bytes"` // counted
	Quality Quality     `json:"quality"`
	Score   float64     `json:"score"` // after sharing and with customers' results
	Error   string      `json:"error,omitempty"`
}

// Last returns the last round that counted; nil before the first.
func (v *Validator) Last() *Round { return v.last.Load() }

// Round draws a probe from a secret seed, asks every miner for it, and scores what
// comes back: see [Score], [Share] and [Combine].
func (v *Validator) Round(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
	params, err := ParseParams(n.Params())
	if err != nil {
		return nil, err
	}
	if err := v.cfg.Tools.Check(params.Measure); err != nil {
		return nil, err
	}
	v.gateway.follow(n)
	var seed [32]byte
	if _, err := io.ReadFull(n.Rand(), seed[:]); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	rng := rand.New(rand.NewChaCha8(seed))
	began := time.Now()
	p, err := draw(ctx, v.cfg.Tools, v.cfg.Corpus, params, v.budget.size(), rng)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := p.close(); err != nil {
			v.cfg.Logger.Warn("a probe's files stay behind", "err", err)
		}
	}()

	miners := n.Miners()
	var base float64
	var answers []answer
	g, groupCtx := errgroup.WithContext(ctx)
	g.Go(func() error {
		var err error
		if base, err = baseline(groupCtx, v.cfg.Tools, p.job, p.source, &v.rates); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		answers = ask(groupCtx, n, miners, p)
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	round := &Round{Job: p.job, Source: len(p.bytes), Baseline: base}
	measured := make([]Measured, len(miners))
	for i, m := range miners {
		a := RoundAnswer{UID: m.UID, Hotkey: m.Hotkey}
		err := answers[i].err
		if err == nil {
			var j *Judged
			j, err = judge(ctx, v.cfg.Tools, p.job, p.source, answers[i].status.Codec, answers[i].bytes)
			if err == nil {
				measured[i] = j.measured(base, params.Exponent)
				a.Codec, a.Bytes, a.Quality, err = j.Stream.Codec, j.Stream.Counted, j.Quality, j.Gate
			} else if !errors.Is(err, ErrAnswer) {
				return nil, fmt.Errorf("judge uid %d: %w", m.UID, err)
			}
		}
		if err != nil {
			a.Error = err.Error()
			v.cfg.Logger.Info("no reward", "uid", m.UID, "hotkey", m.Hotkey, "err", err)
		}
		round.Answers = append(round.Answers, a)
	}
	// Without customers' jobs in between, a round's length is the probe's.
	round.Took = time.Since(began)
	v.budget.took(round.Took)
	customers := v.gateway.audit(ctx, params)
	scores := subnet.Scores{}
	for i, s := range Share(measured, p.job.Gate.Quality) {
		s = Combine(s, customers[miners[i].Hotkey])
		round.Answers[i].Score = s
		scores[miners[i].UID] = s
	}
	v.last.Store(round)
	v.cfg.Logger.Debug("round", "shape", p.job.Shape.String(), "quality", p.job.Gate.Quality, "baseline", base, "took", round.Took)
	return scores, nil
}

// answer is what a miner sent.
type answer struct {
	status Status
	bytes  []byte
	err    error
}

// ask sends a probe to all miners at once. Bytes are fetched only after every miner has
// committed to its own or run out of time: nobody can wait to see another's.
func ask(ctx context.Context, n *subnet.Network, miners []subnet.Neuron, p *probe) []answer {
	out := make([]answer, len(miners))
	ids := make([]string, len(miners))
	calls := make([]caller, len(miners))
	each := func(do func(i int)) {
		var wg sync.WaitGroup
		for i := range miners {
			wg.Go(func() { do(i) })
		}
		wg.Wait()
	}
	deadline := time.Now().Add(p.job.deadline())
	each(func(i int) {
		calls[i] = caller{client: n.Client(), base: strings.TrimSuffix(n.URL(miners[i], "/"), "/")}
		// A second more than the deadline, for the way there and back.
		ctx, cancel := context.WithDeadline(ctx, deadline.Add(time.Second))
		defer cancel()
		if ids[i], out[i].err = calls[i].post(ctx, p.job, p.bytes); out[i].err == nil {
			out[i].status, out[i].err = calls[i].await(ctx, ids[i])
		}
	})
	each(func(i int) {
		if out[i].err == nil {
			ctx, cancel := context.WithTimeout(ctx, controlTimeout)
			defer cancel()
			out[i].bytes, out[i].err = calls[i].fetch(ctx, ids[i], out[i].status, maxAnswer(int64(len(p.bytes))))
		}
		if ids[i] != "" {
			calls[i].forget(ctx, ids[i])
		}
	})
	return out
}
