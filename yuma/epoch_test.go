package yuma_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/yuma"
)

// drawn is a random subnet that rapid can make smaller.
func drawn(t *rapid.T, most int) *yuma.Input {
	n := rapid.IntRange(0, most).Draw(t, "neurons")
	seed := rapid.Uint64().Draw(t, "seed")
	if n == 0 {
		return nobody()
	}
	return randomInput(rand.New(rand.NewPCG(seed, 1)), n)
}

func nobody() *yuma.Input {
	return &yuma.Input{Params: yuma.Params{YumaVersion: 3}, Owner: -1}
}

// twoValidators is the smallest subnet with an opinion: uids 0 and 1 judge 2 and 3.
func twoValidators() *yuma.Input {
	return &yuma.Input{
		Params: yuma.Params{
			Kappa: 32_767, BondsPenalty: 65_535, BondsMovingAverage: 900_000,
			YumaVersion: 3, MaxValidators: 64, ActivityCutoff: 5000,
		},
		Block: 1000, LastEpoch: 640, Owner: -1,
		Stake: []uint64{60, 40, 0, 0},
		Rows: []yuma.Row{
			{Set: true, Block: 900, Entries: []yuma.Entry{{UID: 2, Value: 3}, {UID: 3, Value: 1}}},
			{Set: true, Block: 900, Entries: []yuma.Entry{{UID: 2, Value: 1}, {UID: 3, Value: 1}}},
			{}, {},
		},
		Registered: make([]uint64, 4), Permits: []bool{true, true, false, false},
	}
}

// same compares outputs; whether nothing is nil or empty does not matter.
func same(a, b *yuma.Output) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func mustRun(t testing.TB, in *yuma.Input) *yuma.Output {
	t.Helper()
	out, err := yuma.Epoch(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func total(list []fixed.Q32) (sum fixed.Q32) {
	for _, q := range list {
		sum += q
	}
	return sum
}

// checkOutput is what holds of every epoch.
func checkOutput(t interface{ Fatalf(string, ...any) }, in *yuma.Input, o *yuma.Output) {
	n := len(in.Stake)
	for name, list := range map[string][]fixed.Q32{
		"stake": o.StakeShare, "active stake": o.Active, "incentive": o.Incentive, "dividends": o.Dividends,
	} {
		if len(list) != n {
			t.Fatalf("%s of %d neurons, want %d", name, len(list), n)
		}
		if sum := total(list); sum != 0 && (sum > fixed.One || sum < fixed.One-fixed.Q32(n)) {
			t.Fatalf("%s sums to %s: 0, or 1 but for what %d truncations take", name, sum, n)
		}
	}
	if sum := total(o.Rank); sum > fixed.One {
		t.Fatalf("ranks sum to %s", sum)
	}
	for i := range n {
		if o.ValidatorTrust[i] > fixed.One || o.Consensus[i] > fixed.One {
			t.Fatalf("uid %d: trust %s, consensus %s, at most 1", i, o.ValidatorTrust[i], o.Consensus[i])
		}
		last := -1
		for _, b := range o.Bonds[i] {
			if int(b.UID) <= last || int(b.UID) >= n || b.Value == 0 {
				t.Fatalf("uid %d's bonds %v: uids ascend, zeros are left out", i, o.Bonds[i])
			}
			last = int(b.UID)
		}
	}
	granted := 0
	for i, p := range o.Permits {
		if p {
			granted++
			if o.StakeShare[i] == 0 && i != in.Owner {
				t.Fatalf("uid %d has a permit and no stake", i)
			}
		}
	}
	if granted > int(in.MaxValidators)+1 {
		t.Fatalf("%d permits, at most %d and the owner's", granted, in.MaxValidators)
	}
	if in.Owner >= 0 && !o.Permits[in.Owner] {
		t.Fatalf("the owner has no permit")
	}
}

func TestWhatIsNormalisedSumsToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, 40)
		out, err := yuma.Epoch(in)
		if err != nil {
			t.Fatal(err)
		}
		checkOutput(t, in, out)
	})
}

func TestNotAUnitOfThePotIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out, err := yuma.Epoch(drawn(t, 30))
		if err != nil {
			t.Fatal(err)
		}
		half := rapid.Uint64Range(0, math.MaxUint64/2)
		forMiners, forValidators := half.Draw(t, "miners"), half.Draw(t, "validators")
		miners, validators, unpaid, err := out.Pay(forMiners, forValidators)
		if err != nil {
			t.Fatal(err)
		}
		paid := unpaid
		for uid := range miners {
			paid += miners[uid] + validators[uid]
		}
		if paid != forMiners+forValidators {
			t.Fatalf("%s: paid %d of %d and %d", out.Outcome, paid, forMiners, forValidators)
		}
	})
}

// Neurons are numbered by who came first; that must not matter but for ties.
func TestUidsAreOnlyNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, 24)
		n := len(in.Stake)
		for i := range n { // no ties in stake: they go to the lower uid
			in.Stake[i] = in.Stake[i]<<8 + uint64(i)
		}
		uids := make([]int, n)
		for i := range uids {
			uids[i] = i
		}
		to := rapid.Permutation(uids).Draw(t, "to")
		moved := *in
		moved.Stake, moved.Rows = make([]uint64, n), make([]yuma.Row, n)
		moved.Registered, moved.Permits, moved.Bonds = make([]uint64, n), make([]bool, n), nil
		if in.Bonds != nil {
			moved.Bonds = make([][]yuma.Entry, n)
		}
		for i := range n {
			moved.Stake[to[i]], moved.Registered[to[i]], moved.Permits[to[i]] = in.Stake[i], in.Registered[i], in.Permits[i]
			moved.Rows[to[i]] = in.Rows[i]
			moved.Rows[to[i]].Entries = renamed(in.Rows[i].Entries, to)
			if in.Bonds != nil {
				moved.Bonds[to[i]] = renamed(in.Bonds[i], to)
			}
			if i == in.Owner {
				moved.Owner = to[i]
			}
		}
		a, err := yuma.Epoch(in)
		if err != nil {
			t.Fatal(err)
		}
		b, err := yuma.Epoch(&moved)
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range to {
			if a.StakeShare[i] != b.StakeShare[j] || a.Active[i] != b.Active[j] || a.Consensus[i] != b.Consensus[j] ||
				a.Rank[i] != b.Rank[j] || a.Incentive[i] != b.Incentive[j] || a.ValidatorTrust[i] != b.ValidatorTrust[j] ||
				a.Dividends[i] != b.Dividends[j] || a.Permits[i] != b.Permits[j] ||
				a.MinerShare[i] != b.MinerShare[j] || a.ValidatorShare[i] != b.ValidatorShare[j] ||
				!slices.Equal(renamed(a.Bonds[i], to), b.Bonds[j]) {
				t.Fatalf("uid %d has other numbers as uid %d", i, j)
			}
		}
	})
}

func renamed(row []yuma.Entry, to []int) []yuma.Entry {
	out := slices.Clone(row)
	for k := range out {
		out[k].UID = uint16(to[out[k].UID])
	}
	slices.SortFunc(out, func(a, b yuma.Entry) int { return int(a.UID) - int(b.UID) })
	return out
}

func TestAnEngineRemembersNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var engine yuma.Engine
		for range rapid.IntRange(1, 6).Draw(t, "epochs") {
			in := drawn(t, 40)
			fresh, err := yuma.Epoch(in)
			if err != nil {
				t.Fatal(err)
			}
			used, err := engine.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			if !same(fresh, used) {
				t.Fatalf("a used engine gives other numbers than a fresh one:\n%+v\n%+v", used, fresh)
			}
			// A refused input leaves the output alone.
			if _, err := engine.Run(&yuma.Input{Owner: 7}); !errors.Is(err, yuma.ErrInput) {
				t.Fatalf("error %v", err)
			}
			if !same(fresh, used) {
				t.Fatal("an error changed the last output")
			}
		}
	})
}

func TestTheNextEpochMayReadTheLastOnesOutput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, 24)
		var engine yuma.Engine
		for range 4 {
			out, err := engine.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			apart := *in // what the engine has given so far, in memory of its own
			apart.Permits = slices.Clone(out.Permits)
			apart.Bonds = make([][]yuma.Entry, len(out.Bonds))
			for i, row := range out.Bonds {
				apart.Bonds[i] = slices.Clone(row)
			}
			in.Permits, in.Bonds = out.Permits, out.Bonds
			want, err := yuma.Epoch(&apart)
			if err != nil {
				t.Fatal(err)
			}
			got, err := engine.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			if !same(got, want) {
				t.Fatal("an engine that reads its own output gives other numbers")
			}
			in.Permits, in.Bonds = got.Permits, got.Bonds
		}
	})
}

func TestTheInputIsLeftAlone(t *testing.T) {
	in := randomInput(rand.New(rand.NewPCG(5, 5)), 30)
	again := randomInput(rand.New(rand.NewPCG(5, 5)), 30)
	mustRun(t, in)
	if !reflect.DeepEqual(in, again) {
		t.Error("an epoch changed its input")
	}
}

func TestASecondEpochAllocatesNothing(t *testing.T) {
	in := randomInput(rand.New(rand.NewPCG(6, 6)), 64)
	in.YumaVersion = 3
	var engine yuma.Engine
	if allocs := testing.AllocsPerRun(10, func() {
		if _, err := engine.Run(in); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations an epoch", allocs)
	}
}

func TestPermitsOfEqualStakesGoToTheLowerUid(t *testing.T) {
	in := nobody()
	in.Stake, in.Rows, in.Registered, in.Permits = []uint64{5, 7, 7, 7, 0}, make([]yuma.Row, 5), make([]uint64, 5), make([]bool, 5)
	for most, want := range [][]bool{
		{false, false, false, false, false},
		{false, true, false, false, false},
		{false, true, true, false, false},
		{false, true, true, true, false},
		{true, true, true, true, false},
		{true, true, true, true, false}, // no permit without stake
	} {
		in.MaxValidators = uint32(most)
		if got := mustRun(t, in).Permits; !slices.Equal(got, want) {
			t.Errorf("max_validators %d: permits %v, want %v", most, got, want)
		}
	}
	in.MaxValidators, in.Owner = 1, 4
	if got, want := mustRun(t, in).Permits, []bool{false, true, false, false, true}; !slices.Equal(got, want) {
		t.Errorf("with an owner: permits %v, want %v", got, want)
	}
}

func TestATieInThePotGoesToTheLowerUidAndThereToTheMiner(t *testing.T) {
	in := twoValidators()
	in.Stake = []uint64{50, 50, 0, 0}
	in.Rows[0].Entries = []yuma.Entry{{UID: 2, Value: 1}, {UID: 3, Value: 1}}
	in.Rows[1].Entries = []yuma.Entry{{UID: 2, Value: 1}, {UID: 3, Value: 1}}
	out := mustRun(t, in) // two miners and two validators with a quarter of the pot each
	for pot, want := range map[uint64][4]uint64{
		4: {1, 1, 1, 1}, // validators 0, 1, miners 2, 3
		5: {2, 1, 1, 1},
		6: {2, 2, 1, 1},
		7: {2, 2, 2, 1},
	} {
		miners, validators, unpaid, err := out.Pay(pot, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := [4]uint64{validators[0], validators[1], miners[2], miners[3]}; got != want || unpaid != 0 {
			t.Errorf("a pot of %d: %v and %d unpaid, want %v", pot, got, unpaid, want)
		}
	}
}

func TestAPotBeyond64BitsIsRefused(t *testing.T) {
	out := mustRun(t, twoValidators())
	if _, _, _, err := out.Pay(math.MaxUint64, 1); err == nil {
		t.Error("2^64 units were divided")
	}
	miners, validators, unpaid, err := out.Pay(math.MaxUint64, 0)
	if err != nil || unpaid != 0 {
		t.Fatal(unpaid, err)
	}
	var sum uint64
	for uid := range miners {
		sum += miners[uid] + validators[uid]
	}
	if sum != math.MaxUint64 {
		t.Errorf("of 2^64−1 units %d were paid", sum)
	}
}

func TestWithoutWeightsValidatorsShareTheirHalfAlone(t *testing.T) {
	in := twoValidators()
	in.Rows[0].Entries, in.Rows[1] = nil, yuma.Row{} // uid 0 set an empty row, uid 1 none
	out := mustRun(t, in)
	miners, validators, unpaid, err := out.Pay(1000, 500)
	if err != nil || out.Outcome != yuma.NoWeights || unpaid != 1000 {
		t.Fatalf("%s, %d unpaid, %v: want the miners' 1000 unpaid", out.Outcome, unpaid, err)
	}
	if !slices.Equal(validators, []uint64{500, 0, 0, 0}) || !slices.Equal(miners, make([]uint64, 4)) {
		t.Errorf("validators %v: want all for the one that is active", validators)
	}

	in.Rows[0].Set = false
	_, validators, _, err = mustRun(t, in).Pay(1000, 500)
	if err != nil || !slices.Equal(validators, []uint64{300, 200, 0, 0}) {
		t.Errorf("validators %v, %v: want shares by stake where nobody is active", validators, err)
	}

	in.Stake = make([]uint64, 4)
	out = mustRun(t, in)
	if _, _, unpaid, err := out.Pay(1000, 500); err != nil || out.Outcome != yuma.NoStake || unpaid != 1500 {
		t.Errorf("%s, %d unpaid, %v: want all of it unpaid without stake", out.Outcome, unpaid, err)
	}
	if got := mustRun(t, nobody()); got.Outcome != yuma.NoStake {
		t.Errorf("a subnet of nobody: %s", got.Outcome)
	}
}

func TestConsensusIsAtTheEdgeOfKappa(t *testing.T) {
	for _, c := range []struct {
		name        string
		kappa       uint16
		stake       []uint64
		want2, want fixed.Q32 // on uids 2 and 3
	}{
		// uid 0 gives 3/4 and 1/4, uid 1 a half each.
		{"all of the stake", 65_535, []uint64{60, 40, 0, 0}, fixed.One / 2, fixed.One / 4},
		{"anyone's word", 0, []uint64{60, 40, 0, 0}, fixed.One * 3 / 4, fixed.One / 2},
		{"the majority's", 32_767, []uint64{60, 40, 0, 0}, fixed.One * 3 / 4, fixed.One / 4},
		{"a half is enough", 32_767, []uint64{50, 50, 0, 0}, fixed.One * 3 / 4, fixed.One / 2},
		{"a half is too little by one 65,535th", 32_768, []uint64{50, 50, 0, 0}, fixed.One / 2, fixed.One / 4},
		{"exactly enough", 13_107, []uint64{80, 20, 0, 0}, fixed.One * 3 / 4, fixed.One / 2},
		{"rounded up, not down", 2, []uint64{1, 32_767, 0, 0}, fixed.One / 2, fixed.One / 2},
		{"one unit of stake too little", 13_107, []uint64{801, 200, 0, 0}, fixed.One * 3 / 4, fixed.One / 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := twoValidators()
			in.Kappa, in.Stake = c.kappa, c.stake
			if got := mustRun(t, in).Consensus; got[2] != c.want2 || got[3] != c.want {
				t.Errorf("consensus %s and %s, want %s and %s", got[2], got[3], c.want2, c.want)
			}
		})
	}
}

func TestConsensusOfManyEqualsIsTheLargestWeightThatEnoughGave(t *testing.T) {
	for _, many := range []int{15, 51, 255} { // they divide 65,535
		in := nobody()
		in.Params, in.Block = twoValidators().Params, 1000
		n := many + 2
		in.Stake, in.Rows, in.Registered, in.Permits = make([]uint64, n), make([]yuma.Row, n), make([]uint64, n), make([]bool, n)
		var gave []uint16 // to the miner many, of 65,535; the other miner gets the rest
		rng := rand.New(rand.NewPCG(uint64(many), 4))
		for i := range many {
			w := uint16(rng.IntN(many) * 200)
			gave = append(gave, w)
			in.Stake[i], in.Permits[i] = 1_000_000, true
			in.Rows[i] = yuma.Row{Set: true, Block: 900, Entries: []yuma.Entry{{UID: uint16(many), Value: w}, {UID: uint16(many + 1), Value: 65_535 - w}}}
		}
		slices.Sort(gave)
		for k := 1; k <= many; k++ {
			in.Kappa = uint16(65_535 / many * k)
			want := fixed.Ratio(uint64(gave[many-k]), 65_535)
			if got := mustRun(t, in).Consensus[many]; got != want {
				t.Fatalf("%d of %d agree on %s, want %s", k, many, got, want)
			}
		}
	}
}

func TestWhoIsNewStartsWithoutBondsAndWeights(t *testing.T) {
	in := twoValidators()
	in.Kappa = 0
	in.Bonds = [][]yuma.Entry{{{UID: 2, Value: 65_535}, {UID: 3, Value: 65_535}}, nil, nil, nil}
	in.Rows[0].Entries, in.Rows[1].Entries = nil, []yuma.Entry{{UID: 2, Value: 1}, {UID: 3, Value: 1}}
	in.Registered[3] = 900 // in the block of the rows, and after the last epoch
	out := mustRun(t, in)
	if out.Incentive[3] != 0 || out.Incentive[2] == 0 {
		t.Errorf("incentive %v: a row from before a neuron came must not count for it", out.Incentive)
	}
	if want := []yuma.Entry{{UID: 2, Value: 58_981}}; !slices.Equal(out.Bonds[0], want) {
		t.Errorf("bonds %v, want %v: the newcomer's went with its predecessor", out.Bonds[0], want)
	}
}

func TestStakesOfAnySizeAreShared(t *testing.T) {
	in := twoValidators()
	in.Stake = []uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
	out := mustRun(t, in)
	if out.StakeShare[0] != fixed.One/4 || out.Active[0] != fixed.One/2 {
		t.Errorf("share %s, active %s: want a quarter and a half", out.StakeShare[0], out.Active[0])
	}
	in.Stake, in.MinStake = []uint64{60, 40, 0, 0}, 40
	if out = mustRun(t, in); out.StakeShare[1] == 0 {
		t.Error("the least stake that counts does not")
	}
	in.MinStake = 41
	if out = mustRun(t, in); out.StakeShare[0] != fixed.One {
		t.Error("a stake below the least that counts does")
	}
	in.Stake, in.MinStake = []uint64{math.MaxUint64, 1, 0, 0}, 0
	out = mustRun(t, in)
	if out.Permits[1] || out.Active[0] != fixed.One {
		t.Error("a unit beside 2^64−1 is no stake: its share is below 2^-32")
	}
	in.Stake, in.Block, in.ActivityCutoff = []uint64{1, 1, 0, 0}, math.MaxUint64, math.MaxUint64
	in.MinStake = math.MaxUint64
	if out = mustRun(t, in); out.Outcome != yuma.NoStake {
		t.Errorf("%s with stakes below the least that counts", out.Outcome)
	}
}

func TestTheLargestSubnetRuns(t *testing.T) {
	const n = yuma.MaxNeurons
	rng := rand.New(rand.NewPCG(3, 3))
	in := nobody()
	in.Params = twoValidators().Params
	in.MaxValidators, in.Block = n, 1000
	in.Stake, in.Rows, in.Registered, in.Permits = make([]uint64, n), make([]yuma.Row, n), make([]uint64, n), make([]bool, n)
	for i := range n {
		in.Stake[i], in.Permits[i] = math.MaxUint64, true
		in.Rows[i] = yuma.Row{Set: true, Block: 999}
		for j := range n {
			if i < 64 || j == (i+1)%n || rng.IntN(64) == 0 { // some dense rows, many sparse ones
				in.Rows[i].Entries = append(in.Rows[i].Entries, yuma.Entry{UID: uint16(j), Value: uint16(1 + rng.IntN(65_535))})
			}
		}
	}
	for _, version := range []uint32{2, 3} {
		in.YumaVersion = version
		out := mustRun(t, in)
		checkOutput(t, in, out)
		in.Bonds = out.Bonds
		checkOutput(t, in, mustRun(t, in))
		in.Bonds = nil
	}
	in.Stake = append(in.Stake, 1)
	if _, err := yuma.Epoch(in); !errors.Is(err, yuma.ErrInput) {
		t.Errorf("4,097 neurons: %v", err)
	}
}

func TestInputsThatBreakARuleAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*yuma.Input){
		"fewer rows":                 func(in *yuma.Input) { in.Rows = in.Rows[1:] },
		"fewer registrations":        func(in *yuma.Input) { in.Registered = nil },
		"more permits":               func(in *yuma.Input) { in.Permits = append(in.Permits, true) },
		"fewer bonds":                func(in *yuma.Input) { in.Bonds = make([][]yuma.Entry, 3) },
		"an owner that isn't there":  func(in *yuma.Input) { in.Owner = 4 },
		"an owner below none":        func(in *yuma.Input) { in.Owner = -2 },
		"a last epoch to come":       func(in *yuma.Input) { in.LastEpoch = in.Block + 1 },
		"a registration to come":     func(in *yuma.Input) { in.Registered[3] = in.Block + 1 },
		"a row to come":              func(in *yuma.Input) { in.Rows[0].Block = in.Block + 1 },
		"a weight for nobody":        func(in *yuma.Input) { in.Rows[0].Entries = []yuma.Entry{{UID: 4, Value: 1}} },
		"weights out of order":       func(in *yuma.Input) { in.Rows[0].Entries = []yuma.Entry{{UID: 3}, {UID: 2}} },
		"a weight twice":             func(in *yuma.Input) { in.Rows[0].Entries = []yuma.Entry{{UID: 3}, {UID: 3}} },
		"a bond in nobody":           func(in *yuma.Input) { in.Bonds = [][]yuma.Entry{{{UID: 4}}, nil, nil, nil} },
		"bonds out of order":         func(in *yuma.Input) { in.Bonds = [][]yuma.Entry{nil, {{UID: 3}, {UID: 1}}, nil, nil} },
		"version 1":                  func(in *yuma.Input) { in.YumaVersion = 1 },
		"version 4":                  func(in *yuma.Input) { in.YumaVersion = 4 },
		"a moving average above all": func(in *yuma.Input) { in.BondsMovingAverage = 1_000_001 },
		"alphas the wrong way round": func(in *yuma.Input) { in.LiquidAlpha, in.AlphaLow, in.AlphaHigh = true, 9, 8 },
		"an alpha of 0":              func(in *yuma.Input) { in.LiquidAlpha, in.AlphaLow, in.AlphaHigh = true, 0, 8 },
		"an alpha of 1":              func(in *yuma.Input) { in.LiquidAlpha, in.AlphaLow, in.AlphaHigh = true, 8, 1_000_000 },
		"a sigmoid too steep": func(in *yuma.Input) {
			in.LiquidAlpha, in.AlphaLow, in.AlphaHigh, in.AlphaSteepness = true, 8, 9, 10_001
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := twoValidators()
			spoil(in)
			if out, err := yuma.Epoch(in); !errors.Is(err, yuma.ErrInput) || out != nil {
				t.Errorf("got %v, want an error that wraps ErrInput", err)
			}
		})
	}
}

// FuzzEpoch lets the bytes decide every field: what is refused wraps ErrInput, what
// runs holds what every epoch holds.
func FuzzEpoch(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{4, 3, 255, 127, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 2))
		raw := make([]byte, 400)
		for i := range raw {
			raw[i] = byte(rng.Uint32())
		}
		raw[0], raw[1] = byte(4+seed), 3
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := hostile(raw)
		out, err := yuma.Epoch(in)
		if err != nil {
			if !errors.Is(err, yuma.ErrInput) {
				t.Fatal(err)
			}
			return
		}
		checkOutput(t, in, out)
		if _, _, _, err := out.Pay(1<<63, 1<<63-1); err != nil {
			t.Fatal(err)
		}
	})
}

// hostile reads an input from bytes; most are nearly valid.
func hostile(raw []byte) *yuma.Input {
	next := func() uint64 {
		if len(raw) == 0 {
			return 0
		}
		b := raw[0]
		raw = raw[1:]
		return uint64(b)
	}
	wide := func() uint64 { // of every length
		return (next()<<56 | next()<<48 | next()<<24 | next()) >> (next() % 64)
	}
	n := int(next() % 24)
	in := &yuma.Input{
		Params: yuma.Params{
			YumaVersion: uint32(next() % 5), Kappa: uint16(next() * 257), BondsPenalty: uint16(next() * 257),
			BondsMovingAverage: uint32(next() * 4_000), LiquidAlpha: next()%2 == 0,
			AlphaLow: uint32(next() * 4_000), AlphaHigh: uint32(next() * 4_000), AlphaSteepness: uint32(next() * 40),
			MaxValidators: uint32(wide()), ActivityCutoff: wide(), MinStake: wide(),
		},
		Block: math.MaxUint64 - next()*next(), Owner: int(next())%(n+2) - 1,
		Stake: make([]uint64, n), Rows: make([]yuma.Row, n), Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	in.LastEpoch = in.Block - next() + next()%2
	row := func() (out []yuma.Entry) {
		uid := next() % 3
		for range next() % 24 {
			out = append(out, yuma.Entry{UID: uint16(uid), Value: uint16(next() * 257)})
			uid += next() % 4
		}
		return out
	}
	if next()%2 == 0 {
		in.Bonds = make([][]yuma.Entry, n)
	}
	for i := range n {
		in.Stake[i], in.Permits[i] = wide(), next()%4 > 0
		in.Registered[i] = in.Block - next()
		in.Rows[i] = yuma.Row{Set: next()%4 > 0, Block: in.Block - next() + next()/255, Entries: row()}
		if in.Bonds != nil {
			in.Bonds[i] = row()
		}
	}
	return in
}
