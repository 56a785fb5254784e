package client_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
)

// A process of the reference leaked connections and metagraphs until its machine was full.
func TestALongLifeTakesNoMoreGoroutinesAndConnections(t *testing.T) {
	f, n, alice := running(t, 50*tao)
	c := connect(t, nil, n)
	ctx := within(t, 2*time.Minute)
	cycle := func() {
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				streamCtx, cancel := context.WithCancel(ctx)
				defer cancel()
				blocks := c.Blocks(streamCtx)
				<-blocks
				if _, err := c.Balance(ctx, alice.Address()); err != nil {
					t.Error(err)
				}
				if i == 0 {
					if _, err := c.Transfer(ctx, alice, alice.Address(), 1); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	cycle()
	before := runtime.NumGoroutine()
	for range 30 {
		cycle()
	}
	require.Equal(t, 31, len(f.order))
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+30 }, 10*time.Second, 10*time.Millisecond)
	n.mu.Lock()
	defer n.mu.Unlock()
	require.LessOrEqual(t, n.connections, 40, "at most 32 and a websocket")
}

func TestAPasswordInAURLIsNotShown(t *testing.T) {
	c, err := client.New(client.Config{Nodes: []string{"http://me:hunter2@127.0.0.1:1"}, Timeout: time.Second})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Status(context.Background())
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.NotContains(t, err.Error(), "hunter2")
}
