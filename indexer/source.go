package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/lodenet/lode/client"
)

// Source is where blocks come from.
type Source interface {
	// ChainID is that of the chain.
	ChainID(ctx context.Context) (string, error)
	// Genesis is what it began with.
	Genesis(ctx context.Context) (*cmttypes.GenesisDoc, error)
	// Kept are the first and the last block that it has now.
	Kept(ctx context.Context) (first, last int64, err error)
	// Blocks are those from a height on, not beyond another, in their order: as many as
	// it likes to give at once. Where it has not the first the error is client.ErrNotFound.
	Blocks(ctx context.Context, from, to int64) ([]*client.Record, error)
	// Done takes a block back that was read: nothing of its events and results is used
	// any more.
	Done(*client.Record)
	// Wait returns when there is a block of a height.
	Wait(ctx context.Context, height int64) error
}

// Node is the source that a client's node is.
func Node(c *client.Client) Source { return node{c} }

type node struct{ *client.Client }

func (n node) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	return n.Records(ctx, from, to)
}

func (n node) Done(r *client.Record) { r.Free() }

// Wait follows the chain's blocks, so that it also ends soon where the node was away.
func (n node) Wait(ctx context.Context, height int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for b := range n.Client.Blocks(ctx) {
		if b.Height >= height {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("indexer: the client was closed")
}

const (
	// ahead is how many answers of the source wait to be read, besides one that is on its way.
	ahead = 2
	// fetchPause is how long a source that fails is left alone, at first and at most.
	fetchPause    = 100 * time.Millisecond
	fetchPauseMax = 5 * time.Second
)

// fetched are blocks on their way to the writer.
type fetched struct {
	records []*client.Record
	more    bool // the source has the next one too
	err     error
}

// fetch brings blocks in their order from a height on. A source that can't be reached is
// asked again, until ctx ends; what it answers is final.
func fetch(ctx context.Context, src Source, from int64, trouble func(error)) <-chan fetched {
	queue := make(chan fetched, ahead)
	go func() {
		defer close(queue)
		for height, last := from, int64(0); ; {
			var f fetched
			if height > last {
				last, f.err = reach(ctx, src, height)
			}
			if f.err == nil {
				f.records, f.err = blocks(ctx, src, height, last, trouble)
				height += int64(len(f.records))
				f.more = height <= last
			}
			select {
			case queue <- f:
			case <-ctx.Done():
				return
			}
			if f.err != nil {
				return
			}
		}
	}()
	return queue
}

// reach waits for a height, and returns the last block that there is.
func reach(ctx context.Context, src Source, height int64) (int64, error) {
	return retry(ctx, func() (int64, error) {
		first, last, err := src.Kept(ctx)
		if err != nil {
			return 0, err
		}
		if first > height {
			return 0, pruned(height, first)
		}
		if last >= height {
			return last, nil
		}
		return height, src.Wait(ctx, height)
	})
}

// errPruned is a block that no source has any more.
var errPruned = errors.New("the node has dropped it")

func pruned(height, first int64) error {
	return fmt.Errorf("indexer: %w: block %d is the next to index, and the node keeps blocks from %d on: take a node that keeps all, min-retain-blocks = 0", errPruned, height, first)
}

// patience is how long a source that has told of a block may fail to give it before that
// is said.
const patience = 2 * time.Second

// blocks are some that the source has told of; it may have dropped them since. What a
// source that is there does not give is told as trouble meanwhile.
func blocks(ctx context.Context, src Source, from, to int64, trouble func(error)) ([]*client.Record, error) {
	defer trouble(nil)
	began := time.Now()
	return retry(ctx, func() ([]*client.Record, error) {
		list, err := src.Blocks(ctx, from, to)
		if err == nil || ctx.Err() != nil {
			return list, err
		}
		first, _, away := src.Kept(ctx)
		switch {
		case away != nil: // the node's own state says so
			trouble(nil)
		case errors.Is(err, client.ErrNotFound) && first > from:
			return nil, pruned(from, first)
		case time.Since(began) >= patience:
			trouble(fmt.Errorf("the node does not give block %d: %w", from, err))
		}
		return nil, err
	})
}

// retry asks again while a source can't be reached.
func retry[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for pause := fetchPause; ; pause = min(2*pause, fetchPauseMax) {
		v, err := ask()
		// A node that has told of a block has it a moment later.
		if err == nil || ctx.Err() != nil || !errors.Is(err, client.ErrUnavailable) && !errors.Is(err, client.ErrBehind) && !errors.Is(err, client.ErrNotFound) {
			return v, err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return v, ctx.Err()
		}
	}
}
