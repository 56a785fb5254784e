package llama

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Without a loop, all who come wait.
func TestWhoLeavesTheQueueMakesRoom(t *testing.T) {
	e := &Engine{options: Options{Queue: 2}, wake: make(chan struct{}, 1)}
	join := func() (*job, context.CancelFunc, error) {
		ctx, cancel := context.WithCancel(t.Context())
		j, err := e.newJob(ctx, []int32{1, 2}, engine.Sampling{})
		require.NoError(t, err)
		return j, cancel, e.submit(j)
	}
	one, leaveOne, err := join()
	require.NoError(t, err)
	two, _, err := join()
	require.NoError(t, err)
	_, _, err = join()
	require.ErrorIs(t, err, engine.ErrBusy)
	leaveOne()
	<-one.out.Ready()
	ev := one.out.Take()[0]
	require.ErrorIs(t, ev.err, context.Canceled)
	require.Equal(t, engine.Usage{Prompt: 2}, ev.result.Usage)
	three, _, err := join()
	require.NoError(t, err)
	jobs, err := e.next(5)
	require.NoError(t, err)
	require.Equal(t, []*job{two, three}, jobs, "in the order in which they came")
	_, _, err = join()
	require.NoError(t, err)
	e.finish(engine.ErrClosed)
	_, _, err = join()
	require.ErrorIs(t, err, engine.ErrClosed)
	_, err = e.next(5)
	require.ErrorIs(t, err, engine.ErrClosed)
}

func TestWhoWaitsToEmbedCanLeave(t *testing.T) {
	b, done := newEmbedder(), make(chan struct{})
	require.NoError(t, b.enter(t.Context(), done))
	enter := func(ctx context.Context) <-chan error {
		left := make(chan error, 1)
		go func() { left <- b.enter(ctx, done) }()
		return left
	}
	ctx, cancel := context.WithCancel(t.Context())
	one, two := enter(ctx), enter(t.Context())
	cancel()
	require.ErrorIs(t, <-one, context.Canceled)
	b.leave()
	require.NoError(t, <-two)
	require.ErrorIs(t, b.enter(ctx, done), context.Canceled)
	three := enter(t.Context())
	close(done)
	require.ErrorIs(t, <-three, engine.ErrClosed)
	b.leave()
	require.ErrorIs(t, b.enter(t.Context(), done), engine.ErrClosed)
}

func TestAModelThatIsFreedIsNotRead(t *testing.T) {
	e := &Engine{freed: true}
	_, err := e.newJob(t.Context(), []int32{1}, engine.Sampling{Grammar: engine.Grammar{GBNF: `root ::= "x"`}})
	require.ErrorIs(t, err, engine.ErrClosed)
}
