//go:build linux

package cluster_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	tao    = 1_000_000_000 // rao
	payers = 4
	funds  = 50 * tao // of each payer
)

// ledger is a client's: it sends all the time, and writes down what it was told is
// committed. At the end the chain must say the same on every node, to the rao.
type ledger struct {
	t      *testing.T
	c      *cluster
	client *client.Client
	payers []*wallet.Signer
	owner  *wallet.Signer // of a subnet, in which it stakes
	hotkey *wallet.Signer // commits weights for free

	end  chan struct{}
	busy sync.WaitGroup

	mu       sync.Mutex
	receipts []receipt
	balances map[string]int64 // rao, by address of a payer
	expired  int              // the client was told that they did not happen
	delayed  int              // nothing was sent: no node could be reached, or the chain stood
	refused  map[string]int   // why, how often
	failures []error
}

type receipt struct {
	kind   string
	hash   string
	height int64
}

// keep begins to send; nodes are those that the client knows.
func keep(c *cluster) *ledger {
	c.t.Helper()
	l := &ledger{t: c.t, c: c, end: make(chan struct{}), balances: map[string]int64{}, refused: map[string]int{}}
	var urls []string
	for _, m := range c.nodes {
		urls = append(urls, m.url)
	}
	var err error
	l.client, err = client.New(client.Config{
		Nodes: urls, ChainID: c.chainID, Timeout: 5 * time.Second, MaxBlockAge: 20 * time.Second,
		TxTimeout: time.Hour, // it is never left open whether one was committed
	})
	require.NoError(c.t, err)
	c.t.Cleanup(func() { l.client.Close() })
	l.prepare()
	for i := range l.payers {
		l.busy.Go(func() { l.pay(i) })
	}
	l.busy.Go(l.stake)
	l.busy.Go(l.commit)
	// The hotkey has its permit with the subnet's first epoch.
	c.until("a commit of weights is confirmed", func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		done := slices.ContainsFunc(l.receipts, func(r receipt) bool { return r.kind == "commit" })
		return done, fmt.Sprint(l.refused)
	})
	return l
}

// operators are the signers of a network's validators.
func (c *cluster) operators() (signers []*wallet.Signer) {
	c.t.Helper()
	pass, err := os.ReadFile(filepath.Join(c.dir, "passphrase"))
	require.NoError(c.t, err)
	w, err := wallet.Open(filepath.Join(c.dir, "wallet"), func(bool) (string, error) { return string(pass), nil })
	require.NoError(c.t, err)
	for i := range c.nodes {
		s, err := w.Signer(fmt.Sprintf("validator-%d", i))
		require.NoError(c.t, err)
		signers = append(signers, s)
	}
	return signers
}

// prepare makes the accounts and a subnet, with the operators' money.
func (l *ledger) prepare() {
	t := l.t
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	key := func() *wallet.Signer {
		s, err := wallet.NewSigner(secp256k1.GenPrivKey().Bytes())
		require.NoError(t, err)
		return s
	}
	operators := l.c.operators()
	send := func(from *wallet.Signer, to *wallet.Signer, rao int64) *banktypes.MsgSend {
		return &banktypes.MsgSend{FromAddress: from.Address(), ToAddress: to.Address(), Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, rao))}
	}
	l.owner, l.hotkey = key(), key()
	first := []sdk.Msg{send(operators[0], l.owner, 700*tao), send(operators[0], l.hotkey, 1)}
	for range payers {
		p := key()
		l.payers = append(l.payers, p)
		l.balances[p.Address()] = funds
		first = append(first, send(operators[0], p, funds))
	}
	_, err := l.client.Send(ctx, operators[:1], first...)
	require.NoError(t, err)
	_, err = l.client.Send(ctx, operators[1:2], send(operators[1], l.owner, 700*tao))
	require.NoError(t, err)
	_, err = l.client.Send(ctx, []*wallet.Signer{l.owner, l.hotkey},
		&alphatypes.MsgBindHotkey{Coldkey: l.owner.Address(), Hotkey: l.hotkey.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: l.owner.Address(), Hotkey: l.hotkey.Address(), MaxLock: 1_000 * tao, Name: "faults"},
		&subnetstypes.MsgStartSubnet{Coldkey: l.owner.Address(), Netuid: 1})
	require.NoError(t, err)
}

// sending runs something until the ledger is closed.
func (l *ledger) sending(f func(ctx context.Context) (kind string, res *client.TxResult, err error)) {
	for {
		select {
		case <-l.end:
			return
		case <-l.t.Context().Done():
			return
		default:
		}
		kind, res, err := f(l.t.Context())
		l.mu.Lock()
		var tx *client.TxError
		switch {
		case err == nil && res == nil: // nothing to do yet
		case err == nil:
			l.receipts = append(l.receipts, receipt{kind, res.Hash, res.Height})
		case errors.Is(err, client.ErrTxExpired):
			l.expired++
		case errors.Is(err, client.ErrTxUnknown), errors.As(err, &tx) && tx.Height > 0:
			l.failures = append(l.failures, fmt.Errorf("%s: %w", kind, err))
		case tx != nil:
			l.refused[fmt.Sprintf("%s: %s %d", kind, tx.Codespace, tx.Code)]++
			if kind == "transfer" {
				l.failures = append(l.failures, fmt.Errorf("%s: %w", kind, err))
			}
		default:
			l.delayed++
		}
		l.mu.Unlock()
		if err != nil {
			l.pause(blockTime)
		}
	}
}

// pause is cut off by the ledger's end.
func (l *ledger) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.end:
	}
}

// pay sends from one payer to the next, an odd amount each time.
func (l *ledger) pay(i int) {
	from, to := l.payers[i], l.payers[(i+1)%payers]
	rao := uint64(1_000 + i)
	l.sending(func(ctx context.Context) (string, *client.TxResult, error) {
		rao += 7
		res, err := l.client.Transfer(ctx, from, to.Address(), rao)
		if err == nil {
			l.mu.Lock()
			l.balances[from.Address()] -= int64(rao + res.FeeRao)
			l.balances[to.Address()] += int64(rao)
			l.mu.Unlock()
		}
		return "transfer", res, err
	})
}

// stake buys alpha, and sells half of it again.
func (l *ledger) stake() {
	var bought uint64
	l.sending(func(ctx context.Context) (string, *client.TxResult, error) {
		if bought > 0 {
			alpha := bought / 2
			bought = 0
			res, err := l.client.Send(ctx, []*wallet.Signer{l.owner}, &alphatypes.MsgUnstake{
				Coldkey: l.owner.Address(), Hotkey: l.hotkey.Address(), Netuid: 1, Alpha: alpha, LimitPrice: 1,
			})
			return "unstake", res, err
		}
		res, err := l.client.Send(ctx, []*wallet.Signer{l.owner}, &alphatypes.MsgStake{
			Coldkey: l.owner.Address(), Hotkey: l.hotkey.Address(), Netuid: 1, Tao: tao / 10, LimitPrice: math.MaxInt64,
		})
		if err != nil {
			return "stake", nil, err
		}
		staked, err := client.Response[*alphatypes.MsgStakeResponse](res)
		if err != nil {
			return "stake", nil, err
		}
		bought = staked.AlphaStaked
		return "stake", res, nil
	})
}

// commit sends commits of weights through the free lane, as often as their limit lets it.
func (l *ledger) commit() {
	var next int64
	l.sending(func(ctx context.Context) (string, *client.TxResult, error) {
		s, err := l.client.Status(ctx)
		if err != nil {
			return "commit", nil, err
		}
		if s.Height < next {
			l.pause(blockTime)
			return "commit", nil, nil
		}
		hash := make([]byte, 32)
		if _, err := rand.Read(hash); err != nil {
			return "commit", nil, err
		}
		res, err := l.client.SendFree(ctx, l.hotkey, &weightstypes.MsgCommitWeights{Hotkey: l.hotkey.Address(), Netuid: 1, Hash: hash})
		if err == nil {
			next = res.Height + 6
		}
		return "commit", res, err
	})
}

// so says what was sent so far.
func (l *ledger) so() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := map[string]int{}
	for _, r := range l.receipts {
		kinds[r.kind]++
	}
	return fmt.Sprintf("%d confirmed (%d transfers, %d stakes, %d unstakes, %d commits), %d expired, %d delayed, refused: %v",
		len(l.receipts), kinds["transfer"], kinds["stake"], kinds["unstake"], kinds["commit"], l.expired, l.delayed, l.refused)
}

// close ends the sending; what is on its way is settled first.
func (l *ledger) close() {
	l.t.Helper()
	close(l.end)
	settled := make(chan struct{})
	go func() { l.busy.Wait(); close(settled) }()
	select {
	case <-settled:
	case <-time.After(hung):
		l.c.dump()
		l.t.Fatalf("the client still waits: %s", l.so())
	}
}

// check closes the ledger and compares it with every node: each receipt's transaction
// is there by its hash, in the same block with the same result, and each payer has what
// the ledger says.
func (l *ledger) check() {
	t := l.t
	t.Helper()
	l.close()
	require.Empty(t, l.failures)
	kinds := map[string]bool{}
	var last int64
	for _, r := range l.receipts {
		kinds[r.kind], last = true, max(last, r.height)
	}
	require.Len(t, kinds, 4, "transfers, stakes, unstakes and commits must all have been confirmed: %s", l.so())
	l.c.all(last + 2) // the index of transactions follows the block
	missing := 0
	for _, r := range l.receipts {
		hash, err := hex.DecodeString(r.hash)
		require.NoError(t, err)
		var want *ctypes.ResultTx
		for _, m := range l.c.nodes {
			got, err := m.rpc.Tx(t.Context(), hash, false)
			if err != nil {
				say(t, "%s of block %d, %s, is not found at %s: %v", r.kind, r.height, r.hash, m.name, err)
				missing++
				continue
			}
			require.Equal(t, r.height, got.Height, "%s at %s", r.hash, m.name)
			require.Zero(t, got.TxResult.Code, "%s at %s", r.hash, m.name)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got, "%s at %s", r.hash, m.name)
		}
	}
	require.Zero(t, missing, "confirmed transactions that a node does not find")
	for _, m := range l.c.nodes {
		l.balancesAt(m)
	}
	first, top := l.c.agree()
	say(t, "%s; all found at all %d nodes with the same result, %d balances exact; blocks and states %d to %d are the same", l.so(), len(l.c.nodes), len(l.balances), first, top)
}

// balancesAt compares what each payer has at a node with what the ledger, which is closed, says.
func (l *ledger) balancesAt(m *member) {
	l.t.Helper()
	one, err := client.New(client.Config{Nodes: []string{m.url}, ChainID: l.c.chainID})
	require.NoError(l.t, err)
	for address, rao := range l.balances {
		got, err := one.Balance(l.t.Context(), address)
		require.NoError(l.t, err)
		require.Equal(l.t, sdkmath.NewInt(rao).Uint64(), got, "balance of %s at %s", address, m.name)
	}
	require.NoError(l.t, one.Close())
}
