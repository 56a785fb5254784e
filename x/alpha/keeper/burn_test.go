package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestBurnedAlphaIsNobodysForGood(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	before := e.at(1)
	_, err := send(e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: whole})
	require.NoError(t, err)
	before.AlphaStaked -= whole
	before.AlphaBurned += whole
	require.Equal(t, before, e.at(1), "still issued; reserves and price stay")
	require.Equal(t, before.AlphaStaked, e.staked("alice", "miner", 1))
}

func TestRecycledAlphaCountsAsNeverIssued(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	before := e.at(1)
	_, err := send(e, e.msgs.RecycleAlpha, &types.MsgRecycleAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: whole})
	require.NoError(t, err)
	before.AlphaStaked -= whole
	before.AlphaIssued -= whole
	require.Equal(t, before, e.at(1))
	_, err = send(e, e.msgs.RecycleAlpha, &types.MsgRecycleAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: before.AlphaStaked})
	require.NoError(t, err)
	require.Zero(t, e.at(1).AlphaStaked)
}

func TestOnlyOnesOwnStakeIsBurnedOrRecycled(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	worth := e.staked("alice", "miner", 1)
	for _, c := range []struct {
		name            string
		coldkey, hotkey string
		netuid          uint32
		alpha           uint64
		want            error
	}{
		{"nothing", "alice", "miner", 1, 0, types.ErrInvalidAmount},
		{"more than there is", "alice", "miner", 1, worth + 1, types.ErrNoStake},
		{"more than 64 bits could add", "alice", "miner", 1, dear, types.ErrNoStake},
		{"dust", "alice", "miner", 1, 1_000, types.ErrInvalidAmount},
		{"a stranger's stake", "bob", "miner", 1, whole, types.ErrNoStake},
		{"by the hotkey", "miner", "miner", 1, whole, types.ErrNoStake},
		{"on another hotkey", "alice", "validator", 1, whole, types.ErrNoStake},
		{"in another subnet", "alice", "miner", 2, whole, types.ErrNoStake},
		{"in no subnet", "alice", "miner", 9, whole, types.ErrNoSubnet},
	} {
		t.Run(c.name, func(t *testing.T) {
			refuse(t, e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: str(c.coldkey), Hotkey: str(c.hotkey), Netuid: c.netuid, Alpha: c.alpha}, c.want)
			refuse(t, e, e.msgs.RecycleAlpha, &types.MsgRecycleAlpha{Coldkey: str(c.coldkey), Hotkey: str(c.hotkey), Netuid: c.netuid, Alpha: c.alpha}, c.want)
		})
	}
	_, err := send(e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: worth - 1})
	require.NoError(t, err)
	_, err = send(e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: 1})
	require.NoError(t, err, "all of it, however small")
}
