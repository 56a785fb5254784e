package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// validators is a subnet of five in which uids 0 and 1 have stake and permits,
// from the first epoch on; the next transactions are those of block 13.
func validators(t testing.TB, change ...func(*subnetstypes.Hyperparameters)) *env {
	t.Helper()
	e := network(t, 5, change...)
	e.stake(1_000, 2_000)
	e.to(firstDue + 1)
	require.Equal(t, []string{"1@12"}, e.ran)
	return e
}

func TestSection8ARowTakesForceAtOnceWhereCommitRevealIsOff(t *testing.T) {
	e := validators(t)
	require.NoError(t, e.setWeights(1, []uint32{4, 2, 3}, []uint32{10, 65_535, 0}))
	r, ok := e.row(1)
	require.True(t, ok)
	require.Equal(t, types.Row{
		SubnetId: firstID, Uid: 1, Uids: []uint32{2, 3, 4}, Values: []uint32{65_535, 0, 10}, Height: 13, SetHeight: 13,
	}, r, "stored by uid")
	event := e.events("EventWeightsSet")
	require.Len(t, event, 1)
	require.Contains(t, event[0], `uids=[2,3,4]`)
	require.Contains(t, event[0], `revealed=false`)
	got, err := e.query.Weights(e.ctx, &types.QueryWeightsRequest{Netuid: 1})
	require.NoError(t, err)
	require.Equal(t, []types.Row{r}, got.Rows)
}

func TestSection8ARowIsRefused(t *testing.T) {
	all := make([]uint32, types.MaxRow+1)
	for i := range all {
		all[i] = uint32(i)
	}
	good := types.MsgSetWeights{Hotkey: hotkey(1), Netuid: 1, Uids: []uint32{2, 3}, Values: []uint32{1, 1}, Version: 7}
	for name, c := range map[string]struct {
		change func(*types.MsgSetWeights)
		is     error
		says   string
	}{
		"without a permit":            {func(m *types.MsgSetWeights) { m.Hotkey = hotkey(2) }, types.ErrNoPermit, "uid 2 of subnet 1 may not set weights: permits go to the 64 largest stakes"},
		"of a stranger":               {func(m *types.MsgSetWeights) { m.Hotkey = addr("x").String() }, subnetstypes.ErrNotRegistered, "holds no uid in subnet 1"},
		"of no address":               {func(m *types.MsgSetWeights) { m.Hotkey = "lode1x" }, nil, "bech32"},
		"for no subnet":               {func(m *types.MsgSetWeights) { m.Netuid = 65_537 }, subnetstypes.ErrNoSubnet, "netuid 65537: the subnets are 1"},
		"of another version":          {func(m *types.MsgSetWeights) { m.Version = 6 }, types.ErrVersion, "the row is of version 6, subnet 1 takes version 7"},
		"without entries":             {func(m *types.MsgSetWeights) { m.Uids, m.Values = nil, nil }, types.ErrInvalidRow, "the row is empty"},
		"with too few values":         {func(m *types.MsgSetWeights) { m.Values = m.Values[:1] }, types.ErrInvalidRow, "2 uids but 1 values"},
		"with nothing but zeros":      {func(m *types.MsgSetWeights) { m.Values = []uint32{0, 0} }, types.ErrInvalidRow, "every value is zero"},
		"with a uid twice":            {func(m *types.MsgSetWeights) { m.Uids = []uint32{3, 3} }, types.ErrInvalidRow, "uid 3 is in the row twice"},
		"with a uid that is not":      {func(m *types.MsgSetWeights) { m.Uids = []uint32{2, 5} }, types.ErrInvalidRow, "uid 5: subnet 1 has uids 0 to 4"},
		"with a uid beyond u16":       {func(m *types.MsgSetWeights) { m.Uids = []uint32{2, 65_536 + 3} }, types.ErrInvalidRow, "(uid 65539, value 1): both must be at most 65535"},
		"with a value beyond u16":     {func(m *types.MsgSetWeights) { m.Values = []uint32{65_536, 1} }, types.ErrInvalidRow, "(uid 2, value 65536)"},
		"with too few entries":        {func(m *types.MsgSetWeights) { m.Uids, m.Values = []uint32{2}, []uint32{1} }, types.ErrInvalidRow, "1 entries, subnet 1 wants at least 2 (min_allowed_weights)"},
		"with too large a share":      {func(m *types.MsgSetWeights) { m.Values = []uint32{3, 1} }, types.ErrInvalidRow, "uid 2 has 3 of the row's sum 4, more than max_weight_limit 40000 of 65535"},
		"with more than all neurons":  {func(m *types.MsgSetWeights) { m.Uids, m.Values = all, make([]uint32, len(all)) }, types.ErrInvalidRow, "4097 entries, at most 4096"},
		"for its own uid and another": {func(m *types.MsgSetWeights) { m.Uids, m.Values = []uint32{1, 2}, []uint32{9, 1} }, types.ErrInvalidRow, "uid 1 has 9 of the row's sum 10"},
	} {
		t.Run(name, func(t *testing.T) {
			e := validators(t, func(h *subnetstypes.Hyperparameters) {
				h.WeightsVersion, h.MinAllowedWeights, h.MaxWeightLimit = 7, 2, 40_000
			})
			m := good
			c.change(&m)
			_, err := send(e, e.msgs.SetWeights, &m)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			_, ok := e.row(1)
			require.False(t, ok)
			_, err = send(e, e.msgs.SetWeights, &good)
			require.NoError(t, err)
		})
	}
}

func TestSection8ARowOfTheOwnUidAloneIsExempt(t *testing.T) {
	e := validators(t, func(h *subnetstypes.Hyperparameters) { h.MinAllowedWeights, h.MaxWeightLimit = 3, 100 })
	require.NoError(t, e.setWeights(1, []uint32{1}, []uint32{5}))
	require.Error(t, e.setWeights(0, []uint32{1}, []uint32{5}), "another's uid is not")
}

func TestSection8PlainRowsAreRefusedWhereCommitRevealIsOn(t *testing.T) {
	e := validators(t, func(h *subnetstypes.Hyperparameters) { h.CommitReveal = true })
	err := e.setWeights(1, []uint32{2}, []uint32{1})
	require.ErrorIs(t, err, types.ErrCommitReveal)
	require.ErrorContains(t, err, "subnet 1 has it on: use CommitWeights, then RevealWeights")
}

func TestSection8NobodyHasAPermitBeforeTheFirstEpoch(t *testing.T) {
	e := network(t, 5)
	e.stake(1_000, 2_000)
	require.ErrorIs(t, e.setWeights(1, []uint32{2}, []uint32{1}), types.ErrNoPermit)
	e.to(firstDue)
	require.ErrorIs(t, e.setWeights(1, []uint32{2}, []uint32{1}), types.ErrNoPermit)
	e.to(firstDue + 1)
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}))
}

func TestSection8TooSoonSaysWhenToTryAgain(t *testing.T) {
	e := validators(t) // weights_rate_limit 5
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}))
	e.to(17)
	err := e.setWeights(1, []uint32{3}, []uint32{1})
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "weights_rate_limit: 5 blocks between two attempts; the last was in block 13, the first block that will be accepted is 18 (this is for block 17)")
	require.NoError(t, e.setWeights(0, []uint32{2}, []uint32{1}), "each neuron has its own limit")
	e.to(18)
	require.NoError(t, e.setWeights(1, []uint32{3}, []uint32{1}))
}

func TestSection8AcceptedAttemptsAreNeverCloserThanTheLimit(t *testing.T) {
	e := validators(t)
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		limit := rapid.Int64Range(1, tempo).Draw(rt, "limit")
		e.set("weights_rate_limit", uint64(limit))
		last := int64(0)
		for range rapid.IntRange(1, 30).Draw(rt, "attempts") {
			e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + rapid.Int64Range(0, limit+1).Draw(rt, "blocks"))
			height := e.ctx.BlockHeight()
			err := e.setWeights(1, []uint32{2}, []uint32{1})
			if may := last == 0 || height >= last+limit; may != (err == nil) {
				rt.Fatalf("block %d, the last in %d, limit %d: %v", height, last, limit, err)
			}
			if err == nil {
				last = height
			}
		}
	})
}
