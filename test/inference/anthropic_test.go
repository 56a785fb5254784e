package inference_test

import (
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

func TestAnthropicsGoClientIsAnswered(t *testing.T) {
	ctx := t.Context()
	url, b := served(t)
	c := anthropic.NewClient(option.WithBaseURL(url), option.WithAPIKey("none"), option.WithMaxRetries(0))
	params := func(said string) anthropic.MessageNewParams {
		return anthropic.MessageNewParams{
			Model: apitest.Model, MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: "be kind"}},
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(said))},
		}
	}
	ways := map[string]func(*testing.T, anthropic.MessageNewParams) anthropic.Message{
		"whole": func(t *testing.T, p anthropic.MessageNewParams) anthropic.Message {
			t.Helper()
			m, err := c.Messages.New(ctx, p)
			require.NoError(t, err)
			return *m
		},
		"streamed": func(t *testing.T, p anthropic.MessageNewParams) anthropic.Message {
			t.Helper()
			var m anthropic.Message
			s := c.Messages.NewStreaming(ctx, p)
			for s.Next() {
				require.NoError(t, m.Accumulate(s.Current()))
			}
			require.NoError(t, s.Err())
			return m
		},
	}
	for name, ask := range ways {
		t.Run(name, func(t *testing.T) {
			m := ask(t, params("say Grüße, 世界"))
			require.Equal(t, "Grüße, 世界", m.Content[0].Text)
			require.Equal(t, anthropic.StopReasonEndTurn, m.StopReason)
			require.EqualValues(t, 4, m.Usage.OutputTokens)

			p := params("say one two three")
			p.StopSequences = []string{"o th"}
			m = ask(t, p)
			require.Equal(t, "one tw", m.Content[0].Text)
			require.Equal(t, "o th", m.StopSequence)

			p = params(twoCalls)
			p.Tools = []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: citySchema["properties"], Required: []string{"city"}}, "weather")}
			m = ask(t, p)
			require.Equal(t, anthropic.StopReasonToolUse, m.StopReason)
			require.Len(t, m.Content, 3)
			require.JSONEq(t, `{"city":"Oslo"}`, string(m.Content[2].Input))

			p.Messages = append(p.Messages, m.ToParam(), anthropic.NewUserMessage(
				anthropic.NewToolResultBlock(m.Content[1].ID, "rain", false), anthropic.NewToolResultBlock(m.Content[2].ID, "no idea", true)))
			m = ask(t, p)
			require.Equal(t, "you said: <tool_response>\nrain\n</tool_response>\n<tool_response>\nError: no idea\n</tool_response>", m.Content[0].Text)
		})
	}

	p := params("say hello")
	n, err := c.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: p.Model, Messages: p.Messages})
	require.NoError(t, err)
	require.EqualValues(t, 4, n.InputTokens)

	p.Model = "claude-9"
	_, err = c.Messages.New(ctx, p)
	var refused *anthropic.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusNotFound, refused.StatusCode)

	s := c.Messages.NewStreaming(ctx, params("break 2 overloaded one two three"))
	for s.Next() {
		require.NotEqual(t, "message_stop", s.Current().Type)
	}
	require.ErrorContains(t, s.Err(), "overloaded_error")

	s = c.Messages.NewStreaming(ctx, params("forever"))
	require.True(t, s.Next())
	require.NoError(t, s.Close())
	ended(t, b.Ended(), 1)
}
