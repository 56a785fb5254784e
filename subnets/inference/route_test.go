package inference

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
)

func TestNoMinerGetsMoreCallsThanAConnectionCarries(t *testing.T) {
	d := &directory{cfg: &GatewayConfig{Tier: TierAny, Now: time.Now}, members: map[string]*member{}}
	for _, hotkey := range []string{"a", "b"} {
		d.members[hotkey] = &member{Remote: Remote{Hotkey: hotkey, Card: Card{Tier: TierAny, Engine: engine.Info{Verifiable: true}}}}
	}
	asked := map[string]int{}
	var last func(outcome)
	for range 2 * mostOpen {
		to, done, ok := d.take(want{})
		require.True(t, ok)
		asked[to.Hotkey]++
		last = done
	}
	require.Equal(t, map[string]int{"a": mostOpen, "b": mostOpen}, asked)
	_, _, ok := d.take(want{})
	require.False(t, ok, "there is no room")
	last(outcome{})
	_, _, ok = d.take(want{})
	require.True(t, ok, "until a call has ended")
}
