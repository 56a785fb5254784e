package yuma_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/lodenet/lode/yuma"
)

// vector is a scenario with the numbers that its epochs must give.
type vector struct {
	Tolerance float64 `json:"tolerance"`
	Params    struct {
		Kappa         uint16  `json:"kappa"`
		Penalty       uint16  `json:"bonds_penalty"`
		MovingAverage uint32  `json:"bonds_moving_average"`
		LiquidAlpha   bool    `json:"liquid_alpha"`
		AlphaLow      float64 `json:"alpha_low"`
		AlphaHigh     float64 `json:"alpha_high"`
		Steepness     uint32  `json:"alpha_sigmoid_steepness"`
		Version       uint32  `json:"yuma_version"`
		MaxValidators uint32  `json:"max_validators"`
		Cutoff        uint64  `json:"activity_cutoff"`
	} `json:"params"`
	Stakes []uint64 `json:"stakes"`
	Epochs []struct {
		Weights map[string][][2]uint16 `json:"weights"`
		Expect  struct {
			Dividends []float64               `json:"dividends"`
			Bonds     map[string][][2]float64 `json:"bonds"`
		} `json:"expect"`
	} `json:"epochs"`
}

func TestVectorsHold(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors in testdata", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			if len(v.Epochs) == 0 || v.Tolerance == 0 {
				t.Fatal("nothing to check")
			}
			runVector(t, &v)
		})
	}
}

func runVector(t *testing.T, v *vector) {
	const tempo = 360
	n, p := len(v.Stakes), v.Params
	in := &yuma.Input{
		Params: yuma.Params{
			Kappa: p.Kappa, BondsPenalty: p.Penalty, BondsMovingAverage: p.MovingAverage,
			LiquidAlpha: p.LiquidAlpha, AlphaLow: uint32(p.AlphaLow * 1e6), AlphaHigh: uint32(p.AlphaHigh * 1e6),
			AlphaSteepness: p.Steepness, YumaVersion: p.Version, MaxValidators: p.MaxValidators, ActivityCutoff: p.Cutoff,
		},
		Block: tempo, Owner: -1, Stake: v.Stakes, Rows: make([]yuma.Row, n),
		Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	var engine yuma.Engine
	out, err := engine.Run(in) // grants the permits
	if err != nil {
		t.Fatal(err)
	}
	for at, epoch := range v.Epochs {
		in.LastEpoch, in.Block = in.Block, in.Block+tempo
		in.Permits, in.Bonds = out.Permits, out.Bonds
		for key, row := range epoch.Weights {
			uid, err := strconv.Atoi(key)
			if err != nil {
				t.Fatal(err)
			}
			in.Rows[uid] = yuma.Row{Set: true, Block: in.Block}
			for _, w := range row {
				in.Rows[uid].Entries = append(in.Rows[uid].Entries, yuma.Entry{UID: w[0], Value: w[1]})
			}
		}
		if out, err = engine.Run(in); err != nil {
			t.Fatal(err)
		}
		for uid, want := range epoch.Expect.Dividends {
			if got := out.Dividends[uid].Float64(); math.Abs(got-want) > v.Tolerance {
				t.Errorf("epoch %d: dividends of uid %d = %.6f, want %.6f", at+1, uid, got, want)
			}
		}
		for key, row := range epoch.Expect.Bonds {
			uid, err := strconv.Atoi(key)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range row {
				if got := bond(out, uid, int(want[0])); math.Abs(got-want[1]) > v.Tolerance {
					t.Errorf("epoch %d: bond of uid %d in %g = %.6f, want %.6f", at+1, uid, want[0], got, want[1])
				}
			}
		}
	}
}

// bond is validator i's bond in j as a fraction.
func bond(o *yuma.Output, i, j int) float64 {
	for _, b := range o.Bonds[i] {
		if int(b.UID) == j {
			return float64(b.Value) / 65_535
		}
	}
	return 0
}
