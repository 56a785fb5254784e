package inference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// ValidatorConfig is what a validator is made of.
type ValidatorConfig struct {
	// Engine is the validator's own copy of the model, which must be verifiable; required.
	// The validator does not close it.
	Engine engine.Engine
	// Thresholds are those of the model; required.
	Thresholds fidelity.Thresholds
	// Prober asks the miners; required. [NewCanaryGateway] makes one.
	Prober Prober
	// Prompts, if given, are what most canaries ask.
	Prompts *Prompts
	// RoundGoal is how long the canaries of a round may take; default 30 s. Where there are
	// too many miners for it, each round measures some of them, in turns.
	RoundGoal time.Duration
	// Load is how many canaries a miner gets at once, after one alone; default 2.
	Load int
	// AtOnce is how many miners are measured at once; default 8.
	AtOnce int
	// MaxTokens cuts answers off that are longer, as customers who have read enough do;
	// default 256.
	MaxTokens int
	// Logger defaults to a silent one. Nothing of prompts and answers is logged.
	Logger *slog.Logger
}

// Validator measures miners by canaries: it is the [subnet.Validator] of the inference
// subnet.
type Validator struct {
	cfg   ValidatorConfig
	least time.Duration      // that a canary has
	known map[string]*record // by hotkey
	round int
	last  atomic.Pointer[Round]
}

// record is what a validator remembers of a miner.
type record struct {
	window   fidelity.Window
	answered []bool // of the last canaries
	measured int    // the round that it was measured in last
}

// remembered is over how many canaries availability is taken.
const remembered = 48

func (r *record) note(answered bool) {
	r.answered = append(r.answered, answered)
	if over := len(r.answered) - remembered; over > 0 {
		r.answered = slices.Delete(r.answered, 0, over)
	}
}

func (r *record) availability() float64 {
	if len(r.answered) == 0 {
		return 0
	}
	n := 0
	for _, ok := range r.answered {
		if ok {
			n++
		}
	}
	return float64(n) / float64(len(r.answered))
}

// NewValidator makes a validator. It refuses to with an engine that can't tell how an
// answer came about, and with thresholds of another model.
func NewValidator(cfg ValidatorConfig) (*Validator, error) {
	switch {
	case cfg.Engine == nil || cfg.Prober == nil:
		return nil, errors.New("inference: validator config without Engine or Prober")
	case !cfg.Engine.Info().Verifiable:
		return nil, fmt.Errorf("a validator needs a model's file: %s can't score what others answered", cfg.Engine.Info().Backend)
	case cfg.Thresholds.Digest != cfg.Engine.Info().Digest:
		return nil, fmt.Errorf("the thresholds are of model %.12s, the engine runs %.12s", cfg.Thresholds.Digest, cfg.Engine.Info().Digest)
	}
	if err := cfg.Thresholds.Check(); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		name       string
		value      *int
		none, most int
	}{{"load", &cfg.Load, 2, 64}, {"at once", &cfg.AtOnce, 8, 256}, {"max tokens", &cfg.MaxTokens, 256, 1 << 16}} {
		if *d.value < 0 || *d.value > d.most {
			return nil, fmt.Errorf("inference: validator config: %s %d: between 1 and %d", d.name, *d.value, d.most)
		}
		if *d.value == 0 {
			*d.value = d.none
		}
	}
	if cfg.RoundGoal <= 0 {
		cfg.RoundGoal = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Validator{cfg: cfg, least: leastTime, known: map[string]*record{}}, nil
}

// Round is what a validator found in one round.
type Round struct {
	Model  string        `json:"model"` // its digest
	Took   time.Duration `json:"took"`
	Miners []RoundMiner  `json:"miners"`
}

// RoundMiner is what one miner did.
type RoundMiner struct {
	UID          uint16           `json:"uid"`
	Hotkey       string           `json:"hotkey"`
	Fidelity     fidelity.Verdict `json:"fidelity"` // over the last rounds
	Answered     int              `json:"answered"` // of the canaries of this round
	Asked        int              `json:"asked"`
	Availability float64          `json:"availability"` // over the last rounds
	Wait         time.Duration    `json:"wait"`         // to the first token, in the mean
	Throughput   float64          `json:"throughput"`   // tokens a second of an answer
	Price        uint64           `json:"price_rao,string"`
	Paid         uint64           `json:"paid_rao,string"` // for this round's canaries
	// Score is what the round gives; nil: it did not measure the miner, whose score stays.
	Score *float64 `json:"score,omitempty"`
	Error string   `json:"error,omitempty"` // why it gets nothing, or was not measured
}

// Last returns the last round that counted; nil before the first.
func (v *Validator) Last() *Round { return v.last.Load() }

// Round sends canaries to the miners, scores what comes back with the validator's own copy
// of the model, and says what each is worth: see [Score].
func (v *Validator) Round(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
	params, err := ParseParams(n.Params())
	if err != nil {
		return nil, err
	}
	own := v.cfg.Engine.Info().Digest
	if params.Model == "" {
		params.Model = own
	}
	if params.Model != own {
		return nil, ErrOtherModel{params.Model, params.Name, own}
	}
	var seed [32]byte
	if _, err := io.ReadFull(n.Rand(), seed[:]); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	v.round++
	began := time.Now()
	there, err := v.cfg.Prober.Miners(ctx, n.Metagraph())
	if err != nil {
		return nil, fmt.Errorf("the miners' cards: %w", err)
	}
	r := &roundUnderWay{v: v, params: params, random: rand.New(rand.NewChaCha8(seed))}
	if _, err := io.ReadFull(n.Rand(), seed[:]); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	r.canaries = NewCanaries(seed, v.cfg.Prompts)
	miners := n.Miners()
	v.forget(n.Metagraph())
	for _, m := range miners {
		r.add(m, there)
	}
	if err := r.draw(ctx); err != nil {
		return nil, err
	}
	r.ask(ctx)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := r.judge(ctx); err != nil {
		return nil, err
	}
	scores, round, err := r.result()
	if err != nil {
		return nil, err
	}
	round.Took = time.Since(began)
	v.last.Store(round)
	v.cfg.Logger.Debug("round", "miners", len(round.Miners), "took", round.Took)
	return scores, nil
}

// forget drops what is known of hotkeys that have left.
func (v *Validator) forget(meta *subnet.Metagraph) {
	for hotkey := range v.known {
		if _, ok := meta.ByHotkey(hotkey); !ok {
			delete(v.known, hotkey)
		}
	}
}

func (v *Validator) record(hotkey string) *record {
	r := v.known[hotkey]
	if r == nil {
		r = &record{}
		v.known[hotkey] = r
	}
	return r
}

// ErrOtherModel says that a subnet asks for another model than the validator has.
type ErrOtherModel struct {
	Want, Name string // of the subnet
	Have       string
}

func (e ErrOtherModel) Error() string {
	name := ""
	if e.Name != "" {
		name = fmt.Sprintf(" (%.100q)", e.Name)
	}
	return fmt.Sprintf("the subnet's model is %s%s, this validator has %.12s: get that file, `lode model add FILE.gguf`, and start again with --model %.12s", e.Want, name, e.Have, e.Want)
}
