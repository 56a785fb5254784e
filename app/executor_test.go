package app_test

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/config"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"

	"github.com/lodenet/lode/app"
)

// Results are hashed into the next block's header: nodes whose blocks run one
// transaction after the other and nodes that run them side by side must agree on
// every one of them, also on the proof's.
func TestHoweverABlockIsRunItsResultsAreTheSame(t *testing.T) {
	results := func(o appOptions) []*abci.ExecTxResult {
		c := chainWith(t, genesis(t), o)
		c.block()
		return c.decide(c.frame(), c.sign(paid, []string{"user"}, send("user", "owner", 1)), c.sign(paid, []string{"user"}, send("user", "new", 1)), c.sign(paid, []string{"owner"}, send("owner", "user", 1<<62)))
	}
	want := results(options)
	require.EqualValues(t, 2, want[0].Code)
	require.Zero(t, want[0].GasUsed)
	require.Zero(t, want[2].Code, want[2].Log)
	require.NotZero(t, want[3].Code)
	for name, estimate := range map[string]bool{"side by side": false, "side by side with estimates": true} {
		t.Run(name, func(t *testing.T) {
			got := results(appOptions{
				app.FlagCheckInvariants: 1, server.FlagBlockExecutor: config.BlockExecutorBlockSTM,
				server.FlagBlockSTMWorkers: 3, server.FlagBlockSTMPreEstimate: estimate,
			})
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, want[i].Code, got[i].Code, i)
				require.Equal(t, want[i].GasUsed, got[i].GasUsed, i)
				require.Equal(t, want[i].Data, got[i].Data, i)
				require.Equal(t, want[i].Events, got[i].Events, i)
			}
		})
	}
}

// Evidence comes by CometBFT alone; who sends it in a transaction is told so.
func TestEvidenceInATransactionIsRefused(t *testing.T) {
	c := newChain(t)
	m, err := evidencetypes.NewMsgSubmitEvidence(addr("user"), &evidencetypes.Equivocation{
		Height: 1, Time: c.time, Power: 1, ConsensusAddress: c.proposer.String(),
	})
	require.NoError(t, err)
	res := c.block(c.sign(paid, []string{"user"}, m))[0]
	require.Equal(t, evidencetypes.ModuleName, res.Codespace, res.Log)
	require.Equal(t, evidencetypes.ErrNoEvidenceHandlerExists.ABCICode(), res.Code, res.Log)
}
