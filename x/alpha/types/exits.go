package types

import "cosmossdk.io/errors"

// Errors of the ways out: removed subnets and coldkey swaps.
var (
	ErrNothingToClaim = errors.Register(ModuleName, 40, "nothing to claim")
	ErrColdkeyLocked  = errors.Register(ModuleName, 41, "coldkey is locked by its announced swap")
	ErrColdkeySwap    = errors.Register(ModuleName, 42, "coldkey swap")
	ErrRecovery       = errors.Register(ModuleName, 43, "recovery key")
)

// ReasonRemoval is why stake ended that a removed subnet's holder had, and why the
// part of its pot that is nobody's was recycled.
const ReasonRemoval = "removal"
