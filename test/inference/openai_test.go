package inference_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

// twoCalls is what makes the backend call the tool twice.
const twoCalls = "say Let me see. <tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris }\"}}\n</tool_call>\n<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}</tool_call>"

var citySchema = map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}

func chat(said string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: apitest.Model, Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be kind"), openai.UserMessage(said)}}
}

func TestOpenAIsGoClientIsAnswered(t *testing.T) {
	ctx := t.Context()
	url, b := served(t)
	c := openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))
	// gather takes a whole stream in.
	gather := func(t *testing.T, p openai.ChatCompletionNewParams) openai.ChatCompletion {
		t.Helper()
		s := c.Chat.Completions.NewStreaming(ctx, p)
		var acc openai.ChatCompletionAccumulator
		for s.Next() {
			require.True(t, acc.AddChunk(s.Current()))
		}
		require.NoError(t, s.Err())
		return acc.ChatCompletion
	}
	ways := map[string]func(*testing.T, openai.ChatCompletionNewParams) openai.ChatCompletion{
		"streamed": gather,
		"whole": func(t *testing.T, p openai.ChatCompletionNewParams) openai.ChatCompletion {
			t.Helper()
			p.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
			whole, err := c.Chat.Completions.New(ctx, p)
			require.NoError(t, err)
			return *whole
		},
	}
	for name, ask := range ways {
		t.Run(name, func(t *testing.T) {
			p := chat("say Grüße, 世界")
			p.N = openai.Int(2)
			p.StreamOptions.IncludeUsage = openai.Bool(true)
			got := ask(t, p)
			require.Len(t, got.Choices, 2)
			require.Equal(t, "Grüße, 世界", got.Choices[0].Message.Content)
			require.Equal(t, "Grüße, 世界!", got.Choices[1].Message.Content)
			require.Equal(t, "stop", got.Choices[1].FinishReason)
			require.EqualValues(t, 8, got.Usage.CompletionTokens, "15 bytes and 16, 4 a token")

			p = chat("say one two three")
			p.Stop.OfStringArray = []string{"o th"}
			p.Logprobs, p.TopLogprobs = openai.Bool(true), openai.Int(1)
			got = ask(t, p)
			require.Equal(t, "one tw", got.Choices[0].Message.Content)
			require.Len(t, got.Choices[0].Logprobs.Content, 2)
			require.Equal(t, "one ", got.Choices[0].Logprobs.Content[0].Token)

			p = chat(twoCalls)
			p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Parameters: citySchema})}
			got = ask(t, p)
			require.Equal(t, "tool_calls", got.Choices[0].FinishReason)
			require.Len(t, got.Choices[0].Message.ToolCalls, 2)
			var args struct{ City string }
			require.NoError(t, json.Unmarshal([]byte(got.Choices[0].Message.ToolCalls[0].Function.Arguments), &args))
			require.Equal(t, "Paris }", args.City)

			p.Messages = append(p.Messages, got.Choices[0].Message.ToParam())
			for _, call := range got.Choices[0].Message.ToolCalls {
				p.Messages = append(p.Messages, openai.ToolMessage("rain", call.ID))
			}
			got = ask(t, p)
			require.Equal(t, "you said: <tool_response>\nrain\n</tool_response>\n<tool_response>\nrain\n</tool_response>", got.Choices[0].Message.Content)
		})
	}

	_, err := c.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "gpt-9", Messages: chat("x").Messages})
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusNotFound, refused.StatusCode)
	require.Equal(t, "model_not_found", refused.Code)

	s := c.Chat.Completions.NewStreaming(ctx, chat("break 2 gone one two three"))
	for s.Next() {
		require.NotEmpty(t, s.Current().Choices)
	}
	require.ErrorContains(t, s.Err(), "the miner has stopped")

	s = c.Chat.Completions.NewStreaming(ctx, chat("forever"))
	require.True(t, s.Next())
	require.NoError(t, s.Close())
	ended(t, b.Ended(), 1)

	models := c.Models.ListAutoPaging(ctx)
	require.True(t, models.Next())
	require.Equal(t, apitest.Model, models.Current().ID)
	require.False(t, models.Next())
	require.NoError(t, models.Err())
	one, err := c.Models.Get(ctx, apitest.Model)
	require.NoError(t, err)
	require.Equal(t, apitest.Model, one.ID)

	vectors, err := c.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: apitest.Model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "three"}}})
	require.NoError(t, err)
	require.Equal(t, []float64{5, 0.5, -0.25}, vectors.Data[1].Embedding)

	text, err := c.Completions.New(ctx, openai.CompletionNewParams{Model: apitest.Model, Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("say hi")}})
	require.NoError(t, err)
	require.Equal(t, "hi", text.Choices[0].Text)
}

func TestOpenAIsGoClientGetsResponses(t *testing.T) {
	ctx := t.Context()
	url, _ := served(t)
	c := openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))
	params := func(said string) responses.ResponseNewParams {
		return responses.ResponseNewParams{
			Model: apitest.Model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(said)},
			Tools: []responses.ToolUnionParam{responses.ToolParamOfFunction("weather", citySchema, true)},
		}
	}
	whole, err := c.Responses.New(ctx, params("say Grüße, 世界"))
	require.NoError(t, err)
	require.Equal(t, "Grüße, 世界", whole.OutputText())

	s := c.Responses.NewStreaming(ctx, params(twoCalls))
	var said string
	var last responses.Response
	for n := int64(0); s.Next(); n++ {
		e := s.Current()
		require.Equal(t, n, e.SequenceNumber)
		switch e.Type {
		case "response.output_text.delta":
			said += e.Delta
		case "response.completed":
			last = e.Response
		}
	}
	require.NoError(t, s.Err())
	require.Equal(t, "Let me see.", said)
	require.Equal(t, said, last.OutputText())
	require.Len(t, last.Output, 3)
	require.Equal(t, "weather", last.Output[1].AsFunctionCall().Name)
	require.JSONEq(t, `{"city":"Paris }"}`, last.Output[1].AsFunctionCall().Arguments)

	s = c.Responses.NewStreaming(ctx, params("break 1 gone one two"))
	for s.Next() {
		require.NotEqual(t, "response.completed", s.Current().Type)
	}
	require.ErrorContains(t, s.Err(), "the miner has stopped")
}
