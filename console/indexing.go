package console

import (
	"context"
	"errors"
	"time"

	"github.com/lodenet/lode/indexer"
)

const (
	// indexPause is how long the server waits before it lets the index try again.
	indexPause = 2 * time.Second
	// indexWell is after how long an index that runs is well.
	indexWell = 5 * time.Second
	// indexIdle is after how long an index that another process wrote, and that has not
	// moved since, is taken over.
	indexIdle = 15 * time.Second
)

// keepIndex keeps the index up to date until ctx ends. What a retry can't cure is shown,
// and left to people: a database of another chain is not touched.
func (s *Server) keepIndex(ctx context.Context) error {
	for {
		// What runs for a while has got over what it failed of before.
		well := time.AfterFunc(indexWell, func() { s.indexErr.Store(nil) })
		err := s.cfg.Indexing(ctx)
		well.Stop()
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = errors.New("it ended")
		}
		if errors.Is(err, indexer.ErrBusy) {
			s.readIndex(ctx)
			continue
		}
		why := err.Error()
		if before := s.indexErr.Swap(&why); before == nil || *before != why {
			s.log.Error("the index stands still", "err", err)
		}
		if errors.Is(err, indexer.ErrForeign) {
			s.foreign.Store(true)
		}
		if errors.Is(err, indexer.ErrForeign) || errors.Is(err, indexer.ErrMalformed) {
			<-ctx.Done()
			return nil
		}
		again := time.NewTimer(indexPause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil
		}
	}
}

// readIndex leaves the index to another process, which keeps it up to date, for as long as
// that does: an attempt to write reads all of the chain's state from it first.
func (s *Server) readIndex(ctx context.Context) {
	tick := time.NewTicker(indexIdle)
	defer tick.Stop()
	for height := int64(-1); ; {
		st, err := s.index.Status(ctx)
		if err != nil && !errors.Is(err, indexer.ErrEmpty) || st.Height == height {
			return
		}
		height = st.Height
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// indexStatus adds where the index is.
func (s *Server) indexStatus(ctx context.Context, v *statusJSON) error {
	if s.index == nil {
		return nil
	}
	none := int64(0)
	v.IndexedHeight, v.IndexError = &none, s.indexErr.Load()
	if trouble := s.index.Trouble(); trouble != nil && v.IndexError == nil {
		why := trouble.Error()
		v.IndexError = &why
	}
	asking, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	st, err := s.index.Status(asking)
	switch {
	case errors.Is(err, indexer.ErrEmpty):
		return nil
	case err != nil:
		why := err.Error()
		v.IndexError = &why
		return nil
	}
	t := rfc3339(st.Time)
	v.IndexedHeight, v.IndexedTime = &st.Height, &t
	if v.Height == 0 { // the node has said nothing yet
		age := max(0, time.Since(st.Time).Seconds())
		v.Height, v.Time, v.ChainID, v.Local, v.AgeSeconds = st.Height, &t, st.ChainID, isLocal(st.ChainID), &age
	}
	return nil
}
