package api_test

import (
	"encoding/json"
	"fmt"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

// refusal reads an error in either shape.
func refusal(t *testing.T, body string) (message, kind, param string) {
	t.Helper()
	var e struct {
		Error struct {
			Message string
			Type    string
			Param   *string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &e), body)
	require.NotEmpty(t, e.Error.Message)
	if e.Error.Param != nil {
		param = *e.Error.Param
	}
	return e.Error.Message, e.Error.Type, param
}

const canary = "CANARY"

// A request of each endpoint that is taken, with room for one more field.
var taken = map[string]string{
	"/v1/chat/completions":      `{"model":"lode/mini","messages":[{"role":"user","content":"say hi"}]%s}`,
	"/v1/completions":           `{"model":"lode/mini","prompt":"say hi"%s}`,
	"/v1/responses":             `{"model":"lode/mini","input":"say hi"%s}`,
	"/v1/messages":              `{"model":"lode/mini","max_tokens":9,"messages":[{"role":"user","content":"say hi"}]%s}`,
	"/v1/messages/count_tokens": `{"model":"lode/mini","messages":[{"role":"user","content":"say hi"}]%s}`,
	"/v1/embeddings":            `{"model":"lode/mini","input":"hi"%s}`,
}

func TestWhatIsMalformedIsRefusedBeforeTheBackend(t *testing.T) {
	s, b := served(t, api.Config{MaxBody: 64 << 10})
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for path, form := range taken {
		status, _, body := post(t, s, path, fmt.Sprintf(form, `,"unknown":{"CANARY":[1,"x"]}`))
		require.Equal(t, http.StatusOK, status, body)
		asked := b.Asked()
		for name, c := range map[string]struct {
			body   string
			status int
		}{
			"nothing":           {"", 400},
			"null":              {"null", 400},
			"an array":          {"[]", 400},
			"a string":          {`"CANARY"`, 400},
			"cut off":           {`{"model":"CANARY`, 400},
			"two values":        {fmt.Sprintf(form, "") + "CANARY", 400},
			"no JSON":           {"CANARY", 400},
			"invalid UTF-8":     {fmt.Sprintf(form, ",\"user\":\"CANARY\xff\""), 400},
			"nested deep":       {fmt.Sprintf(form, `,"metadata":`+deep), 400},
			"nested and cut":    {strings.Repeat(`{"a":`, 5000), 400},
			"oversized":         {fmt.Sprintf(form, `,"user":"`+strings.Repeat("x", 65<<10)+`"`), 413},
			"NaN":               {fmt.Sprintf(form, `,"temperature":NaN`), 400},
			"a model's number":  {strings.Replace(fmt.Sprintf(form, ""), `"lode/mini"`, "7", 1), 400},
			"no model":          {strings.Replace(fmt.Sprintf(form, ""), `"lode/mini"`, `""`, 1), 400},
			"a model's novel":   {strings.Replace(fmt.Sprintf(form, ""), `"lode/mini"`, `"`+strings.Repeat("CANARY", 99)+`"`, 1), 400},
			"a lone backslash":  {fmt.Sprintf(form, `,"user":"\CANARY"`), 400},
			"a control in text": {fmt.Sprintf(form, ",\"user\":\"\x01CANARY\""), 400},
		} {
			status, _, body := post(t, s, path, c.body)
			require.Equal(t, c.status, status, "%s %s: %s", path, name, body)
			message, _, _ := refusal(t, body)
			require.NotContains(t, message, canary, "%s %s", path, name)
		}
		require.Equal(t, asked, b.Asked())
	}
}

func TestWrongFieldsAreNamed(t *testing.T) {
	s, b := served(t, api.Config{})
	chat := func(fields string) string {
		return `{"model":"lode/mini","messages":[{"role":"user","content":"CANARY"}],` + fields + `}`
	}
	says := func(messages string) string { return `{"model":"lode/mini","messages":` + messages + `}` }
	claude := func(fields string) string {
		return `{"model":"lode/mini","max_tokens":5,"messages":[{"role":"user","content":"CANARY"}],` + fields + `}`
	}
	const user = `{"role":"user","content":"CANARY"}`
	const tool = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	for _, c := range []struct{ path, body, param string }{
		{"chat/completions", chat(`"temperature":-0.1`), "temperature"},
		{"chat/completions", chat(`"temperature":2.1`), "temperature"},
		{"chat/completions", chat(`"temperature":"CANARY"`), "temperature"},
		{"chat/completions", chat(`"temperature":1e999`), "temperature"},
		{"chat/completions", chat(`"top_p":1.5`), "top_p"},
		{"chat/completions", chat(`"top_p":-1`), "top_p"},
		{"chat/completions", chat(`"seed":1.5`), "seed"},
		{"chat/completions", chat(`"seed":99999999999999999999`), "seed"},
		{"chat/completions", chat(`"n":0`), "n"},
		{"chat/completions", chat(`"n":-1`), "n"},
		{"chat/completions", chat(`"n":1000`), "n"},
		{"chat/completions", chat(`"max_tokens":-5`), "max_tokens"},
		{"chat/completions", chat(`"max_tokens":0`), "max_tokens"},
		{"chat/completions", chat(`"max_tokens":1e30`), "max_tokens"},
		{"chat/completions", chat(`"max_completion_tokens":99999999999`), "max_completion_tokens"},
		{"chat/completions", chat(`"stop":["1","2","3","4","5"]`), "stop"},
		{"chat/completions", chat(`"stop":[""]`), "stop[0]"},
		{"chat/completions", chat(`"stop":["a",7]`), "stop"},
		{"chat/completions", chat(`"stop":{}`), "stop"},
		{"chat/completions", chat(`"stop":"` + strings.Repeat("x", 300) + `"`), "stop[0]"},
		{"chat/completions", chat(`"stream":"CANARY"`), "stream"},
		{"chat/completions", chat(`"stream_options":7`), "stream_options"},
		{"chat/completions", chat(`"logprobs":7`), "logprobs"},
		{"chat/completions", chat(`"logprobs":true,"top_logprobs":21`), "top_logprobs"},
		{"chat/completions", chat(`"top_logprobs":2`), "top_logprobs"},
		{"chat/completions", chat(`"logprobs":true,` + tool), "logprobs"},
		{"chat/completions", chat(`"presence_penalty":0.5`), "presence_penalty"},
		{"chat/completions", chat(`"frequency_penalty":-0.5`), "frequency_penalty"},
		{"chat/completions", chat(`"logit_bias":{"50256":-100}`), "logit_bias"},
		{"chat/completions", chat(`"modalities":["text","audio"]`), "modalities"},
		{"chat/completions", chat(`"functions":[{}]`), "functions"},
		{"chat/completions", chat(`"response_format":"CANARY"`), "response_format"},
		{"chat/completions", chat(`"response_format":{"type":"CANARY"}`), "response_format.type"},
		{"chat/completions", chat(`"response_format":{"type":"json_schema"}`), "response_format.json_schema.schema"},
		{"chat/completions", chat(`"response_format":{"type":"json_schema","json_schema":{"schema":[]}}`), "response_format.json_schema.schema"},
		{"chat/completions", chat(`"tools":{}`), "tools"},
		{"chat/completions", chat(`"tools":[{"type":"function"}]`), "tools[0].function.name"},
		{"chat/completions", chat(`"tools":[{"type":"function","function":{"name":"a\nCANARY"}}]`), "tools[0].function.name"},
		{"chat/completions", chat(`"tools":[{"type":"function","function":{"name":"f","parameters":7}}]`), "tools[0]"},
		{"chat/completions", chat(`"tools":[` + strings.Repeat(`{"type":"function"},`, 300) + `{}]`), "tools"},
		{"chat/completions", chat(tool + `,"tool_choice":"CANARY"`), "tool_choice"},
		{"chat/completions", chat(tool + `,"tool_choice":7`), "tool_choice"},
		{"chat/completions", chat(tool + `,"tool_choice":{"type":"function","function":{"name":"CANARY"}}`), "tool_choice"},
		{"chat/completions", chat(tool + `,"tool_choice":{"type":"function"}`), "tool_choice.function.name"},
		{"chat/completions", chat(`"tool_choice":"required"`), "tool_choice"},
		{"chat/completions", says(`[]`), "messages"},
		{"chat/completions", says(`null`), "messages"},
		{"chat/completions", says(`"CANARY"`), "messages"},
		{"chat/completions", says(`["CANARY"]`), "messages"},
		{"chat/completions", says(`[{"role":"CANARY","content":"x"}]`), "messages[0].role"},
		{"chat/completions", says(`[{"role":7,"content":"x"}]`), "messages.role"},
		{"chat/completions", says(`[{"role":"user"}]`), "messages[0].content"},
		{"chat/completions", says(`[` + user + `,{"role":"user","content":null}]`), "messages[1].content"},
		{"chat/completions", says(`[{"role":"user","content":7}]`), "messages[0].content"},
		{"chat/completions", says(`[{"role":"user","content":{"CANARY":1}}]`), "messages[0].content"},
		{"chat/completions", says(`[{"role":"user","content":[7]}]`), "messages[0].content"},
		{"chat/completions", says(`[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"CANARY"}}]}]`), "messages[0].content[1]"},
		{"chat/completions", says(`[{"role":"tool","content":"x"}]`), "messages[0].tool_call_id"},
		{"chat/completions", says(`[{"role":"assistant","tool_calls":[{"id":"x","type":"function"}]}]`), "messages[0].tool_calls[0].function"},
		{"chat/completions", says(`[` + strings.Repeat(user+",", 4096) + user + `]`), "messages"},

		{"completions", `{"model":"lode/mini"}`, "prompt"},
		{"completions", `{"model":"lode/mini","prompt":[]}`, "prompt"},
		{"completions", `{"model":"lode/mini","prompt":[1,2,3]}`, "prompt"},
		{"completions", `{"model":"lode/mini","prompt":{}}`, "prompt"},
		{"completions", `{"model":"lode/mini","prompt":[` + strings.Repeat(`"x",`, 99) + `"x"]}`, "prompt"},
		{"completions", `{"model":"lode/mini","prompt":["a","b","c","d"],"n":5}`, "n"},
		{"completions", `{"model":"lode/mini","prompt":"x","logprobs":true}`, "logprobs"},
		{"completions", `{"model":"lode/mini","prompt":"x","logprobs":-1}`, "logprobs"},
		{"completions", `{"model":"lode/mini","prompt":"x","echo":true}`, "echo"},
		{"completions", `{"model":"lode/mini","prompt":"x","suffix":"CANARY"}`, "suffix"},
		{"completions", `{"model":"lode/mini","prompt":"x","best_of":3}`, "best_of"},
		{"completions", `{"model":"lode/mini","prompt":"x","max_tokens":-1}`, "max_tokens"},

		{"responses", `{"model":"lode/mini"}`, "input"},
		{"responses", `{"model":"lode/mini","input":[]}`, "input"},
		{"responses", `{"model":"lode/mini","input":7}`, "input"},
		{"responses", `{"model":"lode/mini","input":[{"type":"reasoning","summary":[]}]}`, "input"},
		{"responses", `{"model":"lode/mini","input":[{"role":"user","content":[{"type":"input_image","image_url":"CANARY"}]}]}`, "input[0].content[0]"},
		{"responses", `{"model":"lode/mini","input":[{"type":"item_reference","id":"CANARY"}]}`, "input[0]"},
		{"responses", `{"model":"lode/mini","input":[{"type":"function_call","arguments":"{}"}]}`, "input[0].name"},
		{"responses", `{"model":"lode/mini","input":[{"type":"function_call_output","call_id":"x"}]}`, "input[0].output"},
		{"responses", `{"model":"lode/mini","input":"x","previous_response_id":"CANARY"}`, "previous_response_id"},
		{"responses", `{"model":"lode/mini","input":"x","conversation":"CANARY"}`, "conversation"},
		{"responses", `{"model":"lode/mini","input":"x","background":true}`, "background"},
		{"responses", `{"model":"lode/mini","input":"x","max_output_tokens":0}`, "max_output_tokens"},
		{"responses", `{"model":"lode/mini","input":"x","top_logprobs":-1}`, "top_logprobs"},
		{"responses", `{"model":"lode/mini","input":"x","text":{"format":{"type":"CANARY"}}}`, "text.format.type"},
		{"responses", `{"model":"lode/mini","input":"x","text":{"format":{"type":"json_schema","schema":7}}}`, "text.format.schema"},
		{"responses", `{"model":"lode/mini","input":"x","tools":[{"type":"function","name":7}]}`, "tools[0].name"},
		{"responses", `{"model":"lode/mini","input":"x","tools":["CANARY"]}`, "tools[0]"},

		// Anthropic's errors have no param: the field is in the message.
		{"messages", claude(`"temperature":1.5`), "temperature"},
		{"messages", claude(`"top_k":40`), "top_k"},
		{"messages", claude(`"stop_sequences":["1","2","3","4","5"]`), "stop_sequences"},
		{"messages", claude(`"stop_sequences":"CANARY"`), "stop_sequences"},
		{"messages", claude(`"tool_choice":{"type":"CANARY"}`), "tool_choice.type"},
		{"messages", claude(`"tool_choice":{"type":"any"}`), "tool_choice"},
		{"messages", claude(`"tools":[{"input_schema":{}}]`), "tools[0].name"},
		{"messages", claude(`"tools":[{"name":"f"},{"name":"f"}]`), "tools[1].name"},
		{"messages", claude(`"system":7`), "system"},
		{"messages", claude(`"output_config":{"format":{"type":"CANARY"}}`), "output_config.format.type"},
		{"messages", `{"model":"lode/mini","max_tokens":-1,"messages":[` + user + `]}`, "max_tokens"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[]}`, "messages"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[{"role":"CANARY","content":"x"}]}`, "messages[0].role"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[` + user + `,{"role":"assistant","content":"CANARY"}]}`, "messages"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":"CANARY"}]}]}`, "messages[0].content[0]"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[{"role":"user","content":[{"type":"tool_result"}]}]}`, "messages[0].content[0].tool_use_id"},
		{"messages", `{"model":"lode/mini","max_tokens":5,"messages":[{"role":"assistant","content":[{"type":"tool_use","name":"f","input":"CANARY"}]},` + user + `]}`, "messages[0].content[0].input"},

		{"embeddings", `{"model":"lode/mini"}`, "input"},
		{"embeddings", `{"model":"lode/mini","input":""}`, "input[0]"},
		{"embeddings", `{"model":"lode/mini","input":["CANARY",""]}`, "input[1]"},
		{"embeddings", `{"model":"lode/mini","input":[[1,2],[3]]}`, "input"},
		{"embeddings", `{"model":"lode/mini","input":[` + strings.Repeat(`"x",`, 2048) + `"x"]}`, "input"},
		{"embeddings", `{"model":"lode/mini","input":"x","encoding_format":"CANARY"}`, "encoding_format"},
		{"embeddings", `{"model":"lode/mini","input":"x","dimensions":5}`, "dimensions"},
	} {
		status, header, body := post(t, s, "/v1/"+c.path, c.body)
		require.Equal(t, http.StatusBadRequest, status, "%s: %s", c.param, body)
		require.Equal(t, "application/json", header.Get("Content-Type"))
		message, kind, param := refusal(t, body)
		require.Equal(t, "invalid_request_error", kind)
		require.True(t, strings.HasPrefix(message, c.param+": "), "%s: %s", c.param, message)
		require.NotContains(t, message, canary)
		if c.path != "messages" {
			require.Equal(t, c.param, param)
		}
	}
	require.Zero(t, b.Asked())
}

func TestOnlyJSONIsTakenSoThatWebPagesCanNotAsk(t *testing.T) {
	s, b := served(t, api.Config{})
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json-seq", ";"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/chat/completions", strings.NewReader(fmt.Sprintf(taken["/v1/chat/completions"], "")))
		require.NoError(t, err)
		req.Header.Set("Content-Type", kind)
		res, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode, kind)
		require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
	}
	require.Zero(t, b.Asked())
}

func TestUnknownPathsAndMethodsAreRefusedAsJSON(t *testing.T) {
	s, _ := served(t, api.Config{})
	for _, c := range []struct{ method, path string }{
		{"GET", "/"}, {"GET", "/v1/chat/completions"}, {"DELETE", "/v1/models/x"}, {"POST", "/v1/nothing"}, {"OPTIONS", "/v1/messages"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, nil)
		require.NoError(t, err)
		res, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode, c)
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	}
}

func TestAnthropicsVersionIsKnownOrRefused(t *testing.T) {
	s, _ := served(t, api.Config{})
	for version, want := range map[string]int{"": 200, "2023-06-01": 200, "2026-10-21": 200, "2023-01-01": 400, "CANARY": 400} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/messages", strings.NewReader(fmt.Sprintf(taken["/v1/messages"], "")))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		req.Header.Set("Anthropic-Version", version)
		res, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, version)
	}
}

func TestABackendsErrorsNameTheFieldOfTheEndpoint(t *testing.T) {
	s, _ := served(t, api.Config{})
	long := "say " + strings.Repeat("x", 9000)
	for _, c := range []struct{ path, body, param string }{
		{"chat/completions", `{"model":"lode/mini","messages":[{"role":"user","content":"` + long + `"}]}`, "messages"},
		{"completions", `{"model":"lode/mini","prompt":"` + long + `"}`, "prompt"},
		{"responses", `{"model":"lode/mini","input":"` + long + `"}`, "input"},
		{"responses", `{"model":"lode/mini","input":"refuse grammar"}`, "text.format"},
		{"chat/completions", `{"model":"lode/mini","messages":[{"role":"user","content":"refuse grammar"}]}`, "response_format"},
		{"embeddings", `{"model":"gpt-9","input":"x"}`, "model"},
	} {
		status, _, body := post(t, s, "/v1/"+c.path, c.body)
		require.GreaterOrEqual(t, status, 400)
		require.Less(t, status, 500)
		_, _, param := refusal(t, body)
		require.Equal(t, c.param, param)
	}
}

func TestNothingOfARequestIsLogged(t *testing.T) {
	var log lockedBuffer
	s := httptest.NewUnstartedServer(api.Handler(apitest.New(), api.Config{}))
	s.Config.ErrorLog = stdlog.New(&log, "", 0)
	s.Start()
	for path, form := range taken {
		post(t, s, path, strings.ReplaceAll(fmt.Sprintf(form, ""), "hi", canary))
		post(t, s, path, strings.ReplaceAll(fmt.Sprintf(form, ""), "say hi", "break 1 internal "+canary))
		post(t, s, path, strings.ReplaceAll(fmt.Sprintf(form, `,"stream":true`), "say hi", "break 1 gone "+canary))
		post(t, s, path, canary)
	}
	s.Close()
	require.NotContains(t, log.String(), canary)
}

// lockedBuffer takes a log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
