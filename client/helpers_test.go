package client_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	errorsmod "cosmossdk.io/errors"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
)

func errorsABCI(err error) (codespace string, code uint32, log string) {
	return errorsmod.ABCIInfo(err, false)
}

// connect makes a client with short timeouts that ends with the test.
func connect(t *testing.T, change func(*client.Config), nodes ...*fakeNode) *client.Client {
	t.Helper()
	cfg := client.Config{Timeout: 2 * time.Second, TxTimeout: 30 * time.Second}
	for _, n := range nodes {
		cfg.Nodes = append(cfg.Nodes, n.url)
	}
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func logTo(l *logged) func(*client.Config) {
	return func(cfg *client.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(l, nil))
	}
}

// within bounds a test's calls.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
