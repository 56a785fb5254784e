package client_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
)

// next is the next block that the test waits for, not longer than it should.
func next(t *testing.T, blocks <-chan client.Block) client.Block {
	t.Helper()
	select {
	case b, ok := <-blocks:
		require.True(t, ok, "the stream ended")
		return b
	case <-time.After(20 * time.Second):
		t.Fatal("no block came")
		return client.Block{}
	}
}

// heard waits until a client listens at a node.
func heard(t *testing.T, n *fakeNode) {
	t.Helper()
	require.Eventually(t, func() bool { return n.listeners() > 0 }, 20*time.Second, time.Millisecond)
}

func TestBlocksComeWithTheirEvents(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	c := connect(t, nil, n)
	blocks := c.Blocks(within(t, time.Minute))
	b := next(t, blocks)
	require.EqualValues(t, 1, b.Height)
	require.True(t, b.Missed, "what was before it was not seen")
	require.Empty(t, b.Events)
	for h := int64(2); h < 5; h++ {
		f.block()
		b = next(t, blocks)
		require.Equal(t, h, b.Height)
		require.False(t, b.Missed)
		require.Equal(t, fmt.Sprint(h), b.Events[0].Attributes[0].Value)
		require.WithinDuration(t, time.Now(), b.Time, time.Minute)
	}
}

func TestASlowReaderGetsBlocksMerged(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	c := connect(t, nil, n)
	fast, slow := c.Blocks(within(t, time.Minute)), c.Blocks(within(t, time.Minute))
	next(t, fast)
	next(t, slow)
	for h := int64(2); h <= 20; h++ {
		f.block()
		require.Equal(t, h, next(t, fast).Height)
	}
	events := 0
	for {
		b := next(t, slow)
		require.False(t, b.Missed, "nothing of it was lost")
		events += len(b.Events)
		if b.Height == 20 {
			break
		}
	}
	require.Equal(t, 19, events)
}

func TestABrokenWebsocketIsOpenedAgain(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	log := &logged{}
	c := connect(t, logTo(log), n)
	blocks := c.Blocks(within(t, time.Minute))
	next(t, blocks)
	f.block()
	require.False(t, next(t, blocks).Missed)

	n.dropSockets()
	f.block() // nobody hears it
	b := next(t, blocks)
	require.EqualValues(t, 3, b.Height)
	require.True(t, b.Missed)
	heard(t, n)
	require.Eventually(t, func() bool { // heard over the socket again
		f.block()
		return !next(t, blocks).Missed
	}, 20*time.Second, time.Millisecond)
	require.Zero(t, log.count("WARN"), "an outage that nobody notices is no news")
}

func TestBlocksSurviveARestartOfTheNode(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	log := &logged{}
	c := connect(t, logTo(log), n)
	blocks := c.Blocks(within(t, time.Minute))
	next(t, blocks)
	n.stop()
	require.Eventually(t, func() bool { return log.count("the chain can't be reached") == 1 }, 20*time.Second, time.Millisecond)
	f.block()
	n.start(t)
	b := next(t, blocks)
	require.EqualValues(t, 2, b.Height)
	require.True(t, b.Missed)
	require.Equal(t, 1, log.count("WARN"))
	require.Equal(t, 1, log.count("the chain can be reached again"))
}

func TestBlocksGoOnAtAnotherNode(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	a, b := f.node(t), f.node(t)
	c := connect(t, nil, a, b)
	blocks := c.Blocks(within(t, time.Minute))
	next(t, blocks)
	a.stop()
	heard(t, b)
	f.block()
	require.EqualValues(t, 2, next(t, blocks).Height)
}

func TestWithoutWebsocketsTheHeightIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	n.set(func(n *fakeNode) { n.noSockets = true })
	alice := key(t, "alice")
	f.fund(alice.Address(), tao)
	log := &logged{}
	c := connect(t, logTo(log), n)
	blocks := c.Blocks(within(t, time.Minute))
	require.EqualValues(t, 1, next(t, blocks).Height)
	f.block()
	b := next(t, blocks)
	require.EqualValues(t, 2, b.Height)
	require.True(t, b.Missed, "its events were not seen")
	f.run(t, 100*time.Millisecond)
	_, err := c.Transfer(within(t, 20*time.Second), alice, alice.Address(), 1)
	require.NoError(t, err, "a transaction is found by its hash")
	require.LessOrEqual(t, log.count("no websocket can be opened"), 1)
}

func TestBlocksEndWithTheirContextAndWithTheClient(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	c := connect(t, nil, n)
	ctx, cancel := context.WithCancel(context.Background())
	one, two := c.Blocks(ctx), c.Blocks(context.Background())
	next(t, one)
	cancel()
	ended(t, one)
	require.NoError(t, c.Close())
	ended(t, two)
	ended(t, c.Blocks(context.Background()))
}

func ended(t *testing.T, blocks <-chan client.Block) {
	t.Helper()
	end := time.After(20 * time.Second)
	for {
		select {
		case _, ok := <-blocks:
			if !ok {
				return
			}
		case <-end:
			t.Fatal("the stream did not end")
		}
	}
}

func TestAReaderIsToldOfAReconnectEvenIfNoBlockWasMissed(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	c := connect(t, nil, n)
	blocks := c.Blocks(within(t, time.Minute))
	next(t, blocks)
	n.dropSockets()
	heard(t, n)
	// Whether it looks where the chain is before or after this block, it says so.
	f.block()
	require.True(t, next(t, blocks).Missed)
}

func TestAChainThatBeginsAnewIsFollowed(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	f.height = 500
	n := f.node(t)
	log := &logged{}
	c := connect(t, logTo(log), n)
	blocks := c.Blocks(within(t, time.Minute))
	require.EqualValues(t, 500, next(t, blocks).Height)
	n.stop()
	f.mu.Lock()
	f.height = 3
	f.mu.Unlock()
	n.start(t)
	b := next(t, blocks)
	require.EqualValues(t, 3, b.Height)
	require.True(t, b.Missed)
	require.Equal(t, 1, log.count("begun anew"))
}
