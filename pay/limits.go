package pay

import (
	"errors"
	"fmt"
	"time"

	"github.com/lodenet/lode/client"
)

// Limits are what a client may spend without asking anybody, in rao. A limit of 0 binds
// nothing, save the last three. What a plan's channel pays is bound by its quota instead.
type Limits struct {
	PerRequest  uint64 // most that one request may cost
	PerDay      uint64 // in all, in a day (UTC)
	PerProvider uint64 // to one provider, in a day
	// Deposit is what the client puts into a channel when it opens one, and each time
	// that it tops one up. With 0 it does neither by itself.
	Deposit uint64
	// MaxDeposit bounds what lies unspent in its channels to one service, as far as it
	// opens and tops up by itself; 0: ten times Deposit.
	MaxDeposit uint64
	// Ahead bounds what is signed on a channel beyond what is known to be charged; default
	// 16 times what the request may cost. Requests that would run further ahead wait.
	Ahead uint64
}

// ErrLimit is wrapped by every error of a limit.
var ErrLimit = errors.New("over the spending limit")

// LimitError says which limit a payment is over.
type LimitError struct {
	Limit  string // request, day, provider, deposit, stream; units: a stream's, of a plan
	Amount uint64 // rao, that the payment may cost; of units: those
	Spent  uint64 // before it
	Max    uint64
}

func (e *LimitError) Error() string {
	amount, spent, most := client.FormatTAO(e.Amount), client.FormatTAO(e.Spent), client.FormatTAO(e.Max)
	switch e.Limit {
	case "request":
		return fmt.Sprintf("%v: it may cost %s TAO, the limit for a request is %s", ErrLimit, amount, most)
	case "deposit":
		return fmt.Sprintf("%v: it needs a deposit of %s TAO, %s lie unspent with this service, and %s is the most that is deposited without asking; deposit it yourself", ErrLimit, amount, spent, most)
	case "stream":
		return fmt.Sprintf("%v: the stream asks for %s TAO more at once, at most %s are signed ahead", ErrLimit, amount, most)
	case "units":
		return fmt.Sprintf("%v: the stream asks for %d units more of the plan at once, at most %d are signed ahead", ErrLimit, e.Amount, e.Max)
	}
	return fmt.Sprintf("%v: it may cost %s TAO, %s are spent of the limit of %s for a %s", ErrLimit, amount, spent, most, e.Limit)
}

// Unwrap makes errors.Is find ErrLimit.
func (e *LimitError) Unwrap() error { return ErrLimit }

// limits are those that hold now.
func (c *Client) limits() (Limits, error) {
	if c.cfg.CurrentLimits == nil {
		return c.cfg.Limits, nil
	}
	l, err := c.cfg.CurrentLimits()
	if err != nil {
		return Limits{}, fmt.Errorf("%w, which can't be told: %w", ErrLimit, err)
	}
	return l, nil
}

// ahead is how far a channel may run ahead for a request of an amount.
func (l Limits) ahead(amount uint64) uint64 {
	if l.Ahead > 0 {
		return l.Ahead
	}
	return 16 * min(amount, 1<<59)
}

// spending is what was spent in a day.
type spending struct {
	day        string
	all        uint64
	byProvider map[string]uint64
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// turn begins a new day where one has begun.
func (s *spending) turn(now time.Time) {
	if day := dayOf(now); s.day != day {
		*s = spending{day: day, byProvider: map[string]uint64{}}
	}
}

// check says whether a payment stays within the limits. ceiling is what the request may
// cost in all, more what of it is not counted yet.
func (l Limits) check(s *spending, provider string, ceiling, more uint64) error {
	over := func(spent, limit uint64) bool {
		sum, ok := add(spent, more)
		return limit > 0 && (!ok || sum > limit)
	}
	switch {
	case l.PerRequest > 0 && ceiling > l.PerRequest:
		return &LimitError{"request", ceiling, 0, l.PerRequest}
	case over(s.all, l.PerDay):
		return &LimitError{"day", more, s.all, l.PerDay}
	case over(s.byProvider[provider], l.PerProvider):
		return &LimitError{"provider", more, s.byProvider[provider], l.PerProvider}
	}
	return nil
}

// count adds to what was spent, of a payment's day.
func (s *spending) count(p *Payment, more, less uint64) {
	if p.PlanID != 0 || dayOf(p.Time) != s.day {
		return
	}
	s.all = sub(s.all+more, less)
	s.byProvider[p.Provider] = sub(s.byProvider[p.Provider]+more, less)
}
