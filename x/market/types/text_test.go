package types_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/market/types"
)

func TestErrorsSayAmountsInTAOAndTimesAsDates(t *testing.T) {
	for rao, text := range map[uint64]string{
		0: "0 TAO", 1: "0.000000001 TAO", 1_000_000: "0.001 TAO", 1_500_000_000: "1.5 TAO", 20_000_000_000: "20 TAO", math.MaxUint64: "18446744073.709551615 TAO",
	} {
		require.Equal(t, text, types.TAO(rao))
	}
	require.Equal(t, "2026-11-26T12:00:00Z", types.Date(1_795_694_400))
	require.Equal(t, "1970-01-01T00:00:00Z", types.Date(0))
}
