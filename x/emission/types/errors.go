package types

import "cosmossdk.io/errors"

// Errors that callers branch on.
var (
	ErrInvalidParams   = errors.Register(ModuleName, 2, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 3, "invalid genesis")
	ErrInvariantBroken = errors.Register(ModuleName, 4, "invariant broken")
	ErrAccounting      = errors.Register(ModuleName, 5, "the sums do not add up")
)
