package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"

	seedtypes "github.com/lodenet/lode/x/seed/types"
)

// ErrBadSeed says that a seed is not what its block makes it.
var ErrBadSeed = errors.New("the seed does not verify")

// Seed asks about blocks' seeds and the keys that prove them.
func (c *Client) Seed() seedtypes.QueryClient { return seedtypes.NewQueryClient(c) }

// VerifiedSeed is a past seed that was recomputed from its block.
type VerifiedSeed struct {
	Seed      seedtypes.Seed
	Beta      []byte // the proof's output; 32 zero bytes where the block proved nothing
	ChainID   string
	BlockHash []byte
	// Unproved says why the block counts as one that proved nothing; empty where it
	// proved, and where its proposer had no key to prove with.
	Unproved string
	// Anchor is what the seed before was compared with.
	Anchor SeedAnchor
}

// SeedAnchor is what a seed's predecessor was compared with.
type SeedAnchor string

// Anchors.
const (
	AnchorBlock   SeedAnchor = "block"   // the record of the block before
	AnchorGenesis SeedAnchor = "genesis" // the seed that chains begin with by themselves
	AnchorNone    SeedAnchor = "none"    // nothing: it is no longer kept, or genesis' own
)

// VerifySeed fetches a past block and the seed that the chain has for it, and
// recomputes the seed from the block: that the block is whole and has the hash that
// it is named by, that the proof it begins with is the proposer's over chain id,
// height and the seed before, and that the seed follows. [ErrBadSeed] says that one
// of these is not so.
//
// What it takes from the node: that the block with this hash was decided, the seed
// before, and which VRF key was the proposer's.
func (c *Client) VerifySeed(ctx context.Context, height int64) (v VerifiedSeed, err error) {
	if v.ChainID, err = c.ChainID(ctx); err != nil {
		return v, err
	}
	got, err := c.Seed().Seed(ctx, &seedtypes.QuerySeedRequest{Height: height})
	if err != nil {
		return v, err
	}
	v.Seed, v.Beta = got.Seed, got.Beta
	block, err := c.wholeBlock(ctx, height)
	if err != nil {
		return v, err
	}
	v.BlockHash = block.Hash()
	bad := func(format string, args ...any) (VerifiedSeed, error) {
		return v, fmt.Errorf("%w: block %d: %s", ErrBadSeed, height, fmt.Sprintf(format, args...))
	}
	switch {
	case v.Seed.Height != height:
		return bad("the node answers with the seed of block %d", v.Seed.Height)
	case block.ChainID != v.ChainID:
		return bad("the block is of the chain %q, not of %q", block.ChainID, v.ChainID)
	case !bytes.Equal(block.ProposerAddress, v.Seed.Proposer):
		return bad("its proposer is %X, the node says %X", []byte(block.ProposerAddress), v.Seed.Proposer)
	}
	recomputed := v.Seed
	txs := make([][]byte, len(block.Txs))
	for i, tx := range block.Txs {
		txs[i] = tx
	}
	if wrong := recomputed.Judge(v.ChainID, txs); wrong != nil {
		v.Unproved = wrong.Error()
	}
	beta, err := recomputed.Beta()
	switch {
	case err != nil:
		return v, err
	case !bytes.Equal(recomputed.Proof, v.Seed.Proof):
		return bad("by its first transaction the proof is %x, the node says %x", recomputed.Proof, v.Seed.Proof)
	case !bytes.Equal(recomputed.Seed, v.Seed.Seed):
		return bad("by its proof the seed is %x, the node says %x", recomputed.Seed, v.Seed.Seed)
	case !bytes.Equal(beta, v.Beta):
		return bad("by its proof β is %x, the node says %x", beta, v.Beta)
	}
	v.Anchor, err = c.anchor(ctx, v)
	return v, err
}

// anchor compares the seed before with what else is known of it.
func (c *Client) anchor(ctx context.Context, v VerifiedSeed) (SeedAnchor, error) {
	before, err := c.Seed().Seed(ctx, &seedtypes.QuerySeedRequest{Height: v.Seed.Height - 1})
	switch {
	case err == nil && !bytes.Equal(before.Seed.Seed, v.Seed.Previous):
		return "", fmt.Errorf("%w: block %d follows the seed %x, block %d has %x", ErrBadSeed, v.Seed.Height, v.Seed.Previous, v.Seed.Height-1, before.Seed.Seed)
	case err == nil:
		return AnchorBlock, nil
	case !isQueryError(err):
		return "", err
	case bytes.Equal(v.Seed.Previous, seedtypes.GenesisSeed(v.ChainID)):
		return AnchorGenesis, nil
	}
	return AnchorNone, nil
}

// wholeBlock fetches a block, and checks that its parts are those that its header
// says, and its header the one that it is named by.
func (c *Client) wholeBlock(ctx context.Context, height int64) (*cmttypes.Block, error) {
	var got *ctypes.ResultBlock
	err := c.each(ctx, true, func(ctx context.Context, n *node) (err error) {
		got, err = n.rpc.Block(ctx, &height)
		var rpcErr *rpctypes.RPCError
		if errors.As(err, &rpcErr) {
			err = fmt.Errorf("block %d: %w: %s", height, ErrNotFound, rpcErr.Data)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case got.Block == nil:
		return nil, fmt.Errorf("block %d: %w", height, ErrNotFound)
	}
	block := got.Block
	if err := block.ValidateBasic(); err != nil {
		return nil, fmt.Errorf("%w: block %d is not whole: %w", ErrBadSeed, height, err)
	}
	if len(block.Hash()) == 0 {
		return nil, fmt.Errorf("%w: block %d has no hash, since its header names no validators: it could be anything", ErrBadSeed, height)
	}
	if !bytes.Equal(block.Hash(), got.BlockID.Hash) || block.Height != height {
		return nil, fmt.Errorf("%w: the node names block %d by the hash %X, it gives block %d with %X", ErrBadSeed, height, []byte(got.BlockID.Hash), block.Height, []byte(block.Hash()))
	}
	return block, nil
}
