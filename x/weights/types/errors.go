package types

import "cosmossdk.io/errors"

// Errors that callers branch on.
var (
	ErrTooSoon         = errors.Register(ModuleName, 2, "too soon")
	ErrNoPermit        = errors.Register(ModuleName, 3, "no validator permit")
	ErrInvalidRow      = errors.Register(ModuleName, 4, "invalid weights")
	ErrVersion         = errors.Register(ModuleName, 5, "wrong weights version")
	ErrCommitReveal    = errors.Register(ModuleName, 6, "commit–reveal")
	ErrTooManyCommits  = errors.Register(ModuleName, 7, "too many open commits")
	ErrInvalidCommit   = errors.Register(ModuleName, 8, "invalid commit")
	ErrNoCommit        = errors.Register(ModuleName, 9, "no such commit")
	ErrRevealWindow    = errors.Register(ModuleName, 10, "not in the commit's reveal epoch")
	ErrNewerRow        = errors.Register(ModuleName, 11, "a newer row is in force")
	ErrNotStarted      = errors.Register(ModuleName, 12, "subnet has not started")
	ErrNotLane         = errors.Register(ModuleName, 13, "not a message of the free lane")
	ErrInvalidParams   = errors.Register(ModuleName, 14, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 15, "invalid genesis")
	ErrInvalidBatch    = errors.Register(ModuleName, 17, "invalid batch")
	ErrInvariantBroken = errors.Register(ModuleName, 16, "invariant broken")
)
