package keeper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestTheMetagraphHasEveryColumn(t *testing.T) {
	h := newHarness(t)
	h.validator("v1", 1_000*tao, "0.1")
	s := scene(h)
	h.judge(s, "v1", 3, 2, 4, 1)
	judged := h.ctx.BlockHeight()
	h.untilEpoch(s)
	late := h.register(s, "late")

	m, err := NewQuerier(h.k).Metagraph(h.ctx, &types.QueryMetagraphRequest{Netuid: s.Netuid})
	require.NoError(t, err)
	require.Equal(t, h.ctx.BlockHeight(), m.Height)
	require.Equal(t, h.ctx.BlockTime().Unix(), m.Time)
	require.Equal(t, s.Name, m.Subnet.Name)
	require.Equal(t, h.pool(s), m.Pool)
	require.Equal(t, h.pool(s).Price().String(), m.Price)
	require.Equal(t, h.emission(s).MovingPrice.String(), m.MovingPrice)
	require.EqualValues(t, 2, m.Epoch.Number)
	require.NotZero(t, m.Burn)
	require.Equal(t, h.emission(s), m.Emission)
	require.Len(t, m.Neurons, 6)

	owner, v1, m1 := m.Neurons[0], m.Neurons[1], m.Neurons[3]
	require.True(t, owner.Owner)
	require.Equal(t, addr("owner").String(), owner.Hotkey)
	require.Equal(t, coldkeyOf("owner").String(), owner.Coldkey)
	require.EqualValues(t, 5, owner.PruningRank, "the owner's is never pruned and comes last")
	require.True(t, v1.Permit)
	require.True(t, v1.Active)
	require.Equal(t, judged, v1.LastUpdate)
	require.Equal(t, h.stakeOn(s, "v1"), v1.StakeAlpha)
	require.EqualValues(t, 1_000*tao, v1.RootStake)
	require.Equal(t, v1.StakeAlpha+180*tao, v1.StakeWeight)
	require.NotZero(t, v1.Dividends)
	require.NotZero(t, v1.ValidatorTrust)
	require.NotZero(t, v1.Emission)
	require.NotZero(t, m1.Incentive)
	require.NotZero(t, m1.Consensus)
	require.NotZero(t, m1.Rank)
	require.Zero(t, m1.LastUpdate)
	require.NotZero(t, m1.RegisteredHeight)
	require.NotZero(t, m1.ImmuneUntilHeight)

	require.Equal(t, late, m.Neurons[5].Uid)
	require.Zero(t, m.Neurons[5].Incentive+m.Neurons[5].Rank, "it came after the last epoch")
	ranks := map[uint32]bool{}
	for _, n := range m.Neurons {
		ranks[n.PruningRank] = true
	}
	require.Len(t, ranks, 6, "everybody has a place of its own")
}

func TestTheMetagraphShowsWhatIsLentAndBondedAndWhereIncentiveGoes(t *testing.T) {
	h := newHarness(t)
	h.validator("p2", 100*tao, "0")
	s := scene(h)
	parents(h, s)
	h.lend(s, "v2", "v1", 250_000)
	h.blocks(3)
	h.stake(s, "m1", coldkeyOf("m1"), 10*tao)
	h.bond(s, "m1", 3*tao)
	h.bind("vault", coldkeyOf("m1"))
	h.destine("m1", "vault")
	m, err := NewQuerier(h.k).Metagraph(h.ctx, &types.QueryMetagraphRequest{Netuid: s.Netuid})
	require.NoError(t, err)
	v1, v2, m1 := m.Neurons[1], m.Neurons[2], m.Neurons[3]
	part := func(amount, millionths uint64) uint64 { return amount * millionths / million }
	require.Equal(t, h.stakeOn(s, "v1"), v1.StakeAlpha, "what is staked on it, whatever is lent")
	require.Equal(t, part(h.stakeOn(s, "v2"), 250_000), v2.Lent)
	require.Equal(t, h.stakeOn(s, "v2")-v2.Lent, v2.StakeWeight)
	require.Equal(t, h.stakeOn(s, "p1")+part(h.stakeOn(s, "p2"), 400_000)+part(18*tao, 400_000)+v2.Lent, v1.Inherited)
	require.Equal(t, v1.StakeAlpha+v1.Inherited, v1.StakeWeight)
	require.Zero(t, v1.Lent+v2.Inherited)
	require.EqualValues(t, 3*tao, m1.Collateral)
	require.Equal(t, addr("vault").String(), m1.Destination)
	require.Empty(t, v1.Destination)
}

func TestTheMetagraphOfASubnetThatHasNotStarted(t *testing.T) {
	h := newHarness(t)
	s := h.unstarted("owner")
	m, err := NewQuerier(h.k).Metagraph(h.ctx, &types.QueryMetagraphRequest{Netuid: s.Netuid})
	require.NoError(t, err)
	require.Len(t, m.Neurons, 1)
	require.Zero(t, m.Epoch.DueHeight)
}

func TestQueriesOfASubnetThatIsNotThere(t *testing.T) {
	h := newHarness(t)
	_, err := NewQuerier(h.k).Metagraph(h.ctx, &types.QueryMetagraphRequest{Netuid: 7})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
	_, err = NewQuerier(h.k).Subnet(h.ctx, &types.QuerySubnetRequest{Netuid: 7})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
}

func TestQueriesOfTotalsParamsAndASubnet(t *testing.T) {
	h := newHarness(t)
	h.validator("v1", 10*tao, "0.1")
	s := h.subnet("owner")
	h.blocks(3)
	q := NewQuerier(h.k)
	totals, err := q.Totals(h.ctx, &types.QueryTotalsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.QueryTotalsResponse{Totals: h.totals(), Supply: h.supply(), BlockReward: tao, Height: h.ctx.BlockHeight()}, *totals)
	params, err := q.Params(h.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.LocalParams(), params.Params)
	subnet, err := q.Subnet(h.ctx, &types.QuerySubnetRequest{Netuid: s.Netuid})
	require.NoError(t, err)
	require.Equal(t, h.emission(s), subnet.Emission)
	require.Equal(t, h.emission(s).MovingPrice.String(), subnet.MovingPrice)
}

func TestOnlyGovernanceSetsParametersAndNeverTheCap(t *testing.T) {
	h := newHarness(t)
	msgs := NewMsgServer(h.k)
	p := types.LocalParams()
	_, err := msgs.UpdateParams(h.ctx, &types.MsgUpdateParams{Authority: addr(treasury).String(), Params: p})
	require.ErrorIs(t, err, sdkerrors.ErrUnauthorized)

	governance := addr("governance").String()
	p.Cap--
	_, err = msgs.UpdateParams(h.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	require.ErrorContains(t, err, "can't be changed")

	p = types.LocalParams()
	p.OwnerCut = million + 1
	_, err = msgs.UpdateParams(h.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.ErrorIs(t, err, types.ErrInvalidParams)

	p.OwnerCut = 90_000
	_, err = msgs.UpdateParams(h.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	got, err := h.k.Params(h.ctx)
	require.NoError(t, err)
	require.Equal(t, p, got)
}

func TestACarriedNumeratorKeepsItsWorthWhenTheTargetChanges(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { p.InitialReward = 1 }))
	s := h.subnet("owner")
	h.block(750 * time.Millisecond)
	h.block(time.Second)
	require.EqualValues(t, 750, h.emission(s).AlphaRemainder)
	p := types.LocalParams()
	p.InitialReward, p.TargetBlockTime = 1, 100
	_, err := NewMsgServer(h.k).UpdateParams(h.ctx, &types.MsgUpdateParams{Authority: addr("governance").String(), Params: p})
	require.NoError(t, err)
	require.EqualValues(t, 75, h.emission(s).AlphaRemainder)
	g, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 75, g.TaoRemainder)
	require.NoError(t, g.Validate())
}
