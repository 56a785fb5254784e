package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/spf13/cobra"
)

func newModelCalibrateCommand() *cobra.Command {
	var o inference.CalibrateOptions
	var logLevel string
	cmd := &cobra.Command{
		Use:   "calibrate MODEL",
		Short: "Measure how far honest engines differ on a model, and set its thresholds",
		Long: `Makes answers with the model in every way that this machine can compute it (the CPU variants that the processor runs, a
GPU, one and many requests at once, other steps and threads), reads them again as a validator does, and writes down by how
much the two differ, raised by a safety of 3. Validators and ` + "`lode inference verify`" + ` judge by these thresholds; without
them they see only coarse cheats.

It runs one engine at a time, and takes about the time of making --tokens tokens and reading them twice.`,
		Example: "  lode model calibrate mistral\n  lode model calibrate mistral --tokens 4000\n  lode model calibrate ./model.gguf --json",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.IntVar(&o.Tokens, "tokens", 20_000, "how many tokens of answers are made; more give tighter thresholds")
	f.IntVar(&o.GPULayers, "gpu-layers", 0, "layers on a GPU, by the libraries of 'make engine-cuda'; -1: all")
	f.StringVar(&o.Libraries, "engine", "", "folder of llama.cpp's libraries (LODE_ENGINE_LIBRARIES; default: where 'make engine' puts them)")
	f.StringVar(&logLevel, "log-level", "warn", "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, g := cmd.Context(), globalsOf(cmd)
		var err error
		if o.Logger, err = loggerTo(cmd, logLevel); err != nil {
			return err
		}
		l := g.models()
		m, err := l.Find(ctx, args[0])
		if err != nil {
			return err
		}
		o.Model = m.Path
		bar := newProgressBar(cmd.ErrOrStderr(), g.json)
		o.Progress = func(doing string, done, of int) {
			if !bar.live {
				bar.say(doing)
				return
			}
			left := ""
			if passed := time.Since(bar.began); done > of/20 && done < of {
				left = fmt.Sprintf(", about %s left", (passed * time.Duration(of-done) / time.Duration(done)).Round(time.Second))
			}
			bar.say(fmt.Sprintf("%s %s%s", barOf(done, of), doing, left))
		}
		c, err := inference.Calibrate(ctx, o)
		bar.end()
		if err != nil {
			return err
		}
		if c.Thresholds.Digest != m.Digest {
			return fail("model_changed", "calibrate it again", "the file of %s changed meanwhile", m.Name)
		}
		if err := l.SetThresholds(c.Thresholds); err != nil {
			return err
		}
		return output(cmd, c, func(w io.Writer) { writeCalibration(w, m.Name, c) })
	}
	return cmd
}

func writeCalibration(w io.Writer, name string, c *inference.Calibration) {
	t := newColumns("answers made by", "read by", ">tokens", ">same pick", ">mean margin", ">largest", ">log-prob. off by")
	for _, s := range c.Shapes {
		t.add(s.Miner, s.Validator, fmt.Sprint(s.Seen.Tokens), fmt.Sprintf("%.4f", s.Seen.MatchRate), fmt.Sprintf("%.6f", s.Seen.MeanMargin),
			fmt.Sprintf("%.4f", s.Seen.MaxMargin), fmt.Sprintf("%.5f", s.Seen.MeanAbsLogProb))
	}
	t.write(w)
	th := c.Thresholds
	fmt.Fprintln(w)
	facts(w, "model", fmt.Sprintf("%s %s", name, th.Digest), "machine", th.Measured.Machine, "tokens", grouped(uint64(th.Measured.Tokens)),
		"a token is flagged", fmt.Sprintf("over a margin of %.4f; of honest ones at most %.2g", th.Flag, th.Flagged),
		"mean margin", fmt.Sprintf("%.2g", th.MeanMargin), "log-probabilities", fmt.Sprintf("%.2g off in the mean, %.2g at most counted", th.LogProb, th.LogProbClip),
		"took", c.Took.Round(time.Second).String())
}
