package cli

import (
	"fmt"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/lodenet/lode/localnet"
	"golang.org/x/term"
)

// liveTable redraws a network's state in place on a terminal.
type liveTable struct {
	out   *os.File
	lines int // drawn last time
}

// draw replaces what was drawn last. A terminal that is too low or too narrow shows the
// upper left part: what has scrolled away or wrapped could not be replaced. Errors are
// not looked at: a terminal that went away ends the program by its signal.
func (l *liveTable) draw(r localnet.Report, names map[string]string) {
	width, height, err := term.GetSize(int(l.out.Fd()))
	if err != nil || width <= 0 || height <= 1 {
		width, height = 80, 24
	}
	lines := strings.SplitAfter(networkTable(r, names, width), "\n")
	lines = lines[:min(len(lines)-1, height-1)] // the last is empty
	if l.lines > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\r\x1b[J", l.lines) // up, and clear to the end
	}
	_, _ = lipgloss.Fprint(l.out, strings.Join(lines, ""))
	l.lines = len(lines)
}

var (
	styleHead  = lipgloss.NewStyle().Bold(true).Padding(0, 1)
	styleCell  = lipgloss.NewStyle().Padding(0, 1)
	styleDim   = lipgloss.NewStyle().Faint(true)
	styleTitle = lipgloss.NewStyle().Bold(true)
	roleColor  = map[string]string{
		localnet.RoleOwner:     "5",
		localnet.RoleValidator: "4",
		localnet.RoleMiner:     "2",
	}
)

// fullWidth is how wide a terminal must be for all columns with keys' addresses.
const fullWidth = 136

// networkTable is the state of a network as text, each line ended. names gives
// hotkeys' names, where known. A width under [fullWidth] leaves out columns and
// addresses, and what is still too wide is cut off; 0 is any. The text has colours:
// [lipgloss.Fprint] leaves them out where they can't be shown.
func networkTable(r localnet.Report, names map[string]string, width int) string {
	narrow := width > 0 && width < fullWidth
	var b strings.Builder
	for _, s := range r.Subnets {
		fmt.Fprintf(&b, "%s  %s  %s\n",
			styleTitle.Render(fmt.Sprintf("subnet %d · %s", s.Netuid, s.Name)),
			fmt.Sprintf("1 alpha = %.6f TAO", s.Price),
			styleDim.Render(fmt.Sprintf("block %d · epoch %d · pool %s TAO", r.Height, s.Epochs, formatUnits(s.TaoReserveRao, 2))))
		t := table.New().Border(lipgloss.RoundedBorder()).BorderStyle(styleDim).
			BorderColumn(!narrow).BorderLeft(!narrow).BorderRight(!narrow).
			StyleFunc(func(row, col int) lipgloss.Style {
				head, st := styleHead, styleCell
				if narrow {
					head, st = head.PaddingLeft(0), st.PaddingLeft(0)
				}
				if row == table.HeaderRow {
					return head
				}
				if col == 0 {
					st = st.Foreground(lipgloss.Color(roleColor[s.Neurons[row].Role]))
				}
				if col == 1 || col >= 4 {
					st = st.Align(lipgloss.Right)
				}
				return st
			})
		if narrow {
			t.Headers("role", "uid", "hotkey", "strategy", "score", "share", "alpha", "TAO", "epoch")
		} else {
			t.Headers("role", "uid", "hotkey", "strategy", "score", "incentive", "dividends", "alpha staked", "worth TAO", "last epoch")
		}
		for _, n := range s.Neurons {
			worth := fmt.Sprintf("%.3f", float64(n.StakeAlpha)/1e9*s.Price)
			if narrow {
				t.Row(n.Role, fmt.Sprint(n.UID), shortKey(n.Hotkey, names), orDash(n.Strategy), scoreText(n.Score), fractionText(n.Incentive+n.Dividends),
					formatUnits(n.StakeAlpha, 2), worth, "+"+formatUnits(n.EmissionAlpha, 3))
				continue
			}
			t.Row(n.Role, fmt.Sprint(n.UID), displayKey(n.Hotkey, names), orDash(n.Strategy), scoreText(n.Score),
				fractionText(n.Incentive), fractionText(n.Dividends),
				formatUnits(n.StakeAlpha, 3), worth, "+"+formatUnits(n.EmissionAlpha, 3))
		}
		b.WriteString(t.String())
		b.WriteByte('\n')
	}
	if width > 0 {
		return lipgloss.NewStyle().MaxWidth(width).Render(strings.TrimSuffix(b.String(), "\n")) + "\n"
	}
	return b.String()
}

// shortKey is a hotkey's name, else its ends.
func shortKey(addr string, names map[string]string) string {
	if n := names[addr]; n != "" {
		return n
	}
	return displayKey(addr, nil)
}

// displayKey is a hotkey as a person likes it: its name, or its ends.
func displayKey(addr string, names map[string]string) string {
	short := addr
	if len(addr) > 16 {
		short = addr[:9] + "…" + addr[len(addr)-4:]
	}
	if n := names[addr]; n != "" {
		return n + " " + short
	}
	return short
}

func orDash(s *string) string {
	if s == nil {
		return "–"
	}
	return *s
}

func scoreText(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *f)
}

func fractionText(f float64) string {
	if f == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4f", f)
}

// formatUnits writes units of 10^-9 with the given number of decimals, cut off, never
// rounded up.
func formatUnits(units uint64, decimals int) string {
	frac := fmt.Sprintf("%09d", units%1e9)[:decimals]
	if decimals == 0 {
		return fmt.Sprint(units / 1e9)
	}
	return fmt.Sprintf("%d.%s", units/1e9, frac)
}

// epochLine is a network's epoch on one line, for output that is no terminal.
func epochLine(r localnet.Report, s localnet.SubnetReport, names map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "block %d  epoch %d  subnet %d  price %.6f", r.Height, s.Epochs, s.Netuid, s.Price)
	for _, n := range s.Neurons {
		name := names[n.Hotkey]
		if name == "" {
			name = fmt.Sprintf("uid %d", n.UID)
		}
		switch n.Role {
		case localnet.RoleMiner:
			fmt.Fprintf(&b, "  %s(%s) score %s incentive %.4f +%s", name, orDash(n.Strategy), scoreText(n.Score), n.Incentive, formatUnits(n.EmissionAlpha, 3))
		case localnet.RoleValidator:
			fmt.Fprintf(&b, "  %s dividends %.4f +%s", name, n.Dividends, formatUnits(n.EmissionAlpha, 3))
		}
	}
	return b.String()
}
