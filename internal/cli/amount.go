package cli

import (
	"strconv"
	"strings"

	"github.com/lodenet/lode/client"
)

// parseTAO reads an amount of TAO above zero, in rao; what names it in errors.
func parseTAO(s, what string) (uint64, error) { return positive(client.ParseTAO, s, what) }

// parseAlpha reads an amount of alpha above zero, in its units.
func parseAlpha(s, what string) (uint64, error) { return positive(client.ParseAlpha, s, what) }

func positive(parse func(string) (uint64, error), s, what string) (uint64, error) {
	units, err := parse(s)
	if err != nil {
		return 0, fail("bad_amount", "write it like 12 or 0.5, with at most 9 decimals", "%s: %w", what, err)
	}
	if units == 0 {
		return 0, fail("bad_amount", "give more than 0", "%s: amount %q is nothing", what, s)
	}
	return units, nil
}

// parseNetuid reads a subnet's slot.
func parseNetuid(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fail("bad_netuid", "`lode subnet list` shows them", "%q is no netuid: 1 to 65,535", s)
	}
	return uint32(n), nil
}

// parsePercent reads "5", "5%" or "0.5%", as a fraction of one; most is in percent.
func parsePercent(s, what string, most float64) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n >= 0 && n <= most) {
		return 0, fail("bad_percent", "write it like 5%", "%s: %q is no percentage from 0 to %v", what, s, most)
	}
	return n / 100, nil
}
