package types

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/alpha/pool"
)

// Account is one of the places where a pool's alpha is, as events name it.
type Account string

// Accounts of a pool's alpha. Issuance is where it is minted from and recycled
// to: what has left it is alpha_issued, the sum of all others.
const (
	Issuance Account = "issuance"
	Reserve  Account = "reserve"
	Staked   Account = "staked"
	Protocol Account = "protocol"
	Pending  Account = "pending"
	Burned   Account = "burned"
)

// Reserves are what the pool trades with.
func (p Pool) Reserves() pool.Reserves {
	return pool.Reserves{Tao: p.TaoReserve, Alpha: p.AlphaReserve}
}

// Price is TAO per alpha.
func (p Pool) Price() fixed.Q64 { return p.Reserves().Price() }

// MoveAlpha moves alpha between accounts. It is the only way in which they
// change, so alpha_issued stays the sum of the others. On an error nothing moved.
func (p *Pool) MoveAlpha(from, to Account, alpha uint64) error {
	f, t := p.account(from), p.account(to)
	switch {
	case from == to, f == nil && from != Issuance, t == nil && to != Issuance:
		return ErrAccounts.Wrapf("alpha can't move from %q to %q", from, to)
	case f != nil && *f < alpha:
		return ErrAccounts.Wrapf("subnet %d has %d units of %s alpha, and %d are to go to %s", p.Netuid, *f, from, alpha, to)
	case f == nil && (p.AlphaIssued > AlphaCap || alpha > AlphaCap-p.AlphaIssued):
		return ErrAccounts.Wrapf("subnet %d has issued %d units of alpha, %d more are past its cap of %d", p.Netuid, p.AlphaIssued, alpha, uint64(AlphaCap))
	}
	if f != nil {
		*f -= alpha
	} else {
		p.AlphaIssued += alpha
	}
	if t != nil {
		*t += alpha // at most alpha_issued
	} else {
		p.AlphaIssued -= alpha // at least what from held
	}
	return nil
}

func (p *Pool) account(a Account) *uint64 {
	switch a {
	case Reserve:
		return &p.AlphaReserve
	case Staked:
		return &p.AlphaStaked
	case Protocol:
		return &p.AlphaProtocol
	case Pending:
		return &p.AlphaPending
	case Burned:
		return &p.AlphaBurned
	}
	return nil
}

func (p *Pool) held(a Account) uint64 {
	if f := p.account(a); f != nil {
		return *f
	}
	return 0
}

// Validate checks that the pool can be: reserves to trade with, and every issued
// unit of alpha in one place.
func (p Pool) Validate() error {
	sum, over := uint64(0), uint64(0)
	for _, a := range []Account{Reserve, Staked, Protocol, Pending, Burned} {
		var carry uint64
		sum, carry = bits.Add64(sum, p.held(a), 0)
		over += carry
	}
	switch {
	case over > 0 || sum != p.AlphaIssued:
		return ErrInvariantBroken.Wrapf("subnet id %d has issued %d units of alpha, and %d (+ %d·2^64) are held", p.SubnetId, p.AlphaIssued, sum, over)
	case p.AlphaIssued > AlphaCap:
		return ErrInvariantBroken.Wrapf("subnet id %d has issued %d units of alpha, its cap is %d", p.SubnetId, p.AlphaIssued, uint64(AlphaCap))
	case p.TaoReserve == 0 || p.AlphaReserve == 0:
		return ErrInvariantBroken.Wrapf("subnet id %d has reserves of %d rao and %d alpha units: neither may be empty", p.SubnetId, p.TaoReserve, p.AlphaReserve)
	}
	return nil
}
