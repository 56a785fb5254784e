package keeper_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/subnets/types"
)

func TestSection3AnOwnerSetsWhatIsHis(t *testing.T) {
	for _, r := range local().Hyperparameters {
		t.Run(r.Name, func(t *testing.T) {
			e := newEnv(t, local())
			e.started("ann")
			err := e.set("ann", 1, r.Name, r.Default)
			if r.Owner {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, types.ErrNotOwner)
				require.ErrorContains(t, err, r.Name+" is set by governance")
			}
			require.ErrorIs(t, e.setAs(addr("thief").String(), 1, r.Name, r.Default), types.ErrNotOwner)
			require.NoError(t, e.setAs(governance, 1, r.Name, r.Default))
			require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventHyperparameterSet"), `"`+r.Name+`"`)
		})
	}
}

func TestSection3EachIsSetWithinItsBoundsAndNotOneBeyond(t *testing.T) {
	base := newEnv(t, types.DefaultParams())
	base.create("ann")
	for _, r := range types.MainnetRules() {
		t.Run(r.Name, func(t *testing.T) {
			signer := addr("ann's coldkey").String()
			if !r.Owner {
				signer = governance
			}
			try := func(v uint64) error {
				e := *base
				e.ctx, _ = base.ctx.CacheContext()
				// Room for every other, so that only this one's bounds can refuse.
				s, err := e.k.SubnetByNetuid(e.ctx, 1)
				require.NoError(t, err)
				require.NoError(t, e.roomFor(s, r.Name))
				err = e.setAs(signer, 1, r.Name, v)
				if err == nil {
					in := e.info(1, r.Name)
					if in.Scheduled != nil {
						in.Value = in.Scheduled.Value
					}
					require.Equal(t, v, in.Value)
				}
				return err
			}
			if r.Name == "immunity_period" { // 0 is a bound that the relation to the tempo never lets anybody reach
				require.ErrorContains(t, try(0), "immunity_period 0 must be above (reveal_period 1 + 1) · tempo 10 = 20 blocks")
				require.NoError(t, try(21))
			} else {
				require.NoError(t, try(r.Min), "min")
			}
			require.NoError(t, try(r.Max), "max")
			for _, v := range []uint64{r.Min - 1, r.Max + 1, math.MaxUint64, 1 << 32} {
				if v >= r.Min && v <= r.Max { // there is nothing beyond the bounds of a u64
					continue
				}
				err := try(v)
				require.ErrorIs(t, err, types.ErrInvalidHyperparameter)
				require.ErrorContains(t, err, fmt.Sprintf("%s %d: must be", r.Name, v))
			}
		})
	}
	base.holds()
}

// roomFor stores hyperparameters with which the relations allow every value of one.
func (e *env) roomFor(s types.Subnet, name string) error {
	h := &s.Hyperparameters
	h.Tempo, h.RevealPeriod, h.ImmunityPeriod, h.ActivityCutoff = 360, 1, 65_535, 65_535
	h.MaxUids, h.MinAllowedWeights, h.AlphaLow, h.AlphaHigh = 4_096, 1, 500_000, 500_000
	h.MinBurn, h.MaxBurn = tao, tao
	switch name {
	case "tempo", "weights_rate_limit":
		h.Tempo, h.WeightsRateLimit = 7_200, 10
	case "activity_cutoff", "immunity_period":
		h.Tempo, h.WeightsRateLimit = 10, 10 // as if set when the tempo's bounds were lower
	case "alpha_low":
		h.AlphaHigh = 999_999
	case "alpha_high":
		h.AlphaLow = 1
	case "min_burn":
		h.MaxBurn = 1_000 * tao
	case "max_burn":
		h.MinBurn = tao / 2_000
	}
	g, err := e.k.ExportGenesis(e.ctx)
	if err != nil {
		return err
	}
	g.Subnets[0] = s
	return e.k.InitGenesis(e.ctx, *g)
}

func TestSection3AQueryTellsTheFirstBlockInWhichAnOwnerMaySet(t *testing.T) {
	e := newEnv(t, local()) // tempo 10: the last 2 blocks are frozen
	s := e.started("ann")
	for _, c := range []struct {
		height, set, due, next int64
		why                    string
	}{
		{5, 0, 0, 6, "before the start nothing is frozen"},
		{5, 0, 20, 6, "far from the epoch"},
		{17, 0, 20, 18, "the last block that is free"},
		{18, 0, 20, 21, "frozen up to the epoch"},
		{20, 0, 20, 22, "an epoch that waits for others runs in the next block at the earliest"},
		{5, 3, 20, 23, "two tempos after the last"},
		{5, 9, 20, 31, "two tempos after the last is close to the epoch after the next"},
		{5, 1, 30, 21, ""},
	} {
		ctx, _ := e.ctx.CacheContext()
		in := *e
		in.ctx = ctx.WithBlockHeight(c.height)
		delete(e.net.due, s.Id)
		if c.set > 0 {
			in.ctx = ctx.WithBlockHeight(c.set)
			require.NoError(t, in.set("ann", 1, "bonds_penalty", 1))
			in.ctx = ctx.WithBlockHeight(c.height)
		}
		if c.due > 0 {
			e.net.due[s.Id] = c.due
		}
		require.Equal(t, c.next, in.info(1, "bonds_penalty").NextHeight, c.why)
		require.Zero(t, in.info(1, "kappa").NextHeight, "only governance may")
		in.ctx = ctx.WithBlockHeight(c.next)
		if c.next < c.due { // as the schedule is now it is true
			require.NoError(t, in.set("ann", 1, "bonds_penalty", 2), c.why)
		}
	}
	all, err := e.query.Hyperparameters(e.ctx, &types.QueryHyperparametersRequest{Netuid: 1})
	require.NoError(t, err)
	require.Equal(t, e.ctx.BlockHeight(), all.Height)
	var rules []types.HyperparameterRule
	for _, h := range all.Hyperparameters {
		rules = append(rules, h.Rule)
	}
	require.Equal(t, local().Hyperparameters, rules)
	_, err = e.query.Hyperparameters(e.ctx, &types.QueryHyperparametersRequest{Netuid: 2})
	require.ErrorIs(t, err, types.ErrNoSubnet)
}

func TestSection3ACrossRuleNamesItsNumbers(t *testing.T) {
	for _, c := range []struct {
		name  string
		value uint64
		says  string
	}{
		{"immunity_period", 20, "immunity_period 20 must be above (reveal_period 1 + 1) · tempo 10 = 20 blocks"},
		{"reveal_period", 5, "immunity_period 60 must be above (reveal_period 5 + 1) · tempo 10 = 60 blocks"},
		{"tempo", 30, "immunity_period 60 must be above (reveal_period 1 + 1) · tempo 30 = 60 blocks"},
		{"weights_rate_limit", 11, "weights_rate_limit 11 must be at most the tempo, 10 blocks"},
		{"min_allowed_weights", 257, "min_allowed_weights 257 must be at most max_uids 256"},
		{"max_uids", 16, "max_uids 16 is below the 17 neurons present"},
		{"alpha_low", 900_001, "alpha_low 900001 must be at most alpha_high 900000"},
		{"alpha_high", 699_999, "alpha_low 700000 must be at most alpha_high 699999"},
		{"max_burn", tao / 2_000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv(t, local())
			e.started("ann")
			e.fill(1, 17)
			err := e.setAs(governance, 1, c.name, c.value) // cross rules hold for governance too
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, types.ErrInvalidHyperparameter)
			require.ErrorContains(t, err, c.says)
		})
	}
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.set("ann", 1, "activity_cutoff", 30))
	require.ErrorContains(t, e.set("ann", 1, "reveal_period", 2), "activity_cutoff 30 must be above (reveal_period 2 + 1) · tempo 10 = 30 blocks")
	require.NoError(t, e.set("ann", 1, "min_burn", tao))
	require.ErrorContains(t, e.set("ann", 1, "max_burn", tao-1), "min_burn 1000000000 must be at most max_burn 999999999 rao")
	e.holds()
}

func TestSection3EachIsSetOncePerTwoTempos(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	e.pass(4) // block 5
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 1))
	e.pass(19)
	err := e.set("ann", 1, "bonds_penalty", 2)
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "once in 2 tempos of 10 blocks; it was set in block 5, the first block that will be accepted is 25 (this is for block 24)")
	require.NoError(t, e.set("ann", 1, "min_burn", tao), "another has its own limit")
	require.NoError(t, e.setAs(governance, 1, "bonds_penalty", 3), "governance is not bound to it")
	e.pass(1)
	require.ErrorContains(t, e.set("ann", 1, "bonds_penalty", 2), "it was set in block 24", "but counts")
	e.pass(19)
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 2))
}

func TestSection3NothingIsSetInTheLastBlocksOfATempo(t *testing.T) {
	for _, c := range []struct{ tempo, frozen int64 }{{10, 2}, {40, 10}, {400, 10}} {
		t.Run(fmt.Sprint("tempo ", c.tempo), func(t *testing.T) {
			p := withRule(local(), "tempo", func(r *types.HyperparameterRule) { r.Default = uint64(c.tempo) })
			p = withRule(p, "immunity_period", func(r *types.HyperparameterRule) { r.Default = 5_000 })
			p = withRule(p, "activity_cutoff", func(r *types.HyperparameterRule) { r.Default = 5_000 })
			e := newEnv(t, p)
			s := e.started("ann")
			const due = 1_000
			e.net.due[s.Id] = due
			at := func(height int64) error {
				m := &types.MsgSetHyperparameter{Signer: addr("ann's coldkey").String(), Netuid: 1, Name: "bonds_penalty", Value: 7}
				ctx, _ := e.ctx.WithBlockHeight(height).CacheContext()
				_, err := e.msgs.SetHyperparameter(ctx, m)
				return err
			}
			require.NoError(t, at(due-c.frozen))
			for _, height := range []int64{due - c.frozen + 1, due} {
				err := at(height)
				require.ErrorIs(t, err, types.ErrFrozen)
				require.ErrorContains(t, err, fmt.Sprintf("due in block %d and nothing is set in the last %d blocks up to it: the first block that will be accepted is %d (this is for block %d)", due, c.frozen, due+1, height))
			}
			require.ErrorContains(t, at(due+3), "the first block that will be accepted is 1004", "an epoch that waits for others")
			ctx, _ := e.ctx.WithBlockHeight(due).CacheContext()
			_, err := e.msgs.SetHyperparameter(ctx, &types.MsgSetHyperparameter{Signer: governance, Netuid: 1, Name: "kappa", Value: 7})
			require.NoError(t, err, "nobody chooses the block in which a proposal passes")
		})
	}
}

func TestSettingBurnBoundsMovesThePriceIntoThem(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	require.NoError(t, e.set("ann", 1, "max_burn", tao/20))
	require.EqualValues(t, tao/20, e.burn(s))
	require.NoError(t, e.setAs(governance, 1, "max_burn", tao))
	require.NoError(t, e.set("ann", 1, "min_burn", tao/2))
	require.EqualValues(t, tao/2, e.burn(s))
	e.holds()
}

func TestAnUnknownHyperparameterIsAnsweredWithTheKnown(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	err := e.set("ann", 1, "Tempo", 20)
	require.ErrorIs(t, err, types.ErrNoHyperparameter)
	require.ErrorContains(t, err, `"Tempo": there are tempo, max_uids, `)
	require.Less(t, len(e.set("ann", 1, string(make([]byte, 1<<20)), 20).Error()), 1_000)
}

func TestHyperparametersKeepTheirRulesWhateverIsSet(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	e.fill(1, 20)
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		for range 30 {
			r := rapid.SampledFrom(local().Hyperparameters).Draw(rt, "rule")
			signer := rapid.SampledFrom([]string{governance, addr("ann's coldkey").String()}).Draw(rt, "signer")
			v := rapid.OneOf(rapid.Uint64Range(r.Min, r.Max), rapid.Uint64(), rapid.Uint64Range(0, 300)).Draw(rt, "value")
			before := e.subnet(1).Hyperparameters
			if err := e.setAs(signer, 1, r.Name, v); err != nil {
				require.Equal(rt, before, e.subnet(1).Hyperparameters)
			} else {
				in := e.info(1, r.Name)
				if in.Scheduled != nil {
					require.Equal(rt, before, e.subnet(1).Hyperparameters)
					in.Value = in.Scheduled.Value
				}
				require.Equal(rt, v, in.Value)
			}
			require.NoError(rt, e.k.CheckInvariants(e.ctx))
			e.pass(1)
		}
	})
}

func TestGovernanceReplacesTheParameters(t *testing.T) {
	e := newEnv(t, local())
	p := types.DefaultParams()
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: addr("ann").String(), Params: p})
	require.ErrorContains(t, err, "may not set parameters, only governance ("+governance+")")
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: types.Params{}})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	got, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, p, got.Params)
}
