package cli

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// maxUnits is the cap of TAO and of every subnet's alpha, in units of 10^-9: no amount
// can be more.
const maxUnits = 21_000_000 * 1_000_000_000

// parseAmount reads an amount of TAO or alpha with at most 9 decimals, in units of
// 10^-9; what names it in errors. Zero is refused.
func parseAmount(s, what string) (uint64, error) {
	units, err := parseDecimal(s, what)
	if err != nil {
		return 0, err
	}
	if units == 0 {
		return 0, badAmount("give more than 0", "%s %q is nothing", what, s)
	}
	return units, nil
}

func badAmount(hint, format string, args ...any) error {
	return fail("bad_amount", hint, format, args...)
}

func parseDecimal(s, what string) (uint64, error) {
	whole, frac, point := strings.Cut(s, ".")
	switch {
	case s == "":
		return 0, badAmount("give one, for example 1.5", "%s is missing", what)
	case strings.HasPrefix(s, "-"):
		return 0, badAmount("give more than 0", "%s %q is negative", what, s)
	case strings.Contains(s, ","):
		return 0, badAmount("write 1000.5: a point for decimals, nothing between thousands", "%s %q has a comma", what, s)
	case whole == "" && frac == "" || point && frac == "" || !digits(whole) || !digits(frac):
		return 0, badAmount("write digits and at most one point, for example 1.5", "%s %q is no number", what, s)
	case len(frac) > 9:
		return 0, badAmount("use at most 9 decimals: the smallest amount is 0.000000001", "%s %q has %d decimals", what, s, len(frac))
	}
	tooMuch := badAmount(fmt.Sprintf("give at most %d: no more can exist", uint64(maxUnits/1e9)), "%s %s is too much", what, s)
	var units uint64
	if whole = strings.TrimLeft(whole, "0"); whole != "" {
		n, err := strconv.ParseUint(whole, 10, 64)
		if err != nil {
			return 0, tooMuch
		}
		hi, lo := bits.Mul64(n, 1e9)
		if hi != 0 || lo > maxUnits {
			return 0, tooMuch
		}
		units = lo
	}
	if frac != "" {
		n, err := strconv.ParseUint((frac + "000000000")[:9], 10, 64)
		if err != nil {
			return 0, tooMuch
		}
		units += n
	}
	if units > maxUnits {
		return 0, tooMuch
	}
	return units, nil
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// parseNetuid reads a subnet's slot.
func parseNetuid(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fail("bad_netuid", "`lode subnet list` shows them", "%q is no netuid: 1 to 65,535", s)
	}
	return uint16(n), nil
}

// parsePercent reads "5", "5%" or "0.5%", as a fraction of one; 0 to 100.
func parsePercent(s, what string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0, fail("bad_percent", "write for example 5%", "%s %q is no percentage from 0 to 100", what, s)
	}
	return n / 100, nil
}
