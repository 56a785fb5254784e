package keeper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
)

// allSecurity gives the whole reward to the chain's validators, so that what is
// minted is the reward, to the rao.
func allSecurity(p *types.Params) { p.SecurityShare = million }

func TestSection2IssuanceHalvesWhenAThresholdIsReached(t *testing.T) {
	// Half of the cap is one reward and a rao above genesis: the first block comes
	// near the threshold, the second crosses it, the third is halved.
	h := newHarness(t, withParams(func(p *types.Params) { allSecurity(p); p.Cap = 2 * (genesisRao + tao + 1) }))
	h.validator("v", 10*tao, "0.1")
	for i, want := range []uint64{tao, tao, tao / 2, tao / 2} {
		before := h.supply()
		e := one[*types.EventBlockReward](h, h.block(time.Second))
		require.Equal(t, want, h.supply()-before, "block %d", i+1)
		require.Equal(t, want, e.Minted)
		require.Equal(t, h.totals().Issued, e.Issued)
	}
}

func TestSection2NothingIsMintedAtTheCap(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { allSecurity(p); p.Cap = genesisRao }))
	h.validator("v", 10*tao, "0.1")
	s := h.subnet("owner")
	events := h.blocks(30)
	require.Empty(t, typed[*types.EventBlockReward](h, events))
	require.EqualValues(t, genesisRao, h.supply())
	require.NotZero(t, h.pool(s).AlphaPending, "alpha has its own curve")
}

func TestSection2AlphaIsNotIssuedPastItsCap(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { p.Cap = genesisRao + 3*tao }))
	s := h.subnet("owner")
	h.mintPending(s, genesisRao+3*tao-h.pool(s).AlphaIssued-1)
	require.NoError(t, h.alpha.PayPending(h.ctx, s.Id, []alphatypes.Payment{{To: alphatypes.Burned, Alpha: h.pool(s).AlphaPending}}))
	h.blocks(5)
	require.LessOrEqual(t, h.pool(s).AlphaIssued, uint64(genesisRao+3*tao))
}

func TestSection2GenesisPastTheCapIsRefused(t *testing.T) {
	h, g, _ := bareHarness(t)
	g.Params.Cap = genesisRao - 1
	g.Params.InitialReward = 1
	require.ErrorIs(t, h.k.InitGenesis(h.ctx, g), types.ErrInvalidGenesis)
}

func TestSection2TheFirstBlockCountsOneTargetAndASlowOneAtMostTwo(t *testing.T) {
	h := newHarness(t, withParams(allSecurity))
	h.validator("v", 10*tao, "0.1")
	for _, c := range []struct {
		name string
		next time.Duration // until the block after
		want uint64
	}{
		{"the first", 250 * time.Millisecond, tao},
		{"a hurried one", 1500 * time.Millisecond, tao / 4},
		{"a slow one", time.Hour, tao * 3 / 2},
		{"one after an hour", time.Millisecond, 2 * tao},
		{"one after a millisecond", 0, tao / 1000},
		{"one at the same time", time.Second, 0},
		{"one in time", time.Second, tao},
	} {
		before := h.supply()
		h.block(c.next)
		require.Equal(t, c.want, h.supply()-before, c.name)
	}
}

// A proposer that hurries or slows blocks mints the same in the same time: the
// carried numerator makes it exact for what is scaled, and the division of each
// block leaves less than a rao.
func TestSection2HurryingOrSlowingBlocksGainsNothing(t *testing.T) {
	rapid.Check(t, func(t2 *rapid.T) {
		h := newHarness(t, withParams(func(p *types.Params) { allSecurity(p); p.InitialReward = 7 }))
		h.validator("v", 10*tao, "0.1")
		h.block(0) // the first counts a target whatever its time
		before, start := h.supply(), h.ctx.BlockTime()
		var last time.Duration
		for _, ms := range rapid.SliceOfN(rapid.Int64Range(0, 2000), 1, 40).Draw(t2, "block times") {
			last = time.Duration(ms) * time.Millisecond
			h.block(last)
		}
		h.block(0)
		passed := h.ctx.BlockTime().Sub(start).Milliseconds()
		if got, want := h.supply()-before, uint64(7*passed/1000); got != want {
			t2.Fatalf("%d ms minted %d rao, want %d", passed, got, want)
		}
	})
}

func TestSection2TheSecurityShareFollowsBondedTokens(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { p.InitialReward = 1000 }))
	h.validator("large", 30*tao, "0.1")
	h.validator("small", 10*tao, "0")
	e := one[*types.EventBlockReward](h, h.block(time.Second))
	require.Equal(t, types.EventBlockReward{Minted: 100, Security: 100, Issued: genesisRao + 100}, *e,
		"without a subnet the rest is not minted")
	require.EqualValues(t, 100, h.totals().Security)

	outstanding := func(name string) string {
		r, err := h.distribution.GetValidatorOutstandingRewards(h.ctx, sdk.ValAddress(addr(name)))
		require.NoError(t, err)
		return r.Rewards.String()
	}
	require.Equal(t, "75.000000000000000000rao", outstanding("large"))
	require.Equal(t, "25.000000000000000000rao", outstanding("small"))
	commission, err := h.distribution.GetValidatorAccumulatedCommission(h.ctx, sdk.ValAddress(addr("large")))
	require.NoError(t, err)
	require.Equal(t, "7.500000000000000000rao", commission.Commission.String())
	require.EqualValues(t, 100, h.balance(distributiontypes.ModuleName), "x/distribution holds what it owes")

	before := h.bank.GetBalance(h.ctx, addr("small"), types.Denom).Amount
	_, err = h.distribution.WithdrawDelegationRewards(h.ctx, addr("small"), sdk.ValAddress(addr("small")))
	require.NoError(t, err)
	require.EqualValues(t, 25, h.bank.GetBalance(h.ctx, addr("small"), types.Denom).Amount.Sub(before).Int64())
}

func TestSection2WithoutABondedValidatorTheSecurityShareIsNotMinted(t *testing.T) {
	h := newHarness(t)
	require.Empty(t, typed[*types.EventBlockReward](h, h.blocks(3)))
	require.EqualValues(t, genesisRao, h.supply())

	s := h.subnet("owner")
	before := h.supply()
	e := one[*types.EventBlockReward](h, h.block(time.Second))
	require.Equal(t, uint64(tao*9/10), e.Minted, "the subnets' part is minted all the same")
	require.Zero(t, e.Security)
	require.Equal(t, e.Minted, h.supply()-before)
	require.Equal(t, e.Minted, h.emission(s).TaoTotal)
}

func TestSection2WhatTheSDKBurnsIsCounted(t *testing.T) {
	h := newHarness(t)
	h.validator("v", 100*tao, "0.1")
	v, err := h.staking.GetValidator(h.ctx, sdk.ValAddress(addr("v")))
	require.NoError(t, err)
	cons, err := v.GetConsAddr()
	require.NoError(t, err)
	power := v.ConsensusPower(h.staking.PowerReduction(h.ctx))
	burned, err := h.staking.Slash(h.ctx, cons, h.ctx.BlockHeight(), power, sdkmath.LegacyNewDecWithPrec(5, 2))
	require.NoError(t, err)
	require.EqualValues(t, 5*tao, burned.Int64())
	h.check() // also within the block

	events := h.block(time.Second)
	require.EqualValues(t, 5*tao, one[*types.EventBurned](h, events).Tao)
	require.EqualValues(t, 5*tao, h.totals().Burned)
	require.EqualValues(t, genesisRao-5*tao+tao/10, h.supply())
	require.Empty(t, typed[*types.EventBurned](h, h.block(time.Second)), "it is counted once")
}

func TestABurnThatFailsIsNotCounted(t *testing.T) {
	h := newHarness(t)
	c := burnCounter{Keeper: h.bank, uncounted: h.k.uncounted}
	require.Error(t, c.BurnCoins(h.ctx, stakingtypes.BondedPoolName, coins(1)))
	require.Empty(t, typed[*types.EventBurned](h, h.block(time.Second)))
}

func TestASecurityShareThatFailsIsDroppedWithAnEvent(t *testing.T) {
	h := newHarness(t)
	h.validator("v", 10*tao, "0.1")
	s := h.subnet("owner")
	h.k.distribution = brokenDistribution{}
	before := h.supply()
	events := h.block(time.Second)
	failed := one[*types.EventSubnetFailed](h, events)
	require.Zero(t, failed.SubnetId)
	require.Contains(t, failed.Reason, "out of order")
	require.Equal(t, uint64(tao*9/10), h.supply()-before)
	require.NotZero(t, h.emission(s).TaoTotal)
}
