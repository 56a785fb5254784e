package types

import (
	"google.golang.org/grpc/codes"

	"cosmossdk.io/errors"
)

// Errors that callers branch on.
var (
	ErrAmount          = errors.Register(ModuleName, 2, "invalid amount")
	ErrNotOwn          = errors.Register(ModuleName, 3, "not the hotkey's coldkey")
	ErrNoCollateral    = errors.Register(ModuleName, 4, "not enough collateral")
	ErrTooMany         = errors.Register(ModuleName, 5, "too many unbondings")
	ErrNoPermit        = errors.Register(ModuleName, 6, "no validator permit")
	ErrAccused         = errors.Register(ModuleName, 7, "can't be accused")
	ErrShare           = errors.Register(ModuleName, 8, "invalid share")
	ErrEvidence        = errors.Register(ModuleName, 9, "invalid evidence or answer")
	ErrClaimOpen       = errors.Register(ModuleName, 10, "a claim is open already")
	ErrTooSoon         = errors.Register(ModuleName, 11, "too soon")
	ErrNoVoters        = errors.Register(ModuleName, 12, "nobody could confirm")
	ErrNoClaim         = errors.RegisterWithGRPCCode(ModuleName, 13, codes.NotFound, "no such open claim")
	ErrTooLate         = errors.Register(ModuleName, 14, "too late")
	ErrNotVoter        = errors.Register(ModuleName, 15, "no part of the claim's active stake")
	ErrConfirmed       = errors.Register(ModuleName, 16, "confirmed already")
	ErrNotAccused      = errors.Register(ModuleName, 17, "not the accused")
	ErrInvalidParams   = errors.Register(ModuleName, 18, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 19, "invalid genesis")
	ErrInvariantBroken = errors.Register(ModuleName, 20, "invariant broken")
)
