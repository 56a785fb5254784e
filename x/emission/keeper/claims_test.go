package keeper

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/yuma"
)

// judged is an epoch's result with the parts of its dividends, by uid.
func judged(shares []uint64, contributors ...[]weightskeeper.Contribution) weightskeeper.Result {
	r := weightskeeper.Result{Output: &yuma.Output{ValidatorShare: shares}}
	for uid := range shares {
		r.Stakes = append(r.Stakes, weightskeeper.Stake{Hotkey: sdk.AccAddress{byte(uid)}, Contributors: contributors[uid]})
	}
	return r
}

func of(hotkey byte, alpha, root uint64) weightskeeper.Contribution {
	return weightskeeper.Contribution{Hotkey: sdk.AccAddress{hotkey}, Alpha: alpha, Root: root}
}

func TestSection7TiesGoToValidatorsByUidThenToParentsByAddress(t *testing.T) {
	half := uint64(fixed.One / 2)
	r := judged([]uint64{half, half},
		[]weightskeeper.Contribution{of(0, 1, 1), of(7, 1, 1), of(9, 1, 1)},
		[]weightskeeper.Contribution{of(1, 1, 1), of(7, 1, 1), of(8, 1, 1)},
	)
	order := func(c claim) string { return fmt.Sprintf("%d by %d", c.hotkey[0], c.uid) }
	want := []string{"0 by 0", "1 by 1", "7 by 0", "7 by 1", "8 by 1", "9 by 0"}
	for pot := range uint64(13) {
		claims := claimsOf(r)
		dividePots(claims, pot, pot)
		require.Len(t, claims, 6)
		for i, c := range claims {
			require.Equal(t, want[i], order(c))
			require.Equal(t, i >= 2, c.parent)
			part := pot / 6
			if uint64(i) < pot%6 {
				part++
			}
			require.Equal(t, [2]uint64{part, part}, [2]uint64{c.alpha, c.root}, "pot %d, %s", pot, want[i])
		}
	}
}

func TestSection7BondsOfOldEarnAlphaWhereNoStakeIsLeft(t *testing.T) {
	claims := claimsOf(judged([]uint64{0, uint64(fixed.One)}, nil, nil))
	dividePots(claims, 1_000, 1_000)
	require.Len(t, claims, 1)
	require.EqualValues(t, 1_000, claims[0].alpha)
	require.Zero(t, claims[0].root)
	require.False(t, claims[0].parent)
}

func TestSection7PotsWithoutAClaimStay(t *testing.T) {
	one := uint64(fixed.One)
	claims := claimsOf(judged([]uint64{one}, []weightskeeper.Contribution{of(0, 0, 5), of(3, 0, 1)}))
	dividePots(claims, 77, 60)
	require.Equal(t, [4]uint64{0, 50, 0, 10}, [4]uint64{claims[0].alpha, claims[0].root, claims[1].alpha, claims[1].root})
	claims = claimsOf(judged([]uint64{0}, []weightskeeper.Contribution{of(0, 5, 5)}))
	require.Empty(t, claims)
	dividePots(claims, 1, 1)
}

// Whatever the stakes, up to 64 bits: nothing is lost, everybody's part is what the
// formula says, and the order is that of the ties.
func TestSection7ClaimsConserveAtTheirLimits(t *testing.T) {
	amount := rapid.OneOf(rapid.Just(uint64(0)), rapid.Just(uint64(1)), rapid.Just(uint64(math.MaxUint64)), rapid.Uint64Range(0, 1_000), rapid.Uint64())
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "neurons")
		left := uint64(fixed.One)
		shares, contributors := make([]uint64, n), make([][]weightskeeper.Contribution, n)
		for uid := range n {
			shares[uid] = rapid.SampledFrom([]uint64{0, 1, left, rapid.Uint64Range(0, left).Draw(rt, "share")}).Draw(rt, "of")
			shares[uid] = min(shares[uid], left)
			left -= shares[uid]
			if rapid.Bool().Draw(rt, "own") {
				contributors[uid] = append(contributors[uid], of(byte(uid), amount.Draw(rt, "alpha"), 1+amount.Draw(rt, "root")/2))
			}
			for p := range rapid.IntRange(0, 4).Draw(rt, "parents") {
				contributors[uid] = append(contributors[uid], of(byte(100+p), 1+amount.Draw(rt, "alpha")/2, amount.Draw(rt, "root")))
			}
		}
		claims := claimsOf(judged(shares, contributors...))
		alpha, root := amount.Draw(rt, "alpha pot"), amount.Draw(rt, "root pot")
		dividePots(claims, alpha, root)

		var gotAlpha, gotRoot, claimsAlpha, claimsRoot uint64
		var byAlpha, byRoot big.Int
		for i, c := range claims {
			gotAlpha, gotRoot = gotAlpha+c.alpha, gotRoot+c.root
			claimsAlpha, claimsRoot = claimsAlpha|c.byAlpha, claimsRoot|c.byRoot
			byAlpha.Add(&byAlpha, new(big.Int).SetUint64(c.byAlpha))
			byRoot.Add(&byRoot, new(big.Int).SetUint64(c.byRoot))
			if i == 0 {
				continue
			}
			last := claims[i-1]
			switch {
			case last.parent && !c.parent, !c.parent && last.uid >= c.uid:
				rt.Fatalf("claim %d is out of order: validators come first, by uid", i)
			case last.parent && bytes.Compare(last.hotkey, c.hotkey) > 0, last.parent && bytes.Equal(last.hotkey, c.hotkey) && last.uid >= c.uid:
				rt.Fatalf("claim %d is out of order: parents come by address, then by uid", i)
			}
		}
		if claimsAlpha != 0 && gotAlpha != alpha || claimsAlpha == 0 && gotAlpha != 0 {
			rt.Fatalf("of %d alpha %d were given", alpha, gotAlpha)
		}
		if claimsRoot != 0 && gotRoot != root || claimsRoot == 0 && gotRoot != 0 {
			rt.Fatalf("of %d rao %d were given", root, gotRoot)
		}
		for uid, share := range shares {
			if share == 0 || len(contributors[uid]) == 0 {
				continue
			}
			// What a validator's contributors claim is all of its share, in the ratio of their weights.
			sum, whole := new(big.Int), new(big.Int)
			for _, c := range contributors[uid] {
				whole.Add(whole, new(big.Int).SetUint64(c.Alpha))
				whole.Add(whole, new(big.Int).SetUint64(c.Root))
			}
			for _, c := range claims {
				if c.uid != uid {
					continue
				}
				sum.Add(sum, new(big.Int).SetUint64(c.byAlpha))
				sum.Add(sum, new(big.Int).SetUint64(c.byRoot))
				for _, of := range contributors[uid] {
					if !of.Hotkey.Equals(c.hotkey) {
						continue
					}
					want := new(big.Int).SetUint64(share << 31)
					want.Mul(want, new(big.Int).SetUint64(of.Alpha)).Quo(want, whole)
					if d := new(big.Int).Sub(new(big.Int).SetUint64(c.byAlpha), want); d.Sign() < 0 || d.Cmp(big.NewInt(1)) > 0 {
						rt.Fatalf("uid %d: %s claims %d of alpha, D·alpha/weight is %s", uid, c.hotkey, c.byAlpha, want)
					}
				}
			}
			if sum.Cmp(new(big.Int).SetUint64(share<<31)) != 0 {
				rt.Fatalf("uid %d has %d, its contributors claim %s", uid, share<<31, sum)
			}
		}
	})
}
