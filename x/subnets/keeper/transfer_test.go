package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

func (e *env) transfer(coldkey, hotkey string, netuid uint32) error {
	_, err := send(e, e.msgs.TransferOwnership, &types.MsgTransferOwnership{Coldkey: coldkey, Netuid: netuid, Hotkey: hotkey})
	return err
}

func TestSection4OwnershipPassesToAnotherRegisteredHotkey(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	e.register(1, "bob")
	_, ann := e.bind("ann")
	_, bob := e.bind("bob")
	require.NoError(t, e.transfer(ann, addr("bob").String(), 1))
	require.Equal(t, addr("bob").String(), e.subnet(1).OwnerHotkey)
	event := lastEvent(t, e.ctx, "lode.subnets.v1.EventOwnershipTransferred")
	for _, part := range []string{addr("ann").String(), addr("bob").String(), bob} {
		require.Contains(t, event, part)
	}
	require.ErrorIs(t, e.setAs(ann, 1, "bonds_penalty", 1), types.ErrNotOwner, "the former owner owns nothing")
	require.ErrorIs(t, e.transfer(ann, addr("ann").String(), 1), types.ErrNotOwner, "and can't take it back")
	require.NoError(t, e.setAs(bob, 1, "bonds_penalty", 1))
	e.holds()
}

func TestSection4OwnershipRefuses(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	e.started("cid")
	e.register(1, "bob")
	e.bind("bound")
	_, ann := e.bind("ann")
	for name, c := range map[string]struct {
		coldkey, hotkey string
		netuid          uint32
		is              error
		says            string
	}{
		"a stranger":                        {addr("thief").String(), addr("bob").String(), 1, types.ErrNotOwner, "not to " + addr("thief").String()},
		"the hotkey itself as signer":       {addr("ann").String(), addr("bob").String(), 1, types.ErrNotOwner, "belongs to"},
		"a hotkey that is not registered":   {ann, addr("bound").String(), 1, types.ErrNotRegistered, "holds no uid in subnet 1"},
		"a hotkey of another subnet":        {ann, addr("cid").String(), 1, types.ErrNotRegistered, "holds no uid in subnet 1"},
		"the present owner's":               {ann, addr("ann").String(), 1, types.ErrOwner, "is the owner's key of subnet 1"},
		"another's subnet":                  {ann, addr("cid").String(), 2, types.ErrNotOwner, ""},
		"a subnet that is not there":        {ann, addr("bob").String(), 3, types.ErrNoSubnet, "the subnets are 1, 2"},
		"a hotkey that is no address":       {ann, "lode1", 1, nil, "bech32"},
		"a hotkey that is bound to nothing": {ann, addr("x").String(), 1, types.ErrNotRegistered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := e.transfer(c.coldkey, c.hotkey, c.netuid)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
	require.Equal(t, addr("ann").String(), e.subnet(1).OwnerHotkey)
	e.holds()
}

// An owner's key is never pruned, weighs itself and validates without stake. One
// owner must not get that for two keys, nor the parameters that would leave the
// consensus to it.
func TestSection3AnOwnerCannotBecomeTheWholeConsensus(t *testing.T) {
	p := withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 })
	e := newEnv(t, p)
	s := e.started("ann")
	e.fill(1, 16)
	_, ann := e.bind("ann")
	for name, v := range map[string]uint64{"kappa": 0, "max_validators": 1, "weights_rate_limit": 10, "min_stake_to_validate": 1 << 62} {
		err := e.setAs(ann, 1, name, v)
		require.ErrorIs(t, err, types.ErrNotOwner)
		require.ErrorContains(t, err, name+" is set by governance ("+governance+") alone")
	}
	require.ErrorIs(t, e.setAs(ann, 1, "max_uids", 15), types.ErrInvalidHyperparameter, "nobody is put out by a lower max_uids")
	require.ErrorIs(t, e.setAs(ann, 1, "immunity_period", 0), types.ErrInvalidHyperparameter, "nor before its weights are revealed")

	// A second key: the owner's own second hotkey becomes the owner's, and the
	// first is one like any other, with its old block of registration.
	e.alpha.coldkeys[string(addr("miner 1"))] = addr("ann's coldkey")
	e.pass(61)
	require.NoError(t, e.transfer(ann, addr("miner 1").String(), 1))
	order, err := e.k.PruningOrder(e.ctx, s.Id)
	require.NoError(t, err)
	require.Equal(t, types.PruningPlace{Uid: 0}, order[0], "the former owner's is the oldest and no more immune")
	require.NotContains(t, uids(order), uint32(1))
	require.EqualValues(t, 0, e.register(1, "new"))
	require.ErrorIs(t, e.transfer(ann, addr("ann").String(), 1), types.ErrNotRegistered)
	e.holds()
}

func TestSection4TheOwnersKeyIsNeverPrunedWhoeverItIs(t *testing.T) {
	e := newEnv(t, withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 }))
	e.started("ann")
	e.fill(1, 16)
	e.pass(61)
	_, ann := e.bind("ann")
	require.NoError(t, e.transfer(ann, addr("miner 4").String(), 1))
	for i := range 15 {
		require.NotEqualValues(t, 4, e.register(1, "late "+string(rune('a'+i))))
		e.holds()
	}
}
