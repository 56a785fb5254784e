package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lodenet/lode/indexer"
)

const (
	// remembered is how many blocks are kept to be told again; of one that was not
	// remembered a reader is told that it missed blocks.
	remembered = 1024
	// waiting is how many blocks wait for a reader before it is cut off.
	waiting = 64
	// eventTime is what a reader has to take an event from the connection.
	eventTime = 10 * time.Second
	// alive is how often a silent stream shows that it lives.
	alive = 15 * time.Second
)

// streamBlock is the data of an event.
type streamBlock struct {
	at
	Transactions *int     `json:"transactions"` // null: not known
	Epochs       []uint32 `json:"epochs"`       // subnets whose epoch ran
	Missed       bool     `json:"missed"`       // there were blocks before it that were not told
}

// stream hands new blocks to its readers.
type stream struct {
	mu      sync.Mutex
	most    int
	readers map[*reader]bool
	past    []streamBlock // the last ones, without gaps
	closed  bool
}

// reader is one connection.
type reader struct {
	blocks chan streamBlock // closed: it was too slow, or the server ends
}

func newStream(most int) *stream { return &stream{most: most, readers: map[*reader]bool{}} }

// tell hands a block to all. It waits for nobody.
func (s *stream) tell(b streamBlock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.past); n > 0 && b.Height <= s.past[n-1].Height && !b.Missed {
		return
	}
	if b.Missed {
		s.past = nil
	}
	s.past = append(s.past, b)
	if len(s.past) > 2*remembered { // not with each block
		s.past = append([]streamBlock(nil), s.past[len(s.past)-remembered:]...)
	}
	for r := range s.readers {
		select {
		case r.blocks <- b:
		default:
			delete(s.readers, r)
			close(r.blocks)
		}
	}
}

// join adds a reader who has seen a height, 0: nothing. What it missed comes with it.
func (s *stream) join(seen int64) (*reader, []streamBlock, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.readers) >= s.most {
		return nil, nil, false
	}
	r := &reader{blocks: make(chan streamBlock, waiting)}
	s.readers[r] = true
	return r, s.since(seen), true
}

// since is what came after a height; s.mu is held.
func (s *stream) since(seen int64) []streamBlock {
	if len(s.past) == 0 {
		return nil
	}
	past := s.past[max(0, len(s.past)-remembered):]
	first, last := past[0].Height, past[len(past)-1]
	switch {
	case seen <= 0 || seen > last.Height:
		// It is new, or has seen another chain: the latest is where it begins.
		last.Missed = true
		return []streamBlock{last}
	case seen < first-1:
		all := append([]streamBlock(nil), past...)
		all[0].Missed = true
		return all
	}
	for i, b := range past {
		if b.Height > seen {
			return append([]streamBlock(nil), past[i:]...)
		}
	}
	return nil
}

func (s *stream) leave(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers[r] {
		delete(s.readers, r)
		close(r.blocks)
	}
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for r := range s.readers {
		delete(s.readers, r)
		close(r.blocks)
	}
}

// serveStream answers /v1/stream.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	seen, err := lastSeen(r)
	if err != nil {
		writeFailure(w, failureOf(err))
		return
	}
	events := func() {
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // proxies hand events on as they come
	}
	if r.Method == http.MethodHead { // it would wait for what never comes
		events()
		return
	}
	reader, past, ok := s.stream.join(seen)
	if !ok {
		writeFailure(w, tooMany("streams"))
		return
	}
	defer s.stream.leave(reader)
	events()
	out := http.NewResponseController(w)
	write := func(text string) bool {
		// Recorders of tests know no deadlines.
		_ = out.SetWriteDeadline(time.Now().Add(eventTime))
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !write("retry: 1000\n\n") {
		return
	}
	for _, b := range past {
		if !write(event(b)) {
			return
		}
	}
	tick := time.NewTicker(alive)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case b, ok := <-reader.blocks:
			if !ok || !write(event(b)) {
				return
			}
		case <-tick.C:
			if !write(": alive\n\n") {
				return
			}
		}
	}
}

// lastSeen is the height that a reader saw last, 0: none.
func lastSeen(r *http.Request) (int64, error) {
	a, err := newAsk(r, []string{"after"})
	if err != nil {
		return 0, err
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		n, err := strconv.ParseUint(id, 10, 63)
		if err != nil || len(id) > 19 {
			return 0, badValue("", "Last-Event-ID %.40q is no height", id)
		}
		return int64(n), nil
	}
	n, _, err := a.optional("after", 0, 1<<62)
	return int64(n), err
}

func event(b streamBlock) string {
	raw, _ := json.Marshal(b) // it has nothing that JSON can't have
	return fmt.Sprintf("id: %d\nevent: block\ndata: %s\n\n", b.Height, raw)
}

// follow hears new blocks until ctx ends.
func (s *Server) follow(ctx context.Context) error {
	for b := range s.client.Blocks(ctx) {
		s.chain.saw(b)
		t := streamBlock{at: newAt(b.Height, b.Time), Epochs: epochsOf(b.Events), Missed: b.Missed}
		if s.hasHistory() == nil {
			t.Transactions = s.awaitIndex(ctx, b.Height)
		}
		s.stream.tell(t)
	}
	return nil
}

const (
	// indexTime is how long a block is held back until the index has it, so that who is
	// told of it finds it in the lists; indexLook is how often the index is looked at. An
	// index that is more than indexNear blocks behind is not waited for: it catches up, or
	// stands still.
	indexTime = 2 * time.Second
	indexLook = 20 * time.Millisecond
	indexNear = 5
)

// awaitIndex waits until the index has a block, but not long, and says how many
// transactions it has; nil: that is not known.
func (s *Server) awaitIndex(ctx context.Context, height int64) *int {
	ctx, cancel := context.WithTimeout(ctx, indexTime)
	defer cancel()
	tick := time.NewTicker(indexLook)
	defer tick.Stop()
	for {
		l, err := s.index.Blocks(ctx, indexer.Page{Limit: 1})
		if err == nil && len(l.Items) > 0 && l.Items[0].Height >= height {
			if l.Items[0].Height == height {
				return &l.Items[0].Transactions
			}
			return nil
		}
		if err != nil || len(l.Items) == 0 || l.Items[0].Height < height-indexNear || s.indexErr.Load() != nil {
			return nil // /v1/status says where it is, and what is wrong with it
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
