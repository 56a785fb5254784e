package keeper

import (
	"testing"

	"github.com/stretchr/testify/require"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateralkeeper "github.com/lodenet/lode/x/collateral/keeper"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/types"
)

func TestSection7IncentiveGoesToTheMinersDestination(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.bind("vault", coldkeyOf("m1")) // holds no uid
	h.destine("m1", "vault")
	h.judge(s, "v1", 3, 1, 4, 1)
	h.judge(s, "v2", 3, 1, 4, 1)
	events := h.untilEpoch(s)
	paid := h.paid(events)
	require.NotZero(t, paid["m1"].Incentive)
	require.Zero(t, h.stakeOn(s, "m1"))
	require.Equal(t, paid["m1"].Incentive, h.stakeOn(s, "vault"))
	worth, err := h.alpha.StakeOf(h.ctx, s.Id, addr("vault"), coldkeyOf("m1"))
	require.NoError(t, err)
	require.Equal(t, paid["m1"].Incentive, worth, "for the coldkey of both")
	require.Equal(t, paid["m2"].Incentive, h.stakeOn(s, "m2"), "others as ever")
	n, err := h.subnets.Neuron(h.ctx, s.Id, 3)
	require.NoError(t, err)
	require.Equal(t, paid["m1"].Incentive, n.Emission, "the miner earned it, not where it went")

	_, err = send(h, alphakeeper.NewMsgServer(h.alpha).SetDestination, &alphatypes.MsgSetDestination{
		Coldkey: coldkeyOf("m1").String(), Hotkey: addr("m1").String(), Destination: addr("v1").String(),
	})
	require.ErrorIs(t, err, alphatypes.ErrNotOwner, "never to another's hotkey")
}

// An owner who sends its miner's incentive elsewhere, or who mines with a key that
// never held the subnet, is found by the miner's coldkey all the same.
func TestSection7AnOwnerCanNotDodgeWithheldByADestination(t *testing.T) {
	for name, dodge := range map[string]func(*harness){
		"to the owner's hotkey": func(h *harness) { h.destine("owner's other", "owner") },
		"to a hotkey without a uid": func(h *harness) {
			h.bind("vault", coldkeyOf("owner"))
			h.destine("owner's other", "vault")
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			s := scene(h)
			uid := h.registerFor(s, "owner's other", coldkeyOf("owner"))
			dodge(h)
			h.blocks(1)
			h.judge(s, "v1", uid, 3, 3, 1)
			h.judge(s, "v2", uid, 3, 3, 1)
			owner := h.stakeOn(s, "owner")
			events := h.untilEpoch(s)
			e, paid := one[*types.EventEpochPaid](h, events), h.paid(events)
			require.InDelta(t, 0.75, fixed.Q32(e.Withheld).Float64(), 1e-6)
			require.InEpsilon(t, 3*float64(paid["m1"].Incentive), float64(e.Burned), 1e-6)
			require.Zero(t, e.Uncovered)
			require.Equal(t, e.Owner+h.paid(events)["owner"].Dividends, h.stakeOn(s, "owner")-owner)
			require.Zero(t, h.stakeOn(s, "owner's other")+h.stakeOn(s, "vault"))
		})
	}
}

func TestSection4AMinerUnderTheMinimumOfCollateralEarnsNoIncentive(t *testing.T) {
	const minimum = 5 * tao
	for _, c := range []struct {
		name   string
		bonded uint64
		unbond uint64
		paid   bool
	}{
		{"none", 0, 0, false},
		{"a unit too little", minimum - 1, 0, false},
		{"exactly the minimum", minimum, 0, true},
		{"more", 2 * minimum, 0, true},
		{"the minimum, but a unit is unbonding", minimum, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withRule("min_collateral", minimum))
			s := scene(h)
			for _, m := range []string{"m1", "m2"} {
				h.stake(s, m, coldkeyOf(m), 100*tao)
			}
			h.bond(s, "m2", minimum)
			if c.bonded > 0 {
				h.bond(s, "m1", c.bonded)
			}
			if c.unbond > 0 {
				must(h, collateralkeeper.NewMsgServer(h.collateral).UnbondCollateral, &collateraltypes.MsgUnbondCollateral{
					Coldkey: coldkeyOf("m1").String(), Hotkey: addr("m1").String(), Netuid: s.Netuid, Alpha: c.unbond,
				})
			}
			h.judge(s, "v1", 3, 1, 4, 1)
			h.judge(s, "v2", 3, 1, 4, 1)
			before, burned := h.stakeOn(s, "m1"), h.pool(s).AlphaBurned
			events := h.untilEpoch(s)
			e, paid := one[*types.EventEpochPaid](h, events), h.paid(events)
			require.NotZero(t, paid["m2"].Incentive)
			require.Equal(t, e.Pending, e.Paid+e.Burned)
			require.Zero(t, e.Withheld, "it is not the owner's")
			if c.paid {
				require.NotZero(t, paid["m1"].Incentive)
				require.Zero(t, e.Uncovered+e.Burned)
				return
			}
			require.Zero(t, paid["m1"].Incentive)
			require.Equal(t, before, h.stakeOn(s, "m1"))
			require.InEpsilon(t, float64(paid["m2"].Incentive), float64(e.Uncovered), 1e-6)
			require.Equal(t, e.Uncovered, e.Burned)
			require.Equal(t, e.Burned, h.pool(s).AlphaBurned-burned)
		})
	}
}

// An owner that asks for collateral which its own miner has not bonded does not
// turn what would be withheld into what is merely uncovered.
func TestSection7AnOwnersMinerWithoutCollateralIsStillWithheld(t *testing.T) {
	h := newHarness(t, withRule("min_collateral", tao))
	s := scene(h)
	uid := h.registerFor(s, "owner's other", coldkeyOf("owner"))
	h.blocks(1)
	h.judge(s, "v1", uid, 1, 3, 1)
	h.judge(s, "v2", uid, 1, 3, 1)
	e := one[*types.EventEpochPaid](h, h.untilEpoch(s))
	require.InDelta(t, 0.5, fixed.Q32(e.Withheld).Float64(), 1e-6)
	require.InEpsilon(t, float64(e.Burned), 2*float64(e.Uncovered), 1e-6, "half the owner's, half m1's")
}
