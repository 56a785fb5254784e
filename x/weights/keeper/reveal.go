package keeper

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"

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
	at, hash, err := k.opened(ctx, m, open)
	if err != nil {
		return nil, err
	}
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
	row, ok, err := k.Row(ctx, s.Id, n.Uid)
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

// opened finds the commit that a reveal opens, -1 if none, and what the reveal
// hashes to. A commit keeps the hotkey that made it, also where a swap has put
// another key in its place since: that key is in its hash.
func (k Keeper) opened(ctx context.Context, m *types.MsgRevealWeights, open []types.Commit) (at int, hash [types.HashSize]byte, err error) {
	chainID, uids, values := sdk.UnwrapSDKContext(ctx).ChainID(), narrow(m.Uids), narrow(m.Values)
	hashFor := func(hotkey string) ([types.HashSize]byte, error) {
		addr, err := k.ac.StringToBytes(hotkey)
		return types.WeightsHash(chainID, uint16(m.Netuid), addr, m.Version, uids, values, m.Salt), err
	}
	for i := len(open) - 1; i >= 0; i-- { // commits by one key are together, those by the present one last
		if i == len(open)-1 || open[i].Hotkey != open[i+1].Hotkey {
			if hash, err = hashFor(open[i].Hotkey); err != nil {
				return -1, hash, err
			}
		}
		if bytes.Equal(open[i].Hash, hash[:]) {
			return i, hash, nil
		}
	}
	hash, err = hashFor(m.Hotkey)
	return -1, hash, err
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
