//go:build linux

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/stretchr/testify/require"
)

// sync is where a node is; an error where it does not answer.
func (m *member) sync(ctx context.Context) (ctypes.SyncInfo, error) {
	if m.proc == nil || m.proc.dead() {
		return ctypes.SyncInfo{}, errors.New("it does not run")
	}
	s, err := m.rpc.Status(ctx)
	if err != nil {
		return ctypes.SyncInfo{}, err
	}
	return s.SyncInfo, nil
}

// height is a node's latest block; 0 where it does not answer.
func (m *member) height(ctx context.Context) int64 {
	s, err := m.sync(ctx)
	if err != nil {
		return 0
	}
	return s.LatestBlockHeight
}

// top is the highest block that any of some nodes has.
func (c *cluster) top(of ...*member) (top int64) {
	for _, m := range of {
		top = max(top, m.height(c.t.Context()))
	}
	return top
}

// until asks again and again; where it takes too long the test ends with what was so.
func (c *cluster) until(what string, ok func() (done bool, so string)) {
	c.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(hung)
	for {
		done, so := ok()
		if done {
			return
		}
		if time.Now().After(end) {
			c.dump()
			c.t.Fatalf("%s: not within %s: %s", what, hung, so)
		}
		select {
		case <-tick.C:
		case <-c.t.Context().Done():
			c.t.Fatal(c.t.Context().Err())
		}
	}
}

// dump prints where all nodes are, and what they said last.
func (c *cluster) dump() {
	for _, m := range c.nodes {
		if m.proc == nil {
			continue
		}
		s, err := m.sync(c.t.Context())
		say(c.t, "%s: block %d, catching up %v, %v; its last lines:\n%s", m.name, s.LatestBlockHeight, s.CatchingUp, err, m.proc.log.last(15))
	}
}

// reach waits until some nodes have a block.
func (c *cluster) reach(height int64, nodes ...*member) {
	c.t.Helper()
	c.until(fmt.Sprintf("%s at block %d", names(nodes), height), func() (bool, string) {
		so := ""
		for _, m := range nodes {
			h := m.height(c.t.Context())
			if h < height {
				so += fmt.Sprintf(" %s is at %d", m.name, h)
			}
		}
		return so == "", so
	})
}

// all waits until all nodes have a block.
func (c *cluster) all(height int64) {
	c.t.Helper()
	c.reach(height, c.nodes...)
}

// follows waits until a node has caught up with the others and makes blocks with them.
func (c *cluster) follows(m *member) {
	c.t.Helper()
	c.until(m.name+" follows the chain", func() (bool, string) {
		if m.proc.dead() {
			c.t.Fatalf("%s has ended with exit code %d:\n%s", m.name, m.proc.exit(), m.proc.log.last(30))
		}
		s, err := m.sync(c.t.Context())
		if err != nil {
			return false, err.Error()
		}
		top := c.top(c.but(m)...)
		return !s.CatchingUp && s.LatestBlockHeight >= top-1, fmt.Sprintf("it is at %d (catching up: %v), the others at %d", s.LatestBlockHeight, s.CatchingUp, top)
	})
}

// stands watches that no side of a cut makes a block for so many block times after the moment
// from which it could not, and returns the height at which each stands. A block for which
// the votes are there already may be finished on the way: they get two seconds for that.
func (c *cluster) stands(blocks int, sides ...[]*member) (at []int64) {
	c.t.Helper()
	settle := time.NewTimer(2 * time.Second)
	<-settle.C
	for _, side := range sides {
		top := c.top(side...)
		require.Positive(c.t, top, "%s: no answer", names(side))
		at = append(at, top)
	}
	end := time.NewTimer(time.Duration(blocks) * blockTime)
	defer end.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		for i, side := range sides {
			require.Equal(c.t, at[i], c.top(side...), "%s: a block without two thirds of the validators", names(side))
		}
		select {
		case <-tick.C:
		case <-end.C:
			return at
		}
	}
}

// halves watches that both halves of a network stand. One may have the last block before the
// cut and the other not yet.
func (c *cluster) halves(blocks int, some, rest []*member) (a, b int64) {
	c.t.Helper()
	at := c.stands(blocks, some, rest)
	require.LessOrEqual(c.t, max(at[0], at[1])-min(at[0], at[1]), int64(1), "%s and %s stand too far apart", names(some), names(rest))
	return at[0], at[1]
}

// page is how many block headers RPC gives at once.
const page = 20

// agree compares the blocks of all nodes that run: their hashes, and the hash of the state
// that each names, at every height from the first that all have to the last that all have.
func (c *cluster) agree() (first, last int64) {
	c.t.Helper()
	first, last = 1, int64(1)<<62
	var nodes []*member
	for _, m := range c.nodes {
		if m.proc == nil || m.proc.dead() {
			continue
		}
		s, err := m.sync(c.t.Context())
		require.NoError(c.t, err, m.name)
		first, last = max(first, s.EarliestBlockHeight), min(last, s.LatestBlockHeight)
		nodes = append(nodes, m)
	}
	require.GreaterOrEqual(c.t, len(nodes), 2)
	require.LessOrEqual(c.t, first, last)
	for low := first; low <= last; low += page {
		high := min(last, low+page-1)
		var want *ctypes.ResultBlockchainInfo
		for _, m := range nodes {
			got, err := m.rpc.BlockchainInfo(c.t.Context(), low, high)
			require.NoError(c.t, err, m.name)
			require.Len(c.t, got.BlockMetas, int(high-low+1), m.name)
			if want == nil {
				want = got
				continue
			}
			for i, w := range want.BlockMetas {
				g := got.BlockMetas[i]
				require.Equal(c.t, w.Header.Height, g.Header.Height)
				require.Equal(c.t, w.BlockID.Hash, g.BlockID.Hash, "block %d of %s and %s: a fork", w.Header.Height, nodes[0].name, m.name)
				require.Equal(c.t, w.Header.AppHash, g.Header.AppHash, "the state before block %d of %s and %s", w.Header.Height, nodes[0].name, m.name)
			}
		}
	}
	return first, last
}
