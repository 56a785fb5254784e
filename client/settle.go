package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/gogoproto/proto"
)

const (
	// settleEvery is how often a transaction is looked for that did not come by, and a
	// node told of it again; so it is after lateBlocks.
	settleEvery = 3 * time.Second
	// indexLag is how many blocks a node may need to index a transaction.
	indexLag = 2
)

// settle waits until a transaction is in a block, or can't be any more.
func (c *Client) settle(ctx context.Context, o *outgoing) (*TxResult, error) {
	defer c.hub.unwatch(o.watch)
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	var refused *TxError // what a node said when it was told again
	for {
		resend := false
		select {
		case done := <-o.watch.done:
			return c.finish(o, done)
		case <-o.watch.look:
		case <-o.watch.late:
			resend = true
		case <-tick.C:
			resend = true
		case <-ctx.Done():
			return nil, unknown(o, ctx.Err())
		}
		done, found, height, err := c.lookUp(ctx, o)
		switch {
		case found:
			return c.finish(o, done)
		case errors.Is(err, errNoIndex) && height > o.deadline:
			return nil, unknown(o, err)
		case err == nil && height >= o.deadline+indexLag:
			for _, a := range o.d.accounts {
				a.settled(o, false)
			}
			if refused != nil {
				return nil, c.refusal(o.d, refused)
			}
			return nil, fmt.Errorf("%w: %s could be taken until block %d; nothing happened, it is safe to send it again", ErrTxExpired, o.hash, o.deadline)
		case resend && height < o.deadline: // later it would be refused for its age
			if r := c.resend(ctx, o); r != nil {
				refused = r
			}
		}
	}
}

func unknown(o *outgoing, why error) error {
	return fmt.Errorf("%w: %s was sent and may be committed until block %d: %w", ErrTxUnknown, o.hash, o.deadline, why)
}

var errNoIndex = errors.New("the node keeps no index of transactions")

// lookUp looks for a transaction in the blocks up to height, which is at least the
// latest when it was called.
func (c *Client) lookUp(ctx context.Context, o *outgoing) (done committed, found bool, height int64, err error) {
	err = c.each(ctx, true, func(ctx context.Context, n *node) error {
		s, err := n.status(ctx)
		if err != nil {
			return err
		}
		height = s.Height
		res, err := n.rpc.Tx(ctx, o.watch.hash[:], false)
		var rpcErr *rpctypes.RPCError
		switch {
		case err == nil:
			done, found = committed{res.Height, res.TxResult}, true
			return nil
		case errors.As(err, &rpcErr) && strings.Contains(rpcErr.Data, "not found"):
			return nil
		case errors.As(err, &rpcErr) && strings.Contains(rpcErr.Data, "indexing is disabled"):
			return errNoIndex
		}
		return err
	})
	return done, found, height, err
}

// resend tells a node of everything that the account has on its way up to o, in order,
// byte for byte as it was. It returns why o was refused, if it was for another reason
// than its sequence; those who ask at once share the work.
func (c *Client) resend(ctx context.Context, o *outgoing) *TxError {
	a := o.d.accounts[0]
	done := c.resends.DoChan(a.signer.Address(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
		defer cancel()
		refusals := map[*outgoing]*TxError{}
		for _, other := range a.from(0) {
			refused, err := c.broadcast(ctx, other)
			if err != nil {
				break // settle goes on
			}
			if refused == nil {
				continue
			}
			if _, _, ok := mismatch(refused.Codespace, refused.Code, refused.Log); !ok {
				refusals[other] = refused
			}
		}
		return refusals, nil
	})
	select {
	case r := <-done:
		return r.Val.(map[*outgoing]*TxError)[o]
	case <-ctx.Done():
		return nil
	}
}

// finish turns what a block did with a transaction into a result.
func (c *Client) finish(o *outgoing, done committed) (*TxResult, error) {
	r := done.result
	wrongSequence := r.Codespace == sdkerrors.RootCodespace && r.Code == sdkerrors.ErrWrongSequence.ABCICode()
	for _, a := range o.d.accounts {
		a.settled(o, true)
		if wrongSequence {
			a.unknown()
		}
	}
	if wrongSequence && !o.doubt.Load() {
		return nil, errSequence
	}
	if r.Code != 0 {
		return nil, c.refusal(o.d, &TxError{Hash: o.hash, Height: done.height, Codespace: r.Codespace, Code: r.Code, Log: r.Log})
	}
	res := &TxResult{
		Hash: o.hash, Height: done.height, GasWanted: r.GasWanted, GasUsed: r.GasUsed, FeeRao: o.d.feeRao, LastBlock: o.deadline, Events: r.Events,
	}
	var data sdk.TxMsgData
	if err := proto.Unmarshal(r.Data, &data); err != nil {
		return res, nil // committed; a newer chain's answers can't be read, which no caller can help
	}
	for _, wrapped := range data.MsgResponses {
		m, err := c.codec.InterfaceRegistry().Resolve(wrapped.TypeUrl)
		if err != nil {
			continue
		}
		if proto.Unmarshal(wrapped.Value, m) == nil {
			res.Responses = append(res.Responses, m)
		}
	}
	return res, nil
}
