package yuma_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/yuma"
)

// golden is the hash of what the first, plain form of this package gave for the
// inputs below. A change that alters it alters consensus: nodes with and without
// it part at the next epoch.
const golden = "7324ee836748b00ff98f8e1fecf9343bda3ece8209f260cce05eb5b767417c77"

func TestSection7TheEpochGivesTheSameBitsAsEver(t *testing.T) {
	sum := sha256.New()
	var engine yuma.Engine
	outcomes := map[yuma.Outcome]int{}
	run := func(in *yuma.Input, epochs int) {
		for range epochs {
			out, err := engine.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			outcomes[out.Outcome]++
			hashOutput(sum, out)
			in.Permits, in.Bonds = out.Permits, out.Bonds
			in.LastEpoch, in.Block = in.Block, in.Block+360
			for i := range in.Rows {
				in.Rows[i].Block += 360 // set anew, so that they stay active
			}
		}
	}
	for seed := range uint64(4_000) {
		rng := rand.New(rand.NewPCG(seed, 21))
		run(randomInput(rng, 1+rng.IntN(40)), 1+rng.IntN(3))
	}
	for seed := range uint64(2_000) {
		rng := rand.New(rand.NewPCG(seed, 22))
		raw := make([]byte, 600)
		for i := range raw {
			raw[i] = byte(rng.Uint32())
		}
		in := hostile(raw)
		if out, err := engine.Run(in); err == nil {
			outcomes[out.Outcome]++
			hashOutput(sum, out)
		}
	}
	for seed := range uint64(240) {
		run(crowd(rand.New(rand.NewPCG(seed, 23)), int(seed)), 2)
	}
	for _, o := range []yuma.Outcome{yuma.Weighted, yuma.NoWeights, yuma.NoStake} {
		if outcomes[o] < 50 {
			t.Errorf("%d epochs ended with %s, want at least 50", outcomes[o], o)
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != golden {
		t.Errorf("outputs hash to %s, want %s", got, golden)
	}
}

// crowd is a subnet larger than what the engine works on at once, of the kinds
// that count on for choosing: few values or many, near each other or far apart,
// kappa at its edges, some of the registrations new.
func crowd(rng *rand.Rand, kind int) *yuma.Input {
	validators, n := 1+rng.IntN(90), 200+rng.IntN(400)
	in := &yuma.Input{
		Params: yuma.Params{
			Kappa:              []uint16{0, 1, 32_767, 32_768, 65_534, 65_535, uint16(rng.Uint32())}[kind%7],
			BondsPenalty:       []uint16{0, 1, 65_535, uint16(rng.Uint32())}[kind/2%4],
			BondsMovingAverage: []uint32{0, 1, 900_000, 999_999, 1_000_000, rng.Uint32N(1_000_001)}[kind/3%6],
			LiquidAlpha:        kind%3 == 0, AlphaLow: 1 + rng.Uint32N(500_000), AlphaHigh: 500_001 + rng.Uint32N(499_999),
			AlphaSteepness: rng.Uint32N(10_001), YumaVersion: uint32(2 + (kind/5+kind)%2),
			MaxValidators: uint32(rng.IntN(100)), ActivityCutoff: 5_000,
		},
		Block: 10_000, LastEpoch: 9_640, Owner: rng.IntN(n+1) - 1,
		Stake: make([]uint64, n), Rows: make([]yuma.Row, n),
		Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	density := []float64{1, 1, 0.95, 0.5, 0.05}[rng.IntN(5)]
	for j := range n {
		if rng.IntN(16) == 0 {
			in.Registered[j] = 9_600 + rng.Uint64N(401)
		}
	}
	center := rng.IntN(65_000)
	for k := range validators {
		i := k * (n / validators)
		in.Permits[i] = true
		in.Stake[i] = 1 + rng.Uint64N(1<<(1+rng.UintN(50)))
		row := yuma.Row{Set: true, Block: 10_000 - rng.Uint64N(600)}
		for j := range n {
			if rng.Float64() >= density {
				continue
			}
			var v int
			switch kind % 8 {
			case 0: // all agree
				v = 1 + j%7
			case 1: // far apart
				v = 1 << rng.IntN(16)
			case 2: // one outlier
				v = 30_000 + j%3
				if k == j%validators {
					v = 1
				}
			case 3: // near each other
				v = center + rng.IntN(500)
			case 4: // two camps
				v = 100 + 60_000*(k%2)
			case 5:
				v = 1 + rng.IntN(2)
			default:
				v = rng.IntN(65_536)
			}
			row.Entries = append(row.Entries, yuma.Entry{UID: uint16(j), Value: uint16(min(v, math.MaxUint16))})
		}
		if rng.IntN(20) == 0 { // weighs one alone
			row.Entries = []yuma.Entry{{UID: uint16(rng.IntN(n)), Value: 1}}
		}
		in.Rows[i] = row
	}
	return in
}

func hashOutput(h hash.Hash, o *yuma.Output) {
	var b []byte
	word := func(v uint64) { b = binary.LittleEndian.AppendUint64(b, v) }
	word(uint64(o.Outcome))
	for _, list := range [][]fixed.Q32{
		o.StakeShare, o.Active, o.Consensus, o.Rank, o.Incentive, o.ValidatorTrust, o.Dividends,
	} {
		word(uint64(len(list)))
		for _, q := range list {
			word(uint64(q))
		}
	}
	for _, list := range [][]uint64{o.MinerShare, o.ValidatorShare} {
		for _, v := range list {
			word(v)
		}
	}
	for i, row := range o.Bonds {
		held := uint64(0)
		if o.Permits[i] {
			held = 1
		}
		word(held)
		word(uint64(len(row)))
		for _, e := range row {
			word(uint64(e.UID)<<16 | uint64(e.Value))
		}
	}
	h.Write(b)
}
