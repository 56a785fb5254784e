package pool

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// Errors of share pools.
var (
	ErrRounding = errors.New("rounding would take more than a millionth of it")
	ErrOverflow = errors.New("more than 64 bits hold")
)

// sharesPerUnit is what the first deposit of an empty pool mints for a unit of
// alpha. Later deposits mint at most as many: a share only gets dearer.
var sharesPerUnit = big.NewInt(1_000_000_000_000_000_000)

// SharePool is alpha that belongs to whoever holds its shares, in proportion.
// Either both are zero or neither is.
type SharePool struct {
	Alpha  uint64
	Shares *big.Int // nil is 0
}

// Empty tells whether nobody holds a share.
func (p SharePool) Empty() bool { return p.Shares == nil || p.Shares.Sign() == 0 }

// Value is what shares are worth, rounded down.
func (p SharePool) Value(shares *big.Int) uint64 {
	if p.Empty() || shares.Sign() <= 0 {
		return 0
	}
	v := new(big.Int).Mul(shares, unsigned(p.Alpha))
	return v.Quo(v, p.Shares).Uint64() // at most Alpha: nobody holds more than all shares
}

// Deposit adds alpha for new shares, rounded down. It is refused where these
// would be worth less than 99.9999 % of alpha, or where there would be none.
func (p SharePool) Deposit(alpha uint64) (after SharePool, minted *big.Int, err error) {
	after.Alpha, err = plus(p.Alpha, alpha)
	if err != nil {
		return p, nil, err
	}
	if alpha == 0 {
		return p, nil, fmt.Errorf("%w: a deposit of nothing", ErrRounding)
	}
	if p.Empty() {
		minted = new(big.Int).Mul(unsigned(alpha), sharesPerUnit)
		after.Shares = minted
		return after, new(big.Int).Set(minted), nil
	}
	minted = new(big.Int).Mul(unsigned(alpha), p.Shares)
	minted.Quo(minted, unsigned(p.Alpha))
	after.Shares = new(big.Int).Add(p.Shares, minted)
	// worth = minted·Alpha/Shares ≥ 0.999999·alpha, without dividing
	worth := new(big.Int).Mul(minted, unsigned(after.Alpha))
	if !millionthKept(worth, new(big.Int).Mul(after.Shares, unsigned(alpha))) {
		return p, nil, fmt.Errorf("%w: %d alpha units would mint %s shares, and each is worth %s units: deposit more",
			ErrRounding, alpha, minted, p.shareWorth())
	}
	return after, minted, nil
}

// Reward adds alpha without new shares. The pool must not be empty: nobody would
// own what was added.
func (p SharePool) Reward(alpha uint64) (SharePool, error) {
	if p.Empty() {
		return p, errors.New("a reward to a pool without shares")
	}
	sum, err := plus(p.Alpha, alpha)
	if err != nil {
		return p, err
	}
	return SharePool{Alpha: sum, Shares: p.Shares}, nil
}

// Redeem takes alpha out for as few of the held shares as cover it, rounded up.
// Asked for the shares' value or more it redeems them all. Part of them is
// refused where rounding would cost the holder more than a millionth of it.
func (p SharePool) Redeem(held *big.Int, alpha uint64) (after SharePool, redeemed *big.Int, paid uint64, err error) {
	if alpha >= p.Value(held) {
		after, paid = p.redeemAll(held)
		return after, new(big.Int).Set(held), paid, nil
	}
	// alpha is below held·Alpha/Shares, so redeemed is at most held.
	redeemed, r := new(big.Int).QuoRem(new(big.Int).Mul(unsigned(alpha), p.Shares), unsigned(p.Alpha), new(big.Int))
	if r.Sign() > 0 {
		redeemed.Add(redeemed, big.NewInt(1))
	}
	if redeemed.Cmp(held) == 0 {
		return p, nil, 0, fmt.Errorf("%w: %d alpha units take all of the stake's %s shares, worth %d: take all of it",
			ErrRounding, alpha, held, p.Value(held))
	}
	got := new(big.Int).Mul(unsigned(alpha), p.Shares)
	if !millionthKept(got, new(big.Int).Mul(redeemed, unsigned(p.Alpha))) {
		return p, nil, 0, fmt.Errorf("%w: a share is worth %s alpha units, so %d can't be taken: take more, or all of it",
			ErrRounding, p.shareWorth(), alpha)
	}
	return SharePool{Alpha: p.Alpha - alpha, Shares: new(big.Int).Sub(p.Shares, redeemed)}, redeemed, alpha, nil
}

func (p SharePool) redeemAll(held *big.Int) (SharePool, uint64) {
	paid := p.Value(held)
	return SharePool{Alpha: p.Alpha - paid, Shares: new(big.Int).Sub(p.Shares, held)}, paid
}

// Spare is how much Redeem may take of held shares so that the rest is worth at
// least keep. It may be a little less than their value less keep, since shares
// are redeemed rounded up; it is never more.
func (p SharePool) Spare(held *big.Int, keep uint64) uint64 {
	value := p.Value(held)
	switch {
	case keep == 0:
		return value
	case keep >= value:
		return 0
	}
	if after, redeemed, _, err := p.Redeem(held, value-keep); err == nil && after.Value(new(big.Int).Sub(held, redeemed)) >= keep {
		return value - keep
	}
	// So many shares, rounded up, are worth keep now, and a share only gets dearer.
	kept, r := new(big.Int).QuoRem(new(big.Int).Mul(unsigned(keep), p.Shares), unsigned(p.Alpha), new(big.Int))
	if r.Sign() > 0 {
		kept.Add(kept, big.NewInt(1))
	}
	return p.Value(new(big.Int).Sub(held, kept))
}

// shareWorth is for messages: alpha units a share.
func (p SharePool) shareWorth() string {
	return new(big.Rat).SetFrac(unsigned(p.Alpha), p.Shares).FloatString(18)
}

// millionthKept tells whether part ≥ whole·(1 − 10^-6).
func millionthKept(part, whole *big.Int) bool {
	return new(big.Int).Mul(part, big.NewInt(million)).Cmp(new(big.Int).Mul(whole, big.NewInt(million-1))) >= 0
}

func plus(a, b uint64) (uint64, error) {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 0, fmt.Errorf("%w: %d and %d alpha units", ErrOverflow, a, b)
	}
	return sum, nil
}

func unsigned(u uint64) *big.Int { return new(big.Int).SetUint64(u) }
