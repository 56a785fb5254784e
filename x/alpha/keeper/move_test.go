package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestAMoveTradesNothing(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 10*whole)
	pool, coins := e.at(1), e.rao("bob")
	_, err := send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: str("bob"), Netuid: 1, FromHotkey: str("miner"), ToHotkey: str("validator"), Alpha: whole})
	require.NoError(t, err)
	require.Equal(t, pool, e.at(1), "the pool is as before")
	require.Equal(t, coins, e.rao("bob"))
	require.Equal(t, in.AlphaStaked-whole, e.staked("bob", "miner", 1))
	require.Equal(t, uint64(whole), e.staked("bob", "validator", 1))
	_, err = send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: str("bob"), Netuid: 1, FromHotkey: str("miner"), ToHotkey: str("validator"), Alpha: in.AlphaStaked - whole})
	require.NoError(t, err)
	require.Equal(t, in.AlphaStaked, e.staked("bob", "validator", 1))
	require.Zero(t, e.staked("bob", "miner", 1))
}

func TestABadMoveIsRefused(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	good := types.MsgMoveStake{Coldkey: str("bob"), Netuid: 1, FromHotkey: str("miner"), ToHotkey: str("validator"), Alpha: whole}
	for _, c := range []struct {
		name  string
		spoil func(*types.MsgMoveStake)
		want  error
	}{
		{"somebody else's", func(m *types.MsgMoveStake) { m.Coldkey = str("alice") }, types.ErrNoStake},
		{"nothing", func(m *types.MsgMoveStake) { m.Alpha = 0 }, types.ErrInvalidAmount},
		{"more than there is", func(m *types.MsgMoveStake) { m.Alpha = dear }, types.ErrNoStake},
		{"dust", func(m *types.MsgMoveStake) { m.Alpha = 1 }, types.ErrInvalidAmount},
		{"to where it is", func(m *types.MsgMoveStake) { m.ToHotkey = m.FromHotkey }, types.ErrInvalidRequest},
		{"to where it is, in capitals", func(m *types.MsgMoveStake) { m.ToHotkey = upper(m.FromHotkey) }, types.ErrInvalidRequest},
		{"to an unbound hotkey", func(m *types.MsgMoveStake) { m.ToHotkey = str("nobody") }, types.ErrNotBound},
		{"an unknown subnet", func(m *types.MsgMoveStake) { m.Netuid = 8 }, types.ErrNoSubnet},
		{"where there is no stake", func(m *types.MsgMoveStake) { m.Netuid = 2 }, types.ErrNoStake},
		{"from no address", func(m *types.MsgMoveStake) { m.FromHotkey = "x" }, sdkerrors.ErrInvalidAddress},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			refuse(t, e, e.msgs.MoveStake, &m, c.want)
		})
	}
}

func TestATransferGivesStakeToAnotherColdkey(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 10*whole)
	pool := e.at(1)
	_, err := send(e, e.msgs.TransferStake, &types.MsgTransferStake{Coldkey: str("bob"), ToColdkey: str("carol"), Hotkey: str("miner"), Netuid: 1, Alpha: whole})
	require.NoError(t, err)
	require.Equal(t, pool, e.at(1))
	require.Equal(t, uint64(whole), e.staked("carol", "miner", 1))
	require.Equal(t, in.AlphaStaked-whole, e.staked("bob", "miner", 1))
	_, err = send(e, e.msgs.TransferStake, &types.MsgTransferStake{Coldkey: str("bob"), ToColdkey: str("carol"), Hotkey: str("miner"), Netuid: 1, Alpha: in.AlphaStaked - whole})
	require.NoError(t, err)
	require.Equal(t, in.AlphaStaked, e.staked("carol", "miner", 1))
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap}, types.ErrNoStake)
}

func TestABadTransferIsRefused(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	good := types.MsgTransferStake{Coldkey: str("bob"), ToColdkey: str("carol"), Hotkey: str("miner"), Netuid: 1, Alpha: whole}
	for _, c := range []struct {
		name  string
		spoil func(*types.MsgTransferStake)
		want  error
	}{
		{"somebody else's", func(m *types.MsgTransferStake) { m.Coldkey = str("alice") }, types.ErrNoStake},
		{"nothing", func(m *types.MsgTransferStake) { m.Alpha = 0 }, types.ErrInvalidAmount},
		{"dust", func(m *types.MsgTransferStake) { m.Alpha = 1_900_000 }, types.ErrInvalidAmount},
		{"to oneself", func(m *types.MsgTransferStake) { m.ToColdkey = m.Coldkey }, types.ErrInvalidRequest},
		{"to oneself, in capitals", func(m *types.MsgTransferStake) { m.ToColdkey = upper(m.Coldkey) }, types.ErrInvalidRequest},
		{"to a module", func(m *types.MsgTransferStake) { m.ToColdkey = authtypes.NewModuleAddress(types.ModuleName).String() }, sdkerrors.ErrUnauthorized},
		{"to no address", func(m *types.MsgTransferStake) { m.ToColdkey = "carol" }, sdkerrors.ErrInvalidAddress},
		{"an unknown subnet", func(m *types.MsgTransferStake) { m.Netuid = 8 }, types.ErrNoSubnet},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			refuse(t, e, e.msgs.TransferStake, &m, c.want)
		})
	}
}
