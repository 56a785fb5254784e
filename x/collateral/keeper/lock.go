package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
)

// LockCollateral puts own alpha of a neuron at stake. x/alpha refuses what the
// coldkey has not, or has locked already.
func (k msgServer) LockCollateral(ctx context.Context, m *types.MsgLockCollateral) (*types.MsgLockCollateralResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, err := k.subnets.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	p, err := k.own(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	if _, err := k.subnets.NeuronByHotkey(ctx, s.Id, p.hotkey); err != nil {
		return nil, err // a neuron locks: who has no uid makes no promises
	}
	c, ok, err := k.collateral(ctx, s.Id, p.account)
	if err != nil {
		return nil, err
	}
	if !ok {
		c.SubnetId = s.Id
		if c.Hotkey, err = k.text(p.account); err != nil {
			return nil, err
		}
	}
	if err := k.alpha.LockStake(ctx, s.Id, p.hotkey, p.coldkey, m.Alpha); err != nil {
		return nil, err
	}
	c.Bonded += m.Alpha // what is locked is staked, and that is under 64 bits
	if err := k.keep(ctx, collections.Join(s.Id, p.account), c); err != nil {
		return nil, err
	}
	return &types.MsgLockCollateralResponse{Bonded: c.Bonded}, emit(ctx, &types.EventCollateralLocked{
		SubnetId: s.Id, Netuid: s.Netuid, Hotkey: p.hotkeyText, Coldkey: p.coldkeyText, Alpha: m.Alpha, Bonded: c.Bonded,
	})
}
