package keeper_test

import (
	"testing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/stretchr/testify/require"

	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// remove tells x/weights of a removal, as x/subnets does.
func (e *env) remove(netuid uint32) subnetstypes.Subnet {
	e.t.Helper()
	s, err := e.subnets.SubnetByNetuid(e.ctx, netuid)
	require.NoError(e.t, err)
	require.NoError(e.t, e.k.Hooks().AfterSubnetRemoved(e.ctx, s))
	return s
}

// crowd is subnets 1 and 21 with rows, bonds, commits, permits and limits.
func crowd(t *testing.T) *env {
	e := newEnv(t)
	e.stake(1_000, 2_000, 3_000, 4_000)
	for _, netuid := range []uint32{1, 21} {
		e.add(netuid, 5, func(h *subnetstypes.Hyperparameters) { h.CommitReveal, h.RevealPeriod, h.WeightsRateLimit = true, 1, 1 })
	}
	e.to(13)
	both := func(salt string) {
		for uid := range uint32(4) {
			for _, netuid := range []uint32{1, 21} {
				r := row{uid: uid, uids: []uint32{4}, values: []uint32{1}, salt: salt}
				_, err := send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: hotkey(uid), Netuid: netuid, Hash: r.hash(chainID, uint16(netuid))})
				require.NoError(t, err)
			}
		}
	}
	both("first")
	e.to(23)
	for uid := range uint32(4) {
		for _, netuid := range []uint32{1, 21} {
			m := row{uid: uid, uids: []uint32{4}, values: []uint32{1}, salt: "first"}.reveal()
			m.Netuid = netuid
			_, err := send(e, e.msgs.RevealWeights, m)
			require.NoError(t, err)
		}
	}
	both("second")
	e.to(33)
	both("third")
	return e
}

// records counts what is kept of subnet ids.
func (e *env) records() map[uint64]int {
	e.t.Helper()
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	out := map[uint64]int{}
	for _, r := range g.Rows {
		out[r.SubnetId]++
	}
	for _, b := range g.Bonds {
		out[b.SubnetId]++
	}
	for _, c := range g.Commits {
		out[c.SubnetId]++
	}
	for _, p := range g.Permits {
		out[p.SubnetId]++
	}
	for _, a := range g.LastAttempts {
		out[a.SubnetId]++
	}
	return out
}

func TestSection3ARemovedSubnetHasNoMoreEpochs(t *testing.T) {
	e := crowd(t)
	s := e.remove(1)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
	_, ok, err := e.k.EpochState(e.ctx, s.Id)
	require.NoError(t, err)
	require.False(t, ok)
	_, ok, err = e.k.EpochResult(e.ctx, s.Id)
	require.NoError(t, err)
	require.False(t, ok)
	e.ran = nil
	e.to(53)
	require.Equal(t, []string{"21@42", "21@52"}, e.ran)
	require.NoError(t, e.k.Hooks().AfterSubnetRemoved(e.ctx, s), "a subnet without epochs, not started, is removed too")
}

func TestSection3ARemovalCostsTheSameHoweverMuchThereIs(t *testing.T) {
	cost := func(e *env) uint64 {
		s, err := e.subnets.SubnetByNetuid(e.ctx, 1)
		require.NoError(t, err)
		ctx, _ := e.ctx.CacheContext()
		ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		require.NoError(t, e.k.Hooks().AfterSubnetRemoved(ctx, s))
		return ctx.GasMeter().GasConsumed()
	}
	small := network(t, 5)
	require.InDelta(t, cost(small), cost(crowd(t)), 100)
}

func TestSection3ARemovedSubnetsRecordsAreSweptALittleAtATime(t *testing.T) {
	e := crowd(t)
	before := e.records()
	require.Greater(t, before[firstID], 15)
	s := e.remove(1)
	for left := before[firstID]; ; {
		n, err := e.k.Hooks().SweepSubnet(e.ctx, s.Id, 3)
		require.NoError(t, err)
		require.Equal(t, min(left, 3), n, "never more than asked for, fewer only at the end")
		left -= n
		require.Equal(t, left, e.records()[firstID])
		require.NoError(t, e.k.CheckInvariants(e.ctx))
		if n < 3 {
			break
		}
	}
	require.Equal(t, before[firstID+20], e.records()[firstID+20], "the other subnet has all of its own")
	for _, most := range []int{0, -1, 100} {
		n, err := e.k.Hooks().SweepSubnet(e.ctx, s.Id, most)
		require.NoError(t, err)
		require.Zero(t, n)
	}
}

func TestSection3GenesisHalfwayThroughASweepRoundTrips(t *testing.T) {
	e := crowd(t)
	s := e.remove(1)
	_, err := e.k.Hooks().SweepSubnet(e.ctx, s.Id, 7)
	require.NoError(t, err)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	other := newEnv(t)
	other.add(21, 5)
	require.NoError(t, other.k.InitGenesis(other.ctx, *g))
	again, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	require.NotZero(t, other.records()[s.Id])
}

func TestSection4ASwappedHotkeyKeepsRowPermitLimitsAndCommits(t *testing.T) {
	e := hidden(t)
	open := func(salt string) row { r := someRow; r.salt = salt; return r }
	_, err := e.commit(open("one"))
	require.NoError(t, err)
	successor := addr("successor")
	_, err = send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).SwapHotkey,
		&subnetstypes.MsgSwapHotkey{Coldkey: addr(cold).String(), Hotkey: hotkey(1), NewHotkey: successor.String()})
	require.NoError(t, err)
	e.alpha.stake[successor.String()] = e.alpha.stake[hotkey(1)]
	delete(e.alpha.stake, hotkey(1))

	commit := func(r row) error {
		h := types.WeightsHash(chainID, 1, successor, r.version, narrow(r.uids), narrow(r.values), r.saltBytes())
		_, err := send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: successor.String(), Netuid: 1, Hash: h[:]})
		return err
	}
	reveal := func(r row) error {
		m := r.reveal()
		m.Hotkey = successor.String()
		_, err := send(e, e.msgs.RevealWeights, m)
		return err
	}
	require.ErrorIs(t, commit(open("two")), types.ErrTooSoon, "the limit goes along")
	e.to(18)
	require.NoError(t, commit(open("two")), "and so does the permit")
	e.to(23)
	require.ErrorIs(t, e.reveal(open("one")), subnetstypes.ErrNotRegistered, "the old key has nothing left")
	require.NoError(t, reveal(open("one")), "the new key opens what the old one committed, by the old one's hash")
	e.to(24)
	require.NoError(t, reveal(open("two")), "and what it committed itself")
	e.to(25)
	require.ErrorIs(t, reveal(open("two")), types.ErrNoCommit)
	r, ok := e.row(1)
	require.True(t, ok)
	require.EqualValues(t, 18, r.Height)
	e.to(33)
	require.NotZero(t, e.results[firstID].Output.Incentive[2])
}
