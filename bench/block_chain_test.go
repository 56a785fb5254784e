package bench_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/server"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/seed/vrf"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const scaleChainID = "lode-bench-1"

// scaled is a chain of the mainnet profile as a node has it: the application on a
// database on disk, with the options of a new home, and 100 chain validators who
// propose in turn and all sign. Blocks are those that CometBFT would deliver.
type scaled struct {
	*app.App
	scale  scale
	home   string
	time   time.Time
	height int64
	seed   []byte
	round  int // of weights
}

// chains are made once a process: by their scale.
var chains struct {
	sync.Mutex
	by   map[scale]*scaled
	root string
}

// TestMain removes the chains' databases.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, c := range chains.by {
		if err := c.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if chains.root != "" {
		if err := os.RemoveAll(chains.root); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// chainOf is the chain of a scale. Benchmarks go on where the one before stopped.
func chainOf(b *testing.B, s scale) *scaled {
	b.Helper()
	chains.Lock()
	defer chains.Unlock()
	if c := chains.by[s]; c != nil {
		return c
	}
	if chains.root == "" {
		root, err := os.MkdirTemp("", "lode-bench-")
		must(b, err)
		chains.root, chains.by = root, map[scale]*scaled{}
	}
	c := newScaled(b, s, filepath.Join(chains.root, fmt.Sprint(len(chains.by))))
	chains.by[s] = c
	return c
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func newScaled(b *testing.B, s scale, home string) *scaled {
	b.Helper()
	timed()
	c := &scaled{scale: s, home: home, height: alphaStart + 1_000, seed: vrf.Genesis(scaleChainID), time: time.Unix(1_800_000_000, 0).UTC()}
	c.open(b)
	g := s.genesis(b, c.time)
	params := g.Consensus.Params.ToProto()
	var validators []abci.ValidatorUpdate
	for _, v := range g.Consensus.Validators {
		validators = append(validators, cmttypes.TM2PB.NewValidatorUpdate(v.PubKey, v.Power))
	}
	_, err := c.InitChain(&abci.RequestInitChain{
		Time: c.time, ChainId: scaleChainID, InitialHeight: c.height + 1, ConsensusParams: &params, Validators: validators, AppStateBytes: g.AppState,
	})
	must(b, err)
	c.block(b) // only then is genesis' state to be seen
	c.fill(b)
	c.block(b)
	must(b, c.CheckInvariants(c.query()))
	return c
}

// open opens the application as a node does.
func (c *scaled) open(b *testing.B) {
	b.Helper()
	must(b, os.MkdirAll(filepath.Join(c.home, "data"), 0o700))
	db, err := node.OpenState(c.home, dbm.GoLevelDBBackend)
	must(b, err)
	c.App = app.New(log.NewNopLogger(), db, c.options(), server.DefaultBaseappOptions(c.options())...)
}

// reopen is a restart: nothing is left in memory.
func (c *scaled) reopen(b *testing.B) {
	b.Helper()
	must(b, c.Close())
	c.open(b)
}

// options are those that `lode node init` writes.
func (c *scaled) options() simtestutil.AppOptionsMap {
	return simtestutil.AppOptionsMap{
		flags.FlagHome: c.home, flags.FlagChainID: scaleChainID,
		server.FlagPruning: "default", server.FlagInterBlockCache: true, server.FlagIAVLCacheSize: 100_000,
		server.FlagStateSyncSnapshotInterval: 1_000_000_000, // on demand
		server.FlagMempoolMaxTxs:             -1, server.FlagMinGasPrices: app.MinGasPrices(),
	}
}

// genesis has the chain's validators, and TAO for the pools; subnets come by fill.
func (s scale) genesis(b *testing.B, at time.Time) *genutiltypes.AppGenesis {
	b.Helper()
	g := app.Genesis{
		ChainID: scaleChainID, Time: at,
		Balances: []app.Balance{{Address: account("funds").String(), Rao: 1_000_000 * tao}},
	}
	for i := range chainValidators {
		g.Validators = append(g.Validators, app.Validator{
			Operator: validatorHotkey(i).String(), ConsensusKey: consensusKey(i).PubKey(), VRFKey: vrfKey(i).Public(),
			SelfBond: uint64(10_000-i) * tao, Moniker: fmt.Sprint("validator ", i),
		})
	}
	doc, err := app.MainnetGenesis(g)
	must(b, err)
	return doc
}

func consensusKey(i int) *ed25519.PrivKey {
	return ed25519.GenPrivKeyFromSecret(secret("consensus", i))
}

func vrfKey(i int) vrf.Key {
	k, err := vrf.FromSecret(secret("vrf", i))
	if err != nil {
		panic(err) // the secret has the right size
	}
	return k
}

// fill lets the modules load the state of the scale below the next block.
func (c *scaled) fill(b *testing.B) {
	b.Helper()
	ctx, write := c.below().CacheContext() // what a tree has not saved it sorts for every iterator
	s := c.scale
	params, err := c.Alpha.Params(ctx)
	must(b, err)
	must(b, c.Bank.SendCoinsFromAccountToModule(ctx, account("funds"), alphatypes.ModuleName, rao(int64(s.subnets)*taoReserve)))
	must(b, c.Alpha.InitGenesis(ctx, s.alpha(params)))

	subnetsParams, err := c.Subnets.Params(ctx)
	must(b, err)
	registry, err := s.registry(subnetsParams, s.subnets > 1)
	must(b, err)
	must(b, c.Subnets.InitGenesis(ctx, registry))

	weightsParams, err := c.Weights.Params(ctx)
	must(b, err)
	weights, err := s.weights(weightsParams, registry, c.height+1_000_000)
	must(b, err)
	must(b, c.Weights.InitGenesis(ctx, weights))
	c.round = 3

	emission, err := c.Emission.ExportGenesis(ctx)
	must(b, err)
	emission.Totals.Issued = 0
	emission.Totals.Security = 0
	must(b, c.Emission.InitGenesis(ctx, s.emission(*emission)))
	write()
}

// below is the state that the next block begins with.
func (c *scaled) below() sdk.Context {
	return sdk.NewContext(c.CommitMultiStore(), cmtproto.Header{ChainID: scaleChainID, Height: c.height, Time: c.time}, false, log.NewNopLogger())
}

// query is the state of the last block.
func (c *scaled) query() sdk.Context {
	return c.NewContextLegacy(true, cmtproto.Header{ChainID: scaleChainID, Height: c.height, Time: c.time})
}

// groups is how many times due has other subnets.
func (c *scaled) groups() int { return max(c.scale.subnets/4, 1) }

// due lets the epochs of four subnets run in the next block but one, with new
// weights of all their validators: without them bonds would come to rest.
func (c *scaled) due(b *testing.B, group int) {
	b.Helper()
	ctx := c.below()
	params, err := c.Weights.Params(ctx)
	must(b, err)
	g := weightstypes.GenesisState{Params: params}
	c.round++
	for subnet := 4*group + 1; subnet <= min(4*group+4, c.scale.subnets); subnet++ {
		state, _, err := c.Weights.EpochState(ctx, uint64(subnet))
		must(b, err)
		state.DueHeight = c.height + 2
		g.Epochs = append(g.Epochs, state)
		for uid := range c.scale.validators {
			g.Rows = append(g.Rows, c.scale.storedRow(subnet, uid, c.round, c.height))
		}
	}
	must(b, c.Weights.InitGenesis(ctx, g))
	c.block(b)
}

// block makes a block of transactions and commits it.
func (c *scaled) block(b *testing.B, txs ...[]byte) *abci.ResponseFinalizeBlock {
	b.Helper()
	res := c.finalize(b, txs...)
	_, err := c.Commit()
	must(b, err)
	c.seed, err = c.Seed.Seed(c.query())
	must(b, err)
	return res
}

// finalize runs the next block: its proposer proves its part of the seed, and all
// validators have signed the one before.
func (c *scaled) finalize(b *testing.B, txs ...[]byte) *abci.ResponseFinalizeBlock {
	b.Helper()
	c.height++
	c.time = c.time.Add(3 * time.Second)
	proposer := int(c.height) % chainValidators
	key := vrfKey(proposer)
	frame := vrf.Frame(key.Prove(vrf.Alpha(scaleChainID, c.height, c.seed)))
	hash := sha256.Sum256(fmt.Append(nil, "block ", c.height))
	res, err := c.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: slices.Concat([][]byte{frame}, txs), Hash: hash[:], Height: c.height, Time: c.time,
		ProposerAddress: consensusKey(proposer).PubKey().Address(), DecidedLastCommit: votes,
	})
	must(b, err)
	return res
}

// votes are those of all validators.
var votes = func() abci.CommitInfo {
	var all abci.CommitInfo
	for i := range chainValidators {
		all.Votes = append(all.Votes, abci.VoteInfo{
			Validator: abci.Validator{Address: consensusKey(i).PubKey().Address(), Power: int64(10_000 - i)}, BlockIdFlag: cmtproto.BlockIDFlagCommit,
		})
	}
	return all
}()
