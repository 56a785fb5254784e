package video

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns lets a bounded number of holders work at once; of those that wait, the one with
// the earliest deadline goes next. A long job so yields to a short one between its
// encodes.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter
}

type waiter struct {
	deadline time.Time
	ready    chan struct{}
}

func newTurns(n int) *turns { return &turns{free: n} }

// take waits for a turn and returns what ends it.
func (t *turns) take(ctx context.Context, deadline time.Time) (func(), error) {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return t.done(), nil
	}
	w := &waiter{deadline: deadline, ready: make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	select {
	case <-w.ready:
		return t.done(), nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	i := slices.Index(t.waiting, w)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		t.done()() // it was given the turn meanwhile
	}
	return nil, ctx.Err()
}

func (t *turns) done() func() {
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.waiting) == 0 {
			t.free++
			return
		}
		next := slices.MinFunc(t.waiting, func(a, b *waiter) int { return a.deadline.Compare(b.deadline) })
		t.waiting = slices.DeleteFunc(t.waiting, func(w *waiter) bool { return w == next })
		close(next.ready)
	})
}
