package client_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

func TestTheSignersMustBeThoseOfTheMessages(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	bob := key(t, "bob")
	f.fund(bob.Address(), 5*tao)
	c := connect(t, nil, n)
	ctx := within(t, 10*time.Second)
	_, err := c.Send(ctx, []*wallet.Signer{alice}, send(bob, alice.Address(), 1))
	require.ErrorContains(t, err, "must be signed by "+bob.Address())
	_, err = c.Send(ctx, []*wallet.Signer{alice, bob}, send(alice, bob.Address(), 1))
	require.ErrorContains(t, err, "no message needs the signature of "+bob.Address())
	_, err = c.Send(ctx, nil, send(alice, bob.Address(), 1))
	require.ErrorContains(t, err, "without signers")
	_, err = c.Send(ctx, []*wallet.Signer{alice})
	require.ErrorContains(t, err, "without messages")
	_, err = c.SendFree(ctx, alice, send(alice, bob.Address(), 1))
	require.ErrorContains(t, err, "MsgSend")
	require.Zero(t, len(f.sent))
}

func TestTheFirstSignerPays(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	bob := key(t, "bob")
	f.fund(bob.Address(), 5*tao)
	c := connect(t, nil, n)
	bind := &alphatypes.MsgBindHotkey{Coldkey: alice.Address(), Hotkey: bob.Address()}
	for _, signers := range [][]*wallet.Signer{{alice, bob}, {bob, alice}} {
		f.mu.Lock()
		before := f.accounts[signers[0].Address()].rao
		f.mu.Unlock()
		res, err := c.Send(within(t, 10*time.Second), signers, bind)
		require.NoError(t, err)
		f.mu.Lock()
		require.Equal(t, before-res.FeeRao, f.accounts[signers[0].Address()].rao)
		f.mu.Unlock()
	}
}

func TestAFeeGranterPaysInsteadOfTheSigner(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	agent := key(t, "agent")
	f.fund(agent.Address(), 0)
	granted := connect(t, func(cfg *client.Config) { cfg.FeeGranter = alice.Address() }, n)
	ctx := within(t, 10*time.Second)
	res, err := granted.Send(ctx, []*wallet.Signer{agent}, send(agent, alice.Address(), 0))
	require.NoError(t, err)
	require.NotZero(t, res.FeeRao)
	f.mu.Lock()
	require.Equal(t, 5*tao-res.FeeRao, f.accounts[alice.Address()].rao)
	require.Zero(t, f.accounts[agent.Address()].rao)
	f.accounts[alice.Address()].rao = 1
	f.mu.Unlock()
	_, err = granted.Send(ctx, []*wallet.Signer{agent}, send(agent, alice.Address(), 0))
	var funds *client.FundsError
	require.ErrorAs(t, err, &funds)
	require.Equal(t, alice.Address(), funds.Address)

	_, err = connect(t, nil, n).Send(ctx, []*wallet.Signer{agent}, send(agent, alice.Address(), 0))
	require.ErrorAs(t, err, &funds)
	require.Equal(t, agent.Address(), funds.Address)

	// The chain writes both addresses as raw bytes, its words are not for people.
	for why, meaning := range map[string]string{
		"collections: not found: key '(\"lode1a\", \"lode1b\")' of type x: fee-grant not found": "allows none",
		"basic allowance: fee allowance expired":                                                "has expired",
		"fee limit exceeded":                                                                    "is used up",
		"allowed message: message does not exist in allowed messages: message not allowed":      "not for this message",
	} {
		f.mu.Lock()
		f.accounts[alice.Address()].rao = tao
		f.spoil = func([]byte) *abci.ExecTxResult {
			return &abci.ExecTxResult{Codespace: "undefined", Code: 1, Log: "\xd3\xb3f does not allow to pay fees for \x01\x9a: " + why}
		}
		f.mu.Unlock()
		_, err = granted.Send(ctx, []*wallet.Signer{agent}, send(agent, alice.Address(), 0))
		require.ErrorIs(t, err, client.ErrNoFeeAllowance)
		require.ErrorIs(t, err, client.ErrTxFailed)
		require.ErrorContains(t, err, alice.Address()+" pays no fees for "+agent.Address()+": ")
		require.ErrorContains(t, err, meaning)
		code, hint := client.Describe(err)
		require.Equal(t, "no_fee_allowance", code)
		require.Contains(t, hint, "--list")
	}

	f.mu.Lock()
	f.spoil = func([]byte) *abci.ExecTxResult {
		return &abci.ExecTxResult{Codespace: "market", Code: 20, Log: `failed to execute message; message index: 0: ` +
			`failed to execute message; message payer:"lode1a" amount:5 session_key:"\263Z\"\365: " close_delay:3600 spender:"lode1b" : it may pay the services [2], this is service 1: spending limit`}
	}
	f.mu.Unlock()
	_, err = granted.Send(ctx, []*wallet.Signer{agent}, send(agent, alice.Address(), 0))
	var failed *client.TxError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "it may pay the services [2], this is service 1: spending limit", failed.Log)
	f.mu.Lock()
	f.spoil = nil
	f.mu.Unlock()
	_, err = client.New(client.Config{Nodes: []string{n.url}, FeeGranter: "alice"})
	require.ErrorContains(t, err, `fee granter "alice" is no address`)
}

func TestKeysThatSignTogetherDontWaitForEachOther(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 500*tao)
	bob := key(t, "bob")
	f.fund(bob.Address(), 500*tao)
	c := connect(t, nil, n)
	ctx := within(t, 60*time.Second)
	var wg sync.WaitGroup
	for i := range 10 {
		for _, signers := range [][]*wallet.Signer{{alice, bob}, {bob, alice}} {
			wg.Go(func() {
				_, err := c.Send(ctx, signers,
					send(signers[0], signers[1].Address(), uint64(i)+1), send(signers[1], signers[0].Address(), uint64(i)+1))
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, 20, len(f.order))
}

func TestTheFreeLaneAsksForItsGasAndPaysNothing(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 1)
	c := connect(t, nil, n)
	m := &weightstypes.MsgCommitWeights{Hotkey: alice.Address(), Netuid: 1, Hash: bytes.Repeat([]byte{1}, 32)}
	res, err := c.SendFree(within(t, 10*time.Second), alice, m)
	require.NoError(t, err)
	require.Zero(t, res.FeeRao)
	var raw txtypes.TxRaw
	var auth txtypes.AuthInfo
	require.NoError(t, raw.Unmarshal(f.order[0]))
	require.NoError(t, auth.Unmarshal(raw.AuthInfoBytes))
	gas, _ := weightstypes.LaneGas(m)
	require.Equal(t, gas, auth.Fee.GasLimit)
	require.Empty(t, auth.Fee.Amount)
	require.Zero(t, n.calls["simulate"])
}

func TestEstimateTouchesNothing(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, tao)
	c := connect(t, func(cfg *client.Config) { cfg.GasPrice, cfg.GasAdjustment = "0.5rao", 2 }, n)
	gas, fee, err := c.Estimate(within(t, 10*time.Second), []*wallet.Signer{alice}, send(alice, alice.Address(), 1))
	require.NoError(t, err)
	require.EqualValues(t, 160_000, gas)
	require.EqualValues(t, 80_000, fee)
	require.Zero(t, len(f.sent))
}

func TestTheSameTransactionTwiceIsTwo(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	var times []time.Time
	for range 2 {
		_, err := connect(t, nil, n).Transfer(within(t, 10*time.Second), alice, alice.Address(), 1)
		require.NoError(t, err)
	}
	for _, raw := range f.sent {
		var tx txtypes.TxRaw
		require.NoError(t, tx.Unmarshal(raw))
		var body txtypes.TxBody
		require.NoError(t, body.Unmarshal(tx.BodyBytes))
		require.Greater(t, body.TimeoutTimestamp.Year(), 2149, "it ends nothing")
		times = append(times, *body.TimeoutTimestamp)
	}
	require.Len(t, times, 2)
	require.NotEqual(t, times[0], times[1], "were their sequences the same, they would still differ")
}
