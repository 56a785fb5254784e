package cli

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode"

	"github.com/lodenet/lode/client"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// unitNames are a service's units as people say them, one and many.
var unitNames = map[markettypes.Unit][2]string{
	markettypes.UNIT_REQUEST:      {"request", "requests"},
	markettypes.UNIT_TOKEN:        {"token", "tokens"},
	markettypes.UNIT_GIB_MONTH:    {"GiB-month", "GiB-months"},
	markettypes.UNIT_VIDEO_MINUTE: {"video minute", "video minutes"},
	markettypes.UNIT_TASK:         {"task", "tasks"},
}

// unitName is a unit's name behind a number. A unit that this program does not know has
// the chain's word.
func unitName(u markettypes.Unit, one bool) string {
	names, ok := unitNames[u]
	switch {
	case !ok:
		return u.Word()
	case one:
		return names[0]
	}
	return names[1]
}

// unitsText is an amount of use for people. The chain counts parts of some units (see
// Unit.Count): what is not a whole number of units is shown in those.
func unitsText(parts uint64, u markettypes.Unit) string {
	name, of := u.Count()
	if parts%of != 0 {
		return grouped(parts) + " " + name
	}
	return grouped(parts/of) + " " + unitName(u, parts == of)
}

// priceForText is a price for people: "0.5 TAO for 1,000,000 tokens", "0.1 TAO a task".
func priceForText(rao, parts uint64, u markettypes.Unit) string {
	if _, of := u.Count(); parts == of {
		return client.FormatTAO(rao) + " TAO a " + unitName(u, true)
	}
	return client.FormatTAO(rao) + " TAO for " + unitsText(parts, u)
}

var plainNumber = regexp.MustCompile(`^\d{1,20}(\.\d{1,12})?$`)

// parseUnits reads an amount of use in a service's units, above zero: "1000000", "0.5".
// It returns the parts that the chain counts.
func parseUnits(s string, u markettypes.Unit, what string) (uint64, error) {
	name, of := u.Count()
	n, ok := new(big.Rat).SetString(strings.ReplaceAll(s, ",", ""))
	if !ok || !plainNumber.MatchString(strings.ReplaceAll(s, ",", "")) {
		return 0, fail("bad_amount", "write it like 1000000 or 0.5", "%s: %q is no number of %s", what, s, unitName(u, false))
	}
	n.Mul(n, new(big.Rat).SetInt(new(big.Int).SetUint64(of)))
	switch {
	case !n.IsInt():
		return 0, fail("bad_amount", "use is counted in whole ones", "%s: %s %s are no whole number of %s", what, s, unitName(u, false), name)
	case n.Sign() == 0 || !n.Num().IsUint64():
		return 0, fail("bad_amount", "give more than 0, and less than 2^64", "%s: %s %s can't be", what, s, unitName(u, false))
	}
	return n.Num().Uint64(), nil
}

// unitCount is an amount of a plan's units where the unit itself is not known.
func unitCount(n uint64) string {
	if n == 1 {
		return "1 unit"
	}
	return grouped(n) + " units"
}

// grouped writes a number with commas between its thousands.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plain is a text of a stranger's on one line of a terminal: space is one blank, and
// what does not print, or would turn the line around, is shown as its number.
func plain(s string) string { return printable(strings.Join(strings.Fields(s), " ")) }

// printable is a text with a stranger's in it, which has no means to do more than stand
// there.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "<%U>", r)
		}
	}
	return b.String()
}
