package types

import (
	"google.golang.org/grpc/codes"

	"cosmossdk.io/errors"
)

// Errors that callers branch on.
var (
	ErrAmount          = errors.Register(ModuleName, 2, "invalid amount")
	ErrText            = errors.Register(ModuleName, 3, "invalid text")
	ErrEndpoint        = errors.Register(ModuleName, 4, "invalid endpoint")
	ErrUnit            = errors.Register(ModuleName, 5, "invalid unit")
	ErrNotYours        = errors.Register(ModuleName, 6, "not yours")
	ErrNoService       = errors.RegisterWithGRPCCode(ModuleName, 7, codes.NotFound, "no such service")
	ErrNotListed       = errors.Register(ModuleName, 8, "service is not listed")
	ErrTooMany         = errors.Register(ModuleName, 9, "too many")
	ErrNoPlan          = errors.RegisterWithGRPCCode(ModuleName, 10, codes.NotFound, "no such plan")
	ErrPlan            = errors.Register(ModuleName, 11, "invalid plan")
	ErrNoChannel       = errors.RegisterWithGRPCCode(ModuleName, 12, codes.NotFound, "no such open channel")
	ErrChannel         = errors.Register(ModuleName, 13, "invalid channel")
	ErrSessionKey      = errors.Register(ModuleName, 14, "invalid session key")
	ErrOpen            = errors.Register(ModuleName, 15, "channel is open already")
	ErrClosing         = errors.Register(ModuleName, 16, "channel is closing")
	ErrTooSoon         = errors.Register(ModuleName, 17, "too soon")
	ErrPrice           = errors.Register(ModuleName, 18, "price has changed")
	ErrSpender         = errors.Register(ModuleName, 19, "not the authorization's spender")
	ErrLimit           = errors.Register(ModuleName, 20, "spending limit")
	ErrSplit           = errors.Register(ModuleName, 21, "invalid split")
	ErrInvalidParams   = errors.Register(ModuleName, 22, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 23, "invalid genesis")
	ErrInvariantBroken = errors.Register(ModuleName, 24, "invariant broken")
)
