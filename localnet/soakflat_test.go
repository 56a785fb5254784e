package localnet_test

import (
	"math"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestTheSoaksRuleTellsALeakFromNoise(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		at   func(i int) float64
		flat bool
	}{
		"constant":                        {func(int) float64 { return 100 }, true},
		"noise of a fifth":                {func(int) float64 { return 90 + 20*noise.Float64() }, true},
		"a cache that fills in the first": {func(i int) float64 { return 100 * min(1, float64(i)/15) }, true},
		"single samples far off": {func(i int) float64 {
			if i%7 == 0 {
				return 900
			}
			return 100
		}, true},
		"falling":              {func(i int) float64 { return 200 - float64(i) }, true},
		"a hundredth a sample": {func(i int) float64 { return 100 + float64(i) }, false},
		"a leak under noise":   {func(i int) float64 { return 90 + 20*noise.Float64() + 1.5*float64(i) }, false},
		"a step in the last":   {func(i int) float64 { return 100 + 40*float64(i/45) }, false},
		"a leak from nothing":  {func(i int) float64 { return float64(i) }, false},
	} {
		series := make([]float64, 60)
		for i := range series {
			series[i] = c.at(i)
		}
		if d, ok := flat(series, 5); ok != c.flat {
			t.Errorf("%s: flat is %v (%+v)", name, ok, d)
		}
	}
	if _, ok := flat([]float64{1, 1}, 5); ok {
		t.Error("two samples say nothing")
	}
}

// A sample that does not see what is opened proves nothing.
func TestASampleSeesWhatTheProcessHolds(t *testing.T) {
	home := t.TempDir()
	at := func() sample {
		s, err := takeSample(home)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := os.MkdirAll(filepath.Join(home, "node", "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := at()
	kept := make([]byte, 64*mib)
	stop := make(chan struct{})
	for range 300 {
		go func() { <-stop }()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	table, err := os.Create(filepath.Join(home, "node", "data", "000001.ldb"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if _, err := table.Write(kept[:3*mib]); err != nil {
		t.Fatal(err)
	}
	after := at()
	close(stop)
	for i, least := range []float64{60, 290, 2, 1, 1, math.Inf(-1), math.Inf(-1), math.Inf(-1), 1, 3} { // resident is what the system likes
		if grew := after.values[i] - before.values[i]; grew < least {
			t.Errorf("%s: grew by %.1f %s, at least %.0f was opened", gauges[i].name, grew, gauges[i].unit, least)
		}
	}
	kept[0] = 1 // it is held until here
}
