package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lodenet/lode/lab/attack"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type labAttackFlags struct {
	seeds int
	seed  uint64
	plot  string
}

func newLabAttackCommand() *cobra.Command {
	var f labAttackFlags
	cmd := &cobra.Command{
		Use:   "attack [NAME]",
		Short: "Play an economic attack over many seeds: what the attacker gains over honesty",
		Long: `Plays an attack and honesty with the same luck, over many seeds, through the code that the chain runs, and says
what the attacker gains over honesty and what the honest others lose: the mean, the median, and the 5th and 95th
percentile of the seeds, and in how many of them the attack pays. The same seeds give the same numbers every time.

Without NAME it lists the attacks. --plot also draws the result as an SVG.`,
		Example: `  lode lab attack
  lode lab attack sandwich
  lode lab attack cabal --seeds 1000 --plot cabal.svg
  lode lab attack copy --json | jq '.cases[] | {case, gain: .gain.mean}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, name := range []string{"seeds", "seed", "plot"} {
					if cmd.Flags().Changed(name) {
						return fail(codeUsage, "name one: `lode lab attack` lists them", "--%s is for one attack", name)
					}
				}
				return listAttacks(cmd)
			}
			return f.run(cmd, args[0])
		},
	}
	cmd.Flags().IntVar(&f.seeds, "seeds", 200, fmt.Sprintf("how many times to play, 1 to %d", attack.MaxSeeds))
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "the first seed; the others follow it")
	cmd.Flags().StringVar(&f.plot, "plot", "", "also draw the result: an SVG `FILE`")
	return cmd
}

func listAttacks(cmd *cobra.Command) error {
	type listed struct {
		Attack string   `json:"attack"`
		Title  string   `json:"title"`
		Setup  string   `json:"setup"`
		Cases  []string `json:"cases"`
	}
	var list []listed
	table := newColumns("attack", "what happens")
	for _, a := range attack.All() {
		list = append(list, listed{a.Name, a.Title, a.Setup, a.Cases})
		table.add(a.Name, a.Title)
	}
	return output(cmd, list, table.write)
}

func (f *labAttackFlags) run(cmd *cobra.Command, name string) error {
	a, ok := attack.Find(name)
	if !ok {
		var names []string
		for _, a := range attack.All() {
			names = append(names, a.Name)
		}
		return fail(codeUsage, "there are "+strings.Join(names, ", "), "there is no attack %q", name)
	}
	if f.seeds < 1 || f.seeds > attack.MaxSeeds {
		return fail(codeUsage, "", "--seeds %d: want 1 to %d", f.seeds, attack.MaxSeeds)
	}
	if cmd.Flags().Changed("plot") {
		if err := plottable(f.plot); err != nil {
			return err
		}
	}
	json := globalsOf(cmd).json
	if !json {
		fmt.Fprintln(cmd.OutOrStdout(), a.Setup+"\n")
	}
	bar := &seedsBar{out: cmd.ErrOrStderr(), of: f.seeds, quiet: json, began: time.Now()}
	result, err := attack.Run(cmd.Context(), a, f.seed, f.seeds, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	if f.plot != "" {
		var svg bytes.Buffer
		if err := result.Plot(&svg); err != nil {
			return err
		}
		if err := os.WriteFile(f.plot, svg.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if json {
		return printJSON(cmd, result)
	}
	return result.Table(cmd.OutOrStdout())
}

// plottable says before a long run that its plot could not be written after it.
func plottable(path string) error {
	if path == "" {
		return fail(codeUsage, "name a file: --plot attack.svg", "--plot is empty")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fail(codeUsage, "name a file in it: --plot "+filepath.Join(path, "attack.svg"), "--plot %s is a folder", path)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--plot: %w", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	return nil
}

// seedsBar tells how far a run is once it takes more than a moment: a line that
// changes on a terminal, else a line for each tenth.
type seedsBar struct {
	out    io.Writer
	of     int
	quiet  bool
	began  time.Time
	last   time.Time
	tenths int
	shown  bool
}

func (b *seedsBar) show(done int) {
	const moment, beat = 2 * time.Second, 200 * time.Millisecond
	now := time.Now()
	if b.quiet || now.Sub(b.began) < moment {
		return
	}
	text := fmt.Sprintf("%6.1fs  %d/%d seeds", now.Sub(b.began).Seconds(), done, b.of)
	if f, ok := b.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if now.Sub(b.last) > beat || done == b.of {
			fmt.Fprintf(b.out, "\r\x1b[K%s", text)
			b.last, b.shown = now, true
		}
		return
	}
	if tenths := 10 * done / b.of; tenths > b.tenths {
		fmt.Fprintln(b.out, text)
		b.tenths = tenths
	}
}

// end leaves the line.
func (b *seedsBar) end() {
	if b.shown {
		fmt.Fprintln(b.out)
	}
}
