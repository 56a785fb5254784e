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
}

// Record returns a block. A node may have dropped it, or not have it yet: then the error
// wraps [ErrNotFound].
func (c *Client) Record(ctx context.Context, height int64) (*Record, error) {
	var r *Record
	err := c.each(ctx, false, func(ctx context.Context, n *node) error {
		b, err := n.rpc.Block(ctx, &height)
		if err != nil {
			return noBlock(height, err)
		}
		if b.Block == nil || b.Block.Height != height {
			return fmt.Errorf("block %d: %w", height, ErrNotFound)
		}
		res, err := n.rpc.BlockResults(ctx, &height)
		if err != nil {
			return noBlock(height, err)
		}
		r = &Record{
			Height: height, Time: b.Block.Time, Hash: b.Block.Hash(), Last: b.Block.LastBlockID.Hash, Proposer: b.Block.ProposerAddress,
			Txs: make([][]byte, len(b.Block.Txs)), Results: res.TxsResults, Events: res.FinalizeBlockEvents,
		}
		for i, tx := range b.Block.Txs {
			r.Txs[i] = tx
		}
		if !bytes.Equal(r.Hash, b.BlockID.Hash) || len(r.Results) != len(r.Txs) {
			return fmt.Errorf("block %d of %s does not fit together", height, n.name)
		}
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
