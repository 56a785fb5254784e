package types

const (
	tao = 1_000_000_000 // rao

	// Million is the denominator of shares.
	Million = 1_000_000

	// MaxItems is the most that max_items can be: what a block has room for.
	MaxItems = 1_024
	// MaxServices and MaxPlans are the most that max_services and max_plans can be. A
	// neuron's services are withdrawn with it, in one step.
	MaxServices = 32
	MaxPlans    = 32
	// MaxDelay is the most seconds that a close delay or a plan's period can be: 10
	// years, so that no time runs over.
	MaxDelay = 10 * 365 * day

	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// DefaultParams are the mainnet profile's.
func DefaultParams() Params {
	return Params{
		MinDeposit:    tao / 1_000,
		MinCloseDelay: 15 * minute, MaxCloseDelay: 30 * day,
		MaxItems: 128, MaxServices: 8, MaxPlans: 8,
		MinPeriod: hour, MaxPeriod: 366 * day,
		MinProviderShare: 500_000, MaxOwnerShare: 100_000,
		SplitNotice:  28_800, // a day of blocks
		MaxBuy:       400,    // of a pool a block: it moves the price by less than two trades' fees
		DefaultSplit: RevenueSplit{Provider: 850_000, Burn: 100_000, Miners: 50_000},
		WorkPerBlock: 500,
	}
}

// LocalParams are the local profile's: short times, so that one sees them pass. Close
// delays begin with what x402 allows at least, 15 minutes, on both profiles' gateways;
// the chain takes less here.
func LocalParams() Params {
	p := DefaultParams()
	p.MinCloseDelay = 5
	p.MinPeriod = 10
	p.SplitNotice = 20
	return p
}

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.MinDeposit < 1 || p.MinDeposit > 1_000_000*tao:
		return ErrInvalidParams.Wrapf("min_deposit is %d rao, must be 1 to %d", p.MinDeposit, uint64(1_000_000*tao))
	case p.MinCloseDelay < 1 || p.MaxCloseDelay < p.MinCloseDelay || p.MaxCloseDelay > MaxDelay:
		return ErrInvalidParams.Wrapf("close delays of %d to %d seconds, must be 1 to %d", p.MinCloseDelay, p.MaxCloseDelay, MaxDelay)
	case p.MaxItems < 1 || p.MaxItems > MaxItems:
		return ErrInvalidParams.Wrapf("max_items is %d, must be 1 to %d", p.MaxItems, MaxItems)
	case p.MaxServices < 1 || p.MaxServices > MaxServices:
		return ErrInvalidParams.Wrapf("max_services is %d, must be 1 to %d", p.MaxServices, MaxServices)
	case p.MaxPlans < 1 || p.MaxPlans > MaxPlans:
		return ErrInvalidParams.Wrapf("max_plans is %d, must be 1 to %d", p.MaxPlans, MaxPlans)
	case p.MinPeriod < 1 || p.MaxPeriod < p.MinPeriod || p.MaxPeriod > MaxDelay:
		return ErrInvalidParams.Wrapf("periods of %d to %d seconds, must be 1 to %d", p.MinPeriod, p.MaxPeriod, MaxDelay)
	case p.MinProviderShare > Million || p.MaxOwnerShare > Million:
		return ErrInvalidParams.Wrapf("min_provider_share is %d and max_owner_share %d per million, must be at most %d", p.MinProviderShare, p.MaxOwnerShare, Million)
	case p.SplitNotice < 0 || p.SplitNotice > 1<<40:
		return ErrInvalidParams.Wrapf("split_notice is %d blocks, must be 0 to %d", p.SplitNotice, int64(1<<40))
	case p.MaxBuy < 1 || p.MaxBuy > Million:
		return ErrInvalidParams.Wrapf("max_buy is %d per million of a pool, must be 1 to %d", p.MaxBuy, Million)
	case p.WorkPerBlock < 1 || p.WorkPerBlock > 100_000:
		return ErrInvalidParams.Wrapf("work_per_block is %d channels, must be 1 to 100000", p.WorkPerBlock)
	}
	if err := p.CheckSplit(p.DefaultSplit); err != nil {
		return ErrInvalidParams.Wrapf("default_split: %s", err)
	}
	return nil
}

// CheckSplit checks that a split adds up and is within the bounds that owners have.
func (p Params) CheckSplit(s RevenueSplit) error {
	if err := s.Validate(); err != nil {
		return err
	}
	switch {
	case s.Provider < p.MinProviderShare:
		return ErrSplit.Wrapf("the provider's share is %d per million, must be at least %d (min_provider_share)", s.Provider, p.MinProviderShare)
	case s.Owner > p.MaxOwnerShare:
		return ErrSplit.Wrapf("the owner's share is %d per million, must be at most %d (max_owner_share)", s.Owner, p.MaxOwnerShare)
	}
	return nil
}
