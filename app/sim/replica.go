package sim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/config"
	pruningtypes "github.com/cosmos/cosmos-sdk/store/v2/pruning/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
)

// Kind is a way to run a node. All ways must give the same blocks the same results.
type Kind struct {
	Name       string
	Optimistic bool // runs a proposed block while it is voted on
	Parallel   int  // workers of block-stm; 0: one transaction after the other
	Estimate   bool // block-stm guesses what transactions touch before it runs them
	CatchUp    bool // sees only decided blocks, as a node that catches up
	Cache      bool // keeps records in memory over blocks, as nodes do
	Reopen     int  // blocks after which it is closed and opened on its database; 0: never
}

// The kinds of nodes that a run is made of, beside the one that proposes.
var (
	Plain    = Kind{Name: "plain with records in memory, catching up, restarted every 20 blocks", CatchUp: true, Reopen: 20, Cache: true}
	Parallel = Kind{Name: "block-stm with records in memory, optimistic", Optimistic: true, Parallel: 4, Cache: true}
	Estimate = Kind{Name: "block-stm with estimates, restarted every 33 blocks", Parallel: 3, Estimate: true, Reopen: 33}
)

// proposing is the node that makes the proposals and checks all invariants after
// every block.
var proposing = Kind{Name: "proposer", Optimistic: true}

type appOptions map[string]any

func (o appOptions) Get(key string) any { return o[key] }

// replica is a node's application, driven as CometBFT would drive it.
type replica struct {
	Kind
	*app.App
	db      dbm.DB
	options appOptions
	since   int
}

func newReplica(k Kind, options appOptions) *replica {
	r := &replica{Kind: k, db: dbm.NewMemDB(), options: appOptions{app.FlagOptimistic: k.Optimistic}}
	if k.Parallel > 0 {
		r.options[server.FlagBlockExecutor] = config.BlockExecutorBlockSTM
		r.options[server.FlagBlockSTMWorkers] = k.Parallel
		r.options[server.FlagBlockSTMPreEstimate] = k.Estimate
	}
	r.options[server.FlagInterBlockCache] = k.Cache
	for k, v := range options {
		r.options[k] = v
	}
	r.open()
	return r
}

func (r *replica) open() {
	r.App = app.New(log.NewNopLogger(), r.db, r.options, baseapp.SetChainID(chainID), baseapp.SetMinGasPrices(app.MinGasPrices()),
		baseapp.SetPruning(pruningtypes.NewCustomPruningOptions(20, 10)),
		// Stores that prune in the background are never let go of by their goroutines.
		baseapp.SetIAVLSyncPruning(true))
}

func (r *replica) init(g *genutiltypes.AppGenesis) []abci.ValidatorUpdate {
	params := g.Consensus.Params.ToProto()
	res := must1(r.InitChain(&abci.RequestInitChain{
		Time: g.GenesisTime, ChainId: g.ChainID, InitialHeight: g.InitialHeight, ConsensusParams: &params,
		Validators: initial(g.Consensus.Validators), AppStateBytes: g.AppState,
	}))
	return res.Validators
}

// accepts is what the node says of a proposed block; it may begin to run it.
func (r *replica) accepts(b *abci.RequestFinalizeBlock) bool {
	res := must1(r.ProcessProposal(&abci.RequestProcessProposal{
		Txs: b.Txs, Hash: b.Hash, Height: b.Height, Time: b.Time, ProposerAddress: b.ProposerAddress,
		ProposedLastCommit: b.DecidedLastCommit, Misbehavior: b.Misbehavior,
	}))
	return res.Status == abci.ResponseProcessProposal_ACCEPT
}

// run runs a decided block and commits it.
func (r *replica) run(b *abci.RequestFinalizeBlock) *abci.ResponseFinalizeBlock {
	res, err := r.FinalizeBlock(b)
	if err != nil {
		fail("%s: %w", r.Name, err)
	}
	_, err = r.Commit()
	must(err)
	if r.since++; r.Reopen > 0 && r.since%r.Reopen == 0 {
		must(r.Close())
		r.open()
	}
	return res
}

// export is the replica's state as a genesis file.
func (r *replica) export(g *genutiltypes.AppGenesis) *genutiltypes.AppGenesis {
	return must1(app.Export(log.NewNopLogger(), r.db, appOptions{}, g, 0))
}

func hashOf(b *abci.RequestFinalizeBlock) []byte {
	h := sha256.New()
	fmt.Fprint(h, b.Height, b.Time.UnixNano())
	for _, tx := range b.Txs {
		sum := sha256.Sum256(tx)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

// same compares all of a block's results that other nodes, clients or CometBFT
// could see, but the logs. Of a chain that was imported the app hash is left out, as
// its trees have another history, and the gas: x/staking's count of unbondings is no
// part of its genesis and begins anew, so that their numbers have other lengths.
func same(name string, a, b *abci.ResponseFinalizeBlock, imported bool) {
	if len(a.TxResults) != len(b.TxResults) {
		fail("%s: %d results of transactions, the proposer has %d", name, len(b.TxResults), len(a.TxResults))
	}
	for i, x := range a.TxResults {
		y := b.TxResults[i]
		if x.Code != y.Code || x.Codespace != y.Codespace || x.GasUsed != y.GasUsed && !imported || x.GasWanted != y.GasWanted || !bytes.Equal(x.Data, y.Data) {
			fail("%s: transaction %d gives %s/%d, gas %d of %d, data %x, log %q; the proposer's %s/%d, gas %d of %d, data %x, log %q", name, i,
				y.Codespace, y.Code, y.GasUsed, y.GasWanted, y.Data, y.Log, x.Codespace, x.Code, x.GasUsed, x.GasWanted, x.Data, x.Log)
		}
		sameEvents(fmt.Sprintf("%s: transaction %d", name, i), x.Events, y.Events)
	}
	if imported { // unbondings that end together do so in the order of an import, and cancelled ones in silence
		sameEvents(name+": the block", ordered(withoutEmptyUnbondings(a.Events)), ordered(withoutEmptyUnbondings(b.Events)))
	} else {
		sameEvents(name+": the block", a.Events, b.Events)
	}
	if x, y := updates(a), updates(b); x != y {
		fail("%s: validator updates %s, the proposer's %s", name, y, x)
	}
	if x, y := a.ConsensusParamUpdates.String(), b.ConsensusParamUpdates.String(); x != y {
		fail("%s: consensus parameters %s, the proposer's %s", name, y, x)
	}
	// The hash comes last: anything else that differs says more.
	if !imported && !bytes.Equal(a.AppHash, b.AppHash) {
		fail("%s: the app hash is %x, the proposer's %x", name, b.AppHash, a.AppHash)
	}
}

func updates(b *abci.ResponseFinalizeBlock) (all string) {
	for _, u := range b.ValidatorUpdates {
		all += fmt.Sprintf("%x %d, ", u.PubKey.GetEd25519(), u.Power)
	}
	return all
}

func sameEvents(name string, a, b []abci.Event) {
	if len(a) != len(b) {
		fail("%s has %d events, the proposer's %d. It lacks: %v. The proposer lacks: %v", name, len(b), len(a), lacking(b, a), lacking(a, b))
	}
	for i := range a {
		if a[i].Type != b[i].Type || !slices.EqualFunc(a[i].Attributes, b[i].Attributes, sameAttribute) {
			fail("%s: event %d is %s, the proposer's %s", name, i, b[i].String(), a[i].String())
		}
	}
}

// lacking are events of b that are not in a.
func lacking(a, b []abci.Event) (missing []string) {
	left := map[string]int{}
	for _, e := range a {
		left[e.String()]++
	}
	for _, e := range b {
		text := e.String()
		if left[text] == 0 {
			missing = append(missing, text)
		}
		left[text]--
	}
	return missing
}

// withoutEmptyUnbondings leaves out that an unbonding of nothing has ended. x/staking
// says so of one that was cancelled, whose place in its queue stays; an import's queue
// is made of what is still there.
func withoutEmptyUnbondings(events []abci.Event) []abci.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e abci.Event) bool {
		return e.Type == stakingtypes.EventTypeCompleteUnbonding && slices.ContainsFunc(e.Attributes, func(a abci.EventAttribute) bool {
			return a.Key == sdk.AttributeKeyAmount && a.Value == ""
		})
	})
}

func ordered(events []abci.Event) []abci.Event {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b abci.Event) int {
		if c := strings.Compare(a.Type, b.Type); c != 0 {
			return c
		}
		return slices.CompareFunc(a.Attributes, b.Attributes, func(x, y abci.EventAttribute) int {
			return strings.Compare(x.Key+"="+x.Value, y.Key+"="+y.Value)
		})
	})
	return events
}

func sameAttribute(a, b abci.EventAttribute) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Index == b.Index
}
