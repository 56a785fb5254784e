package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnets/inference"
)

func newInferenceBenchCommand() *cobra.Command {
	var f inferenceFlags
	var o inference.BenchOptions
	var local, plot string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the miners as a customer sees them: time to first token, speed, price, fidelity",
		Long: `Asks each miner the same, one miner after another, and pays for it: the time to the first token, how fast an answer comes,
what it costs, what fails. A request before that, which opens a channel where there is none, is not counted. With a local copy of the model (--check) it re-scores the answers and says whether they are that
model's.

` + inferenceLimitsHelp,
		Example: `  lode inference bench
  lode inference bench --requests 32 --concurrency 8 --max-tokens 64
  lode inference bench --check lode-mini-Q8_0 --plot miners.svg
  lode inference bench --json | jq '.miners[] | {hotkey, tokens_per_second}'`,
		Args: cobra.NoArgs,
	}
	s := cmd.Flags()
	s.IntVar(&o.Requests, "requests", 8, "how many requests each miner gets")
	s.IntVar(&o.Concurrency, "concurrency", 1, "how many of them at once")
	s.IntVar(&o.MaxTokens, "max-tokens", 128, "most tokens of an answer")
	s.StringVar(&local, "check", "", "local model to check the answers with: a file, a name or a digest")
	s.StringVar(&plot, "plot", "", "also draw the result: an SVG `FILE`")
	f.add(cmd, "warn")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		for name, n := range map[string]int{"--requests": o.Requests, "--concurrency": o.Concurrency, "--max-tokens": o.MaxTokens} {
			if n < 1 || n > 100_000 {
				return fail(codeUsage, "see `lode inference bench --help`", "%s %d: between 1 and 100,000", name, n)
			}
		}
		if cmd.Flags().Changed("plot") {
			if err := plottable(plot); err != nil {
				return err
			}
		}
		if local != "" {
			checker, err := g.checker(cmd, local, o.MaxTokens+512, f.logLevel)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, checker.engine.Close()) }()
			o.Engine, o.Thresholds = checker.engine, checker.thresholds
		}
		d, err := f.open(cmd, false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		bar := newProgressBar(cmd.ErrOrStderr(), g.json)
		o.Model, o.Progress = f.model, func(done, of int) { bar.say(fmt.Sprintf("%s %d/%d requests", barOf(done, of), done, of)) }
		if !bar.live {
			o.Progress = nil
		}
		b, err := d.RunBench(ctx, o)
		bar.end()
		if err != nil {
			return err
		}
		names := g.names(ctx)
		if plot != "" {
			var svg bytes.Buffer
			called := func(hotkey string) string { return cmp.Or(names[hotkey], displayKey(hotkey, nil)) }
			if err := b.Plot(&svg, called); err != nil {
				return err
			}
			if err := os.WriteFile(plot, svg.Bytes(), 0o644); err != nil {
				return err
			}
		}
		return output(cmd, b, func(w io.Writer) { writeBench(w, b, names) })
	}
	return cmd
}

func writeBench(w io.Writer, b *inference.Bench, names map[string]string) {
	t := newColumns(">uid", "miner", "model", ">first token", ">90 %", ">tokens/s", ">all", ">TAO/M", ">paid", ">ok", ">failed", "fidelity")
	dash := func(ok bool, s string) string {
		if !ok {
			return "–"
		}
		return s
	}
	for _, m := range b.Miners {
		ok := m.Answered > 0
		t.add(fmt.Sprint(m.UID), displayKey(m.Hotkey, names), dash(m.Model != "", plain(m.Model)), dash(ok, milliseconds(m.First)), dash(ok, milliseconds(m.First90)),
			dash(m.Rate > 0, fmt.Sprintf("%.1f", m.Rate)), dash(ok, fmt.Sprintf("%.1f", m.Total)), dash(m.Out == "", client.FormatTAO(m.Price)),
			client.FormatTAO(m.Paid), fmt.Sprint(m.Answered), fmt.Sprint(m.Failed), fidelityText(m))
	}
	t.write(w)
	for _, m := range b.Miners {
		if why := m.Out + m.Error; why != "" {
			fmt.Fprintf(w, "uid %d: %s\n", m.UID, plain(why))
		}
		if m.Fidelity != nil && m.Fidelity.Reason != "" {
			fmt.Fprintf(w, "uid %d: %s\n", m.UID, m.Fidelity.Reason)
		}
	}
}

func fidelityText(m inference.BenchMiner) string {
	v := m.Fidelity
	switch {
	case v == nil:
		return "–"
	case v.Tokens == 0 && v.Pass:
		return "no tokens"
	}
	word := "ok"
	if !v.Pass {
		word = "NO"
	}
	return fmt.Sprintf("%s, match %.4f, margin %.5f of %d", word, v.MatchRate, v.MeanMargin, v.Tokens)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
