package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestLengthsOfTimeAreReadAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]int64{
		"day": 86_400, "week": 604_800, "month": 2_592_000, "30d": 2_592_000, "12h": 43_200, "90s": 90, "15m": 900,
		"2 weeks": 1_209_600, "1 day": 86_400, "3650d": 315_360_000, "1hour": 3_600,
	} {
		got, err := parsePeriod(in, "--for")
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "d", "h", "0d", "-1d", "+1d", "1.5d", "1e3d", "3651d", "99999999999d", "99999999999999999999s", "1dd", "days", "d1", "1 d d", "١d", "1\x00d", strings.Repeat("9", 1000) + "s"} {
		_, err := parsePeriod(in, "--for")
		require.Error(t, err, "%q", in)
	}
}

func TestALengthOfTimeIsShownInItsLargestUnit(t *testing.T) {
	for in, want := range map[int64]string{1: "1 second", 59: "59 seconds", 60: "1 minute", 5_400: "90 minutes", 86_400: "1 day", 2_592_000: "30 days", 604_800: "1 week"} {
		require.Equal(t, want, periodText(in))
	}
}

func TestUseIsReadInUnitsAndCountedInParts(t *testing.T) {
	for _, c := range []struct {
		in   string
		unit markettypes.Unit
		want uint64
	}{
		{"1", markettypes.UNIT_REQUEST, 1}, {"1,000,000", markettypes.UNIT_TOKEN, 1_000_000}, {"0.5", markettypes.UNIT_VIDEO_MINUTE, 30_000},
		{"2", markettypes.UNIT_GIB_MONTH, 2 * 737_280}, {"18446744073709551615", markettypes.UNIT_TASK, 1<<64 - 1},
	} {
		got, err := parseUnits(c.in, c.unit, "--per")
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, c.in)
	}
	for _, in := range []string{"", "0", "0.0", "-1", "+1", "1/2", "0x10", "1e9", "1e999999999", "NaN", "Inf", "1_000", "18446744073709551616", "0.5", "1.", ".5", strings.Repeat("9", 10_000), "1 000"} {
		_, err := parseUnits(in, markettypes.UNIT_TOKEN, "--per")
		require.Error(t, err, "%.40q", in)
	}
	_, err := parseUnits("307445734561825861", markettypes.UNIT_VIDEO_MINUTE, "--per") // × 60,000 is past 64 bits
	require.Error(t, err)
	_, err = parseUnits("0.000001", markettypes.UNIT_VIDEO_MINUTE, "--per") // no whole millisecond
	require.Error(t, err)
}

func TestAmountsOfUseAreShownWhole(t *testing.T) {
	require.Equal(t, "1,000,000 tokens", unitsText(1_000_000, markettypes.UNIT_TOKEN))
	require.Equal(t, "1 video minute", unitsText(60_000, markettypes.UNIT_VIDEO_MINUTE))
	require.Equal(t, "30,001 video_ms", unitsText(30_001, markettypes.UNIT_VIDEO_MINUTE))
	require.Equal(t, "0.1 TAO a task", priceForText(100_000_000, 1, markettypes.UNIT_TASK))
	require.Equal(t, "0.1 TAO for 2 GiB-months", priceForText(100_000_000, 2*737_280, markettypes.UNIT_GIB_MONTH))
	require.Equal(t, "7 99", unitsText(7, markettypes.Unit(99))) // of a later version
}

func TestTextsOfStrangersStayOnTheirLine(t *testing.T) {
	require.Equal(t, "a b c", plain(" a\n\tb\r\n c "))
	require.Equal(t, "<U+001B>[2J", plain("\x1b[2J"))
	require.Equal(t, "pay<U+202E>lla", plain("pay\u202ella"))
	require.Equal(t, "größe 日本", plain("größe 日本"))
}

func TestTAOIsReadInBothUnits(t *testing.T) {
	for in, want := range map[string]uint64{"5": 5e9, "5tao": 5e9, "0.5 TAO": 5e8, "1500rao": 1500, "1 rao": 1, "21000000": 21_000_000e9} {
		got, err := parseTAO(in, "the amount")
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"rao", "tao", "1.5rao", "-1rao", "+1rao", "21000000000000001rao", "99999999999999999999rao", "0rao", "5 tao tao", "5raotao", "0x5rao"} {
		_, err := parseTAO(in, "the amount")
		require.Error(t, err, in)
	}
}
