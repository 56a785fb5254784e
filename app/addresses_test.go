package app

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
)

func TestRememberedAddressesAreThoseOfTheCodec(t *testing.T) {
	plain, a := addresscodec.NewBech32Codec(AccountPrefix), newAddresses(AccountPrefix)
	for _, bz := range [][]byte{make([]byte, 20), []byte("twenty bytes of them"), make([]byte, 32), nil, {1}} {
		want, err := plain.BytesToString(bz)
		require.NoError(t, err)
		for range 2 {
			got, err := a.BytesToString(bz)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		for _, text := range []string{want, strings.ToUpper(want), want + "x", "cosmos" + want, " "} {
			want, failed := plain.StringToBytes(text)
			for range 2 {
				got, err := a.StringToBytes(text)
				require.Equal(t, failed == nil, err == nil, text)
				if failed == nil {
					require.Equal(t, want, got)
					got[0] ^= 1 // the caller's own
				} else {
					require.EqualError(t, err, failed.Error())
				}
			}
		}
	}
}
