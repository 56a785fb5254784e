package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Tally is how often something was tried, and how often it succeeded.
type Tally struct{ Tried, Done int }

// Report is what happened in a run.
type Report struct {
	Seed     uint64
	Blocks   int
	Txs      int
	Ops      int // messages in transactions that were in blocks, those inside of others not counted
	Messages map[string]*Tally
	Events   map[string]int // of chain and simulator, by name
	Hashes   []string       // app hashes, block by block
}

func newReport(seed uint64) *Report {
	return &Report{Seed: seed, Messages: map[string]*Tally{}, Events: map[string]int{}}
}

func (r *Report) count(event string) { r.Events[event]++ }

func (r *Report) tally(url string, done bool) {
	t := r.Messages[url]
	if t == nil {
		t = &Tally{}
		r.Messages[url] = t
	}
	t.Tried++
	if done {
		t.Done++
	}
}

// Add adds another run's counts.
func (r *Report) Add(o *Report) {
	r.Blocks, r.Txs, r.Ops = r.Blocks+o.Blocks, r.Txs+o.Txs, r.Ops+o.Ops
	for url, t := range o.Messages {
		if r.Messages[url] == nil {
			r.Messages[url] = &Tally{}
		}
		r.Messages[url].Tried += t.Tried
		r.Messages[url].Done += t.Done
	}
	for e, n := range o.Events {
		r.Events[e] += n
	}
}

func (r *Report) String() string {
	var b strings.Builder
	tried, done := 0, 0
	for _, t := range r.Messages {
		tried, done = tried+t.Tried, done+t.Done
	}
	fmt.Fprintf(&b, "%d operations in %d transactions and %d blocks; messages, those inside of others counted: %d tried, %d done (%d %%)\n",
		r.Ops, r.Txs, r.Blocks, tried, done, 100*done/max(1, tried))
	fmt.Fprintf(&b, "%-58s %9s %9s\n", "message", "tried", "done")
	for _, url := range sorted(r.Messages) {
		fmt.Fprintf(&b, "%-58s %9d %9d\n", url, r.Messages[url].Tried, r.Messages[url].Done)
	}
	fmt.Fprintf(&b, "%-58s %9s\n", "event", "seen")
	for _, e := range sorted(r.Events) {
		fmt.Fprintf(&b, "%-58s %9d\n", e, r.Events[e])
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
