package lab_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/lab"
)

// printed is the JSON of a result as somebody else would read it.
type printed struct {
	Name   string
	Epochs []struct {
		Epoch             int
		Outcome           string
		Dividends         []float64
		Incentive         []float64
		Consensus         []float64
		ValidatorTrust    []float64 `json:"validator_trust"`
		Bonds             map[string][][2]float64
		ServerEmission    []float64 `json:"server_emission"`
		ValidatorEmission []float64 `json:"validator_emission"`
		Unpaid            float64
	}
}

func run(t testing.TB, text string) printed {
	t.Helper()
	s, err := lab.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := lab.Run(s)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var p printed
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *printed) bond(epoch, validator, miner int) float64 {
	for _, b := range p.Epochs[epoch].Bonds[strconv.Itoa(validator)] {
		if int(b[0]) == miner {
			return b[1]
		}
	}
	return 0
}

func sum(lists ...[]float64) (total float64) {
	for _, list := range lists {
		for _, f := range list {
			total += f
		}
	}
	return total
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestTheReferencesScenariosGiveItsNumbersAsJSON(t *testing.T) {
	files, err := filepath.Glob("testdata/yuma3_*.json")
	if err != nil || len(files) < 2 {
		t.Fatal("no vectors in testdata", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Name      string
				Tolerance float64
				Epochs    []struct {
					Expect struct {
						Dividends []float64
						Bonds     map[string][][2]float64
					}
				}
			}
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			got := run(t, string(text))
			if got.Name != want.Name || len(got.Epochs) != len(want.Epochs) || want.Tolerance == 0 {
				t.Fatalf("%d epochs of %q, want %d of %q", len(got.Epochs), got.Name, len(want.Epochs), want.Name)
			}
			for i, e := range want.Epochs {
				if !slices.EqualFunc(got.Epochs[i].Dividends, e.Expect.Dividends, func(a, b float64) bool { return near(a, b, want.Tolerance) }) {
					t.Errorf("epoch %d: dividends %v, want %v", i+1, got.Epochs[i].Dividends, e.Expect.Dividends)
				}
				for key, row := range e.Expect.Bonds {
					uid, err := strconv.Atoi(key)
					if err != nil {
						t.Fatal(err)
					}
					for _, b := range row {
						if has := got.bond(i, uid, int(b[0])); !near(has, b[1], want.Tolerance) {
							t.Errorf("epoch %d: bond of uid %d in %g = %g, want %g", i+1, uid, b[0], has, b[1])
						}
					}
				}
			}
		})
	}
}

func TestThePotIsDividedToTheLastPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomScenario(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 30).Draw(t, "n"), rapid.IntRange(1, 6).Draw(t, "epochs"))
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := lab.Parse(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		r, err := lab.Run(parsed)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range r.Epochs {
			if total := sum(e.ServerEmission, e.ValidatorEmission) + e.Unpaid; !near(total, 1, 1e-8) {
				t.Fatalf("epoch %d pays %v of the pot", i+1, total)
			}
			for name, list := range map[string][]float64{"incentive": e.Incentive, "dividends": e.Dividends} {
				if total := sum(list); total != 0 && !near(total, 1, 1e-7) {
					t.Fatalf("epoch %d: %s sum to %v", i+1, name, total)
				}
			}
		}
	})
}

type object = map[string]any

// randomScenario has everything that a scenario may leave out, here and there.
func randomScenario(seed uint64, n, epochs int) object {
	rng := rand.New(rand.NewPCG(seed, 0))
	stakes := make([]any, n)
	for i := range stakes {
		switch rng.IntN(4) {
		case 0:
			stakes[i] = 0
		case 1:
			stakes[i] = strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10)
		default:
			stakes[i] = rng.IntN(1000)
		}
	}
	params := object{"yuma_version": 2 + rng.IntN(2)}
	for name, v := range map[string]any{
		"kappa": rng.IntN(65_536), "bonds_penalty": rng.IntN(65_536), "bonds_moving_average": rng.IntN(975_001),
		"liquid_alpha": rng.IntN(2) == 0, "max_validators": 1 + rng.IntN(n), "activity_cutoff": rng.IntN(2000),
	} {
		if rng.IntN(2) == 0 {
			params[name] = v
		}
	}
	steps := make([]object, epochs)
	for e := range steps {
		steps[e] = object{}
		if rng.IntN(4) == 0 {
			continue
		}
		weights := object{}
		for i := range n {
			if rng.IntN(3) == 0 {
				continue
			}
			row := [][2]int{}
			for _, j := range rng.Perm(n)[:rng.IntN(n+1)] {
				row = append(row, [2]int{j, rng.IntN(65_536)})
			}
			weights[strconv.Itoa(i)] = row
		}
		steps[e]["weights"] = weights
	}
	return object{"params": params, "stakes": stakes, "epochs": steps}
}

func TestTheSetUpEpochGrantsPermitsToTheLargestStakes(t *testing.T) {
	p := run(t, `{"params": {"max_validators": 2}, "stakes": [10, 30, 20, 20, 0],
		"epochs": [{"weights": {"0": [[4, 1]], "1": [[4, 1]], "2": [[4, 1]], "3": [[4, 1]]}}]}`)
	if len(p.Epochs) != 1 || p.Epochs[0].Epoch != 1 {
		t.Fatalf("printed %d epochs, want the one of the scenario", len(p.Epochs))
	}
	if got := p.Epochs[0].ValidatorTrust; !slices.Equal(got, []float64{0, 1, 1, 0, 0}) {
		t.Errorf("trust %v: want that of uid 1, and of 2 rather than 3", got)
	}
	if got := p.Epochs[0].Dividends; !near(got[1], 0.6, 1e-8) || !near(got[2], 0.4, 1e-8) {
		t.Errorf("dividends %v, want 0.6 and 0.4 of the stake that judges", got)
	}
}

func TestWeightsForOneselfDoNotCount(t *testing.T) {
	p := run(t, `{"stakes": [50, 50, 0], "epochs": [{"weights": {"0": [[0, 60000], [2, 10]], "1": [[2, 7]]}}]}`)
	if got := p.Epochs[0].Incentive; !slices.Equal(got, []float64{0, 0, 1}) {
		t.Errorf("incentive %v, want all of it for uid 2", got)
	}
	p = run(t, `{"stakes": [50, 50, 0], "epochs": [{"weights": {"0": [[0, 60000]], "1": [[1, 7]]}}]}`)
	e := p.Epochs[0]
	if e.Outcome != "no_weights" || sum(e.ServerEmission) != 0 || !near(sum(e.ValidatorEmission), 0.5, 1e-9) || e.Unpaid != 0.5 {
		t.Errorf("weights for oneself alone: %+v, want the validators' half paid by stake and the miners' burned", e)
	}
}

func TestAnEpochWithoutWeightsKeepsTheLastOnes(t *testing.T) {
	const given = `{"weights": {"0": [[2, 3], [3, 1]], "1": [[2, 1], [3, 3]]}}`
	kept := run(t, `{"stakes": [60, 40, 0, 0], "epochs": [`+given+strings.Repeat(`, {}`, 29)+`]}`)
	again := run(t, `{"stakes": [60, 40, 0, 0], "epochs": [`+given+strings.Repeat(`, `+given, 29)+`]}`)
	if a, b := fmt.Sprint(kept.Epochs), fmt.Sprint(again.Epochs); a != b {
		t.Errorf("kept:\n%s\nset again:\n%s", a, b)
	}
	null := run(t, `{"stakes": [60, 40, 0, 0], "epochs": [`+given+`, {"weights": null}]}`)
	if a, b := fmt.Sprint(null.Epochs[1]), fmt.Sprint(kept.Epochs[1]); a != b {
		t.Errorf("null weights:\n%s\nnone:\n%s", a, b)
	}
}

func TestAValidatorThatIsLeftOutKeepsItsRowUntilTheCutoff(t *testing.T) {
	// uid 1 alone has the majority; when its row is too old uid 0 decides.
	p := run(t, `{"params": {"activity_cutoff": 500, "tempo": 250}, "stakes": [40, 60, 0, 0], "epochs": [
		{"weights": {"0": [[2, 1]], "1": [[3, 1]]}},
		{"weights": {}}, {"weights": {"0": [[2, 1]]}}, {"weights": {"0": [[2, 1]]}}]}`)
	for i, want := range [][]float64{{0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 1, 0}} {
		if got := p.Epochs[i].Incentive; !slices.Equal(got, want) {
			t.Errorf("epoch %d: incentive %v, want %v", i+1, got, want)
		}
	}
}

func TestAnEmptiedRowTakesAllWeightAway(t *testing.T) {
	p := run(t, `{"stakes": [60, 40, 0, 0], "epochs": [
		{"weights": {"0": [[2, 1]], "1": [[3, 1]]}}, {"weights": {"1": []}}]}`)
	if got := p.Epochs[1].ValidatorTrust; !slices.Equal(got, []float64{1, 0, 0, 0}) {
		t.Errorf("trust %v after uid 1 emptied its row", got)
	}
	if before, after := p.bond(0, 1, 3), p.bond(1, 1, 3); after >= before && before > 0 {
		t.Errorf("the bond of the emptied row went from %g to %g", before, after)
	}
}

func TestParamsLeftOutAreTheProtocolsDefaults(t *testing.T) {
	const rest = `"stakes": [60, 30, 10, 0, 0], "epochs": [
		{"weights": {"0": [[3, 9], [4, 1]], "1": [[3, 1], [4, 9]], "2": [[4, 1]]}}, {}, {"weights": {"0": [[4, 5]]}}]}`
	left := run(t, `{`+rest)
	for name, params := range map[string]string{
		"named": `{"kappa": 32767, "bonds_moving_average": 900000, "bonds_penalty": 65535, "yuma_version": 3, "liquid_alpha": false,
			"alpha_low": 0.7, "alpha_high": 0.9, "alpha_sigmoid_steepness": 1000, "activity_cutoff": 5000, "max_validators": 64,
			"min_stake_to_validate": 0, "tempo": 360}`,
		"empty":                 `{}`,
		"null":                  `null`,
		"written as floats":     `{"kappa": 32767.0, "bonds_moving_average": 9e5}`,
		"of what isn't read":    `{"immunity_period": 5000, "max_uids": 256, "reveal_period": 1}`,
		"alphas that are off":   `{"alpha_low": 0, "alpha_high": 1, "liquid_alpha": false}`,
		"a smaller subnet's":    `{"max_validators": 3}`,
		"one that is not large": `{"min_stake_to_validate": 10}`,
	} {
		if got := run(t, `{"params": `+params+`, `+rest); fmt.Sprint(got) != fmt.Sprint(left) {
			t.Errorf("%s:\n%v\nleft out:\n%v", name, got, left)
		}
	}
}

func TestWhatAnEpochDoesNotReadIsNamed(t *testing.T) {
	s, err := lab.Parse([]byte(`{"name": "x", "source": "y", "tolerance": 1, "neurons": 1, "seed": 5, "params": {"max_uids": 256, "kappa": 1},
		"stakes": [1], "epochs": [{"expect": {}, "note": ""}, {"note": ""}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"params.max_uids", "note", "seed"}; !slices.Equal(s.Unread, want) {
		t.Errorf("unread: %q, want %q", s.Unread, want)
	}
}

func TestStakesMayBeOfAnySize(t *testing.T) {
	for _, stakes := range []string{`["18446744073709551615", 18446744073709551615, 0]`, `["1", 1, "0"]`, `[5e3, 5000.0, 0]`} {
		p := run(t, `{"stakes": `+stakes+`, "epochs": [{"weights": {"0": [[2, 1]], "1": [[2, 1]]}}]}`)
		if got := p.Epochs[0].Dividends; !near(got[0], 0.5, 1e-8) || !near(got[1], 0.5, 1e-8) {
			t.Errorf("stakes %s: dividends %v, want halves", stakes, got)
		}
	}
}

func TestBadScenariosAreRefusedWithWords(t *testing.T) {
	with := func(params, stakes, epochs string) string {
		return `{"params": ` + params + `, "stakes": ` + stakes + `, "epochs": ` + epochs + `}`
	}
	epochs := func(e string) string { return with(`{}`, `[1, 2, 0]`, e) }
	row := func(r string) string { return epochs(`[{"weights": {"0": ` + r + `}}]`) }
	params := func(p string) string { return with(p, `[1, 2, 0]`, `[{}]`) }
	many := `[1` + strings.Repeat(`,1`, 4096) + `]`
	for _, c := range []struct{ name, text, says string }{
		{"an empty file", "", "empty"},
		{"blanks", " \n\t", "empty"},
		{"text", "hello", "not JSON: line 1"},
		{"a broken line", "{\n\"stakes\": [1,\n}", "line 3"},
		{"half a file", `{"stakes": [1, 2`, "ends in the middle"},
		{"a list", `[]`, "want an object"},
		{"null", `null`, "null"},
		{"two objects", epochs(`[{}]`) + `{}`, "follows"},
		{"nothing", `{}`, "no stakes"},
		{"no epochs", `{"stakes": [1]}`, "no epochs"},
		{"epochs that are none", epochs(`[]`), "epochs"},
		{"epochs that are an object", epochs(`{}`), "epochs: want a list"},
		{"an epoch that is null", epochs(`[null]`), "epoch 1: want an object"},
		{"an epoch that is a list", epochs(`[{}, []]`), "epoch 2: want an object"},
		{"a name that is a number", `{"name": 1}`, "name: want a string"},
		{"stakes of nobody", with(`{}`, `[]`, `[{}]`), "stakes"},
		{"stakes that are null", with(`{}`, `null`, `[{}]`), "stakes"},
		{"a stake below zero", with(`{}`, `[1, -1]`, `[{}]`), "uid 1's is -1"},
		{"half a stake", with(`{}`, `[0.5]`, `[{}]`), "uid 0's is 0.5"},
		{"a stake of 2^64", with(`{}`, `["18446744073709551616"]`, `[{}]`), "18446744073709551615"},
		{"a stake that is a word", with(`{}`, `["x"]`, `[{}]`), `uid 0's is "x"`},
		{"a stake that is null", with(`{}`, `[null]`, `[{}]`), "uid 0's is null"},
		{"too many neurons", with(`{}`, many, `[{}]`), "at most 4096"},
		{"as many neurons as there aren't", `{"neurons": 3, "stakes": [1, 2], "epochs": [{}]}`, "there are 2 stakes"},
		{"params that are a list", params(`[]`), "params: want an object"},
		{"a param with a typo", params(`{"kapa": 1}`), `there is no "kapa"; an epoch reads activity_cutoff, alpha_high`},
		{"a kappa beyond u16", params(`{"kappa": 65536}`), "params.kappa: want a whole number from 0 to 65535, not 65536"},
		{"a kappa that is a fraction", params(`{"kappa": 0.5}`), "params.kappa"},
		{"a kappa that is a string", params(`{"kappa": "32767"}`), "params.kappa"},
		{"a kappa that is null", params(`{"kappa": null}`), "params.kappa"},
		{"an average that gives more than it has", params(`{"bonds_moving_average": 1000001}`), "1000000"},
		{"an unknown version", params(`{"yuma_version": 4}`), "params.yuma_version: want a whole number from 2 to 3"},
		{"an alpha above 1", params(`{"alpha_high": 1.5}`), "params.alpha_high"},
		{"an alpha that is a string", params(`{"alpha_low": "0.1"}`), "params.alpha_low"},
		{"alphas the wrong way round", params(`{"liquid_alpha": true, "alpha_low": 0.9, "alpha_high": 0.1}`), "alpha_low 0.9 and alpha_high 0.1"},
		{"an alpha of 0", params(`{"liquid_alpha": true, "alpha_low": 0}`), "0 < low"},
		{"a switch that is a number", params(`{"liquid_alpha": 1}`), "true or false"},
		{"no validators", params(`{"max_validators": 0}`), "from 1 to 4096"},
		{"weights that are a list", epochs(`[{"weights": []}]`), "rows by uid"},
		{"a validator beyond the stakes", epochs(`[{}, {"weights": {"3": []}}]`), `epoch 2: weights: there is no uid "3"; uids are 0 to 2`},
		{"a validator below zero", epochs(`[{"weights": {"-1": []}}]`), "there is no uid"},
		{"a validator that is a word", epochs(`[{"weights": {"x": []}}]`), "there is no uid"},
		{"a validator written twice over", epochs(`[{"weights": {"0": [], "00": []}}]`), `"00"`},
		{"a row that is null", row(`null`), "want a list of [uid, value]"},
		{"a row that is an object", row(`{}`), "want a list of [uid, value]"},
		{"a row of numbers", row(`[1, 2]`), "want a list of [uid, value]"},
		{"a miner beyond the stakes", row(`[[3, 1]]`), "uid 3; uids are 0 to 2"},
		{"a miner below zero", row(`[[-1, 1]]`), "uid -1"},
		{"half a miner", row(`[[0.5, 1]]`), "uid 0.5"},
		{"a weight above u16", row(`[[1, 65536]]`), "the weight 65536, want a whole number from 0 to 65535"},
		{"a weight below zero", row(`[[1, -1]]`), "the weight -1"},
		{"a weight that is a fraction", row(`[[1, 0.25]]`), "the weight 0.25"},
		{"a weight that is null", row(`[[1, null]]`), "want a list"},
		{"a weight that is a string", row(`[[1, "5"]]`), "want a list"},
		{"a weight beyond any number", row(`[[1, 1e999]]`), "want a list"},
		{"a weight without a miner", row(`[[1]]`), "entry 1 has 1 numbers"},
		{"three numbers", row(`[[1, 2, 3]]`), "entry 1 has 3 numbers"},
		{"a miner twice", row(`[[2, 1], [1, 1], [2, 2]]`), "uid 2 comes twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := lab.Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestFourThousandNeuronsRun(t *testing.T) {
	const n, validators = 4096, 64
	var b strings.Builder
	b.WriteString(`{"stakes": [1`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, ",%d", max(0, validators-i))
	}
	b.WriteString(`], "epochs": [{"weights": {`)
	for i := range validators {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d": [[0, 1]`, i)
		for j := 1; j < n; j++ {
			fmt.Fprintf(&b, ",[%d,%d]", j, 1+(i*7+j*31)%60_000)
		}
		b.WriteByte(']')
	}
	b.WriteString(`}}, {}]}`)
	p := run(t, b.String())
	if e := p.Epochs[1]; len(e.Incentive) != n || !near(sum(e.ServerEmission, e.ValidatorEmission), 1, 1e-7) {
		t.Errorf("%d neurons, who get %v", len(e.Incentive), sum(e.ServerEmission, e.ValidatorEmission))
	}
}

func TestTheTableLeavesOutWhoHasNothing(t *testing.T) {
	s, err := lab.Parse([]byte(`{"name": "small", "stakes": [60, 40, 0, 0, 0], "epochs": [{"weights": {"0": [[2, 1]], "1": [[2, 1]]}}, {"weights": {"0": [], "1": []}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := lab.Run(s)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	const want = `small

epoch 1
uid  consensus  incentive  dividends  trust   as miner  as validator  bonds
0    ·          ·          0.6000     1.0000  ·         0.3000        2: 0.1000
1    ·          ·          0.4000     1.0000  ·         0.2000        2: 0.1000
2    1.0000     1.0000     ·          ·       0.5000    ·             ·
2 more with nothing

epoch 2: nobody's weights count, so the validators share their half by stake and the miners' half is burned
uid  consensus  incentive  dividends  trust  as miner  as validator  bonds
0    ·          ·          ·          ·      ·         0.3000        2: 0.0900
1    ·          ·          ·          ·      ·         0.2000        2: 0.0900
3 more with nothing

`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"stakes": [1, "2", 0], "params": {"kappa": 1}, "epochs": [{"weights": {"0": [[1, 5], [2, 7]]}}, {}]}`))
	f.Add([]byte(`{"stakes": [1], "epochs": [{"weights": {"0": []}}]}`))
	f.Add([]byte(`{"stakes": 5e3, "epochs": null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := lab.Parse(text)
		if err != nil {
			if s != nil || err.Error() == "" {
				t.Fatal("an error without words, or with a scenario")
			}
			return
		}
		if len(s.Stakes)*len(s.Epochs) > 1<<16 {
			return
		}
		r, err := lab.Run(s)
		if err != nil {
			t.Fatalf("a scenario that parses must run: %v", err)
		}
		if raw, err := json.Marshal(r); err != nil || !json.Valid(raw) {
			t.Fatalf("its result is not JSON: %v", err)
		}
	})
}
