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

// key is what clients must say to the endpoint of paidMiners.
const key = "secret"

// market is an endpoint that finds miners and pays them, and who is behind it.
type market struct {
	url      string
	miners   []*minertest.Miner
	customer *minertest.Customer
	gateway  *inference.Gateway
	receipts chan inference.Receipt
}

// price is what miner i takes for a million tokens, in rao.
func price(i int) uint64 { return uint64(1+i) * 5_000_000 }

// paidMiners has a miner for each engine, each dearer than the one before it.
func paidMiners(t *testing.T, engines ...engine.Engine) *market {
	t.Helper()
	chain := sellertest.NewChain()
	m := &market{receipts: make(chan inference.Receipt, 1024)}
	var remotes []inference.Remote
	for i, e := range engines {
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		one := minertest.New(t, chain, fmt.Sprint("miner ", i), inference.MinerConfig{Engine: e, Price: price(i)})
		m.miners = append(m.miners, one)
		remotes = append(remotes, inference.Remote{UID: uint16(i), Hotkey: one.Host.Hotkey(), URL: one.URL})
	}
	m.customer = minertest.NewCustomer(t, chain, "customer", m.miners...)
	var err error
	m.gateway, err = inference.NewGateway(inference.GatewayConfig{Netuid: 2, Caller: m.customer.Caller,
		Miners:   func(context.Context) ([]inference.Remote, error) { return remotes, nil },
		Receipts: func(r inference.Receipt) error { m.receipts <- r; return nil }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.gateway.Close()) })
	s := httptest.NewServer(inference.Local(api.Handler(m.gateway, api.Config{IDHeader: inference.ReceiptHeader}), key))
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

// settled is what the customer has paid in all. The cheapest miner, who fails before the
// first token, must have got nothing, and each of the others something.
func (m *market) settled(t *testing.T) (paid uint64) {
	t.Helper()
	by := map[string]uint64{}
	for _, e := range m.customer.Ledger(t) {
		by[e.Provider] += e.Charged
		paid += e.Charged
	}
	require.Zero(t, by[m.miners[0].Host.Hotkey()], "who failed before the first token was paid")
	require.Positive(t, by[m.miners[1].Host.Hotkey()])
	return paid
}

// TestOfficialClientsAreAnsweredByPaidMiners has clients ask a gateway that pays miners over
// the mesh, of which the cheapest fails every time.
func TestOfficialClientsAreAnsweredByPaidMiners(t *testing.T) {
	ctx := t.Context()
	echo := memory.Options{Answer: func(prompt string) string {
		lines := strings.Split(strings.TrimSpace(prompt), "\n")
		return "you said " + strings.TrimPrefix(lines[len(lines)-1], "user: ")
	}}
	m := paidMiners(t, failing{memory.New(echo)}, memory.New(echo), memory.New(echo))

	c := openai.NewClient(option.WithBaseURL(m.url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
	list, err := c.Models.List(ctx)
	require.NoError(t, err)
	require.Len(t, list.Data, 1)
	p := openai.ChatCompletionNewParams{Model: list.Data[0].ID, Temperature: openai.Float(0), Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("good morning")}}
	whole, err := c.Chat.Completions.New(ctx, p)
	require.NoError(t, err)
	require.Equal(t, "you said good morning", whole.Choices[0].Message.Content)
	require.Equal(t, whole.ID, (<-m.receipts).ID)

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

	a := anthropic.NewClient(anthropicoption.WithBaseURL(m.url), anthropicoption.WithAPIKey(key), anthropicoption.WithMaxRetries(0))
	message, err := a.Messages.New(ctx, anthropic.MessageNewParams{Model: anthropic.Model(list.Data[0].ID), MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("good night"))}})
	require.NoError(t, err)
	require.Equal(t, "you said good night", message.Content[0].Text)

	wrong := openai.NewClient(option.WithBaseURL(m.url+"/v1"), option.WithAPIKey("another"), option.WithMaxRetries(0))
	_, err = wrong.Models.List(ctx)
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "invalid_api_key", refused.Code)

	require.Equal(t, m.settled(t), m.gateway.Totals().Paid)
}
