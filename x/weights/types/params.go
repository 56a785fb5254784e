package types

import (
	"math"
	"math/bits"
)

const (
	million = 1_000_000     // the denominator of tao_weight
	unit    = 1_000_000_000 // of stake weight
)

// DefaultParams are the mainnet profile's.
func DefaultParams() Params {
	return Params{MaxOpenCommits: 10, MaxEpochsPerBlock: 4, TaoWeight: 180_000, MinLendingWeight: 100 * unit}
}

// LocalParams are the local profile's: stakes are smaller there.
func LocalParams() Params {
	p := DefaultParams()
	p.MinLendingWeight = unit
	return p
}

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.MaxOpenCommits < 1 || p.MaxOpenCommits > 1_000:
		return ErrInvalidParams.Wrapf("max_open_commits is %d, must be 1 to 1000", p.MaxOpenCommits)
	case p.MaxEpochsPerBlock < 1 || p.MaxEpochsPerBlock > 128:
		return ErrInvalidParams.Wrapf("max_epochs_per_block is %d, must be 1 to 128", p.MaxEpochsPerBlock)
	case p.TaoWeight > million:
		return ErrInvalidParams.Wrapf("tao_weight is %d per million, must be at most %d", p.TaoWeight, million)
	}
	return nil
}

// WeighRoot is root stake's part of a stake weight, tao_weight · root, in units
// of 10^-9. It saturates.
func (p Params) WeighRoot(root uint64) uint64 {
	hi, lo := bits.Mul64(root, uint64(p.TaoWeight))
	if hi >= million {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, million)
	return q
}
