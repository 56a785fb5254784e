package client

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
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

// SimulateRaw runs a transaction that was made elsewhere on a node, without sending it,
// and returns the gas that it used. Its signatures may be empty. One that would fail is
// a [*TxError].
func (c *Client) SimulateRaw(ctx context.Context, raw []byte) (gas uint64, err error) {
	res, err := c.abciQuery(ctx, "/app/simulate", raw, 0)
	var q *QueryError
	if errors.As(err, &q) {
		return 0, c.refusal(&draft{}, &TxError{Codespace: q.Codespace, Code: q.Code, Log: q.Log})
	}
	if err != nil {
		return 0, err
	}
	var sim struct {
		GasInfo struct {
			GasUsed uint64 `json:"gas_used,string"`
		} `json:"gas_info"`
	}
	if err := json.Unmarshal(res.Response.Value, &sim); err != nil {
		return 0, fmt.Errorf("the node's estimate of gas can't be read: %w", err)
	}
	return sim.GasInfo.GasUsed, nil
}
