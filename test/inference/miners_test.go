package inference_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// TestOfficialClientsAreAnsweredByPaidMiners has clients ask a gateway that pays miners over
// the mesh, of which the cheapest fails every time.
func TestOfficialClientsAreAnsweredByPaidMiners(t *testing.T) {
	ctx := t.Context()
	chain := sellertest.NewChain()
	echo := func(prompt string) string {
		lines := strings.Split(strings.TrimSpace(prompt), "\n")
		return "you said " + strings.TrimPrefix(lines[len(lines)-1], "user: ")
	}
	var miners []*minertest.Miner
	var remotes []inference.Remote
	for i, o := range []memory.Options{
		{Answer: echo, Wait: func(context.Context, int) error { return engine.ErrGone }},
		{Answer: echo}, {Answer: echo},
	} {
		e := memory.New(o)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		m := minertest.New(t, chain, fmt.Sprint("miner ", i), inference.MinerConfig{Engine: e, Price: uint64(1+i) * 5_000_000})
		miners = append(miners, m)
		remotes = append(remotes, inference.Remote{UID: uint16(i), Hotkey: m.Host.Hotkey(), URL: m.URL})
	}
	customer := minertest.NewCustomer(t, chain, "customer", miners...)
	receipts := make(chan inference.Receipt, 64)
	gateway, err := inference.NewGateway(inference.GatewayConfig{Netuid: 2, Caller: customer.Caller,
		Miners:   func(context.Context) ([]inference.Remote, error) { return remotes, nil },
		Receipts: func(r inference.Receipt) error { receipts <- r; return nil }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	s := httptest.NewServer(inference.Local(api.Handler(gateway, api.Config{IDHeader: inference.ReceiptHeader}), "secret"))
	t.Cleanup(s.Close)

	c := openai.NewClient(option.WithBaseURL(s.URL+"/v1"), option.WithAPIKey("secret"), option.WithMaxRetries(0))
	list, err := c.Models.List(ctx)
	require.NoError(t, err)
	require.Len(t, list.Data, 1)
	p := openai.ChatCompletionNewParams{Model: list.Data[0].ID, Temperature: openai.Float(0), Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("good morning")}}
	whole, err := c.Chat.Completions.New(ctx, p)
	require.NoError(t, err)
	require.Equal(t, "you said good morning", whole.Choices[0].Message.Content)
	require.Equal(t, whole.ID, (<-receipts).ID)

	p.N, p.StreamOptions.IncludeUsage = openai.Int(3), openai.Bool(true)
	stream := c.Chat.Completions.NewStreaming(ctx, p)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		require.True(t, all.AddChunk(stream.Current()))
	}
	require.NoError(t, stream.Err())
	require.Len(t, all.Choices, 3)
	for _, choice := range all.Choices {
		require.Equal(t, "you said good morning", choice.Message.Content)
		require.Equal(t, "stop", choice.FinishReason)
	}
	require.EqualValues(t, 3*(len("you said good morning")+1), all.Usage.CompletionTokens)

	place, err := c.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: list.Data[0].ID, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"the sea", "a ship"}}})
	require.NoError(t, err)
	require.Len(t, place.Data, 2)
	require.Len(t, place.Data[0].Embedding, 16)

	a := anthropic.NewClient(anthropicoption.WithBaseURL(s.URL), anthropicoption.WithAPIKey("secret"), anthropicoption.WithMaxRetries(0))
	m, err := a.Messages.New(ctx, anthropic.MessageNewParams{Model: anthropic.Model(list.Data[0].ID), MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("good night"))}})
	require.NoError(t, err)
	require.Equal(t, "you said good night", m.Content[0].Text)

	wrong := openai.NewClient(option.WithBaseURL(s.URL+"/v1"), option.WithAPIKey("another"), option.WithMaxRetries(0))
	_, err = wrong.Models.List(ctx)
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "invalid_api_key", refused.Code)

	var paid uint64
	for _, e := range customer.Ledger(t) {
		if e.Provider == miners[0].Host.Hotkey() {
			require.Zero(t, e.Charged, "who failed before the first token was paid: %+v", e)
		}
		paid += e.Charged
	}
	require.Positive(t, paid)
	require.Equal(t, paid, gateway.Totals().Paid)
}
