package client_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const tao = client.RaoPerTAO

// running is a chain with a node that makes blocks, and a key with funds.
func running(t *testing.T, rao uint64) (*fakeChain, *fakeNode, *wallet.Signer) {
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	alice := key(t, "alice")
	f.fund(alice.Address(), rao)
	f.run(t, 50*time.Millisecond)
	return f, n, alice
}

func TestATransferIsCommittedWhenSendReturns(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	c := connect(t, nil, n)
	res, err := c.Transfer(within(t, 10*time.Second), alice, key(t, "bob").Address(), tao)
	require.NoError(t, err)
	require.Equal(t, 1, len(f.order))
	require.Positive(t, res.Height)
	require.Len(t, res.Hash, 64)
	require.EqualValues(t, 1040, res.FeeRao, "80,000 gas · 1.3 · 0.01 rao")
	require.Equal(t, "sent", res.Events[0].Type)
	_, err = client.Response[*banktypes.MsgSendResponse](res)
	require.NoError(t, err)
	_, err = client.Response[*alphatypes.MsgStakeResponse](res)
	require.ErrorContains(t, err, "MsgStakeResponse")
	rao, err := c.Balance(within(t, time.Second), alice.Address())
	require.NoError(t, err)
	require.EqualValues(t, 4*tao-1040, rao)
}

func TestAHundredGoroutinesWithOneKeyLoseNothing(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 500*tao)
	c := connect(t, nil, n)
	sendMany(t, c, alice, 100)
	require.Equal(t, 100, len(f.order))
	require.Equal(t, 100, distinct(f.order))
	require.Equal(t, 100, distinct(f.sent), "none was signed twice")
}

// sendMany sends TAO from as many goroutines, and checks that each was committed.
func sendMany(t *testing.T, c *client.Client, from *wallet.Signer, many int) {
	t.Helper()
	ctx := within(t, 60*time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	hashes := map[string]bool{}
	for i := range many {
		wg.Go(func() {
			res, err := c.Transfer(ctx, from, from.Address(), uint64(i)+1)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			hashes[res.Hash] = true
		})
	}
	wg.Wait()
	require.Equal(t, many, len(hashes))
}

func TestTwoProcessesMayUseOneKey(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 500*tao)
	var wg sync.WaitGroup
	for range 2 {
		c := connect(t, nil, n)
		wg.Go(func() { sendMany(t, c, alice, 20) })
	}
	wg.Wait()
	require.Equal(t, 40, len(f.order))
}

func TestALostAnswerDoesNotSendTwice(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		t.Run(fmt.Sprintf("lost before the node took it: %v", before), func(t *testing.T) {
			t.Parallel()
			f, n, alice := running(t, 5*tao)
			var lost atomic.Bool
			n.set(func(n *fakeNode) {
				n.fault = func(method string, at bool, w http.ResponseWriter, _ *http.Request) bool {
					return method == "broadcast_tx_sync" && at == before && lost.CompareAndSwap(false, true) && drop(w)
				}
			})
			c := connect(t, nil, n)
			_, err := c.Transfer(within(t, 20*time.Second), alice, alice.Address(), 1)
			require.NoError(t, err)
			require.True(t, lost.Load())
			require.Equal(t, 1, len(f.order))
			require.Equal(t, 1, distinct(f.sent), "what was sent again was the same bytes")
		})
	}
}

func TestWhatANodeForgetsIsSentAgainInOrder(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 50*tao)
	f.mu.Lock()
	f.full = true
	f.mu.Unlock()
	c := connect(t, nil, n)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := c.Transfer(within(t, 30*time.Second), alice, alice.Address(), uint64(i)+1); err != nil {
				t.Error(err)
			}
		})
	}
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.mempool) == 5
	}, 10*time.Second, time.Millisecond)
	f.loseMempool()
	f.mu.Lock()
	f.full = false
	f.mu.Unlock()
	wg.Wait()
	require.Equal(t, 5, len(f.order))
	require.Equal(t, 5, distinct(f.sent), "the same bytes")
}

func TestALaterTransactionBringsBackWhatANodeForgot(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 50*tao)
	f.mu.Lock()
	f.full = true
	f.mu.Unlock()
	c := connect(t, nil, n)
	done := make(chan error, 2)
	transfer := func(rao uint64) {
		_, err := c.Transfer(within(t, 30*time.Second), alice, alice.Address(), rao)
		done <- err
	}
	go transfer(1)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.mempool) == 1
	}, 10*time.Second, time.Millisecond)
	f.loseMempool()
	f.mu.Lock()
	f.full = false
	f.mu.Unlock()
	go transfer(2)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Equal(t, 2, len(f.order))
	require.Equal(t, 2, distinct(f.sent))
}

func TestATransactionThatNoBlockTakesExpires(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	f.mu.Lock()
	f.full = true
	f.mu.Unlock()
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 30*time.Second), alice, alice.Address(), 1)
	require.ErrorIs(t, err, client.ErrTxExpired)
	f.mu.Lock()
	f.full, f.mempool = false, nil
	f.mu.Unlock()
	f.loseMempool()
	_, err = c.Transfer(within(t, 30*time.Second), alice, alice.Address(), 1)
	require.NoError(t, err, "its sequence is free again")
	require.Equal(t, 1, len(f.order))
}

func TestWhoGivesUpWaitingIsToldThatItMayHappenYet(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	f.mu.Lock()
	f.full = true
	f.mu.Unlock()
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 500*time.Millisecond), alice, alice.Address(), 1)
	require.ErrorIs(t, err, client.ErrTxUnknown)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Regexp(t, `[0-9A-F]{64} was sent and may be committed until block \d+`, err.Error())
}

func TestInsufficientFundsSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, tao)
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 10*time.Second), alice, key(t, "bob").Address(), 3*tao/2)
	require.ErrorIs(t, err, client.ErrInsufficientFunds)
	require.ErrorIs(t, err, client.ErrTxFailed)
	require.ErrorContains(t, err, alice.Address()+" has 1 TAO to spend, this needs 1.5 TAO")
	_, hint := client.Describe(err)
	require.Contains(t, hint, "faucet")

	// All that there is leaves nothing for the fee: refused by the simulation.
	_, err = c.Transfer(within(t, 10*time.Second), alice, key(t, "bob").Address(), tao)
	require.ErrorIs(t, err, client.ErrInsufficientFunds)
	require.Zero(t, len(f.sent), "nothing was sent, nothing paid")
	// All but the fee is fine, although the first guess of the fee was higher.
	_, err = c.Transfer(within(t, 10*time.Second), alice, key(t, "bob").Address(), tao-1040)
	require.NoError(t, err)
	rao, err := c.Balance(within(t, time.Second), alice.Address())
	require.NoError(t, err)
	require.Zero(t, rao)
}

func TestAnAccountThatDoesNotExistIsNamed(t *testing.T) {
	t.Parallel()
	_, n, _ := running(t, tao)
	c := connect(t, nil, n)
	nobody := key(t, "nobody")
	_, err := c.Transfer(within(t, 10*time.Second), nobody, nobody.Address(), 1)
	require.ErrorIs(t, err, client.ErrNoAccount)
	require.ErrorContains(t, err, nobody.Address())
	has, err := c.HasAccount(within(t, time.Second), nobody.Address())
	require.NoError(t, err)
	require.False(t, has)
}

func TestATransactionThatFailsInABlockSaysWhy(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	f.mu.Lock()
	f.spoil = func([]byte) *abci.ExecTxResult {
		return failure(weightstypes.ErrTooSoon.Wrap("the first block that will be accepted is 12"))
	}
	f.mu.Unlock()
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 10*time.Second), alice, alice.Address(), 1)
	var tx *client.TxError
	require.ErrorAs(t, err, &tx)
	require.Positive(t, tx.Height)
	require.Equal(t, weightstypes.ModuleName, tx.Codespace)
	require.ErrorIs(t, err, client.ErrTxFailed)
	require.ErrorIs(t, err, weightstypes.ErrTooSoon, "the module's own error is found")
	require.ErrorContains(t, err, "first block that will be accepted is 12")
	require.ErrorContains(t, err, "paid its fee")
}

func TestABlockThatRefusesASequenceMakesItSignedAnew(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	var once atomic.Bool
	f.mu.Lock()
	f.spoil = func([]byte) *abci.ExecTxResult {
		if !once.CompareAndSwap(false, true) {
			return nil
		}
		return &abci.ExecTxResult{Codespace: "sdk", Code: 32, Log: "account sequence mismatch, expected 1, got 0"}
	}
	f.mu.Unlock()
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 10*time.Second), alice, alice.Address(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, len(f.order))
}

func TestAChainBegunAnewGivesNewAccountNumbers(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	c := connect(t, nil, n)
	_, err := c.Transfer(within(t, 10*time.Second), alice, alice.Address(), 1)
	require.NoError(t, err)
	f.mu.Lock()
	f.accounts[alice.Address()].number += 9
	f.mu.Unlock()
	_, err = c.Transfer(within(t, 10*time.Second), alice, alice.Address(), 1)
	require.NoError(t, err)
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, n, alice := running(t, tao)
	c := connect(t, nil, n)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Transfer(ctx, alice, alice.Address(), 1)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, slices.Contains([]string{"unavailable"}, first(client.Describe(err))))
}

func first(a, _ string) string { return a }
