package keeper_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// above stands for a module that keeps so many records under a coldkey.
type above struct {
	from, to sdk.AccAddress
	left     int
	fails    error
	panics   bool
	calls    []int // how many records might move at most, by call
}

func (a *above) MoveColdkey(_ context.Context, from, to sdk.AccAddress, most int) (int, error) {
	a.from, a.to, a.calls = from, to, append(a.calls, most)
	if a.panics {
		panic("a module above fails")
	}
	n := min(a.left, most)
	a.left -= n
	return n, a.fails
}

func TestSection4ASwapMovesWhatModulesAboveKeepWithinTheSameBound(t *testing.T) {
	e := swapEnv(t)
	a := &above{left: 450}
	e.k.SetHooks(a)
	e.announce("alice", "new")
	e.wait(59)
	require.Empty(t, a.calls)
	e.wait(1)
	rao := e.rao("alice")
	// The block looked at the swap, and moved two stakes and a hotkey.
	require.Equal(t, []int{196}, a.calls)
	require.Equal(t, []sdk.AccAddress{addr("alice"), addr("new")}, []sdk.AccAddress{a.from, a.to})
	require.Equal(t, str("new"), e.owner("miner"))
	require.True(t, e.swap("alice").Swap.Executing)
	require.ErrorIs(t, e.k.Unlocked(e.ctx, addr("alice")), types.ErrColdkeyLocked)
	e.wait(1)
	require.Equal(t, rao, e.rao("alice"), "the balance comes last")
	e.wait(1)
	require.Equal(t, []int{196, 199, 199}, a.calls)
	require.Zero(t, a.left)
	e.requireSwapped("alice", "new")
}

func TestSection4AModuleAboveThatKeepsExactlyAsMuchAsABlockMovesIsAskedOnceMore(t *testing.T) {
	e := swapEnv(t)
	a := &above{left: 196}
	e.k.SetHooks(a)
	e.announce("alice", "new")
	e.wait(60)
	require.NotNil(t, e.swap("alice").Swap)
	e.wait(1)
	require.Equal(t, []int{196, 199}, a.calls)
	e.requireSwapped("alice", "new")
}

func TestSection7AModuleAboveThatFailsHoldsUpNeitherStakesNorOthersSwaps(t *testing.T) {
	for name, a := range map[string]*above{
		"an error": {fails: errors.New("a module above fails")},
		"a panic":  {panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := swapEnv(t)
			e.k.SetHooks(a)
			e.announce("alice", "new")
			rao := e.rao("alice")
			e.wait(60)
			require.Equal(t, str("new"), e.owner("miner"))
			require.Positive(t, e.staked("new", "miner", 1))
			require.Zero(t, e.staked("alice", "miner", 1))
			swap := e.swap("alice").Swap
			require.True(t, swap.Executing)
			require.Equal(t, e.ctx.BlockHeight()+100, swap.DueHeight)
			require.Equal(t, rao, e.rao("alice"), "it stays locked, with its coins")

			*a = above{}
			e.announce("bob", "other")
			e.wait(60)
			require.Equal(t, str("other"), e.owner("validator"))
			e.wait(40)
			e.requireSwapped("alice", "new")
		})
	}
}
