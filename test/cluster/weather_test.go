//go:build linux

package cluster_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Validators on different continents with bad lines: late, lost and overtaken packets make
// blocks slow, and nothing else.
func TestBlocksInBadWeather(t *testing.T) {
	long(t)
	minutes, r := number(t, "LODE_MINUTES", 2), chance(t)
	c := write(t, 4)
	a := breathe(c, r)
	c.begin()
	l := keep(c)
	pace(c, a, weather{}, 20*time.Second)
	bad := weather{delay: 100 * time.Millisecond, jitter: 50 * time.Millisecond, loss: 0.02, double: 0.01}
	pace(c, a, bad, time.Duration(minutes)*time.Minute/2)
	bad.loss = 0.05
	pace(c, a, bad, time.Duration(minutes)*time.Minute/2)

	// A cut on top of it: the same as in clear air.
	some, rest := c.nodes[:2], c.nodes[2:]
	a.part(c, some...)
	at, b := c.halves(25, some, rest)
	a.heal()
	healed := time.Now()
	c.all(max(at, b) + 2)
	say(t, "cut in two in that weather: both stood, at %d and %d; blocks again %.1fs after it was healed", at, b, time.Since(healed).Seconds())
	require.Positive(t, a.lost.Load())
	require.Positive(t, a.overtaken.Load())
	l.check()
	say(t, "%s", a)
}

// pace measures the time between blocks in some weather.
func pace(c *cluster, a *air, w weather, d time.Duration) {
	c.t.Helper()
	a.turn(w)
	ctx := c.t.Context()
	first := c.top(c.nodes...)
	end := time.NewTimer(d)
	defer end.Stop()
	<-end.C
	last := c.top(c.nodes...)
	require.Greater(c.t, last, first+1, "no blocks within %s: %s", d, w)
	c.all(last)
	var times []time.Time
	for low := first; low <= last; low += page {
		got, err := c.nodes[0].rpc.BlockchainInfo(ctx, low, min(last, low+page-1))
		require.NoError(c.t, err)
		slices.Reverse(got.BlockMetas)
		for _, b := range got.BlockMetas {
			times = append(times, b.Header.Time)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	var between []time.Duration
	for i := 1; i < len(times); i++ {
		between = append(between, times[i].Sub(times[i-1]))
	}
	slices.Sort(between)
	n := len(between)
	say(c.t, "%s: %d blocks in %s; between two: median %.2fs, 95 of 100 under %.2fs, longest %.2fs", w, n, d,
		between[n/2].Seconds(), between[n*95/100].Seconds(), between[n-1].Seconds())
}
