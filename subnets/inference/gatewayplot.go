package inference

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Sizes of a plot, in its own units.
const (
	plotLabel  = 320
	plotPanel  = 190
	plotGap    = 70
	plotRow    = 30
	plotTop    = 84
	plotMargin = 16
)

// benchPanel is one number of all miners.
type benchPanel struct {
	title, note, colour string
	of                  func(BenchMiner) float64
	text                func(float64) string
}

// Plot writes the benchmark as an SVG: for each miner a bar of how long the first piece
// takes, how fast it writes, and what it costs. names are what hotkeys are called.
func (b *Bench) Plot(w io.Writer, name func(hotkey string) string) error {
	panels := []benchPanel{
		{"time to first token", "ms, median", "#1d4ed8", func(m BenchMiner) float64 { return float64(m.First.Microseconds()) / 1000 }, plainNumber},
		{"speed", "tokens a second of an answer, median", "#15803d", func(m BenchMiner) float64 { return m.Rate }, plainNumber},
		{"price", "TAO for a million tokens of answers", "#c2410c", func(m BenchMiner) float64 { return float64(m.Price) / 1e9 }, plainNumber},
	}
	var s strings.Builder
	wide := 2*plotMargin + plotLabel + len(panels)*(plotPanel+plotGap)
	bottom := plotTop + plotRow*len(b.Miners)
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,'DejaVu Sans',sans-serif" font-size="13" fill="#222">`+"\n", wide, bottom+40)
	s.WriteString(`<rect width="100%" height="100%" rx="6" fill="#fff"/>` + "\n")
	label(&s, plotMargin, 28, `font-size="16" font-weight="600"`, fmt.Sprintf("The miners of subnet %d, as a customer sees them", b.Netuid))
	for i, m := range b.Miners {
		y := plotTop + plotRow*i
		if i%2 == 0 {
			fmt.Fprintf(&s, `<rect x="%d" y="%d" width="%d" height="%d" fill="#f5f6f8"/>`+"\n", plotMargin, y, wide-2*plotMargin, plotRow)
		}
		label(&s, plotMargin+8, float64(y)+20, "", fmt.Sprintf("%d %s%s", m.UID, name(m.Hotkey), m.mark()))
	}
	for i, p := range panels {
		left := float64(plotMargin + plotLabel + i*(plotPanel+plotGap))
		label(&s, left, plotTop-26, `font-weight="600" fill="`+p.colour+`"`, p.title)
		label(&s, left, plotTop-10, `font-size="11" fill="#666"`, p.note)
		most := 0.0
		for _, m := range b.Miners {
			most = max(most, p.of(m))
		}
		for j, m := range b.Miners {
			y, v := float64(plotTop+plotRow*j), p.of(m)
			if v <= 0 || most <= 0 {
				label(&s, left, y+20, `fill="#999"`, "–")
				continue
			}
			width := plotPanel * v / most
			fmt.Fprintf(&s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2" fill="%s"/>`+"\n", left, y+7, width, plotRow-14, p.colour)
			label(&s, left+width+6, y+20, `font-size="12"`, p.text(v))
		}
	}
	label(&s, plotMargin+8, float64(bottom)+24, `font-size="11" fill="#666"`, fmt.Sprintf("%d requests of each, %d at once, at most %d tokens", b.Requests, b.Concurrency, b.MaxTokens))
	s.WriteString("</svg>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

// mark is what a miner's label says of its answers.
func (m BenchMiner) mark() string {
	switch {
	case m.Out != "":
		return " (not asked)"
	case m.Answered == 0:
		return " (fails)"
	case m.Fidelity != nil && !m.Fidelity.Pass:
		return " (another model)"
	}
	return ""
}

// plainNumber has about three digits.
func plainNumber(v float64) string {
	if v <= 0 {
		return "0"
	}
	text := fmt.Sprintf("%.*f", min(9, max(0, 2-int(math.Floor(math.Log10(v))))), v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func label(b *strings.Builder, x, y float64, attributes, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(s))
}
