package keeper_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/x/weights/types"
	"github.com/lodenet/lode/yuma"
)

// stakes are those of subnet 1's neurons, by uid.
func (e *env) stakes() []keeper.Stake {
	e.t.Helper()
	neurons, err := e.subnets.Neurons(e.ctx, firstID)
	require.NoError(e.t, err)
	out, err := e.k.StakeWeights(e.ctx, firstID, neurons)
	require.NoError(e.t, err)
	for i, s := range out { // the single hotkey's is the same
		weight, alpha, root, err := e.k.StakeWeight(e.ctx, firstID, s.Hotkey)
		require.NoError(e.t, err)
		require.Equal(e.t, [3]uint64{s.Weight, s.Alpha, s.Root}, [3]uint64{weight, alpha, root}, "uid %d", i)
	}
	return out
}

func (e *env) weights() (out []uint64) {
	for _, s := range e.stakes() {
		out = append(out, s.Weight)
	}
	return out
}

func contribution(name string, alpha, root uint64) keeper.Contribution {
	return keeper.Contribution{Hotkey: addr(name), Alpha: alpha, Root: root}
}

func TestSection5AParentLendsFractionsOfItsOwnAlphaAndRootStake(t *testing.T) {
	e := network(t, 4)
	e.stake(1_000, 2_001, 0, 50)
	e.staking.add(hotkey(1), 100_000, stakingtypes.Bonded) // weighs 18,000
	e.alpha.lend(hotkey(1), hotkey(2), 250_000, hotkey(3), 500_000)
	got := e.stakes()
	require.Equal(t, []keeper.Stake{
		{Hotkey: addr("hotkey 0"), Alpha: 1_000, Weight: 1_000, Contributors: []keeper.Contribution{contribution("hotkey 0", 1_000, 0)}},
		{
			Hotkey: addr("hotkey 1"), Alpha: 2_001, Root: 100_000, Lent: 15_000, Weight: 5_001,
			Contributors: []keeper.Contribution{contribution("hotkey 1", 501, 4_500)},
		},
		{Hotkey: addr("hotkey 2"), Inherited: 5_000, Weight: 5_000, Contributors: []keeper.Contribution{contribution("hotkey 1", 500, 4_500)}},
		{
			Hotkey: addr("hotkey 3"), Alpha: 50, Inherited: 10_000, Weight: 10_050,
			Contributors: []keeper.Contribution{contribution("hotkey 3", 50, 0), contribution("hotkey 1", 1_000, 9_000)},
		},
	}, got, "parts are rounded down, the rest stays with the parent")

	e.to(firstDue)
	e.end()
	r := e.results[firstID]
	require.Equal(t, []uint64{1_000, 5_001, 5_000, 10_050}, r.StakeWeight)
	require.Equal(t, got, r.Stakes)
	kept, _, err := e.k.EpochResult(e.ctx, firstID)
	require.NoError(t, err)
	require.Equal(t, r.StakeWeight, kept.Stake)
}

func TestSection5AParentNeedsNoUid(t *testing.T) {
	e := network(t, 2)
	parent := addr("parent")
	e.alpha.stake[parent.String()] = 1_000
	e.alpha.lend(parent.String(), hotkey(1), 900_000)
	require.Equal(t, []uint64{0, 900}, e.weights())
	weight, alpha, _, err := e.k.StakeWeight(e.ctx, firstID, parent)
	require.NoError(t, err)
	require.Equal(t, [2]uint64{100, 1_000}, [2]uint64{weight, alpha})
}

func TestSection5AFractionLentToAnUnregisteredChildCountsNowhere(t *testing.T) {
	e := network(t, 2)
	e.stake(0, 1_000)
	child := addr("child")
	e.alpha.stake[child.String()] = 7
	e.alpha.lend(hotkey(1), child.String(), 600_000)
	require.Equal(t, []uint64{0, 400}, e.weights(), "not with the parent")
	weight, _, _, err := e.k.StakeWeight(e.ctx, firstID, child)
	require.NoError(t, err)
	require.EqualValues(t, 7, weight, "nor with the child")

	_, err = send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).Register,
		&subnetstypes.MsgRegister{Coldkey: addr(cold).String(), Hotkey: child.String(), Netuid: 1, MaxBurn: 1e12})
	require.NoError(t, err)
	require.Equal(t, []uint64{0, 400, 607}, e.weights(), "until it registers")
}

func TestSection5LendingIsOneLevelDeep(t *testing.T) {
	e := network(t, 4)
	e.stake(0, 1_000, 100, 10)
	for name, order := range map[string][]int{"in one order": {1, 2}, "in the other": {2, 1}} {
		for _, uid := range order {
			e.alpha.lend(hotkey(uint32(uid)), hotkey(uint32(uid+1)), 1_000_000)
		}
		require.Equal(t, []uint64{0, 0, 1_000, 110}, e.weights(), name)
	}
	require.Equal(t, []keeper.Contribution{contribution("hotkey 1", 1_000, 0)}, e.stakes()[2].Contributors,
		"the child that is a parent too has lent all of its own and none of what it inherits")
}

func TestSection5TwoHotkeysMayLendToEachOther(t *testing.T) {
	e := network(t, 3)
	e.stake(0, 1_000, 100)
	e.alpha.lend(hotkey(1), hotkey(2), 1_000_000)
	e.alpha.lend(hotkey(2), hotkey(1), 1_000_000)
	require.Equal(t, []uint64{0, 100, 1_000}, e.weights(), "nothing grows by it")
}

func TestSection5LentStakeBringsAPermitAndTakesOne(t *testing.T) {
	e := network(t, 4, func(h *subnetstypes.Hyperparameters) { h.MinStakeToValidate = 500 })
	e.stake(0, 1_000)
	e.to(13)
	ok, err := e.k.Permitted(e.ctx, firstID, 1)
	require.NoError(t, err)
	require.True(t, ok)
	e.alpha.lend(hotkey(1), hotkey(2), 501_000)
	e.to(23)
	for uid, want := range []bool{true, false, true, false} {
		ok, err := e.k.Permitted(e.ctx, firstID, uint32(uid))
		require.NoError(t, err)
		require.Equal(t, want, ok, "uid %d: min_stake_to_validate asks for the weight that is left", uid)
	}
	require.NoError(t, e.setWeights(2, []uint32{3}, []uint32{1}))
	e.to(33)
	require.Equal(t, yuma.Weighted, e.results[firstID].Outcome)
}

func TestSection5ARecordThatLendsTooMuchMakesUpNothing(t *testing.T) {
	e := network(t, 4)
	e.stake(0, 1_000)
	e.alpha.lend(hotkey(1), hotkey(2), 900_000, hotkey(3), math.MaxInt32)
	require.Equal(t, []uint64{0, 0, 900, 1_000}, e.weights(), "x/alpha refuses it; here it must not wrap around")
}

func TestSection5StakeWeightsSaturate(t *testing.T) {
	e := network(t, 3)
	e.stake(0, math.MaxUint64, math.MaxUint64)
	e.alpha.lend(hotkey(1), hotkey(2), 1_000_000)
	require.Equal(t, []uint64{0, 0, math.MaxUint64}, e.weights())
	e.to(firstDue)
	e.end()
	require.Equal(t, yuma.NoWeights, e.results[firstID].Outcome, "and the epoch runs")
}

func TestSection5LentFractionsConserve(t *testing.T) {
	const most = 8
	rapid.Check(t, func(rt *rapid.T) {
		e := network(t, most)
		var own, lost uint64 // lost: to children without a uid
		keys := []string{addr("stranger").String(), addr("parent a").String(), addr("parent b").String()}
		for uid := range uint32(most) {
			keys = append(keys, hotkey(uid))
		}
		type part = keeper.Contribution
		parts := map[string]part{}
		for _, key := range keys {
			at, err := sdk.AccAddressFromBech32(key)
			require.NoError(rt, err)
			alpha := rapid.SampledFrom([]uint64{0, 1, 999_999, 1_000_000, 1 << 40, 1<<54 - 1}).Draw(rt, "alpha") + rapid.Uint64Range(0, 9).Draw(rt, "more")
			root := rapid.SampledFrom([]int64{0, 0, 1, 7, 1_000_000_007, 1 << 53}).Draw(rt, "root")
			e.alpha.stake[key] = alpha
			if root > 0 {
				e.staking.add(key, root, stakingtypes.Bonded)
			}
			parts[key] = part{Hotkey: at, Alpha: alpha, Root: types.LocalParams().WeighRoot(uint64(root))}
		}
		for _, parent := range keys {
			left := 1_000_000
			c := alphatypes.Children{Parent: parent}
			for range rapid.IntRange(0, 5).Draw(rt, "children") {
				child := rapid.SampledFrom(keys).Draw(rt, "child")
				if left == 0 || child == parent || slices.ContainsFunc(c.Children, func(x alphatypes.Child) bool { return x.Hotkey == child }) {
					continue
				}
				n := rapid.IntRange(1, left).Draw(rt, "proportion")
				left -= n
				c.Children = append(c.Children, alphatypes.Child{Hotkey: child, Proportion: uint32(n)})
				if !slices.Contains(keys[3:], child) {
					p := parts[parent]
					lost += mulDiv(p.Alpha, uint64(n)) + mulDiv(p.Root, uint64(n))
				}
			}
			if len(c.Children) > 0 {
				e.alpha.children = append(e.alpha.children, c)
			}
		}
		var sum uint64
		byHotkey := map[string]part{}
		for uid, s := range e.stakes() {
			var weight uint64
			for i, c := range s.Contributors {
				weight += c.Alpha + c.Root
				if i > 0 && !c.Hotkey.Equals(s.Hotkey) && i > 1 && bytes.Compare(s.Contributors[i-1].Hotkey, c.Hotkey) >= 0 {
					rt.Fatalf("uid %d: parents are not by address", uid)
				}
				seen := byHotkey[string(c.Hotkey)]
				seen.Alpha, seen.Root = seen.Alpha+c.Alpha, seen.Root+c.Root
				byHotkey[string(c.Hotkey)] = seen
			}
			if weight != s.Weight {
				rt.Fatalf("uid %d weighs %d, its contributors %d", uid, s.Weight, weight)
			}
			if got := parts[hotkey(uint32(uid))]; s.Weight != got.Alpha+got.Root-s.Lent+s.Inherited {
				rt.Fatalf("uid %d: %d of its own, %d lent, %d inherited, weight %d", uid, got.Alpha+got.Root, s.Lent, s.Inherited, s.Weight)
			}
			sum += s.Weight
		}
		for key, p := range parts {
			if seen := byHotkey[string(p.Hotkey)]; seen.Alpha > p.Alpha || seen.Root > p.Root {
				rt.Fatalf("%s has %d and %d, contributes %d and %d", key, p.Alpha, p.Root, seen.Alpha, seen.Root)
			}
			own += p.Alpha + p.Root
		}
		for _, key := range keys[:3] { // what those without a uid have kept
			weight, _, _, err := e.k.StakeWeight(e.ctx, firstID, parts[key].Hotkey)
			require.NoError(rt, err)
			sum += weight
		}
		if sum+lost != own {
			rt.Fatalf("of %d, %d is there and %d was lent to nobody", own, sum, lost)
		}
	})
}

// mulDiv is floor(a·b / 10^6) for what fits.
func mulDiv(a, b uint64) uint64 { return a/1_000_000*b + a%1_000_000*b/1_000_000 }

func TestSection5ManyParentsAreReadOnce(t *testing.T) {
	e := network(t, 3)
	for i := range 1_000 {
		parent := addr(fmt.Sprint("parent ", i)).String()
		e.alpha.stake[parent] = 10
		e.alpha.children = append(e.alpha.children, alphatypes.Children{Parent: parent, Children: []alphatypes.Child{{Hotkey: hotkey(2), Proportion: 500_000}}})
	}
	s := e.stakes()[2]
	require.EqualValues(t, 5_000, s.Weight)
	require.Len(t, s.Contributors, 1_000)
	require.True(t, slices.IsSortedFunc(s.Contributors, func(a, b keeper.Contribution) int { return bytes.Compare(a.Hotkey, b.Hotkey) }))
}

// Each epoch reads every loan: those of hotkeys that have next to nothing must not pile up.
func TestSection5WhoHasTooLittleLendsNothingAndTheNextEpochEndsIt(t *testing.T) {
	e := network(t, 4)
	p, err := e.k.Params(e.ctx)
	require.NoError(t, err)
	p.MinLendingWeight = 1_000
	_, err = keeper.NewMsgServer(e.k).UpdateParams(e.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	e.stake(1_000, 999, 0, 50)
	e.alpha.lend(hotkey(0), hotkey(2), 500_000)
	e.alpha.lend(hotkey(1), hotkey(2), 500_000)
	e.alpha.lend(hotkey(9), hotkey(8), 500_000) // neither has a uid
	e.alpha.lend(hotkey(3), hotkey(2), 1_000_000)
	require.Equal(t, []uint64{500, 999, 500, 50}, e.weights(), "only who has 1,000 lends")
	require.Len(t, e.alpha.children, 4)

	e.staking.add(hotkey(3), 100_000, stakingtypes.Bonded) // root stake counts: it weighs 18,000
	_, err = e.k.RunEpoch(e.ctx, firstID, e.roots())
	require.NoError(t, err)
	var left []string
	for _, c := range e.alpha.children {
		left = append(left, c.Parent)
	}
	require.ElementsMatch(t, []string{hotkey(0), hotkey(3)}, left)
}
