package pay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
)

// BenchmarkPayment asks for a stream of 16 events by turns for nothing and paid, and
// reports the CPU time that payment adds to a request, of client and gateway together.
func BenchmarkPayment(b *testing.B) {
	const length, batch = 16, 200
	stream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		m := pay.MeterFrom(r.Context())
		for i := range length {
			if m != nil {
				if err := m.Charge(1); err != nil {
					return
				}
			}
			_, _ = fmt.Fprintf(w, "data: token %d\n\n", i)
			if i == 0 || i == length-1 {
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	s := newShop(b, stream)
	limits := s.ccfg.Limits
	limits.PerDay, limits.Deposit, limits.MaxDeposit = 0, 1e12, 1e13
	require.NoError(b, s.client.Close())
	s.ccfg.Limits = limits
	s.openClient()
	free := httptest.NewServer(stream)
	defer free.Close()
	run := func(c *http.Client, url string) float64 {
		used := processTime()
		for range batch {
			resp, err := c.Get(url)
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(b, err)
			require.NoError(b, resp.Body.Close())
			require.Equal(b, http.StatusOK, resp.StatusCode)
		}
		return float64((processTime() - used).Microseconds()) / batch
	}
	turns := []func() float64{
		func() float64 { return run(s.http, s.server.URL) },
		func() float64 { return run(free.Client(), free.URL) },
	}
	for _, turn := range turns {
		turn()
	}
	var cpu [2][]float64
	for b.Loop() {
		for i, turn := range turns {
			cpu[i] = append(cpu[i], turn())
		}
	}
	middle := func(f []float64) float64 { return slices.Sorted(slices.Values(f))[len(f)/2] }
	b.ReportMetric(middle(cpu[0]), "cpu-µs/paid")
	b.ReportMetric(middle(cpu[1]), "cpu-µs/free")
	b.ReportMetric(middle(cpu[0])-middle(cpu[1]), "cpu-µs/payment")
}

// processTime is the CPU time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
