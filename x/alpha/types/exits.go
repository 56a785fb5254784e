package types

import (
	"math/big"

	"cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Errors of the ways out: removed subnets and coldkey swaps.
var (
	ErrNothingToClaim = errors.Register(ModuleName, 40, "nothing to claim")
	ErrColdkeyLocked  = errors.Register(ModuleName, 41, "coldkey is locked by its announced swap")
	ErrColdkeySwap    = errors.Register(ModuleName, 42, "coldkey swap")
	ErrRecovery       = errors.Register(ModuleName, 43, "recovery key")
)

// ReasonRemoval is why stake ended that a removed subnet's holder had, and why the
// part of its pot that is nobody's was recycled.
const ReasonRemoval = "removal"

var _ sdk.HasValidateBasic = (*MsgClaim)(nil)

// ValidateBasic checks that there is a subnet.
func (m *MsgClaim) ValidateBasic() error {
	if m.SubnetId == 0 {
		return ErrInvalidRequest.Wrap("subnet_id is 0: give the removed subnet's permanent id, as the query Claims lists it")
	}
	return nil
}

// Outstanding are the rao of the pot that holders are still to be paid, or that
// rounding will leave.
func (r RetiredPool) Outstanding() uint64 { return r.Pot - r.Paid - r.Recycled }

// Validate checks that the record can be.
func (r RetiredPool) Validate() error {
	rest := new(big.Int).SetUint64(r.Pot)
	rest.Sub(rest, new(big.Int).SetUint64(r.Paid))
	rest.Sub(rest, new(big.Int).SetUint64(r.Recycled))
	switch {
	case rest.Sign() < 0:
		return ErrInvariantBroken.Wrapf("of the pot of subnet id %d, %d rao, %d were paid and %d recycled", r.SubnetId, r.Pot, r.Paid, r.Recycled)
	case r.Settled && rest.Sign() > 0:
		return ErrInvariantBroken.Wrapf("subnet id %d is settled, and %s rao of its pot are left", r.SubnetId, rest)
	case r.Total > AlphaCap || r.Staked > r.Total:
		return ErrInvariantBroken.Wrapf("subnet id %d was removed with %d alpha units, %d of them staked; the most is %d", r.SubnetId, r.Total, r.Staked, uint64(AlphaCap))
	case !r.Settled && r.Staked == 0:
		return ErrInvariantBroken.Wrapf("subnet id %d waits for its holders to be paid, and nothing was staked", r.SubnetId)
	}
	return nil
}

// validateRetired checks removed subnets; staked gets what their stake pools held.
func (g GenesisState) validateRetired(staked map[uint64]uint64) error {
	for _, r := range g.Retired {
		if _, twice := staked[r.SubnetId]; twice {
			return ErrInvalidGenesis.Wrapf("removed subnet id %d is live, or there twice", r.SubnetId)
		}
		if r.SubnetId == 0 || r.SubnetId >= g.NextSubnetId || r.Netuid == 0 {
			return ErrInvalidGenesis.Wrapf("removed subnet id %d, netuid %d: ids are 1 to below next_subnet_id %d, netuids from 1", r.SubnetId, r.Netuid, g.NextSubnetId)
		}
		if err := r.Validate(); err != nil {
			return ErrInvalidGenesis.Wrap(err.Error())
		}
		staked[r.SubnetId] = r.Staked
	}
	return nil
}

// removed are the removed subnets' pools by id. Their stake pools keep the shares of
// holders who were paid.
func (g GenesisState) removed() map[uint64]RetiredPool {
	m := make(map[uint64]RetiredPool, len(g.Retired))
	for _, r := range g.Retired {
		m[r.SubnetId] = r
	}
	return m
}

// validateColdkeys checks what is kept of coldkeys: swaps, recovery keys, bars.
func (g GenesisState) validateColdkeys() error {
	swaps, recoveries, bars := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range g.ColdkeySwaps {
		switch {
		case swaps[s.Coldkey]:
			return ErrInvalidGenesis.Wrapf("the swap of coldkey %s is there twice", s.Coldkey)
		case s.Coldkey == "" || s.NewColdkey == "" || s.Coldkey == s.NewColdkey:
			return ErrInvalidGenesis.Wrapf("the swap of coldkey %q for %q: must be two addresses", s.Coldkey, s.NewColdkey)
		case s.DueHeight < 0:
			return ErrInvalidGenesis.Wrapf("the swap of coldkey %s is due in block %d", s.Coldkey, s.DueHeight)
		}
		swaps[s.Coldkey] = true
	}
	for _, r := range g.Recoveries {
		switch {
		case recoveries[r.Coldkey]:
			return ErrInvalidGenesis.Wrapf("the recovery key of %s is there twice", r.Coldkey)
		case r.Coldkey == "" || r.Key == r.Coldkey || r.Next == r.Coldkey:
			return ErrInvalidGenesis.Wrapf("the recovery keys of coldkey %q are %q and %q: must be others", r.Coldkey, r.Key, r.Next)
		case r.DueHeight < 0 || r.DueHeight == 0 && (r.Next != "" || r.Key == ""):
			return ErrInvalidGenesis.Wrapf("the recovery key of %s is %q, and %q from block %d on: a key in force, or a change with its block", r.Coldkey, r.Key, r.Next, r.DueHeight)
		}
		recoveries[r.Coldkey] = true
	}
	for _, b := range g.DisputeBars {
		if b.Coldkey == "" || bars[b.Coldkey] {
			return ErrInvalidGenesis.Wrapf("the bar of coldkey %q is nobody's, or there twice", b.Coldkey)
		}
		bars[b.Coldkey] = true
	}
	return nil
}
