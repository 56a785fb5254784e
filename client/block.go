package client

import (
	"context"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
)

// Block is a new block of the chain, or several merged into one.
type Block struct {
	Height int64
	Time   time.Time // of the block at Height
	// Events are those of the block and its transactions, as far as they took effect; of
	// merged blocks those of all.
	Events []abci.Event
	// Missed says that there were blocks before this one whose events are not in
	// Events: it is the first one, or the connection was lost, or the reader was so slow
	// that they became too many. Whatever hangs on events must be read anew.
	Missed bool
}

// maxMerged is how many events a merged block keeps for a slow reader.
const maxMerged = 10_000

// merge returns a and the later b as one block.
func merge(a, b Block) Block {
	m := Block{Height: b.Height, Time: b.Time, Missed: a.Missed || b.Missed}
	if len(a.Events)+len(b.Events) > maxMerged {
		m.Missed = true
		return m
	}
	m.Events = append(append([]abci.Event(nil), a.Events...), b.Events...)
	return m
}

// Blocks tells of new blocks until ctx ends or the client is closed; then it closes
// the channel. The first comes as soon as the chain can be reached, and is Missed. A
// slow reader gets what it was too slow for merged into one Block. The client
// reconnects by itself, to another node if it must; the block after that is Missed.
func (c *Client) Blocks(ctx context.Context) <-chan Block {
	ctx, cancel := context.WithCancel(ctx)
	s := &subscriber{cancel: cancel, wake: make(chan struct{}, 1)}
	out := make(chan Block)
	c.hub.add(s, func() {
		defer close(out)
		defer cancel()
		defer c.hub.remove(s)
		for {
			select {
			case <-s.wake:
			case <-ctx.Done():
				return
			}
			b, ok := s.take()
			if !ok {
				continue
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
	}, func() {
		cancel()
		close(out)
	})
	return out
}

// subscriber is a reader of blocks.
type subscriber struct {
	cancel context.CancelFunc
	wake   chan struct{} // holds one: there is something to take

	mu      sync.Mutex
	waiting *Block // merged, not taken yet
}

// put adds a block to what waits; it never blocks.
func (s *subscriber) put(b Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != nil {
		b = merge(*s.waiting, b)
	}
	s.waiting = &b
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) take() (Block, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		return Block{}, false
	}
	b := *s.waiting
	s.waiting = nil
	return b, true
}

// add runs deliver with a new subscriber, or refuse if the client is closed.
func (h *hub) add(s *subscriber, deliver, refuse func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		refuse()
		return
	}
	h.subs[s] = struct{}{}
	h.start()
	if h.last.Height > 0 { // the hub runs for others: this reader need not wait
		s.put(Block{Height: h.last.Height, Time: h.last.Time, Missed: true})
	}
	h.wg.Go(deliver)
}

func (h *hub) remove(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
	h.stop()
}
