package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/test/ports"
)

// guides are those whose commands run here, in this order and on one network: that of
// `lode up`, but for its miners and validators.
var guides = []string{"own-a-subnet.md", "stake.md", "mine.md", "validate.md", "market.md", "wallet.md"}

// before are lines that run before a guide's: what there is in the network of `lode up`
// without its reader's doing. A neuron there lists the first service.
var before = map[string][]string{
	"market.md": {
		"lode wallet create seller",
		"lode wallet create seller-hot --kind hotkey",
		"lode faucet seller 30",
		"lode neuron register --netuid 1 --hotkey seller-hot --from seller",
		"lode market offer --netuid 1 --hotkey seller-hot --name video --endpoint https://example.org --unit video_minute --price 0.01 --from seller",
	},
}

// guideTime is how long a guide may take.
const guideTime = 4 * time.Minute

// TestTheGuidesCommandsRun runs every line of every ```sh block of the guides, as their
// reader does. Lines that run until Ctrl-C end in " &" there.
func TestTheGuidesCommandsRun(t *testing.T) {
	t.Parallel()
	home := cheapHome(t)
	n := localnettest.Start(t, localnet.Config{Home: home, ChainOnly: true, BlockTime: 400 * time.Millisecond})
	if _, err := n.CreateSubnet(t.Context(), "owner", "video", `{"measure":"ssim"}`); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "LODE_HOME="+home, "GOGC="+collectRarely, "PATH="+lodeOnPath(t)+":"+os.Getenv("PATH"))
	for _, guide := range guides {
		ok := t.Run(guide, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("..", "..", "docs", guide))
			if err != nil {
				t.Fatal(err)
			}
			lines := shellLines(string(raw))
			if len(lines) < 5 {
				t.Fatalf("%s has only %d commands: are its blocks marked sh?", guide, len(lines))
			}
			ctx, cancel := context.WithTimeout(t.Context(), guideTime)
			defer cancel()
			g := guideRun{t: t, n: n, env: env, dir: t.TempDir()}
			free := freePorts(t)
			for _, line := range append(slices.Clone(before[guide]), lines...) {
				g.run(ctx, free.Replace(line))
			}
		})
		if !ok {
			return // the next guide builds on this one's network
		}
	}
}

// freePorts stands free ports in for those that the guides name.
func freePorts(t *testing.T) *strings.Replacer {
	first := ports.Free(t, 2)
	return strings.NewReplacer("127.0.0.1:8402", fmt.Sprintf("127.0.0.1:%d", first), "127.0.0.1:4020", fmt.Sprintf("127.0.0.1:%d", first+1))
}

// lodeOnPath is a folder in which `lode` is this test binary.
func lodeOnPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "lode")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shellLines are the commands of a page's ```sh blocks; a backslash joins lines.
func shellLines(page string) (out []string) {
	inside, joined := false, ""
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		switch {
		case !inside:
			inside = line == "```sh"
		case line == "```":
			inside = false
		default:
			joined += line
			if rest, more := strings.CutSuffix(joined, "\\"); more {
				joined = rest
				continue
			}
			if s := strings.TrimSpace(joined); s != "" && !strings.HasPrefix(s, "#") {
				out = append(out, s)
			}
			joined = ""
		}
	}
	return out
}

// guideRun runs the lines of one guide.
type guideRun struct {
	t   *testing.T
	n   *localnet.Network
	env []string
	dir string
}

func (g guideRun) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Env, cmd.Dir = g.env, g.dir
	return cmd
}

// tooSoon are words of what only needs another block, or a program that is starting.
var tooSoon = []string{"the first block that will be accepted", "has no uid", "to connect to"}

// run runs a line. What the chain refuses only because it is too soon is tried again
// with every block, as the error says.
func (g guideRun) run(ctx context.Context, line string) {
	g.t.Helper()
	if rest, background := strings.CutSuffix(line, " &"); background {
		g.start(rest)
		return
	}
	blocks, stop := context.WithCancel(ctx)
	defer stop()
	tries := 40
	var out []byte
	var err error
	for range g.n.Client().Blocks(blocks) {
		if out, err = g.command(ctx, line).CombinedOutput(); err == nil {
			g.t.Logf("$ %s\n%s", line, out)
			return
		}
		soon := slices.ContainsFunc(tooSoon, func(words string) bool { return strings.Contains(string(out), words) })
		if tries--; tries == 0 || !soon {
			break
		}
	}
	g.t.Fatalf("$ %s\n%s%v", line, out, err)
}

// start runs a line until the guide's end, when it gets the interrupt that its reader
// would give it.
func (g guideRun) start(line string) {
	g.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := g.command(ctx, "exec "+line)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		g.t.Fatalf("$ %s: %v", line, err)
	}
	g.t.Cleanup(func() {
		cancel()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.Is(err, context.Canceled) && !(errors.As(err, &exit) && exit.ExitCode() == exitInterrupted) {
			g.t.Errorf("$ %s\n%s%v", line, out.String(), fmt.Errorf("it did not run until it was interrupted: %w", err))
		}
	})
}
