package inference

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

func TestCanariesAreAsVariedAsCustomers(t *testing.T) {
	c := NewCanaries([32]byte{1}, nil)
	again := NewCanaries([32]byte{1}, nil)
	other := NewCanaries([32]byte{2}, nil)
	e := memory.New(memory.Options{})
	seen := map[string]int{}
	prompts := map[string]int{}
	same := 0
	const n = 3000
	for range n {
		q := c.Draw("m")
		require.Equal(t, q, again.Draw("m"), "a seed draws the same")
		o := other.Draw("m")
		text := q.Prompt
		for _, m := range q.Messages {
			text += string(m.Role) + m.Content
			require.NotContains(t, m.Content, "{topic}")
			require.NotContains(t, m.Content, "{n}")
		}
		if o.Prompt == q.Prompt && len(o.Messages) == len(q.Messages) && (len(o.Messages) == 0 || o.Messages[0] == q.Messages[0]) {
			same++
		}
		prompts[text]++
		count := func(name string, is bool) {
			if is {
				seen[name]++
			}
		}
		count("raw", q.Messages == nil)
		count("system", len(q.Messages) > 0 && q.Messages[0].Role == api.System)
		count("turns", len(q.Messages) > 2)
		count("greedy", q.Temperature == 0)
		count("temperature 1", q.Temperature == 1)
		count("other temperature", q.Temperature != 0 && q.Temperature != 1)
		count("top_p", q.TopP < 1)
		count("max_tokens", q.MaxTokens > 0)
		count("no max_tokens", q.MaxTokens == 0)
		count("stop", q.Stop != nil)
		count("seed", q.Seed != nil)
		count("logprobs", q.Logprobs)
		r, err := requestOf(q)
		require.NoError(t, err, "every gateway takes it")
		_, err = e.Tokens(t.Context(), r.Prompt)
		require.NoError(t, err)
	}
	for _, name := range []string{"raw", "system", "turns", "greedy", "temperature 1", "other temperature", "top_p", "max_tokens", "no max_tokens", "stop", "seed", "logprobs"} {
		require.Greater(t, seen[name], n/50, name)
		require.Less(t, seen[name], n*9/10, name)
	}
	require.Greater(t, len(prompts), n*3/4, "few come twice")
	require.Less(t, same, n/50, "another seed draws others")
}

func TestPromptsOfOnesOwn(t *testing.T) {
	own, err := ReadPrompts(strings.NewReader("what is rain?\n\n\"Once upon\"\n[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hi\"}]\n"))
	require.NoError(t, err)
	c := NewCanaries([32]byte{3}, own)
	mine := 0
	for range 200 {
		q := c.Draw("m")
		switch {
		case q.Prompt == "Once upon", len(q.Messages) == 1 && q.Messages[0].Content == "what is rain?", len(q.Messages) == 2 && q.Messages[0].Content == "be brief":
			mine++
		}
	}
	require.Greater(t, mine, 150)
	require.Less(t, mine, 200, "a few are still Lode's")
	for name, text := range map[string]string{
		"none": "\n \n", "not UTF-8": "a\xff\n", "a zero byte": "a\x00b", "an unknown role": `[{"role":"king","content":"x"}]`, "no messages": "[]", "broken JSON": `["a"`, "an empty text": `""`,
		"a long line": strings.Repeat("x", maxOwnPrompt+1), "a hidden zero byte": `"a\u0000"`, "another": `[{"role":"user","content":"a\u0000"}]`,
	} {
		_, err := ReadPrompts(strings.NewReader(text))
		require.ErrorContains(t, err, "prompts: ", name)
		require.Less(t, len(err.Error()), 200, name)
	}
}

func TestTemplatesLeaveCodeAlone(t *testing.T) {
	r := NewCanaries([32]byte{4}, nil).r
	require.Equal(t, "if (x) {\n  y();\n}", fillPlaces(r, "if (x) {\n  y();\n}"))
	require.Equal(t, "{", fillPlaces(r, "{"))
	require.Equal(t, "}{nothing}", fillPlaces(r, "}{nothing}"))
	require.NotContains(t, fillPlaces(r, "{topic} {item} {system}"), "{")
	for name, list := range canaryWords {
		for _, w := range list {
			require.NotEmpty(t, w, name)
		}
	}
}
