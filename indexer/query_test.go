package indexer_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

// pages walks a list, and checks that no page is longer than was asked and none empty.
func pages[T any](t *testing.T, limit int, ask func(indexer.Page) (indexer.List[T], error)) (all []T) {
	t.Helper()
	p := indexer.Page{Limit: limit}
	for {
		l, err := ask(p)
		require.NoError(t, err)
		require.NotNil(t, l.Items)
		require.Positive(t, l.Height)
		require.LessOrEqual(t, len(l.Items), limit)
		all = append(all, l.Items...)
		if l.Next == "" {
			return all
		}
		require.NotEmpty(t, l.Items)
		p.After = l.Next
	}
}

// requirePages reads a list in pages of 7 and at one go.
func requirePages[T any](t *testing.T, what string, atLeast int, ask func(indexer.Page) (indexer.List[T], error)) []T {
	t.Helper()
	all := pages(t, 500, ask)
	require.GreaterOrEqual(t, len(all), atLeast, what)
	require.Equal(t, all, pages(t, 7, ask), what)
	for _, bad := range []string{"x", "1.2.3.4", "-7", "+1", "99999999999999999999", strings.Repeat("1.", 100)} {
		_, err := ask(indexer.Page{After: bad})
		require.ErrorIs(t, err, indexer.ErrCursor, what)
	}
	return all
}

func TestListsComeInPagesThatMissNothing(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		_, err := s.Blocks(t.Context(), indexer.Page{})
		require.ErrorIs(t, err, indexer.ErrEmpty)
		require.NoError(t, index(t, s, indexertest.New(small)))
		ctx := t.Context()
		user := indexertest.Address("user 1")

		blocks := requirePages(t, "blocks", 300, func(p indexer.Page) (indexer.List[indexer.Block], error) { return s.Blocks(ctx, p) })
		txs := requirePages(t, "transactions", 1_100, func(p indexer.Page) (indexer.List[indexer.Transaction], error) { return s.Transactions(ctx, p) })
		count := 0
		for i, b := range blocks {
			require.EqualValues(t, 300-i, b.Height)
			count += b.Transactions
		}
		require.Len(t, txs, count)
		mine := requirePages(t, "an account's", 50, func(p indexer.Page) (indexer.List[indexer.Transaction], error) {
			return s.AccountTransactions(ctx, user, p)
		})
		for _, tx := range mine {
			d, err := s.Transaction(ctx, tx.Hash)
			require.NoError(t, err)
			require.Equal(t, tx, d.Transaction)
			require.Equal(t, d.Types[0], typeOf(t, d.Messages[0]))
		}
		requirePages(t, "epochs", 149, func(p indexer.Page) (indexer.List[indexer.Epoch], error) {
			return s.Epochs(ctx, 1, indexer.Span{Page: p, From: time.Unix(0, 0)})
		})
		neuron := requirePages(t, "a neuron's epochs", 149, func(p indexer.Page) (indexer.List[indexer.NeuronEpoch], error) { return s.Neuron(ctx, 1, 3, p) })
		require.EqualValues(t, 1, neuron[len(neuron)-1].Epoch)
		for _, e := range neuron {
			require.Positive(t, e.Incentive, "epoch %d, in chunks and out of them", e.Epoch)
		}
		require.Len(t, requirePages(t, "registrations", 9, func(p indexer.Page) (indexer.List[indexer.Registration], error) { return s.Registrations(ctx, 2, p) }), 9)
		requirePages(t, "an account's registrations", 3, func(p indexer.Page) (indexer.List[indexer.Registration], error) {
			return s.AccountRegistrations(ctx, user, p)
		})
		requirePages(t, "hyperparameters", 29, func(p indexer.Page) (indexer.List[indexer.HyperparameterChange], error) {
			return s.Hyperparameters(ctx, 1, "", p)
		})
		trades := requirePages(t, "trades", 100, func(p indexer.Page) (indexer.List[indexer.Trade], error) { return s.Trades(ctx, 1, p) })
		for _, tr := range trades {
			require.NotEmpty(t, tr.Account, "whose it is")
			require.NotEmpty(t, tr.Hotkey)
		}
		requirePages(t, "an account's trades", 20, func(p indexer.Page) (indexer.List[indexer.Trade], error) { return s.AccountTrades(ctx, user, p) })
		income := requirePages(t, "income", 400, func(p indexer.Page) (indexer.List[indexer.Income], error) { return s.Income(ctx, user, p) })
		for _, bad := range []string{"9223372036854775807.9223372036854775807", "77.4611686018427387904", "77.-1"} {
			_, err := s.Income(ctx, user, indexer.Page{After: bad})
			require.ErrorIs(t, err, indexer.ErrCursor)
		}
		days := requirePages(t, "a portfolio", 8, func(p indexer.Page) (indexer.List[indexer.StakeDay], error) { return s.Portfolio(ctx, user, p) })
		before := map[string]uint64{}
		for i := len(days) - 1; i >= 0; i-- {
			d := days[i]
			key := fmt.Sprint(d.SubnetID, d.Hotkey)
			require.EqualValues(t, d.Alpha+d.Out, sumUp(before[key], d.In, d.Paid, d.Dividends))
			before[key] = uint64(d.Alpha)
		}
		hours := requirePages(t, "hours", 24, func(p indexer.Page) (indexer.List[indexer.Supply], error) {
			return s.SupplyHours(ctx, indexer.Span{Page: p})
		})
		now, err := s.Supply(ctx)
		require.NoError(t, err)
		require.Equal(t, now, hours[len(hours)-1])
		rows, err := s.Weights(ctx, 1)
		require.NoError(t, err)
		require.NotEmpty(t, rows)
		require.Len(t, rows[0].Values, small.Neurons)
		transfers, err := s.Transfers(ctx, 2)
		require.NoError(t, err)
		require.NotEmpty(t, transfers)
		kinds := map[string]int{}
		for i, in := range income {
			kinds[in.Kind]++
			if i > 0 {
				require.LessOrEqual(t, in.Height, income[i-1].Height)
			}
		}
		require.Positive(t, kinds["incentive"])
		require.Positive(t, kinds["dividends"])
	})
}

// sumUp adds what a stake was and what came to it.
func sumUp(was uint64, came ...indexer.Amount) uint64 {
	for _, a := range came {
		was += uint64(a)
	}
	return was
}

func typeOf(t *testing.T, message json.RawMessage) string {
	t.Helper()
	var m struct {
		Type string `json:"@type"`
	}
	require.NoError(t, json.Unmarshal(message, &m))
	return m.Type
}

// What a hotkey earned by its epochs is what the chain paid.
func TestIncomeIsWhatEpochsPaid(t *testing.T) {
	s := open(t, t.TempDir()+"/index.db")
	require.NoError(t, index(t, s, indexertest.New(small)))
	c := indexertest.New(small)
	hot := indexertest.Address("hotkey 1 5")
	var want, have uint64
	for height := int64(1); height <= small.Blocks; height++ {
		r := c.Block(height)
		for _, m := range client.TypedEvents(withoutMode(r.Events)) {
			if e, ok := m.(interface {
				GetHotkey() string
				GetIncentive() uint64
			}); ok && e.GetHotkey() == hot {
				want += e.GetIncentive()
			}
		}
	}
	for _, in := range pages(t, 100, func(p indexer.Page) (indexer.List[indexer.Income], error) { return s.Income(t.Context(), hot, p) }) {
		require.Equal(t, "incentive", in.Kind)
		require.NotNil(t, in.Epoch)
		require.NotNil(t, in.Value)
		have += uint64(in.Alpha)
	}
	require.Positive(t, want)
	require.Equal(t, want, have)
}

// Old epochs of a short tempo are kept some at a time; what they gave to whom stays what
// it was, however blocks are batched.
func TestOldEpochsOfAShortTempoGiveTheSameToTheSame(t *testing.T) {
	short := small
	short.Told = 45 // eight at a time
	heir := indexertest.Address("heir")
	swap := func(r *client.Record) { // after epoch 51: uid 3 is in other hands
		if r.Height == 103 {
			r.Events = slices.Insert(r.Events, 0, indexertest.Event("lode.subnets.v1.EventNeuronRegistered", "subnet_id", uint64(1), "netuid", uint32(1), "uid", uint32(3),
				"hotkey", heir, "coldkey", heir, "burn", uint64(0), "alpha_burned", uint64(0), "replaced_hotkey", indexertest.Address("hotkey 1 3")))
		}
	}
	sums := func(s *indexer.Store, uid uint32) (out map[string]uint64, epochs uint64, items int) {
		out = map[string]uint64{}
		list := requirePages(t, "a neuron's epochs", 30, func(p indexer.Page) (indexer.List[indexer.NeuronEpoch], error) {
			return s.Neuron(t.Context(), 1, uid, p)
		})
		for _, e := range list {
			out[e.Hotkey] += uint64(e.Incentive)
			out[e.Hotkey+"'s dividends"] += uint64(e.Dividends)
			epochs += e.Epochs
		}
		return out, epochs, len(list)
	}
	income := func(s *indexer.Store, hotkey string) (sum uint64) {
		for _, in := range pages(t, 100, func(p indexer.Page) (indexer.List[indexer.Income], error) { return s.Income(t.Context(), hotkey, p) }) {
			sum += uint64(in.Alpha)
		}
		return sum
	}
	full := open(t, filepath.Join(t.TempDir(), "full.db"))
	require.NoError(t, index(t, full, meddled{Source: indexertest.New(small), change: swap}))
	var before []string
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		s.SetBatch(7)
		require.NoError(t, index(t, s, meddled{Source: indexertest.New(short), change: swap}))
		for uid := range uint32(small.Neurons) {
			want, epochs, items := sums(full, uid)
			got, covered, fewer := sums(s, uid)
			require.Equal(t, want, got, "uid %d", uid)
			require.Equal(t, epochs, covered)
			require.EqualValues(t, items, epochs)
			require.Less(t, fewer, 50, "of 150: 22 that are new, 16 for 128 that are old")
		}
		for _, hotkey := range []string{heir, indexertest.Address("hotkey 1 3"), indexertest.Address("hotkey 1 5")} {
			require.Positive(t, income(full, hotkey))
			require.Equal(t, income(full, hotkey), income(s, hotkey))
		}
		lines := dump(t, s)
		if before != nil {
			requireSame(t, before, lines)
		}
		before = lines
	})
	s := open(t, filepath.Join(t.TempDir(), "one.db"))
	require.NoError(t, index(t, s, meddled{Source: indexertest.New(short), change: swap}))
	requireSame(t, before, dump(t, s))
}

func withoutMode(events []abci.Event) []abci.Event {
	out := make([]abci.Event, len(events))
	for i, e := range events {
		out[i] = abci.Event{Type: e.Type, Attributes: e.Attributes[:len(e.Attributes)-1]}
	}
	return out
}

func TestCandlesFollowThePriceWithoutGaps(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		cfg := small
		cfg.Interval = 20 * time.Minute // three intervals of four have no block
		cfg.Blocks = 60
		s := open(t, dsn)
		require.NoError(t, index(t, s, indexertest.New(cfg)))
		c := indexertest.New(cfg).At(cfg.Blocks)
		ctx := t.Context()
		for _, length := range []time.Duration{indexer.Minutes5, indexer.Hour, indexer.Day} {
			all := pages(t, 50, func(p indexer.Page) (indexer.List[indexer.Candle], error) {
				return s.Candles(ctx, 2, length, indexer.Span{Page: p, From: time.Unix(0, 0)})
			})
			require.InDelta(t, float64(cfg.Blocks-1)*cfg.Interval.Minutes()/length.Minutes(), len(all), 2)
			for i, k := range all {
				require.LessOrEqual(t, k.Low, min(k.Open, k.Close))
				require.GreaterOrEqual(t, k.High, max(k.Open, k.Close))
				if i > 0 {
					require.Equal(t, all[i-1].Close, k.Open)
					require.Equal(t, length, k.Time.Sub(all[i-1].Time))
				}
			}
			n := c.Subnets[1]
			require.InEpsilon(t, float64(n.TAO)/float64(n.Alpha["reserve"]), float64(all[len(all)-1].Close), 1e-6)
			tail, err := s.Candles(ctx, 2, length, indexer.Span{Page: indexer.Page{Limit: 5}})
			require.NoError(t, err)
			require.Equal(t, all[max(0, len(all)-5):], tail.Items, "without a beginning it is the latest")
		}
		_, err := s.Candles(ctx, 2, time.Minute, indexer.Span{})
		require.ErrorContains(t, err, "5 minutes")
		none, err := s.Candles(ctx, 99, indexer.Hour, indexer.Span{})
		require.NoError(t, err)
		require.Empty(t, none.Items)

		figures, err := s.Figures(ctx)
		require.NoError(t, err)
		require.Len(t, figures, cfg.Subnets)
		for _, f := range figures {
			require.NotNil(t, f.Change1h)
			require.Nil(t, f.Change7d, "it is not so old")
		}
	})
}

func TestYieldsAreWhatSharesGrewByAnEpoch(t *testing.T) {
	s := open(t, t.TempDir()+"/index.db")
	require.NoError(t, index(t, s, indexertest.New(small)))
	list, at, err := s.Yields(t.Context(), indexertest.Address("user 1"))
	require.NoError(t, err)
	require.EqualValues(t, small.Blocks, at.Height)
	require.NotEmpty(t, list)
	earned := 0
	for _, st := range list {
		require.Len(t, st.Yields, 3)
		for i, days := range []int{1, 7, 30} {
			y := st.Yields[i]
			require.Equal(t, days, y.Days)
			if y.Epoch == nil {
				continue
			}
			earned++
			require.Positive(t, *y.Epoch)
			require.Positive(t, y.Samples)
			// Two blocks of 5 minutes are an epoch.
			require.InEpsilon(t, *y.Epoch*365.25*24*6, *y.APR, 0.01)
			if y.APY != nil {
				require.Greater(t, *y.APY, *y.APR)
			}
		}
	}
	require.Positive(t, earned)
}

func TestSearchFindsByAnything(t *testing.T) {
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, indexertest.New(small)))
		ctx := t.Context()
		b, err := s.Block(ctx, 7)
		require.NoError(t, err)
		user := indexertest.Address("user 3")
		blocks, err := s.Blocks(ctx, indexer.Page{Limit: 1})
		require.NoError(t, err)
		hash, last := blocks.Items[0].Hash, fmt.Sprintf("block %d", blocks.Items[0].Height)
		for text, want := range map[string]string{
			"2": "subnet 2", "77": "block 77", "+077": "block 77", hash: last, strings.ToLower(hash): last, "0X" + hash: last, user: "account " + user, user[:15]: "account " + user, strings.ToUpper(user): "account " + user,
			strings.ToLower(b.Items[0].Hash): "transaction " + b.Items[0].Hash, "0x" + b.Items[0].Hash: "transaction " + b.Items[0].Hash, " SUBNET 3 ": "subnet 3",
		} {
			found, err := s.Search(ctx, text)
			require.NoError(t, err)
			require.NotEmpty(t, found, text)
			require.Equal(t, want, found[0].Kind+" "+found[0].ID, text)
		}
		for _, text := range []string{"", "nothing of the kind", "%", "_", `\`, "'; DROP TABLE txs; --", "lode1\x00", "\xff\xfe", strings.Repeat("a", 5_000), "lode1%"} {
			found, err := s.Search(ctx, text)
			require.NoError(t, err, text)
			require.Empty(t, found, text)
		}
		many, err := s.Search(ctx, "lode1")
		require.NoError(t, err)
		require.Len(t, many, 20)
	})
}

// A subnet that is removed stays in the history, and so do its holders' stakes until they
// are paid.
func TestARemovedSubnetPaysItsHoldersAndStaysKnown(t *testing.T) {
	cfg := small
	cfg.Blocks = 20
	c := indexertest.New(cfg).At(cfg.Blocks)
	n := c.Subnets[0]
	cold, hot := n.Coldkeys[1], n.Hotkeys[1]
	st := n.Pools[1]
	held, alpha := st.Shares[cold], st.Pool.Value(st.Shares[cold])
	indexertest.Stores(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		require.NoError(t, index(t, s, meddled{Source: indexertest.New(cfg), change: func(r *client.Record) {
			if r.Height != cfg.Blocks {
				return
			}
			ended := []abci.Event{
				indexertest.Event("lode.alpha.v1.EventPoolRetired", "subnet_id", n.ID, "netuid", n.Netuid, "pot", n.TAO, "total", uint64(1e15), "recycled", uint64(5)),
				indexertest.Event("lode.subnets.v1.EventSubnetRemoved", "subnet_id", n.ID, "netuid", n.Netuid, "name", "subnet 1", "moving_price", "0.1"),
				indexertest.Event("lode.alpha.v1.EventStakeRemoved", "subnet_id", n.ID, "netuid", n.Netuid, "hotkey", hot, "coldkey", cold, "alpha", alpha, "shares", held, "reason", "removal"),
				indexertest.Plain("coin_received", "receiver", cold, "amount", "777rao"),
				indexertest.Event("lode.alpha.v1.EventHolderPaid", "subnet_id", n.ID, "netuid", n.Netuid, "hotkey", hot, "coldkey", cold, "alpha", alpha, "tao", uint64(777)),
			}
			for i := range ended {
				ended[i].Attributes = append(ended[i].Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
			}
			r.Events = append(r.Events, ended...)
		}}))
		name, err := s.SubnetName(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, indexer.SubnetName{SubnetID: 1, Netuid: 1, Name: "subnet 1", CreatedHeight: 1, RemovedHeight: 20}, name)
		pools, err := s.Pools(t.Context())
		require.NoError(t, err)
		require.Len(t, pools, 2)
		stakes, err := s.Stakes(t.Context(), cold)
		require.NoError(t, err)
		left := 0
		for _, st := range stakes {
			require.False(t, st.SubnetID == 1 && st.Hotkey == hot, "it is paid")
			if st.SubnetID == 1 {
				left++
			}
		}
		require.Positive(t, left, "others stay visible until they are paid")
		income, err := s.Income(t.Context(), cold, indexer.Page{})
		require.NoError(t, err)
		require.Equal(t, "payout", income.Items[len(kindsBefore(income.Items, "payout"))].Kind)
		rao, err := s.Balance(t.Context(), cold)
		require.NoError(t, err)
		require.EqualValues(t, c.Rao[cold]+777, rao)
		_, err = s.SubnetName(t.Context(), 9)
		require.ErrorIs(t, err, indexer.ErrNotFound)
	})
}

// kindsBefore are the kinds before the first of a kind.
func kindsBefore(list []indexer.Income, kind string) (out []string) {
	for _, in := range list {
		if in.Kind == kind {
			return out
		}
		out = append(out, in.Kind)
	}
	return out[:max(0, len(out)-1)]
}

func TestAmountsAndPricesAreDecimalStrings(t *testing.T) {
	raw, err := json.Marshal(indexer.Trade{TAO: 1 << 63, Price: 0.25})
	require.NoError(t, err)
	require.Contains(t, string(raw), `"tao_rao":"9223372036854775808"`)
	require.Contains(t, string(raw), `"price":"0.25"`)
	require.Equal(t, "1.0", fmt.Sprint(indexer.Price(1)))
	require.Equal(t, "0.000000001", fmt.Sprint(indexer.Price(1e-9)))
}

// Hotkeys and coldkeys are swapped with all that is on them, and what customers pay is
// income and revenue; whether blocks come one by one or at one go.
func TestKeysAreSwappedAndCustomersPay(t *testing.T) {
	cfg := small
	cfg.Blocks = 30
	c := indexertest.New(cfg).At(cfg.Blocks)
	n := c.Subnets[0]
	old, fresh := n.Hotkeys[2], indexertest.Address("a fresh hotkey")
	cold, other := n.Coldkeys[2], indexertest.Address("a fresh coldkey")
	held := n.Pools[2].Shares[cold]
	change := func(r *client.Record) {
		if r.Height != cfg.Blocks {
			return
		}
		one := uint64(1)
		ended := []abci.Event{
			indexertest.Event("lode.alpha.v1.EventHotkeyBound", "hotkey", fresh, "coldkey", cold),
			indexertest.Event("lode.alpha.v1.EventTakeSet", "hotkey", old, "take", uint32(90_000)),
			indexertest.Event("lode.alpha.v1.EventStakeLocked", "subnet_id", one, "hotkey", old, "coldkey", cold, "alpha", uint64(9), "locked", uint64(9)),
			indexertest.Event("lode.alpha.v1.EventHotkeysSwapped", "hotkey", old, "new_hotkey", fresh, "coldkey", cold),
			indexertest.Event("lode.subnets.v1.EventHotkeySwapped", "hotkey", old, "new_hotkey", fresh, "coldkey", cold, "netuids", []uint32{1}, "fee", one),
			indexertest.Event("lode.alpha.v1.EventStakeMoved", "subnet_id", one, "hotkey", fresh, "coldkey", cold, "new_coldkey", other, "shares", held),
			indexertest.Event("lode.market.v1.EventServiceListed", "service_id", one, "subnet_id", one, "netuid", uint32(1), "hotkey", fresh, "name", "a \"service\"", "endpoint", "https://lode.example",
				"unit", "UNIT_REQUEST", "price", uint64(7), "per", one, "description", "", "terms", "", "uid", uint32(2)),
			indexertest.Event("lode.market.v1.EventDeposited", "channel_id", "c0", "payer", cold, "hotkey", fresh, "service_id", one, "plan_id", uint64(0), "amount", uint64(100), "deposit", uint64(100), "opened", true, "spender", ""),
			indexertest.Plain("coin_received", "receiver", other, "amount", "85rao"),
			indexertest.Event("lode.market.v1.EventRedeemed", "channel_id", "c0", "payer", cold, "hotkey", fresh, "coldkey", other, "subnet_id", one, "netuid", uint32(1), "service_id", one, "plan_id", uint64(0),
				"paid", uint64(100), "provider", uint64(85), "burn", uint64(10), "miners", uint64(5), "owner", uint64(0), "claimed", uint64(100), "reason", "voucher"),
			indexertest.Event("lode.market.v1.EventClosed", "channel_id", "c0", "payer", cold, "refunded", uint64(0), "claimed", uint64(100), "reason", "payer"),
		}
		for i := range ended {
			ended[i].Attributes = append(ended[i].Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
		}
		r.Events = append(r.Events, ended...)
	}
	var want []string
	for _, batch := range []int64{1, 2_000} {
		s := open(t, t.TempDir()+"/index.db")
		s.SetBatch(batch)
		require.NoError(t, index(t, s, meddled{Source: indexertest.New(cfg), change: change}))
		if want == nil {
			want = dump(t, s)
		}
		requireSame(t, want, dump(t, s))
		moved, err := s.Stakes(t.Context(), other)
		require.NoError(t, err)
		require.Len(t, moved, 1)
		require.Equal(t, fresh, moved[0].Hotkey)
		require.Equal(t, held.String(), moved[0].Shares)
		require.EqualValues(t, 9, moved[0].Locked)
		left, err := s.Stakes(t.Context(), cold)
		require.NoError(t, err)
		for _, st := range left {
			require.NotEqual(t, old, st.Hotkey, "what is on it is the other's")
			require.False(t, st.SubnetID == 1 && st.Hotkey == fresh)
		}
		income, err := s.Income(t.Context(), other, indexer.Page{})
		require.NoError(t, err)
		require.Len(t, income.Items, 1)
		require.Equal(t, []any{"sale", indexer.Amount(85), fresh}, []any{income.Items[0].Kind, income.Items[0].TAO, income.Items[0].Hotkey})
		figures, err := s.Figures(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 100, figures[0].Revenue24h)
		found, err := s.Search(t.Context(), "SERVICE")
		require.NoError(t, err)
		require.Equal(t, []indexer.Found{{Kind: "service", ID: "1", Title: `a "service"`}}, found)
		latest, err := s.Registrations(t.Context(), 1, indexer.Page{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, fresh, latest.Items[0].Hotkey)
		require.Equal(t, old, *latest.Items[0].Replaced)
	}
}
