package indexer

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// anyUID is an epoch's, often of nothing.
func anyUID(rnd *rand.Rand) (u uidEpoch) {
	if rnd.IntN(3) > 0 {
		u.incentive, u.consensus = rnd.Uint64N(1e12), uint16(rnd.Uint32())
	}
	if rnd.IntN(3) == 0 {
		u.dividends, u.revenue, u.root, u.trust = rnd.Uint64(), rnd.Uint64N(1e9), rnd.Uint64N(300), uint16(rnd.Uint32())
		u.dividends /= 1_000
	}
	u.ended = rnd.IntN(20) == 0
	return u
}

func TestOldEpochsOfAShortTempoAddUpToWhatTheyGave(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		tempo, chunk := uint32(1+rnd.IntN(400)), uint64(rnd.IntN(9))
		first := chunk*chunkEpochs + 1
		list := make([]uidEpoch, 1+rnd.IntN(chunkEpochs))
		var data []byte
		for i := range list {
			list[i] = anyUID(rnd)
			data = list[i].append(data)
		}
		thinned, err := thin(data, first, tempo)
		require.NoError(t, err)
		got, err := decode(thinned)
		require.NoError(t, err)
		require.Len(t, got, len(list), "every epoch has its place")
		var sum uidEpoch
		var consensus, count uint64
		for i, u := range list {
			sum.incentive, sum.dividends, sum.revenue, sum.root = sum.incentive+u.incentive, sum.dividends+u.dividends, sum.revenue+u.revenue, sum.root+u.root
			consensus, count = consensus+uint64(u.consensus), count+1
			if got[i].later {
				require.False(t, u.ended, "what another earned is not added to it")
				require.Less(t, int(tempo), 181, "of a long tempo all are kept")
				require.NotZero(t, (first+uint64(i))%uint64(fullTempo/tempo))
				continue
			}
			require.Equal(t, []uint64{sum.incentive, sum.dividends, sum.revenue, sum.root}, []uint64{got[i].incentive, got[i].dividends, got[i].revenue, got[i].root})
			require.EqualValues(t, consensus/count, got[i].consensus)
			require.Equal(t, u.ended, got[i].ended)
			sum, consensus, count = uidEpoch{}, 0, 0
		}
		require.Zero(t, count, "the last is never a part of another")
	}
}

func TestEpochsOfATempoOfTenTakeAboutAsMuchRoomAsThoseOfThreeHundredAndSixty(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var data []byte
	for range chunkEpochs {
		data = uidEpoch{incentive: 1e9 + rnd.Uint64N(1e9), consensus: uint16(rnd.Uint32())}.append(data)
	}
	thinned, err := thin(data, 1, 10)
	require.NoError(t, err)
	require.Less(t, 20*len(thinned), len(data))
}

func TestBlobsThatAreDamagedAreRefused(t *testing.T) {
	for _, b := range [][]byte{{hasLater}, {hasLater, 0}, {hasLater, 0xff, 0xff, 1}, {hasLater + 1, 1}, {hasIncentive}, {hasConsensus, 0xff, 0xff, 0xff, 1}} {
		_, err := decode(b)
		require.ErrorIs(t, err, errBlob, "%x", b)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 2_000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		list, err := decode(b) // must return
		require.True(t, err == nil || list == nil)
	}
}
