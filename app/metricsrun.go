package app

import (
	"sync"
	"time"
)

// blockRun is how long the execution of a block took, step by step.
type blockRun struct {
	height int64
	steps  map[string]time.Duration
	total  time.Duration // from its first step to the end of its last

	checked bool // its invariants were checked
	broken  bool // and one was broken
}

// blockRuns times executions of blocks from inside the application, whose
// transactions run between two of its steps. A proposed block is run while it is
// voted on (optimistic execution); where another one is decided, its run is thrown
// away and the next begins: at most one runs at a time, and the last one before a
// decision is the decided block's.
type blockRuns struct {
	mu      sync.Mutex
	now     func() time.Time
	begun   time.Time
	stepped time.Time // when the last step ended
	run     *blockRun
	dropped int // runs that another one replaced, since the last decision
}

// begin starts the run of a block.
func (r *blockRuns) begin(height int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run != nil {
		r.dropped++
	}
	r.begun = r.now()
	r.stepped = r.begun
	r.run = &blockRun{height: height, steps: map[string]time.Duration{}}
}

// step ends a step of the run, which began where the last one ended.
func (r *blockRuns) step(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return
	}
	now := r.now()
	r.run.steps[name] += now.Sub(r.stepped)
	r.run.total = now.Sub(r.begun)
	r.stepped = now
}

// invariants tells what a check of the invariants in the run found.
func (r *blockRuns) invariants(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run != nil {
		r.run.checked, r.run.broken = true, err != nil
	}
}

// take is the last run, and how many were thrown away before it; nil where there was
// none. It is the decided block's, once that has been executed.
func (r *blockRuns) take() (run *blockRun, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, dropped = r.run, r.dropped
	r.run, r.dropped = nil, 0
	return run, dropped
}
