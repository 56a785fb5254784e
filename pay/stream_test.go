package pay_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
)

// told notes what is written to whom asks.
type told struct {
	http.ResponseWriter
	note func(string)
}

func (w told) Write(b []byte) (int, error) {
	for _, what := range []string{"data: a", "data: b", "data: c", "payment-response"} {
		if bytes.Contains(b, []byte(what)) {
			w.note(what)
		}
	}
	return w.ResponseWriter.Write(b)
}

func (w told) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A stream's steps are few: what is written between two flushes is charged at once, and the
// last of it with the settlement. Nothing leaves before its step.
func TestNothingOfAStreamLeavesBeforeItsChargeIsWritten(t *testing.T) {
	var mu sync.Mutex
	var log []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, s)
	}
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		m := pay.MeterFrom(r.Context())
		for i, event := range []string{"a", "b", "c"} {
			for range 5 {
				if err := m.Charge(2); err != nil {
					t.Error(err)
				}
			}
			_, _ = io.WriteString(w, "data: "+event+"\n\n")
			if i == 0 {
				w.(http.Flusher).Flush()
			}
		}
	}), func(s *shop) {
		s.gcfg = s.gcfg.WithHook(func(when, step string) {
			if when == "after" {
				note(step)
			}
		})
	})
	inner := s.server.Config.Handler
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(told{w, note}, r) })
	status, body := s.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, "data: a\n\ndata: b\n\ndata: c\n\n", body)
	require.Equal(t, uint64(60), s.ledger()[0].Charged)
	mu.Lock()
	defer mu.Unlock()
	var of []string // the stream's
	for i, step := range log {
		if step == "reserve" {
			of = log[i:]
		}
	}
	require.Equal(t, []string{"reserve", "charge", "data: a", "settle", "data: b", "data: c", "payment-response"}, of)
}
