package types

import (
	"math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// MaxRow is the most entries that a row can have: the most neurons of a subnet.
const MaxRow = 4096

// MaxBatch is the most items of a batch: the most subnets.
const MaxBatch = 128

var (
	_ sdk.HasValidateBasic = (*MsgSetWeights)(nil)
	_ sdk.HasValidateBasic = (*MsgCommitWeights)(nil)
	_ sdk.HasValidateBasic = (*MsgRevealWeights)(nil)
	_ sdk.HasValidateBasic = (*MsgBatchSetWeights)(nil)
	_ sdk.HasValidateBasic = (*MsgBatchCommitWeights)(nil)
)

// ValidateBasic checks the form of the row; the subnet's rules need its state.
func (m *MsgSetWeights) ValidateBasic() error { return validRow(m.Uids, m.Values) }

// ValidateBasic checks the hash's size.
func (m *MsgCommitWeights) ValidateBasic() error {
	if len(m.Hash) != HashSize {
		return ErrInvalidCommit.Wrapf("the hash has %d bytes, must have %d (SHA-256)", len(m.Hash), HashSize)
	}
	return nil
}

// ValidateBasic checks the form of the row and the salt's size.
func (m *MsgRevealWeights) ValidateBasic() error {
	if len(m.Salt) != SaltSize {
		return ErrInvalidRow.Wrapf("the salt has %d bytes, must have %d", len(m.Salt), SaltSize)
	}
	return validRow(m.Uids, m.Values)
}

// ValidateBasic checks the batch as a whole; what is wrong with one item is that
// item's.
func (m *MsgBatchSetWeights) ValidateBasic() error {
	return validBatch(m.Weights, func(w SubnetWeights) uint32 { return w.Netuid })
}

// ValidateBasic checks the batch as a whole; what is wrong with one item is that
// item's.
func (m *MsgBatchCommitWeights) ValidateBasic() error {
	return validBatch(m.Commits, func(c SubnetCommit) uint32 { return c.Netuid })
}

// validBatch checks that a batch has 1 to MaxBatch items, for subnets that differ:
// of two for one subnet the limit would refuse the second anyway.
func validBatch[T any](items []T, netuid func(T) uint32) error {
	if len(items) == 0 || len(items) > MaxBatch {
		return ErrInvalidBatch.Wrapf("%d items, must be 1 to %d", len(items), MaxBatch)
	}
	seen := make(map[uint32]struct{}, len(items))
	for _, item := range items {
		n := netuid(item)
		if _, twice := seen[n]; twice {
			return ErrInvalidBatch.Wrapf("subnet %d is in the batch twice", n)
		}
		seen[n] = struct{}{}
	}
	return nil
}

// validRow checks what can be said of a row without its subnet: as many values
// as uids, all u16, no uid twice, and at least one value above zero.
func validRow(uids, values []uint32) error {
	switch {
	case len(uids) != len(values):
		return ErrInvalidRow.Wrapf("%d uids but %d values", len(uids), len(values))
	case len(uids) == 0:
		return ErrInvalidRow.Wrap("the row is empty: give at least one uid")
	case len(uids) > MaxRow:
		return ErrInvalidRow.Wrapf("%d entries, at most %d", len(uids), MaxRow)
	}
	seen := make(map[uint32]struct{}, len(uids))
	sum := uint64(0)
	for i, uid := range uids {
		if uid > math.MaxUint16 || values[i] > math.MaxUint16 {
			return ErrInvalidRow.Wrapf("entry %d is (uid %d, value %d): both must be at most %d", i, uid, values[i], math.MaxUint16)
		}
		if _, twice := seen[uid]; twice {
			return ErrInvalidRow.Wrapf("uid %d is in the row twice", uid)
		}
		seen[uid] = struct{}{}
		sum += uint64(values[i])
	}
	if sum == 0 {
		return ErrInvalidRow.Wrap("every value is zero: such a row judges nobody")
	}
	return nil
}
