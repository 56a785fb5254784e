package keeper_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/keeper"
	"github.com/lodenet/lode/x/alpha/pool"
)

func TestStakePoolsAndPositionsAreReadAsTheyWereKept(t *testing.T) {
	stakePools, positions := keeper.RecordCodecs()
	rapid.Check(t, func(t *rapid.T) {
		shares := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "shares"))
		if shares.Sign() == 0 {
			shares.SetInt64(1)
		}
		s := pool.SharePool{Alpha: rapid.Uint64().Draw(t, "alpha"), Shares: shares}
		raw, err := stakePools.Encode(s)
		require.NoError(t, err)
		got, err := stakePools.Decode(raw)
		require.NoError(t, err)
		require.Equal(t, s, got)

		raw, err = positions.Encode(shares)
		require.NoError(t, err)
		held, err := positions.Decode(raw)
		require.NoError(t, err)
		require.Equal(t, shares, held)
	})
}

func TestWhatIsNoStakeIsNotKept(t *testing.T) {
	stakePools, positions := keeper.RecordCodecs()
	for _, shares := range []*big.Int{nil, new(big.Int), big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 256)} {
		_, err := stakePools.Encode(pool.SharePool{Alpha: 1, Shares: shares})
		require.Error(t, err, "%s", shares)
		_, err = positions.Encode(shares)
		require.Error(t, err, "%s", shares)
	}
}

// A number has one form, so that nodes which compute the same keep the same.
func TestRecordsInAnotherFormAreRefused(t *testing.T) {
	stakePools, positions := keeper.RecordCodecs()
	for _, shares := range [][]byte{nil, {}, {0}, {0, 1}, make([]byte, 33), append([]byte{1}, make([]byte, 32)...)} {
		_, err := positions.Decode(shares)
		require.Error(t, err, "%x", shares)
		_, err = stakePools.Decode(append(make([]byte, 8), shares...))
		require.Error(t, err, "%x", shares)
	}
	for n := range 9 {
		_, err := stakePools.Decode(make([]byte, n))
		require.Error(t, err, "%d bytes", n)
	}
	s, err := stakePools.Decode([]byte{255, 255, 255, 255, 255, 255, 255, 255, 1, 0})
	require.NoError(t, err)
	require.Equal(t, pool.SharePool{Alpha: math.MaxUint64, Shares: big.NewInt(256)}, s)
}
