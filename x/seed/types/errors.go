package types

import (
	"google.golang.org/grpc/codes"

	"cosmossdk.io/errors"
)

// Errors that callers branch on.
var (
	ErrInvalidKey      = errors.Register(ModuleName, 2, "invalid VRF key")
	ErrInvalidProof    = errors.Register(ModuleName, 3, "invalid VRF proof")
	ErrKeyTaken        = errors.Register(ModuleName, 4, "VRF key registered already")
	ErrPending         = errors.Register(ModuleName, 5, "a VRF key waits already")
	ErrNoKey           = errors.RegisterWithGRPCCode(ModuleName, 6, codes.NotFound, "no VRF key")
	ErrNoSeed          = errors.RegisterWithGRPCCode(ModuleName, 7, codes.NotFound, "no such seed")
	ErrInvalidParams   = errors.Register(ModuleName, 8, "invalid parameters")
	ErrInvalidGenesis  = errors.Register(ModuleName, 9, "invalid genesis")
	ErrInvariantBroken = errors.Register(ModuleName, 10, "invariant broken")
)
