package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/records"
)

// Record is a block as a node keeps it, with all that came of it.
type Record = records.Record

// errNoResults says that a node does not keep what a record has.
var errNoResults = errors.New("this node can't tell what came of old blocks: name one that can (role full or archive)")

// Record returns a block. A node may have dropped it, or not have it yet: then the error
// wraps [ErrNotFound].
func (c *Client) Record(ctx context.Context, height int64) (*Record, error) {
	list, err := c.Records(ctx, height, height)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Records returns blocks from a height on, not beyond another, in their order: as many as
// the node gives at once. Where it has not the first the error wraps [ErrNotFound]. Of a
// node that is not Lode's own, which can be asked for blocks by CometBFT's RPC alone, it
// takes some hundred times as long.
func (c *Client) Records(ctx context.Context, from, to int64) (out []*Record, err error) {
	err = c.each(ctx, false, func(ctx context.Context, n *node) (err error) {
		out, err = n.records(ctx, from, to)
		if errors.Is(err, errForeignNode) {
			out, err = n.answers(ctx, from, min(to, from+atOnce-1))
		}
		return err
	})
	return out, err
}

// errForeignNode says that a node has no records.
var errForeignNode = errors.New("no node of Lode")

// records asks a node for them.
func (n *node) records(ctx context.Context, from, to int64) ([]*Record, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s%s?from=%d&to=%d", n.url, records.Path, from, to), nil)
	if err != nil {
		return nil, err
	}
	if !n.near {
		req.Header.Set("Accept-Encoding", "zstd")
	}
	resp, err := n.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusGone:
		return nil, fmt.Errorf("%w: %s", errNoResults, text(resp.Body))
	case resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != records.ContentType:
		return nil, errForeignNode
	}
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "zstd" {
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxAnswer), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		body = http.MaxBytesReader(nil, io.NopCloser(z), maxAnswer)
	}
	list, err := records.Read(body)
	for i, r := range list {
		if r.Height != from+int64(i) || r.Height > to {
			for _, r := range list {
				r.Free()
			}
			return nil, fmt.Errorf("%s answers with block %d for %d", n.name, r.Height, from+int64(i))
		}
	}
	switch {
	case len(list) > 0: // what broke off is asked for again
		return list, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("block %d: %w", from, ErrNotFound)
}

// atOnce is how many blocks a node that has no records is asked for at once.
const atOnce = 8

// answers are what a node's RPC says of blocks.
func (n *node) answers(ctx context.Context, from, to int64) ([]*Record, error) {
	out := make([]*Record, to-from+1)
	g, ctx := errgroup.WithContext(ctx)
	for i := range out {
		g.Go(func() (err error) {
			out[i], err = n.answered(ctx, from+int64(i))
			return err
		})
	}
	err := g.Wait()
	return out, err
}

func (n *node) answered(ctx context.Context, height int64) (*Record, error) {
	b, err := n.rpc.Block(ctx, &height)
	if err != nil {
		return nil, noBlock(height, err)
	}
	if b.Block == nil || b.Block.Height != height {
		return nil, fmt.Errorf("block %d: %w", height, ErrNotFound)
	}
	res, err := n.rpc.BlockResults(ctx, &height)
	if err != nil {
		return nil, noBlock(height, err)
	}
	hash := b.Block.Hash()
	if !bytes.Equal(hash, b.BlockID.Hash) || res.Height != height || len(res.TxsResults) != len(b.Block.Txs) {
		return nil, fmt.Errorf("block %d of %s does not fit together", height, n.name)
	}
	r := &Record{Height: height, Time: b.Block.Time, Hash: hash, Last: b.Block.LastBlockID.Hash, Proposer: b.Block.ProposerAddress, Results: res.TxsResults, Events: res.FinalizeBlockEvents}
	for _, tx := range b.Block.Txs {
		r.Txs = append(r.Txs, tx)
	}
	return r, nil
}

// text is what a node says, as far as it is short.
func text(r io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(r, 500))
	if err != nil {
		return "it broke off"
	}
	return strings.TrimSpace(string(b))
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
