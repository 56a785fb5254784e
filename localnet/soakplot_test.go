package localnet_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
)

// writeSoak writes the samples as a table for programs and as a picture.
func writeSoak(t *testing.T, dir string, samples []sample) {
	t.Helper()
	var csv strings.Builder
	csv.WriteString("seconds,epochs,block")
	for _, g := range gauges {
		csv.WriteString("," + strings.TrimSuffix(g.name+"_"+g.unit, "_"))
	}
	csv.WriteByte('\n')
	for _, s := range samples {
		fmt.Fprintf(&csv, "%.0f,%d,%d", s.after.Seconds(), s.epochs, s.height)
		for _, v := range s.values {
			fmt.Fprintf(&csv, ",%.2f", v)
		}
		csv.WriteByte('\n')
	}
	for name, content := range map[string]string{"soak.csv": csv.String(), "soak.svg": plotSoak(samples)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Error(err)
			continue
		}
		t.Log("wrote " + path)
	}
}

// profile writes down what holds the heap, if somebody wants it.
func (s *soak) profile(sample int) {
	s.t.Helper()
	dir := os.Getenv("LODE_SOAK_OUT")
	if dir == "" {
		return
	}
	for _, name := range []string{"heap", "goroutine"} {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("soak-%s-%d.pprof", name, sample)))
		if err != nil {
			s.t.Error(err)
			return
		}
		if err := errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close()); err != nil {
			s.t.Error(err)
		}
	}
}

// plotSoak draws each gauge over the epochs, from zero: what grows is seen to.
func plotSoak(samples []sample) string {
	const width, height, left, gap, columns = 330.0, 130.0, 16.0, 62.0, 2
	rows := (len(gauges) + columns - 1) / columns
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="system-ui,'DejaVu Sans',sans-serif" font-size="12" fill="#222">`+"\n",
		2*left+columns*(width+gap), 60+float64(rows)*(height+gap))
	b.WriteString(`<rect width="100%" height="100%" rx="6" fill="#fff"/>` + "\n")
	last := samples[len(samples)-1]
	fmt.Fprintf(&b, `<text x="%.0f" y="26" font-size="15" font-weight="600">Soak: %d epochs, %d blocks; over epochs, from zero</text>`+"\n", left, last.epochs, last.height)
	for i, g := range gauges {
		x, y := left+float64(i%columns)*(width+gap), 66+float64(i/columns)*(height+gap)
		values, most := series(samples, i), 0.0
		for _, v := range values {
			most = max(most, v)
		}
		most = max(most*1.1, 1e-9)
		title := g.name
		if g.unit != "" {
			title += ", " + g.unit
		}
		if g.grows {
			title += " (grows with the blocks)"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-weight="600">%s</text>`+"\n", x, y-6, title)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.0f" height="%.0f" fill="#f5f6f8"/>`+"\n", x, y, width, height)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="10" fill="#666">%.0f</text>`+"\n", x+width+4, y+10, most)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="10" fill="#666">0</text>`+"\n", x+width+4, y+height)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="10" fill="#666" text-anchor="end">%d epochs</text>`+"\n", x+width, y+height+13, last.epochs)
		b.WriteString(`<polyline fill="none" stroke="#1d4ed8" stroke-width="1.5" points="`)
		for j, v := range values {
			fmt.Fprintf(&b, "%.1f,%.1f ", x+width*float64(samples[j].epochs)/float64(max(last.epochs, 1)), y+height-height*v/most)
		}
		b.WriteString(`"/>` + "\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}
