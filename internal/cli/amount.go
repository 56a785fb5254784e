package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lodenet/lode/client"
)

// parseTAO reads an amount of TAO above zero, in rao: "1.5", "1.5tao", or "1500rao".
// what names it in errors.
func parseTAO(s, what string) (uint64, error) { return positive(taoOrRao, s, what) }

func taoOrRao(s string) (uint64, error) {
	word := strings.ToLower(s)
	if number, ok := strings.CutSuffix(word, client.Denom); ok {
		rao, err := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
		if err != nil || rao > maxRao {
			return 0, fmt.Errorf("amount %q is no whole number of rao from 0 to %d", s, uint64(maxRao))
		}
		return rao, nil
	}
	if strings.HasSuffix(word, "tao") {
		s = strings.TrimSpace(s[:len(s)-len("tao")])
	}
	return client.ParseTAO(s)
}

// maxRao is the most rao that there can be.
const maxRao = 21_000_000 * client.RaoPerTAO

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
