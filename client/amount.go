package client

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// RaoPerTAO is how many rao a TAO has; an alpha has as many units.
const RaoPerTAO = 1_000_000_000

const (
	amountDigits = 9 // after the decimal point
	// maxCoins is the most TAO, and the most alpha of a subnet, that there can be.
	maxCoins = 21_000_000
)

// ParseTAO reads an amount such as "1.5" and returns rao. It refuses what is not a
// plain decimal number from 0 to 21,000,000 with at most 9 digits after the point:
// nothing is rounded.
func ParseTAO(s string) (rao uint64, err error) { return parseAmount(s, "TAO") }

// ParseAlpha reads an amount of alpha as [ParseTAO] does and returns units.
func ParseAlpha(s string) (units uint64, err error) { return parseAmount(s, "alpha") }

// FormatTAO writes rao as TAO, exactly: 1_500_000_000 is "1.5".
func FormatTAO(rao uint64) string {
	whole, part := rao/RaoPerTAO, rao%RaoPerTAO
	if part == 0 {
		return strconv.FormatUint(whole, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", whole, part), "0")
}

// FormatAlpha writes units as alpha, exactly.
func FormatAlpha(units uint64) string { return FormatTAO(units) }

func parseAmount(s, unit string) (uint64, error) {
	if strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("amount %q is negative: give 0 or more %s", s, unit)
	}
	whole, part, point := strings.Cut(s, ".")
	if !digits(whole) || point && !digits(part) {
		return 0, fmt.Errorf("amount %q is not a number of %s: write it like 12 or 0.5", s, unit)
	}
	if len(part) > amountDigits {
		return 0, fmt.Errorf("amount %q has %d digits after the point, the smallest unit of %s has %d", s, len(part), unit, amountDigits)
	}
	units, ok := new(big.Int).SetString(whole+part+strings.Repeat("0", amountDigits-len(part)), 10)
	if !ok || units.Cmp(big.NewInt(maxCoins*RaoPerTAO)) > 0 {
		return 0, fmt.Errorf("amount %q is more %s than there can ever be (21,000,000)", s, unit)
	}
	return units.Uint64(), nil
}

func digits(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, "0123456789") == ""
}
