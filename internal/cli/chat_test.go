package cli

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

// talk runs `lode chat` against an endpoint, with lines of input.
func talk(t *testing.T, input string, args ...string) (code int, out, errOut string) {
	t.Helper()
	s := httptest.NewServer(inference.Local(api.Handler(apitest.New(), api.Config{IDHeader: inference.ReceiptHeader}), "secret"))
	defer s.Close()
	var o, e bytes.Buffer
	args = append([]string{"chat", "--home", t.TempDir(), "--url", s.URL + "/v1", "--api-key", "secret", "--model", apitest.Model}, args...)
	code = Run(t.Context(), args, strings.NewReader(input), &o, &e)
	return code, o.String(), e.String()
}

func TestAQuestionIsAnsweredOnce(t *testing.T) {
	code, out, errOut := talk(t, "", "hello")
	require.Equal(t, []any{0, "you said: hello\n", ""}, []any{code, out, errOut})

	code, out, _ = talk(t, "", "--json", "hello")
	require.Zero(t, code)
	var a chatAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &a))
	require.Equal(t, "you said: hello", a.Answer)
	require.Equal(t, "stop", a.Finish)
	require.True(t, strings.HasPrefix(a.Receipt, "chatcmpl-"))

	code, out, errOut = talk(t, "", "refuse overloaded")
	require.Equal(t, []any{1, ""}, []any{code, out})
	require.Contains(t, errOut, "all miners are busy")
	code, _, errOut = talk(t, "", "break 1 gone all went well")
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "the miner has stopped")
	code, _, errOut = talk(t, "", "--api-key", "wrong", "hello")
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "set the API key")
}

func TestAConversationGoesOn(t *testing.T) {
	code, out, errOut := talk(t, "one\n\n/what\nrefuse gone\ntwo\n/exit\nthree\n")
	require.Zero(t, code)
	require.Equal(t, "you said: one\nyou said: two\n", out)
	require.Contains(t, errOut, "the miner has stopped")
	require.Contains(t, errOut, "there is /exit")

	code, out, _ = talk(t, "one\ntwo", "--system", "be brief")
	require.Zero(t, code)
	require.Equal(t, "you said: one\nyou said: two\n", out)
}

func TestAConversationIsSavedWhereThatIsAskedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "talk.json")
	code, _, errOut := talk(t, "say first\nsay second\n", "--save", path, "--seed", "7", "--max-tokens", "9")
	require.Zero(t, code, errOut)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	c, err := readConversation(path)
	require.NoError(t, err)
	asked, err := c.Requests()
	require.NoError(t, err)
	require.Equal(t, []api.Message{{Role: api.User, Content: "say first"}, {Role: api.Assistant, Content: "first"}, {Role: api.User, Content: "say second"}}, asked[0].Messages)
	require.Equal(t, int64(7), *asked[0].Seed)
	require.Equal(t, 9, asked[0].MaxTokens)
	said, err := c.Answers()
	require.NoError(t, err)
	require.Equal(t, []api.Said{{Text: "second"}}, said)
	require.True(t, strings.HasPrefix(c.ID(), "chatcmpl-"))
}

func TestAnswersDoNothingToATerminalButShow(t *testing.T) {
	require.Equal(t, "a[2Jb\nc\td", printed("a\x1b[2Jb\nc\td\u202e\x07\u009b"))
}
