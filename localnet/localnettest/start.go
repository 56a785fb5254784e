// Package localnettest starts local networks for tests.
package localnettest

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/lodenet/lode/localnet"
)

// Start runs a network until the test ends, and waits until it is up. What cfg leaves
// out is chosen: an empty home, steps and warnings in the test's log.
func Start(t testing.TB, cfg localnet.Config) *localnet.Network {
	t.Helper()
	n, stop := StartStoppable(t, cfg)
	t.Cleanup(stop)
	return n
}

// StartStoppable is Start for tests that stop the network themselves: stop ends it,
// waits, and fails the test if it did not end well. It must be called.
func StartStoppable(t testing.TB, cfg localnet.Config) (n *localnet.Network, stop func()) {
	t.Helper()
	if cfg.Home == "" {
		cfg.Home = t.TempDir()
	}
	log := &testLog{t: t}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level()}))
	}
	if cfg.OnStep == nil {
		cfg.OnStep = func(step string) { cfg.Logger.Warn("step", "step", step) }
	}
	n, err := localnet.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the network did not end well: %v", err)
		}
	}
	select {
	case <-n.Ready():
		return n, stop
	case err := <-done:
		cancel()
		t.Fatalf("the network did not start: %v", err)
	case <-t.Context().Done():
		stop()
		t.Fatal("the test ended before the network was up")
	}
	return nil, nil
}

// level is how much of a network's log a test shows: LODE_TEST_LOG=debug shows all.
func level() slog.Level {
	l := slog.LevelWarn
	if s := os.Getenv("LODE_TEST_LOG"); s != "" {
		if err := l.UnmarshalText([]byte(s)); err != nil {
			panic("LODE_TEST_LOG: " + err.Error())
		}
	}
	return l
}

// testLog writes to the test's log.
type testLog struct{ t testing.TB }

func (w *testLog) Write(p []byte) (int, error) {
	w.t.Log(string(p[:max(0, len(p)-1)]))
	return len(p), nil
}
