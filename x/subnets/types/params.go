package types

import "math"

const maxU64 = math.MaxUint64

// Blocks of the mainnet profile, 3 s each.
const day = 24 * 60 * 60 / 3

// DefaultParams are the mainnet profile's.
func DefaultParams() Params {
	return Params{
		MinLock:          1_000 * tao,
		LockInterval:     14 * day,
		LockMultiplier:   2,
		MaxSubnets:       128,
		StartDelay:       7 * day,
		CreationInterval: day,
		NetworkImmunity:  180 * day,
		RegisterBaseBurn: tao / 10,
		ServeRateLimit:   day / 144, // ten minutes
		MinNonImmune:     10,
		Hyperparameters:  MainnetRules(),

		PublishBytesPerTempo: 2_048,
		HotkeySwapFee:        tao / 10,
		SweepKeysPerBlock:    1_000,
	}
}

// LocalParams are the local profile's: delays that one sees pass, and no limit
// of creations.
func LocalParams() Params {
	p := DefaultParams()
	p.LockInterval = 600
	p.StartDelay = 0
	p.CreationInterval = 0
	p.NetworkImmunity = 600
	p.ServeRateLimit = 5
	p.Hyperparameters = LocalRules()
	return p
}

// maxBlocks bounds what is counted in blocks: far beyond any use, and no sum of
// two overflows.
const maxBlocks = math.MaxInt64 / 4

// maxSlots bounds max_subnets. Netuids are u16 where they are signed (protocol.md §8).
const maxSlots = 1_024

// minSweep is the least sweep_keys_per_block: some records' keys go together, up to
// seven, and something must go in every block.
const minSweep = 10

// Validate checks bounds.
func (p Params) Validate() error {
	for _, b := range []struct {
		name  string
		value int64
		min   int64
	}{
		{"lock_interval", p.LockInterval, 1},
		{"start_delay", p.StartDelay, 0},
		{"creation_interval", p.CreationInterval, 0},
		{"network_immunity", p.NetworkImmunity, 0},
		{"serve_rate_limit", p.ServeRateLimit, 0},
		{"min_non_immune", p.MinNonImmune, 0},
	} {
		if b.value < b.min || b.value > maxBlocks {
			return ErrInvalidParams.Wrapf("%s is %d, must be %d to %d", b.name, b.value, b.min, int64(maxBlocks))
		}
	}
	switch {
	case p.MinLock < tao/1_000 || p.MinLock > 1_000_000*tao:
		return ErrInvalidParams.Wrapf("min_lock is %d rao, must be %d to %d", p.MinLock, tao/1_000, uint64(1_000_000*tao))
	case p.LockMultiplier < 1 || p.LockMultiplier > 100:
		return ErrInvalidParams.Wrapf("lock_multiplier is %d, must be 1 to 100", p.LockMultiplier)
	case p.MaxSubnets < 1 || p.MaxSubnets > maxSlots:
		return ErrInvalidParams.Wrapf("max_subnets is %d, must be 1 to %d", p.MaxSubnets, maxSlots)
	case p.RegisterBaseBurn < 1 || p.RegisterBaseBurn > 1_000_000*tao:
		return ErrInvalidParams.Wrapf("register_base_burn is %d rao, must be 1 to %d", p.RegisterBaseBurn, uint64(1_000_000*tao))
	case p.PublishBytesPerTempo < MaxData || p.PublishBytesPerTempo > 1<<20:
		return ErrInvalidParams.Wrapf("publish_bytes_per_tempo is %d, must be %d (what one message may publish) to %d", p.PublishBytesPerTempo, MaxData, 1<<20)
	case p.HotkeySwapFee > 1_000_000*tao:
		return ErrInvalidParams.Wrapf("hotkey_swap_fee is %d rao, must be 0 to %d", p.HotkeySwapFee, uint64(1_000_000*tao))
	case p.SweepKeysPerBlock < minSweep || p.SweepKeysPerBlock > 1_000_000:
		return ErrInvalidParams.Wrapf("sweep_keys_per_block is %d, must be %d to 1000000", p.SweepKeysPerBlock, minSweep)
	}
	return validateRules(p.Hyperparameters)
}
