package sim

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/vrfkey"
	"github.com/lodenet/lode/x/seed/vrf"
)

// Options of a run.
type Options struct {
	Seed   uint64
	Ops    int    // how many operations, at least
	Others []Kind // the nodes beside the one that proposes
	Import bool   // export half-way, and let the imported chain go on beside
	Dir    string // an empty folder for the proposing node's key file

	Failed func(m sdk.Msg, log string) // told of what failed; may be nil
}

// sim is a run.
type sim struct {
	Options
	*people
	comet   comet
	view    view
	rng     *rand.Rand
	enc     app.EncodingConfig
	genesis *genutiltypes.AppGenesis
	nodes   []*replica // the first one proposes
	import_ *replica   // the chain that was imported half-way
	report  *Report
	table   table
	lottery *lottery // of what people do
	laws    *lottery // of what governance does

	mempool  []*pending
	sequence map[string]uint64 // the next of who has something pending
	lane     map[string]bool   // who has something pending in the free lane, by kind
	old      []*pending        // that were in blocks: some come again
	prefer   *person           // who a generator should let act, if it can
	commits  []commit
	seals    []seal
	sessions map[string]ed25519.PrivateKey // keys of channels, by what is public of them: who pays can change
}

// Run carries out a run. It ends with an error as soon as an invariant is broken,
// nodes disagree, a node stops, or an import is not what was exported.
func Run(o Options) (r *Report, err error) {
	s := &sim{
		Options: o, people: newPeople(), rng: rand.New(rand.NewPCG(o.Seed, 0x10de)), enc: app.MakeEncodingConfig(),
		report: newReport(o.Seed), sequence: map[string]uint64{}, lane: map[string]bool{}, table: generators(),
		sessions: map[string]ed25519.PrivateKey{},
	}
	s.lottery, s.laws = newLottery(s.table, false), newLottery(s.table, true)
	r = s.report
	defer func() {
		x := recover()
		var ended stop
		switch e, isErr := x.(error); {
		case x == nil:
		case isErr && errors.As(e, &ended):
			err = ended.err
		default:
			err = fmt.Errorf("panic: %v\n%s", x, debug.Stack())
		}
		if err != nil {
			err = fmt.Errorf("seed %d, block %d, after %d operations: %w\nThis run alone: LODE_SIM_SEED=%d LODE_SIM_OPS=%d go test ./app/sim -run TestOneSeed -v",
				o.Seed, s.comet.height+1, s.report.Ops, err, o.Seed, o.Ops)
		}
		for _, n := range append(s.nodes, s.import_) {
			if n != nil {
				err = errors.Join(err, n.Close())
			}
		}
	}()
	s.start()
	for s.report.Ops < o.Ops {
		s.step()
		if o.Import && s.import_ == nil && 2*s.report.Ops >= o.Ops && s.exportable() {
			s.reimport()
		}
	}
	s.rest()
	s.finish()
	return s.report, nil
}

func (s *sim) start() {
	path := filepath.Join(s.Dir, "vrf_key.json")
	must(vrfkey.File{Keys: vrfKeys()}.Write(path))
	s.genesis = genesis(s.people)
	s.nodes = []*replica{newReplica(proposing, appOptions{app.FlagCheckInvariants: 1, app.FlagVRFKeyFile: path})}
	for _, k := range s.Others {
		s.nodes = append(s.nodes, newReplica(k, nil))
	}
	for i, n := range s.nodes {
		updates := n.init(s.genesis)
		if i == 0 {
			s.comet = comet{time: s.genesis.GenesisTime, down: map[string]int64{}, twice: map[string]bool{}}
			s.comet.begin(updates)
			for _, m := range s.comet.now {
				if m.power == rocks/1_000_000 {
					s.comet.rock = m.address
				}
			}
		}
	}
	s.advance(s.propose(s.block(), nil)) // only then is genesis' state to be seen
}

// step makes a block.
func (s *sim) step() {
	s.look()
	s.fill()
	b := s.block()
	b = s.propose(b, s.shuffle(s.mempool))
	s.advance(b)
}

// fill puts new transactions into the mempool.
func (s *sim) fill() {
	clear(s.sequence)
	clear(s.lane)
	for _, t := range s.mempool { // what was left over
		for _, p := range t.signers {
			s.nextSequence(p)
		}
	}
	many := 10 + s.n(60)
	switch s.n(15) {
	case 0:
		many = s.n(3)
	case 1:
		many = 150
	}
	for range many {
		var msgs []sdk.Msg
		for range 1 + max(0, s.n(14)-11) {
			if m := s.operation(); m != nil {
				msgs = append(msgs, m)
			}
		}
		if len(msgs) == 0 {
			continue
		}
		msgs = s.withClaim(msgs)
		if t := s.transaction(msgs); t != nil {
			s.mempool = append(s.mempool, t)
		}
	}
	if len(s.old) > 0 && s.n(4) == 0 {
		s.mempool = append(s.mempool, s.old[s.n(len(s.old))]) // a replay
	}
	// A part of them is checked, as mempools do; no check changes what blocks give.
	for _, t := range s.mempool {
		if s.n(12) == 0 {
			res := must1(s.nodes[0].CheckTx(&abci.RequestCheckTx{Tx: t.raw, Type: abci.CheckTxType_New}))
			s.noPanic("a mempool's check", res.Codespace, res.Code, res.Log)
			s.report.tally("mempool checks", res.Code == 0)
		}
	}
}

// noPanic stops the run where a transaction panicked: that is caught, and nothing
// breaks, but nobody meant it. Running out of gas has a code of its own.
func (s *sim) noPanic(what, codespace string, code uint32, log string) {
	if code == errorsmod.ErrPanic.ABCICode() && codespace == errorsmod.ErrPanic.Codespace() {
		fail("%s panicked: %s", what, log)
	}
}

// propose is the next block with what the proposing node makes of the mempool.
func (s *sim) propose(b *abci.RequestFinalizeBlock, mempool []*pending) *abci.RequestFinalizeBlock {
	raw := make([][]byte, 0, len(mempool)+1)
	for _, t := range mempool {
		raw = append(raw, t.raw)
	}
	if s.n(10) == 0 {
		raw = slices.Insert(raw, s.n(len(raw)+1), s.bytes(1+s.n(200)))
	}
	size := int64(4 << 20)
	if s.n(15) == 0 {
		size = int64(200 + s.n(20_000))
	}
	res := must1(s.nodes[0].PrepareProposal(&abci.RequestPrepareProposal{
		Txs: raw, MaxTxBytes: size, Height: b.Height, Time: b.Time, ProposerAddress: b.ProposerAddress, Misbehavior: b.Misbehavior,
	}))
	b.Txs = res.Txs
	b.Hash = hashOf(b)
	if len(b.Txs) == 0 {
		fail("a proposal without the proposer's proof")
	}
	if proof, ok := vrf.Unframe(b.Txs[0]); !ok || len(proof) == 0 {
		s.report.count("block without a proof")
	}
	return b
}

// spoil makes another block of one.
func (s *sim) spoil(b *abci.RequestFinalizeBlock) *abci.RequestFinalizeBlock {
	c := *b
	c.Txs = slices.Clone(b.Txs)
	switch s.n(5) {
	case 0:
		c.Txs = c.Txs[1:] // no proof
	case 1:
		c.Txs[0] = vrf.Frame(nil)
	case 2:
		c.Txs[0] = vrf.Frame(s.bytes(80))
	case 3:
		c.Txs = append(c.Txs, s.bytes(100))
	case 4:
		c.Txs = append(c.Txs, c.Txs[0])
	}
	c.Hash = hashOf(&c)
	return &c
}

// advance lets the nodes judge and run a block, and compares all that comes of it.
func (s *sim) advance(b *abci.RequestFinalizeBlock) {
	decided, voted := b, true
	switch s.n(40) {
	case 0: // a proposal that no honest node accepts; then the good one comes
		bad := s.spoil(b)
		verdict := s.nodes[0].accepts(bad)
		for _, n := range s.nodes[1:] {
			if got := n.accepts(bad); got != verdict {
				fail("%s accepts a spoilt block: %v, the proposer says %v", n.Name, got, verdict)
			}
		}
		s.report.tally("spoilt proposals accepted", verdict)
	case 1: // decided all the same, as if more than two thirds were not honest
		decided, voted = s.spoil(b), false
		s.report.count("block decided that no honest node accepts")
	}
	var first *abci.ResponseFinalizeBlock
	for i, n := range append(slices.Clone(s.nodes), s.import_) {
		if n == nil {
			continue
		}
		if voted && (!n.CatchUp || i == 0) {
			s.vote(n, b)
		}
		res := n.run(decided)
		if i == 0 {
			first = res
			continue
		}
		same(n.Name, first, res, n == s.import_)
	}
	s.account(decided, first)
	s.comet.committed(b.Time, first.ValidatorUpdates)
}

// vote is what a node does before a block is decided. Sometimes it has seen another
// proposal first, which it began to run; sometimes it has not seen this one.
func (s *sim) vote(n *replica, b *abci.RequestFinalizeBlock) {
	if s.n(12) == 0 {
		other := *b
		other.Time = b.Time.Add(time.Millisecond)
		other.Txs = b.Txs[:1+s.n(len(b.Txs))]
		other.Hash = hashOf(&other)
		n.accepts(&other)
		s.report.count("proposal dropped after it was voted on")
		if s.n(4) == 0 {
			return
		}
	}
	if !n.accepts(b) {
		fail("%s refuses the block that the proposer made", n.Name)
	}
}

// exportable waits until no consensus key is being rotated: an export starts such a
// rotation anew, a block later (that is the SDK's way to tell the imported chain's
// CometBFT of it), so that the chains would not be the same.
func (s *sim) exportable() bool {
	s.look()
	return len(must1(s.nodes[0].Staking.PendingConsKeyRotations(s.view.ctx))) == 0
}

// reimport exports the state, imports it as another chain and exports that.
func (s *sim) reimport() {
	exported := s.nodes[len(s.nodes)-1].export(s.genesis)
	// The node keeps nothing of its own before its first block: what it exports then
	// is what it would begin with.
	again := must1(app.Export(log.NewNopLogger(), dbm.NewMemDB(), appOptions{}, exported, 0))
	if d := difference(exported, again); d != "" {
		fail("the imported chain exports something else: %s", d)
	}
	s.import_ = newReplica(Kind{Name: "imported", Optimistic: true}, appOptions{app.FlagCheckInvariants: 1})
	s.import_.init(exported)
	s.report.count("export and import")
}

// finish compares what the chain and its import have become.
func (s *sim) finish() {
	if s.import_ == nil {
		if s.Import {
			fail("no block could be exported")
		}
		return
	}
	a, b := s.nodes[0].export(s.genesis), s.import_.export(s.genesis)
	if d := difference(a, b); d != "" {
		fail("chain and imported chain have become different: %s", d)
	}
}
