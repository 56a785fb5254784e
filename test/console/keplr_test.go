package console_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/test/watch"
)

// The page signs with Keplr: its own code for pages, from npm, before a key that a test
// keeps, on a chain that checks the signatures.
func TestKeplrSignsForThePage(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium: scripts/tools.sh installs it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	watch.Files(t, "*.mjs", "keplr/package-lock.json", "../../console/web/package-lock.json")
	for folder, one := range map[string]string{"../../console/web": "playwright-core", "keplr": "@keplr-wallet/provider"} {
		if _, err := os.Stat(folder + "/node_modules/" + one + "/package.json"); err == nil {
			continue
		}
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
		install.Dir = folder
		out, err := install.CombinedOutput()
		require.NoErrorf(t, err, "npm ci in %s: %s", folder, out)
	}
	s := &site{n: localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 500 * time.Millisecond})}
	s.c = s.n.Client()
	s.serve(ctx, t)
	other := newKey(t)
	require.NoError(t, s.give(ctx, other.Address(), localnet.TAO))
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "keplr.test.mjs")
	cmd.Env = append(os.Environ(), "LODE_CONSOLE="+s.url, "LODE_CONTROL="+s.control(ctx, t), "LODE_BROWSER="+browser, "LODE_STRANGER="+other.Address())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
