package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

var update = flag.Bool("update", false, "write testdata anew")

// served is a handler with a backend that does as it is told, and ids that count.
func served(t testing.TB, c api.Config) (*httptest.Server, *apitest.Backend) {
	t.Helper()
	b := apitest.New()
	var ids atomic.Int64
	if c.NewID == nil {
		c.NewID = func() string { return strconv.FormatInt(ids.Add(1), 10) }
	}
	c.Now = func() time.Time { return time.Unix(1_700_000_001, 0) }
	s := httptest.NewServer(api.Handler(b, c))
	t.Cleanup(s.Close)
	return s, b
}

// post sends a body and returns the status, the headers and the answer.
func post(t testing.TB, s *httptest.Server, path, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(got)
}

// TestTranscripts holds what goes over the wire to testdata: NAME.json is a request,
// NAME.txt the answer. Run go test -update to see what changed.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.ToSlash(path), ".json")
		t.Run(strings.TrimPrefix(name, "testdata/"), func(t *testing.T) {
			s, _ := served(t, api.Config{})
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			endpoint := map[string]string{
				"chat": "/v1/chat/completions", "completions": "/v1/completions", "responses": "/v1/responses",
				"messages": "/v1/messages", "count": "/v1/messages/count_tokens", "embeddings": "/v1/embeddings",
			}[filepath.Base(filepath.Dir(path))]
			status, header, got := post(t, s, endpoint, string(body))
			if strings.HasPrefix(header.Get("Content-Type"), "application/json") {
				var out bytes.Buffer
				require.NoError(t, json.Indent(&out, []byte(got), "", "  "))
				got = out.String()
			} else {
				framed(t, got)
			}
			got = strconv.Itoa(status) + " " + header.Get("Content-Type") + "\n" + got
			if *update {
				require.NoError(t, os.WriteFile(name+".txt", []byte(got), 0o644))
			}
			want, err := os.ReadFile(name + ".txt")
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// framed holds a stream to the rules: frames of an optional event line and one data line,
// without comments, and nothing after an error or [DONE].
func framed(t *testing.T, stream string) {
	t.Helper()
	require.True(t, strings.HasSuffix(stream, "\n\n"))
	frames := strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n")
	for i, frame := range frames {
		lines := strings.Split(frame, "\n")
		if name, ok := strings.CutPrefix(lines[0], "event: "); ok {
			lines = lines[1:]
			var e struct{ Type string }
			require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(lines[0], "data: ")), &e))
			require.Equal(t, name, e.Type)
		}
		require.Len(t, lines, 1, frame)
		data, ok := strings.CutPrefix(lines[0], "data: ")
		require.True(t, ok, frame)
		if data == "[DONE]" {
			require.Equal(t, len(frames)-1, i)
			continue
		}
		require.True(t, json.Valid([]byte(data)), frame)
	}
}
