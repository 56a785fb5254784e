package types

import (
	"math"
	"math/bits"
	"strings"

	"github.com/lodenet/lode/x/emission/curve"
)

// Word is a unit in people's words: request, token, gib_month, video_minute, task.
func (u Unit) Word() string {
	return strings.ToLower(strings.TrimPrefix(u.String(), "UNIT_"))
}

// ParseUnit reads a unit's word.
func ParseUnit(word string) (Unit, error) {
	u := Unit(Unit_value["UNIT_"+strings.ToUpper(word)])
	if u == UNIT_UNSPECIFIED || u.Word() != word {
		return 0, ErrUnit.Wrapf("%q: there are request, token, gib_month, video_minute and task", cut(word))
	}
	return u, nil
}

// Left is what of a channel's deposit the provider has not claimed.
func (c Channel) Left() uint64 { return c.Deposit - c.Claimed }

// Closing tells whether the payer has asked to close.
func (c Channel) Closing() bool { return c.ClosingTime != 0 }

// PlanID is the plan that a channel pays; 0: it pays by use.
func (c Channel) PlanID() uint64 {
	if c.Subscription == nil {
		return 0
	}
	return c.Subscription.PlanId
}

// Owed is what of the period's price is past or used, whichever is more, rounded up:
// elapsed are seconds since the period's start.
func (s Subscription) Owed(elapsed int64) uint64 {
	past := uint64(min(max(elapsed, 0), s.Period))
	used := min(s.Used-s.UsedBefore, s.Quota)
	return max(curve.MulDivUp(s.Price, past, uint64(s.Period)), curve.MulDivUp(s.Price, used, s.Quota))
}

// Validate checks that the parts are all of it.
func (s RevenueSplit) Validate() error {
	if sum := uint64(s.Provider) + uint64(s.Burn) + uint64(s.Miners) + uint64(s.Owner); sum != Million {
		return ErrSplit.Wrapf("%d + %d + %d + %d per million are %d, must be %d", s.Provider, s.Burn, s.Miners, s.Owner, sum, Million)
	}
	return nil
}

// Parts are where an amount goes, in rao; they sum to it.
type Parts struct{ Provider, Burn, Miners, Owner uint64 }

// Divide divides an amount. Each part is rounded down, and the rest is the provider's.
func (s RevenueSplit) Divide(amount uint64) Parts {
	p := Parts{Burn: share(amount, s.Burn), Miners: share(amount, s.Miners), Owner: share(amount, s.Owner)}
	p.Provider = amount - p.Burn - p.Miners - p.Owner // the shares sum to at most a million
	return p
}

// At is the split in force in a block, where the parameters' default is that.
func (s SubnetSplit) At(height int64, byDefault RevenueSplit) RevenueSplit {
	switch {
	case s.Scheduled != nil && s.Scheduled.Height <= height:
		return s.Scheduled.Split
	case s.Split != nil:
		return *s.Split
	}
	return byDefault
}

// Pending is what of a subnet's revenue waits in the module's account. It is held in
// coins, so the sum fits.
func (r Revenue) Pending() uint64 { return r.PendingBurn + r.PendingMiners + r.PendingOwner }

// Add counts a claim of the provider's and its parts. Sums that would not fit stay at
// the most: the same coins can be paid round and round, and no payment may fail for it.
func (r *Revenue) Add(p Parts) {
	r.Claims = AddUpTo(r.Claims, 1)
	r.Total = AddUpTo(r.Total, p.Provider+p.Burn+p.Miners+p.Owner)
	r.Provider = AddUpTo(r.Provider, p.Provider)
	r.PendingBurn += p.Burn
	r.PendingMiners += p.Miners
	r.PendingOwner += p.Owner
}

// Parted is the sum of all parts, which is the total.
func (r Revenue) Parted() (sum uint64) {
	for _, part := range []uint64{r.Provider, r.Owner, r.BurnTao, r.MinersTao, r.PendingBurn, r.PendingMiners, r.PendingOwner} {
		sum = AddUpTo(sum, part)
	}
	return sum
}

// How much larger than at the last purchase a reserve may count: per 10^6 a block, and
// for how many blocks at most.
const (
	rise       = 100
	riseBlocks = 100
)

// Measure is the pool's TAO by which purchases of a block are measured. What a reserve
// has grown by since the last purchase counts little by little: else who buys for many
// times the pool, sees a purchase of a size to match, and sells, would lose less by fees
// than it gains.
func (r Revenue) Measure(reserve uint64, height int64) uint64 {
	blocks := min(max(height-r.ReserveHeight, 0), riseBlocks)
	return min(reserve, AddUpTo(r.Reserve, share(r.Reserve, uint32(blocks)*rise)))
}

// AddUpTo is a + b, or the most that 64 bits hold.
func AddUpTo(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// share is a part per million of an amount, rounded down.
func share(amount uint64, perMillion uint32) uint64 {
	return curve.MulDiv(amount, uint64(perMillion), Million)
}
