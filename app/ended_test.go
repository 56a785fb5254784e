package app_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/lodenet/lode/app"
)

// A node that indexes only some attributes leaves the events of a block's end to the SDK,
// which here was told of none and so indexes all.
func TestTheEndOfABlockHasTheEventsThatTheSDKWrites(t *testing.T) {
	ours := chainOf(t, genesis(t))
	theirs := chainWith(t, genesis(t), appOptions{app.FlagCheckInvariants: 1, server.FlagIndexEvents: []string{"mint.amount"}})
	ours.blocks(4)
	theirs.blocks(4)
	require.Equal(t, theirs.lastHash, ours.lastHash)
	require.Equal(t, theirs.events, ours.events)
	ends := 0
	for _, e := range ours.events {
		if last := e.Attributes[len(e.Attributes)-1]; last.Key == "mode" && last.Value == "EndBlock" {
			ends++
		}
	}
	require.GreaterOrEqual(t, ends, 4, "each block has a reward")
}

// A node may have run a block when it is decided, and may be asked for it twice.
func TestABlockThatIsAskedForAgainHasItsEventsOnce(t *testing.T) {
	c := chainOf(t, genesis(t))
	c.blocks(2)
	txs := [][]byte{c.frame()}
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, c.propose(txs...))
	hash := sha256.Sum256(fmt.Append(nil, c.height+1, txs))
	req := &abci.RequestFinalizeBlock{
		Txs: txs, Hash: hash[:], Height: c.height + 1, Time: c.time.Add(time.Second), ProposerAddress: c.proposer, DecidedLastCommit: c.votes(),
	}
	first, err := c.FinalizeBlock(req)
	require.NoError(t, err)
	many, rewards := len(first.Events), 0
	for _, e := range first.Events {
		if e.Type == "lode.emission.v1.EventBlockReward" {
			rewards++
		}
	}
	require.Equal(t, 1, rewards)
	again, err := c.FinalizeBlock(req)
	require.NoError(t, err)
	require.Len(t, again.Events, many)
	require.Equal(t, first.AppHash, again.AppHash)
}
