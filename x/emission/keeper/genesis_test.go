package keeper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestGenesisCountsTheBanksSupplyAsIssued(t *testing.T) {
	h := newHarness(t)
	require.Equal(t, types.Totals{Issued: genesisRao}, h.totals())
	require.NoError(t, h.k.CheckInvariants(h.ctx))
}

func TestExportImportExportGivesEqualFiles(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { noMoving(p); p.InitialReward = tao + 1 }))
	h.validator("v1", 1_000*tao, "0.1")
	s := scene(h)
	rich(h, s)
	for range 7 {
		h.block(333 * time.Millisecond)
	}
	g, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	require.NotZero(t, g.TaoRemainder)
	require.NotZero(t, g.Subnets[0].AlphaRemainder)
	require.NotZero(t, g.Subnets[0].RootPot)
	require.NotZero(t, g.Clock.LastTime)

	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	file := cdc.MustMarshalJSON(g)
	var read types.GenesisState
	cdc.MustUnmarshalJSON(file, &read)

	other, _, _ := bareHarness(t)
	require.NoError(t, other.bank.MintCoins(other.ctx, types.ModuleName, coins(h.supply()-genesisRao)))
	require.NoError(t, other.k.InitGenesis(other.ctx, read))
	again, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, string(file), string(cdc.MustMarshalJSON(again)))
}

// What is burned at the end of a block after its totals were made is counted with the next
// block, on a chain that was imported meanwhile too.
func TestSection2WhatIsBurnedAfterTheTotalsIsCountedWithTheNextBlockOfAnImportedChainToo(t *testing.T) {
	h, g, _ := bareHarness(t)
	g.Totals, g.Uncounted = types.Totals{Issued: genesisRao + 7, Burned: 2}, 5
	require.NoError(t, g.Validate())
	require.NoError(t, h.k.InitGenesis(h.ctx, g))
	again, err := h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Equal(t, g.Totals, again.Totals)
	require.EqualValues(t, 5, again.Uncounted)
	require.NoError(t, h.k.CheckInvariants(h.ctx))
	require.NoError(t, h.k.countBurns(h.ctx))
	require.EqualValues(t, 7, h.totals().Burned)
	again, err = h.k.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Zero(t, again.Uncounted)
}

func TestGenesisWhoseTotalsDoNotExplainTheSupplyIsRefused(t *testing.T) {
	for name, totals := range map[string]types.Totals{
		"a rao too few":    {Issued: genesisRao - 1},
		"a rao too many":   {Issued: genesisRao + 1},
		"a rao not burned": {Issued: genesisRao + 5, Burned: 4},
	} {
		t.Run(name, func(t *testing.T) {
			h, g, _ := bareHarness(t)
			g.Totals = totals
			require.NoError(t, g.Validate())
			require.ErrorIs(t, h.k.InitGenesis(h.ctx, g), types.ErrInvalidGenesis)
		})
	}
	h, g, _ := bareHarness(t)
	g.Totals = types.Totals{Issued: genesisRao + 5, Burned: 5, Recycled: 7}
	require.NoError(t, h.k.InitGenesis(h.ctx, g))
}

func TestHostileGenesisIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*types.GenesisState)
		word   string
	}{
		{"bad parameters", func(g *types.GenesisState) { g.Params.Cap = 0 }, "cap"},
		{"burned without issued", func(g *types.GenesisState) { g.Totals.Burned = 1 }, "nothing is issued"},
		{"more burned than issued", func(g *types.GenesisState) { g.Totals = types.Totals{Issued: 1, Burned: 2} }, "2 + 0 of them burned"},
		{"uncounted without issued", func(g *types.GenesisState) { g.Uncounted = 1 }, "nothing is issued"},
		{"more uncounted than is left", func(g *types.GenesisState) { g.Totals, g.Uncounted = types.Totals{Issued: 2, Burned: 1}, 2 }, "1 + 2 of them burned"},
		{"past the cap", func(g *types.GenesisState) { g.Totals.Issued = g.Params.Cap + 1 }, "cap"},
		{"a time before 1970", func(g *types.GenesisState) { g.Clock.LastTime = -1 }, "clock"},
		{"a remainder of a whole rao", func(g *types.GenesisState) { g.TaoRemainder = 1000 }, "tao_remainder"},
		{"a subnet twice", func(g *types.GenesisState) { g.Subnets = make([]types.SubnetEmission, 2) }, "twice"},
		{"more than all withheld", func(g *types.GenesisState) { g.Subnets = []types.SubnetEmission{{Withheld: 1<<32 + 1}} }, "withheld"},
		{"a moving price above 1", func(g *types.GenesisState) {
			g.Subnets = []types.SubnetEmission{{MovingPrice: fixed.OneQ64().Add(fixed.Q64FromRaw(0, 1))}}
		}, "moving price"},
		{"a remainder of a whole unit", func(g *types.GenesisState) { g.Subnets = []types.SubnetEmission{{AlphaRemainder: 1000}} }, "alpha_remainder"},
		{"pending alpha that overflows", func(g *types.GenesisState) {
			g.Subnets = []types.SubnetEmission{{PendingMiners: 1 << 63, PendingOwner: 1 << 63}}
		}, "64 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := types.GenesisState{Params: types.LocalParams()}
			require.NoError(t, g.Validate())
			c.change(&g)
			require.ErrorContains(t, g.Validate(), c.word)
		})
	}
	require.NoError(t, types.DefaultGenesis().Validate())
}

func TestInvariantsFindWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*harness)
		word  string
	}{
		{"a rao minted past the totals", func(h *harness) {
			require.NoError(h.t, h.bank.MintCoins(h.ctx, types.ModuleName, coins(1)))
		}, "were issued"},
		{"a rao burned past the counter", func(h *harness) {
			require.NoError(h.t, h.bank.SendCoinsFromAccountToModule(h.ctx, addr(treasury), types.ModuleName, coins(1)))
			require.NoError(h.t, h.bank.BurnCoins(h.ctx, types.ModuleName, coins(1)))
		}, "were issued"},
		{"a rao sent to the account", func(h *harness) {
			require.NoError(h.t, h.bank.SendCoinsFromAccountToModule(h.ctx, addr(treasury), types.ModuleName, coins(1)))
		}, "root pots"},
		{"a unit pending that nobody waits for", func(h *harness) {
			h.mintPending(subnetstypes.Subnet{Id: 1}, 1)
		}, "alpha pending"},
		{"alpha that waits for no subnet", func(h *harness) {
			require.NoError(h.t, h.k.emissions.Set(h.ctx, 9, types.SubnetEmission{SubnetId: 9, PendingOwner: 1}))
		}, "no pool"},
		{"a cap below what is issued", func(h *harness) {
			p := types.LocalParams()
			p.Cap = genesisRao - 1
			require.NoError(h.t, h.k.params.Set(h.ctx, p))
		}, "the cap is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			require.EqualValues(t, 1, h.subnet("owner").Id)
			h.blocks(2)
			require.NoError(t, h.k.CheckInvariants(h.ctx))
			c.spoil(h)
			err := h.k.CheckInvariants(h.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.word)
		})
	}
}
