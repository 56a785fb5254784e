package types

import (
	"cosmossdk.io/errors"
	"google.golang.org/grpc/codes"
)

// Errors that callers branch on. Those with a gRPC code keep it on the way out of a
// query, where the rest of their identity is lost.
var (
	ErrNoSubnet        = errors.RegisterWithGRPCCode(ModuleName, 2, codes.NotFound, "no such subnet")
	ErrNetuidTaken     = errors.Register(ModuleName, 3, "netuid is taken")
	ErrNotStarted      = errors.Register(ModuleName, 4, "subnet has not started")
	ErrNotBound        = errors.RegisterWithGRPCCode(ModuleName, 5, codes.NotFound, "hotkey is not bound")
	ErrBound           = errors.Register(ModuleName, 6, "hotkey can't be bound")
	ErrNotOwner        = errors.Register(ModuleName, 7, "not the hotkey's coldkey")
	ErrInvalidAmount   = errors.Register(ModuleName, 8, "invalid amount")
	ErrLimitPrice      = errors.Register(ModuleName, 9, "limit price")
	ErrReserve         = errors.Register(ModuleName, 10, "not enough in the pool")
	ErrNoStake         = errors.Register(ModuleName, 11, "no such stake")
	ErrRounding        = errors.Register(ModuleName, 12, "lost to rounding")
	ErrTake            = errors.Register(ModuleName, 13, "invalid take")
	ErrTooSoon         = errors.Register(ModuleName, 14, "too soon")
	ErrAccounts        = errors.Register(ModuleName, 15, "alpha accounts")
	ErrInvalidRequest  = errors.Register(ModuleName, 16, "invalid request")
	ErrInvalidParams   = errors.Register(ModuleName, 17, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 18, "invalid genesis")
	ErrInvariantBroken = errors.Register(ModuleName, 19, "invariant broken")
	ErrChildren        = errors.Register(ModuleName, 20, "invalid children")
	ErrLocked          = errors.Register(ModuleName, 21, "stake is locked")
	ErrUsed            = errors.Register(ModuleName, 22, "hotkey is in use")
)
