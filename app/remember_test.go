package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
)

// What the mempool has found right is not verified again; nothing else gets in by it.
func TestASignatureThatTheMempoolFoundRightIsGoodForItsTransactionOnce(t *testing.T) {
	c := newChain(t)
	good := c.sign(paid, []string{"user"}, send("user", "ann", 10*tao))
	require.Zero(t, c.check(good).Code)
	var raw, more txtypes.TxRaw
	require.NoError(t, raw.Unmarshal(good))
	require.NoError(t, more.Unmarshal(c.sign(paid, []string{"user"}, send("user", "ann", 1_000*tao))))
	raw.BodyBytes = more.BodyBytes // of the same sender and sequence
	forged, err := raw.Marshal()
	require.NoError(t, err)

	results := c.block(forged, good, good)
	require.NotZero(t, results[0].Code)
	require.Contains(t, results[0].Log, "signature verification failed")
	require.Zero(t, results[1].Code, results[1].Log)
	require.NotZero(t, results[2].Code)
	require.Contains(t, results[2].Log, "sequence")
	require.EqualValues(t, 10*tao, c.balance("ann"))
}
