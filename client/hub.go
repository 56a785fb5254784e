package client

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

const (
	// linger is how long the hub goes on when nobody listens any more.
	linger = 10 * time.Second
	// pollEvery is how often a node is asked for its height where it can't be heard.
	pollEvery = 500 * time.Millisecond
	// streamRetryMost is the longest wait until another websocket is tried.
	streamRetryMost = 15 * time.Second
)

// hub follows the chain's blocks, once for all who listen: those who asked for blocks
// and those who wait for a transaction. It runs while there are any.
type hub struct {
	c  *Client
	wg sync.WaitGroup

	mu      sync.Mutex // guards what follows
	subs    map[*subscriber]struct{}
	watches map[*watch]struct{}
	cancel  context.CancelFunc // nil while it does not run
	idle    *time.Timer
	closed  bool
	last    Block // the latest seen in this run of the hub; zero before
	gap     bool  // the next block is Missed
}

// watch waits for one transaction.
type watch struct {
	hash [32]byte
	done chan committed // gets the transaction when its block comes by; holds one
	look chan struct{}  // says that blocks went by unseen; holds one
	late chan struct{}  // says that several blocks went by without it; holds one
	past int            // blocks heard that did not have it; guarded by hub.mu
}

// lateBlocks is after how many blocks without it a transaction is late.
const lateBlocks = 5

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// committed is a transaction in a block.
type committed struct {
	height int64
	result abci.ExecTxResult
}

func newHub(c *Client) *hub {
	return &hub{c: c, subs: map[*subscriber]struct{}{}, watches: map[*watch]struct{}{}}
}

// close ends the hub; channels of subscribers close.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	if h.cancel != nil {
		h.cancel()
	}
	for s := range h.subs {
		s.cancel()
	}
	h.mu.Unlock()
	h.wg.Wait()
}

// start runs the hub if it does not run; h.mu is held.
func (h *hub) start() {
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
	if h.cancel != nil || h.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.last, h.gap = cancel, Block{}, true
	h.wg.Go(func() { h.run(ctx) })
}

// stop ends the hub a while after the last listener left; h.mu is held.
func (h *hub) stop() {
	if len(h.subs)+len(h.watches) > 0 || h.cancel == nil || h.idle != nil {
		return
	}
	h.idle = time.AfterFunc(linger, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.subs)+len(h.watches) == 0 && h.cancel != nil {
			h.cancel()
			h.cancel = nil
		}
		h.idle = nil
	})
}

// watch begins to wait for a transaction; to be called before it is sent.
func (h *hub) watch(tx []byte) *watch {
	w := &watch{hash: sha256.Sum256(tx), done: make(chan committed, 1), look: make(chan struct{}, 1), late: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watches[w] = struct{}{}
	h.start()
	return w
}

func (h *hub) unwatch(w *watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watches, w)
	h.stop()
}

// latest returns the latest block that was seen, if the hub hears blocks now.
func (h *hub) latest() (Block, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last, h.cancel != nil && h.last.Height > 0
}

// run follows blocks until ctx ends: over a websocket, or by asking for the height
// where there is none.
func (h *hub) run(ctx context.Context) {
	var retry time.Duration
	deaf := false // the websocket fails while the node answers
	for ctx.Err() == nil {
		err := h.stream(ctx, func() {
			if deaf {
				h.c.log.Info("blocks are heard over the websocket again")
			}
			deaf, retry = false, 0
		})
		if ctx.Err() != nil {
			return
		}
		h.c.log.Debug("the block stream ended", "err", err)
		if answers := h.poll(ctx, retry); answers && retry > 0 && !deaf {
			deaf = true
			h.c.log.Warn("no websocket can be opened; asking for the height of the chain instead", "err", err)
		}
		retry = min(max(2*retry, pollEvery), streamRetryMost)
	}
}

// poll asks for the height for a while, and says whether a node answered all the time.
// It ends early when one that was down answers, because then its websocket may, too.
func (h *hub) poll(ctx context.Context, while time.Duration) (answers bool) {
	end := time.NewTimer(while)
	defer end.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for answers = true; ; {
		s, err := h.c.Status(ctx)
		if err == nil {
			h.seen(Block{Height: s.Height, Time: s.Time, Missed: true})
			if !answers {
				return false
			}
		}
		answers = answers && err == nil
		select {
		case <-ctx.Done():
			return answers
		case <-end.C:
			if answers {
				return true
			}
		case <-tick.C:
		}
	}
}

// seen passes a block on whose events are not known, if it is a new one. Blocks may
// have gone by before it, so who waits for a transaction must look for it.
func (h *hub) seen(b Block) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watches {
		tell(w.look)
	}
	if h.last.Height-b.Height > TxLifetime {
		h.c.log.Warn("the chain was begun anew", "height", b.Height, "was", h.last.Height)
		h.last = Block{}
	}
	if b.Height <= h.last.Height {
		h.gap = true
		return
	}
	h.last, h.gap = b, false
	for s := range h.subs {
		s.put(b)
	}
}

// heard passes a whole block on.
func (h *hub) heard(e cmttypes.EventDataNewBlock) {
	results := e.ResultFinalizeBlock.TxResults
	b := Block{Height: e.Block.Height, Time: e.Block.Time, Events: e.ResultFinalizeBlock.Events}
	for _, r := range results {
		b.Events = append(b.Events, r.Events...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.Height <= h.last.Height {
		return
	}
	b.Missed = h.gap || b.Height != h.last.Height+1
	h.last, h.gap = b, false
	for s := range h.subs {
		s.put(b)
	}
	if len(h.watches) == 0 {
		return
	}
	in := map[[32]byte]int{}
	for i, tx := range e.Block.Txs {
		if i < len(results) {
			in[sha256.Sum256(tx)] = i
		}
	}
	for w := range h.watches {
		if i, ok := in[w.hash]; ok {
			select {
			case w.done <- committed{b.Height, *results[i]}:
			default:
			}
		} else if w.past++; w.past%lateBlocks == 0 {
			tell(w.late)
		}
	}
}
