package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// Publish keeps data of a neuron on chain, in the place of what it kept before
// (protocol.md §4).
func (k msgServer) Publish(ctx context.Context, m *types.MsgPublish) (*types.MsgPublishResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.publisher(ctx, m.Netuid, m.Hotkey, len(m.Data))
	if err != nil {
		return nil, err
	}
	p := types.Published{SubnetId: s.Id, Uid: n.Uid, Hotkey: n.Hotkey, Data: m.Data, Height: targetHeight(ctx)}
	if err := k.published.Set(ctx, joinSlot(n), p); err != nil {
		return nil, err
	}
	return &types.MsgPublishResponse{}, emit(ctx, &types.EventPublished{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: n.Hotkey, Data: m.Data,
	})
}

// PublishSealed keeps the hash of data that the neuron publishes later, in the
// place of what it kept before.
func (k msgServer) PublishSealed(ctx context.Context, m *types.MsgPublishSealed) (*types.MsgPublishSealedResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.publisher(ctx, m.Netuid, m.Hotkey, len(m.Hash))
	if err != nil {
		return nil, err
	}
	p := types.Published{SubnetId: s.Id, Uid: n.Uid, Hotkey: n.Hotkey, Hash: m.Hash, SealedHeight: targetHeight(ctx)}
	if err := k.published.Set(ctx, joinSlot(n), p); err != nil {
		return nil, err
	}
	return &types.MsgPublishSealedResponse{}, emit(ctx, &types.EventSealed{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: n.Hotkey, Hash: m.Hash,
	})
}

// RevealPublished publishes what a neuron sealed. The hash is of the hotkey that
// sealed, so a copy of another's hash opens for nobody; after a swap of hotkeys
// the neuron's present one reveals, and the record keeps the one that sealed.
func (k msgServer) RevealPublished(ctx context.Context, m *types.MsgRevealPublished) (*types.MsgRevealPublishedResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.publisher(ctx, m.Netuid, m.Hotkey, len(m.Data))
	if err != nil {
		return nil, err
	}
	p, ok, err := found(k.published.Get(ctx, joinSlot(n)))
	if err != nil {
		return nil, err
	}
	switch {
	case !ok:
		return nil, types.ErrNotSealed.Wrapf("hotkey %s has sealed nothing in subnet %d: MsgPublishSealed comes first", n.Hotkey, s.Netuid)
	case p.SealedHeight == 0:
		return nil, types.ErrNotSealed.Wrapf("what hotkey %s keeps in subnet %d was published plain in block %d", n.Hotkey, s.Netuid, p.Height)
	case p.Height > 0:
		return nil, types.ErrNotSealed.Wrapf("what hotkey %s sealed in block %d was revealed in block %d", n.Hotkey, p.SealedHeight, p.Height)
	}
	sealer, err := k.ac.StringToBytes(p.Hotkey)
	if err != nil {
		return nil, err
	}
	hash := types.PublishHash(sdk.UnwrapSDKContext(ctx).ChainID(), uint16(s.Netuid), sealer, m.Data, m.Salt)
	if !bytes.Equal(hash[:], p.Hash) {
		return nil, types.ErrWrongReveal.Wrapf("these %d bytes and this salt give the hash %x, %s sealed %x in block %d: both must be as they were then, on this chain and netuid",
			len(m.Data), hash, p.Hotkey, p.Hash, p.SealedHeight)
	}
	p.Data, p.Height = m.Data, targetHeight(ctx)
	if err := k.published.Set(ctx, joinSlot(n), p); err != nil {
		return nil, err
	}
	return &types.MsgRevealPublishedResponse{}, emit(ctx, &types.EventPublished{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: p.Hotkey, Data: m.Data, SealedHeight: p.SealedHeight,
	})
}

// publisher is the neuron that a hotkey has, if it may publish so many bytes now.
func (k Keeper) publisher(ctx context.Context, netuid uint32, hotkey string, size int) (types.Subnet, types.Neuron, error) {
	s, err := k.SubnetByNetuid(ctx, netuid)
	if err != nil {
		return s, types.Neuron{}, err
	}
	hot, err := k.key(hotkey)
	if err != nil {
		return s, types.Neuron{}, err
	}
	n, err := k.NeuronByHotkey(ctx, s.Id, hot.addr)
	if err != nil {
		return s, n, err
	}
	return s, n, k.usePublish(ctx, s, n, uint32(size))
}

// usePublish lets a neuron publish so many bytes in a tempo. Its window begins
// with the first that it publishes after the last window.
func (k Keeper) usePublish(ctx context.Context, s types.Subnet, n types.Neuron, size uint32) error {
	p, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	use, ok, err := found(k.uses.Get(ctx, joinSlot(n)))
	if err != nil {
		return err
	}
	height, tempo := targetHeight(ctx), int64(s.Hyperparameters.Tempo)
	if !ok || height >= use.Since+tempo {
		use = types.PublishUse{SubnetId: s.Id, Uid: n.Uid, Since: height}
	}
	if use.Bytes+size > p.PublishBytesPerTempo {
		return types.ErrTooSoon.Wrapf("publish_bytes_per_tempo: %d bytes in %d blocks; hotkey %s has published %d since block %d and %d more are too many, the first block in which they will be accepted is %d (this is for block %d)",
			p.PublishBytesPerTempo, tempo, n.Hotkey, use.Bytes, use.Since, size, use.Since+tempo, height)
	}
	use.Bytes += size
	return k.uses.Set(ctx, joinSlot(n), use)
}

// unpublish clears what the former holder of a uid kept on chain.
func (k Keeper) unpublish(ctx context.Context, n types.Neuron) error {
	if err := k.published.Remove(ctx, joinSlot(n)); err != nil {
		return err
	}
	return k.uses.Remove(ctx, joinSlot(n))
}
