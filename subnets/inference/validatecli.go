package inference

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// ValidateOptions are the flags of `lode validate inference` that say how it measures.
type ValidateOptions struct {
	Model     string // of the library, or a file
	Prompts   string // file
	RoundGoal time.Duration
	Load      int
	AtOnce    int
	MaxTokens int
	Threads   int
	GPULayers int
}

// Bind adds the flags.
func (o *ValidateOptions) Bind(f *pflag.FlagSet) {
	f.StringVar(&o.Model, "model", o.Model, "the validator's own copy of the subnet's model: a file, a name or a digest (default: the digest that the subnet names, from the library)")
	f.StringVar(&o.Prompts, "prompts", o.Prompts, "file of prompts of your own for canaries, one a line: text, or JSON messages; miners know those that come with Lode")
	f.DurationVar(&o.RoundGoal, "round-goal", 30*time.Second, "how long the canaries of a round may take")
	f.IntVar(&o.Load, "load", 2, "how many canaries a miner gets at once, after one alone")
	f.IntVar(&o.AtOnce, "at-once", 8, "how many miners are measured at once")
	f.IntVar(&o.MaxTokens, "max-tokens", 256, "tokens after which an answer is left")
	f.IntVar(&o.Threads, "threads", 0, "threads of the model (default: what is fastest)")
	f.IntVar(&o.GPULayers, "gpu-layers", 0, "layers on a GPU, by the libraries of 'make engine-cuda'; -1: all")
}

// Wanted is the model that the validator must have, by the subnet's parameters and the
// flags; its error says how to get one.
func (o ValidateOptions) Wanted(params json.RawMessage) (string, error) {
	p, err := ParseParams(params)
	switch {
	case err != nil:
		return "", err
	case o.Model != "":
		return o.Model, nil
	case p.Model == "":
		return "", fmt.Errorf("the subnet names no model: say by which to measure with --model; `lode model list` shows those that you have")
	}
	return p.Model, nil
}

// Validator makes the validator. params are the subnet's own from the chain
// ([subnet.Metagraph].Parameters). It refuses to with another model than the subnet's.
func (o ValidateOptions) Validator(e engine.Engine, th fidelity.Thresholds, by Prober, params json.RawMessage, log *slog.Logger) (*Validator, error) {
	p, err := ParseParams(params)
	if err != nil {
		return nil, err
	}
	if have := e.Info().Digest; p.Model != "" && p.Model != have {
		return nil, ErrOtherModel{Want: p.Model, Name: p.Name, Have: have}
	}
	for _, d := range []struct {
		flag        string
		value, most int
	}{{"--load", o.Load, 64}, {"--at-once", o.AtOnce, 256}, {"--max-tokens", o.MaxTokens, 1 << 16}} {
		if d.value < 1 || d.value > d.most {
			return nil, fmt.Errorf("%s %d: between 1 and %d", d.flag, d.value, d.most)
		}
	}
	if o.RoundGoal < time.Second {
		return nil, fmt.Errorf("--round-goal %v: a second or more", o.RoundGoal)
	}
	cfg := ValidatorConfig{Engine: e, Thresholds: th, Prober: by, RoundGoal: o.RoundGoal, Load: o.Load, AtOnce: o.AtOnce, MaxTokens: o.MaxTokens, Logger: log}
	if o.Prompts != "" {
		f, err := os.Open(o.Prompts)
		if err != nil {
			return nil, fmt.Errorf("--prompts: %w", err)
		}
		defer f.Close()
		if cfg.Prompts, err = ReadPrompts(f); err != nil {
			return nil, fmt.Errorf("--prompts %s: %w", o.Prompts, err)
		}
	}
	if th.Measured == nil && log != nil {
		log.Warn("the thresholds are not measured for this model: coarse cheats are seen, a model at fewer bits may not be; `lode model calibrate` measures them", "model", th.Digest)
	}
	return NewValidator(cfg)
}
