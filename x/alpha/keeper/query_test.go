package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/alpha/types"
)

func TestPoolsAreQueriedWithTheirPrice(t *testing.T) {
	e := newEnv(t)
	one, err := e.query.Pool(e.ctx, &types.QueryPoolRequest{Netuid: 2})
	require.NoError(t, err)
	require.Equal(t, "0.5", one.Pool.Price)
	require.Equal(t, int64(10), one.Height)
	all, err := e.query.Pools(e.ctx, &types.QueryPoolsRequest{})
	require.NoError(t, err)
	require.Len(t, all.Pools, 3)
	for i, p := range all.Pools {
		require.Equal(t, uint32(i+1), p.Pool.Netuid)
	}
	require.Equal(t, []bool{true, true, false}, []bool{all.Pools[0].Pool.Trading, all.Pools[1].Pool.Trading, all.Pools[2].Pool.Trading})
	_, err = e.query.Pool(e.ctx, &types.QueryPoolRequest{Netuid: 12})
	require.ErrorIs(t, err, types.ErrNoSubnet)
	params, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.DefaultParams(), params.Params)
}

func TestAColdkeysHotkeysAreItsOwnPageByPage(t *testing.T) {
	e := newEnv(t)
	want := map[string]bool{str("miner"): true}
	for i := range 5 {
		name := fmt.Sprintf("miner %d", i)
		e.bind("alice", name)
		want[str(name)] = true
	}
	got := map[string]bool{}
	page := &query.PageRequest{Limit: 4}
	for {
		r, err := e.query.Hotkeys(e.ctx, &types.QueryHotkeysRequest{Coldkey: str("alice"), Pagination: page})
		require.NoError(t, err)
		for _, h := range r.Hotkeys {
			require.Equal(t, str("alice"), h.Coldkey)
			got[h.Hotkey] = true
		}
		if len(r.Pagination.NextKey) == 0 {
			break
		}
		page.Key = r.Pagination.NextKey
	}
	require.Equal(t, want, got)
	r, err := e.query.Hotkeys(e.ctx, &types.QueryHotkeysRequest{Coldkey: str("nobody")})
	require.NoError(t, err)
	require.Empty(t, r.Hotkeys)
	_, err = e.query.Hotkeys(e.ctx, &types.QueryHotkeysRequest{Coldkey: "nobody"})
	require.ErrorIs(t, err, sdkerrors.ErrInvalidAddress)
	h, err := e.query.Hotkey(e.ctx, &types.QueryHotkeyRequest{Hotkey: str("validator")})
	require.NoError(t, err)
	require.Equal(t, str("bob"), h.Hotkey.Coldkey)
	_, err = e.query.Hotkey(e.ctx, &types.QueryHotkeyRequest{Hotkey: str("nobody")})
	require.ErrorIs(t, err, types.ErrNotBound)
}

func TestStakesAreFoundByColdkeyAndByHotkey(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("bob", "validator", 1, 10*whole)
	e.stake("bob", "miner", 2, 10*whole)
	e.stake("alice", "miner", 2, 10*whole)

	mine, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("bob")})
	require.NoError(t, err)
	require.Len(t, mine.Stakes, 3)
	for _, s := range mine.Stakes {
		require.Equal(t, str("bob"), s.Coldkey)
		p := e.at(s.Netuid)
		require.Equal(t, p.SubnetId, s.SubnetId)
		hotkey, err := sdk.AccAddressFromBech32(s.Hotkey)
		require.NoError(t, err)
		want, err := e.k.StakeOf(e.ctx, s.SubnetId, hotkey, addr("bob"))
		require.NoError(t, err)
		require.Equal(t, want, s.Alpha)
		require.Equal(t, p.Reserves().Worth(s.Alpha), s.ValueTao)
		require.True(t, s.Shares.IsPositive())
	}
	page, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("bob"), Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Equal(t, mine.Stakes[:2], page.Stakes)
	rest, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("bob"), Pagination: &query.PageRequest{Limit: 2, Key: page.Pagination.NextKey}})
	require.NoError(t, err)
	require.Equal(t, mine.Stakes[2:], rest.Stakes)

	on, err := e.query.Nominators(e.ctx, &types.QueryNominatorsRequest{Netuid: 2, Hotkey: str("miner")})
	require.NoError(t, err)
	require.Len(t, on.Stakes, 2)
	require.ElementsMatch(t, []string{str("alice"), str("bob")}, []string{on.Stakes[0].Coldkey, on.Stakes[1].Coldkey})
	none, err := e.query.Nominators(e.ctx, &types.QueryNominatorsRequest{Netuid: 2, Hotkey: str("validator")})
	require.NoError(t, err)
	require.Empty(t, none.Stakes)
	_, err = e.query.Nominators(e.ctx, &types.QueryNominatorsRequest{Netuid: 9, Hotkey: str("miner")})
	require.ErrorIs(t, err, types.ErrNoSubnet)
}

func TestAQuoteIsWhatTheTradeThenGives(t *testing.T) {
	e := newEnv(t)
	buy, err := e.query.Quote(e.ctx, &types.QueryQuoteRequest{Netuid: 1, Tao: 10 * whole})
	require.NoError(t, err)
	require.Equal(t, "1", buy.PriceBefore)
	require.Equal(t, int64(10), buy.Height)
	got := e.stake("bob", "miner", 1, 10*whole)
	require.Equal(t, got.AlphaStaked, buy.Received)
	require.Equal(t, got.Fee, buy.Fee)
	require.Equal(t, e.at(1).Price().String(), buy.PriceAfter)

	sell, err := e.query.Quote(e.ctx, &types.QueryQuoteRequest{Netuid: 1, Alpha: whole})
	require.NoError(t, err)
	sold, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap})
	require.NoError(t, err)
	require.Equal(t, sold.TaoReceived, sell.Received)
	require.Equal(t, fixed.Q64Ratio(sold.TaoReceived, whole).String(), sell.PriceAverage)
}

func TestABadQuoteIsRefused(t *testing.T) {
	e := newEnv(t)
	for name, c := range map[string]struct {
		r    types.QueryQuoteRequest
		want error
	}{
		"neither":                       {types.QueryQuoteRequest{Netuid: 1}, types.ErrInvalidRequest},
		"both":                          {types.QueryQuoteRequest{Netuid: 1, Tao: 1, Alpha: 1}, types.ErrInvalidRequest},
		"an unknown subnet":             {types.QueryQuoteRequest{Netuid: 7, Tao: 1}, types.ErrNoSubnet},
		"a subnet that has not started": {types.QueryQuoteRequest{Netuid: 3, Tao: 1}, types.ErrNotStarted},
		"more than the pool has":        {types.QueryQuoteRequest{Netuid: 1, Alpha: dear}, types.ErrReserve},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.query.Quote(e.ctx, &c.r)
			require.ErrorIs(t, err, c.want)
		})
	}
}
