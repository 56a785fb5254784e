package attack

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Sizes of a plot, in its own units.
const (
	labelWidth = 340
	panelWidth = 320
	panelGap   = 40
	rowHeight  = 46
	plotTop    = 98
	margin     = 16
)

// Plot writes the result as an SVG: for each case how the gain and the loss are
// spread over the seeds, from the 5th to the 95th percentile, with the median and
// the mean.
func (r *Result) Plot(w io.Writer) error {
	var b strings.Builder
	wide, bottom := margin+labelWidth+2*panelWidth+panelGap+2*margin, plotTop+rowHeight*len(r.Cases)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,'DejaVu Sans',sans-serif" font-size="13" fill="#222">`+"\n", wide, bottom+62)
	b.WriteString(`<rect width="100%" height="100%" rx="6" fill="#fff"/>` + "\n")
	text(&b, margin, 28, `font-size="16" font-weight="600"`, r.Attack+": "+r.Title)
	for i, c := range r.Cases {
		y := plotTop + rowHeight*i
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#f5f6f8"/>`+"\n", margin, y, wide-2*margin, rowHeight)
		}
		text(&b, margin+8, float64(y)+rowHeight/2+5, "", c.Case)
	}
	left := float64(margin + labelWidth)
	r.panel(&b, left, "the attacker's gain", r.GainUnit, "#c2410c", func(c *Case) ([]float64, Summary) { return c.gains, c.Gain })
	r.panel(&b, left+panelWidth+panelGap, "the honest others' loss", r.LossUnit, "#1d4ed8", func(c *Case) ([]float64, Summary) { return c.losses, c.Loss })
	text(&b, margin+8, float64(bottom)+46, `font-size="11" fill="#666"`,
		r.seeds()+"; line: 5th to 95th percentile, bar: median, dot: mean, shape: the seeds between")
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// panel draws one number of all cases on one axis.
func (r *Result) panel(b *strings.Builder, left float64, title, unit, colour string, of func(*Case) ([]float64, Summary)) {
	low, high := 0.0, 0.0
	for i := range r.Cases {
		_, s := of(&r.Cases[i])
		low, high = min(low, s.P5, s.Mean), max(high, s.P95, s.Mean)
	}
	step := tick(high - low)
	if high-low < 1e-9 {
		low, high = -1, 1
	}
	low, high = low-(high-low)*0.05, high+(high-low)*0.05
	x := func(f float64) float64 {
		return left + panelWidth*min(max((f-low)/(high-low), 0), 1)
	}
	text(b, left, plotTop-46, `font-weight="600" fill="`+colour+`"`, title)
	for i, line := range wrapped(unit, 54) {
		text(b, left, plotTop-30+13*float64(i), `font-size="11" fill="#666"`, line)
	}
	bottom := float64(plotTop + rowHeight*len(r.Cases))
	for t := math.Ceil(low/step) * step; t <= high; t += step {
		stroke := "#ddd"
		if math.Abs(t) < step/1e6 {
			t, stroke = 0, "#555"
		}
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%.1f" stroke="%s"/>`+"\n", x(t), x(t), plotTop-8, bottom+6, stroke)
		text(b, x(t), bottom+20, `font-size="11" text-anchor="middle"`, fmt.Sprintf("%g", math.Round(t/step)*step))
	}
	for i := range r.Cases {
		sorted, s := of(&r.Cases[i])
		base := float64(plotTop+rowHeight*i) + 32
		shape(b, sorted, s, x, base, colour)
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="2"/>`+"\n", x(s.P5), x(s.P95), base, base, colour)
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>`+"\n", x(s.Median), x(s.Median), base-7, base+7, colour)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="#fff" stroke="%s" stroke-width="2"/>`+"\n", x(s.Mean), base, colour)
	}
}

// shape is the histogram of what lies between the percentiles, above its line.
func shape(b *strings.Builder, sorted []float64, s Summary, x func(float64) float64, base float64, colour string) {
	const bins, height = 24, 24.0
	if s.P95-s.P5 < 1e-9 || len(sorted) < 2*bins {
		return
	}
	var count [bins]int
	most := 0
	for _, f := range sorted {
		if f < s.P5 || f > s.P95 {
			continue
		}
		i := min(int(bins*(f-s.P5)/(s.P95-s.P5)), bins-1)
		count[i]++
		most = max(most, count[i])
	}
	at := func(i int) float64 { return x(s.P5 + (s.P95-s.P5)*float64(i)/bins) }
	fmt.Fprintf(b, `<path fill="%s" fill-opacity="0.2" d="M%.1f %.1f`, colour, at(0), base)
	for i, n := range count {
		y := base - height*float64(n)/float64(most)
		fmt.Fprintf(b, "L%.1f %.1fL%.1f %.1f", at(i), y, at(i+1), y)
	}
	fmt.Fprintf(b, `L%.1f %.1fZ"/>`+"\n", at(bins), base)
}

// tick is a round step that cuts a range into about five.
func tick(width float64) float64 {
	if width < 1e-9 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(width/5)))
	for _, m := range []float64{1, 2, 5} {
		if width/(m*unit) <= 6 {
			return m * unit
		}
	}
	return 10 * unit
}

// wrapped cuts a text between words into lines of so many letters.
func wrapped(s string, most int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len(line)+1+len(word) > most {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

func text(b *strings.Builder, x, y float64, attributes, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(s))
}
