package indexer_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

// ended is a source at the end of whose block at a height more events come.
func ended(src indexer.Source, height int64, events ...abci.Event) indexer.Source {
	for i := range events {
		events[i].Attributes = append(events[i].Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
	}
	return meddled{Source: src, change: func(r *client.Record) {
		if r.Height == height {
			r.Events = append(r.Events, events...)
		}
	}}
}

// swapped are the events of alpha that an account swaps from the first subnet to the
// second, all it has on a hotkey: neither TAO of its own moves nor does it pay the fee.
func swapped(t *testing.T, c *indexertest.Chain, uid int) (cold string, events []abci.Event) {
	t.Helper()
	from, to := c.Subnets[0], c.Subnets[1]
	cold = from.Coldkeys[uid]
	held := from.Pools[uid].Shares[cold]
	_, redeemed, alpha, err := from.Pools[uid].Pool.Redeem(held, from.Pools[uid].Pool.Value(held))
	require.NoError(t, err)
	tao, bought := uint64(1_000_000), uint64(1_900_000)
	_, minted, err := to.Pools[uid].Pool.Deposit(bought)
	require.NoError(t, err)
	return cold, []abci.Event{
		indexertest.Event("lode.alpha.v1.EventStakeRemoved", "subnet_id", from.ID, "netuid", from.Netuid, "hotkey", from.Hotkeys[uid], "coldkey", cold, "alpha", alpha, "shares", redeemed, "reason", "swap"),
		indexertest.Event("lode.alpha.v1.EventAlphaMoved", "subnet_id", from.ID, "from", "staked", "to", "reserve", "alpha", alpha),
		indexertest.Event("lode.alpha.v1.EventTrade", "subnet_id", from.ID, "netuid", from.Netuid, "purchase", false, "reason", "swap", "tao", tao, "alpha", alpha, "fee", uint64(0),
			"tao_reserve", from.TAO-tao, "alpha_reserve", from.Alpha["reserve"]+alpha),
		indexertest.Event("lode.alpha.v1.EventAlphaMoved", "subnet_id", to.ID, "from", "reserve", "to", "staked", "alpha", bought),
		indexertest.Event("lode.alpha.v1.EventTrade", "subnet_id", to.ID, "netuid", to.Netuid, "purchase", true, "reason", "swap", "tao", tao, "alpha", bought, "fee", uint64(0),
			"tao_reserve", to.TAO+tao, "alpha_reserve", to.Alpha["reserve"]-bought),
		indexertest.Event("lode.alpha.v1.EventStakeAdded", "subnet_id", to.ID, "netuid", to.Netuid, "hotkey", to.Hotkeys[uid], "coldkey", cold, "alpha", bought, "shares", minted, "reason", "swap"),
	}
}

func TestAHistoryHasTradesInWhichNoTAOOfTheAccountMoved(t *testing.T) {
	cfg := small
	cfg.Blocks = 20
	c := indexertest.New(cfg).At(cfg.Blocks)
	cold, events := swapped(t, c, 1)
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, ended(indexertest.New(cfg), cfg.Blocks, events...)))
		requireHistory(t, s, cold, c.Rao[cold])
	})
}

// A coldkey that is swapped for another was paid until then, and the other from then on.
func TestIncomeStaysWithTheColdkeyThatWasPaid(t *testing.T) {
	const at, fresh = 60, "a fresh coldkey"
	cfg := small
	cfg.Blocks = 150 // more than a chunk's epochs
	cfg.Tempo, cfg.Told = 1, 10
	hot, old, other := indexertest.Address("hotkey 1 5"), indexertest.Address("user 5"), indexertest.Address(fresh)
	want := map[string]uint64{}
	c := indexertest.New(cfg)
	for height := int64(1); height <= cfg.Blocks; height++ {
		for _, m := range client.TypedEvents(withoutMode(c.Block(height).Events)) {
			if e, ok := m.(interface {
				GetHotkey() string
				GetIncentive() uint64
			}); ok && e.GetHotkey() == hot {
				if height <= at {
					want[old] += e.GetIncentive()
				} else {
					want[other] += e.GetIncentive()
				}
			}
		}
	}
	var first []string
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		for _, batch := range []int64{7, 2_000} {
			s := open(t, dsn)
			if batch > 7 {
				s = open(t, t.TempDir()+"/index.db")
			}
			s.SetBatch(batch)
			require.NoError(t, index(t, s, ended(indexertest.New(cfg), at, indexertest.Event("lode.alpha.v1.EventHotkeyBound", "hotkey", hot, "coldkey", other))))
			for account, alpha := range want {
				var have uint64
				for _, in := range pages(t, 100, func(p indexer.Page) (indexer.List[indexer.Income], error) { return s.Income(t.Context(), account, p) }) {
					if in.Kind == "incentive" && in.Hotkey == hot {
						have += uint64(in.Alpha)
					}
				}
				require.Equal(t, alpha, have, account)
			}
			latest, err := s.AccountRegistrations(t.Context(), other, indexer.Page{})
			require.NoError(t, err)
			require.Len(t, latest.Items, 1)
			require.Equal(t, []any{int64(at), uint32(5), hot, other, hot}, []any{latest.Items[0].Height, latest.Items[0].UID, latest.Items[0].Hotkey, latest.Items[0].Coldkey, *latest.Items[0].Replaced})
			if first == nil {
				first = dump(t, s)
			}
			requireSame(t, first, dump(t, s))
		}
	})
}

// A hotkey that came amid a bucket of six hours has no epochs before it among its samples.
func TestYieldsBeginWithTheRegistration(t *testing.T) {
	cfg := small
	cfg.Blocks = 60 // of 5 minutes: within a bucket, from 20:00 on
	const at = 40
	c := indexertest.New(cfg).At(cfg.Blocks)
	n := c.Subnets[0]
	came := indexertest.Address("one who came")
	cold := n.Coldkeys[8]
	s := open(t, t.TempDir()+"/index.db")
	src := ended(indexertest.New(cfg), at,
		indexertest.Event("lode.alpha.v1.EventHotkeyBound", "hotkey", came, "coldkey", cold),
		indexertest.Event("lode.subnets.v1.EventNeuronRegistered", "subnet_id", n.ID, "netuid", n.Netuid, "uid", uint32(8), "hotkey", came, "coldkey", cold,
			"burn", uint64(1), "alpha_burned", uint64(0), "replaced_hotkey", n.Hotkeys[8]),
		indexertest.Event("lode.alpha.v1.EventStakeAdded", "subnet_id", n.ID, "netuid", n.Netuid, "hotkey", came, "coldkey", cold, "alpha", uint64(1_000_000), "shares", big.NewInt(1_000_000), "reason", "move"))
	// A hundredth more each epoch.
	alpha, epochs := uint64(1_000_000), 0
	require.NoError(t, index(t, s, meddled{Source: src, change: func(r *client.Record) {
		if r.Height <= at {
			return
		}
		for _, e := range r.Events {
			if e.Type != "lode.weights.v1.EventEpoch" || e.Attributes[0].Value != `"1"` { // of its subnet
				continue
			}
			more := indexertest.Event("lode.alpha.v1.EventStakeRewarded", "subnet_id", n.ID, "netuid", n.Netuid, "hotkey", came, "alpha", alpha/100)
			more.Attributes = append(more.Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
			r.Events = append(r.Events, more)
			alpha += alpha / 100
			epochs++
		}
	}}))
	require.Equal(t, 10, epochs)
	priceAt := func(height int64) float64 { // after the last epoch up to a block
		n := indexertest.New(cfg).At(height).Subnets[0]
		return float64(n.TAO) / float64(n.Alpha["reserve"])
	}
	then, now := priceAt(at-1), priceAt(cfg.Blocks)
	list, _, err := s.Yields(t.Context(), cold)
	require.NoError(t, err)
	for _, y := range list {
		if y.Hotkey != came {
			continue
		}
		for _, window := range y.Yields {
			require.Equal(t, epochs, window.Samples)
			require.InDelta(t, 0.01, *window.Epoch, 1e-6)
			require.InDelta(t, now/then*math.Pow(1.01, float64(epochs))-1, *window.TAOReturn, 1e-5, "the price's change since it came")
		}
		return
	}
	t.Fatal("it has no yields")
}

// An index that the first version wrote has what later ones need once it is opened, and
// goes on.
func TestAnIndexOfTheFirstVersionIsBroughtToThisOne(t *testing.T) {
	cfg := small
	cfg.Blocks = 20
	c := indexertest.New(cfg).At(cfg.Blocks)
	cold, events := swapped(t, c, 1)
	hot, other := indexertest.Address("hotkey 1 5"), indexertest.Address("a fresh coldkey")
	events = append(events, indexertest.Event("lode.alpha.v1.EventHotkeyBound", "hotkey", hot, "coldkey", other))
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s, err := indexer.Open(t.Context(), dsn)
		require.NoError(t, err)
		require.NoError(t, index(t, s, ended(indexertest.New(cfg), cfg.Blocks, events...)))
		for _, statement := range []string{
			"DELETE FROM ledger WHERE received = spent AND fee = -9223372036854775807 - 1",
			"DELETE FROM registrations WHERE replaced = hotkey",
			"DROP INDEX blocks_hash",
			"DELETE FROM goose_db_version WHERE version_id > 1",
		} {
			require.NoError(t, s.Exec(t.Context(), statement))
		}
		require.NoError(t, s.Close())
		s = open(t, dsn)
		requireHistory(t, s, cold, c.Rao[cold])
		latest, err := s.AccountRegistrations(t.Context(), other, indexer.Page{})
		require.NoError(t, err)
		require.Len(t, latest.Items, 1)
		require.Equal(t, []any{cfg.Blocks, uint32(5), hot, hot}, []any{latest.Items[0].Height, latest.Items[0].UID, latest.Items[0].Hotkey, *latest.Items[0].Replaced})
		income, err := s.Income(t.Context(), other, indexer.Page{})
		require.NoError(t, err)
		require.Empty(t, income.Items, "what it was paid before is the other's")
		again := cfg
		again.Blocks = 21
		require.NoError(t, index(t, s, meddled{Source: indexertest.New(again), change: func(r *client.Record) {
			r.Txs, r.Results, r.Events = nil, nil, nil // its own are of a chain on which nothing was swapped
		}}))
	})
}

// stalled is a writer that nobody reads from until the test lets it.
type stalled struct{ begun, on chan struct{} }

func (w stalled) Write(p []byte) (int, error) {
	select {
	case w.begun <- struct{}{}:
	default:
	}
	<-w.on
	return len(p), nil
}

// Who reads a history slowly keeps nobody from the database.
func TestHistoriesThatAreReadSlowlyHoldNothing(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		short := small
		short.Blocks = 100
		require.NoError(t, index(t, s, indexertest.New(short)))
		w := stalled{make(chan struct{}, 1), make(chan struct{})}
		const readers = 30
		done := make(chan error, readers)
		for range readers {
			go func() { done <- s.History(t.Context(), indexertest.Address("user 1"), w) }()
			<-w.begun
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := s.Status(ctx)
		require.NoError(t, err)
		longer := short
		longer.Blocks = 110
		require.NoError(t, run(ctx, s, indexertest.New(longer)))
		close(w.on)
		for range readers {
			require.NoError(t, <-done)
		}
	})
}

// refusing is a source that has blocks and gives none from a height on, for a while.
type refusing struct {
	*indexertest.Chain
	from int64
	over chan struct{}
}

func (r refusing) Blocks(ctx context.Context, from, to int64) ([]*client.Record, error) {
	select {
	case <-r.over:
	default:
		if from >= r.from {
			return nil, fmt.Errorf("%w: it sends what is no record", client.ErrUnavailable)
		}
		to = min(to, r.from-1)
	}
	return r.Chain.Blocks(ctx, from, to)
}

func TestANodeThatIsThereAndGivesNoBlocksIsToldOf(t *testing.T) {
	s := open(t, t.TempDir()+"/index.db")
	short := small
	short.Blocks = 20
	src := refusing{indexertest.New(short), 12, make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- index(t, s, src) }()
	require.Eventually(t, func() bool {
		err := s.Trouble()
		return err != nil && strings.Contains(err.Error(), "block 12: no node can be reached: it sends what is no record")
	}, 20*time.Second, 10*time.Millisecond)
	close(src.over)
	require.NoError(t, <-done)
	require.NoError(t, s.Trouble())
	requireSame(t, twenty(t), dump(t, s))
}

func TestSeriesTakeAnyTimeAndNoCursorOfNobodys(t *testing.T) {
	s := open(t, t.TempDir()+"/index.db")
	require.NoError(t, index(t, s, indexertest.New(small)))
	ctx := t.Context()
	for _, to := range []string{"2117-01-01", "2263-01-01", "9999-12-31"} {
		late, err := time.Parse(time.DateOnly, to)
		require.NoError(t, err)
		candles, err := s.Candles(ctx, 1, indexer.Hour, indexer.Span{To: late})
		require.NoError(t, err)
		require.Len(t, candles.Items, 26, to)
		epochs, err := s.Epochs(ctx, 1, indexer.Span{To: late})
		require.NoError(t, err)
		require.NotEmpty(t, epochs.Items, to)
		candles, err = s.Candles(ctx, 1, indexer.Hour, indexer.Span{From: late})
		require.NoError(t, err)
		require.Empty(t, candles.Items, to)
		epochs, err = s.Epochs(ctx, 1, indexer.Span{From: late})
		require.NoError(t, err)
		require.Empty(t, epochs.Items, to)
	}
	all, err := s.Candles(ctx, 1, indexer.Hour, indexer.Span{From: time.Unix(0, 0)})
	require.NoError(t, err)
	for _, off := range []int64{1, 1_799, 3_599} { // between two
		rest, err := s.Candles(ctx, 1, indexer.Hour, indexer.Span{Page: indexer.Page{After: fmt.Sprint(all.Items[3].Time.Unix() + off)}})
		require.NoError(t, err)
		require.Equal(t, all.Items[4:], rest.Items)
	}
	for _, after := range []string{"4611686018427387904", "9223372036854775807"} {
		_, err = s.Candles(ctx, 1, indexer.Hour, indexer.Span{Page: indexer.Page{After: after}})
		require.ErrorIs(t, err, indexer.ErrCursor)
		_, err = s.Blocks(ctx, indexer.Page{After: after})
		require.ErrorIs(t, err, indexer.ErrCursor)
	}
	for _, after := range []string{"0", "-1", "1"} {
		none, err := s.Neuron(ctx, 1, 3, indexer.Page{After: after})
		require.NoError(t, err)
		require.Empty(t, none.Items, "before the first epoch there is none")
	}
}

func TestProcessesThatOpenANewIndexAtOnceAllGetIt(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		const at = 6
		opened := make(chan error, at)
		for range at {
			go func() {
				s, err := indexer.Open(t.Context(), dsn)
				if err == nil {
					err = s.Close()
				}
				opened <- err
			}()
		}
		for range at {
			require.NoError(t, <-opened)
		}
	})
}

func TestADaysFiguresAreOfTwentyFourHours(t *testing.T) {
	cfg := small
	cfg.Blocks = 295 // it ends amid an hour, 24 hours and 35 minutes after it began
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, indexertest.New(cfg)))
		figures, err := s.Figures(t.Context())
		require.NoError(t, err)
		for _, f := range figures {
			var traded, all indexer.Amount
			for _, tr := range pages(t, 500, func(p indexer.Page) (indexer.List[indexer.Trade], error) { return s.Trades(t.Context(), f.SubnetID, p) }) {
				if all += tr.TAO; !tr.Time.Before(indexertest.New(cfg).Time(cfg.Blocks).Add(-24 * time.Hour)) {
					traded += tr.TAO
				}
			}
			require.Equal(t, traded, f.Volume24h)
			require.Greater(t, all, traded)
		}
	})
}
