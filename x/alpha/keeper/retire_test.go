package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestSection3ARemovalRecyclesTheChainsPartAtOnceAndOwesTheHoldersTheirs(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 5*whole) })
	e.ok(func(ctx context.Context) error { _, err := e.k.BuyForProtocol(ctx, 1, source, whole); return err })
	p, supply := e.at(1), e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64()
	e.retire(1)

	r := e.retired(1)
	total := p.AlphaReserve + p.AlphaProtocol + p.AlphaPending + p.AlphaStaked
	require.Equal(t, types.RetiredPool{
		SubnetId: 1, Netuid: 1, Pot: p.TaoReserve, Total: total, Staked: p.AlphaStaked, Height: 10, Recycled: r.Recycled,
	}, r)
	require.InDelta(t, float64(p.TaoReserve)*float64(total-p.AlphaStaked)/float64(total), float64(r.Recycled), 1e3)
	require.Equal(t, supply-r.Recycled, e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64())

	// It is gone for everybody above, and its slot is free for a successor with another id.
	_, err := e.k.PoolByNetuid(e.ctx, 1)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.Pool(e.ctx, 1)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	require.ErrorIs(t, e.k.RetirePool(e.ctx, 1), types.ErrNoSubnet)
	refuse(t, e, e.msgs.Stake, &types.MsgStake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Tao: whole, LimitPrice: dear}, types.ErrNoSubnet)
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap}, types.ErrNoSubnet)
	require.Equal(t, uint64(4), e.pool(1, whole, whole, true))
	e.stake("alice", "miner", 1, whole)
	require.Zero(t, e.staked("bob", "miner", 1), "a successor inherits nothing")
}

func TestSection3ARemovedSubnetWithoutHoldersIsRecycledAtOnce(t *testing.T) {
	e := newEnv(t)
	p := e.at(3)
	e.retire(3)
	require.Equal(t, types.RetiredPool{
		SubnetId: 3, Netuid: 3, Pot: p.TaoReserve, Total: p.AlphaReserve, Recycled: p.TaoReserve, Height: 10, Settled: true,
	}, e.retired(3))
	require.Zero(t, count[*types.EventHolderPaid](e.endBlock()))
	swept, done, err := e.k.Sweep(e.ctx, 3, 10)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, 1, swept)
}

// The attack of protocol.md §3: a subnet with so many holders that its removal
// stops the chain. Its removal costs what it costs with ten, and a block pays 200.
func TestSection3ARemovalWithAHundredThousandHoldersCostsAsMuchAsOneWithTen(t *testing.T) {
	const many = 100_000
	few, full := crowd(t, 10), crowd(t, many)
	gas := few.metered(func(ctx context.Context) error { return few.k.RetirePool(ctx, 1) })
	require.Equal(t, gas, full.metered(func(ctx context.Context) error { return full.k.RetirePool(ctx, 1) }))

	// A later block's cost does not depend on how many wait either.
	var most uint64
	for range 5 {
		before := len(full.ctx.EventManager().Events())
		most = max(most, full.metered(full.k.EndBlocker))
		events := told(t, full.ctx.EventManager().Events()[before:])
		require.Equal(t, 200, count[*types.EventHolderPaid](events))
	}
	other := crowd(t, 250)
	other.retire(1)
	require.LessOrEqual(t, most, other.metered(other.k.EndBlocker)*101/100, "200 of 250 holders cost what 200 of 100,000 do")

	// Nor does a sweep's step, while they wait: it has no stake pool to delete yet.
	swept, done, err := full.k.Sweep(full.ctx, 1, 1_000)
	require.NoError(t, err)
	require.False(t, done)
	require.Zero(t, swept)
	require.Equal(t, uint64(1_000), paidHolders(full))
}

// paidHolders counts who was paid so far.
func paidHolders(e *env) (n uint64) {
	return uint64(count[*types.EventHolderPaid](told(e.t, e.ctx.EventManager().Events())))
}

func TestSection3BlocksPayTheOldestRemovalFirstAndAtMost200HoldersOfAll(t *testing.T) {
	e := crowd(t, 150)
	e.stake("bob", "miner", 2, whole)
	e.stake("alice", "validator", 2, whole)
	e.retire(2)
	e.retire(1)
	require.Equal(t, 152, count[*types.EventHolderPaid](e.endBlock()))
	require.True(t, e.retired(1).Settled)
	require.True(t, e.retired(2).Settled)
	require.Zero(t, count[*types.EventHolderPaid](e.endBlock()))

	e = crowd(t, 300)
	e.stake("bob", "miner", 2, whole)
	e.retire(2)
	e.retire(1)
	events := e.endBlock()
	require.Equal(t, 200, count[*types.EventHolderPaid](events))
	require.Equal(t, 0, count[*types.EventPoolSettled](events))
	events = e.endBlock()
	require.Equal(t, 101, count[*types.EventHolderPaid](events))
	require.Equal(t, 2, count[*types.EventPoolSettled](events))
}
