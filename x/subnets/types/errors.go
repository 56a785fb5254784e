package types

import (
	"cosmossdk.io/errors"
	"google.golang.org/grpc/codes"
)

// Errors that callers branch on. Those with a gRPC code keep it on the way out of a
// query, where the rest of their identity is lost.
var (
	ErrNoSubnet              = errors.RegisterWithGRPCCode(ModuleName, 2, codes.NotFound, "no such subnet")
	ErrNotRegistered         = errors.RegisterWithGRPCCode(ModuleName, 3, codes.NotFound, "not registered")
	ErrNotOwner              = errors.Register(ModuleName, 4, "not the subnet's owner")
	ErrWrongColdkey          = errors.Register(ModuleName, 5, "not the hotkey's coldkey")
	ErrTooExpensive          = errors.Register(ModuleName, 6, "costs more than the limit")
	ErrFull                  = errors.Register(ModuleName, 7, "no slot is free")
	ErrTooSoon               = errors.Register(ModuleName, 8, "too soon")
	ErrNotStarted            = errors.Register(ModuleName, 9, "subnet has not started")
	ErrStarted               = errors.Register(ModuleName, 10, "subnet has started")
	ErrRegistrationClosed    = errors.Register(ModuleName, 11, "registration is closed")
	ErrRegistered            = errors.Register(ModuleName, 12, "already registered")
	ErrInvalidText           = errors.Register(ModuleName, 13, "invalid text")
	ErrInvalidEndpoint       = errors.Register(ModuleName, 14, "invalid endpoint")
	ErrNoHyperparameter      = errors.Register(ModuleName, 15, "no such hyperparameter")
	ErrInvalidHyperparameter = errors.Register(ModuleName, 16, "invalid hyperparameter")
	ErrFrozen                = errors.Register(ModuleName, 17, "too close to the epoch")
	ErrInvalidParams         = errors.Register(ModuleName, 18, "invalid parameters")
	ErrInvalidGenesis        = errors.Register(ModuleName, 19, "invalid genesis")
	ErrInvariantBroken       = errors.Register(ModuleName, 20, "invariant broken")
	ErrOwner                 = errors.Register(ModuleName, 21, "already the subnet's owner")
	ErrInvalidData           = errors.Register(ModuleName, 22, "invalid data")
	ErrNotPublished          = errors.RegisterWithGRPCCode(ModuleName, 23, codes.NotFound, "nothing published")
	ErrNotSealed             = errors.Register(ModuleName, 24, "nothing sealed")
	ErrWrongReveal           = errors.Register(ModuleName, 25, "not what was sealed")
	ErrChainOperator         = errors.Register(ModuleName, 26, "operates a chain validator")
	ErrInvalidSwap           = errors.Register(ModuleName, 27, "invalid swap of hotkeys")
)
