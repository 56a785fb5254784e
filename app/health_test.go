package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"

	"github.com/cosmos/cosmos-sdk/client"
)

type statusOnly struct {
	client.CometRPC
	sync ctypes.SyncInfo
	err  error
}

func (s statusOnly) Status(context.Context) (*ctypes.ResultStatus, error) {
	return &ctypes.ResultStatus{SyncInfo: s.sync}, s.err
}

func TestHealthIs200OnlyForANodeThatFollows(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(age time.Duration, catching bool) statusOnly {
		return statusOnly{sync: ctypes.SyncInfo{LatestBlockHeight: 7, LatestBlockTime: now.Add(-age), CatchingUp: catching}}
	}
	second := func() (time.Duration, error) { return time.Second, nil }
	for name, c := range map[string]struct {
		rpc    client.CometRPC
		target func() (time.Duration, error)
		status int
		body   string
	}{
		"follows":       {at(10*time.Second, false), second, http.StatusOK, `{"height":7,"catching_up":false,"block_age_seconds":10,"peers":0}`},
		"a slow clock":  {at(-3*time.Second, false), second, http.StatusOK, `{"height":7,"catching_up":false,"block_age_seconds":0,"peers":0}`},
		"stands":        {at(10001*time.Millisecond, false), second, 503, `"block_age_seconds":10.001,"peers":0,"error":"the latest block is older`},
		"catches up":    {at(time.Second, true), second, 503, `"catching_up":true,"block_age_seconds":1,"peers":0,"error":"the node fetches old blocks"`},
		"has no block":  {statusOnly{}, second, 503, `"error":"the node has no block yet"`},
		"does not say":  {statusOnly{err: errors.New("closed")}, second, 503, `"error":"the node does not say where it is: closed"`},
		"has no target": {at(0, false), func() (time.Duration, error) { return 0, errors.New("no state") }, 503, `can't be read: no state"`},
		"no node":       {nil, second, 503, `"error":"this server has no node"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			serveHealth(c.rpc, c.target, func() time.Time { return now })(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, HealthPath, nil))
			require.Equal(t, c.status, w.Code)
			require.Contains(t, w.Body.String(), c.body)
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		})
	}
}
