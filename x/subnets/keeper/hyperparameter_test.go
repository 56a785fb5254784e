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

func TestSection3NobodySetsAHyperparameterOutOfItsBounds(t *testing.T) {
	e := newEnv(t, types.DefaultParams())
	e.create("ann")
	for _, r := range types.MainnetRules() {
		says := fmt.Sprintf("%s %%d: must be %d to %d", r.Name, r.Min, r.Max)
		for _, v := range []uint64{r.Min - 1, r.Max + 1, math.MaxUint64, 1 << 32} {
			if v >= r.Min && v <= r.Max { // there is nothing beyond the bounds of a u64
				continue
			}
			err := e.setAs(governance, 1, r.Name, v)
			require.ErrorIs(t, err, types.ErrInvalidHyperparameter, "%s %d", r.Name, v)
			require.ErrorContains(t, err, fmt.Sprintf("%s %d: must be", r.Name, v), says)
		}
	}
	e.holds()
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
