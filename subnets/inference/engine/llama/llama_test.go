package llama_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/child"
	"github.com/lodenet/lode/subnets/inference/engine/enginetest"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
)

const (
	claimed = "../../testdata/models/lode-mini-Q8_0.gguf"
	cheaper = "../../testdata/models/lode-mini-Q4_0.gguf"
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

func ask(text string) engine.Prompt {
	return engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: text}}}}
}

func TestEngineInThisProcess(t *testing.T) {
	e, err := llama.Load(llama.Options{Model: claimed, Threads: 1, Slots: 8, Context: 256})
	require.NoError(t, err)
	require.Equal(t, engine.Info{Model: "lode-mini", Digest: "f8270e7285aa71c63e6ca277b398f21ff47f7306791f9f2498b6df7e0cceefad",
		Backend: "llama.cpp v0.5.0", Context: 256, Slots: 8, Vocabulary: 4096, Dimensions: 256, Threads: 1, Chat: true, Grammar: true, Verifiable: true}, e.Info())
	enginetest.Run(t, e)
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "closed twice")
	_, err = e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "x"}}, nil)
	require.ErrorIs(t, err, engine.ErrClosed)
	_, err = e.Embed(t.Context(), engine.Prompt{Text: "x"})
	require.ErrorIs(t, err, engine.ErrClosed)
}

// LODE_GPU=1 says that there is one, and that the libraries of `make engine-cuda` are
// there. In a child, as a process has libraries once.
func TestEngineOnAGPU(t *testing.T) {
	if os.Getenv("LODE_GPU") == "" {
		t.Skip("LODE_GPU=1 says that there is a GPU")
	}
	e := start(t, llama.Options{Model: claimed, Slots: 8, Context: 256, GPULayers: -1})
	require.Contains(t, e.Info().Backend, " on ")
	t.Log(e.Info().Backend)
	enginetest.Run(t, e)
}

func TestALayerOnAGPUThatIsNotThereIsRefused(t *testing.T) {
	if os.Getenv("LODE_GPU") != "" {
		t.Skip("there is one")
	}
	start := func() error {
		e, err := llama.Start(t.Context(), llama.Options{Model: claimed, GPULayers: 1}, nil)
		if err == nil {
			require.NoError(t, e.Close())
		}
		return err
	}
	home := t.TempDir()
	processor, err := llama.Libraries(0)
	require.NoError(t, err)
	t.Setenv(llama.LibrariesVariable, processor)
	require.ErrorContains(t, start(), "find no GPU: its driver must be there")
	t.Setenv(llama.LibrariesVariable, "")
	t.Setenv("XDG_CACHE_HOME", home)
	require.ErrorContains(t, start(), "make engine-cuda")
}

func TestEngineInAChild(t *testing.T) {
	e := start(t, llama.Options{Model: claimed, Slots: 2, Context: 256})
	enginetest.Run(t, e)

	first := e.Process()
	var once sync.Once
	r, err := e.Generate(t.Context(), engine.Request{Prompt: ask("Tell me a story.")}, func(engine.Chunk) error {
		once.Do(func() { require.NoError(t, unix.Kill(first, unix.SIGKILL)) })
		return nil
	})
	require.ErrorIs(t, err, engine.ErrGone)
	require.True(t, engine.Retryable(err))
	require.Positive(t, r.Usage.Completion)
	require.NoError(t, e.Ready(t.Context()))
	_, err = e.Generate(t.Context(), engine.Request{Prompt: ask("Tell me a story."), MaxTokens: 3}, nil)
	require.NoError(t, err)
}

func TestThreadsAreTriedWhereNobodySaysHowMany(t *testing.T) {
	r := engine.Request{Prompt: ask("Tell me a story."), MaxTokens: 40, Sampling: engine.Sampling{Temperature: 1, Seed: 5}}
	var answers [2][]int32
	for i, threads := range []int{0, 1} {
		e, err := llama.Load(llama.Options{Model: claimed, Threads: threads, Slots: 2, Context: 256})
		require.NoError(t, err)
		require.GreaterOrEqual(t, e.Info().Threads, 1)
		require.LessOrEqual(t, e.Info().Threads, runtime.NumCPU())
		result, err := e.Generate(t.Context(), r, nil)
		require.NoError(t, err)
		answers[i] = result.Answer
		require.NoError(t, e.Close())
	}
	require.Equal(t, answers[1], answers[0], "nothing is left of the trials")
}

func TestItAnswersAsItWasTrained(t *testing.T) {
	e := start(t, llama.Options{Model: claimed})
	require.Equal(t, 512, e.Info().Context)
	var text string
	_, err := e.Generate(t.Context(), engine.Request{Prompt: ask("What is the capital of France?")}, func(c engine.Chunk) error {
		text += c.Text
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "The capital of France is Paris.", text)
	tokens, err := e.Tokens(t.Context(), ask("What is Lode?"))
	require.NoError(t, err)
	byHand, err := e.Tokens(t.Context(), engine.Prompt{Text: "<|user|>What is Lode?<|end|><|assistant|>"})
	require.NoError(t, err)
	require.Equal(t, byHand, tokens)
	require.EqualValues(t, 1, tokens[0], "begins with the mark that begins texts")
}

// Who sells the cheaper weights as the claimed ones is seen by tokens that the claimed
// ones would not have picked; who is honest is not.
func TestACheaperModelIsSeenByItsMargins(t *testing.T) {
	validator := start(t, llama.Options{Model: claimed, Slots: 4})
	flagged := func(miner engine.Engine) (flags, tokens int) {
		for i, q := range []string{"Tell me a story.", "What is Lode?", "Who pays miners?", "Tell me about the sea.", "Tell me another story.", "Tell me of a clock."} {
			r := engine.Request{Prompt: ask(q), Sampling: engine.Sampling{Temperature: 1.5, Seed: uint64(1000 + i)}, MaxTokens: 100}
			result, err := miner.Generate(t.Context(), r, nil)
			require.NoError(t, err)
			scores, err := validator.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
			require.NoError(t, err)
			for _, s := range scores {
				tokens++
				if s.Margin > enginetest.Flag {
					flags++
				}
			}
		}
		return flags, tokens
	}
	flags, tokens := flagged(start(t, llama.Options{Model: claimed, Variant: "sse42"}))
	require.Greater(t, tokens, 200)
	require.Zero(t, flags, "honest, on another CPU variant, %d tokens", tokens)
	flags, tokens = flagged(start(t, llama.Options{Model: cheaper}))
	t.Logf("cheaper weights: %d of %d tokens are flagged", flags, tokens)
	require.Greater(t, tokens, 200)
	require.GreaterOrEqual(t, flags, 2, "of %d tokens", tokens)
}

func TestAFullQueueSaysSo(t *testing.T) {
	e := start(t, llama.Options{Model: claimed, Slots: 1, Queue: 1})
	var busy, fine atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := e.Generate(t.Context(), engine.Request{Prompt: ask("Tell me a story.")}, nil)
			switch {
			case err == nil:
				fine.Add(1)
			case engine.Retryable(err):
				require.ErrorIs(t, err, engine.ErrBusy)
				busy.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 16, busy.Load()+fine.Load())
	require.Positive(t, busy.Load())
	require.Positive(t, fine.Load())
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	whole, err := os.ReadFile(claimed)
	require.NoError(t, err)
	// A library that says that it is another version.
	other := filepath.Join(dir, "other")
	require.NoError(t, os.Mkdir(other, 0o700))
	source := file("ggml.c", `const char *ggml_version(void) { return "0.99.0"; } const char *ggml_commit(void) { return "abcdef0"; }`)
	out, err := exec.Command("cc", "-shared", "-fPIC", "-o", filepath.Join(other, "libggml-base.so"), source).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, c := range []struct {
		name, want string
		o          llama.Options
	}{
		{"no model", "the model", llama.Options{}},
		{"a model that is not there", "no such file", llama.Options{Model: filepath.Join(dir, "none.gguf")}},
		{"not a model", "is not a GGUF file", llama.Options{Model: file("text.gguf", "hello")}},
		{"a model that is cut off", "can't load", llama.Options{Model: file("cut.gguf", string(whole[:100_000]))}},
		{"a model of noise", "can't load", llama.Options{Model: file("noise.gguf", "GGUF"+string(whole[4_000_000:4_100_000]))}},
		{"no libraries", "fetch them with 'make engine'", llama.Options{Model: claimed, Libraries: dir}},
		{"libraries of another version", "are ggml 0.99.0 (abcdef0), Lode knows 0.25.1", llama.Options{Model: claimed, Libraries: other}},
		{"an unknown CPU variant", `there is no CPU variant "z80", but `, llama.Options{Model: claimed, Variant: "z80"}},
		{"a variant that is a path", "is not a CPU variant", llama.Options{Model: claimed, Variant: "../x"}},
		{"too many slots", "slots is 1000, the bounds are 0 and 256", llama.Options{Model: claimed, Slots: 1000}},
		{"a negative context", "context is -1", llama.Options{Model: claimed, Context: -1}},
	} {
		_, err := llama.Start(t.Context(), c.o, nil)
		require.ErrorContains(t, err, c.want, c.name)
	}
}
