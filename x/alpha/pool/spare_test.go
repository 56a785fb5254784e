package pool_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/pool"
)

func TestSpareLeavesSharesWorthWhatIsToStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alpha := rapid.OneOf(rapid.Uint64Range(1, 1_000), rapid.Uint64Range(1, 21e15)).Draw(t, "alpha")
		shares := new(big.Int).Mul(
			new(big.Int).SetUint64(rapid.OneOf(rapid.Uint64Range(2, 100), rapid.Uint64Range(2, 1e18)).Draw(t, "shares")),
			new(big.Int).SetUint64(rapid.SampledFrom([]uint64{1, 1_000, 1e18}).Draw(t, "times")))
		p := pool.SharePool{Alpha: alpha, Shares: shares}
		held := new(big.Int).SetUint64(rapid.Uint64Range(1, 1e9).Draw(t, "part"))
		held.Mul(held, shares).Quo(held, big.NewInt(1e9))
		if held.Sign() == 0 {
			held.SetUint64(1)
		}
		value := p.Value(held)
		keep := rapid.OneOf(rapid.Uint64Range(0, value), rapid.Just(value), rapid.Just(value+1)).Draw(t, "keep")
		spare := p.Spare(held, keep)
		if keep == 0 {
			require.Equal(t, value, spare, "all of it")
			return
		}
		if spare == 0 {
			return
		}
		require.LessOrEqual(t, spare, value-keep)
		if unit := new(big.Int).SetUint64(alpha); unit.Cmp(shares) <= 0 { // a share is worth a unit at most
			require.GreaterOrEqual(t, spare+1, value-keep)
		}
		after, redeemed, paid, err := p.Redeem(held, spare)
		if err != nil {
			require.ErrorIs(t, err, pool.ErrRounding) // too coarse for so little
			return
		}
		require.Equal(t, spare, paid)
		require.GreaterOrEqual(t, after.Value(new(big.Int).Sub(held, redeemed)), keep)
	})
}

func TestSpareIsExactWhereOneHoldsAll(t *testing.T) {
	p := pool.SharePool{Alpha: 1_000_003, Shares: big.NewInt(7_000_000)}
	require.Equal(t, uint64(1_000_003), p.Spare(p.Shares, 0))
	require.Equal(t, uint64(600_003), p.Spare(p.Shares, 400_000))
	require.Zero(t, p.Spare(p.Shares, 1_000_003))
	require.Zero(t, p.Spare(p.Shares, 1_000_004))
	require.Zero(t, pool.SharePool{}.Spare(big.NewInt(1), 1))
}
