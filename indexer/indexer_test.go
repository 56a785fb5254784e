package indexer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childVariable); dsn != "" {
		if err := child(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	indexertest.Main(m)
}

// small is a chain that has some of everything; a day passes in it. Its epochs are many,
// and are kept as those of a long tempo.
var small = indexertest.Config{Subnets: 3, Neurons: 9, Tempo: 2, Told: 360, Blocks: 300, Interval: 5 * time.Minute}

// open opens a store until the test ends.
func open(t testing.TB, dsn string) *indexer.Store {
	t.Helper()
	s, err := indexer.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// index indexes all that a source has.
func index(t testing.TB, s *indexer.Store, src indexer.Source) error {
	t.Helper()
	return run(t.Context(), s, src)
}

func run(ctx context.Context, s *indexer.Store, src indexer.Source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, last, err := src.Kept(ctx)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		st, err := s.Status(ctx)
		if err != nil && !errors.Is(err, indexer.ErrEmpty) {
			cancel()
			return fmt.Errorf("%w; %w", err, <-done)
		}
		if st.Height >= last {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	}
}

func dump(t testing.TB, s *indexer.Store) []string {
	t.Helper()
	lines, err := s.Dump(t.Context())
	require.NoError(t, err)
	return lines
}

// requireSame compares dumps, and shows few lines where they differ.
func requireSame(t testing.TB, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("line %d of %d and %d:\nwant %s\ngot  %s", i, len(want), len(got), want[i], got[i])
		}
	}
	require.Equal(t, len(want), len(got))
}

// whole is the dump of small, and twenty that of its first 20 blocks, each indexed at one
// go in SQLite.
func whole(t testing.TB) []string { return wholeOnce.of(t, small.Blocks) }

func twenty(t testing.TB) []string { return twentyOnce.of(t, 20) }

var wholeOnce, twentyOnce dumped

type dumped struct {
	sync.Once
	lines []string
}

func (d *dumped) of(t testing.TB, blocks int64) []string {
	t.Helper()
	d.Do(func() {
		s := open(t, filepath.Join(t.TempDir(), "dumped.db"))
		short := small
		short.Blocks = blocks
		require.NoError(t, index(t, s, indexertest.New(short)))
		d.lines = dump(t, s)
	})
	require.NotEmpty(t, d.lines)
	return d.lines
}

func TestBothDatabasesHoldTheSameHoweverBlocksAreBatched(t *testing.T) {
	want := whole(t)
	require.Greater(t, len(want), 3_000)
	for _, table := range []string{"ledger", "trades", "position_days", "yields", "candles", "epoch_chunks", "epoch_blobs", "weights", "hyperparameters"} {
		require.Contains(t, strings.Join(want, "\n"), "\n"+table+" ", "the chain is to have some of everything")
	}
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		for _, batch := range []int64{7, 2_000} {
			name := dsn
			if batch == 7 && !strings.HasPrefix(dsn, "postgres") {
				name += ".7"
			} else if batch == 7 {
				name = indexertest.Postgres(t)
			}
			s := open(t, name)
			s.SetBatch(batch)
			require.NoError(t, index(t, s, indexertest.New(small)))
			requireSame(t, want, dump(t, s))
		}
	})
}

// lent is a source whose blocks are parts of a piece of memory that is wiped when they are
// done with, as a node's are.
type lent struct {
	*indexertest.Chain
	mu     *sync.Mutex
	memory map[*client.Record][]byte
}

func (l lent) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	list, err := l.Chain.Blocks(ctx, from, to)
	for i := range list {
		list[i] = l.lend(list[i])
	}
	return list, err
}

func (l lent) lend(r *client.Record) *client.Record {
	c := *r
	memory := make([]byte, 0, 8<<20) // never moves
	text := func(s *string) {
		at := len(memory)
		if at+len(*s) > cap(memory) {
			panic("the block does not fit")
		}
		memory = append(memory, *s...)
		*s = unsafe.String(unsafe.SliceData(memory[at:]), len(*s))
	}
	events := func(list []abci.Event) []abci.Event {
		list = slices.Clone(list)
		for i := range list {
			text(&list[i].Type)
			list[i].Attributes = slices.Clone(list[i].Attributes)
			for k := range list[i].Attributes {
				text(&list[i].Attributes[k].Key)
				text(&list[i].Attributes[k].Value)
			}
		}
		return list
	}
	c.Txs = slices.Clone(r.Txs)
	for i, tx := range c.Txs {
		var t = string(tx)
		text(&t)
		c.Txs[i] = memory[len(memory)-len(tx):]
	}
	c.Events, c.Results = events(r.Events), nil
	for _, one := range r.Results {
		t := *one
		t.Events = events(one.Events)
		text(&t.Log)
		text(&t.Codespace)
		c.Results = append(c.Results, &t)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.memory[&c] = memory
	return &c
}

func (l lent) Done(r *client.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.memory[r])
	delete(l.memory, r)
}

func TestNothingOfABlockIsUsedOnceItIsGivenBack(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "index.db"))
	src := lent{indexertest.New(small), &sync.Mutex{}, map[*client.Record][]byte{}}
	require.NoError(t, index(t, s, src))
	requireSame(t, whole(t), dump(t, s))
	require.Empty(t, src.memory, "every block is given back")
}

// childVariable makes the test's program an indexer that is killed.
const childVariable = "LODE_INDEXER_CHILD"

func child(dsn string) error {
	s, err := indexer.Open(context.Background(), dsn)
	if err != nil {
		return err
	}
	s.SetBatch(3)
	if err := run(context.Background(), s, indexertest.New(small)); err != nil {
		return err
	}
	return s.Close()
}

func TestAProcessThatIsKilledAtAnyMomentLeavesWhatAnUninterruptedOneWrites(t *testing.T) {
	want := whole(t)
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
		s := open(t, dsn)
		var before int64
		kills := 0
		for finished := false; !finished; {
			c := exec.CommandContext(t.Context(), os.Args[0])
			c.Env = append(os.Environ(), childVariable+"="+dsn)
			var said bytes.Buffer
			c.Stderr = &said
			require.NoError(t, c.Start())
			done := make(chan error, 1)
			go func() { done <- c.Wait() }()
			// Killed some blocks after it has begun to write, at a moment within one.
			until, pause := before+1+rnd.Int64N(60), time.Duration(rnd.Int64N(int64(4*time.Millisecond)))
			tick := time.NewTicker(time.Millisecond)
		watch:
			for {
				select {
				case err := <-done:
					require.NoError(t, err, said.String())
					finished = true
					break watch
				case <-tick.C:
				}
				st, err := s.Status(t.Context())
				if !errors.Is(err, indexer.ErrEmpty) {
					require.NoError(t, err)
				}
				if st.Height >= until && kills < 8 {
					timer := time.NewTimer(pause)
					<-timer.C
					if err := c.Process.Kill(); errors.Is(err, os.ErrProcessDone) {
						continue // it was quicker
					} else {
						require.NoError(t, err)
					}
					kills++
					<-done
					break watch
				}
			}
			tick.Stop()
			st, err := s.Status(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, st.Height, before)
			before = st.Height
		}
		require.Positive(t, kills)
		requireSame(t, want, dump(t, s))
	})
}

func TestItsSumsAreTheChains(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, indexertest.New(small)))
		c := indexertest.New(small).At(small.Blocks)
		var sum uint64
		for address, rao := range c.Rao {
			got, err := s.Balance(t.Context(), address)
			require.NoError(t, err)
			require.EqualValues(t, rao, got, address)
			sum += rao
		}
		sup, err := s.Supply(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, sum, sup.Bank)
		require.EqualValues(t, c.Issued, sup.Issued)
		var high, low, count int64
		require.NoError(t, s.QueryRow(t.Context(), "SELECT "+indexer.SumOf("balance")+" FROM accounts", &high, &low, &count))
		require.EqualValues(t, sum, indexer.TotalAmount(high, low, count))

		pools, err := s.Pools(t.Context())
		require.NoError(t, err)
		require.Len(t, pools, small.Subnets)
		for i, n := range c.Subnets {
			p := pools[i]
			require.Equal(t, []uint64{n.TAO, n.Alpha["reserve"], n.Alpha["issuance"], n.Alpha["staked"], n.Alpha["protocol"], n.Alpha["pending"]},
				[]uint64{uint64(p.TAOReserve), uint64(p.AlphaReserve), uint64(p.AlphaIssued), uint64(p.AlphaStaked), uint64(p.AlphaProtocol), uint64(p.AlphaPending)})
		}
		requireStakes(t, s, c)
	})
}

func requireStakes(t *testing.T, s *indexer.Store, c *indexertest.Chain) {
	t.Helper()
	want := map[string]string{}
	colds := map[string]bool{}
	for _, n := range c.Subnets {
		for uid, st := range n.Pools {
			for cold, shares := range st.Shares {
				want[fmt.Sprint(n.ID, n.Hotkeys[uid], cold)] = fmt.Sprintf("%s shares, %d", shares, st.Pool.Value(shares))
				colds[cold] = true
			}
		}
	}
	got := map[string]string{}
	for cold := range colds {
		list, err := s.Stakes(t.Context(), cold)
		require.NoError(t, err)
		for _, st := range list {
			got[fmt.Sprint(st.SubnetID, st.Hotkey, cold)] = fmt.Sprintf("%s shares, %d", st.Shares, uint64(st.Alpha))
		}
	}
	require.Equal(t, want, got)
}

// In every currency a history's rows add up to what the account has.
func TestAHistoryAddsUpToWhatAnAccountHas(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, indexertest.New(small)))
		c := indexertest.New(small).At(small.Blocks)
		for i := range 8 {
			user := indexertest.Address(fmt.Sprintf("user %d", i))
			requireHistory(t, s, user, c.Rao[user])
		}
	})
}

// requireHistory adds up the rows of an account's history.
func requireHistory(t *testing.T, s *indexer.Store, user string, rao uint64) {
	t.Helper()
	want := map[string]*big.Int{"TAO": new(big.Int).SetUint64(rao)}
	stakes, err := s.Stakes(t.Context(), user)
	require.NoError(t, err)
	for _, st := range stakes {
		of := fmt.Sprintf("ALPHA%d", st.SubnetID)
		if want[of] == nil {
			want[of] = new(big.Int)
		}
		want[of].Add(want[of], new(big.Int).SetUint64(uint64(st.Alpha)))
	}
	var table bytes.Buffer
	require.NoError(t, s.History(t.Context(), user, &table))
	rows, err := csv.NewReader(&table).ReadAll()
	require.NoError(t, err)
	require.Equal(t, "Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,Net Worth Amount,Net Worth Currency,Label,Description,TxHash",
		strings.Join(rows[0], ","))
	got := map[string]*big.Int{}
	add := func(amount, of string, sign int64) {
		if amount == "" {
			return
		}
		require.Regexp(t, `^[0-9]+\.[0-9]{9}$`, amount)
		n, ok := new(big.Int).SetString(strings.Replace(amount, ".", "", 1), 10)
		require.True(t, ok)
		if got[of] == nil {
			got[of] = new(big.Int)
		}
		got[of].Add(got[of], n.Mul(n, big.NewInt(sign)))
	}
	before := ""
	for _, r := range rows[1:] {
		require.GreaterOrEqual(t, r[0], "2026-11-01", "what genesis holds is dated by the first block")
		add(r[1], r[2], -1)
		add(r[3], r[4], 1)
		add(r[5], r[6], -1)
		if before != "" {
			require.LessOrEqual(t, before[:10], r[0][:10], "days come in their order")
		}
		before = r[0]
	}
	for of, n := range got {
		if n.Sign() == 0 {
			delete(got, of)
		}
	}
	require.Equal(t, fmt.Sprint(want), fmt.Sprint(got), user)
}

func TestAmountsCompareAndAddUpAboveSixtyThreeBits(t *testing.T) {
	amounts := []uint64{0, 1, math.MaxInt64 - 1, math.MaxInt64, 1 << 63, math.MaxUint64 - 1, math.MaxUint64}
	for i, a := range amounts {
		require.Equal(t, a, indexer.Got(indexer.Put(a)))
		if i > 0 {
			require.Less(t, indexer.Put(amounts[i-1]), indexer.Put(a))
		}
	}
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, s.Exec(t.Context(), "CREATE TABLE sums (a BIGINT NOT NULL)"))
		want := new(big.Int)
		for _, a := range []uint64{5, 1 << 62, 1<<63 - 9, 3} {
			require.NoError(t, s.Exec(t.Context(), "INSERT INTO sums VALUES (?)", indexer.Put(a)))
			want.Add(want, new(big.Int).SetUint64(a))
		}
		var high, low, count int64
		require.NoError(t, s.QueryRow(t.Context(), "SELECT "+indexer.SumOf("a")+" FROM sums", &high, &low, &count))
		require.Equal(t, want.Uint64(), uint64(indexer.TotalAmount(high, low, count)))
		require.NoError(t, s.Exec(t.Context(), "INSERT INTO sums VALUES (?)", indexer.Put(math.MaxUint64)))
		require.NoError(t, s.QueryRow(t.Context(), "SELECT "+indexer.SumOf("a")+" FROM sums", &high, &low, &count))
		require.EqualValues(t, uint64(math.MaxUint64), indexer.TotalAmount(high, low, count), "what is too much is the most there is")
	})
}

// meddled is a source whose blocks are changed on the way.
type meddled struct {
	indexer.Source
	id     string
	change func(*client.Record)
}

func (m meddled) ChainID(ctx context.Context) (string, error) {
	if m.id != "" {
		return m.id, nil
	}
	return m.Source.ChainID(ctx)
}

func (m meddled) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	list, err := m.Source.Blocks(ctx, from, to)
	if err != nil || m.change == nil {
		return list, err
	}
	for i, r := range list {
		c := *r
		c.Events = append([]abci.Event(nil), r.Events...)
		m.change(&c)
		list[i] = &c
	}
	return list, nil
}

func TestADatabaseOfAnotherChainIsRefusedAndLeftAlone(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		s.SetBatch(5)
		short := small
		short.Blocks = 20
		require.NoError(t, index(t, s, indexertest.New(short)))
		want := dump(t, s)
		other := short
		other.ChainID, other.Blocks = "lode-other-1", 40
		require.ErrorIs(t, s.Run(t.Context(), indexertest.New(other)), indexer.ErrForeign)
		// The same name, begun anew.
		require.ErrorIs(t, s.Run(t.Context(), meddled{Source: indexertest.New(other), id: short.ChainID}), indexer.ErrForeign)
		requireSame(t, want, dump(t, s))
		// A node of the same chain that has yet to come so far is waited for.
		short.Blocks = 10
		ctx, cancel := context.WithCancel(t.Context())
		require.ErrorIs(t, s.Run(ctx, waiting{indexertest.New(short), cancel}), context.Canceled)
		requireSame(t, want, dump(t, s))
	})
}

// waiting is a source that is asked for a block which it has not yet.
type waiting struct {
	*indexertest.Chain
	asked func()
}

func (w waiting) Wait(ctx context.Context, height int64) error {
	w.asked()
	return w.Chain.Wait(ctx, height)
}

// dropping is a source that has dropped its oldest blocks.
type dropping struct {
	*indexertest.Chain
	first int64
}

func (d dropping) Kept(ctx context.Context) (first, last int64, err error) {
	_, last, err = d.Chain.Kept(ctx)
	return d.first, last, err
}

func (d dropping) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	if from < d.first {
		return nil, fmt.Errorf("block %d: %w", from, client.ErrNotFound)
	}
	return d.Chain.Blocks(ctx, from, to)
}

func TestANodeThatHasDroppedTheNextBlockStopsItAndOneThatHasItIsTakenUp(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "index.db"))
	short := small
	short.Blocks = 20
	require.ErrorContains(t, s.Run(t.Context(), dropping{indexertest.New(short), 5}), "min-retain-blocks")
	require.NoError(t, index(t, s, indexertest.New(short)))
	short.Blocks = 40
	require.ErrorContains(t, s.Run(t.Context(), dropping{indexertest.New(short), 30}), "block 21 is the next")
	require.NoError(t, index(t, s, dropping{indexertest.New(short), 15}), "block 1 need not be there any more")
}

func TestABlockThatDoesNotFollowStopsItAndNothingOfItIsWritten(t *testing.T) {
	for name, change := range map[string]func(*client.Record){
		"of another height": func(r *client.Record) { r.Height++ },
		"of another chain":  func(r *client.Record) { r.Last = bytes.Repeat([]byte{1}, 32) },
		"without a hash":    func(r *client.Record) { r.Hash = nil },
		"without results":   func(r *client.Record) { r.Results = r.Results[:1] },
	} {
		t.Run(name, func(t *testing.T) { requireStops(t, change) })
	}
}

// requireStops changes block 12, and looks for the blocks before it.
func requireStops(t *testing.T, change func(*client.Record)) {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "index.db"))
	s.SetBatch(5)
	short := small
	short.Blocks = 20
	err := s.Run(t.Context(), meddled{Source: indexertest.New(short), change: func(r *client.Record) {
		if r.Height == 12 {
			change(r)
		}
	}})
	require.True(t, isStop(err), "%v", err)
	st, err := s.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, st.Height, "what was whole is there")
	require.NoError(t, index(t, s, indexertest.New(short)), "and it goes on")
	requireSame(t, twenty(t), dump(t, s))
}

func isStop(err error) bool {
	for _, e := range []error{indexer.ErrForeign, indexer.ErrMalformed} {
		if err != nil && strings.Contains(err.Error(), e.Error()) {
			return true
		}
	}
	return false
}

func TestEventsThatCannotBeReadStopIt(t *testing.T) {
	event := func(kind string, pairs ...any) func(*client.Record) {
		return func(r *client.Record) { r.Events = append(r.Events, indexertest.Event(kind, pairs...)) }
	}
	plain := func(kind string, pairs ...string) func(*client.Record) {
		return func(r *client.Record) { r.Events = append(r.Events, indexertest.Plain(kind, pairs...)) }
	}
	one := uint64(1)
	for name, change := range map[string]func(*client.Record){
		"an amount that is no number": plain("coin_received", "receiver", "lode1x", "amount", "99999999999999999999999rao"),
		"more spent than there is":    plain("coin_spent", "spender", indexertest.Address("user 1"), "amount", "18446744073709551615rao"),
		"a subnet that never was":     event("lode.alpha.v1.EventLiquidityAdded", "subnet_id", uint64(99), "tao", one, "alpha", one),
		"a subnet that is there":      event("lode.alpha.v1.EventPoolCreated", "subnet_id", one, "netuid", uint32(1), "tao", one, "alpha", one),
		"a missing field":             event("lode.alpha.v1.EventLiquidityAdded", "subnet_id", one),
		"a negative number":           event("lode.alpha.v1.EventLiquidityAdded", "subnet_id", one, "tao", int64(-1)),
		"a number of other letters":   event("lode.alpha.v1.EventLiquidityAdded", "subnet_id", one, "tao", "0x10"),
		"a pool's unknown account":    event("lode.alpha.v1.EventAlphaMoved", "subnet_id", one, "from", "nowhere", "to", "staked", "alpha", one),
		"more alpha than there is":    event("lode.alpha.v1.EventAlphaMoved", "subnet_id", one, "from", "burned", "to", "staked", "alpha", one),
		"reserves that do not fit": event("lode.alpha.v1.EventTrade", "subnet_id", one, "purchase", true, "reason", "stake", "tao", one, "alpha", one, "fee", one,
			"tao_reserve", one, "alpha_reserve", one),
		"shares that nobody has":     event("lode.alpha.v1.EventStakeRemoved", "subnet_id", one, "hotkey", "lode1a", "coldkey", "lode1b", "alpha", one, "shares", big.NewInt(1), "reason", "unstake"),
		"shares that are no number":  event("lode.alpha.v1.EventStakeAdded", "subnet_id", one, "hotkey", "lode1a", "coldkey", "lode1b", "alpha", one, "shares", "1e9", "reason", "stake"),
		"a uid with a gap":           event("lode.subnets.v1.EventNeuronRegistered", "subnet_id", one, "uid", uint32(77), "hotkey", "lode1a", "coldkey", "lode1b", "burn", one, "alpha_burned", one, "replaced_hotkey", ""),
		"an unknown hyperparameter":  event("lode.subnets.v1.EventHyperparameterSet", "subnet_id", one, "name", "speed", "value", one),
		"an epoch of other neurons":  event("lode.weights.v1.EventEpoch", "subnet_id", one, "number", uint64(9_999), "next_due", int64(1), "outcome", "weighted", "consensus", []uint64{1}, "validator_trust", []uint64{1}),
		"a payment without an epoch": event("lode.emission.v1.EventNeuronPaid", "subnet_id", one, "epoch", uint64(9_999), "uid", uint32(0), "incentive", one, "dividends", one, "root_tao", one, "revenue", one),
		"weights that do not fit":    event("lode.weights.v1.EventWeightsSet", "subnet_id", one, "uid", uint32(0), "uids", []uint32{1, 2}, "values", []uint32{1}),
		"more recycled than issued":  event("lode.emission.v1.EventRecycled", "tao", uint64(math.MaxUint64)),
	} {
		t.Run(name, func(t *testing.T) { requireStops(t, change) })
	}
}

func TestMessagesOfAnyKindStopNothing(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "index.db"))
	short := small
	short.Blocks = 6
	named := indexertest.Address("somebody in an unknown message")
	txs := [][]byte{
		[]byte("no transaction at all"), {}, bytes.Repeat([]byte{0xff}, 100), append([]byte("lode/vrf"), make([]byte, 80)...),
		unknownTx("/lode.future.v9.MsgNew", named), unknownTx("/cosmos.bank.v1beta1.MsgSend", "not protobuf"), unknownTx("spaces and \x00", strings.Repeat("lode1", 5_000)),
	}
	require.NoError(t, index(t, s, meddled{Source: indexertest.New(short), change: func(r *client.Record) {
		if r.Height == 5 {
			for _, tx := range txs {
				r.Txs = append(r.Txs, tx)
				r.Results = append(r.Results, &abci.ExecTxResult{Code: 2, Codespace: "sd\x00k", Log: "tx \x00 parse error \xff"})
			}
		}
	}}))
	b, err := s.Block(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, b.Items, 4+len(txs)-1, "the proof of the block's seed is no transaction")
	page, err := s.AccountTransactions(t.Context(), named, indexer.Page{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, []string{"/lode.future.v9.MsgNew"}, page.Items[0].Types)
	d, err := s.Transaction(t.Context(), page.Items[0].Hash)
	require.NoError(t, err)
	require.JSONEq(t, `{"@type":"/lode.future.v9.MsgNew","value":"`+base64Of(named)+`"}`, string(d.Messages[0]))
	for _, item := range b.Items {
		_, err := s.Transaction(t.Context(), item.Hash)
		require.NoError(t, err)
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		a, b := open(t, dsn), open(t, dsn)
		short := small
		short.Blocks = 10
		require.NoError(t, index(t, a, indexertest.New(short)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		long := small
		long.Blocks = 40
		held, asked := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() { // reads the cursor, and waits for its first block
			first <- b.Run(ctx, slow{indexertest.New(long), held, sync.OnceFunc(func() { close(asked) })})
		}()
		select {
		case <-asked:
		case err := <-first:
			t.Fatal(err)
		}
		require.NoError(t, index(t, a, indexertest.New(long)))
		want := dump(t, a)
		close(held)
		require.ErrorIs(t, <-first, indexer.ErrBusy)
		requireSame(t, want, dump(t, a))
	})
}

// slow gives blocks that are new only once it may.
type slow struct {
	*indexertest.Chain
	held  chan struct{}
	asked func() // for one
}

func (s slow) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	if from <= 10 {
		return s.Chain.Blocks(ctx, from, min(to, 10))
	}
	s.asked()
	<-s.held
	return s.Chain.Blocks(ctx, from, to)
}

func TestADatabaseThatCannotBeWrittenStopsItAndItGoesOnLater(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "index.db")
	s := open(t, dsn)
	require.NoError(t, s.Exec(t.Context(), "PRAGMA max_page_count = 150"))
	require.ErrorContains(t, index(t, s, indexertest.New(small)), "full")
	require.NoError(t, s.Exec(t.Context(), "PRAGMA max_page_count = 1000000"))
	require.NoError(t, index(t, s, indexertest.New(small)))
	requireSame(t, whole(t), dump(t, s))
}

func TestADatabaseThatSomebodyLocksIsWaitedFor(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "index.db")
	s, other := open(t, dsn), open(t, dsn)
	short := small
	short.Blocks = 30
	unlock, err := other.Lock(t.Context())
	require.NoError(t, err)
	asked := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- run(t.Context(), s, meddled{Source: indexertest.New(short), change: func(r *client.Record) {
			if r.Height == short.Blocks {
				close(asked)
			}
		}})
	}()
	<-asked
	require.NoError(t, unlock())
	require.NoError(t, <-done)
	again := open(t, filepath.Join(t.TempDir(), "again.db"))
	require.NoError(t, index(t, again, indexertest.New(short)))
	requireSame(t, dump(t, again), dump(t, s))
}

func TestAnIndexOfANewerSchemaIsNotTouched(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "index.db")
	s, err := indexer.Open(t.Context(), dsn)
	require.NoError(t, err)
	require.NoError(t, s.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"))
	require.NoError(t, s.Close())
	_, err = indexer.Open(t.Context(), dsn)
	require.ErrorContains(t, err, "version 99")
	_, err = indexer.Open(t.Context(), "")
	require.ErrorContains(t, err, "name a file")
	require.NoError(t, os.WriteFile(dsn+".txt", bytes.Repeat([]byte("no database "), 1_000), 0o600))
	_, err = indexer.Open(t.Context(), dsn+".txt")
	require.ErrorContains(t, err, "not a database")
}
