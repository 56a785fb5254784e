package cli

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestAChannelIsNamedByItsFirstDigitsOrItsService(t *testing.T) {
	id := func(first ...byte) []byte { return append(first, make([]byte, 32-len(first))...) }
	open := []markettypes.Channel{
		{Id: id(0x0d, 0xa4, 0x1e, 0x06, 0x37), ServiceId: 2, Deposit: 500_000_000},
		{Id: id(0x0d, 0xa4, 0x1e, 0x06, 0x38), ServiceId: 2, Subscription: &markettypes.Subscription{PlanId: 7, PeriodEnd: 1_800_000_000}},
		{Id: id(0xff), ServiceId: 3, ClosingTime: 1_800_000_000, ClosingHeight: 9},
		{Id: id(0x12, 0x34, 0x56, 0x78), ServiceId: 12_345_678},
	}
	named := func(want string, fits func(*markettypes.Channel) bool) (string, error) {
		got, err := channelNamed(open, want, fits)
		if err == nil {
			require.Len(t, got, 64)
		}
		return strings.TrimRight(got, "0"), err
	}
	any := func(*markettypes.Channel) bool { return true }
	for want, is := range map[string]string{"0da41e0637": "0da41e0637", "0da41e0638000": "0da41e0638", "ff000000": "ff", "3": "ff", "03": "ff", "12345678": "12345678"} {
		got, err := named(want, any)
		require.NoError(t, err, want)
		require.Equal(t, is, got)
	}

	// What can't be told apart is shown.
	_, err := named("2", any)
	require.ErrorContains(t, err, "2 channels can be meant by 2: 0da41e063700 (by use, 0.5 TAO, open), 0da41e063800 (plan 7, 0 TAO, paid until 2027-01-15T08:00:00Z)")
	_, err = named("0da41e06", any)
	require.ErrorContains(t, err, "2 channels can be meant by 0da41e06: 0da41e063700")
	many := make([]markettypes.Channel, 20)
	for i := range many {
		many[i] = markettypes.Channel{Id: id(byte(i)), ServiceId: 1}
	}
	_, err = channelNamed(many, "1", any)
	require.ErrorContains(t, err, "070000000000 (by use, 0 TAO, open), …")

	// What is to be done tells them apart: close takes what does not end, cancel a plan.
	got, err := named("2", func(c *markettypes.Channel) bool { return c.Subscription != nil })
	require.NoError(t, err)
	require.Equal(t, "0da41e0638", got)
	open[1].Subscription.Cancelled = true
	got, err = named("2", goesOn)
	require.NoError(t, err)
	require.Equal(t, "0da41e0637", got)

	for want, code := range map[string]string{"3": "not_found", "9": "not_found", "00000000": "not_found", "0": codeUsage, "ffff0000": "not_found"} {
		_, err := named(want, goesOn)
		got, _ := explain(err)
		require.Equal(t, code, got, "%s: %v", want, err)
	}
}

func TestASecondChannelForTheSameIsNotOpenedUnasked(t *testing.T) {
	id := func(first byte) []byte { return append([]byte{first}, make([]byte, 31)...) }
	text := func(first byte) string { return hex.EncodeToString(id(first)) }
	open := []markettypes.Channel{
		{Id: id(1), ServiceId: 2, Deposit: 500_000_000, Claimed: 1},
		{Id: id(2), ServiceId: 3, ClosingTime: 1_800_000_000},
		{Id: id(3), ServiceId: 4, Subscription: &markettypes.Subscription{PlanId: 7, PeriodEnd: 1_800_000_000}},
		{Id: id(4), ServiceId: 4, Subscription: &markettypes.Subscription{PlanId: 8, Cancelled: true}},
		{Id: id(5), ServiceId: 5},
		{Id: id(6), ServiceId: 6},
	}
	own := []pay.ClientChannel{{ID: text(1), Charged: 100_000_000}, {ID: text(2)}, {ID: text(3)}, {ID: text(4)}, {ID: text(6), Stopped: "dishonest"}}
	err := alreadyOpen(open, own, pay.OpenOptions{ServiceID: 2})
	require.ErrorContains(t, err, "channel 010000000000 to service 2 is open, with 0.4 TAO left")
	code, hint := explain(err)
	require.Equal(t, "already_open", code)
	require.Contains(t, hint, "lode pay top-up 010000000000 TAO")
	require.ErrorContains(t, alreadyOpen(open, own, pay.OpenOptions{ServiceID: 4, PlanID: 7}), "pays plan 7 of service 4 already, until 2027-")

	for why, o := range map[string]pay.OpenOptions{
		"another service": {ServiceID: 9}, "a plan beside it": {ServiceID: 2, PlanID: 1}, "use beside a plan": {ServiceID: 4},
		"it closes": {ServiceID: 3}, "it is cancelled": {ServiceID: 4, PlanID: 8}, "another program's books have it": {ServiceID: 5}, "its provider cheats": {ServiceID: 6},
	} {
		require.NoError(t, alreadyOpen(open, own, o), why)
	}
}
