package pay

import (
	"context"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/gogoproto/proto"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Receipt is a transaction that was committed for a payer.
type Receipt struct {
	Transaction string // hash
	Height      int64
	FeeRao      uint64
	LastBlock   int64 // that could have taken it
}

type receiptKey struct{}

// WithReceipt has f told of the transaction that a call with this context sends.
func WithReceipt(ctx context.Context, f func(Receipt)) context.Context {
	return context.WithValue(ctx, receiptKey{}, f)
}

// GiveReceipt tells who has asked for it by [WithReceipt].
func GiveReceipt(ctx context.Context, r Receipt) {
	if f, ok := ctx.Value(receiptKey{}).(func(Receipt)); ok {
		f(r)
	}
}

// send sends a message of the signer's and gives the receipt.
func (n *node) send(ctx context.Context, msg sdk.Msg) (*client.TxResult, error) {
	res, err := n.c.Send(ctx, []*wallet.Signer{n.signer}, msg)
	if err == nil {
		GiveReceipt(ctx, Receipt{res.Hash, res.Height, res.FeeRao, res.LastBlock})
	}
	return res, err
}

// Redeem sends as many messages as the chain's max_items asks for.
func (n *node) Redeem(ctx context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error) {
	p, err := n.market.Params(ctx, &markettypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	sum := &markettypes.MsgRedeemResponse{}
	for part := range slices.Chunk(items, max(1, int(p.Params.MaxItems))) {
		res, err := n.c.Send(ctx, []*wallet.Signer{n.signer}, &markettypes.MsgRedeem{Signer: n.signer.Address(), Items: part})
		if err != nil {
			return nil, err
		}
		resp, err := client.Response[*markettypes.MsgRedeemResponse](res)
		if err != nil {
			return nil, err
		}
		sum.Results = append(sum.Results, resp.Results...)
		sum.Paid += resp.Paid
		sum.Provider += resp.Provider
	}
	return sum, nil
}

func (n *node) Close(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	res, err := n.send(ctx, &markettypes.MsgClose{Signer: n.signer.Address(), ChannelId: id})
	if err != nil {
		return nil, err
	}
	return client.Response[*markettypes.MsgCloseResponse](res)
}

func (n *node) CancelPlan(ctx context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error) {
	res, err := n.send(ctx, &markettypes.MsgCancelPlan{Signer: n.signer.Address(), ChannelId: id, Now: now})
	if err != nil {
		return nil, err
	}
	return client.Response[*markettypes.MsgCancelPlanResponse](res)
}

func (n *node) Deposit(ctx context.Context, msg markettypes.MsgDeposit) (Deposited, error) {
	msg.Payer = n.payer
	var out sdk.Msg = &msg
	if n.payer != n.signer.Address() {
		msg.Spender = n.signer.Address()
		exec := authz.NewMsgExec(n.signer.AccAddress(), []sdk.Msg{&msg})
		out = &exec
	}
	res, err := n.send(ctx, out)
	if err != nil {
		return Deposited{}, err
	}
	resp, err := depositResponse(res)
	if err != nil {
		return Deposited{}, err
	}
	return Deposited{ChannelID: resp.ChannelId, Deposit: resp.Deposit, Transaction: res.Hash}, nil
}

// depositResponse finds the answer to a deposit, which an agent's MsgExec wraps.
func depositResponse(res *client.TxResult) (*markettypes.MsgDepositResponse, error) {
	if exec, err := client.Response[*authz.MsgExecResponse](res); err == nil && len(exec.Results) > 0 {
		var resp markettypes.MsgDepositResponse
		return &resp, proto.Unmarshal(exec.Results[0], &resp)
	}
	return client.Response[*markettypes.MsgDepositResponse](res)
}
