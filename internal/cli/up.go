package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/subnets/video/media"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newUpCommand() *cobra.Command {
	var (
		cfg           localnet.Config
		models        localnet.Inference
		withInference bool
		duration      time.Duration
		reportTo      string
		logLevel      string
		withConsole   bool
		consolePort   int
	)
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a whole network on this machine: a chain, subnets for video and inference, validators and miners",
		Long: `Runs a whole network on loopback: one chain validator, subnet 1 (video) with its owner, two validators, and miners that
compete with different strategies for compressing real video; and subnet 2 (inference) with two validators and three miners
that answer with a language model. One of those sells the model and runs a smaller one, and earns nothing (--honest: not so).
The model is lode-mini, which comes along: it is tiny, and what it says is not to be trusted. --model takes another.

The console, wallet, explorer and market as a page, is served on loopback (--console=false: not so; docs/console.md).

State lives in --home; a second start continues from it, --fresh starts over. Ctrl-C stops it.
The keys in the home are encrypted with a passphrase that lies beside them: for local networks only.`,
		Example: `  lode up
  lode up --fresh --for 3m --report report.json
  lode up --home /tmp/net --clips ~/videos --rpc-port 26657
  lode up --model ~/models/qwen3-0.6b-q8_0.gguf
  lode up --inference=false`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			g := globalsOf(cmd)
			cfg.Home = g.home
			if reportTo != "" {
				if err := checkWritable(reportTo, "--report"); err != nil {
					return err
				}
			}
			if withInference {
				cfg.Inference = &models
				if err := checkInference(cmd, &cfg); err != nil {
					return err
				}
			} else if models != (localnet.Inference{}) {
				return fail(codeUsage, "leave --inference=false out", "--model and --honest are about the inference subnet")
			}
			if cfg.Tools, err = checkVideo(cmd.Context(), cfg.Strategies, cfg.Clips); err != nil {
				return err
			}
			logger, closeLog, err := upLogger(cfg.Home, logLevel)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, closeLog()) }()
			cfg.Logger = logger
			var page *upConsole
			if withConsole {
				page = &upConsole{home: cfg.Home, port: consolePort, log: logger}
				if err := page.listen(); err != nil {
					return err
				}
				defer page.close()
			} else if consolePort != 0 {
				return fail(codeUsage, "leave --console=false out", "--console-port is about the console")
			}

			report, err := runUp(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), cfg, page, duration, g.json)
			if err != nil {
				return err
			}
			if reportTo != "" {
				raw, err := json.MarshalIndent(report, "", "  ")
				if err != nil {
					return err
				}
				if err := os.WriteFile(reportTo, append(raw, '\n'), 0o644); err != nil {
					return err
				}
			}
			if g.json {
				return printJSON(cmd, report)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&cfg.Fresh, "fresh", false, "start over: delete the network in --home first")
	f.DurationVar(&duration, "for", 0, "stop by itself after this long, counted from the first block (0: run until Ctrl-C)")
	f.StringVar(&reportTo, "report", "", "write what happened to this file at the end, as JSON")
	f.StringVar(&cfg.Clips, "clips", "", "folder of videos that the validators draw from (default: a generated clip)")
	f.StringSliceVar(&cfg.Strategies, "strategies", localnet.DefaultStrategies, "one miner for each: x264, x265, search")
	f.BoolVar(&withInference, "inference", true, "run the inference subnet, too")
	f.StringVar(&models.Model, "model", "", "GGUF file that its miners and validators run (default: lode-mini, a tiny one that comes along)")
	f.BoolVar(&models.Honest, "honest", false, "let no miner of the inference subnet cheat")
	f.IntVar(&cfg.Ports.RPC, "rpc-port", 0, "CometBFT RPC port (0: the last run's, or a free one)")
	f.IntVar(&cfg.Ports.GRPC, "grpc-port", 0, "gRPC port")
	f.IntVar(&cfg.Ports.REST, "rest-port", 0, "REST port")
	f.IntVar(&cfg.Ports.P2P, "p2p-port", 0, "CometBFT peer-to-peer port")
	f.IntVar(&cfg.Ports.Status, "status-port", 0, "status port")
	f.BoolVar(&withConsole, "console", true, "serve the console, too")
	f.IntVar(&consolePort, "console-port", 0, "console port (0: the last run's, or 8420, or a free one)")
	f.StringVar(&logLevel, "log-level", "info", "what goes to HOME/lode.log: debug, info, warn, error")
	return cmd
}

// runUp runs a network, and its console where there is one, and shows it until ctx ends
// or the duration has passed.
func runUp(ctx context.Context, out, errOut io.Writer, cfg localnet.Config, page *upConsole, duration time.Duration, quiet bool) (localnet.Report, error) {
	if quiet {
		errOut = io.Discard // an error is all that programs read there
	}
	start := time.Now()
	step := func(text string) { fmt.Fprintf(errOut, "%6.1fs  %s\n", time.Since(start).Seconds(), text) }
	step("starting a local network in " + cfg.Home)
	cfg.OnStep = step

	n, err := localnet.New(cfg)
	if err != nil {
		return localnet.Report{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()

	select {
	case err := <-done:
		if err == nil && ctx.Err() != nil {
			step("stopped before the network was up")
		}
		return n.Report(), err
	case <-n.Ready():
	}
	if duration > 0 {
		timer := time.AfterFunc(time.Until(n.FirstBlockSeen().Add(duration)), func() { cancel(errTimeIsUp) })
		defer timer.Stop()
	}
	if page != nil {
		// It ends before the network does, whose client it asks.
		defer page.start(ctx, n, step)()
		fmt.Fprintf(errOut, "\n  console %s", page.url())
	}
	e := n.Info().Endpoints
	fmt.Fprintf(errOut, "\n  rpc     %s\n  grpc    %s\n  rest    %s\n  status  %s\n  home    %s\n  wallet  coldkey `user` is funded; passphrase in %s\n          (a passphrase beside the keys suits local networks only)\n\n",
		e.RPC, e.GRPC, e.REST, e.Status, cfg.Home, localnet.PassphraseFile(cfg.Home))

	reports := n.Reports(ctx)
	show := newUpView(out, n.Names(), quiet)
	for {
		select {
		case r, ok := <-reports:
			if !ok {
				reports = nil // it is stopping
				continue
			}
			show(r)
		case err := <-done:
			r := n.Report()
			if err == nil {
				step(fmt.Sprintf("stopped at block %d", r.Height))
			}
			return r, err
		}
	}
}

var errTimeIsUp = errors.New("the time given by --for is up")

// newUpView shows reports: a live table on a terminal, else a line per epoch.
func newUpView(out io.Writer, names map[string]string, quiet bool) func(localnet.Report) {
	if quiet {
		return func(localnet.Report) {}
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		live := &liveTable{out: f}
		return func(r localnet.Report) { live.draw(r, names) }
	}
	last := map[uint16]uint64{}
	return func(r localnet.Report) {
		for _, s := range r.Subnets {
			if n, ok := last[s.Netuid]; ok && n == s.Epochs {
				continue
			}
			last[s.Netuid] = s.Epochs
			fmt.Fprintln(out, epochLine(r, s, names))
		}
	}
}

// upLogger writes the network's log beside its home's state, so that the terminal
// stays readable.
func upLogger(home, level string) (*slog.Logger, func() error, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, nil, fail(codeUsage, "use debug, info, warn or error", "--log-level %q: there is no such level", level)
	}
	f := &lateFile{path: filepath.Join(home, "lode.log")}
	return slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: l})), f.Close, nil
}

// lateFile is a file that is made when something is first written to it, so that a
// network that can't start leaves none.
type lateFile struct {
	path string

	mu   sync.Mutex
	file *os.File
}

func (l *lateFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return 0, err
		}
		l.file = f
	}
	return l.file.Write(p)
}

// Close closes the file. What is written later opens it again.
func (l *lateFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

// checkVideo finds out before anything is made whether miners and validators could work.
func checkVideo(ctx context.Context, strategies []string, clips string) (*media.Tools, error) {
	for _, s := range strategies {
		if _, err := video.ParseStrategy(s); err != nil {
			return nil, fail(codeUsage, "see `lode up --help`", "--strategies: %w", err)
		}
	}
	if clips != "" {
		if _, err := os.ReadDir(clips); err != nil {
			return nil, fail("clips", "name a folder with videos, or leave --clips out", "--clips: %w", err)
		}
	}
	return media.Find(ctx)
}

// checkInference finds out whether language models can run here. Where they can't, and
// nobody has asked for one, the network does without.
func checkInference(cmd *cobra.Command, cfg *localnet.Config) error {
	if path := cfg.Inference.Model; path != "" {
		f, err := os.Open(path)
		if err != nil {
			return fail("model", "name a GGUF file, or leave --model out", "--model: %w", err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	err := llama.Available()
	switch {
	case err == nil:
		return nil
	case cmd.Flags().Changed("inference") || cmd.Flags().Changed("model") || cmd.Flags().Changed("honest"):
		return fail("engine", "`make engine` fetches llama.cpp's libraries", "the inference subnet can't run: %w", err)
	}
	cfg.Inference = nil
	fmt.Fprintf(cmd.ErrOrStderr(), "without the inference subnet: %v\n", err)
	return nil
}

// checkWritable finds out now whether a file can be written at the end. It leaves none.
func checkWritable(path, flag string) error {
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fail("not_writable", "name a file in a folder that exists", "%s: %w", flag, err)
	}
	err = f.Close()
	if isNew {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
