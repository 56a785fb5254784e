package inference

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// A calibration measures by how much honest engines differ on one model, and sets the
// thresholds from it ([fidelity.Calibrate] has the rule). Answers are made in every shape
// that a miner may compute them in on this machine:
//
//   - each CPU variant of llama.cpp that the processor runs, and what it takes by itself,
//     which is a GPU where there is one;
//   - alone, four at once and sixteen at once; with steps of 32 tokens instead of 512; with
//     another number of threads.
//
// Each answer is then read by two validators, one of the best and one of the plainest
// variant that the processor runs, as validators do: prompt and answer in one go. The one
// that an answer was made on does not judge it, where there are two.

// CalibrateOptions say what is calibrated.
type CalibrateOptions struct {
	Model     string // path of a GGUF file
	Libraries string // of llama.cpp; empty: where `make engine` puts them
	Tokens    int    // of answers, in all; default 20,000
	GPULayers int    // layers on a GPU, by the libraries of `make engine-cuda`
	// Progress, if given, is told what is being done, and the tokens that are made and read
	// of all that will be.
	Progress func(doing string, done, of int)
	Logger   *slog.Logger // of engines' processes; nil: slog's default
}

// Calibration is what was measured.
type Calibration struct {
	Thresholds fidelity.Thresholds `json:"thresholds"`
	Shapes     []CalibratedShape   `json:"shapes"`
	Took       time.Duration       `json:"took"`
}

// CalibratedShape is one way to compute answers, against a validator.
type CalibratedShape struct {
	Miner     string           `json:"miner"`
	Validator string           `json:"validator"`
	Seen      fidelity.Verdict `json:"seen"` // by the new thresholds
}

// calibrateShape is a way to compute answers.
type calibrateShape struct {
	name    string
	options llama.Options
	atOnce  int
}

// calibrateAnswer is an answer, with who made it.
type calibrateAnswer struct {
	shape   int
	variant string
	request engine.Request
	ids     []int32
	told    []float64
}

const (
	leastCalibration = 2000
	mostCalibration  = 10_000_000
	calibrateLength  = 160 // tokens of an answer at most
)

// calibrateSeed draws the same prompts each time.
var calibrateSeed = [32]byte([]byte("lode/inference/calibrate/v1/////"))

// Calibrate measures a model's honest noise. It runs one engine at a time.
func Calibrate(ctx context.Context, o CalibrateOptions) (*Calibration, error) {
	if o.Tokens == 0 {
		o.Tokens = 20_000
	}
	if o.Tokens < leastCalibration || o.Tokens > mostCalibration {
		return nil, fmt.Errorf("%d tokens: between %d and %d; 20,000 are usual", o.Tokens, leastCalibration, mostCalibration)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Libraries == "" {
		dir, err := llama.Libraries(o.GPULayers)
		if err != nil {
			return nil, err
		}
		o.Libraries = dir
	}
	c := &calibrating{CalibrateOptions: o, began: time.Now()}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return c.result()
}

type calibrating struct {
	CalibrateOptions
	began    time.Time
	info     engine.Info
	variants []string // that the processor runs, the plainest first
	shapes   []calibrateShape
	answers  []calibrateAnswer
	done     int

	scored map[[2]string][]fidelity.Token // by miner's shape and validator
	order  [][2]string
}

func (c *calibrating) progress(doing string) { c.Progress(doing, min(c.done, c.goal()), c.goal()) }

// goal counts what is made, and what is read at most.
func (c *calibrating) goal() int { return 3 * c.Tokens }

func (c *calibrating) run(ctx context.Context) error {
	if err := c.findVariants(ctx); err != nil {
		return err
	}
	for i, s := range c.shapes {
		if err := c.make(ctx, i, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	validators := []string{""}
	if n := len(c.variants); n > 0 {
		validators = append(validators, c.variants[0])
	}
	c.scored = map[[2]string][]fidelity.Token{}
	for _, v := range validators {
		if err := c.read(ctx, v); err != nil {
			return fmt.Errorf("the validator on %s: %w", variantName(v), err)
		}
	}
	return nil
}

func variantName(v string) string {
	if v == "" {
		return "the machine's best"
	}
	return v
}

func (c *calibrating) start(ctx context.Context, o llama.Options) (engine.Engine, error) {
	o.Model, o.Libraries = c.Model, c.Libraries
	if o.Variant == "" {
		o.GPULayers = c.GPULayers
	}
	if o.Threads == 0 {
		o.Threads = c.info.Threads // what was fastest for the first: trying takes time, and may err
	}
	e, err := llama.Start(ctx, o, c.Logger)
	if err != nil {
		return nil, err
	}
	if c.info.Digest != "" && e.Info().Digest != c.info.Digest {
		return nil, errors.Join(errors.New("the model's file has changed meanwhile"), e.Close())
	}
	if c.info.Digest == "" {
		c.info = e.Info()
	}
	return e, nil
}

// variantOrder are llama.cpp's CPU variants of this architecture, the plainest first.
var variantOrder = []string{"sse42", "ivybridge", "sandybridge", "piledriver", "haswell", "zen4", "skylakex", "cannonlake", "cascadelake", "icelake", "cooperlake", "alderlake", "sapphirerapids"}

// findVariants starts an engine on each variant: those that this processor lacks say so.
func (c *calibrating) findVariants(ctx context.Context) error {
	c.progress("start")
	e, err := c.start(ctx, llama.Options{Slots: 1})
	if err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	all, err := llama.Variants(c.Libraries)
	if err != nil {
		return err
	}
	// One without vectors computes as none does that is of use, and takes very long.
	all = slices.DeleteFunc(all, func(v string) bool { return v == "x64" })
	slices.SortStableFunc(all, func(a, b string) int {
		return slices.Index(variantOrder, a) - slices.Index(variantOrder, b)
	})
	for _, v := range all {
		c.progress("try " + v)
		e, err := c.start(ctx, llama.Options{Slots: 1, Variant: v})
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			continue // the processor lacks it; the machine's best has been started
		}
		if err := e.Close(); err != nil {
			return err
		}
		c.variants = append(c.variants, v)
	}
	for _, v := range append([]string{""}, c.variants...) {
		name := variantName(v)
		c.shapes = append(c.shapes,
			calibrateShape{name + ", alone", llama.Options{Variant: v, Slots: 1}, 1},
			calibrateShape{name + ", 4 at once", llama.Options{Variant: v, Slots: 4}, 4},
			calibrateShape{name + ", 16 at once", llama.Options{Variant: v, Slots: 16}, 16})
	}
	c.shapes = append(c.shapes, calibrateShape{"the machine's best, steps of 32", llama.Options{Slots: 4, Batch: 32}, 4})
	if n := runtime.NumCPU(); n > 1 {
		c.shapes = append(c.shapes, calibrateShape{fmt.Sprintf("the machine's best, %d threads", n), llama.Options{Slots: 4, Threads: n}, 4})
	}
	return nil
}

// make makes a shape's share of answers.
func (c *calibrating) make(ctx context.Context, shape int, s calibrateShape) error {
	e, err := c.start(ctx, s.options)
	if err != nil {
		return err
	}
	share := (c.Tokens + len(c.shapes) - 1) / len(c.shapes)
	seed := calibrateSeed
	seed[31] = byte(shape)
	canaries := NewCanaries(seed, nil)
	var mu sync.Mutex
	made, number := 0, uint64(0)
	next := func() (engine.Request, bool, error) {
		mu.Lock()
		defer mu.Unlock()
		for made < share {
			r, err := requestOf(canaries.Draw(""))
			if err != nil {
				return r, false, err
			}
			r.MaxTokens = min(calibrateLength, max(r.MaxTokens, 32))
			number++
			r.Seed = uint64(shape)<<32 + number
			n, err := e.Tokens(ctx, r.Prompt)
			if errors.Is(err, engine.ErrTooLong) || errors.Is(err, engine.ErrUnsupported) || errors.Is(err, engine.ErrInvalid) || len(n) > e.Info().Context*3/4 {
				if number > 1000 && made == 0 {
					return r, false, fmt.Errorf("the model takes none of the prompts: %w", err)
				}
				continue
			}
			return r, err == nil, err
		}
		return engine.Request{}, false, nil
	}
	work := func() error {
		for {
			r, ok, err := next()
			if err != nil || !ok {
				return err
			}
			a := calibrateAnswer{shape: shape, variant: s.options.Variant, request: r}
			result, err := e.Generate(ctx, r, func(chunk engine.Chunk) error {
				for _, t := range chunk.Tokens {
					a.told = append(a.told, t.LogProb)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if len(a.told) < len(result.Answer) && result.StopString != "" {
				result.Answer = result.Answer[:len(a.told)] // of a stop string none is told
			}
			a.ids = result.Answer
			mu.Lock()
			made += len(a.ids)
			c.done += len(a.ids)
			if len(a.ids) > 0 {
				c.answers = append(c.answers, a)
			}
			c.progress("answer: " + s.name)
			mu.Unlock()
		}
	}
	errs := make([]error, s.atOnce)
	var wg sync.WaitGroup
	for i := range s.atOnce {
		wg.Go(func() { errs[i] = work() })
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), e.Close())
}

// read scores the answers that a validator did not make itself.
func (c *calibrating) read(ctx context.Context, variant string) error {
	e, err := c.start(ctx, llama.Options{Variant: variant, Slots: 4})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	scored := map[int][]fidelity.Token{} // by shape
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, a := range c.answers {
		if a.variant == variant && len(c.variants) > 0 {
			continue
		}
		group.Go(func() error {
			scores, err := e.Score(inner, engine.ScoreRequest{Prompt: a.request.Prompt, Answer: a.ids, Sampling: a.request.Sampling})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			scored[a.shape] = append(scored[a.shape], fidelity.Tokens(a.request.Sampling, scores, a.told)...)
			c.done += len(scores)
			c.progress("read: " + variantName(variant))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return errors.Join(err, e.Close())
	}
	for shape, s := range c.shapes {
		if tokens := scored[shape]; len(tokens) > 0 {
			key := [2]string{s.name, variantName(variant)}
			c.order = append(c.order, key)
			c.scored[key] = tokens
		}
	}
	return e.Close()
}

func (c *calibrating) result() (*Calibration, error) {
	var all []fidelity.Token
	for _, key := range c.order {
		all = append(all, c.scored[key]...)
	}
	t, err := fidelity.Calibrate(c.info.Digest, all)
	if err != nil {
		return nil, err
	}
	t.Measured.At, t.Measured.Machine, t.Measured.Backend = time.Now().UTC().Truncate(time.Second), machineName(), c.info.Backend
	out := &Calibration{Thresholds: t}
	for _, key := range c.order {
		out.Shapes = append(out.Shapes, CalibratedShape{Miner: key[0], Validator: key[1], Seen: fidelity.Judge(t, c.scored[key])})
		out.Thresholds.Measured.Shapes = append(out.Thresholds.Measured.Shapes, key[0]+" → "+key[1])
	}
	out.Took = time.Since(c.began)
	c.Progress("done", c.goal(), c.goal())
	return out, nil
}
