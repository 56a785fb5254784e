package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
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

// key is a signer made of a name.
func key(t testing.TB, name string) *wallet.Signer {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	s, err := wallet.NewSigner(sum[:])
	require.NoError(t, err)
	return s
}

func send(from *wallet.Signer, to string, rao uint64) *banktypes.MsgSend {
	return &banktypes.MsgSend{FromAddress: from.Address(), ToAddress: to, Amount: sdk.NewCoins(sdk.NewCoin("rao", sdkmath.NewIntFromUint64(rao)))}
}

// distinct are how many different ones there are.
func distinct(txs [][]byte) int {
	seen := map[string]bool{}
	for _, tx := range txs {
		seen[string(tx)] = true
	}
	return len(seen)
}

// logged is a log to look into.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}
