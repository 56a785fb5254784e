package inference_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

// Whatever miners do, each customer gets its own answer, whole, or an error.
func TestManyAreAnsweredByMinersThatFail(t *testing.T) {
	var gate atomic.Uint64
	moody := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && gate.Add(1)%7 == 0 {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	}
	dying := func(ctx context.Context, place int) error {
		if place > 0 && rand.IntN(400) == 0 {
			return engine.ErrGone
		}
		return nil
	}
	var miners []inference.Remote
	for i := range 6 {
		o := memory.Options{Slots: 64}
		if i%2 == 0 {
			o.Wait = dying
		}
		miners = append(miners, served(t, "miner-"+strconv.Itoa(i), inference.MinerConfig{Engine: memory.New(o)}, moody))
	}
	c := unpaid(t, inference.GatewayConfig{Tries: 6}, miners...)
	const customers, each = 60, 6
	var whole, failed atomic.Int64
	var all sync.WaitGroup
	for i := range customers {
		all.Go(func() {
			for j := range each {
				r := question("story " + strconv.Itoa(i*each+j))
				seed := int64(i*each + j)
				r.Seed, r.ID = &seed, "chatcmpl-"+strconv.Itoa(i*each+j)
				text, end := "", api.Finish("")
				_, err := c.Generate(t.Context(), r, func(e api.Event) error {
					text += e.Text
					end = e.Finish
					return nil
				})
				want := answerOf(t, r, uint64(seed))
				var told *api.Error
				switch {
				case err == nil && (text != want || end == ""):
					t.Errorf("customer %d got %q, its answer is %q", i, text, want)
				case err == nil:
					whole.Add(1)
				case !errors.As(err, &told) || told.Kind != api.Gone && told.Kind != api.Overloaded:
					t.Errorf("customer %d was told %v", i, err)
				default:
					failed.Add(1)
					if len(text) > len(want) || text != want[:len(text)] {
						t.Errorf("customer %d got %q, its answer begins %q", i, text, want)
					}
				}
			}
		})
	}
	all.Wait()
	require.Greater(t, whole.Load(), int64(customers*each/2))
	require.Positive(t, failed.Load())
	list, err := c.Miners(t.Context())
	require.NoError(t, err)
	for _, m := range list {
		require.Zero(t, m.Open)
	}
	totals := c.Totals()
	require.Equal(t, int(failed.Load()), totals.Failed)
	require.Len(t, c.receipts, totals.Answers)
}
