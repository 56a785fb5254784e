package keeper_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/alpha/types"
)

// owed is what each coldkey must get of a subnet that is removed now:
// floor(value·pot/total) of every stake, by big integers.
func (e *env) owed(id uint64) map[string]uint64 {
	p, err := e.k.Pool(e.ctx, id)
	require.NoError(e.t, err)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	total := new(big.Int).SetUint64(p.AlphaIssued - p.AlphaBurned)
	out := map[string]uint64{}
	for _, s := range g.Positions {
		if s.SubnetId == id {
			tao := new(big.Int).SetUint64(e.worth(s.Coldkey, s.Hotkey, p.Netuid))
			tao.Mul(tao, new(big.Int).SetUint64(p.TaoReserve)).Quo(tao, total)
			out[s.Coldkey] += tao.Uint64()
		}
	}
	return out
}

func TestSection3EachHolderIsPaidItsPartByItsOwnClaim(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	e.stake("alice", "validator", 1, 3*whole)
	e.stake("bob", "validator", 1, 7*whole)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 5*whole) })
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("validator"), 3*whole+1) })
	owed := e.owed(1)
	e.retire(1)

	listed := uint64(0)
	for _, c := range e.claims("alice") {
		require.Equal(t, uint64(1), c.SubnetId)
		require.Equal(t, uint32(1), c.Netuid)
		listed += c.Tao
	}
	require.Equal(t, owed[str("alice")], listed)
	before := e.rao("alice")
	r, err := e.claim("alice", "alice", 1)
	require.NoError(t, err)
	require.Equal(t, &types.MsgClaimResponse{Tao: listed, Stakes: 2}, r)
	require.Equal(t, before+listed, e.rao("alice"))
	require.Empty(t, e.claims("alice"))
	require.False(t, e.retired(1).Settled)

	// The last one's settles the pot, to the rao.
	_, err = e.claim("bob", "bob", 1)
	require.NoError(t, err)
	left := e.retired(1)
	require.True(t, left.Settled)
	require.Equal(t, owed[str("alice")]+owed[str("bob")], left.Paid)
	require.Equal(t, left.Pot, left.Paid+left.Recycled)
}

func TestSection3AClaimPaysOnceAndOnlyWhoHolds(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("bob", "miner", 2, 10*whole)
	claim := func(coldkey string, id uint64) *types.MsgClaim {
		return &types.MsgClaim{Sender: str("mallory"), Coldkey: str(coldkey), SubnetId: id}
	}
	refuse(t, e, e.msgs.Claim, claim("alice", 1), types.ErrNothingToClaim, "live, as netuid 1", "MsgUnstake")
	refuse(t, e, e.msgs.Claim, claim("alice", 9), types.ErrNoSubnet, "no subnet had the id 9", "the last one's is 3")
	refuse(t, e, e.msgs.Claim, claim("alice", 0), types.ErrInvalidRequest, "subnet_id is 0")
	e.retire(1)
	refuse(t, e, e.msgs.Claim, claim("carol", 1), types.ErrNothingToClaim, "has no stake left")
	refuse(t, e, e.msgs.Claim, &types.MsgClaim{Sender: str("bob"), Coldkey: "lode1", SubnetId: 1}, sdkerrors.ErrInvalidAddress, "coldkey")

	// A stranger's claim pays the holder, and costs nobody else anything.
	strangers, others := e.rao("mallory"), e.rao("bob")
	r, err := e.claim("mallory", "alice", 1)
	require.NoError(t, err)
	require.Positive(t, r.Tao)
	require.Equal(t, []uint64{strangers, others}, []uint64{e.rao("mallory"), e.rao("bob")})
	refuse(t, e, e.msgs.Claim, claim("alice", 1), types.ErrNothingToClaim, "paid already")
	_, err = e.claim("mallory", "bob", 1)
	require.NoError(t, err)
	refuse(t, e, e.msgs.Claim, claim("bob", 1), types.ErrNothingToClaim, "settled")

	// What bob holds elsewhere is untouched, and a swept removal is remembered by its id.
	require.Positive(t, e.staked("bob", "miner", 2))
	_, done, err := e.k.Sweep(e.ctx, 1, 100)
	require.NoError(t, err)
	require.True(t, done)
	refuse(t, e, e.msgs.Claim, claim("bob", 1), types.ErrNothingToClaim, "was removed")
}

func TestSection3AClaimPaysAtMost100StakesAndSaysThatSomeAreLeft(t *testing.T) {
	e := newEnv(t)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 150*whole) })
	for i := range 150 {
		hot := fmt.Sprint("hot", i)
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str(hot)})
		require.NoError(t, err)
		require.NoError(t, e.k.StakePending(e.ctx, 1, addr(hot), addr("alice"), whole, types.ReasonIncentive))
	}
	e.retire(1)
	owed := uint64(0)
	for page := (&query.PageRequest{Limit: 40}); ; {
		r, err := e.query.Claims(e.ctx, &types.QueryClaimsRequest{Coldkey: str("alice"), Pagination: page})
		require.NoError(t, err)
		for _, c := range r.Claims {
			owed += c.Tao
		}
		if len(r.Pagination.NextKey) == 0 {
			break
		}
		page = &query.PageRequest{Key: r.Pagination.NextKey, Limit: 40}
	}
	first, err := e.claim("alice", "alice", 1)
	require.NoError(t, err)
	require.Equal(t, []uint32{100, 50}, []uint32{first.Stakes, first.Left})
	second, err := e.claim("alice", "alice", 1)
	require.NoError(t, err)
	require.Equal(t, []uint32{50, 0}, []uint32{second.Stakes, second.Left})
	require.Equal(t, owed, first.Tao+second.Tao)
	require.True(t, e.retired(1).Settled)
}

func TestSection3CollateralIsPaidLikeOtherStake(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	e.ok(func(ctx context.Context) error { return e.k.LockStake(ctx, 1, addr("miner"), addr("alice"), 5*whole) })
	owed := e.owed(1)[str("alice")]
	e.retire(1)
	r, err := e.claim("alice", "alice", 1)
	require.NoError(t, err)
	require.Equal(t, owed, r.Tao)
	locked, err := e.k.Locked(e.ctx, 1, addr("miner"), addr("alice"))
	require.NoError(t, err)
	require.Zero(t, locked)
}

func TestSection3AStakeWorthLessThanARaoEndsWithoutAPayment(t *testing.T) {
	e := newEnv(t)
	e.pool(4, 1_000_000, 1_000*whole, true) // 1 rao is worth 10^6 units
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 4, 1_000) })
	e.ok(func(ctx context.Context) error {
		return e.k.StakePending(ctx, 4, addr("miner"), addr("alice"), 1_000, types.ReasonIncentive)
	})
	e.retire(4)
	before := e.rao("alice")
	events := e.endBlock()
	require.Equal(t, 1, count[*types.EventHolderPaid](events))
	require.Equal(t, before, e.rao("alice"))
	require.Equal(t, types.RetiredPool{
		SubnetId: 4, Netuid: 4, Pot: 1_000_000, Total: 1_000*whole + 1_000, Staked: 1_000, Recycled: 1_000_000, Height: 10, Settled: true,
	}, e.retired(4))
}

func TestSection3PaidAndRecycledAreThePotWhateverTheHoldersAndWhoeverIsFirst(t *testing.T) {
	done := tally{}
	rapid.Check(t, func(t *rapid.T) {
		e := settled(t)
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "of a block") {
				e.anyEmission(t, done)
			} else {
				e.anyMessage(t, done)
			}
		}
		supply := e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64()
		owed, before := e.owed(1), map[string]uint64{}
		for _, c := range coldkeys {
			before[c] = e.rao(c)
		}
		e.retire(1)
		pot := e.retired(1).Pot
		for _, c := range rapid.Permutation(coldkeys).Draw(t, "order")[:rapid.IntRange(0, 3).Draw(t, "claims")] {
			_, err := e.claim("mallory", c, 1)
			done.count("claim", err)
			if owed[str(c)] > 0 {
				require.NoError(t, err)
			}
		}
		e.endBlock()
		paid := uint64(0)
		for _, c := range coldkeys {
			require.Equal(t, owed[str(c)], e.rao(c)-before[c])
			paid += owed[str(c)]
		}
		r := e.retired(1)
		require.True(t, r.Settled)
		require.Equal(t, paid, r.Paid)
		require.Equal(t, pot, r.Paid+r.Recycled)
		require.Equal(t, supply-r.Recycled, e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64())
		e.requireReplay()
	})
	done.requireAll(t, "claim", "stake", "reward")
}

func TestSection3TheOrderOfPaymentsDoesNotMatter(t *testing.T) {
	names := slices.Clone(coldkeys)
	pay := func(reversed bool) (*env, map[string]uint64) {
		e := settled(t)
		e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 7) })
		e.retire(1)
		if reversed {
			for _, c := range slices.Backward(names) {
				_, err := e.claim(c, c, 1)
				require.NoError(t, err)
			}
		}
		e.endBlock()
		out := map[string]uint64{}
		for _, c := range names {
			out[c] = e.rao(c)
		}
		return e, out
	}
	a, first := pay(false)
	b, second := pay(true)
	require.Equal(t, first, second)
	require.Equal(t, a.retired(1), b.retired(1))
}
