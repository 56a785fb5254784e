// Package chaintest_test pays on a real chain: what package pay asks of it, it does.
package chaintest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const netuid = 1

type market struct {
	t                          *testing.T
	ctx                        context.Context
	c                          *client.Client
	cold, hot, customer, agent *wallet.Signer
	service                    uint64
	gateway                    *pay.Gateway
	url                        string
}

func signer(t *testing.T) *wallet.Signer {
	t.Helper()
	mnemonic, err := wallet.NewMnemonic()
	require.NoError(t, err)
	s, err := wallet.SignerFromMnemonic(mnemonic)
	require.NoError(t, err)
	return s
}

func (m *market) send(by *wallet.Signer, msgs ...sdk.Msg) *client.TxResult {
	m.t.Helper()
	res, err := m.c.Send(m.ctx, []*wallet.Signer{by}, msgs...)
	require.NoError(m.t, err)
	return res
}

func (m *market) balance(of string) uint64 {
	m.t.Helper()
	rao, err := m.c.Balance(m.ctx, of)
	require.NoError(m.t, err)
	return rao
}

// open starts a chain on which a neuron lists a service and a gateway sells it.
func open(t *testing.T) *market {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	n := localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 500 * time.Millisecond})
	m := &market{t: t, ctx: ctx, c: n.Client(), cold: signer(t), hot: signer(t), customer: signer(t), agent: signer(t)}
	faucet, err := n.Wallet().Signer(localnet.FaucetKey)
	require.NoError(t, err)
	var gifts []sdk.Msg
	for _, to := range []struct {
		who *wallet.Signer
		rao uint64
	}{{m.customer, 100 * localnet.TAO}, {m.cold, 5_000 * localnet.TAO}, {m.hot, localnet.TAO}, {m.agent, localnet.TAO}} {
		gifts = append(gifts, &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: to.who.Address(),
			Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(to.rao)))})
	}
	m.send(faucet, gifts...)
	_, err = m.c.Send(ctx, []*wallet.Signer{m.cold, m.hot},
		&alphatypes.MsgBindHotkey{Coldkey: m.cold.Address(), Hotkey: m.hot.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: m.cold.Address(), Hotkey: m.hot.Address(), MaxLock: 2_000 * localnet.TAO, Name: "letters"})
	require.NoError(t, err)

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	m.url = server.URL
	listed, err := client.Response[*markettypes.MsgListServiceResponse](m.send(m.cold, &markettypes.MsgListService{
		Signer: m.cold.Address(), Hotkey: m.hot.Address(), Netuid: netuid, Name: "letters", Description: "letters", Endpoint: m.url,
		Unit: markettypes.UNIT_REQUEST, Price: 100_000, Per: 1,
	}))
	require.NoError(t, err)
	m.service = listed.ServiceId
	m.gateway, err = pay.OpenGateway(ctx, pay.GatewayConfig{Dir: t.TempDir(), Chain: pay.NewChain(m.c, m.hot), ServiceID: m.service, CloseDelay: 900})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.gateway.Close()) })
	mux.Handle("/", m.gateway.Handler(pay.Route{Units: pay.Flat(10)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := pay.MeterFrom(r.Context()).Charge(4); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "letters")
	})))
	return m
}

func (m *market) client(dir string, chain pay.PayerChain) *pay.Client {
	m.t.Helper()
	c, err := pay.OpenClient(pay.ClientConfig{Dir: dir, Chain: chain,
		Limits: pay.Limits{PerRequest: localnet.TAO, PerDay: 10 * localnet.TAO, Deposit: 2_000_000}})
	require.NoError(m.t, err)
	return c
}

func (m *market) buy(c *pay.Client) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.ctx, http.MethodGet, m.url, nil)
	require.NoError(m.t, err)
	resp, err := c.RoundTrip(req)
	require.NoError(m.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(m.t, err)
	require.NoError(m.t, resp.Body.Close())
	require.Equal(m.t, "200 letters", resp.Status[:4]+string(body))
}

// charged is what the gateway has charged of all channels.
func (m *market) charged() (sum uint64) {
	for _, c := range m.gateway.Channels() {
		sum += c.Charged
	}
	return sum
}

func TestPaymentsOnARealChain(t *testing.T) {
	m := open(t)
	dir := t.TempDir()
	chain := pay.NewPayerChain(m.c, m.customer, "")
	c := m.client(dir, chain)
	var first []byte

	t.Run("a customer opens a channel, tops it up and the provider is paid", func(t *testing.T) {
		for range 5 { // 400,000 each of 1,000,000, the deposit is 2,000,000
			m.buy(c)
		}
		require.Equal(t, uint64(2_000_000), m.charged())
		require.Len(t, c.Channels(), 1)
		before := m.balance(m.cold.Address())
		got, err := m.gateway.Redeem(m.ctx, true)
		require.NoError(t, err)
		require.Equal(t, uint64(2_000_000), got.Paid)
		require.Equal(t, before+got.Provider, m.balance(m.cold.Address()))
		first = m.only(c)
		resp, err := chain.Channel(m.ctx, first)
		require.NoError(t, err)
		require.Equal(t, uint64(2_000_000), resp.Channel.Claimed)
		require.Equal(t, c.Channels()[0].Limit, resp.Channel.Deposit)
		require.Greater(t, resp.Channel.Deposit, uint64(2_000_000))
	})

	t.Run("a store that is lost is recovered", func(t *testing.T) {
		require.NoError(t, c.Close())
		c = m.client(dir, chain)
		m.buy(c)
		require.Equal(t, uint64(2_400_000), m.charged())
		all, err := chain.ChannelsOf(m.ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		all, err = pay.NewChain(m.c, m.hot).ChannelsTo(m.ctx, m.hot.Address())
		require.NoError(t, err)
		require.Len(t, all, 1)
	})

	t.Run("the payer's close is noticed, redeemed and followed by another channel", func(t *testing.T) {
		resp, err := c.CloseChannel(m.ctx, first)
		require.NoError(t, err)
		require.NotZero(t, resp.ClosingTime)
		m.tick()
		again, err := chain.Channel(m.ctx, first)
		require.NoError(t, err)
		require.Equal(t, uint64(2_400_000), again.Channel.Claimed)
		m.buy(c)
		require.Len(t, c.Channels(), 2)
	})

	t.Run("the provider's close refunds at once", func(t *testing.T) {
		var open []byte
		for _, x := range m.gateway.Channels() {
			if !x.Closing {
				open = m.id(x.ID)
			}
		}
		before := m.balance(m.customer.Address())
		resp, err := m.gateway.CloseChannel(m.ctx, open)
		require.NoError(t, err)
		require.Equal(t, uint64(2_000_000-400_000), resp.Refunded)
		require.Equal(t, before+resp.Refunded, m.balance(m.customer.Address()))
		_, err = chain.Channel(m.ctx, open)
		require.ErrorIs(t, err, pay.ErrNoChannel)
		m.buy(c) // the gateway's refusal, and the chain, say that it is gone
		require.Len(t, c.Channels(), 3)
	})

	t.Run("an agent pays out of its principal's account", func(t *testing.T) {
		grant, err := authz.NewMsgGrant(m.customer.AccAddress(), m.agent.AccAddress(), &markettypes.SpendAuthorization{
			Spender: m.agent.Address(), Limit: 3_000_000, ServiceIds: []uint64{m.service},
		}, nil)
		require.NoError(t, err)
		m.send(m.customer, grant)
		before := m.balance(m.customer.Address())
		agent := m.client(t.TempDir(), pay.NewPayerChain(m.c, m.agent, m.customer.Address()))
		defer func() { require.NoError(t, agent.Close()) }()
		m.buy(agent)
		require.Equal(t, before-2_000_000, m.balance(m.customer.Address()))
		resp, err := chain.Channel(m.ctx, m.only(agent))
		require.NoError(t, err)
		require.Equal(t, m.agent.Address(), resp.Channel.Spender)
		_, err = agent.Open(m.ctx, pay.OpenOptions{ServiceID: m.service, Deposit: 2_000_000})
		require.ErrorContains(t, err, "spending limit", "the limit holds on the chain")
	})

	t.Run("a plan is subscribed to, used and cancelled", func(t *testing.T) {
		offered, err := client.Response[*markettypes.MsgOfferPlanResponse](m.send(m.cold, &markettypes.MsgOfferPlan{
			Signer: m.cold.Address(), ServiceId: m.service, Name: "month", Price: 5_000_000, Period: 86_400, Quota: 30,
		}))
		require.NoError(t, err)
		subscriber := m.client(t.TempDir(), chain)
		defer func() { require.NoError(t, subscriber.Close()) }()
		got, err := subscriber.Open(m.ctx, pay.OpenOptions{ServiceID: m.service, PlanID: offered.PlanId, Deposit: 20_000_000})
		require.NoError(t, err)
		require.Equal(t, uint64(30), subscriber.Channels()[0].Limit)
		m.tick() // the gateway learns of the plan
		m.buy(subscriber)
		m.buy(subscriber)
		_, err = m.gateway.Redeem(m.ctx, true)
		require.NoError(t, err)
		resp, err := chain.Channel(m.ctx, got.ChannelID)
		require.NoError(t, err)
		require.Equal(t, uint64(8), resp.Channel.Subscription.Used)
		ends, err := subscriber.CancelPlan(m.ctx, got.ChannelID, false)
		require.NoError(t, err)
		require.Equal(t, resp.Channel.Subscription.PeriodEnd, ends.Ends)
	})

	t.Run("the catalogue is asked", func(t *testing.T) {
		all, err := pay.NewChain(m.c, m.hot).Services(m.ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, m.hot.Address(), all[0].Hotkey)
		_, err = chain.Service(m.ctx, 999)
		require.ErrorIs(t, err, pay.ErrNoService)
	})
	require.NoError(t, c.Close())
}

// only is the id of a client's only channel.
func (m *market) only(c *pay.Client) []byte {
	m.t.Helper()
	require.Len(m.t, c.Channels(), 1)
	return m.id(c.Channels()[0].ID)
}

func (m *market) id(hexadecimal string) []byte {
	m.t.Helper()
	id, err := pay.ParseChannelID(hexadecimal)
	require.NoError(m.t, err)
	return id
}

// tick lets the gateway's loop run once.
func (m *market) tick() {
	m.t.Helper()
	require.NoError(m.t, m.gateway.Tick(m.ctx))
}
