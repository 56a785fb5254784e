package app_test

import (
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/baseapp"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/store/v2/snapshots"
	snapshottypes "github.com/cosmos/cosmos-sdk/store/v2/snapshots/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

// createValidator makes an account a validator, with a consensus key of its name.
func createValidator(t testing.TB, name string) sdk.Msg {
	t.Helper()
	key, err := codectypes.NewAnyWithValue(consensusKeyOf(name).PubKey())
	require.NoError(t, err)
	return &stakingtypes.MsgCreateValidator{
		Description: stakingtypes.Description{Moniker: name}, ValidatorAddress: sdk.ValAddress(addr(name)).String(), Pubkey: key,
		Commission:        stakingtypes.NewCommissionRates(math.LegacyZeroDec(), app.MaxCommission, math.LegacyZeroDec()),
		MinSelfDelegation: math.OneInt(), Value: sdk.NewInt64Coin(app.BaseDenom, 5*tao),
	}
}

func TestSection2CreatingAValidatorNeedsAVRFKeyInForce(t *testing.T) {
	c := newChain(t)
	create := createValidator(t, "user")
	res := c.block(c.sign(paid, []string{"user"}, create))[0]
	require.Contains(t, res.Log, "a validator needs a VRF key")
	register := seedtypes.NewMsgRegisterVRFKey(chainID, addr("user"), vrfKey("user"))
	res = c.block(c.sign(paid, []string{"user"}, register, create))[0]
	require.Contains(t, res.Log, "in force from block 23 on: create the validator then")
	c.run([]string{"user"}, register)
	c.blocks(17)
	res = c.block(c.sign(paid, []string{"user"}, create))[0]
	require.Contains(t, res.Log, "in force from block 24 on")
	c.run([]string{"user"}, create)

	// From its first block on it proves.
	c.blocks(2)
	c.turn("user")
	c.block()
	require.Equal(t, text("user"), c.seedAt(c.height).Operator)
	require.True(t, c.seedAt(c.height).Proved())
}

func TestSection2AKeyIsKeptWhileItsValidatorMayProposeAndGoesWithIt(t *testing.T) {
	c := newChain(t)
	c.run([]string{"user"}, seedtypes.NewMsgRegisterVRFKey(chainID, addr("user"), vrfKey("user")))
	c.blocks(20)
	c.run([]string{"user"}, createValidator(t, "user"))
	c.blocks(2)
	c.run([]string{"user"}, stakingtypes.NewMsgUndelegate(text("user"), sdk.ValAddress(addr("user")).String(), sdk.NewInt64Coin(app.BaseDenom, 5*tao)))
	// The set of two blocks later is without it; until then it may propose. Even an
	// hour between the blocks, longer than it takes to unbond, changes nothing.
	c.time = c.time.Add(time.Hour)
	c.turn("user")
	c.block()
	require.True(t, c.seedAt(c.height).Proved())

	c.turn(validator)
	c.time = c.time.Add(time.Hour)
	c.blocks(2)
	_, err := c.Staking.GetValidator(c.query(), sdk.ValAddress(addr("user")))
	require.ErrorIs(t, err, stakingtypes.ErrNoValidatorFound)
	_, ok, err := c.Seed.VRFKey(c.query(), addr("user"))
	require.NoError(t, err)
	require.False(t, ok)
}

func TestSection2ARotationOfTheConsensusKeyIsFollowedBlockByBlock(t *testing.T) {
	c := newChain(t)
	c.run([]string{"user"}, send("user", validator, 10*tao))
	next, err := codectypes.NewAnyWithValue(consensusKeyOf("rotated").PubKey())
	require.NoError(t, err)
	c.run([]string{validator}, &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: sdk.ValAddress(addr(validator)).String(), NewPubkey: next})

	// CometBFT lets the old key propose one more block, then the new one.
	c.block()
	require.True(t, c.seedAt(c.height).Proved())
	c.proposer = sdk.ConsAddress(consensusKeyOf("rotated").PubKey().Address())
	for range 4 {
		c.block()
		c.voter = c.proposer // its votes are in the next block
		s := c.seedAt(c.height)
		require.True(t, s.Proved())
		require.Equal(t, text(validator), s.Operator)
		require.EqualValues(t, c.proposer, s.Proposer)
	}
}

// reopen is the chain on its database as it is, in a process of its own.
func (c *chain) reopen() *chain {
	c.t.Helper()
	next := *c
	next.App = newApp(c.t, c.db, options, log.NewNopLogger())
	next.events, next.sequence = nil, map[string]uint64{}
	return &next
}

func TestSection2ARestartAndAReplayGiveTheSameSeeds(t *testing.T) {
	straight := newChain(t)
	straight.blocks(6)
	c := newChain(t)
	c.blocks(3)
	// A proposal that was accepted, and run at once, is dropped by the restart.
	require.Equal(t, accepted.String(), c.propose(c.frame(), c.sign(paid, []string{"user"}, send("user", "owner", 1))).String())
	clear(c.sequence)
	again := c.reopen()
	again.replay = true // the handshake runs decided blocks without a proposal
	again.blocks(2)
	again = again.reopen()
	again.block()
	require.Equal(t, straight.seed, again.seed)
	require.Equal(t, straight.lastHash, again.lastHash)
	// A round that fails is followed by another proposal of the same height.
	require.Equal(t, accepted.String(), again.propose(again.frame(), again.sign(paid, []string{"user"}, send("user", "owner", 1))).String())
	clear(again.sequence)
	again.block()
	straight.block()
	require.Equal(t, straight.lastHash, again.lastHash)
}

func TestSection2ANodeThatSyncsTheStateGoesOnWithTheSameSeeds(t *testing.T) {
	snapshotted := func() baseappOption {
		store, err := snapshots.NewStore(dbm.NewMemDB(), t.TempDir())
		require.NoError(t, err)
		return baseapp.SetSnapshot(store, snapshottypes.NewSnapshotOptions(0, 2))
	}
	source := newChain(t)
	source.App = app.New(log.NewNopLogger(), source.db, options, baseapp.SetChainID(chainID), snapshotted())
	source.blocks(4)
	_, err := source.SnapshotManager().Create(uint64(source.height))
	require.NoError(t, err)
	list, err := source.ListSnapshots(&abci.RequestListSnapshots{})
	require.NoError(t, err)
	require.Len(t, list.Snapshots, 1)

	joined := *source
	joined.db = dbm.NewMemDB()
	joined.App = app.New(log.NewNopLogger(), joined.db, options, baseapp.SetChainID(chainID), snapshotted())
	offer, err := joined.OfferSnapshot(&abci.RequestOfferSnapshot{Snapshot: list.Snapshots[0], AppHash: source.lastHash})
	require.NoError(t, err)
	require.Equal(t, abci.ResponseOfferSnapshot_ACCEPT, offer.Result)
	for i := range list.Snapshots[0].Chunks {
		chunk, err := source.LoadSnapshotChunk(&abci.RequestLoadSnapshotChunk{Height: uint64(source.height), Format: list.Snapshots[0].Format, Chunk: i})
		require.NoError(t, err)
		applied, err := joined.ApplySnapshotChunk(&abci.RequestApplySnapshotChunk{Index: i, Chunk: chunk.Chunk})
		require.NoError(t, err)
		require.Equal(t, abci.ResponseApplySnapshotChunk_ACCEPT, applied.Result)
	}
	require.Equal(t, source.seedAt(2), joined.seedAt(2), "past seeds came along")
	joined.replay = true // it fetches the blocks up to the last
	source.blocks(2)
	joined.blocks(2)
	joined.replay = false
	source.block()
	joined.block()
	require.Equal(t, source.seed, joined.seed)
	require.Equal(t, source.lastHash, joined.lastHash)
}

func TestSection2AnImportedChainsSeedsFollowFromThoseOfTheExported(t *testing.T) {
	c := newChain(t)
	c.run([]string{"user"}, seedtypes.NewMsgRegisterVRFKey(chainID, addr("user"), vrfKey("user")))
	c.blocks(3)
	exported, err := app.Export(log.NewNopLogger(), c.db, options, genesis(t), 0)
	require.NoError(t, err)
	imported := chainOf(t, exported)
	imported.block()
	c.block()
	require.Equal(t, c.seed, imported.seed)
	require.Equal(t, c.seedAt(2), imported.seedAt(2))
	require.Equal(t, c.seedAt(c.height), imported.seedAt(c.height))
	key, ok, err := imported.Seed.VRFKey(imported.query(), addr("user"))
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 22, key.PendingHeight)
}

func TestSection2EventsTellEverySeed(t *testing.T) {
	c := newChain(t)
	c.blocks(2)
	c.replay = true
	c.decide()
	told := map[int64]*seedtypes.EventSeed{}
	for _, e := range c.events {
		if e.Type != "lode.seed.v1.EventSeed" {
			continue
		}
		e.Attributes = withoutMode(e.Attributes)
		event, err := sdk.ParseTypedEvent(e)
		require.NoError(t, err)
		s := event.(*seedtypes.EventSeed)
		told[s.Height] = s
	}
	require.Len(t, told, 4)
	for h := int64(1); h <= 4; h++ {
		s := c.seedAt(h)
		require.Equal(t, &seedtypes.EventSeed{Height: h, Seed: s.Seed, Proposer: s.Proposer, Proved: h < 4}, told[h])
	}
}

type baseappOption = func(*baseapp.BaseApp)
