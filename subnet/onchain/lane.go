package onchain

import (
	"context"

	"github.com/lodenet/lode/subnet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// Serve publishes what the hotkey serves, and where.
func (c *chain) Serve(ctx context.Context, netuid uint16, s subnet.Serving) error {
	_, err := c.c.SendFree(ctx, c.hotkey, &subnetstypes.MsgServe{
		Hotkey: c.hotkey.Address(), Netuid: uint32(netuid),
		Endpoints: s.Endpoints, Protocol: s.Protocol, ProtocolVersion: s.Version,
	})
	return mapped(err)
}

// SetWeights sets a row at once, where commit–reveal is off.
func (c *chain) SetWeights(ctx context.Context, netuid uint16, w subnet.Weights) error {
	_, err := c.c.SendFree(ctx, c.hotkey, &weightstypes.MsgSetWeights{
		Hotkey: c.hotkey.Address(), Netuid: uint32(netuid), Uids: widen(w.UIDs), Values: widen(w.Values), Version: w.Version,
	})
	return mapped(err)
}

// CommitWeights commits to the hash of a row.
func (c *chain) CommitWeights(ctx context.Context, netuid uint16, hash [32]byte) error {
	_, err := c.c.SendFree(ctx, c.hotkey, &weightstypes.MsgCommitWeights{
		Hotkey: c.hotkey.Address(), Netuid: uint32(netuid), Hash: hash[:],
	})
	return mapped(err)
}

// RevealWeights opens a commit.
func (c *chain) RevealWeights(ctx context.Context, netuid uint16, w subnet.Weights, salt [32]byte) error {
	_, err := c.c.SendFree(ctx, c.hotkey, &weightstypes.MsgRevealWeights{
		Hotkey: c.hotkey.Address(), Netuid: uint32(netuid), Uids: widen(w.UIDs), Values: widen(w.Values), Salt: salt[:], Version: w.Version,
	})
	return mapped(err)
}

// widen are u16 as the wire has them.
func widen(in []uint16) []uint32 {
	out := make([]uint32, len(in))
	for i, v := range in {
		out[i] = uint32(v)
	}
	return out
}
