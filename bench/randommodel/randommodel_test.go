package randommodel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/models"
)

func small(t Type) Shape {
	return Shape{Layers: 2, Width: 256, Hidden: 768, Heads: 4, KVHeads: 2, Vocabulary: 5000, Context: 256, Type: t, Seed: 7}
}

func TestAModelIsTheSameEachTimeAndAnotherWithAnotherSeed(t *testing.T) {
	write := func(s Shape) []byte {
		path := filepath.Join(t.TempDir(), "random.gguf")
		require.NoError(t, Write(path, s))
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		return raw
	}
	one, other := small(Q80), small(Q80)
	other.Seed++
	require.Equal(t, write(one), write(one))
	require.NotEqual(t, write(one), write(other))
	require.Len(t, write(other), len(write(one)))
}

func TestAModelIsReadAndAnswers(t *testing.T) {
	for _, kind := range Types {
		t.Run(kind.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "random.gguf")
			require.NoError(t, Write(path, small(kind)))
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			info, err := f.Stat()
			require.NoError(t, err)
			h, err := models.ReadHeader(f, info.Size())
			require.NoError(t, err)
			require.Equal(t, "llama", h.Architecture)
			require.Equal(t, info.Size(), h.End)

			e, err := llama.Load(llama.Options{Model: path, Threads: 1, Slots: 2, Context: 128})
			require.NoError(t, err)
			defer func() { require.NoError(t, e.Close()) }()
			require.Equal(t, 5000, e.Info().Vocabulary)
			r := engine.Request{Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: "Tell me a story."}}}},
				MaxTokens: 40, Sampling: engine.Sampling{Temperature: 1, Seed: 3}}
			lodeMini, err := e.Tokens(t.Context(), r.Prompt)
			require.NoError(t, err)
			for _, id := range lodeMini {
				require.Less(t, id, int32(4096), "no text is read as a token that is made up")
			}
			result, err := e.Generate(t.Context(), r, nil)
			require.NoError(t, err)
			require.Greater(t, len(result.Answer), 10)
			different := map[int32]bool{}
			for _, id := range result.Answer {
				different[id] = true
			}
			require.Greater(t, len(different), len(result.Answer)/2, "noise, not one token again and again: %v", result.Answer)
			scores, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
			require.NoError(t, err)
			for _, s := range scores {
				require.Less(t, s.Margin, 0.5)
				require.Greater(t, s.LogProb, -40.0)
			}
		})
	}
}

func TestWhatCanBeNoModelIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Shape){
		"no layers":                  func(s *Shape) { s.Layers = 0 },
		"a width beside the blocks":  func(s *Shape) { s.Width = 100 },
		"heads that do not fit":      func(s *Shape) { s.Heads = 3 },
		"another type":               func(s *Shape) { s.Type = 3 },
		"beside a type's blocks":     func(s *Shape) { s.Type, s.Hidden = Q4K, 640 },
		"fewer tokens than it knows": func(s *Shape) { s.Vocabulary = 4095 },
	} {
		s := small(Q80)
		change(&s)
		require.Error(t, Write(filepath.Join(t.TempDir(), "random.gguf"), s), name)
	}
}

func TestATokenizerThatIsCutOffIsRefused(t *testing.T) {
	for n := 0; n < 90_000; n += 997 {
		_, _, err := tokenizer(inference.Demo.Data[:n], 5000)
		require.Error(t, err, "%d bytes", n)
	}
}
