// Package inference_test asks the inference API with clients that others have written.
package inference_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/api/apitest"
	"github.com/lodenet/lode/test/watch"
)

// served is an API whose backend does as it is told.
func served(t *testing.T) (string, *apitest.Backend) {
	t.Helper()
	b := apitest.New()
	s := httptest.NewServer(api.Handler(b, api.Config{}))
	t.Cleanup(s.Close)
	return s.URL, b
}

// ended waits until so many answers that went on forever have ended.
func ended(t *testing.T, all <-chan error, n int) {
	t.Helper()
	for range n {
		select {
		case err := <-all:
			require.Error(t, err)
		case <-time.After(10 * time.Second):
			t.Fatal("an answer goes on, but nobody reads it")
		}
	}
}

// install installs what the lock file says, unless that is what is there: it is 12,000 files.
func install(ctx context.Context, t *testing.T) {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	const done = "node_modules/.installed"
	if had, err := os.ReadFile(done); err == nil && bytes.Equal(had, lock) {
		return
	}
	out, err := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error").CombinedOutput()
	require.NoErrorf(t, err, "npm ci:\n%s", out)
	require.NoError(t, os.WriteFile(done, lock, 0o644))
}

// scripts are those of npm's clients, each with how many answers it leaves that go on forever.
var scripts = map[string]int{"openai.test.mjs": 1, "anthropic.test.mjs": 1, "ai.test.mjs": 2}

// npm runs a script against an API.
func npm(ctx context.Context, t *testing.T, script, url string, more ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=tap", script)
	cmd.Env = append(append(os.Environ(), "LODE_API="+url), more...)
	out, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "%s:\n%s", script, out)
	require.True(t, bytes.Contains(out, []byte("\n# fail 0\n")), string(out))
}

func TestNPMsClientsAreAnswered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	watch.Files(t, "*.json", "*.mjs")
	install(ctx, t)
	for script, left := range scripts {
		t.Run(script, func(t *testing.T) {
			url, b := served(t)
			npm(ctx, t, script, url)
			ended(t, b.Ended(), left)
		})
	}
}

// TestNPMsClientsAreAnsweredByPaidMiners runs the same scripts against a gateway that finds
// miners on the mesh and pays them by vouchers. The cheapest of them always fails.
func TestNPMsClientsAreAnsweredByPaidMiners(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	watch.Files(t, "*.json", "*.mjs")
	install(ctx, t)
	for script, left := range scripts {
		t.Run(script, func(t *testing.T) {
			o := obedient{make(chan error, 16)}
			m := paidMiners(t, failing{o}, o, o, o)
			npm(ctx, t, script, m.url, "LODE_PAID="+fmt.Sprint(price(0)), "LODE_KEY="+key)
			ended(t, o.ended, left)
			m.settled(t)
		})
	}
}
