package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/test/ports"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestInferenceScripts runs the scripts in testdata/inference against a local network whose
// subnet 1 is one of lode-mini, and nobody in it.
func TestInferenceScripts(t *testing.T) {
	t.Parallel() // with the guides: both wait a lot
	if err := llama.Available(); err != nil {
		t.Skip(err)
	}
	libraries, err := llama.Libraries(0)
	if err != nil {
		t.Fatal(err)
	}
	home := cheapHome(t)
	n := localnettest.Start(t, localnet.Config{Home: home, ChainOnly: true, BlockTime: 500 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := n.CreateSubnet(ctx, "owner", inference.Name, `{"model":"f8270e7285aa71c63e6ca277b398f21ff47f7306791f9f2498b6df7e0cceefad","name":"lode-mini"}`); err != nil {
		t.Fatal(err)
	}
	port := ports.Free(t, 1)
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: filepath.Join("testdata", "inference"),
			Setup: func(env *testscript.Env) error {
				env.Setenv("LODE_HOME", home)
				env.Setenv("HOME", env.WorkDir)
				env.Setenv("GOGC", collectRarely)
				env.Setenv(llama.LibrariesVariable, libraries)
				env.Setenv("PORT", fmt.Sprint(port))
				limitTime(t, env)
				for _, m := range []inference.DemoModel{inference.Demo, inference.DemoCheat} {
					if err := os.WriteFile(filepath.Join(env.WorkDir, m.File), m.Data, 0o600); err != nil {
						return err
					}
				}
				return nil
			},
			Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
				"eventually": func(ts *testscript.TestScript, neg bool, args []string) { eventually(timeOf(ts), n, ts, neg, args) },
			},
		})
	})
}
