package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"
)

func TestTheDoctorTellsAWrongClockByNodesAndByBlocks(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(block time.Duration, skew time.Duration) *source {
		return &source{url: "http://a", skew: skew, error: 600 * time.Millisecond, status: &ctypes.ResultStatus{
			SyncInfo: ctypes.SyncInfo{LatestBlockHeight: 7, LatestBlockTime: now.Add(block)},
		}}
	}
	for says, c := range map[string]struct {
		other *source
		state State
	}{
		"within 2s": {at(-time.Second, 2*time.Second), OK},
		"the latest block of http://a is from 9s ahead of this clock": {at(9*time.Second, 0), Failed},
		"this clock is 5s behind that of http://a":                    {at(0, 5*time.Second), Failed},
		"this clock is 5s before that of http://a":                    {at(-time.Second, -5*time.Second), Failed},
	} {
		d := &doctor{now: func() time.Time { return now }, others: []*source{c.other}}
		d.check("clock", d.clock)
		require.Equal(t, c.state, d.found[0].State, d.found)
		require.Contains(t, d.found[0].Says, says)
	}
}

func TestTheDoctorTellsAChainThatStandsStill(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for state, c := range map[State]ctypes.SyncInfo{
		OK:      {LatestBlockHeight: 7, LatestBlockTime: now.Add(-10 * time.Second)},
		Failed:  {LatestBlockHeight: 7, LatestBlockTime: now.Add(-11 * time.Second)},
		Warning: {LatestBlockHeight: 7, LatestBlockTime: now.Add(-time.Hour), CatchingUp: true},
	} {
		d := &doctor{now: func() time.Time { return now }, target: time.Second, own: &source{status: &ctypes.ResultStatus{SyncInfo: c}}}
		d.check("blocks", d.blocks)
		require.Equal(t, state, d.found[0].State, d.found)
	}
}
