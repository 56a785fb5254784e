package yuma_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lodenet/lode/yuma"
)

// floatEpoch is protocol.md §7, steps 1 to 8, written down as it is said there: in
// floating point, on full matrices, with no thought for speed. It shares nothing
// with the package but the types of its input.
type floatEpoch struct {
	stake, active, consensus, rank, incentive, trust, dividends []float64
	bonds                                                       [][]float64
	permits                                                     []bool
	miner, validator                                            []float64 // parts of the pot
	unpaid                                                      float64
}

func reference(in *yuma.Input, bonds [][]float64) *floatEpoch {
	n := len(in.Stake)
	o := &floatEpoch{permits: make([]bool, n)}

	// 1 and 2
	counted := make([]uint64, n)
	for i, s := range in.Stake {
		if s >= in.MinStake || i == in.Owner {
			counted[i] = s
		}
	}
	o.stake = normalised(floatsOf(counted))
	active := make([]uint64, n)
	for i, row := range in.Rows {
		if row.Set && in.Block-row.Block <= in.ActivityCutoff && in.Permits[i] {
			active[i] = counted[i]
		}
	}
	o.active = normalised(floatsOf(active))
	for range in.MaxValidators {
		best := -1
		for i, s := range counted {
			if s > 0 && !o.permits[i] && (best < 0 || s > counted[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		o.permits[best] = true
	}
	if in.Owner >= 0 {
		o.permits[in.Owner] = true
	}

	// 3
	w := matrix(n)
	for i, row := range in.Rows {
		if !row.Set || !in.Permits[i] {
			continue
		}
		for _, e := range row.Entries {
			if (int(e.UID) != i || i == in.Owner) && in.Registered[e.UID] < row.Block {
				w[i][e.UID] = float64(e.Value)
			}
		}
		w[i] = normalised(w[i])
	}

	// 4: whose stake is enough is asked of whole numbers, where equal is equal.
	o.consensus = make([]float64, n)
	var whole uint64
	for _, a := range active {
		whole += a
	}
	for j := range n {
		for _, candidate := range w {
			var behind uint64
			for i := range n {
				if w[i][j] >= candidate[j] {
					behind += active[i]
				}
			}
			if whole > 0 && behind > 0 && behind*65_535 >= uint64(in.Kappa)*whole {
				o.consensus[j] = max(o.consensus[j], candidate[j])
			}
		}
	}

	// 5 and 6
	o.trust, o.rank = make([]float64, n), make([]float64, n)
	v := matrix(n)
	penalty := float64(in.BondsPenalty) / 65_535
	for i := range n {
		for j := range n {
			clipped := min(w[i][j], o.consensus[j])
			o.trust[i] += clipped
			o.rank[j] += o.active[i] * clipped
			v[i][j] = (1-penalty)*w[i][j] + penalty*clipped
		}
	}
	o.incentive = normalised(o.rank)

	// 7
	old := matrix(n)
	for i := range n {
		for j := range n {
			if in.Registered[j] <= in.LastEpoch {
				old[i][j] = bonds[i][j]
			}
		}
	}
	if in.YumaVersion == 2 {
		o.bondsTwo(in, v, old)
	} else {
		o.bondsThree(in, v, old)
	}

	// 8
	o.miner, o.validator = make([]float64, n), make([]float64, n)
	earned, staked, acting := sumOf(o.incentive)+sumOf(o.dividends), sumOf(o.stake), sumOf(o.active)
	for i := range n {
		switch {
		case earned > 0:
			o.miner[i], o.validator[i] = o.incentive[i]/earned, o.dividends[i]/earned
		case acting > 0:
			o.validator[i] = o.active[i] / 2
		case staked > 0:
			o.validator[i] = o.stake[i] / 2
		}
	}
	o.unpaid = 1 - sumOf(o.miner) - sumOf(o.validator)
	return o
}

func (o *floatEpoch) bondsThree(in *yuma.Input, v, old [][]float64) {
	n := len(v)
	agreed := false
	for _, c := range o.consensus {
		agreed = agreed || c > 0
	}
	o.bonds = matrix(n)
	for i := range n {
		for j := range n {
			alpha := 1 - float64(in.BondsMovingAverage)/1e6
			if in.LiquidAlpha && agreed {
				d := old[i][j] - v[i][j]
				if v[i][j] >= old[i][j] {
					d = v[i][j] - o.consensus[j]
				}
				d = min(max(d, 0), 1)
				low, high := float64(in.AlphaLow)/1e6, float64(in.AlphaHigh)/1e6
				alpha = low + (high-low)/(1+math.Exp(-float64(in.AlphaSteepness)/100*(d-0.5)))
				alpha = min(max(alpha, low), high)
			}
			o.bonds[i][j] = alpha*v[i][j] + (1-alpha)*old[i][j]
		}
	}
	shares := byColumn(o.bonds)
	d := make([]float64, n)
	for i := range n {
		for j := range n {
			d[i] += o.active[i] * o.incentive[j] * shares[i][j]
		}
	}
	o.dividends = normalised(d)
}

func (o *floatEpoch) bondsTwo(in *yuma.Input, v, old [][]float64) {
	n := len(v)
	delta := matrix(n)
	for i := range n {
		for j := range n {
			delta[i][j] = v[i][j] * o.active[i]
		}
	}
	delta, old = byColumn(delta), byColumn(old)
	keep := float64(in.BondsMovingAverage) / 1e6
	b := matrix(n)
	for i := range n {
		for j := range n {
			b[i][j] = (1-keep)*delta[i][j] + keep*old[i][j]
		}
	}
	b = byColumn(b)
	d := make([]float64, n)
	for i := range n {
		for j := range n {
			d[i] += b[i][j] * o.incentive[j]
		}
	}
	o.dividends = normalised(d)
	for j := range n {
		var top float64
		for i := range n {
			top = max(top, b[i][j])
		}
		for i := range n {
			if top > 0 {
				b[i][j] /= top
			}
		}
	}
	o.bonds = b
}

func matrix(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func floatsOf(in []uint64) []float64 {
	out := make([]float64, len(in))
	for i, u := range in {
		out[i] = float64(u)
	}
	return out
}

func sumOf(in []float64) (sum float64) {
	for _, f := range in {
		sum += f
	}
	return sum
}

func normalised(in []float64) []float64 {
	out := make([]float64, len(in))
	if sum := sumOf(in); sum > 0 {
		for i, f := range in {
			out[i] = f / sum
		}
	}
	return out
}

// byColumn divides each column by its sum.
func byColumn(m [][]float64) [][]float64 {
	out := matrix(len(m))
	for j := range m {
		var sum float64
		for i := range m {
			sum += m[i][j]
		}
		for i := range m {
			if sum > 0 {
				out[i][j] = m[i][j] / sum
			}
		}
	}
	return out
}

// asFloats is stored bonds as fractions.
func asFloats(bonds [][]yuma.Entry, n int) [][]float64 {
	m := matrix(n)
	for i, row := range bonds {
		for _, b := range row {
			m[i][b.UID] = float64(b.Value) / 65_535
		}
	}
	return m
}

// randomInput is a subnet that has everything: neurons without stake, rows that are
// old, empty, missing or for oneself, newcomers, permits that came and went, an owner.
func randomInput(rng *rand.Rand, n int) *yuma.Input {
	in := &yuma.Input{
		Params: yuma.Params{
			Kappa: uint16(rng.IntN(65_536)), BondsPenalty: uint16(rng.IntN(65_536)),
			BondsMovingAverage: uint32(rng.IntN(975_001)), LiquidAlpha: rng.IntN(2) == 0,
			AlphaSteepness: uint32(rng.IntN(10_001)), YumaVersion: 2 + uint32(rng.IntN(2)),
			MaxValidators: uint32(1 + rng.IntN(n)), ActivityCutoff: uint64(rng.IntN(2000)),
		},
		Block: 10_000, LastEpoch: 9_640, Owner: rng.IntN(n+1) - 1,
		Stake: make([]uint64, n), Rows: make([]yuma.Row, n),
		Registered: make([]uint64, n), Permits: make([]bool, n), Bonds: make([][]yuma.Entry, n),
	}
	in.AlphaLow = 1 + uint32(rng.IntN(999_998))
	in.AlphaHigh = in.AlphaLow + uint32(rng.IntN(999_999-int(in.AlphaLow)+1))
	if rng.IntN(3) == 0 {
		in.Kappa = 32_767
	}
	if rng.IntN(3) == 0 {
		in.MinStake = uint64(rng.IntN(1 << 20))
	}
	density := rng.Float64()
	for i := range n {
		switch rng.IntN(4) {
		case 0:
		case 1:
			in.Stake[i] = 100 // ties
		default:
			in.Stake[i] = uint64(rng.IntN(1 << 30))
		}
		if rng.IntN(8) == 0 {
			in.Registered[i] = 9_000 + uint64(rng.IntN(1_001))
		}
		in.Permits[i] = rng.IntN(4) > 0
		row := &in.Rows[i]
		row.Set = rng.IntN(8) > 0
		row.Block = 10_000 - uint64(rng.IntN(2_500))
		for j := range n {
			if rng.Float64() < density {
				row.Entries = append(row.Entries, yuma.Entry{UID: uint16(j), Value: weightOf(rng)})
			}
			if rng.Float64() < density {
				if v := uint16(rng.IntN(65_536)); v > 0 {
					in.Bonds[i] = append(in.Bonds[i], yuma.Entry{UID: uint16(j), Value: v})
				}
			}
		}
	}
	return in
}

// weightOf is of a few values, so that there are ties, or any; never so small that
// its last bit in Q32.32 is more than a millionth of it.
func weightOf(rng *rand.Rand) uint16 {
	switch rng.IntN(4) {
	case 0:
		return 0
	case 1:
		return 65_535
	case 2:
		return 30_000
	}
	return uint16(3_000 + rng.IntN(62_536))
}

// kindOf says which of the cases that must all be there an input is.
func kindOf(in *yuma.Input) string {
	n, entries := len(in.Stake), 0
	for _, row := range in.Rows {
		entries += len(row.Entries)
	}
	density := "between"
	switch filled := float64(entries) / float64(n*n); {
	case filled < 0.2:
		density = "sparse"
	case filled > 0.8:
		density = "dense"
	}
	return fmt.Sprintf("%s, version %d, liquid %v", density, in.YumaVersion, in.LiquidAlpha)
}

func TestSection7TheEpochIsTheProtocolsInFloatingPoint(t *testing.T) {
	var engine yuma.Engine
	kinds := map[string]int{}
	for seed := range uint64(4_000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		in := randomInput(rng, 1+rng.IntN(24))
		compare(t, &engine, in, seed)
		kinds[kindOf(in)]++
	}
	for _, density := range []string{"sparse", "between", "dense"} {
		for _, version := range []int{2, 3} {
			for _, liquid := range []bool{false, true} {
				if kind := fmt.Sprintf("%s, version %d, liquid %v", density, version, liquid); kinds[kind] < 100 {
					t.Errorf("%d subnets were %s, want at least 100", kinds[kind], kind)
				}
			}
		}
	}
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 8))
		compare(t, &engine, randomInput(rng, 150+rng.IntN(50)), seed)
	}
}

func compare(t *testing.T, engine *yuma.Engine, in *yuma.Input, seed uint64) {
	t.Helper()
	want := reference(in, asFloats(in.Bonds, len(in.Stake)))
	got, err := engine.Run(in)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	const tolerance = 1e-6
	for _, c := range []struct {
		name string
		got  func(uid int) float64
		want []float64
	}{
		{"stake", func(i int) float64 { return got.StakeShare[i].Float64() }, want.stake},
		{"active stake", func(i int) float64 { return got.Active[i].Float64() }, want.active},
		{"consensus", func(i int) float64 { return got.Consensus[i].Float64() }, want.consensus},
		{"rank", func(i int) float64 { return got.Rank[i].Float64() }, want.rank},
		{"incentive", func(i int) float64 { return got.Incentive[i].Float64() }, want.incentive},
		{"validator trust", func(i int) float64 { return got.ValidatorTrust[i].Float64() }, want.trust},
		{"dividends", func(i int) float64 { return got.Dividends[i].Float64() }, want.dividends},
	} {
		for uid, w := range c.want {
			if g := c.got(uid); math.Abs(g-w) > tolerance {
				t.Fatalf("seed %d, version %d, liquid %v: %s of uid %d of %d is %.9f, want %.9f",
					seed, in.YumaVersion, in.LiquidAlpha, c.name, uid, len(in.Stake), g, w)
			}
		}
	}
	for i, row := range asFloats(got.Bonds, len(in.Stake)) {
		for j, g := range row {
			if w := want.bonds[i][j]; math.Abs(g-w) > 1/65_535.+tolerance { // rounded down, from what may be a hair too small
				t.Fatalf("seed %d, version %d: bond of uid %d in %d is %.9f, want %.9f", seed, in.YumaVersion, i, j, g, w)
			}
		}
		if got.Permits[i] != want.permits[i] {
			t.Fatalf("seed %d: permit of uid %d is %v", seed, i, got.Permits[i])
		}
	}

	const pot = 2_000_000_000_000
	miners, validators, unpaid, err := got.Pay(pot/2, pot/2)
	if err != nil {
		t.Fatal(err)
	}
	for uid := range miners {
		if m, v := float64(miners[uid])/pot, float64(validators[uid])/pot; math.Abs(m-want.miner[uid]) > tolerance || math.Abs(v-want.validator[uid]) > tolerance {
			t.Fatalf("seed %d: uid %d gets %.9f as miner and %.9f as validator, want %.9f and %.9f", seed, uid, m, v, want.miner[uid], want.validator[uid])
		}
	}
	if u := float64(unpaid) / pot; math.Abs(u-want.unpaid) > tolerance {
		t.Fatalf("seed %d: unpaid is %.9f, want %.9f", seed, u, want.unpaid)
	}
}

// Bonds are stored as u16, rounded down, each epoch. That must not add up.
func TestRoundingDoesNotAddUpOverEpochs(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 9))
		n := 6 + rng.IntN(20)
		in := randomInput(rng, n)
		in.BondsMovingAverage, in.AlphaLow, in.AlphaHigh = 900_000, 100_000, 300_000
		in.ActivityCutoff, in.Bonds = 10_000_000, nil
		exact := matrix(n)
		var engine yuma.Engine
		for epoch := range 60 {
			want := reference(in, exact)
			got, err := engine.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			for uid, w := range want.dividends {
				if g := got.Dividends[uid].Float64(); math.Abs(g-w) > 1e-3 {
					t.Fatalf("seed %d, epoch %d: dividends of uid %d are %.6f, without rounding %.6f", seed, epoch, uid, g, w)
				}
			}
			for i, row := range asFloats(got.Bonds, n) {
				for j, g := range row {
					if w := want.bonds[i][j]; math.Abs(g-w) > 1e-3 {
						t.Fatalf("seed %d, epoch %d: bond of uid %d in %d is %.6f, without rounding %.6f", seed, epoch, i, j, g, w)
					}
				}
			}
			exact = want.bonds
			in.LastEpoch, in.Block = in.Block, in.Block+360
			in.Bonds, in.Permits = got.Bonds, got.Permits
		}
	}
}
