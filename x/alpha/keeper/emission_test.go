package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

// ok runs what a module above does; it must succeed.
func (e *env) ok(f func(ctx context.Context) error) {
	require.NoError(e.t, e.do(f))
}

func TestLiquidityComesFromTheModuleThatBringsIt(t *testing.T) {
	e := newEnv(t)
	before, held := e.at(1), e.sourceRao()
	e.ok(func(ctx context.Context) error {
		return e.k.AddLiquidity(ctx, before.SubnetId, source, 3*whole, 3*whole)
	})
	after := e.at(1)
	require.Equal(t, before.TaoReserve+3*whole, after.TaoReserve)
	require.Equal(t, before.AlphaReserve+3*whole, after.AlphaReserve)
	require.Equal(t, before.AlphaIssued+3*whole, after.AlphaIssued)
	require.Equal(t, before.Price(), after.Price())
	require.Equal(t, held-3*whole, e.sourceRao())
	e.ok(func(ctx context.Context) error { return e.k.AddLiquidity(ctx, before.SubnetId, source, 0, 0) })
	e.ok(func(ctx context.Context) error { return e.k.AddLiquidity(ctx, before.SubnetId, source, 0, 7) })
	require.ErrorIs(t, e.do(func(ctx context.Context) error {
		return e.k.AddLiquidity(ctx, before.SubnetId, source, 10_000*whole, 0)
	}), sdkerrors.ErrInsufficientFunds)
}

func TestTheProtocolBuysWithoutAFee(t *testing.T) {
	e := newEnv(t)
	var bought uint64
	e.ok(func(ctx context.Context) (err error) {
		bought, err = e.k.BuyForProtocol(ctx, 1, source, whole)
		return err
	})
	require.Equal(t, uint64(999_000_999), bought) // 1000·1/1001
	require.Equal(t, bought, e.at(1).AlphaProtocol)
	e.ok(func(ctx context.Context) error {
		n, err := e.k.BuyForProtocol(ctx, 1, source, 0)
		require.Zero(t, n)
		return err
	})
}

func TestTheProtocolsPurchaseStopsAtTheReservesFloor(t *testing.T) {
	e := newEnv(t)
	e.pool(4, 1_000_000, 2_000_000, true)
	var bought uint64
	e.ok(func(ctx context.Context) (err error) {
		bought, err = e.k.BuyForProtocol(ctx, 4, source, 500*whole)
		return err
	})
	require.Equal(t, uint64(1_000_000), bought)
	require.Equal(t, uint64(1_000_000), e.at(4).AlphaReserve)
	require.Equal(t, uint64(500*whole+1_000_000), e.at(4).TaoReserve, "all TAO entered the pool")
}

func TestRootsAlphaIsSoldForTheFeeOrNotAtAll(t *testing.T) {
	e := newEnv(t)
	before, held := e.at(1), e.sourceRao()
	var tao uint64
	e.ok(func(ctx context.Context) (err error) {
		tao, err = e.k.SellMinted(ctx, 1, source, whole)
		return err
	})
	require.Equal(t, uint64(998_501_997), tao) // 1000·0.9995/1000.9995
	require.Equal(t, held+tao, e.sourceRao())
	after := e.at(1)
	require.Equal(t, before.AlphaIssued+whole, after.AlphaIssued)
	require.Equal(t, before.AlphaReserve+whole, after.AlphaReserve)
	require.Equal(t, before.TaoReserve-tao, after.TaoReserve)

	e.pool(4, 1_000_000, 2_000_000, true)
	for name, c := range map[string]struct {
		id    uint64
		alpha uint64
	}{"the floor forbids it": {4, 1_000_000}, "it is worth nothing": {1, 1}, "it is nothing": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			before, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			e.ok(func(ctx context.Context) error {
				tao, err := e.k.SellMinted(ctx, c.id, source, c.alpha)
				require.Zero(t, tao)
				return err
			})
			after, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestARegistrationBuysAlphaThatNobodyGets(t *testing.T) {
	e := newEnv(t)
	var bought uint64
	e.ok(func(ctx context.Context) (err error) {
		bought, err = e.k.BuyAndBurn(ctx, 1, addr("alice"), whole, types.ReasonRegistration)
		return err
	})
	require.Equal(t, bought, e.at(1).AlphaBurned)
	require.Equal(t, uint64(99_999*whole), e.rao("alice"))
	require.Equal(t, uint64(1_001*whole), e.at(1).TaoReserve)
	for name, c := range map[string]struct {
		id    uint64
		payer string
		tao   uint64
		want  error
	}{
		"an unknown subnet":             {9, "alice", whole, types.ErrNoSubnet},
		"a subnet that has not started": {3, "alice", whole, types.ErrNotStarted},
		"a payer without coins":         {1, "nobody", whole, sdkerrors.ErrInsufficientFunds},
		"more than 64 bits":             {1, "alice", dear, types.ErrReserve},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, e.do(func(ctx context.Context) error {
				_, err := e.k.BuyAndBurn(ctx, c.id, addr(c.payer), c.tao, types.ReasonRegistration)
				return err
			}), c.want)
		})
	}
}

func TestPendingAlphaIsStakedRewardedBurnedOrRecycled(t *testing.T) {
	e := newEnv(t)
	issued := e.at(1).AlphaIssued
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 100) })
	e.ok(func(ctx context.Context) error {
		return e.k.StakePending(ctx, 1, addr("miner"), addr("alice"), 40, types.ReasonIncentive)
	})
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 10) })
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("validator"), 5) })
	e.ok(func(ctx context.Context) error { return e.k.BurnPending(ctx, 1, 20) })
	e.ok(func(ctx context.Context) error { return e.k.RecyclePending(ctx, 1, 24) })
	p := e.at(1)
	require.Equal(t, issued+76, p.AlphaIssued)
	require.Equal(t, []uint64{1, 55, 20}, []uint64{p.AlphaPending, p.AlphaStaked, p.AlphaBurned})
	require.Equal(t, uint64(50), e.staked("alice", "miner", 1))
	require.Equal(t, uint64(5), e.staked("bob", "validator", 1), "an empty stake pool's reward is its coldkey's stake")
	for name, f := range map[string]func(context.Context) error{
		"stake": func(ctx context.Context) error {
			return e.k.StakePending(ctx, 1, addr("miner"), addr("alice"), 2, types.ReasonTake)
		},
		"reward":  func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 2) },
		"burn":    func(ctx context.Context) error { return e.k.BurnPending(ctx, 1, 2) },
		"recycle": func(ctx context.Context) error { return e.k.RecyclePending(ctx, 1, dear) },
		"mint":    func(ctx context.Context) error { return e.k.MintPending(ctx, 1, types.AlphaCap) },
	} {
		t.Run("more than there is to "+name, func(t *testing.T) { require.ErrorIs(t, e.do(f), types.ErrAccounts) })
	}
	for name, f := range map[string]func(context.Context) error{
		"stake": func(ctx context.Context) error {
			return e.k.StakePending(ctx, 1, addr("nobody"), addr("alice"), 1, types.ReasonTake)
		},
		"reward": func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("nobody"), 1) },
	} {
		t.Run(name+" on an unbound hotkey", func(t *testing.T) { require.ErrorIs(t, e.do(f), types.ErrNotBound) })
	}
}

// An epoch pays everybody, however little: where a share is worth more than the
// payment it raises all shares.
func TestAPaymentTooSmallForAShareIsAReward(t *testing.T) {
	e := dearShare(t)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 1_000) })
	before := e.staked("alice", "miner", 1)
	e.ok(func(ctx context.Context) error {
		return e.k.StakePending(ctx, 1, addr("miner"), addr("bob"), 1_000, types.ReasonIncentive)
	})
	require.Zero(t, e.at(1).AlphaPending)
	require.Zero(t, e.staked("bob", "miner", 1))
	require.Equal(t, before+1_000, e.staked("alice", "miner", 1))
}
