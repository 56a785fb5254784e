package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection10ANeuronListsAServiceAndChangesItByItsName(t *testing.T) {
	e := newEnv(t)
	m := listMsg("provider", "chat")
	m.Signer, m.Price, m.Endpoint = str("provider"), 7, "http://127.0.0.1:8080/v1"
	r, err := send(e, e.msgs.ListService, m)
	require.NoError(t, err)
	require.EqualValues(t, 1, r.ServiceId, "the same service")
	require.EqualValues(t, 2, e.list("provider", "images"))

	got, err := e.query.Service(e.ctx, &types.QueryServiceRequest{ServiceId: 1})
	require.NoError(t, err)
	require.Equal(t, str(hot("provider")), got.Service.Hotkey)
	require.Equal(t, str("provider"), got.Service.Coldkey)
	require.EqualValues(t, 7, got.Service.Service.Price)
	all, err := e.query.Services(e.ctx, &types.QueryServicesRequest{})
	require.NoError(t, err)
	require.Len(t, all.Services, 2)
	for _, q := range []struct {
		r *types.QueryServicesRequest
		n int
	}{
		{&types.QueryServicesRequest{Netuid: 1}, 2},
		{&types.QueryServicesRequest{Hotkey: str(hot("provider"))}, 2},
		{&types.QueryServicesRequest{Hotkey: str(hot("rival"))}, 0},
	} {
		all, err := e.query.Services(e.ctx, q.r)
		require.NoError(t, err)
		require.Len(t, all.Services, q.n)
	}
	_, err = e.query.Services(e.ctx, &types.QueryServicesRequest{Netuid: 2})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
}

func TestSection10ListingsThatCantBeAreRefused(t *testing.T) {
	e := newEnv(t)
	for name, c := range map[string]struct {
		change func(*types.MsgListService)
		want   error
	}{
		"by somebody else":     {func(m *types.MsgListService) { m.Signer = str("rival") }, types.ErrNotYours},
		"by no address":        {func(m *types.MsgListService) { m.Signer = "x" }, sdkerrors.ErrInvalidAddress},
		"in no subnet":         {func(m *types.MsgListService) { m.Netuid = 9 }, subnetstypes.ErrNoSubnet},
		"of no neuron":         {func(m *types.MsgListService) { m.Signer, m.Hotkey = str("payer"), str(hot("payer")) }, subnetstypes.ErrNotRegistered},
		"of no hotkey":         {func(m *types.MsgListService) { m.Hotkey = str("nobody") }, alphatypes.ErrNotBound},
		"without a name":       {func(m *types.MsgListService) { m.Name = "" }, types.ErrText},
		"with a long name":     {func(m *types.MsgListService) { m.Name = strings.Repeat("x", 65) }, types.ErrText},
		"with lines as a name": {func(m *types.MsgListService) { m.Name = "a\nb" }, types.ErrText},
		"with space around":    {func(m *types.MsgListService) { m.Name = " a" }, types.ErrText},
		"not in UTF-8":         {func(m *types.MsgListService) { m.Description = "\xff" }, types.ErrText},
		"with a bell":          {func(m *types.MsgListService) { m.Terms = "\a" }, types.ErrText},
		"with long terms":      {func(m *types.MsgListService) { m.Terms = strings.Repeat("x", 1_025) }, types.ErrText},
		"in no unit":           {func(m *types.MsgListService) { m.Unit = 0 }, types.ErrUnit},
		"in an unknown unit":   {func(m *types.MsgListService) { m.Unit = 77 }, types.ErrUnit},
		"for nothing":          {func(m *types.MsgListService) { m.Price = 0 }, types.ErrAmount},
		"per nothing":          {func(m *types.MsgListService) { m.Per = 0 }, types.ErrAmount},
		"nowhere":              {func(m *types.MsgListService) { m.Endpoint = "" }, types.ErrEndpoint},
		"by another protocol":  {func(m *types.MsgListService) { m.Endpoint = "ftp://example.org" }, types.ErrEndpoint},
		"at no host":           {func(m *types.MsgListService) { m.Endpoint = "https:///v1" }, types.ErrEndpoint},
		"with a user":          {func(m *types.MsgListService) { m.Endpoint = "https://bank.example@evil.example/" }, types.ErrEndpoint},
		"with markup":          {func(m *types.MsgListService) { m.Endpoint = "https://example.org/<script>" }, types.ErrEndpoint},
		"with spaces":          {func(m *types.MsgListService) { m.Endpoint = "https://example.org/ x" }, types.ErrEndpoint},
		"beyond ASCII":         {func(m *types.MsgListService) { m.Endpoint = "https://exаmple.org/" }, types.ErrEndpoint},
		"with a long URL":      {func(m *types.MsgListService) { m.Endpoint = "https://example.org/" + strings.Repeat("x", 256) }, types.ErrEndpoint},
		"at no peer":           {func(m *types.MsgListService) { m.Endpoint = "/ip4/203.0.113.7/tcp/1" }, types.ErrEndpoint},
		"at another's peer": {func(m *types.MsgListService) {
			m.Endpoint = "/ip4/203.0.113.7/tcp/1/p2p/16Uiu2HAm6CZPyXJkjVDLWMbtiC8cKTvwkN3ZpwRmGzKtpXvLKBLD"
		}, types.ErrEndpoint},
	} {
		t.Run(name, func(t *testing.T) {
			m := listMsg("provider", "chat")
			c.change(m)
			refused(t, e, e.msgs.ListService, m, c.want)
		})
	}
}

func TestSection10ANeuronHasSoManyServicesAndPlans(t *testing.T) {
	e := newEnv(t, func(p *types.Params) { p.MaxServices, p.MaxPlans = 3, 2 })
	e.list("provider", "b")
	e.list("provider", "c")
	refused(t, e, e.msgs.ListService, listMsg("provider", "d"), types.ErrTooMany, "max_services")
	e.list("rival", "d") // another's count for themselves
	_, err := send(e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: str("provider"), ServiceId: 2})
	require.NoError(t, err)
	e.list("provider", "d")

	e.offer()
	plan := e.offer()
	m := &types.MsgOfferPlan{Signer: str("provider"), ServiceId: 1, Name: "x", Price: 1, Period: 100, Quota: 1}
	refused(t, e, e.msgs.OfferPlan, m, types.ErrTooMany, "max_plans")
	_, err = send(e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: hotText("provider"), PlanId: plan})
	require.NoError(t, err)
	e.offer()
}

func hotText(name string) string { return str(hot(name)) }

func TestSection10AWithdrawnServiceSellsNothingNewAndWhatIsOpenGoesOn(t *testing.T) {
	e := newEnv(t)
	id, plan := e.open("payer", 10*whole), e.offer()
	subscribed := e.subscribe("other", 10*whole, plan)
	refused(t, e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: str("rival"), ServiceId: 1}, types.ErrNotYours)
	_, err := send(e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: hotText("provider"), ServiceId: 1})
	require.NoError(t, err)
	refused(t, e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: hotText("provider"), ServiceId: 1}, types.ErrNotListed)
	refused(t, e, e.msgs.Deposit, openMsg("other", whole), types.ErrNotListed)
	refused(t, e, e.msgs.OfferPlan, &types.MsgOfferPlan{Signer: str("provider"), ServiceId: 1, Name: "x", Price: 1, Period: 100, Quota: 1}, types.ErrNotListed)

	e.topUp("payer", id, whole)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 11*whole)))
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("other", subscribed, 5)))
	got, err := e.query.Service(e.ctx, &types.QueryServiceRequest{ServiceId: 1})
	require.NoError(t, err)
	require.Empty(t, got.Service.Plans)
	require.EqualValues(t, 2, got.Service.Service.Channels)

	e.blocks(1)
	e.close("provider", id)
	e.close("provider", subscribed)
	_, err = e.query.Service(e.ctx, &types.QueryServiceRequest{ServiceId: 1})
	require.ErrorIs(t, err, types.ErrNoService, "nothing goes on any more")
	require.EqualValues(t, 2, e.list("provider", "chat"), "a new one of that name")
}

func TestSection10AWithdrawnServiceThatIsListedAgainIsTheSame(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	_, err := send(e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: str("provider"), ServiceId: 1})
	require.NoError(t, err)
	require.EqualValues(t, 1, e.list("provider", "chat"))
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 1)))
	e.open("other", whole)
}

func TestSection10TheUnitStaysWhilePlansCountInIt(t *testing.T) {
	e := newEnv(t)
	plan := e.offer()
	m := listMsg("provider", "chat")
	m.Unit = types.UNIT_REQUEST
	refused(t, e, e.msgs.ListService, m, types.ErrUnit, "retire them")
	_, err := send(e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str("provider"), PlanId: plan})
	require.NoError(t, err)
	_, err = send(e, e.msgs.ListService, m)
	require.NoError(t, err)
}

// TestAReplacedNeuronsServicesAreWithdrawn: the subnet has three uids; whoever is
// registered fourth takes the place of one.
func TestSection10AReplacedNeuronsServicesAreWithdrawn(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", 10*whole)
	e.offer()
	e.list("rival", "chat")
	e.ctx = e.ctx.WithBlockHeight(1_000_000).WithBlockTime(e.ctx.BlockTime().Add(1 << 52))
	uid := e.register("other")
	gone, stays := "provider", "rival"
	if uid == 2 {
		gone, stays = stays, gone
	}
	require.Equal(t, "provider", gone, "the older of two without emission")
	require.NoError(t, e.k.CheckInvariants(e.ctx))
	require.Len(t, e.events(&types.EventServiceUnlisted{}), 1)
	require.Contains(t, e.events(&types.EventServiceUnlisted{})[0], `reason="neuron_gone"`)
	require.Len(t, e.events(&types.EventPlanRetired{}), 1)
	left, err := e.query.Services(e.ctx, &types.QueryServicesRequest{})
	require.NoError(t, err)
	require.Len(t, left.Services, 1)
	require.Equal(t, str(hot(stays)), left.Services[0].Hotkey)

	refused(t, e, e.msgs.Deposit, openMsg("other", whole), types.ErrNotListed)
	refused(t, e, e.msgs.ListService, listMsg("provider", "chat"), subnetstypes.ErrNotRegistered)
	require.Equal(t, types.REDEEM_PAID, e.status(hot("provider"), signed("payer", id, 10*whole)), "what is open is paid")
}

func TestSection10ASwappedHotkeyKeepsItsServicesAndIsPaid(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", 10*whole)
	e.bind("provider", "fresh")
	_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str("provider"), Hotkey: hotText("provider"), NewHotkey: str("fresh")})
	require.NoError(t, err)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
	require.Equal(t, types.REDEEM_NOT_YOURS, e.status(hot("provider"), signed("payer", id, 1)), "the old key is another's now")
	before := e.rao("provider")
	r := e.redeem("fresh", signed("payer", id, 10*whole))
	require.Equal(t, types.REDEEM_PAID, r.Results[0].Status)
	require.Equal(t, before+r.Provider, e.rao("provider"))

	got, err := e.query.Channels(e.ctx, &types.QueryChannelsRequest{Hotkey: str("fresh")})
	require.NoError(t, err)
	require.Len(t, got.Channels, 1)
	m := listMsg("provider", "chat")
	m.Signer, m.Hotkey = str("fresh"), str("fresh")
	again, err := send(e, e.msgs.ListService, m)
	require.NoError(t, err)
	require.EqualValues(t, 1, again.ServiceId)
}
