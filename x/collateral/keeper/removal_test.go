package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// small is a chain with room for one subnet, whose immunity soon ends, and that
// sweeps so many records a block.
func small(sweep uint32) func(*subnetstypes.Params) {
	return func(p *subnetstypes.Params) {
		p.MaxSubnets, p.NetworkImmunity, p.SweepKeysPerBlock = 1, 5, sweep
	}
}

func TestSection3ARemovedSubnetsClaimsLapseAndDepositsGoBack(t *testing.T) {
	for name, sweep := range map[string]uint32{"at once": 1_000, "bit by bit": 10} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, small(sweep))
			e.lock("miner", 100*whole)
			e.unbond("miner", 30*whole)
			e.lock("other", 10*whole)
			e.people("heir")
			e.blocks(2)
			rao := e.rao("v1")
			e.claim("v2", 5) // fails before: v2 waits
			e.blocks(tempo + 1)
			require.Len(t, e.exported().Waits, 1)
			id := e.claim("v1", minerUID).ClaimId
			require.False(t, e.confirm(id, "v1", "v2"))
			supply, gone := e.supply(), e.subnet().Id
			e.create("heir")

			_, err := e.tryConfirm(hot("v3"), id)
			require.ErrorIs(t, err, types.ErrNoClaim)
			require.ErrorContains(t, err, "lapsed")
			_, err = send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str("miner"), ClaimId: id, Hash: hash, Url: "x"})
			require.ErrorIs(t, err, types.ErrNoClaim)
			e.blocks(60)
			require.Equal(t, rao+holding(e, "v1"), e.rao("v1"), "the deposit came back, and what v1 held was paid out")
			require.Len(t, e.events(&types.EventClaimLapsed{}), 1)
			require.Len(t, e.events(&types.EventClaimFailed{}), 1, "the one before the removal")
			require.Empty(t, e.events(&types.EventCollateralReleased{}))
			require.Empty(t, e.events(&types.EventWorkPutOff{}))
			require.Less(t, e.supply(), supply, "only recycled TAO of the pool left")
			g := e.exported()
			require.Empty(t, g.Collaterals)
			require.Empty(t, g.Claims)
			require.Empty(t, g.Voters)
			require.Empty(t, g.Waits)
			locks, err := e.alpha.Locks(e.ctx)
			require.NoError(t, err)
			require.Empty(t, locks)
			bonded, err := e.k.Bonded(e.ctx, gone, addr(hot("miner")))
			require.NoError(t, err)
			require.Zero(t, bonded)
			e.holds()
		})
	}
}

// holding is what a name was paid as a holder of a removed subnet's alpha.
func holding(e *env, name string) (tao uint64) {
	for _, ev := range e.passed {
		paid, of := uint64(0), ""
		for _, a := range ev.Attributes {
			switch {
			case ev.Type != "lode.alpha.v1.EventHolderPaid":
			case a.Key == "tao":
				paid = number(e, a.Value)
			case a.Key == "coldkey":
				of = a.Value
			}
		}
		if of == `"`+str(name)+`"` {
			tao += paid
		}
	}
	return tao
}

func TestSection3ASuccessorInTheSlotInheritsNothing(t *testing.T) {
	e := newEnv(t, small(10))
	e.lock("miner", 100*whole)
	e.claim("v1", minerUID)
	e.people("heir")
	e.blocks(7)
	e.create("heir")
	e.stake("miner", 50*whole)
	uid := e.register("miner")
	e.judge("heir", 1)
	require.Zero(t, e.at("miner").Collateral.Bonded)
	require.Zero(t, e.at("miner").ClaimId)
	e.lock("miner", 10*whole)
	r := e.claim("heir", uid)
	require.EqualValues(t, whole, r.Frozen)
	e.blocks(4)
	require.True(t, e.confirm(r.ClaimId, "heir"))
	require.EqualValues(t, 9*whole, e.at("miner").Collateral.Bonded)
}

func TestAStateBetweenRemovalAndSweepIsAValidGenesis(t *testing.T) {
	e := newEnv(t, small(10))
	e.lock("miner", 100*whole)
	e.people("heir")
	e.unbond("miner", 100*whole)
	e.blocks(unbond - 3)
	e.claim("v1", minerUID)
	e.create("heir")
	for range tempo + 5 { // what comes due before the sweep gets there
		require.NoError(t, e.k.EndBlocker(e.ctx))
		require.NoError(t, e.k.CheckInvariants(e.ctx))
		require.NoError(t, e.exported().Validate())
		e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1).WithBlockTime(e.ctx.BlockTime().Add(time.Second))
	}
	require.Empty(t, e.exported().Claims, "its time was up")
	require.Len(t, e.events(&types.EventClaimLapsed{}), 1)
	require.Len(t, e.exported().Collaterals, 1)
	e.blocks(30)
	require.Empty(t, e.exported().Collaterals)
}
