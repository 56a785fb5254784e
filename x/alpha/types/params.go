package types

// Bounds of the parameters.
const (
	maxTradeFee   = 100_000     // 10 %
	maxTakeRaise  = 365 * 86400 // a year in seconds; blocks are bounded by the same number
	maxMinReserve = 1_000_000_000_000
	maxDelay      = 365 * 86_400 / 3 // a year in blocks of 3 s
	maxFee        = 100_000_000_000  // 100 TAO
	day           = 86_400 / 3       // in blocks of 3 s
)

// DefaultParams are the mainnet profile's: protocol.md §5, blocks of 3 s.
func DefaultParams() Params {
	return Params{
		TradeFee:         500,       // 0.05 %
		MinTrade:         2_000_000, // 0.002 TAO
		MinReserve:       1_000_000,
		MaxTake:          180_000, // 18 %
		DefaultTake:      180_000,
		TakeRaiseBlocks:  30 * 86_400 / 3,
		TakeRaiseSeconds: 30 * 86_400,
		ChildrenCooldown: day,
		ColdkeySwapDelay: 5 * day,
		RecoveryDelay:    5 * day,
		DisputeBar:       30 * day,
		ChildrenFee:      10_000_000,  // 0.01 TAO
		ColdkeySwapFee:   100_000_000, // 0.1 TAO
	}
}

// LocalParams are the local profile's: a take can be raised again within two
// minutes, so that one sees the limit pass, and the delays are over in a minute or two.
func LocalParams() Params {
	p := DefaultParams()
	p.TakeRaiseBlocks, p.TakeRaiseSeconds = 120, 120
	p.ChildrenCooldown, p.ColdkeySwapDelay, p.RecoveryDelay, p.DisputeBar = 20, 60, 60, 120
	return p
}

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.TradeFee > maxTradeFee:
		return ErrInvalidParams.Wrapf("trade_fee is %d per million, must be at most %d", p.TradeFee, maxTradeFee)
	case p.MinTrade < 1 || p.MinTrade > 1_000_000_000:
		return ErrInvalidParams.Wrapf("min_trade is %d rao, must be 1 to 1000000000 (1 TAO)", p.MinTrade)
	case p.MinReserve < 1 || p.MinReserve > maxMinReserve:
		return ErrInvalidParams.Wrapf("min_reserve is %d units, must be 1 to %d", p.MinReserve, maxMinReserve)
	case p.MaxTake > Million:
		return ErrInvalidParams.Wrapf("max_take is %d per million, must be at most %d", p.MaxTake, Million)
	case p.DefaultTake > p.MaxTake:
		return ErrInvalidParams.Wrapf("default_take is %d per million, must be at most max_take, %d", p.DefaultTake, p.MaxTake)
	case p.TakeRaiseBlocks < 0 || p.TakeRaiseBlocks > maxTakeRaise:
		return ErrInvalidParams.Wrapf("take_raise_blocks is %d, must be 0 to %d", p.TakeRaiseBlocks, maxTakeRaise)
	case p.TakeRaiseSeconds < 0 || p.TakeRaiseSeconds > maxTakeRaise:
		return ErrInvalidParams.Wrapf("take_raise_seconds is %d, must be 0 to %d", p.TakeRaiseSeconds, maxTakeRaise)
	}
	for _, f := range []struct {
		name string
		rao  uint64
	}{{"children_fee", p.ChildrenFee}, {"coldkey_swap_fee", p.ColdkeySwapFee}} {
		if f.rao > maxFee {
			return ErrInvalidParams.Wrapf("%s is %d rao, must be at most %d (100 TAO)", f.name, f.rao, uint64(maxFee))
		}
	}
	for _, d := range []struct {
		name   string
		blocks int64
	}{
		{"children_cooldown", p.ChildrenCooldown},
		{"coldkey_swap_delay", p.ColdkeySwapDelay},
		{"recovery_delay", p.RecoveryDelay},
		{"dispute_bar", p.DisputeBar},
	} {
		if d.blocks < 1 || d.blocks > maxDelay {
			return ErrInvalidParams.Wrapf("%s is %d blocks, must be 1 to %d", d.name, d.blocks, int64(maxDelay))
		}
	}
	return nil
}
