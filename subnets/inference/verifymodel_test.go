package inference_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// A real model behind a gateway: its answers are verified, also those that follow a schema
// or call a tool; those of the same model at half the bits are not.
func TestAnswersOfARealModel(t *testing.T) {
	open := func(file string) *llama.Engine {
		e, err := llama.Load(llama.Options{Model: "testdata/models/" + file, Threads: 1, Slots: 4, Context: 512})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		return e
	}
	honest, cheat := open("lode-mini-Q8_0.gguf"), open("lode-mini-Q4_0.gguf")
	info := honest.Info()
	th := fidelity.Default(info.Digest)
	th.Flag, th.Flagged, th.MeanMargin, th.Measured = 0.06, 2e-4, 1e-4, &fidelity.Measured{} // about what is measured
	for name, miner := range map[string]inference.Remote{
		"honest": served(t, "honest", inference.MinerConfig{Engine: honest}),
		"cheat":  served(t, "cheat", inference.MinerConfig{Engine: cheat, Claim: &info}),
	} {
		t.Run(name, func(t *testing.T) {
			c := unpaid(t, inference.GatewayConfig{}, miner)
			s := httptest.NewServer(api.Handler(c, api.Config{IDHeader: inference.ReceiptHeader}))
			defer s.Close()
			refuted := 0
			for i, request := range []string{
				`{"model":"auto","seed":1,"max_tokens":300,"messages":[{"role":"user","content":"Tell me a story about a lighthouse."}]}`,
				`{"model":"auto","seed":2,"max_tokens":300,"temperature":0.7,"top_p":0.9,"messages":[{"role":"system","content":"Be long."},{"role":"user","content":"Tell me a story about a bridge."}]}`,
				`{"model":"auto","seed":3,"max_tokens":300,"n":2,"messages":[{"role":"user","content":"What is a lode?"}]}`,
				`{"model":"auto","seed":4,"max_tokens":300,"messages":[{"role":"user","content":"A person in JSON."}],"response_format":{"type":"json_schema","json_schema":{"name":"p","schema":{"type":"object","properties":{"name":{"type":"string","maxLength":20},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}}`,
				`{"model":"auto","seed":5,"max_tokens":300,"messages":[{"role":"user","content":"Look!"}],"tool_choice":"required","tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object","properties":{"at":{"type":"string","maxLength":20}},"required":["at"],"additionalProperties":false}}}]}`,
				`{"model":"auto","seed":6,"max_tokens":400,"n":6,"temperature":1.6,"messages":[{"role":"user","content":"Tell me a story about a river."}]}`,
			} {
				resp, err := http.Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader(request))
				require.NoError(t, err)
				raw, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, 200, resp.StatusCode, string(raw))
				conversation := api.Conversation{Endpoint: "/v1/chat/completions", Request: []byte(request), Response: raw}
				receipts := c.receipts
				c.receipts = nil
				proofs, err := inference.VerifyReceipts(t.Context(), receipts, conversation, honest, th)
				require.NoError(t, err)
				for _, p := range proofs {
					said := fmt.Sprintf("%d: %s %s %s %+v", i, raw, p.Result, p.Reason, p.Verdict)
					if name == "honest" {
						require.Equal(t, inference.Verified, p.Result, said)
					} else if p.Result == inference.Refuted {
						refuted++
					}
					t.Log(p.Result, p.Reason)
				}
			}
			if name == "cheat" {
				require.GreaterOrEqual(t, refuted, 2, "long answers at a high temperature give it away")
			}
		})
	}
}
