package types

import (
	"context"

	"cosmossdk.io/core/address"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// StakingKeeper is what x/seed needs of the chain's validators: whose a consensus
// address is.
type StakingKeeper interface {
	ValidatorAddressCodec() address.Codec
	GetValidatorByConsAddr(ctx context.Context, addr sdk.ConsAddress) (stakingtypes.Validator, error)
	// GetRotationLockedConsAddr knows the consensus addresses of a rotation: the one
	// that a validator changes to, and those that it had.
	GetRotationLockedConsAddr(ctx context.Context, addr sdk.ConsAddress) (kind stakingtypes.ConsAddrLockType, operator sdk.ValAddress, found bool, err error)
}
