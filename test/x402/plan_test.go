package x402_test

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// planPrice is what half a minute costs, in rao.
const planPrice = 600_000

// offer offers a plan of the shop's service.
func (s *shop) offer(ctx context.Context, t *testing.T, name string, price uint64, period int64, quota uint64) uint64 {
	t.Helper()
	offered, err := client.Response[*markettypes.MsgOfferPlanResponse](s.send(ctx, t, s.cold, &markettypes.MsgOfferPlan{
		Signer: s.cold.Address(), ServiceId: s.service, Name: name, Price: price, Period: period, Quota: quota,
	}))
	require.NoError(t, err)
	return offered.PlanId
}

// gone waits until channels are no more on the chain.
func (s *shop) gone(ctx context.Context, t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		raw, err := hex.DecodeString(id)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			_, err := pay.NewChain(s.c, s.hot).Channel(ctx, raw)
			return err != nil
		}, time.Minute, 200*time.Millisecond)
		_, err = pay.NewChain(s.c, s.hot).Channel(ctx, raw)
		require.ErrorIs(t, err, pay.ErrNoChannel)
	}
}

// plansPay has a customer subscribe, use up a quota, go on by use, go on in the next
// period, and cancel. All that is paid is accounted for.
func (s *shop) plansPay(ctx context.Context, t *testing.T) {
	env := []string{"LODE_SERVICE=" + strconv.FormatUint(s.service, 10),
		"LODE_PLAN=" + strconv.FormatUint(s.plan, 10), "LODE_LONG_PLAN=" + strconv.FormatUint(s.long, 10)}
	_, err := s.gateway.Redeem(ctx, true) // what earlier customers owe
	require.NoError(t, err)
	had, earned := s.balance(ctx, t, s.customer), s.balance(ctx, t, s.cold)

	store := filepath.Join(t.TempDir(), "x402.json")
	first := s.run(ctx, t, "plan.test.mjs", s.payer, store, env...)
	require.EqualValues(t, 7_000, first.Charged)
	require.EqualValues(t, 3_600_000, first.Long.Price)
	require.EqualValues(t, planPrice+first.Long.Price+first.Charged+first.Fees, first.Spent, "the package's books: a period of each plan, a request and the fees")

	again := s.run(ctx, t, "planagain.test.mjs", s.payer, store, env...)
	require.EqualValues(t, 164, again.Units)
	require.EqualValues(t, first.Charged, again.Charged, "nothing more was paid by use")
	require.EqualValues(t, first.Spent+planPrice+again.Fees, again.Spent, "and a second period")

	// The gateway has charged what the customer knows of.
	var units, rao uint64
	require.NoError(t, s.gateway.History(time.Time{}, func(e pay.Entry) bool {
		switch {
		case e.Kind == pay.EntryCharge && e.Channel == first.Plan:
			require.Equal(t, s.plan, e.PlanID)
			units += e.Amount
		case e.Kind == pay.EntryCharge && e.Channel == first.Channel:
			rao += e.Amount
		}
		return true
	}))
	require.EqualValues(t, 142+14, units, "in two periods; 8 of the first one's units are lost")
	require.Equal(t, first.Charged, rao)
	redeemed, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.Equal(t, first.Charged, redeemed.Paid, "a plan's use moves no coins")
	require.EqualValues(t, 164, s.channel(ctx, t, first.Plan).Subscription.Used)

	// Both plans end, the third period's price comes back, and so does what was not used by use.
	s.gone(ctx, t, first.Plan, first.Long.Channel)
	id, err := hex.DecodeString(first.Channel)
	require.NoError(t, err)
	closed, err := pay.NewChain(s.c, s.hot).Close(ctx, id)
	require.NoError(t, err)
	require.Equal(t, first.Deposit-first.Charged, closed.Refunded)
	owed := first.Long.Price * first.Long.Elapsed / 3600
	paid := 2*planPrice + owed + first.Charged
	require.Equal(t, had-paid-first.Fees-again.Fees, s.balance(ctx, t, s.customer))
	require.Equal(t, earned+paid*85/100, s.balance(ctx, t, s.cold))
}
