package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestOnlyGovernanceSetsParameters(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.TradeFee = 1_000
	refuse(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("alice"), Params: p}, sdkerrors.ErrUnauthorized, str("governance"))
	bad := p
	bad.DefaultTake = p.MaxTake + 1
	refuse(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: bad}, types.ErrInvalidParams, "default_take")
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	got, err := e.k.Params(e.ctx)
	require.NoError(t, err)
	require.Equal(t, p, got)
}
