package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestAnAllowanceShowsWhatIsLeftOfThisPeriod(t *testing.T) {
	reset := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	a := &markettypes.SpendAuthorization{Spender: "agent", Limit: 90, PerPeriod: 10, Period: 86_400, PeriodLeft: 3, PeriodReset: reset.Unix()}
	at := func(now time.Time) allowanceJSON { return newAllowanceJSON("payer", a, nil, nil, now) }

	v := at(reset.Add(-time.Second))
	require.Equal(t, uint64(3), *v.PeriodLeft)
	require.Equal(t, "2026-11-27T00:00:00Z", *v.PeriodEnds)

	v = at(reset) // the chain gives all of it to the next deposit
	require.Equal(t, uint64(10), *v.PeriodLeft)
	require.Nil(t, v.PeriodEnds)

	a.PeriodLeft, a.PeriodReset = 0, 0 // nothing was deposited yet
	v = at(reset)
	require.Equal(t, uint64(10), *v.PeriodLeft)
	require.Nil(t, v.PeriodEnds)

	a = &markettypes.SpendAuthorization{Spender: "agent", Limit: 90}
	require.Nil(t, at(reset).PeriodLeft)
}
