package llama_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/child"
	"github.com/lodenet/lode/subnets/inference/engine/enginetest"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
)

const (
	honest = "../../testdata/models/lode-mini-Q8_0.gguf"
	cheat  = "../../testdata/models/lode-mini-Q4_0.gguf"
)

// TestMain makes this program able to be an engine's process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine-child" {
		if err := llama.ChildMain(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func start(t *testing.T, o llama.Options) *child.Client {
	t.Helper()
	o.Threads = 1
	e, err := llama.Start(t.Context(), o, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestEngineInThisProcess(t *testing.T) {
	e, err := llama.Load(llama.Options{Model: honest, Threads: 1, Slots: 8})
	require.NoError(t, err)
	enginetest.Run(t, e)
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "closed twice")
	_, err = e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "x"}}, nil)
	require.ErrorIs(t, err, engine.ErrClosed)
	_, err = e.Embed(t.Context(), engine.Prompt{Text: "x"})
	require.ErrorIs(t, err, engine.ErrClosed)
}

func TestEngineInAChild(t *testing.T) {
	enginetest.Run(t, start(t, llama.Options{Model: honest, Slots: 16}))
}
