package app_test

import (
	"encoding/json"
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	abci "github.com/cometbft/cometbft/abci/types"

	"cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

func TestMinersArePaidForWhatValidatorsMeasuredAndSellIt(t *testing.T) {
	c := newChain(t)
	settle(c)
	c.epoch()
	require.Zero(t, c.stakeOf("miner-1", "miner-1-hot"))
	c.judge(60_000, 20_000)
	first, second := c.stakeOf("miner-1", "miner-1-hot"), c.stakeOf("miner-2", "miner-2-hot")
	require.Positive(t, second)
	require.InDelta(t, 3, float64(first)/float64(second), 0.01)
	require.Greater(t, c.stakeOf("validator-1", "validator-1-hot"), c.stakeOf("validator-2", "validator-2-hot"))

	before := c.balance("miner-1")
	c.run([]string{"miner-1"}, &alphatypes.MsgUnstake{
		Coldkey: text("miner-1"), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: first, LimitPrice: 1,
	})
	require.Greater(t, c.balance("miner-1"), before)
	require.Zero(t, c.stakeOf("miner-1", "miner-1-hot"))
}

func TestTheSameTransactionsGiveTheSameAppHashProposedOrReplayed(t *testing.T) {
	first, second := newChain(t), newChain(t)
	second.replay = true
	live(first)
	live(second)
	require.Equal(t, first.height, second.height)
	require.Equal(t, first.lastHash, second.lastHash)
	require.Equal(t, first.events, second.events)
}

func TestAStateExportsTheSameAfterItsImportAndGoesOn(t *testing.T) {
	c := newChain(t)
	live(c)
	exported, err := app.Export(log.NewNopLogger(), c.db, options, genesis(t), 0)
	require.NoError(t, err)
	require.Equal(t, c.height+1, exported.InitialHeight)
	require.Equal(t, c.time, exported.GenesisTime)

	again, err := app.Export(log.NewNopLogger(), dbm.NewMemDB(), options, exported, 0)
	require.NoError(t, err)
	require.Equal(t, indented(t, exported), indented(t, again))

	imported := chainOf(t, exported)
	epochs := c.epochs()
	imported.blocks(25)
	require.GreaterOrEqual(t, imported.epochs(), epochs+2)
	require.Equal(t, c.balance("user"), imported.balance("user"))
}

func TestAPastBlockCanBeExported(t *testing.T) {
	c := newChain(t)
	c.blocks(3)
	exported, err := app.Export(log.NewNopLogger(), c.db, options, genesis(t), 2)
	require.NoError(t, err)
	require.EqualValues(t, 3, exported.InitialHeight)
	_, err = app.Export(log.NewNopLogger(), c.db, options, genesis(t), 99)
	require.ErrorContains(t, err, "block 99 can't be exported")
}

func TestABrokenInvariantStopsTheChainWithItsName(t *testing.T) {
	c := newChain(t)
	// A rao from nowhere.
	ctx := c.NewNextBlockContext(cmtproto.Header{ChainID: chainID, Height: c.height + 1, Time: c.time})
	require.NoError(t, c.Bank.MintCoins(ctx, emissiontypes.ModuleName, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 1))))
	_, err := c.FinalizeBlock(&abci.RequestFinalizeBlock{
		Height: c.height + 1, Time: c.time, ProposerAddress: consensusKey().PubKey().Address(),
	})
	require.ErrorContains(t, err, "invariants of emission at block 2")
}

func indented(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	return string(raw)
}
