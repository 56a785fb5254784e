package keeper

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/x/seed/types"
)

// Proposer is what a block's proposer is known by.
type Proposer struct {
	Consensus sdk.ConsAddress
	Operator  sdk.AccAddress // nil: no validator of this state
	Key       []byte         // the VRF key in force; nil: none
}

// proposer finds the key of who proposes a block, in the state of the block before.
//
// A rotation of the consensus key is followed. The engine lets the new key propose
// two blocks after the rotation was ordered, and staking changes its record at the
// end of that very block: the state that this block is judged by still has the old
// key, and knows the new one as the rotation's aim. The old key's address stays
// known for as long as it can be punished.
func (k Keeper) proposer(ctx context.Context, consensus sdk.ConsAddress, height int64) (Proposer, error) {
	p := Proposer{Consensus: consensus}
	v, err := k.staking.GetValidatorByConsAddr(ctx, consensus)
	switch {
	case err == nil:
		operator, err := k.staking.ValidatorAddressCodec().StringToBytes(v.OperatorAddress)
		if err != nil {
			return p, err
		}
		p.Operator = operator
	case errors.Is(err, stakingtypes.ErrNoValidatorFound):
		_, operator, found, err := k.staking.GetRotationLockedConsAddr(ctx, consensus)
		if err != nil || !found {
			return p, err
		}
		p.Operator = sdk.AccAddress(operator)
	default:
		return p, err
	}
	key, ok, err := k.VRFKey(ctx, p.Operator)
	if err != nil || !ok {
		return p, err
	}
	p.Key = key.At(height).Key
	return p, nil
}

// seedOf is a block's seed by what its proposer put into it; err is of the state
// alone. A block without a valid proof counts as empty; wrong says why it should
// not have been proposed.
func (k Keeper) seedOf(ctx context.Context, consensus sdk.ConsAddress, height int64, txs [][]byte) (s types.Seed, wrong error, err error) {
	p, err := k.proposer(ctx, consensus, height)
	if err != nil {
		return s, nil, err
	}
	s = types.Seed{Height: height, Proposer: consensus, Key: p.Key}
	if p.Operator != nil {
		if s.Operator, err = k.ac.BytesToString(p.Operator); err != nil {
			return s, nil, err
		}
	}
	if s.Previous, err = k.seed.Get(ctx); err != nil {
		return s, nil, err
	}
	wrong = s.Judge(sdk.UnwrapSDKContext(ctx).ChainID(), txs)
	return s, wrong, nil
}
