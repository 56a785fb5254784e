package client

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// SendRaw sends a transaction that was signed elsewhere and waits until it is in a
// block. Sending the same again is harmless: what is in a block already is found there.
// It is not signed anew and not told to nodes a second time; an error that wraps
// [ErrTxUnknown] says that it may be committed yet. The result has no fee: the
// transaction says it.
func (c *Client) SendRaw(ctx context.Context, raw []byte) (*TxResult, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TxTimeout)
	defer cancel()
	if _, err := c.fresh(ctx); err != nil {
		return nil, err
	}
	o := &outgoing{d: &draft{}, raw: raw, hash: fmt.Sprintf("%X", sha256.Sum256(raw)), watch: c.hub.watch(raw)}
	defer c.hub.unwatch(o.watch)
	if done, found, _, err := c.lookUp(ctx, o); err == nil && found {
		return c.finish(o, done)
	}
	refused, err := c.broadcast(ctx, o)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil && !o.doubt.Load():
		return nil, err
	}
	o.doubt.Store(true) // nobody can sign it anew here
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case done := <-o.watch.done:
			return c.finish(o, done)
		case <-o.watch.look:
		case <-o.watch.late:
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s was sent: %w", ErrTxUnknown, o.hash, ctx.Err())
		}
		if done, found, _, err := c.lookUp(ctx, o); err == nil && found {
			return c.finish(o, done)
		}
	}
}
