package bench_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"

	"github.com/lodenet/lode/app"
)

// BenchmarkTransaction is what a transaction costs the application: its check, its
// part in making and judging the proposal, in running the block and in committing it to
// disk, without consensus, network and indexes. An operation is a round, in which the
// plain application and ours make a block of each load in turn.
func BenchmarkTransaction(b *testing.B) {
	const perBlock = 1000
	// Without optimistic execution, which would run a block while it is judged.
	o := chainOptions{maxGas: -1, settings: map[string]any{app.FlagOptimistic: false}}
	plain := newLoaded(b, "plain SDK", true, perBlock, o)
	ours := newLoaded(b, "lode", false, perBlock, o)
	var results []*abciResult
	add := func(c *loaded, l load) *abciResult {
		r := &abciResult{chain: c, load: l}
		results = append(results, r)
		return r
	}
	base := add(plain, transfers)
	for _, l := range ourLoads {
		add(ours, l)
	}
	for _, r := range results { // the first block of each finds caches empty
		if _, err := r.chain.measure(r.load, perBlock); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for _, r := range results {
			cost, err := r.chain.measure(r.load, perBlock)
			if err != nil {
				b.Fatalf("%s of %s: %v", r.load.name, r.chain.name, err)
			}
			r.costs = append(r.costs, cost)
		}
	}
	b.Logf("µs of CPU a transaction: minimum and median of %d blocks of %d", b.N, perBlock)
	for _, r := range results {
		low, median := r.of(0), r.of(1)
		b.Logf("%-10s %-20s check %s/%s  propose %s/%s  run %s/%s  commit %s/%s  all %s/%s  gas %d  bytes %d  %3.0f %% of plain (medians)", r.chain.name, r.load.name,
			us(low.check), us(median.check), us(low.propose), us(median.propose), us(low.run), us(median.run), us(low.commit), us(median.commit),
			us(low.all()), us(median.all()), median.gas, median.bytes, 100*float64(base.of(1).all())/float64(median.all()))
	}
	for _, r := range results[1:] {
		b.ReportMetric(100*float64(base.of(1).all())/float64(r.of(1).all()), "%-"+strings.ReplaceAll(r.load.name, " ", "-"))
	}
}

func us(d time.Duration) string { return fmt.Sprint(d.Microseconds()) }

// txCost is what a transaction of a block took, of the process' CPU time.
type txCost struct {
	check, propose, run, commit time.Duration
	wall                        time.Duration // of running, by the clock
	gas                         int64
	bytes                       int
}

func (c txCost) all() time.Duration { return c.check + c.propose + c.run + c.commit }

type abciResult struct {
	chain *loaded
	load  load
	costs []txCost
}

// of is the least cost of each part (0), or the median (1).
func (r *abciResult) of(which int) txCost {
	pick := func(part func(txCost) time.Duration) time.Duration {
		var all []time.Duration
		for _, c := range r.costs {
			all = append(all, part(c))
		}
		slices.Sort(all)
		return all[which*len(all)/2]
	}
	last := r.costs[len(r.costs)-1]
	return txCost{
		check: pick(func(c txCost) time.Duration { return c.check }), propose: pick(func(c txCost) time.Duration { return c.propose }),
		run: pick(func(c txCost) time.Duration { return c.run }), commit: pick(func(c txCost) time.Duration { return c.commit }),
		wall: pick(func(c txCost) time.Duration { return c.wall }),
		gas:  last.gas, bytes: last.bytes,
	}
}

// loaded is a chain with a crowd on it, driven without consensus.
type loaded struct {
	*testChain
	*crowd
	height int64
	time   time.Time
}

// newLoaded makes a chain on which so many people have what they need for all loads.
func newLoaded(b *testing.B, name string, plain bool, people int, o chainOptions) *loaded {
	b.Helper()
	l := &loaded{crowd: newCrowd(people)}
	o.people = l.all()
	l.testChain = newTestChain(b, name, plain, o)
	l.time = l.genesis.GenesisTime
	if err := l.begin(); err != nil {
		b.Fatal(err)
	}
	if err := l.meet(l.all()); err != nil {
		b.Fatal(err)
	}
	if plain {
		return l
	}
	blocks, err := l.found()
	for i := 0; err == nil && i < len(blocks); i++ {
		_, err = l.block(blocks[i])
	}
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func (l *loaded) begin() error {
	params := l.genesis.Consensus.Params.ToProto()
	key, err := cryptocodec.ToCmtPubKeyInterface(l.proposer)
	if err != nil {
		return err
	}
	_, err = l.app.InitChain(&abci.RequestInitChain{
		Time: l.genesis.GenesisTime, ChainId: l.genesis.ChainID, InitialHeight: 1, ConsensusParams: &params,
		Validators: []abci.ValidatorUpdate{cmttypes.TM2PB.NewValidatorUpdate(key, 10_000)}, AppStateBytes: l.genesis.AppState,
	})
	if err != nil {
		return err
	}
	_, err = l.block(nil)
	return err
}

// measure makes a block of a load, and says what a transaction of it took.
func (l *loaded) measure(kind load, count int) (txCost, error) {
	txs, err := l.transactions(kind, count)
	if err != nil {
		return txCost{}, err
	}
	c, err := l.block(txs)
	n := time.Duration(count)
	return txCost{
		check: c.check / n, propose: c.propose / n, run: c.run / n, commit: c.commit / n, wall: c.wall / n,
		gas: c.gas / int64(n), bytes: c.bytes / count,
	}, err
}

// block checks transactions, proposes a block of them all, and makes it. The costs
// are the block's.
func (l *loaded) block(txs [][]byte) (cost txCost, err error) {
	at := cpu()
	lap := func(part *time.Duration) {
		now := cpu()
		*part += now - at
		at = now
	}
	for _, tx := range txs {
		res, err := l.app.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
		if err != nil {
			return cost, err
		}
		if res.Code != 0 {
			return cost, fmt.Errorf("a check: %s", res.Log)
		}
		cost.bytes += len(tx)
	}
	lap(&cost.check)
	l.height++
	l.time = l.time.Add(time.Second)
	votes := abci.CommitInfo{Votes: []abci.VoteInfo{{Validator: abci.Validator{Address: l.proposer.Address(), Power: 10_000}, BlockIdFlag: 2}}}
	var extended abci.ExtendedCommitInfo
	if l.height == 1 {
		votes = abci.CommitInfo{}
	}
	proposal, err := l.app.PrepareProposal(&abci.RequestPrepareProposal{
		Txs: txs, MaxTxBytes: 4 << 20, Height: l.height, Time: l.time, ProposerAddress: l.proposer.Address(), LocalLastCommit: extended,
	})
	if err != nil {
		return cost, err
	}
	if len(proposal.Txs) != len(txs)+l.injected {
		return cost, fmt.Errorf("%d transactions are proposed of %d", len(proposal.Txs)-l.injected, len(txs))
	}
	hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(l.height)))
	judged, err := l.app.ProcessProposal(&abci.RequestProcessProposal{
		Txs: proposal.Txs, Hash: hash[:], Height: l.height, Time: l.time, ProposerAddress: l.proposer.Address(), ProposedLastCommit: votes,
	})
	if err != nil {
		return cost, err
	}
	if judged.Status != abci.ResponseProcessProposal_ACCEPT {
		return cost, fmt.Errorf("the proposal is refused")
	}
	lap(&cost.propose)
	start := time.Now()
	res, err := l.app.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: proposal.Txs, Hash: hash[:], Height: l.height, Time: l.time, ProposerAddress: l.proposer.Address(), DecidedLastCommit: votes,
	})
	if err != nil {
		return cost, err
	}
	cost.wall = time.Since(start)
	for _, r := range res.TxResults[l.injected:] {
		if r.Code != 0 {
			return cost, fmt.Errorf("a transaction: %s", r.Log)
		}
		cost.gas += r.GasUsed
	}
	lap(&cost.run)
	_, err = l.app.Commit()
	lap(&cost.commit)
	return cost, err
}

// cpu is what this process has used of the machine's cores.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
