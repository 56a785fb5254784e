package keeper

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/weights/types"
)

// RevealWeights opens a commit of the hotkey that made it. Where it fails the
// commit stays until it expires, and the error says why.
func (k msgServer) RevealWeights(ctx context.Context, m *types.MsgRevealWeights) (*types.MsgRevealWeightsResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.validator(ctx, m.Netuid, m.Hotkey)
	if err != nil {
		return nil, err
	}
	state, err := k.started(ctx, s.Id, s.Netuid)
	if err != nil {
		return nil, err
	}
	if err := k.useLimit(ctx, n, revealLimit); err != nil {
		return nil, err
	}
	open, err := k.openCommits(ctx, n)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.ac.StringToBytes(m.Hotkey)
	if err != nil {
		return nil, err
	}
	chainID := sdk.UnwrapSDKContext(ctx).ChainID()
	hash := types.WeightsHash(chainID, uint16(m.Netuid), hotkey, m.Version, narrow(m.Uids), narrow(m.Values), m.Salt)
	at := slices.IndexFunc(open, func(c types.Commit) bool { return bytes.Equal(c.Hash, hash[:]) })
	switch {
	case len(open) == 0:
		return nil, noCommits(n, s.Netuid)
	case at < 0:
		return nil, types.ErrNoCommit.Wrapf("what is revealed hashes to %x; open are %s: uids, values, their order, version and salt must be those of the commit", hash, hashes(open))
	case open[at].RevealEpoch != state.Number+1:
		return nil, tooEarly(open[at], state) // a later one has expired and is not open
	}
	commit := open[at]
	if err := checkRow(s, n.Uid, m.Version, m.Uids, m.Values); err != nil {
		return nil, err
	}
	row, ok, err := found(k.rows.Get(ctx, collections.Join(s.Id, n.Uid)))
	if err != nil {
		return nil, err
	}
	if ok && row.Height >= commit.Height {
		return nil, types.ErrNewerRow.Wrapf("the row in force is of block %d, this commit of block %d: a reveal replaces only a row of an older commit", row.Height, commit.Height)
	}
	if err := k.setCommits(ctx, n, slices.Delete(open, at, at+1)); err != nil {
		return nil, err
	}
	if err := k.putRow(ctx, s, n, m.Uids, m.Values, commit.Height, true); err != nil {
		return nil, err
	}
	return &types.MsgRevealWeightsResponse{}, nil
}

// narrow are numbers that ValidateBasic found to be u16.
func narrow(in []uint32) []uint16 {
	out := make([]uint16, len(in))
	for i, v := range in {
		out[i] = uint16(v)
	}
	return out
}

func hashes(open []types.Commit) string {
	out := make([]string, len(open))
	for i, c := range open {
		out[i] = hex.EncodeToString(c.Hash)
	}
	return strings.Join(out, ", ")
}
