package types

import "github.com/lodenet/lode/fixed"

// DefaultGenesis is a chain without subnets, of the mainnet profile, which counts
// what the bank holds as issued.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks what can be said without the bank and the pools: bounds, that
// no subnet is there twice, and that carried numerators are below their
// denominator.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	t := g.Totals
	switch {
	case t.Issued == 0 && (t != (Totals{}) || g.Uncounted > 0):
		return ErrInvalidGenesis.Wrapf("nothing is issued, but %d rao burned, %d recycled, %d paid for security: give issued, or leave all at zero to count the bank's supply",
			t.Burned+g.Uncounted, t.Recycled, t.Security)
	case t.Issued > g.Params.Cap || t.Burned > t.Issued || g.Uncounted > t.Issued-t.Burned:
		return ErrInvalidGenesis.Wrapf("%d rao issued and %d + %d of them burned, with a cap of %d", t.Issued, t.Burned, g.Uncounted, g.Params.Cap)
	case g.Clock.LastTime < 0:
		return ErrInvalidGenesis.Wrapf("the clock's last time is %d ms, must not be negative", g.Clock.LastTime)
	case g.TaoRemainder >= uint64(g.Params.TargetBlockTime):
		return ErrInvalidGenesis.Wrapf("tao_remainder is %d, must be below the target block time %d", g.TaoRemainder, g.Params.TargetBlockTime)
	}
	seen := make(map[uint64]bool, len(g.Subnets))
	for _, s := range g.Subnets {
		switch {
		case seen[s.SubnetId]:
			return ErrInvalidGenesis.Wrapf("subnet id %d is there twice", s.SubnetId)
		case s.Withheld > uint64(fixed.One):
			return ErrInvalidGenesis.Wrapf("subnet id %d withheld %s of its miners' emission, at most 1", s.SubnetId, fixed.Q32(s.Withheld))
		case s.MovingPrice.Cmp(fixed.OneQ64()) > 0:
			return ErrInvalidGenesis.Wrapf("subnet id %d has a moving price of %s, at most 1", s.SubnetId, s.MovingPrice)
		case s.AlphaRemainder >= uint64(g.Params.TargetBlockTime):
			return ErrInvalidGenesis.Wrapf("subnet id %d: alpha_remainder is %d, must be below the target block time %d", s.SubnetId, s.AlphaRemainder, g.Params.TargetBlockTime)
		}
		if _, ok := s.Pending(); !ok {
			return ErrInvalidGenesis.Wrapf("subnet id %d: its pending alpha exceeds 64 bits", s.SubnetId)
		}
		seen[s.SubnetId] = true
	}
	return nil
}

// Pending is all alpha that waits for the subnet's next epoch; ok is false where
// it does not fit 64 bits, which no chain under its cap comes near.
func (s SubnetEmission) Pending() (sum uint64, ok bool) {
	sum = s.PendingMiners
	for _, p := range []uint64{s.PendingValidators, s.PendingOwner, s.PendingRevenue} {
		if sum+p < sum {
			return 0, false
		}
		sum += p
	}
	return sum, true
}
