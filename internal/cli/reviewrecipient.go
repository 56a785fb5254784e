package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// recipientsOf are the addresses that messages hand something to for good: money, stake,
// or power over it.
func recipientsOf(msgs []sdk.Msg) (list []string) {
	for _, m := range msgs {
		switch m := m.(type) {
		case *banktypes.MsgSend:
			list = append(list, m.ToAddress)
		case *banktypes.MsgMultiSend:
			for _, o := range m.Outputs {
				list = append(list, o.Address)
			}
		case *distributiontypes.MsgSetWithdrawAddress:
			list = append(list, m.WithdrawAddress)
		case *subnetstypes.MsgTransferOwnership:
			list = append(list, m.Hotkey)
		case *alphatypes.MsgTransferStake:
			list = append(list, m.ToColdkey)
		case *alphatypes.MsgAnnounceColdkeySwap:
			list = append(list, m.NewColdkey)
		case *alphatypes.MsgDecideColdkeySwap:
			list = append(list, m.NewColdkey)
		case *alphatypes.MsgSetRecoveryKey:
			list = append(list, m.Recovery)
		case *authz.MsgGrant:
			list = append(list, m.Grantee)
		case *feegrant.MsgGrantAllowance:
			list = append(list, m.Grantee)
		case *authz.MsgExec:
			if inner, err := m.GetMessages(); err == nil {
				list = append(list, recipientsOf(inner)...)
			}
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

// recipients compares those whom a transaction hands something to with whom is known:
// the wallet's own addresses, its book, and those that were sent to before.
func (r *review) recipients(ctx context.Context, p client.Preview, s *seen) error {
	for _, to := range recipientsOf(p.Msgs) {
		if s.names[to] != "" || slices.Contains(p.Signers, to) {
			continue
		}
		times, err := sentBefore(ctx, r.client, p.Signers[0], to)
		var noIndex *client.QueryError
		switch {
		case errors.As(err, &noIndex):
			s.notes = append(s.notes, fmt.Sprintf("%s is not in the address book, and this node does not know whether anything was sent there before", to))
		case err != nil:
			return err
		case times == 0:
			s.notes = append(s.notes, fmt.Sprintf("never sent to %s before: compare the whole address", to))
		default:
			continue // it was checked then
		}
		for _, known := range sortedKeys(s.names) {
			if wallet.Resembles(known, to) {
				s.lookAlikes = append(s.lookAlikes, fmt.Sprintf("%s is not %s, %q, though it looks like it", to, known, s.names[known]))
			}
		}
		past, err := sentTo(ctx, r.client, p.Signers[0])
		if err != nil && !errors.As(err, &noIndex) {
			return err
		}
		for _, known := range past {
			if wallet.Resembles(known, to) && s.names[known] == "" {
				s.lookAlikes = append(s.lookAlikes, fmt.Sprintf("%s is not %s, which you have sent to before, though it looks like it", to, known))
			}
		}
	}
	return nil
}

// sentBefore counts the transactions in which an address sent TAO to another.
func sentBefore(ctx context.Context, c *client.Client, from, to string) (uint64, error) {
	r, err := txtypes.NewServiceClient(c).GetTxsEvent(ctx, &txtypes.GetTxsEventRequest{
		Query: fmt.Sprintf("transfer.sender='%s' AND transfer.recipient='%s'", from, to), Page: 1, Limit: 1,
	})
	if err != nil {
		return 0, err
	}
	return r.Total, nil
}

// pastSends is how many of an address's transactions are looked through.
const pastSends = query.DefaultLimit

// sentTo are those whom an address has handed something to in its latest transactions.
func sentTo(ctx context.Context, c *client.Client, from string) ([]string, error) {
	r, err := txtypes.NewServiceClient(c).GetTxsEvent(ctx, &txtypes.GetTxsEventRequest{
		Query: fmt.Sprintf("transfer.sender='%s'", from), Page: 1, Limit: pastSends, OrderBy: txtypes.OrderBy_ORDER_BY_DESC,
	})
	if err != nil {
		return nil, err
	}
	var list []string
	for _, t := range r.Txs {
		if t.Body == nil {
			continue
		}
		for _, raw := range t.Body.Messages {
			var m sdk.Msg
			if err := c.Codec().UnpackAny(raw, &m); err != nil {
				return nil, err
			}
			list = append(list, recipientsOf([]sdk.Msg{m})...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
