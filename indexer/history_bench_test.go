package indexer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// A history as 128 full subnets make it, written with what writes a chain's blocks.
const (
	subnetsMade = 128
	neuronsMade = 256 // of each
	hotkeysMade = subnetsMade * neuronsMade
	usersMade   = 7_232
	tempoMade   = 360
	blockMade   = 3 // seconds
	madeSince   = 1_793_000_000
)

// maker writes a history that could have been.
type maker struct {
	s   *Store
	b   *batch
	rnd *rand.Rand
	ctx context.Context
	tb  testing.TB
}

func address(n int64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return sdk.AccAddress(sum[:20]).String()
}

// user and hot are accounts by their order.
func (m *maker) user() int64 { return hotkeysMade + 1 + m.rnd.Int64N(usersMade) }
func (m *maker) hot() int64  { return 1 + m.rnd.Int64N(hotkeysMade) }

func timeOf(height int64) int64 { return (madeSince + height*blockMade) * 1e9 }

// write commits what there is, as of a block.
func (m *maker) write(height int64) {
	hash := make([]byte, 32)
	binary.BigEndian.PutUint64(hash, uint64(height))
	m.b.add(tChain, int64(1), "lode-bench-1", int64(1), hash, height, hash, timeOf(height), put(1<<50), put(0), put(0), put(1<<50))
	if err := m.s.commit(m.ctx, m.b); err != nil {
		m.tb.Fatal(err)
	}
	m.b = newBatch()
	m.b.before = height
}

func (m *maker) people() {
	for n := int64(1); n <= hotkeysMade+usersMade; n++ {
		m.b.add(tAccounts, n, address(n), put(uint64(n)*1e9), int64(0))
	}
	hyper, err := json.Marshal(subnetstypes.Hyperparameters{Tempo: tempoMade})
	if err != nil {
		m.tb.Fatal(err)
	}
	for id := int64(1); id <= subnetsMade; id++ {
		z := put(1 << 40)
		m.b.add(tSubnets, id, id, fmt.Sprintf("subnet %d", id), "", "", "{}", (id-1)*neuronsMade+1, m.user(), z, int64(1), timeOf(1), int64(1), int64(0), string(hyper), z, "0.5",
			int64(0), int64(0), int64(0), int64(neuronsMade), int64(1), z, z, z, z, z, z, z, z, z, z, z, z, z)
		for uid := range int64(neuronsMade) {
			hot := (id-1)*neuronsMade + uid + 1
			m.b.add(tNeurons, id, uid, hot, int64(1), timeOf(1), "/ip4/192.0.2.1/tcp/1/p2p/x", "video/miner", "1", int64(1))
			m.b.add(tHotkeys, hot, hotkeysMade+1+hot%usersMade, int64(180_000), int64(0), int64(1))
			m.b.add(tRegistrations, int64(1), hot, id, uid, hot, hotkeysMade+1+hot%usersMade, put(1e8), put(1e8), int64(0), int64(0))
			m.b.add(tStakePools, id, hot, put(1e12), "1000000000000000000000000000000")
			for k := range int64(2) {
				m.b.add(tPositions, id, hot, hotkeysMade+1+(hot+k)%usersMade, "500000000000000000000000000000", put(0), put(4e11), put(0), put(0), put(1e9))
			}
		}
	}
}

// block is one with two transactions.
func (m *maker) block(height int64) {
	hash := make([]byte, 32)
	binary.BigEndian.PutUint64(hash, uint64(height))
	m.b.add(tBlocks, height, timeOf(height), hash, hash[:20], int64(2))
	for idx := range int64(2) {
		raw := make([]byte, 300)
		for i := 0; i+8 <= len(raw); i += 8 {
			binary.LittleEndian.PutUint64(raw[i:], m.rnd.Uint64())
		}
		copy(raw, strconv.AppendInt(nil, height*2+idx, 10))
		sum := sha256.Sum256(raw)
		user, hot := m.user(), m.hot()
		m.b.add(tTxs, height, idx, sum[:], int64(0), "", "", put(5_000), int64(200_000), int64(100_000), address(user), "/lode.alpha.v1.MsgStake", raw)
		ids := []int64{user, hot, m.user()}
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			m.b.add(tAccountTxs, id, height, idx)
		}
		m.b.add(tLedger, user, height, idx, put(0), put(1e9+5_000), put(5_000), "Stake", int64(0))
		if idx == 0 {
			m.b.add(tTransfers, height, int64(1), idx, user, ids[0], put(1e9))
			m.b.add(tTrades, height, int64(2), idx, 1+m.rnd.Int64N(subnetsMade), user, hot, int64(1), "stake", put(1e9), put(2e9), put(5e5))
		}
	}
	if height%50 == 0 {
		id, uid := 1+m.rnd.Int64N(subnetsMade), m.rnd.Int64N(neuronsMade)
		m.b.add(tRegistrations, height, int64(3), id, uid, m.hot(), m.user(), put(1e8), put(1e8), m.hot(), height/tempoMade)
	}
	for _, span := range spans {
		if height*blockMade%span != 0 {
			continue
		}
		for id := int64(1); id <= subnetsMade; id++ {
			p := 0.5 + m.rnd.Float64()
			m.b.add(tCandles, id, span, madeSince+height*blockMade-(madeSince+height*blockMade)%span, p, p+0.1, p-0.1, p, put(1e12), int64(7), put(1e9), put(1e15), put(2e15))
		}
	}
}

// epochs are all of one round, and what else goes by them.
func (m *maker) epochs(number, height int64) {
	for id := int64(1); id <= subnetsMade; id++ {
		m.b.add(tEpochs, id, number, height, timeOf(height), "weighted", put(1e12), put(1e12), put(1e11), put(0), put(0), put(0), put(0), put(0), 0.5)
		m.b.add(tPayments, hotkeysMade+id, height, id, "owner", id, (id-1)*neuronsMade+1, put(0), put(1e9), number, put(1e9))
		m.b.add(tBlobs, id, number, encodeEpoch(m.uids()))
	}
}

func (m *maker) uids() []uidEpoch {
	out := make([]uidEpoch, neuronsMade)
	for i := range out {
		out[i] = uidEpoch{incentive: 1e9 + m.rnd.Uint64N(1e9), consensus: uint16(m.rnd.Uint32())}
		if i%4 == 0 {
			out[i].dividends, out[i].trust = 1e9+m.rnd.Uint64N(1e9), uint16(m.rnd.Uint32())
		}
	}
	return out
}

// chunks are those of 128 rounds.
func (m *maker) chunks(chunk int64) {
	for id := int64(1); id <= subnetsMade; id++ {
		for uid := range int64(neuronsMade) {
			var data []byte
			for range chunkEpochs {
				u := uidEpoch{incentive: 1e9 + m.rnd.Uint64N(1e9), consensus: uint16(m.rnd.Uint32())}
				if uid%4 == 0 {
					u.dividends, u.trust = 1e9+m.rnd.Uint64N(1e9), uint16(m.rnd.Uint32())
				}
				data = u.append(data)
			}
			m.b.add(tChunks, id, uid, chunk, data)
		}
	}
}

// day is what days and quarters of them leave.
func (m *maker) day(day, height int64) {
	for id := int64(1); id <= subnetsMade; id++ {
		for uid := range int64(neuronsMade) {
			hot := (id-1)*neuronsMade + uid + 1
			for k := range int64(2) {
				m.b.add(tPositionDays, hotkeysMade+1+(hot+k)%usersMade, day, id, hot, height, put(4e11), put(0), put(0), put(1e9), put(2e9), put(2e11))
			}
			if uid%4 == 0 {
				for q := range int64(4) {
					m.b.add(tYields, id, hot, day*4+q, int64(20), 0.001)
				}
			}
		}
	}
}

// history writes so many blocks.
func (m *maker) history(blocks int64) {
	m.people()
	rounds := blocks / tempoMade
	for height := int64(1); height <= blocks; height++ {
		m.block(height)
		if height%tempoMade == 0 {
			number := height / tempoMade
			if number > rounds-rounds%chunkEpochs {
				m.epochs(number, height)
			} else {
				for id := int64(1); id <= subnetsMade; id++ {
					m.b.add(tEpochs, id, number, height, timeOf(height), "weighted", put(1e12), put(1e12), put(1e11), put(0), put(0), put(0), put(0), put(0), 0.5)
					m.b.add(tPayments, hotkeysMade+id, height, id, "owner", id, (id-1)*neuronsMade+1, put(0), put(1e9), number, put(1e9))
				}
			}
			if number%chunkEpochs == 0 {
				m.chunks(number/chunkEpochs - 1)
			}
		}
		if at := timeOf(height) / 1e9; at/86_400 != (at+blockMade)/86_400 {
			m.day(at/86_400, height)
		}
		if height%4_000 == 0 || height == blocks {
			if height == blocks {
				for id := int64(1); id <= subnetsMade; id++ {
					m.b.add(tSupply, id*3_600, height, put(1), put(1), put(1), put(1))
				}
			}
			m.write(height)
		}
	}
	if err := m.end(rounds, blocks); err != nil {
		m.tb.Fatal(err)
	}
}

func (m *maker) end(rounds, blocks int64) error {
	if _, err := m.s.write.ExecContext(m.ctx, m.s.q("UPDATE subnets SET epoch = ?, epoch_height = ?"), rounds, rounds*tempoMade); err != nil {
		return err
	}
	_, err := m.s.write.ExecContext(m.ctx, "ANALYZE")
	return err
}

// BenchmarkQueries asks everything of a long history: LODE_BENCH_BLOCKS blocks (default
// 20,000) of 128 full subnets, in the database LODE_BENCH_DSN, which is filled if it is
// empty; without one in a file that goes. It tells each question's median and slowest.
func BenchmarkQueries(b *testing.B) {
	blocks := int64(20_000)
	if text := os.Getenv("LODE_BENCH_BLOCKS"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		blocks = n
	}
	dsn := os.Getenv("LODE_BENCH_DSN")
	if dsn == "" {
		dsn = filepath.Join(b.TempDir(), "index.db")
	}
	s, err := Open(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Status(b.Context()); err != nil {
		m := &maker{s: s, b: newBatch(), rnd: rand.New(rand.NewPCG(1, 2)), ctx: b.Context(), tb: b}
		m.b.before = -1
		start := time.Now()
		m.history(blocks)
		b.Logf("%d blocks written in %s", blocks, time.Since(start).Round(time.Second))
	}
	b.Logf("%d MiB on disk", size(b, s, dsn)>>20)
	for _, q := range questions(b, s) {
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			for range max(b.N, 20) {
				start := time.Now()
				if err := q.ask(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "ms-median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "ms-slowest")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func size(b *testing.B, s *Store, dsn string) int64 {
	b.Helper()
	if s.postgres {
		var n int64
		if err := s.read.QueryRowContext(b.Context(), "SELECT pg_database_size(current_database())").Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	info, err := os.Stat(dsn)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

type question struct {
	name string
	ask  func() error
}

// questions are of other accounts, subnets and pages each time.
func questions(b *testing.B, s *Store) []question {
	b.Helper()
	ctx, rnd := b.Context(), rand.New(rand.NewPCG(5, 6))
	st, err := s.Status(ctx)
	if err != nil {
		b.Fatal(err)
	}
	user := func() string { return address(hotkeysMade + 1 + rnd.Int64N(usersMade)) }
	hotkey := func() string { return address(1 + rnd.Int64N(hotkeysMade)) }
	net := func() uint64 { return 1 + rnd.Uint64N(subnetsMade) }
	height := func() int64 { return 1 + rnd.Int64N(st.Height) }
	page := Page{Limit: 500}
	deep := func(n int) Page {
		at := []int64{height(), 0}
		return Page{Limit: 500, After: cursorOf(at[:n]...)}
	}
	one := func(_ any, err error) error { return err }
	return []question{
		{"status", func() error { return one(s.Status(ctx)) }},
		{"figures", func() error { return one(s.Figures(ctx)) }},
		{"candles_5m", func() error { return one(s.Candles(ctx, net(), Minutes5, Span{Page: page})) }},
		{"candles_1d", func() error { return one(s.Candles(ctx, net(), Day, Span{Page: page})) }},
		{"candles_old", func() error {
			return one(s.Candles(ctx, net(), Minutes5, Span{Page: page, From: moment(timeOf(height()))}))
		}},
		{"epochs", func() error { return one(s.Epochs(ctx, net(), Span{Page: page})) }},
		{"neuron", func() error { return one(s.Neuron(ctx, net(), uint32(rnd.IntN(neuronsMade)), page)) }},
		{"registrations", func() error { return one(s.Registrations(ctx, net(), page)) }},
		{"blocks", func() error { return one(s.Blocks(ctx, page)) }},
		{"blocks_deep", func() error { return one(s.Blocks(ctx, deep(1))) }},
		{"block", func() error { return one(s.Block(ctx, height())) }},
		{"transactions", func() error { return one(s.Transactions(ctx, page)) }},
		{"transactions_deep", func() error { return one(s.Transactions(ctx, deep(2))) }},
		{"transaction", func() error {
			b, err := s.Block(ctx, height())
			if err != nil {
				return err
			}
			return one(s.Transaction(ctx, b.Items[0].Hash))
		}},
		{"account_transactions", func() error { return one(s.AccountTransactions(ctx, user(), page)) }},
		{"account_transactions_deep", func() error { return one(s.AccountTransactions(ctx, user(), deep(2))) }},
		{"account_registrations", func() error { return one(s.AccountRegistrations(ctx, user(), page)) }},
		{"account_trades", func() error { return one(s.AccountTrades(ctx, user(), page)) }},
		{"subnet_trades", func() error { return one(s.Trades(ctx, net(), page)) }},
		{"income_coldkey", func() error { return one(s.Income(ctx, user(), Page{Limit: 50})) }},
		{"income_coldkey_500", func() error { return one(s.Income(ctx, user(), page)) }},
		{"income_deep", func() error { return one(s.Income(ctx, user(), Page{Limit: 50, After: cursorOf(height(), 0)})) }},
		{"income_hotkey", func() error { return one(s.Income(ctx, hotkey(), page)) }},
		{"stakes", func() error { return one(s.Stakes(ctx, user())) }},
		{"yields", func() error { _, _, err := s.Yields(ctx, user()); return err }},
		{"history_csv", func() error {
			var table bytes.Buffer
			return s.History(ctx, user(), io.Writer(&table))
		}},
		{"search_address", func() error { return one(s.Search(ctx, user()[:12])) }},
		{"search_name", func() error { return one(s.Search(ctx, "subnet 77")) }},
		{"search_height", func() error { return one(s.Search(ctx, strconv.FormatInt(height(), 10))) }},
		{"supply", func() error { return one(s.Supply(ctx)) }},
		{"pools", func() error { return one(s.Pools(ctx)) }},
	}
}
