package client_test

import (
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
)

// signedElsewhere is a transfer of alice's that another chain of the same id took.
func signedElsewhere(t *testing.T) []byte {
	f, n, alice := running(t, 5*tao)
	_, err := connect(t, nil, n).Transfer(within(t, 10*time.Second), alice, key(t, "bob").Address(), tao)
	require.NoError(t, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.order[0]
}

func TestATransactionSignedElsewhereIsCommittedOnce(t *testing.T) {
	t.Parallel()
	raw := signedElsewhere(t)
	f, n, _ := running(t, 5*tao)
	c := connect(t, nil, n)
	first, err := c.SendRaw(within(t, 10*time.Second), raw)
	require.NoError(t, err)
	require.Positive(t, first.Height)
	_, err = client.Response[*banktypes.MsgSendResponse](first)
	require.NoError(t, err)

	again, err := c.SendRaw(within(t, 10*time.Second), raw)
	require.NoError(t, err)
	require.Equal(t, first.Hash, again.Hash)
	require.Equal(t, first.Height, again.Height)
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Len(t, f.order, 1)
}

func TestATransactionSignedElsewhereThatIsRefusedSaysWhy(t *testing.T) {
	t.Parallel()
	raw := signedElsewhere(t)
	_, n, _ := running(t, 1)
	c := connect(t, nil, n)
	_, err := c.SendRaw(within(t, 10*time.Second), raw)
	require.ErrorIs(t, err, client.ErrTxFailed)
	require.ErrorIs(t, err, sdkerrors.ErrInsufficientFunds)
	_, err = c.SendRaw(within(t, 10*time.Second), []byte("hello"))
	require.ErrorIs(t, err, client.ErrTxFailed)
}

func TestATransactionSignedElsewhereThatFailsInABlockSaysWhy(t *testing.T) {
	t.Parallel()
	raw := signedElsewhere(t)
	f, n, _ := running(t, 5*tao)
	f.mu.Lock()
	f.spoil = func([]byte) *abci.ExecTxResult { return failure(sdkerrors.ErrInsufficientFunds) }
	f.mu.Unlock()
	_, err := connect(t, nil, n).SendRaw(within(t, 10*time.Second), raw)
	var tx *client.TxError
	require.ErrorAs(t, err, &tx)
	require.Positive(t, tx.Height)
}

func TestATransactionSignedElsewhereThatNoBlockTakesMayHappenYet(t *testing.T) {
	t.Parallel()
	raw := signedElsewhere(t)
	f, n, _ := running(t, 5*tao)
	f.mu.Lock()
	f.full = true
	f.mu.Unlock()
	_, err := connect(t, nil, n).SendRaw(within(t, time.Second), raw)
	require.ErrorIs(t, err, client.ErrTxUnknown)
}

func TestATransactionSignedElsewhereIsRunWithoutBeingSent(t *testing.T) {
	t.Parallel()
	raw := signedElsewhere(t)
	f, n, _ := running(t, 5*tao)
	c := connect(t, nil, n)
	gas, err := c.SimulateRaw(within(t, 10*time.Second), raw)
	require.NoError(t, err)
	require.Positive(t, gas)
	f.mu.Lock()
	require.Empty(t, f.order)
	f.mu.Unlock()

	_, err = c.SimulateRaw(within(t, 10*time.Second), []byte("hello"))
	require.ErrorIs(t, err, client.ErrTxFailed)
	_, poor, _ := running(t, 1)
	_, err = connect(t, nil, poor).SimulateRaw(within(t, 10*time.Second), raw)
	require.ErrorIs(t, err, sdkerrors.ErrInsufficientFunds)
}
