package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestABadPoolIsNotCreated(t *testing.T) {
	e := newEnv(t)
	for name, c := range map[string]struct {
		netuid     uint32
		payer      string
		tao, alpha uint64
		want       error
	}{
		"a taken netuid":        {1, "founder", whole, whole, types.ErrNetuidTaken},
		"netuid 0":              {0, "founder", whole, whole, types.ErrNoSubnet},
		"too little TAO":        {9, "founder", 999_999, whole, types.ErrReserve},
		"too little alpha":      {9, "founder", whole, 999_999, types.ErrReserve},
		"more alpha than there": {9, "founder", whole, types.AlphaCap + 1, types.ErrAccounts},
		"a payer without coins": {9, "nobody", whole, whole, sdkerrors.ErrInsufficientFunds},
	} {
		t.Run(name, func(t *testing.T) {
			err := e.do(func(ctx context.Context) error {
				_, err := e.k.CreatePool(ctx, c.netuid, addr(c.payer), c.tao, c.alpha)
				return err
			})
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestAnUnknownSubnetIsAnsweredWithThoseThatThereAre(t *testing.T) {
	e := newEnv(t)
	_, err := e.k.PoolByNetuid(e.ctx, 7)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	require.ErrorContains(t, err, "the subnets are 1–3")
	e.pool(5, whole, whole, false)
	_, err = e.k.PoolByNetuid(e.ctx, 7)
	require.ErrorContains(t, err, "the subnets are 1–3, 5")
	_, err = e.k.Pool(e.ctx, 77)
	require.ErrorIs(t, err, types.ErrNoSubnet)
}

func TestTradingStartsOnceAndForGood(t *testing.T) {
	e := newEnv(t)
	require.False(t, e.at(3).Trading)
	for range 2 {
		require.NoError(t, e.k.StartTrading(e.ctx, e.at(3).SubnetId))
		require.True(t, e.at(3).Trading)
	}
	require.ErrorIs(t, e.k.StartTrading(e.ctx, 99), types.ErrNoSubnet)
	empty := bareEnv(t)
	require.NoError(t, empty.k.InitGenesis(empty.ctx, *types.DefaultGenesis()))
	_, err := empty.k.PoolByNetuid(empty.ctx, 1)
	require.ErrorContains(t, err, "there is no subnet yet")
}
