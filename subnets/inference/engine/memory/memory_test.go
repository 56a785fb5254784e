package memory_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/enginetest"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

func TestEngine(t *testing.T) {
	e := memory.New(memory.Options{Slots: 4})
	enginetest.Run(t, e)
	require.NoError(t, e.Close())
	_, err := e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "x"}}, nil)
	require.ErrorIs(t, err, engine.ErrClosed)
}

func TestItSaysWhatItIsTold(t *testing.T) {
	e := memory.New(memory.Options{Answer: func(prompt string) string { return "you said " + prompt }})
	defer e.Close()
	var text string
	r, err := e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "hello"}, Sampling: engine.Sampling{Temperature: 2}},
		func(c engine.Chunk) error { text += c.Text; return nil })
	require.NoError(t, err)
	require.Equal(t, "you said hello", text)
	require.Equal(t, engine.FinishStop, r.Finish)
	require.EqualValues(t, memory.End, r.Answer[len(r.Answer)-1])
}

func TestCloseEndsWhatRuns(t *testing.T) {
	started := make(chan struct{})
	e := memory.New(memory.Options{Wait: func(ctx context.Context, place int) error {
		if place == 1 {
			close(started)
			<-ctx.Done()
		}
		return nil
	}})
	done := make(chan error, 1)
	go func() {
		r, err := e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "x"}}, nil)
		if r.Usage.Completion != 1 {
			err = context.DeadlineExceeded
		}
		done <- err
	}()
	<-started
	require.NoError(t, e.Close())
	require.ErrorIs(t, <-done, engine.ErrClosed)
}
