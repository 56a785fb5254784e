package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/wallet"
)

// account hands out a key's sequence numbers. The chain takes a key's transactions
// only in their order, so signing and sending is done one at a time; waiting for the
// block is not.
type account struct {
	signer *wallet.Signer
	turn   chan struct{} // holds a token while somebody signs and sends

	// These are touched only with the turn.
	number uint64
	next   uint64 // sequence of the next transaction

	mu    sync.Mutex // guards what follows
	known bool       // number and next are
	// sent are transactions that are on their way, by sequence: should a node have lost
	// one, it must get it again before a later one.
	sent map[uint64]*outgoing
}

// accountOf returns the only account of a key.
func (c *Client) accountOf(s *wallet.Signer) *account {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[s.Address()]
	if a == nil {
		a = &account{signer: s, turn: make(chan struct{}, 1), sent: map[uint64]*outgoing{}}
		c.accounts[s.Address()] = a
	}
	return a
}

// take waits for the turn at all accounts. They are taken by address, so that two who
// need the same ones don't wait for each other.
func take(ctx context.Context, accounts []*account) (release func(), err error) {
	sorted := slices.Clone(accounts)
	slices.SortFunc(sorted, func(a, b *account) int { return strings.Compare(a.signer.Address(), b.signer.Address()) })
	taken := 0
	release = func() {
		for _, a := range sorted[:taken] {
			<-a.turn
		}
	}
	for _, a := range sorted {
		select {
		case a.turn <- struct{}{}:
			taken++
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}

// load asks the chain for an account's number and sequence, unless they are known; the
// caller has the turn.
func (c *Client) load(ctx context.Context, a *account) error {
	a.mu.Lock()
	known := a.known
	a.mu.Unlock()
	if known {
		return nil
	}
	number, sequence, err := c.account(ctx, a.signer.Address())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number, a.next, a.known = number, sequence, true
	return nil
}

// unknown makes the account ask the chain again.
func (a *account) unknown() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = false
}

// record notes that a transaction is on its way with the account's next sequence; the
// caller has the turn.
func (a *account) record(o *outgoing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[a.next] = o
	for a.sent[a.next] != nil { // later ones may be on their way: this one filled a gap
		a.next++
	}
}

// settled notes that a transaction is in a block, or never will be. Then what the
// account thinks its next sequence is may be too high.
func (a *account) settled(o *outgoing, inBlock bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for sequence, other := range a.sent {
		if other == o {
			delete(a.sent, sequence)
		}
	}
	if !inBlock && len(a.sent) == 0 {
		a.known = false
	}
}

// expire forgets transactions that nobody waits for any more and that no block from
// height on may take.
func (a *account) expire(height int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for sequence, o := range a.sent {
		if o.deadline+indexLag < height {
			delete(a.sent, sequence)
			a.known = false
		}
	}
}

// from returns what is on its way from a sequence on, in order.
func (a *account) from(sequence uint64) []*outgoing {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []*outgoing
	for _, s := range slices.Sorted(maps.Keys(a.sent)) {
		if s >= sequence {
			out = append(out, a.sent[s])
		}
	}
	return out
}

// resync takes the chain's word that the next sequence is expected and not next; the
// caller has the turn. It returns what a node must get again because it has lost it.
func (a *account) resync(expected uint64) []*outgoing {
	lost := a.from(expected)
	a.mu.Lock()
	defer a.mu.Unlock()
	if expected < a.next && uint64(len(lost)) == a.next-expected {
		return lost
	}
	// The chain is ahead, since another process uses the key; or what was sent before
	// expired, and this one takes its place.
	a.next = expected
	return nil
}

// account returns an account's number and its sequence as of the latest block.
func (c *Client) account(ctx context.Context, address string) (number, sequence uint64, err error) {
	resp, err := c.Auth().Account(ctx, &authtypes.QueryAccountRequest{Address: address})
	if errors.Is(err, ErrNotFound) {
		return 0, 0, fmt.Errorf("%w: %s; it begins with the first TAO that it is sent", ErrNoAccount, address)
	}
	if err != nil {
		return 0, 0, err
	}
	acc, ok := resp.Account.GetCachedValue().(sdk.AccountI)
	if !ok {
		return 0, 0, fmt.Errorf("account %s is of a kind that this program does not know: %s", address, resp.Account.TypeUrl)
	}
	return acc.GetAccountNumber(), acc.GetSequence(), nil
}

// HasAccount says whether an address has an account on the chain. An account begins
// with the first TAO that it is sent; only then can its key sign.
func (c *Client) HasAccount(ctx context.Context, address string) (bool, error) {
	_, _, err := c.account(ctx, address)
	if errors.Is(err, ErrNoAccount) {
		return false, nil
	}
	return err == nil, err
}
