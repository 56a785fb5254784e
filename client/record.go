package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/codec"
)

// Record is a block as a node keeps it, with all that came of it.
type Record struct {
	Height   int64
	Time     time.Time
	Hash     []byte // 32 bytes
	Last     []byte // hash of the block before; empty for the first
	Proposer []byte // consensus address
	Txs      [][]byte
	Results  []*abci.ExecTxResult // of Txs
	Events   []abci.Event         // of the block's beginning and end, in their order

	memory *memory
}

// Free lets the memory of Events and Results hold another block: nothing of them may be
// used any more, no string either. Nobody has to; who reads many blocks spares the
// collector of garbage a megabyte a block.
func (r *Record) Free() {
	if r.memory != nil {
		r.memory.free()
		r.memory, r.Events, r.Results = nil, nil, nil
	}
}

// Record returns a block. A node may have dropped it, or not have it yet: then the error
// wraps [ErrNotFound].
func (c *Client) Record(ctx context.Context, height int64) (*Record, error) {
	var r *Record
	err := c.each(ctx, false, func(ctx context.Context, n *node) error {
		m := memories.Get().(*memory)
		one, hash, told := &Record{memory: m}, []byte(nil), int64(0)
		if err := n.ask(ctx, m, blocks, height, func(s *scan) { hash = s.block(one) }); err != nil {
			return noBlock(height, err)
		}
		if one.Height != height {
			return fmt.Errorf("block %d: %w", height, ErrNotFound)
		}
		if err := n.ask(ctx, m, results, height, func(s *scan) { told = s.results(one, m) }); err != nil {
			return noBlock(height, err)
		}
		if !bytes.Equal(one.Hash, hash) || told != height || len(one.Results) != len(one.Txs) {
			return fmt.Errorf("block %d of %s does not fit together", height, n.name)
		}
		r = one
		return nil
	})
	return r, err
}

// noBlock makes what a node says of a block that it has not an ErrNotFound.
func noBlock(height int64, err error) error {
	var rpcErr *rpctypes.RPCError
	if errors.As(err, &rpcErr) {
		return fmt.Errorf("block %d: %w: %s", height, ErrNotFound, rpcErr.Data)
	}
	return err
}

// Kept returns the first and the last block that the node in use has.
func (c *Client) Kept(ctx context.Context) (first, last int64, err error) {
	err = c.each(ctx, false, func(ctx context.Context, n *node) error {
		s, err := n.rpc.Status(ctx)
		if err == nil {
			first, last = s.SyncInfo.EarliestBlockHeight, s.SyncInfo.LatestBlockHeight
		}
		return err
	})
	return first, last, err
}

// Genesis returns the chain's genesis.
func (c *Client) Genesis(ctx context.Context) (*cmttypes.GenesisDoc, error) {
	var doc *cmttypes.GenesisDoc
	err := c.each(ctx, false, func(ctx context.Context, n *node) error {
		var raw []byte
		for chunk, total := uint(0), 1; chunk < uint(total); chunk++ {
			part, err := n.rpc.GenesisChunked(ctx, chunk)
			if err != nil {
				return err
			}
			data, err := base64.StdEncoding.DecodeString(part.Data)
			if err != nil {
				return fmt.Errorf("genesis of %s: %w", n.name, err)
			}
			if total = part.TotalChunks; total > maxAnswer>>20 {
				return fmt.Errorf("genesis of %s: %d parts are too many", n.name, total)
			}
			raw = append(raw, data...)
		}
		doc = &cmttypes.GenesisDoc{}
		if err := cmtjson.Unmarshal(raw, doc); err != nil {
			return fmt.Errorf("genesis of %s can't be read: %w", n.name, err)
		}
		if !json.Valid(doc.AppState) {
			return fmt.Errorf("genesis of %s has no state", n.name)
		}
		return nil
	})
	return doc, err
}

// Codec returns a codec that knows the messages of every module of the chain.
func Codec() (codec.Codec, error) { return newCodec() }
