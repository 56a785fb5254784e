package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
)

type broken struct {
	abci.BaseApplication
	fail func() error
}

func (b broken) FinalizeBlock(context.Context, *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	return nil, b.fail()
}

func TestWaitTellsWhyTheChainStands(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("invariants of alpha") },
		"a panic":  func() error { panic("invariants of alpha") },
	} {
		t.Run(name, func(t *testing.T) {
			n := &Node{log: quiet{slog.New(slog.DiscardHandler)}, failed: make(chan struct{}), stopped: make(chan struct{})}
			func() {
				defer func() { _ = recover() }()
				_, _ = watched{broken{fail: fail}, n.fail}.FinalizeBlock(t.Context(), &abci.RequestFinalizeBlock{Height: 7})
			}()
			require.EqualError(t, n.Wait(), "the chain has stopped at block 7: invariants of alpha")
		})
	}
}
