package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
)

func TestWhatAGatewayRedeemsIsSaidOfUseAndOfPlans(t *testing.T) {
	for text, r := range map[string]pay.Redeemed{
		"no channel of service 2 owes anything\n":                                                 {},
		"redeemed 0.5 TAO of 1 channel of service 2; 0.4 of it are yours by the subnet's split\n": {Channels: 1, Paid: 500_000_000, Provider: 400_000_000},
		"told the use of 1 plan of service 2: the price is paid when the period ends\n":           {Channels: 1, Plans: 1},
		"redeemed 0.5 TAO of 2 channels of service 2; 0.4 of it are yours by the subnet's split\n" +
			"told the use of 3 plans of service 2: the price is paid when the period ends\n": {Channels: 5, Plans: 3, Paid: 500_000_000, Provider: 400_000_000},
	} {
		var b strings.Builder
		writeRedeemed(&b, r, 2)
		require.Equal(t, text, b.String())
	}
}
