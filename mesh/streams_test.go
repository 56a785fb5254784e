package mesh_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
)

// TestOnePeerCanHaveManyCallsAtOnce holds 240 calls open, more than libp2p's own limits
// let one peer have.
func TestOnePeerCanHaveManyCallsAtOnce(t *testing.T) {
	const calls = 240
	client, server := pair(t)
	var all sync.WaitGroup
	all.Add(calls)
	there := make(chan struct{})
	go func() { all.Wait(); close(there) }()
	mount(t, server, "/x", mesh.HandlerOptions{Open: true, PerPeer: calls, Total: calls}, func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		select {
		case <-there:
			_, _ = io.WriteString(w, "all are there")
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
	})
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			resp, err := client.Client().Get("http://" + server.Hotkey() + "/x")
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if raw, err := io.ReadAll(resp.Body); err != nil || string(raw) != "all are there" {
				t.Errorf("%d %q, %v", resp.StatusCode, raw, err)
			}
		})
	}
	wg.Wait()
}
