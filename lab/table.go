package lab

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// bondsShown is how many bonds of a validator the table has room for.
const bondsShown = 8

// Table writes the result for people. Neurons that have nothing in an epoch are
// left out of it.
func (r *Result) Table(w io.Writer) error {
	if r.Name != "" {
		if _, err := fmt.Fprintf(w, "%s\n\n", r.Name); err != nil {
			return err
		}
	}
	for i := range r.Epochs {
		if err := r.Epochs[i].table(w); err != nil {
			return err
		}
	}
	return nil
}

func (e *Epoch) table(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "epoch %d%s\n", e.Epoch, e.remark()); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "uid\tconsensus\tincentive\tdividends\ttrust\tas miner\tas validator\tbonds\n")
	left := 0
	for uid := range e.Dividends {
		if e.idle(uid) {
			left++
			continue
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", uid,
			number(e.Consensus[uid]), number(e.Incentive[uid]), number(e.Dividends[uid]), number(e.ValidatorTrust[uid]),
			number(e.ServerEmission[uid]), number(e.ValidatorEmission[uid]), e.bonds(uid))
	}
	if err := t.Flush(); err != nil { // it keeps the first error of what is written to it
		return err
	}
	if left > 0 {
		if _, err := fmt.Fprintf(w, "%d more with nothing\n", left); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

func (e *Epoch) remark() string {
	switch e.Outcome {
	case "no_weights":
		return ": nobody's weights count, so the validators share their half by stake and the miners' half is burned"
	case "no_stake":
		return ": nobody has stake, so the pot is recycled"
	}
	return ""
}

func (e *Epoch) idle(uid int) bool {
	return e.Consensus[uid] == 0 && e.Incentive[uid] == 0 && e.Dividends[uid] == 0 && e.ValidatorTrust[uid] == 0 &&
		e.ServerEmission[uid] == 0 && e.ValidatorEmission[uid] == 0 && len(e.Bonds[uid]) == 0
}

func number(f float64) string {
	if f == 0 {
		return "·"
	}
	return fmt.Sprintf("%.4f", f)
}

func (e *Epoch) bonds(uid int) string {
	row := e.Bonds[uid]
	if len(row) == 0 {
		return "·"
	}
	var parts []string
	for _, b := range row[:min(len(row), bondsShown)] {
		parts = append(parts, fmt.Sprintf("%d: %.4f", b.UID, fractionOf(b)))
	}
	if more := len(row) - bondsShown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
