package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	rpcclient "github.com/cometbft/cometbft/rpc/client"

	"github.com/cosmos/cosmos-sdk/client"
)

// HealthPath is where a node's REST server says whether it follows the chain.
const HealthPath = "/health"

// StandsAfter is how many target block times may pass without a block before a node
// counts as standing still.
const StandsAfter = 10

// Health is how a node is.
type Health struct {
	Height          int64   `json:"height"`
	CatchingUp      bool    `json:"catching_up"`
	BlockAgeSeconds float64 `json:"block_age_seconds"`
	Peers           int     `json:"peers"`
	Error           string  `json:"error,omitempty"` // why it is not healthy
}

// serveHealth answers 200 while the node follows the chain; 503 while it catches up or
// stands still. now is the clock.
func serveHealth(rpc client.CometRPC, target func() (time.Duration, error), now func() time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := health(r.Context(), rpc, target, now)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if h.Error != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h) // who asked may be gone
	}
}

func health(ctx context.Context, rpc client.CometRPC, target func() (time.Duration, error), now func() time.Time) (h Health) {
	if rpc == nil {
		h.Error = "this server has no node"
		return h
	}
	status, err := rpc.Status(ctx)
	if err != nil {
		h.Error = "the node does not say where it is: " + err.Error()
		return h
	}
	sync := status.SyncInfo
	h.Height, h.CatchingUp = sync.LatestBlockHeight, sync.CatchingUp
	if h.Height > 0 {
		h.BlockAgeSeconds = max(0, now().Sub(sync.LatestBlockTime).Round(time.Millisecond).Seconds())
	}
	if network, ok := rpc.(rpcclient.NetworkClient); ok {
		if info, err := network.NetInfo(ctx); err == nil {
			h.Peers = info.NPeers
		}
	}
	if h.CatchingUp {
		h.Error = "the node fetches old blocks"
		return h
	}
	if h.Height == 0 {
		h.Error = "the node has no block yet"
		return h
	}
	blockTime, err := target()
	switch {
	case err != nil:
		h.Error = "the chain's target block time can't be read: " + err.Error()
	case now().Sub(sync.LatestBlockTime) > StandsAfter*blockTime:
		h.Error = fmt.Sprintf("the latest block is older than %d target block times, %s", StandsAfter, StandsAfter*blockTime)
	}
	return h
}

// blockTime is the chain's target between two blocks, as of the last block.
func (app *App) blockTime() (time.Duration, error) {
	ctx, err := app.CreateQueryContext(0, false)
	if err != nil {
		return 0, err
	}
	p, err := app.Keepers.Emission.Params(ctx)
	return p.BlockTime(), err
}
