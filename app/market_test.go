package app_test

import (
	"crypto/ed25519"
	"strconv"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"

	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// session is the key that signs a payer's vouchers.
func session() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

// sell lists a service of miner 1's.
func sell(c *chain) {
	c.t.Helper()
	c.run([]string{"miner-1"}, &markettypes.MsgListService{
		Signer: text("miner-1"), Hotkey: text("miner-1-hot"), Netuid: 1, Name: "clips", Endpoint: "https://example.org",
		Unit: markettypes.UNIT_VIDEO_MINUTE, Price: tao / 10, Per: 60_000,
	})
}

func openChannel(payer, spender string, amount uint64) *markettypes.MsgDeposit {
	m := &markettypes.MsgDeposit{
		Payer: text(payer), Amount: amount, ServiceId: 1, SessionKey: session().Public().(ed25519.PublicKey), CloseDelay: 10,
	}
	if spender != "" {
		m.Spender = text(spender)
	}
	return m
}

// number is an attribute of a typed event.
func number(t *testing.T, e abci.Event, name string) uint64 {
	for _, a := range e.Attributes {
		if a.Key == name {
			n, err := strconv.ParseUint(strings.Trim(a.Value, `"`), 10, 64)
			require.NoError(t, err)
			return n
		}
	}
	return 0
}

// channels are a payer's.
func (c *chain) channels(payer string) (of []markettypes.Channel) {
	g, err := c.Market.ExportGenesis(c.query())
	require.NoError(c.t, err)
	for _, channel := range g.Channels {
		if channel.Payer == text(payer) {
			of = append(of, channel)
		}
	}
	return of
}

func redeemed(id []byte, claim uint64) *markettypes.MsgRedeem {
	v := voucher.Voucher{ChannelID: id, Cumulative: claim}
	return &markettypes.MsgRedeem{Signer: text("miner-1"), Items: []markettypes.RedeemItem{
		{ChannelId: id, Cumulative: claim, Claim: claim, Signature: v.Sign(chainID, session())},
	}}
}

// TestSection10UseBuysTheSubnetsAlphaAndPaysItsMiners: a customer's vouchers pay the
// provider at once, and in the next blocks alpha is bought, of which a part is burned
// and a part comes to the miners with the next epoch.
func TestSection10UseBuysTheSubnetsAlphaAndPaysItsMiners(t *testing.T) {
	c := newChain(t)
	settle(c)
	c.epoch()
	c.judge(60_000, 20_000)
	sell(c)
	c.run([]string{"user"}, openChannel("user", "", 20*tao))
	id := c.channels("user")[0].Id
	before, burned := c.balance("miner-1"), c.alphaBurned()
	c.run([]string{"miner-1"}, redeemed(id, 10*tao))
	require.EqualValues(t, before+10*tao*85/100-paid.fee, c.balance("miner-1"))

	revenue := func() markettypes.Revenue {
		g, err := c.Market.ExportGenesis(c.query())
		require.NoError(t, err)
		require.Len(t, g.Revenues, 1)
		return g.Revenues[0]
	}
	for i := 0; i < 20 && revenue().Pending() > 0; i++ {
		c.block()
	}
	require.Zero(t, revenue().Pending())
	require.EqualValues(t, tao, revenue().BurnTao)
	require.EqualValues(t, tao/2, revenue().MinersTao)
	require.GreaterOrEqual(t, c.alphaBurned(), burned+revenue().Burned)
	c.blocks(25) // more than an epoch
	e, err := c.Emission.Emission(c.query(), c.subnetID())
	require.NoError(t, err)
	require.Zero(t, e.PendingRevenue)
	paidOut := uint64(0)
	for _, e := range c.events {
		if e.Type == "lode.emission.v1.EventNeuronPaid" {
			paidOut += number(t, e, "revenue")
		}
	}
	require.Equal(t, revenue().Miners, paidOut, "nobody of the owner's is among them")

	c.run([]string{"user"}, &markettypes.MsgClose{Signer: text("user"), ChannelId: id})
	rao := c.balance("user")
	c.blocks(11)
	require.EqualValues(t, rao+10*tao, c.balance("user"))
	require.Empty(t, c.channels("user"))
}

// TestSection10AnAgentPaysByAuthorizationWithinItsLimit: the agent has no coin of its
// own; fees come by feegrant, deposits by authz, and both hold on chain.
func TestSection10AnAgentPaysByAuthorizationWithinItsLimit(t *testing.T) {
	c := newChain(t)
	settle(c)
	sell(c)
	c.run([]string{"user"}, send("user", "agent", 1))
	until := c.time.Add(time.Hour)
	grant, err := authz.NewMsgGrant(addr("user"), addr("agent"), &markettypes.SpendAuthorization{Spender: text("agent"), Limit: 5 * tao, Netuids: []uint32{1}}, &until)
	require.NoError(t, err)
	allowance, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, addr("user"), addr("agent"))
	require.NoError(t, err)
	c.run([]string{"user"}, grant, allowance)

	forUser := func(m sdk.Msg) []byte {
		return c.sign(offer{gas: paid.gas, fee: paid.fee, granter: "user"}, []string{"agent"}, exec("agent", m))
	}
	before := c.balance("user")
	c.runTx(forUser(openChannel("user", "agent", 3*tao)))
	require.EqualValues(t, before-3*tao-paid.fee, c.balance("user"))
	id := c.channels("user")[0].Id
	for name, m := range map[string]sdk.Msg{
		"over the limit":    openChannel("user", "agent", 3*tao),
		"in another's name": openChannel("user", "miner-2", tao),
		"in no name":        openChannel("user", "", tao),
		"of another payer":  openChannel("owner", "agent", tao),
		"another message":   send("user", "agent", tao),
	} {
		res := c.block(forUser(m))[0]
		require.NotZero(t, res.Code, name)
	}
	c.run([]string{"miner-1"}, redeemed(id, tao))
	c.run([]string{"miner-1"}, &markettypes.MsgClose{Signer: text("miner-1"), ChannelId: id})
	a, expires := c.Authz.GetAuthorization(c.query(), addr("agent"), addr("user"), sdk.MsgTypeURL(&markettypes.MsgDeposit{}))
	require.EqualValues(t, 4*tao, a.(*markettypes.SpendAuthorization).Limit, "2 TAO came back")
	require.Equal(t, until.UTC(), expires.UTC())
	require.EqualValues(t, 1, c.balance("agent"))
}

// lockedBuyer is a chain on which the coldkey that can be locked has a channel of its own
// and one of an agent's, "user", to miner 2's service. It pays the agent's fees.
func lockedBuyer(t *testing.T) (c *chain, own, agents []byte) {
	t.Helper()
	c = lockedChain(t)
	c.run([]string{"miner-2"}, &markettypes.MsgListService{
		Signer: text("miner-2"), Hotkey: text("miner-2-hot"), Netuid: 1, Name: "clips", Endpoint: "https://example.org",
		Unit: markettypes.UNIT_TASK, Price: 1, Per: 1,
	})
	c.run([]string{"miner-2"}, &markettypes.MsgOfferPlan{Signer: text("miner-2"), ServiceId: 1, Name: "daily", Price: tao, Period: 3_600, Quota: 10})
	grant, err := authz.NewMsgGrant(addr(locked), addr("user"), &markettypes.SpendAuthorization{Spender: text("user"), Limit: 5 * tao}, nil)
	require.NoError(t, err)
	c.run([]string{locked}, grant)
	plan := openChannel(locked, "", 3*tao)
	plan.PlanId, plan.MaxPrice, plan.CloseDelay = 1, tao, 20
	c.run([]string{locked}, plan)
	c.run([]string{"user"}, exec("user", openChannel(locked, "user", 2*tao)))
	for _, channel := range c.channels(locked) {
		if channel.Spender == "" {
			own = channel.Id
		} else {
			agents = channel.Id
		}
	}
	require.NotNil(t, own)
	require.NotNil(t, agents)
	return c, own, agents
}

func more(payer, spender string, id []byte) *markettypes.MsgDeposit {
	m := &markettypes.MsgDeposit{Payer: text(payer), Amount: tao, ChannelId: id}
	if spender != "" {
		m.Spender = text(spender)
	}
	return m
}

// TestSection10AnAnnouncedSwapKeepsDepositsIn: nobody spends for a coldkey whose swap is
// announced, by its own key or as its agent, in whatever wrapping; its providers are
// paid, and what comes back stays on the locked account.
func TestSection10AnAnnouncedSwapKeepsDepositsIn(t *testing.T) {
	c, own, agents := lockedBuyer(t)
	c.run([]string{locked}, announceSwap("fresh"))
	before := c.channels(locked)
	one, user := []string{locked}, []string{"user"}
	for name, tx := range map[string]func() []byte{
		"opening":         func() []byte { return c.sign(paid, one, openChannel(locked, "", 2*tao)) },
		"putting more in": func() []byte { return c.sign(paid, one, more(locked, "", own)) },
		"closing":         func() []byte { return c.sign(paid, one, &markettypes.MsgClose{Signer: text(locked), ChannelId: own}) },
		"cancelling": func() []byte {
			return c.sign(paid, one, &markettypes.MsgCancelPlan{Signer: text(locked), ChannelId: own})
		},
		"as agent of another":        func() []byte { return c.sign(paid, one, exec(locked, openChannel("user", locked, tao))) },
		"an agent's opening":         func() []byte { return c.sign(paid, user, exec("user", openChannel(locked, "user", tao))) },
		"an agent's putting more in": func() []byte { return c.sign(paid, user, exec("user", more(locked, "user", agents))) },
		"an agent's, wrapped again":  func() []byte { return c.sign(paid, user, exec("user", exec("user", more(locked, "user", agents)))) },
		"an agent's, beside another's": func() []byte {
			return c.sign(paid, user, send("user", "owner", 1), exec("user", more(locked, "user", agents)))
		},
		"an agent's closing, for a fee of the coldkey's": func() []byte {
			return c.sign(offer{gas: paid.gas, fee: paid.fee, granter: locked}, user, &markettypes.MsgClose{Signer: text("user"), ChannelId: agents})
		},
	} {
		t.Run(name, func(t *testing.T) {
			clear(c.sequence)
			c.refused(tx, "has announced its swap")
		})
	}
	clear(c.sequence)
	require.Equal(t, before, c.channels(locked))
	m := redeemed(agents, tao/2)
	m.Signer = text("miner-2")
	c.run([]string{"miner-2"}, m)
	has := c.balance(locked)
	c.run(user, &markettypes.MsgClose{Signer: text("user"), ChannelId: agents})
	c.blocks(12)
	require.Len(t, c.channels(locked), 1)
	require.EqualValues(t, has+tao*3/2, c.balance(locked))
}

// TestSection10ASwapMovesWhatTheColdkeyPaysForAndAThiefGetsNothing: from the execution on
// channels are the new coldkey's, whatever the old one signs or had allowed.
func TestSection10ASwapMovesWhatTheColdkeyPaysForAndAThiefGetsNothing(t *testing.T) {
	c, own, agents := lockedBuyer(t)
	c.run([]string{locked}, announceSwap("fresh"))
	c.blocks(58)
	require.Len(t, c.channels(locked), 2)
	c.blocks(2)
	require.Empty(t, c.channels(locked))
	require.Len(t, c.channels("fresh"), 2)
	require.Zero(t, c.balance(locked))

	c.run([]string{"user"}, send("user", locked, tao)) // for fees
	failed := func(words string, names []string, m sdk.Msg) {
		t.Helper()
		clear(c.sequence)
		r := c.block(c.sign(paid, names, m))[0]
		require.NotZero(t, r.Code)
		require.Contains(t, r.Log, words)
	}
	failed("the payer of channel", []string{locked}, more(locked, "", own))
	failed("is neither the payer", []string{locked}, &markettypes.MsgClose{Signer: text(locked), ChannelId: own})
	failed("is neither the payer", []string{locked}, &markettypes.MsgCancelPlan{Signer: text(locked), ChannelId: own, Now: true})
	failed("authorization not found", []string{"user"}, exec("user", more("fresh", "user", agents)))
	failed("the payer of channel", []string{"user"}, exec("user", more(locked, "user", agents)))
	failed("authorization not found", []string{locked}, exec(locked, more("fresh", locked, agents)))
	require.Len(t, c.channels("fresh"), 2)

	m := redeemed(agents, tao/2)
	m.Signer = text("miner-2")
	c.run([]string{"miner-2"}, m)
	c.run([]string{"fresh"}, more("fresh", "", own))
	c.run([]string{"fresh"}, &markettypes.MsgClose{Signer: text("fresh"), ChannelId: agents}, &markettypes.MsgCancelPlan{Signer: text("fresh"), ChannelId: own, Now: true})
	has, old := c.balance("fresh"), c.balance(locked)
	c.blocks(25)
	require.Empty(t, c.channels("fresh"))
	require.GreaterOrEqual(t, c.balance("fresh"), uint64(has+tao*3/2+3*tao-tao/10), "of a plan's hour some seconds are owed")
	require.Equal(t, old, c.balance(locked))
	require.NoError(t, c.CheckInvariants(c.query()))
}
