package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASubnetsEpochAgeIsNotThatOfTheOneBefore(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	s := stateSample{time: start.Add(time.Hour), height: 100, target: time.Second}
	young := subnetSample{begun: start.Add(50 * time.Minute)}
	require.Equal(t, 10*time.Minute, young.epochAge(s, time.Time{}), "from its start")
	require.Equal(t, 10*time.Minute, young.epochAge(s, start.Add(time.Minute)), "the epoch was that of the subnet that had the netuid before")
	require.Equal(t, time.Minute, young.epochAge(s, start.Add(59*time.Minute)))
	old := subnetSample{begun: start, epochs: 4, lastEpoch: 90}
	require.Equal(t, 10*time.Second, old.epochAge(s, time.Time{}), "an epoch of before this program's start")
}
