package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestSection5ALoanThatIsEndedLeavesNothingButAChangeThatWaits(t *testing.T) {
	e := family(t)
	e.lends("alice", "miner", 1, lend("child 1", 250_000), lend("child 2", 1))
	e.end(dayBlocks, dayTime)
	e.lends("alice", "miner", 1, lend("child 3", 7))
	require.Len(t, e.childrenOf("miner", 1).Children, 2)

	e.ok(func(ctx context.Context) error { return e.k.EndLending(ctx, e.at(1).SubnetId, addr("miner")) })
	now := e.childrenOf("miner", 1)
	require.Empty(t, now.Children)
	require.NotNil(t, now.Pending)
	parents, err := e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: 1, Hotkey: str("child 1")})
	require.NoError(t, err)
	require.Empty(t, parents.Parents)

	e.end(dayBlocks, dayTime)
	require.Equal(t, []types.Child{lend("child 3", 7)}, e.childrenOf("miner", 1).Children)
}
