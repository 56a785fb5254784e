package indexer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lodenet/lode/client"
)

const (
	// mostBlocks and mostRows bound what one transaction of the database holds. What
	// changes with every block is written once in it: the more blocks, the less work.
	mostBlocks = 4_000
	mostRows   = 200_000
	// mostAge is how long a transaction's blocks are waited for while catching up, where
	// the one before is written by then.
	mostAge = 2 * time.Second
)

// Run indexes a chain until ctx ends, or fails. What was written stays: another Run goes
// on from there. A source that can't be reached is waited for.
func (s *Store) Run(ctx context.Context, src Source) error {
	st, err := s.load(ctx)
	if err != nil {
		return err
	}
	if err := st.identify(ctx, s, src); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := s.newWriter(ctx, cancel)
	err = st.follow(ctx, s, w, src)
	cancel()
	if failed := w.close(); failed != nil {
		return failed
	}
	return err
}

// Trouble is why [Store.Run], which goes on trying, gets no further: the node that is
// there does not give it the next block. nil: there is none.
func (s *Store) Trouble() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *Store) setTrouble(err error) {
	if err == nil {
		s.trouble.Store(nil)
		return
	}
	s.trouble.Store(&err)
}

// nextHeight is that of the block to read.
func (s *state) nextHeight() int64 {
	if s.height == 0 {
		return s.firstHeight
	}
	return s.height + 1
}

// identify makes sure that source and database are of one chain; where nothing is indexed
// it reads the genesis.
func (s *state) identify(ctx context.Context, store *Store, src Source) error {
	id, err := retry(ctx, func() (string, error) { return src.ChainID(ctx) })
	if err != nil {
		return err
	}
	if s.chainID == "" {
		doc, err := src.Genesis(ctx)
		if err != nil {
			return err
		}
		if doc.ChainID != id {
			return fmt.Errorf("%w: the genesis is of %q, the node of %q", ErrForeign, doc.ChainID, id)
		}
		return s.begin(store.codec, doc)
	}
	anew := fmt.Sprintf("index %s; nothing was changed: name the right node, or index anew elsewhere", store.name)
	if s.chainID != id {
		return fmt.Errorf("%w: it is of %q, the node of %q (%s)", ErrForeign, s.chainID, id, anew)
	}
	for _, known := range []struct {
		height int64
		hash   []byte
	}{{s.firstHeight, s.firstHash}, {s.height, s.hash}} {
		r, err := s.known(ctx, src, known.height, store.setTrouble)
		if err != nil {
			return err
		}
		if r != nil && !bytes.Equal(r.Hash, known.hash) {
			return fmt.Errorf("%w: its block %d is %X, the node's %X: the chain was begun anew under the same name (%s)", ErrForeign, known.height, known.hash, r.Hash, anew)
		}
	}
	return nil
}

// known is a block that was indexed, as the source has it; nil where that has dropped it.
// A node that has yet to come so far is waited for.
func (s *state) known(ctx context.Context, src Source, height int64, trouble func(error)) (*client.Record, error) {
	if _, err := reach(ctx, src, height); errors.Is(err, errPruned) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	list, err := blocks(ctx, src, height, height, trouble)
	if errors.Is(err, errPruned) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return list[0], nil
}

// follow reads blocks, and hands them to the writer: a block at a time at the end of the
// chain, thousands while catching up, when they are read while those before are written.
func (s *state) follow(ctx context.Context, store *Store, w *writer, src Source) error {
	d := &decoder{store.codec}
	var begun time.Time // reading what is not written yet
	for f := range fetch(ctx, src, s.nextHeight(), store.setTrouble) {
		if f.err != nil {
			return f.err
		}
		for i, r := range f.records {
			if s.batch.first == 0 {
				s.batch.first, begun = r.Height, time.Now()
			}
			if err := s.apply(d, r); err != nil {
				return err
			}
			src.Done(r)
			full := s.height-s.batch.first+1 >= store.most || s.batch.size+len(s.dirtyPositions)+len(s.dirtyPools) >= mostRows
			more := f.more || i < len(f.records)-1
			if more && !full && (time.Since(begun) < mostAge || w.busy()) {
				continue
			}
			b, err := s.flush()
			if err != nil {
				return err
			}
			if err := w.write(ctx, b); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// writer commits batches beside the reading of the next.
type writer struct {
	in     chan *batch
	done   chan struct{}
	idle   chan struct{} // holds one while there is nothing to write
	err    error         // after done
	cancel context.CancelFunc
}

func (s *Store) newWriter(ctx context.Context, cancel context.CancelFunc) *writer {
	w := &writer{in: make(chan *batch), done: make(chan struct{}), idle: make(chan struct{}, 1), cancel: cancel}
	w.idle <- struct{}{}
	go func() {
		defer close(w.done)
		for b := range w.in {
			// What was begun is finished, if that is soon.
			ctx, stop := afterwards(ctx)
			err := s.commit(ctx, b)
			stop()
			if err != nil {
				w.err = fmt.Errorf("index %s: blocks %d to %d can't be written: %w", s.name, b.first, b.last, err)
				w.cancel()
				return
			}
			w.idle <- struct{}{}
		}
	}()
	return w
}

// lastWrite is how long a write under way may take once Run is to end.
const lastWrite = 5 * time.Second

// afterwards is a context that ends a while after another.
func afterwards(ctx context.Context) (context.Context, func()) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(lastWrite, cancel)
		context.AfterFunc(out, func() { t.Stop() })
	})
	return out, func() {
		stop()
		cancel()
	}
}

// busy says that it is not done with what it was given.
func (w *writer) busy() bool { return len(w.idle) == 0 }

// write hands a batch over, once the one before is written.
func (w *writer) write(ctx context.Context, b *batch) error {
	select {
	case <-w.idle:
	case <-w.done:
		return w.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case w.in <- b:
		return nil
	case <-w.done:
		return w.failed()
	}
}

func (w *writer) failed() error {
	if w.err != nil {
		return w.err
	}
	return errors.New("indexer: the writer has ended")
}

// close ends it when what it was given is written.
func (w *writer) close() error {
	close(w.in)
	<-w.done
	return w.err
}
