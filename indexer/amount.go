package indexer

import (
	"fmt"
	"math/big"
)

// An amount column holds the amount less 2^63, so that signed 64-bit numbers compare as
// the amounts do.

func put(a uint64) int64 { return int64(a ^ 1<<63) }

func got(stored int64) uint64 { return uint64(stored) ^ 1<<63 }

// stored scans an amount column.
type stored uint64

// Scan implements [sql.Scanner].
func (a *stored) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("an amount column holds a %T", v)
	}
	*a = stored(got(n))
	return nil
}

// sumOf is SQL for the sum of an amount column, as three columns that [total] puts
// together: neither half can overflow.
func sumOf(column string) string {
	return "COALESCE(SUM(" + column + " >> 32), 0), COALESCE(SUM(" + column + " & 4294967295), 0), COUNT(" + column + ")"
}

// total puts a sum together.
func total(high, low, count int64) *big.Int {
	s := new(big.Int).Lsh(big.NewInt(high), 32)
	s.Add(s, big.NewInt(low))
	return s.Add(s, new(big.Int).Lsh(big.NewInt(count), 63))
}

// totalAmount is total where it must fit; what is too much is the most there is.
func totalAmount(high, low, count int64) Amount {
	if s := total(high, low, count); s.IsUint64() {
		return Amount(s.Uint64())
	}
	return ^Amount(0)
}
