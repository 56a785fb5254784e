package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// TestMain lets scripts run `lode` as a process of its own: this test binary again.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lode": func() { plugIn(); os.Exit(Main()) }, "mcphouse": mcpHouse, "mcpagent": mcpAgent})
}

// TestOfflineScripts runs the scripts in testdata that need no network.
func TestOfflineScripts(t *testing.T) {
	mainnet := httptest.NewServer(http.HandlerFunc(answerStatus))
	t.Cleanup(mainnet.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error { // a home of its own, and no passphrase
			env.Setenv("LODE_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GOGC", collectRarely)
			env.Setenv("MAINNET", mainnet.URL)
			models, err := filepath.Abs("../../subnets/inference/testdata/models")
			env.Setenv("MODELS", models)
			return err
		},
	})
}

// answerStatus answers as a node of lode-1 that is asked for its status.
func answerStatus(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"node_info":{"network":"lode-1"},"sync_info":{"latest_block_height":"7","latest_block_time":"2026-01-01T00:00:00Z"}}}`, req.ID)
}

// every calls f for a command and all below it.
func every(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		every(c, f)
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	every(newRoot(&globals{terminal: newTerminal(strings.NewReader(""), io.Discard)}), func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("`%s` says nothing about itself", cmd.CommandPath())
		}
		if !strings.Contains(cmd.Example, "lode") {
			t.Errorf("`%s` has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "  ") {
				t.Errorf("`%s`: the example %q is not indented as the others are", cmd.CommandPath(), line)
			}
		}
	})
}

func TestEveryExampleIsACommandLineThatParses(t *testing.T) {
	every(newRoot(&globals{terminal: newTerminal(strings.NewReader(""), io.Discard)}), func(cmd *cobra.Command) {
		if strings.HasPrefix(cmd.CommandPath(), "lode node ") {
			return // the SDK's own
		}
		for line := range strings.Lines(cmd.Example) {
			args := exampleArgs(line)
			if args == nil {
				continue
			}
			root := newRoot(&globals{terminal: newTerminal(strings.NewReader(""), io.Discard)})
			found, rest, err := root.Find(args)
			if err != nil {
				t.Errorf("`%s`: example %q: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("`%s`: example %q: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
				continue
			}
			if found.Args == nil {
				continue
			}
			if err := found.Args(found, found.Flags().Args()); err != nil {
				t.Errorf("`%s`: example %q: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
			}
		}
	})
}

// exampleArgs are the arguments of the lode command in a line of an example: up to a
// pipe or a redirection; nil where there is none.
func exampleArgs(line string) []string {
	line = strings.NewReplacer("<(", " ", ")", " ").Replace(line)
	_, rest, ok := strings.Cut(" "+line, " lode ")
	if !ok {
		return nil
	}
	var args []string
	for _, w := range strings.Fields(rest) {
		if w == "|" || w == ">" || w == "&" {
			break
		}
		args = append(args, w)
	}
	return args
}

func TestTheChainsCommandsAreLeftOutWhereAnotherIsMeantOnly(t *testing.T) {
	has := func(args ...string) bool {
		root := newRootFor(&globals{terminal: newTerminal(strings.NewReader(""), io.Discard)}, args)
		found, _, err := root.Find([]string{"tx", "bank", "send"})
		return err == nil && found.Name() == "send"
	}
	for _, args := range [][]string{nil, {"tx"}, {"query", "bank"}, {"q"}, {"help"}, {"help", "tx"}, {"completion", "bash"}, {"__complete", "tx", ""}, {"--help"},
		{"--home", "x", "tx", "bank", "send"}, {"no-such-command"}, {""}} {
		if !has(args...) {
			t.Errorf("lode %q lacks the commands of the chain", args)
		}
	}
	if has("wallet", "list") {
		t.Error("`lode wallet list` starts with all commands")
	}
}
