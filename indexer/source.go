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
	// Block is one of them; others are client.ErrNotFound. It is called for several
	// blocks at once.
	Block(ctx context.Context, height int64) (*client.Record, error)
	// Done takes a block back that was read: nothing of its events and results is used
	// any more.
	Done(*client.Record)
	// Wait returns when there is a block of a height.
	Wait(ctx context.Context, height int64) error
}

// Node is the source that a client's node is.
func Node(c *client.Client) Source { return node{c} }

type node struct{ *client.Client }

func (n node) Block(ctx context.Context, height int64) (*client.Record, error) {
	return n.Record(ctx, height)
}

func (n node) Done(r *client.Record) { r.Free() }

// Wait follows the chain's blocks, so that it also ends soon where the node was away.
func (n node) Wait(ctx context.Context, height int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for b := range n.Blocks(ctx) {
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
	// ahead is how many blocks are fetched at once while there are old ones to read.
	ahead = 16
	// fetchPause is how long a source that fails is left alone, at first and at most.
	fetchPause    = 100 * time.Millisecond
	fetchPauseMax = 5 * time.Second
)

// fetched is a block on its way to the writer.
type fetched struct {
	record *client.Record
	more   bool // the source has the next one too
	err    error
}

// fetch brings blocks in their order from a height on, several at once. A source that
// can't be reached is asked again, until ctx ends; what it answers is final.
func fetch(ctx context.Context, src Source, from int64) <-chan chan fetched {
	queue := make(chan chan fetched, ahead)
	go func() {
		defer close(queue)
		for height, last := from, int64(0); ; height++ {
			if height > last {
				var err error
				if last, err = reach(ctx, src, height); err != nil {
					one := make(chan fetched, 1)
					one <- fetched{err: err}
					select {
					case queue <- one:
					case <-ctx.Done():
					}
					return
				}
			}
			one := make(chan fetched, 1)
			select {
			case queue <- one:
			case <-ctx.Done():
				return
			}
			go func() {
				r, err := retry(ctx, func() (*client.Record, error) { return block(ctx, src, height) })
				one <- fetched{r, height < last, err}
			}()
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

// block is one that the source has told of; it may have dropped it since.
func block(ctx context.Context, src Source, height int64) (*client.Record, error) {
	r, err := src.Block(ctx, height)
	if !errors.Is(err, client.ErrNotFound) {
		return r, err
	}
	if first, _, asked := src.Kept(ctx); asked == nil && first > height {
		return nil, pruned(height, first)
	}
	return r, err
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
