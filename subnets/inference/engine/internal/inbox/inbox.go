// Package inbox is a queue between one goroutine that must never wait and one that may.
// It holds what a slow reader has not taken yet; its users bound what is put in (an answer
// has a greatest number of tokens).
package inbox

import "sync"

// Inbox is a queue without a bound.
type Inbox[T any] struct {
	mu     sync.Mutex
	items  []T
	signal chan struct{}
}

// New returns an empty inbox.
func New[T any]() *Inbox[T] { return &Inbox[T]{signal: make(chan struct{}, 1)} }

// Put adds an item and does not wait.
func (b *Inbox[T]) Put(v T) {
	b.mu.Lock()
	b.items = append(b.items, v)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// Ready receives when there may be items: [Inbox.Take] tells.
func (b *Inbox[T]) Ready() <-chan struct{} { return b.signal }

// Take returns all items, oldest first, and leaves none.
func (b *Inbox[T]) Take() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items = nil
	return items
}
