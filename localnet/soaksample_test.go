package localnet_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// sample is what the process holds at one moment of a soak.
type sample struct {
	after  time.Duration
	epochs uint64
	height int64
	values [len(gauges)]float64
}

// gauge is one of the numbers of a sample, and what it may do.
type gauge struct {
	name string
	unit string
	// slack is a change that says nothing: who comes and goes is there or not when the
	// sample is taken.
	slack float64
	// grows by design: it is told, and not held to anything.
	grows bool
}

var gauges = [...]gauge{
	{name: "heap", unit: "MiB", slack: 12}, // without the databases' and what peers leave
	{name: "goroutines", slack: 80},
	{name: "files", slack: 20},
	{name: "TCP", slack: 20},
	{name: "UDP", slack: 10},
	{name: "resident", unit: "MiB", grows: true}, // what the collector has not given back, and the databases
	// The databases' buffers and caches fill slowly, up to bounds of their own.
	{name: "database heap", unit: "MiB", grows: true},
	// libp2p makes each peer with uber/fx, which makes functions' types by reflection, and
	// Go keeps those for good: some 20 kB a peer. A process makes one peer, but this one
	// thousands.
	{name: "peers' types", unit: "MiB", grows: true},
	{name: "database files", grows: true}, // as many tables as the databases have, 500 each at most
	{name: "data", unit: "MiB", grows: true},
}

const mib = 1 << 20

// heap is what the process holds, MiB.
type heap struct{ rest, databases, peers float64 }

// takeHeap looks at the heap a few times and takes the least: what answers and queries
// hold while they run is not held, and on a busy machine many run at once. Garbage is
// collected twice: finalizers free what the first one found.
func takeHeap() (least heap) {
	least.rest = math.Inf(1)
	for range 5 {
		runtime.GC()
		runtime.GC()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		all := float64(mem.HeapAlloc) / mib
		h := heap{databases: heapOf("syndtr/goleveldb/") * all, peers: heapOf("go.uber.org/") * all}
		if h.rest = all - h.databases - h.peers; h.rest < least.rest {
			least = h
		}
		time.Sleep(100 * time.Millisecond) // till others run
	}
	return least
}

// takeSample looks at the process.
func takeSample(home string) (s sample, err error) {
	held := takeHeap()
	data := filepath.Join(home, "node", "data")
	files, tables, sockets, err := openFiles(data)
	if err != nil {
		return s, err
	}
	tcp, err := countSockets(sockets, "tcp", "tcp6")
	if err != nil {
		return s, err
	}
	udp, err := countSockets(sockets, "udp", "udp6")
	if err != nil {
		return s, err
	}
	resident, err := residentBytes()
	if err != nil {
		return s, err
	}
	size, err := folderBytes(data)
	s.values = [...]float64{
		held.rest, float64(runtime.NumGoroutine()), float64(files), float64(tcp), float64(udp), float64(resident) / mib, held.databases, held.peers, float64(tables), float64(size) / mib,
	}
	return s, err
}

// heapOf is the part of the heap that a package allocated and somebody still holds, 0 to
// 1, from the profile: a sample stands for as many bytes as runtime.MemProfileRate says.
func heapOf(pkg string) float64 {
	n, _ := runtime.MemProfile(nil, false)
	records := make([]runtime.MemProfileRecord, n+500)
	n, ok := runtime.MemProfile(records, false)
	if !ok {
		return 0
	}
	var own, all float64
	for _, r := range records[:n] {
		if r.InUseObjects() == 0 {
			continue
		}
		size := float64(r.InUseBytes()) / float64(r.InUseObjects())
		held := float64(r.InUseBytes()) / (1 - math.Exp(-size/float64(runtime.MemProfileRate)))
		all += held
		for frames, more := runtime.CallersFrames(r.Stack()), true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); strings.Contains(f.Function, pkg) {
				own += held
				break
			}
		}
	}
	return own / max(all, 1)
}

// openFiles counts the process's descriptors, those of the databases in data apart;
// sockets are the inodes of those that are one.
func openFiles(data string) (n, tables int, sockets map[string]bool, err error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, 0, nil, err
	}
	sockets = map[string]bool{}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
		if err != nil {
			continue // the one that reads the folder
		}
		if strings.HasPrefix(to, data+"/") {
			tables++
			continue
		}
		n++
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return n, tables, sockets, nil
}

// countSockets counts those of the process in the kernel's tables, which hold those of
// all processes.
func countSockets(own map[string]bool, tables ...string) (n int, err error) {
	for _, table := range tables {
		f, err := os.Open(filepath.Join("/proc/self/net", table))
		if errors.Is(err, os.ErrNotExist) {
			continue // a machine without IPv6
		}
		if err != nil {
			return 0, err
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) > 9 && own[fields[9]] {
				n++
			}
		}
		if err := f.Close(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func residentBytes() (uint64, error) {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, resident uint64
	_, err = fmt.Sscan(string(raw), &size, &resident)
	return resident * uint64(os.Getpagesize()), err
}

func folderBytes(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || err == nil && e.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return nil // it may be gone
	})
	return n, err
}

// drift is how a gauge went over a soak, its beginning left out.
type drift struct {
	middle, last float64 // medians of the middle and of the last third
	slope        float64 // of the last two thirds, over as many epochs as they have
	allowed      float64 // how much of both is no growth
}

// flat compares a series' last third with its middle one: the first is left for caches
// to fill. Both medians and the slope, that of the median of all pairs, shrug off
// single samples that are far off. A tenth of growth is allowed, and the slack.
func flat(series []float64, slack float64) (d drift, ok bool) {
	third := len(series) / 3
	if third == 0 {
		return d, false
	}
	rest := series[third:]
	d.middle, d.last = median(rest[:len(rest)/2]), median(rest[len(rest)/2:])
	var slopes []float64
	for i := range rest {
		for j := i + 1; j < len(rest); j++ {
			slopes = append(slopes, (rest[j]-rest[i])/float64(j-i))
		}
	}
	if len(slopes) > 0 {
		d.slope = median(slopes) * float64(len(rest)-1)
	}
	d.allowed = d.middle/10 + slack
	return d, d.last-d.middle <= d.allowed && d.slope <= 1.5*d.allowed
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// series are a gauge's values over all samples.
func series(samples []sample, gauge int) []float64 {
	out := make([]float64, len(samples))
	for i, s := range samples {
		out[i] = s.values[gauge]
	}
	return out
}

// table shows a dozen of the samples.
func table(samples []sample) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %7s %7s", "after", "epochs", "block")
	for _, g := range gauges {
		fmt.Fprintf(&b, " %12s", strings.TrimSpace(g.name+" "+g.unit))
	}
	b.WriteByte('\n')
	step := max(1, len(samples)/15)
	for i, s := range samples {
		if i%step != 0 && i != len(samples)-1 {
			continue
		}
		fmt.Fprintf(&b, "%8s %7d %7d", s.after.Round(time.Second), s.epochs, s.height)
		for _, v := range s.values {
			fmt.Fprintf(&b, " %12.1f", v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
