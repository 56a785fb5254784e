package node_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

func health(t *testing.T, rest string) (status int, h app.Health) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+rest+"/health", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(raw, &fields), string(raw))
	for _, name := range []string{"height", "catching_up", "block_age_seconds", "peers"} {
		require.Contains(t, fields, name)
	}
	require.NoError(t, json.Unmarshal(raw, &h))
	return res.StatusCode, h
}

func TestHealthIs200WhileTheNodeFollowsAnd503WhenItStandsStill(t *testing.T) {
	written := testnetOf(t, 2)
	var nodes []*node.Node
	for i, w := range written {
		n, err := node.Start(t.Context(), node.Config{Home: w.Home})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.Stop()) })
		nodes = append(nodes, n)
		if i == 0 { // one of two: no majority, no block
			status, h := health(t, w.REST)
			require.Equal(t, http.StatusServiceUnavailable, status, h)
			require.NotEmpty(t, h.Error)
			require.Zero(t, h.Height)
		}
	}
	for _, n := range nodes {
		wait(t, n, 3)
	}
	require.Eventually(t, func() bool { // a node catches up until it has heard of its peers
		status, _ := health(t, written[0].REST)
		return status == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	status, h := health(t, written[0].REST)
	require.Equal(t, http.StatusOK, status, h)
	require.Equal(t, 1, h.Peers)
	require.GreaterOrEqual(t, h.Height, int64(3))
	require.Less(t, h.BlockAgeSeconds, 2.0)
	require.Empty(t, h.Error)

	// The other one goes: blocks come every 200 ms, after 2 s without one it is late.
	require.NoError(t, nodes[1].Stop())
	require.Eventually(t, func() bool {
		status, h = health(t, written[0].REST)
		return status == http.StatusServiceUnavailable
	}, 10*time.Second, 50*time.Millisecond)
	require.Equal(t, "the latest block is older than 10 target block times, 2s", h.Error)
	require.Greater(t, h.BlockAgeSeconds, 2.0)
	require.Positive(t, h.Height)
}
