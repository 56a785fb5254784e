package inference_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

func TestReceiptsAreKeptForTheirOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "inference", "receipts")
	now := time.Date(2026, 11, 26, 23, 59, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	r, err := inference.OpenReceipts(dir, clock)
	require.NoError(t, err)
	keep := func(id string, choice int) {
		require.NoError(t, r.Keep(inference.Receipt{Version: inference.ReceiptVersion, ID: id, Choice: choice, Time: now}))
	}
	keep("a", 0)
	keep("a", 1)
	now = now.Add(2 * time.Minute)
	keep("b", 0)
	require.NoError(t, r.Close())
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "2026-11-26.jsonl"): 0o600, filepath.Join(dir, "2026-11-27.jsonl"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm())
	}
	found, err := r.Find("a")
	require.NoError(t, err)
	require.Len(t, found, 2)
	_, err = r.Find("c")
	require.ErrorIs(t, err, inference.ErrNoReceipt)
	list := func(from time.Time) (ids []string) {
		require.NoError(t, r.Each(from, func(x inference.Receipt) bool { ids = append(ids, x.ID); return true }))
		return ids
	}
	require.Equal(t, []string{"a", "a", "b"}, list(time.Time{}))
	require.Equal(t, []string{"b"}, list(now))

	// A killed process leaves half a line, others something else.
	path := filepath.Join(dir, "2026-11-27.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("{\"version\":9,\"id\":\"a\"}\n7\n" + `{"version":1,"id":"torn`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	r, err = inference.OpenReceipts(dir, clock)
	require.NoError(t, err)
	keep("d", 0)
	require.Equal(t, []string{"a", "a", "b", "d"}, list(time.Time{}))

	// After three months they are gone; other files stay.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o600))
	now = now.AddDate(0, 0, 90)
	keep("e", 0)
	require.Equal(t, []string{"b", "d", "e"}, list(time.Time{}))
	require.FileExists(t, filepath.Join(dir, "mine.txt"))
	require.NoError(t, r.Close())
}

// talk has a conversation through a gateway, and keeps it.
func talk(t *testing.T, o memory.Options, endpoint, request string) (api.Conversation, []inference.Receipt) {
	t.Helper()
	c := unpaid(t, inference.GatewayConfig{}, served(t, "miner", inference.MinerConfig{Engine: memory.New(o)}))
	s := httptest.NewServer(api.Handler(c, api.Config{IDHeader: inference.ReceiptHeader}))
	defer s.Close()
	resp, err := http.Post(s.URL+endpoint, "application/json", strings.NewReader(request))
	require.NoError(t, err)
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode, string(raw))
	conversation := api.Conversation{Endpoint: endpoint, Request: json.RawMessage(request), Response: raw}
	require.Equal(t, resp.Header.Get(inference.ReceiptHeader), conversation.ID())
	for _, r := range c.receipts {
		require.Equal(t, conversation.ID(), r.ID)
	}
	return conversation, c.receipts
}

func verify(t *testing.T, c api.Conversation, receipts []inference.Receipt, e engine.Engine) []inference.Proof {
	t.Helper()
	th := fidelity.Default(e.Info().Digest)
	th.Measured = &fidelity.Measured{}
	out, err := inference.VerifyReceipts(t.Context(), receipts, c, e, th)
	require.NoError(t, err)
	return out
}

const chatAbout = `{"model":"memory","max_tokens":100,"temperature":1,"messages":[{"role":"user","content":"Tell me a story."}]}`

func TestAnAnswerIsVerifiedByWhoHasTheModel(t *testing.T) {
	for endpoint, request := range map[string]string{
		"/v1/chat/completions": `{"model":"memory","n":3,"seed":5,"max_tokens":100,"messages":[{"role":"user","content":"Tell me a story."}]}`,
		"/v1/completions":      `{"model":"memory","n":2,"max_tokens":100,"top_p":0.9,"prompt":["once","upon"]}`,
		"/v1/responses":        `{"model":"memory","input":"Tell me a story.","temperature":0.001}`,
		"/v1/messages":         `{"model":"memory","max_tokens":100,"stop_sequences":["e t","qu"],"messages":[{"role":"user","content":"Tell me a story."}]}`,
	} {
		conversation, receipts := talk(t, memory.Options{}, endpoint, request)
		for _, p := range verify(t, conversation, receipts, memory.New(memory.Options{})) {
			require.Equal(t, inference.Verified, p.Result, "%s: %s", endpoint, p.Reason)
			require.True(t, p.Verdict.Pass)
			require.NotEqual(t, engine.FinishCancelled, p.Receipt.Finish)
		}
		for _, r := range receipts {
			raw, err := json.Marshal(r)
			require.NoError(t, err)
			require.NotContains(t, string(raw), "story")
			require.NotContains(t, string(raw), "once")
		}
	}
}

func TestAnAnswerOfAnotherModelIsRefuted(t *testing.T) {
	cheat := memory.Options{Noise: func(place int, logits []float32) {
		for i := range logits {
			logits[i] += float32(math.Sin(float64(place*31+i))) / 2
		}
	}}
	conversation, receipts := talk(t, cheat, "/v1/chat/completions", strings.Replace(chatAbout, `"temperature":1`, `"temperature":1,"seed":7`, 1))
	p := verify(t, conversation, receipts, memory.New(memory.Options{}))[0]
	require.Equal(t, inference.Refuted, p.Result)
	require.Contains(t, p.Reason, "the model picks")
	require.Equal(t, inference.Verified, verify(t, conversation, receipts, memory.New(cheat))[0].Result)
}

func TestConversationsAndReceiptsThatWereChanged(t *testing.T) {
	whole, all := talk(t, memory.Options{}, "/v1/chat/completions", chatAbout)
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
	}
	require.NoError(t, json.Unmarshal(whole.Response, &answer))
	said := answer.Choices[0].Message.Content
	require.Greater(t, len(said), 20)
	swap := func(raw json.RawMessage, a, b string) json.RawMessage {
		out := strings.Replace(string(raw), a, b, 1)
		require.NotEqual(t, string(raw), out)
		return json.RawMessage(out)
	}
	for name, tc := range map[string]struct {
		change func(*api.Conversation, *inference.Receipt)
		result string
		reason string
	}{
		"another answer": {func(c *api.Conversation, _ *inference.Receipt) { c.Response = swap(c.Response, said[:9], said[:9]+"!") }, inference.Refuted, "is not the one that the receipt is of"},
		"another prompt": {func(c *api.Conversation, _ *inference.Receipt) { c.Request = swap(c.Request, "story", "tale") }, inference.Unproven, "no receipt of this choice"},
		"another temperature": {func(c *api.Conversation, _ *inference.Receipt) {
			c.Request = swap(c.Request, `"temperature":1`, `"temperature":0.5`)
		}, inference.Refuted, "another temperature"},
		"a seed": {func(c *api.Conversation, _ *inference.Receipt) {
			c.Request = swap(c.Request, `"temperature":1`, `"seed":1`)
		}, inference.Refuted, "another seed"},
		"another seed in the receipt": {func(_ *api.Conversation, r *inference.Receipt) { r.Seed++ }, inference.Refuted, "not what the model picks"},
		"another end":                 {func(_ *api.Conversation, r *inference.Receipt) { r.Stopped = true }, inference.Refuted, "none was asked for"},
		"more tokens of the prompt":   {func(_ *api.Conversation, r *inference.Receipt) { r.PromptTokens++ }, inference.Refuted, "tokens of the prompt are charged"},
		"other tokens":                {func(_ *api.Conversation, r *inference.Receipt) { r.Tokens[3]++ }, inference.Refuted, "was changed"},
		"no tokens":                   {func(_ *api.Conversation, r *inference.Receipt) { r.Tokens = nil }, inference.Unproven, "has no tokens"},
		"another salt":                {func(_ *api.Conversation, r *inference.Receipt) { r.Salt[0]++ }, inference.Unproven, "no receipt"},
		"another id":                  {func(_ *api.Conversation, r *inference.Receipt) { r.ID += "x" }, inference.Refuted, "was changed"},
		"another model":               {func(_ *api.Conversation, r *inference.Receipt) { r.Digest = strings.Repeat("1", 64) }, inference.Unproven, "111111111111"},
		"no model":                    {func(_ *api.Conversation, r *inference.Receipt) { r.Digest = "" }, inference.Unproven, "can't tell which model"},
	} {
		c, r := whole, all[0]
		r.Tokens, r.Salt = slices.Clone(r.Tokens), slices.Clone(r.Salt)
		tc.change(&c, &r)
		p := verify(t, c, []inference.Receipt{r}, memory.New(memory.Options{}))
		require.Len(t, p, 1)
		require.Equal(t, tc.result, p[0].Result, "%s: %s", name, p[0].Reason)
		require.Contains(t, p[0].Reason, tc.reason, name)
	}
	require.Equal(t, inference.Unproven, verify(t, whole, nil, memory.New(memory.Options{}))[0].Result)
}

func TestAnswersThatCallTools(t *testing.T) {
	const tools = `{"model":"memory","temperature":0,"max_tokens":200,"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}],"messages":[{"role":"user","content":"look!"}]}`
	for text, result := range map[string]string{
		"<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"it\"}}\n</tool_call>":                                               inference.Verified,
		"I look.\n<tool_call>{\"name\":\"look\",\"arguments\":{\"at\":1}}</tool_call>":                                                   inference.Verified,
		"<tool_call>\n{ \"name\" :\"look\", \"parameters\": {\"at\": \"it\"} }\n</tool_call>":                                            inference.Verified,
		"<tool_call>{\"name\":\"look\",\"arguments\":{}}</tool_call> <tool_call>{\"name\":\"look\",\"arguments\":{\"x\":2}}</tool_call>": inference.Verified,
		"<tool_call>\n{\"arguments\": {\"at\": \"it\"}, \"name\": \"look\"}\n</tool_call>":                                               inference.Unproven,
		"no call": inference.Verified,
	} {
		o := memory.Options{Answer: func(string) string { return text }}
		conversation, receipts := talk(t, o, "/v1/chat/completions", tools)
		p := verify(t, conversation, receipts, memory.New(o))[0]
		require.Equal(t, result, p.Result, "%s: %s", text, p.Reason)
	}
}

func TestShortAnswersAndGuessedThresholdsSayLess(t *testing.T) {
	o := memory.Options{Answer: func(string) string { return "yes" }}
	c, r := talk(t, o, "/v1/chat/completions", chatAbout)
	e := memory.New(o)
	out, err := inference.VerifyReceipts(t.Context(), r, c, e, fidelity.Default(e.Info().Digest))
	require.NoError(t, err)
	require.Equal(t, inference.Verified, out[0].Result)
	require.Contains(t, out[0].Reason, "of 4 tokens only coarse lies are seen")
	require.Contains(t, out[0].Reason, "lode model calibrate")
	_, err = inference.VerifyReceipts(t.Context(), r, api.Conversation{}, e, fidelity.Default(""))
	require.ErrorContains(t, err, "the conversation's request")
	c.Response = json.RawMessage(`{}`)
	_, err = inference.VerifyReceipts(t.Context(), r, c, e, fidelity.Default(""))
	require.ErrorContains(t, err, "has 0 choices")
}
