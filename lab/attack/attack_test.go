package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lodenet/lode/lab/attack"
)

// seeds are as many as fit a test of a second or two on a busy machine.
const seeds = 25

func run(t *testing.T, name string) *attack.Result {
	t.Helper()
	a, ok := attack.Find(name)
	if !ok {
		t.Fatalf("no attack %q", name)
	}
	r, err := attack.Run(t.Context(), a, 1, seeds, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// of is the one case whose name has all the words.
func of(t *testing.T, r *attack.Result, words ...string) attack.Case {
	t.Helper()
	var found []attack.Case
	for _, c := range r.Cases {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(c.Case, w) }) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d cases with %q", r.Attack, len(found), words)
	}
	return found[0]
}

func TestEveryAttackIsTheSameForTheSameSeedAndAnotherForAnother(t *testing.T) {
	names := map[string]bool{}
	for _, a := range attack.All() {
		t.Run(a.Name, func(t *testing.T) {
			if names[a.Name] || !regexp.MustCompile(`^[a-z]+$`).MatchString(a.Name) {
				t.Errorf("its name %q is taken, or no word", a.Name)
			}
			names[a.Name] = true
			for what, text := range map[string]string{"title": a.Title, "set-up": a.Setup, "unit of gains": a.GainUnit, "unit of losses": a.LossUnit} {
				if text == "" {
					t.Errorf("it has no %s", what)
				}
			}
			one, err := a.Play(7)
			if err != nil {
				t.Fatal(err)
			}
			again, err := a.Play(7)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one, again) {
				t.Errorf("seed 7 gives %v, then %v", one, again)
			}
			other, err := a.Play(8)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(one, other) {
				t.Errorf("seeds 7 and 8 give the same %v", one)
			}
			for i, o := range append(one, other...) {
				if math.IsNaN(o.Gain+o.Loss) || math.IsInf(o.Gain+o.Loss, 0) {
					t.Errorf("case %d gives %v, which is no number", i%len(a.Cases)+1, o)
				}
			}
		})
	}
}

func TestARunIsOfItsSeedsAlone(t *testing.T) {
	a, _ := attack.Find("sandwich")
	r, err := attack.Run(t.Context(), a, 40, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	var gains []float64
	for seed := uint64(40); seed < 43; seed++ {
		o, err := a.Play(seed)
		if err != nil {
			t.Fatal(err)
		}
		gains = append(gains, o[0].Gain)
	}
	slices.Sort(gains)
	g := r.Cases[0].Gain
	for what, pair := range map[string][2]float64{
		"mean": {g.Mean, (gains[0] + gains[1] + gains[2]) / 3}, "median": {g.Median, gains[1]},
		"5 %": {g.P5, gains[0] + 0.1*(gains[1]-gains[0])}, "95 %": {g.P95, gains[1] + 0.9*(gains[2]-gains[1])},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-6 {
			t.Errorf("the %s is %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestBadRunsAreRefusedWithWords(t *testing.T) {
	a, _ := attack.Find("sandwich")
	for _, c := range []struct {
		first uint64
		seeds int
		says  string
	}{
		{1, 0, "0 seeds: want 1 to 100000"},
		{1, -5, "-5 seeds: want 1 to 100000"},
		{1, attack.MaxSeeds + 1, "100001 seeds"},
		{math.MaxUint64, 2, "past the largest"},
	} {
		if _, err := attack.Run(t.Context(), a, c.first, c.seeds, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d seeds from %d: got %v, want %q", c.seeds, c.first, err, c.says)
		}
	}
	if _, err := attack.Run(t.Context(), a, math.MaxUint64, 1, nil); err != nil {
		t.Errorf("the largest seed: %v", err)
	}
	if _, ok := attack.Find("nosuch"); ok {
		t.Error("there is an attack that there isn't")
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	a, _ := attack.Find("sandwich")
	ctx, cancel := context.WithCancel(t.Context())
	last := 0
	_, err := attack.Run(ctx, a, 1, attack.MaxSeeds, func(done int) {
		if last = done; done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last != 2 {
		t.Errorf("ended by %v after %d seeds, want the context's end after 2", err, last)
	}
}

func TestAResultIsATableAPlotAndJSON(t *testing.T) {
	a, _ := attack.Find("sandwich")
	for _, n := range []int{1, 60} {
		r, err := attack.Run(t.Context(), a, 1, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		var table, svg bytes.Buffer
		if err := errors.Join(r.Table(&table), r.Plot(&svg)); err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Cases {
			if !strings.Contains(table.String(), "\n"+c) || !strings.Contains(svg.String(), c) {
				t.Errorf("%q is missing in\n%s\n%s", c, &table, &svg)
			}
		}
		if svg.Len() > 20_000 {
			t.Errorf("a plot of %d bytes", svg.Len())
		}
		if strings.Contains(svg.String(), "NaN") || strings.Contains(svg.String(), "Inf") {
			t.Errorf("no numbers in\n%s", &svg)
		}
		for dec := xml.NewDecoder(&svg); ; {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("the plot is no XML: %v", err)
			}
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back attack.Result
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if back.Cases[0].Gain != r.Cases[0].Gain || back.Seeds != n || back.FirstSeed != 1 {
			t.Errorf("%+v comes back as %+v", r, back)
		}
	}
}
