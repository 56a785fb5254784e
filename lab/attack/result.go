package attack

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Result is what an attack gives over many seeds.
type Result struct {
	Attack    string `json:"attack"`
	Title     string `json:"title"`
	FirstSeed uint64 `json:"first_seed,string"`
	Seeds     int    `json:"seeds"`
	GainUnit  string `json:"gain_unit"`
	LossUnit  string `json:"loss_unit"`
	Cases     []Case `json:"cases"`
}

// Case is one way to play an attack.
type Case struct {
	Case string  `json:"case"`
	Gain Summary `json:"gain"` // the attacker's over honesty, in GainUnit
	Loss Summary `json:"loss"` // the honest others', in LossUnit
	Pays float64 `json:"pays"` // the part of the seeds in which the gain is above 0.001

	gains, losses []float64 // sorted
}

// Summary is of one number over all seeds.
type Summary struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P5     float64 `json:"p5"` // percentiles, between neighbours interpolated
	P95    float64 `json:"p95"`
}

// nothing is a gain too small to be told from rounding.
const nothing = 1e-3

func newCase(name string, gains, losses []float64) Case {
	c := Case{Case: name, gains: slices.Sorted(slices.Values(gains)), losses: slices.Sorted(slices.Values(losses))}
	c.Gain, c.Loss = summary(c.gains), summary(c.losses)
	for _, g := range gains {
		if g > nothing {
			c.Pays += 1 / float64(len(gains))
		}
	}
	c.Pays = tidy(c.Pays)
	return c
}

// summary is of sorted numbers, at least one.
func summary(sorted []float64) Summary {
	var sum float64
	for _, f := range sorted {
		sum += f
	}
	return Summary{
		Mean: tidy(sum / float64(len(sorted))), Median: tidy(quantile(sorted, 0.5)),
		P5: tidy(quantile(sorted, 0.05)), P95: tidy(quantile(sorted, 0.95)),
	}
}

func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// tidy rounds to six digits after the point; machines whose last bits differ then
// print the same.
func tidy(f float64) float64 {
	if f = math.Round(f*1e6) / 1e6; f == 0 {
		return 0 // not −0
	}
	return f
}

// Table writes the result for people.
func (r *Result) Table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s\n", r.Attack, r.Title, r.seeds())
	fmt.Fprintf(&b, "gain: %s\nloss: %s\n\n", r.GainUnit, r.LossUnit)
	rows := [][]string{{"case", "mean gain", "median", "5 %", "95 %", "pays", "mean loss", "median", "5 %", "95 %"}}
	for _, c := range r.Cases {
		rows = append(rows, []string{
			c.Case, signed(c.Gain.Mean), signed(c.Gain.Median), signed(c.Gain.P5), signed(c.Gain.P95), fmt.Sprintf("%.0f %%", 100*c.Pays),
			plain(c.Loss.Mean), plain(c.Loss.Median), plain(c.Loss.P5), plain(c.Loss.P95),
		})
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			switch {
			case i == 0:
				b.WriteString(cell + pad)
			case i == 6: // the other half
				b.WriteString("   " + pad + cell)
			default:
				b.WriteString("  " + pad + cell)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) seeds() string {
	if r.Seeds == 1 {
		return fmt.Sprintf("seed %d", r.FirstSeed)
	}
	return fmt.Sprintf("seeds %d to %d", r.FirstSeed, r.FirstSeed+uint64(r.Seeds-1))
}

// plain shows a number to what can be told apart: a hundredth, or a whole beyond
// a thousand.
func plain(f float64) string {
	digits := 2
	if math.Abs(f) >= 1000 {
		digits = 0
	}
	s := fmt.Sprintf("%.*f", digits, f)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return s
}

func signed(f float64) string {
	s := plain(f)
	if s != "0" && s[0] != '-' {
		return "+" + s
	}
	return s
}
