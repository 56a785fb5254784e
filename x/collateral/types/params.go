package types

const (
	tao = 1_000_000_000 // rao

	// Million is the denominator of shares.
	Million = 1_000_000
	// HashSize is the bytes of an evidence's hash.
	HashSize = 32
	// MaxURL is the most that max_url can be, in bytes.
	MaxURL = 1_024
)

// DefaultParams are the mainnet profile's.
func DefaultParams() Params {
	return Params{ClaimDeposit: 10 * tao, MaxUnbondings: 16, MaxUrl: 256, FailedClaimTempos: 10, WorkPerBlock: 1_000}
}

// LocalParams are the local profile's: the same, for they hold no durations.
func LocalParams() Params { return DefaultParams() }

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.ClaimDeposit < 1 || p.ClaimDeposit > 1_000_000*tao:
		return ErrInvalidParams.Wrapf("claim_deposit is %d rao, must be 1 to %d", p.ClaimDeposit, uint64(1_000_000*tao))
	case p.MaxUnbondings < 1 || p.MaxUnbondings > 100:
		return ErrInvalidParams.Wrapf("max_unbondings is %d, must be 1 to 100", p.MaxUnbondings)
	case p.MaxUrl < 1 || p.MaxUrl > MaxURL:
		return ErrInvalidParams.Wrapf("max_url is %d bytes, must be 1 to %d", p.MaxUrl, MaxURL)
	case p.FailedClaimTempos > 10_000:
		return ErrInvalidParams.Wrapf("failed_claim_tempos is %d, must be at most 10000", p.FailedClaimTempos)
	case p.WorkPerBlock < 1 || p.WorkPerBlock > 100_000:
		return ErrInvalidParams.Wrapf("work_per_block is %d records, must be 1 to 100000", p.WorkPerBlock)
	}
	return nil
}
