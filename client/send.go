package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	sdkmath "cosmossdk.io/math"

	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/wallet"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// TxLifetime is how many blocks a transaction may wait to be taken, from when it is signed.
const TxLifetime = 30

const (
	// maxSignings bounds how often a transaction is signed, or simulated, because its
	// sequence was wrong.
	maxSignings = 20
)

// Send signs, sends and waits until the transaction is in a block. The messages must
// need the signatures of signers and of nobody else; the first pays the fee. Gas is
// estimated by a simulation, in which messages that would fail now fail for free.
//
// An error says what is known: a [*TxError] (or [*FundsError]) that the chain refused
// it, or that it failed in a block and cost its fee; [ErrTxExpired] that it did not
// happen; [ErrTxUnknown] that time was up before it was certain, with the
// transaction's hash; any other that nothing was sent.
func (c *Client) Send(ctx context.Context, signers []*wallet.Signer, msgs ...sdk.Msg) (*TxResult, error) {
	d, err := c.draft(signers, msgs)
	if err != nil {
		return nil, err
	}
	if err := c.bounded(ctx, d, c.estimate); err != nil {
		return nil, err
	}
	if err := c.review(ctx, d); err != nil {
		return nil, err
	}
	return c.submit(ctx, d)
}

// bounded does a part of sending within Config.TxTimeout.
func (c *Client) bounded(ctx context.Context, d *draft, do func(context.Context, *draft) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TxTimeout)
	defer cancel()
	return do(ctx, d)
}

// SendFree sends one message through the free lane, without a fee: weights, commits,
// reveals and serves of a registered hotkey within its limits (protocol.md §8). It
// returns as [Client.Send] does.
func (c *Client) SendFree(ctx context.Context, signer *wallet.Signer, msg sdk.Msg) (*TxResult, error) {
	gas, ok := weightstypes.LaneGas(msg)
	if !ok {
		return nil, fmt.Errorf("the free lane does not carry %s: send it with a fee", sdk.MsgTypeURL(msg))
	}
	d, err := c.draft([]*wallet.Signer{signer}, []sdk.Msg{msg})
	if err != nil {
		return nil, err
	}
	d.gas = gas
	if err := c.review(ctx, d); err != nil {
		return nil, err
	}
	return c.submit(ctx, d)
}

// Transfer sends TAO.
func (c *Client) Transfer(ctx context.Context, from *wallet.Signer, to string, rao uint64) (*TxResult, error) {
	return c.Send(ctx, []*wallet.Signer{from}, &banktypes.MsgSend{
		FromAddress: from.Address(), ToAddress: to,
		Amount: sdk.NewCoins(sdk.NewCoin(Denom, sdkmath.NewIntFromUint64(rao))),
	})
}

// outgoing is a transaction on its way.
type outgoing struct {
	d        *draft
	raw      []byte
	hash     string
	watch    *watch
	deadline int64 // last block that may take it
	// doubt says that a node may have it although it gave no answer. Then it is never
	// signed anew: both could be committed.
	doubt atomic.Bool
}

// errSequence says that a block refused a transaction for its sequence.
var errSequence = errors.New("the sequence was taken")

// submit has a draft committed.
func (c *Client) submit(ctx context.Context, d *draft) (*TxResult, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TxTimeout)
	defer cancel()
	for range maxSignings {
		o, err := c.dispatch(ctx, d)
		if err != nil {
			return nil, err
		}
		res, err := c.settle(ctx, o)
		if !errors.Is(err, errSequence) {
			return res, err
		}
	}
	return nil, contested(d)
}

func contested(d *draft) error {
	var keys []string
	for _, a := range d.accounts {
		keys = append(keys, a.signer.Address())
	}
	return fmt.Errorf("%w: other transactions took the sequence each time; does another process send with %s?", ErrTxExpired, strings.Join(keys, " or "))
}

// dispatch signs a draft and hands it to a node, in its turn.
func (c *Client) dispatch(ctx context.Context, d *draft) (*outgoing, error) {
	release, err := take(ctx, d.accounts)
	if err != nil {
		return nil, err
	}
	defer release()
	id, err := c.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	reloaded, ambiguous := false, 0
	for try := range maxSignings {
		height, err := c.fresh(ctx) // asked in turn, and for each signature: either may be long in coming
		if err != nil {
			return nil, err
		}
		d.deadline = height + TxLifetime
		var sequences []uint64
		for _, a := range d.accounts {
			a.expire(height)
		}
		for _, a := range d.accounts {
			if err := c.load(ctx, a); err != nil {
				return nil, err
			}
			sequences = append(sequences, a.next)
		}
		raw, err := d.bytes(id, sequences)
		if err != nil {
			return nil, err
		}
		o := &outgoing{d: d, raw: raw, watch: c.hub.watch(raw), deadline: d.deadline}
		o.hash = fmt.Sprintf("%X", o.watch.hash)
		refused, err := c.broadcast(ctx, o)
		if o.doubt.Load() || err == nil && refused == nil {
			for _, a := range d.accounts {
				a.record(o)
			}
			return o, nil
		}
		c.hub.unwatch(o.watch)
		if err != nil {
			return nil, err
		}
		if expected, got, ok := mismatch(refused.Codespace, refused.Code, refused.Log); ok {
			candidates := slices.DeleteFunc(slices.Clone(d.accounts), func(a *account) bool { return a.next != got })
			if len(candidates) == 0 {
				return nil, c.refusal(d, refused)
			}
			a := candidates[ambiguous%len(candidates)]
			ambiguous++
			for _, lost := range a.resync(expected) {
				if _, err := c.broadcast(ctx, lost); err != nil {
					return nil, err
				}
			}
			if err := pause(ctx, time.Duration(try)*10*time.Millisecond); err != nil { // a node may be taking up a block
				return nil, err
			}
			continue
		}
		if !reloaded && refused.Codespace == sdkerrors.RootCodespace && refused.Code == sdkerrors.ErrUnauthorized.ABCICode() {
			// The signature covers the account's number, which another chain of the same
			// name gives anew.
			reloaded = true
			for _, a := range d.accounts {
				a.unknown()
			}
			continue
		}
		return nil, c.refusal(d, refused)
	}
	return nil, contested(d)
}

// broadcast hands a transaction to a node. refused is the node's reason for not taking
// it; nil if it did, or has it already. An error leaves o.doubt true where a node may
// have it nevertheless.
func (c *Client) broadcast(ctx context.Context, o *outgoing) (refused *TxError, err error) {
	err = c.each(ctx, true, func(ctx context.Context, n *node) error {
		res, err := n.rpc.BroadcastTxSync(ctx, o.raw)
		var rpcErr *rpctypes.RPCError
		switch {
		case err == nil && res.Code == 0:
			return nil
		case err == nil:
			refused = &TxError{Hash: o.hash, Codespace: res.Codespace, Code: res.Code, Log: res.Log}
			return nil
		case !errors.As(err, &rpcErr):
			if !(&unreachable{err: err}).notSent() {
				o.doubt.Store(true)
			}
		case strings.Contains(rpcErr.Data, "already exists in cache"):
			return nil
		case strings.Contains(rpcErr.Data, "confirmation not received"):
			o.doubt.Store(true)
		}
		return err
	})
	return refused, err
}

// fresh returns the height of the chain. A node that is behind is left for another; if
// all are, they get Config.Timeout to catch up.
func (c *Client) fresh(ctx context.Context) (int64, error) {
	if b, ok := c.hub.latest(); ok && time.Since(b.Time) < c.cfg.MaxBlockAge {
		return b.Height, nil
	}
	end := time.Now().Add(c.cfg.Timeout)
	for try := 1; ; try++ {
		s, err := c.Status(ctx)
		if err != nil {
			return 0, err
		}
		age := time.Since(s.Time)
		if !s.CatchingUp && s.Height > 0 && age < c.cfg.MaxBlockAge {
			return s.Height, nil
		}
		c.leave(s.Node)
		if try < len(c.nodes) {
			continue
		}
		if time.Now().After(end) {
			if s.CatchingUp {
				return 0, fmt.Errorf("%w: %s is still catching up, at block %d of %s", ErrBehind, s.Node, s.Height, s.Time.UTC().Format(time.DateTime))
			}
			return 0, fmt.Errorf("%w: the latest block of %s, %d, is %s old: it has lost its peers, the chain stands still, or the clock here is wrong",
				ErrBehind, s.Node, s.Height, age.Round(time.Second))
		}
		if err := pause(ctx, pollEvery); err != nil {
			return 0, err
		}
	}
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
