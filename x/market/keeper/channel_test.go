package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
)

func TestAChannelIsOpenedPaidAndClosedToTheRao(t *testing.T) {
	e := newEnv(t)
	payer, provider := e.rao("payer"), e.rao("provider")
	id := e.open("payer", 10*whole)
	require.Equal(t, payer-10*whole, e.rao("payer"))
	require.EqualValues(t, 10*whole, e.held())

	r := e.redeem(hot("provider"), signedUpTo("payer", id, 5*whole, 3*whole))
	require.Equal(t, []types.RedeemResult{{Status: types.REDEEM_PAID, Paid: 3 * whole}}, r.Results)
	require.EqualValues(t, 3*whole, r.Paid)
	require.EqualValues(t, 3*whole*85/100, r.Provider)
	require.Equal(t, provider+3*whole*85/100, e.rao("provider"))

	closing := e.close("payer", id)
	require.Equal(t, e.ctx.BlockTime().Unix()+delay, closing.ClosingTime)
	require.Equal(t, e.ctx.BlockHeight()+delay, closing.ClosingHeight)
	e.blocks(delay)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 4*whole)), "until the refund")
	e.blocks(1)
	_, open := e.channel(id)
	require.False(t, open)
	require.Equal(t, payer-4*whole, e.rao("payer"))
	require.Equal(t, types.REDEEM_NO_CHANNEL, e.status("provider", signed("payer", id, 5*whole)))
	require.Len(t, e.events(&types.EventClosed{}), 1)
}

func TestTheChannelIDIsWhatPackageVoucherSays(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	require.Equal(t, voucher.ChannelID(chain, voucher.Config{
		Payer: addr("payer"), Provider: addr(hot("provider")), SessionKey: public(session("payer")),
		SubnetID: e.subnet().Id, ServiceID: 1, CloseDelay: delay,
	}, e.ctx.BlockHeight()), id)
}

func TestTheProvidersCloseIsAtOnceAndWholeDepositGoesBack(t *testing.T) {
	e := newEnv(t)
	payer := e.rao("payer")
	id := e.open("payer", 10*whole)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("provider"), ChannelId: id}, types.ErrTooSoon, "in the next")
	e.blocks(1)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("rival"), ChannelId: id}, types.ErrNotYours)
	r := e.close(hot("provider"), id)
	require.Equal(t, &types.MsgCloseResponse{Refunded: 10 * whole}, r)
	require.Equal(t, payer, e.rao("payer"))
	require.Zero(t, e.held())
}
