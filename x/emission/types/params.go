package types

import (
	"time"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

const (
	million  = 1_000_000         // denominator of security_share and owner_cut
	trillion = 1_000_000_000_000 // denominator of moving_price_base

	tao = 1_000_000_000 // rao

	// maxCap is also x/alpha's cap of each subnet's alpha.
	maxCap = alphatypes.AlphaCap
	// maxBlockTime is an hour, in milliseconds.
	maxBlockTime = 3_600_000
	// maxHalfTime, in blocks, is far beyond any chain's life.
	maxHalfTime = 1 << 40
)

// DefaultParams are the mainnet profile's: blocks of 3 s, 7,200 TAO a day before
// the first halving. The moving price is the reference's (0.000003 and 28 days at
// 12 s blocks), scaled by the block time.
func DefaultParams() Params {
	const blockTime, perDay = 3, 24 * 3600 / 3
	return Params{
		Cap:                 maxCap,
		InitialReward:       7_200 * tao / perDay,
		SecurityShare:       100_000,
		TargetBlockTime:     blockTime * 1_000,
		OwnerCut:            180_000,
		MovingPriceBase:     3_000_000 * blockTime / 12,
		MovingPriceHalfTime: 201_600 * 12 / blockTime,
	}
}

// LocalParams are the local profile's: blocks of 1 s, 1 TAO a block, a moving
// price that is a third of the way to the price after a minute and nearly there
// after three.
func LocalParams() Params {
	p := DefaultParams()
	p.InitialReward = 1 * tao
	p.TargetBlockTime = 1_000
	p.MovingPriceBase = trillion / 50
	p.MovingPriceHalfTime = 60
	return p
}

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.Cap < 1 || p.Cap > maxCap:
		return ErrInvalidParams.Wrapf("cap is %d rao, must be 1 to %d", p.Cap, uint64(maxCap))
	case p.InitialReward > p.Cap:
		return ErrInvalidParams.Wrapf("initial_reward is %d rao a block, must be at most the cap %d", p.InitialReward, p.Cap)
	case p.SecurityShare > million:
		return ErrInvalidParams.Wrapf("security_share is %d per million, must be at most %d", p.SecurityShare, million)
	case p.TargetBlockTime < 1 || p.TargetBlockTime > maxBlockTime:
		return ErrInvalidParams.Wrapf("target_block_time is %d ms, must be 1 to %d", p.TargetBlockTime, maxBlockTime)
	case p.OwnerCut > million:
		return ErrInvalidParams.Wrapf("owner_cut is %d per million, must be at most %d", p.OwnerCut, million)
	case p.MovingPriceBase > trillion:
		return ErrInvalidParams.Wrapf("moving_price_base is %d per 10^12, must be at most %d", p.MovingPriceBase, uint64(trillion))
	case p.MovingPriceHalfTime > maxHalfTime:
		return ErrInvalidParams.Wrapf("moving_price_half_time is %d blocks, must be at most %d", p.MovingPriceHalfTime, uint64(maxHalfTime))
	}
	return nil
}

// BlockTime is the target between two blocks.
func (p Params) BlockTime() time.Duration {
	return time.Duration(p.TargetBlockTime) * time.Millisecond
}
