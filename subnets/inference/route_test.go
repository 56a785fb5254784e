package inference

import (
	"errors"
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

// routed is a directory of miners at a time that tests move.
type routed struct {
	*directory
	t   *testing.T
	now time.Time
}

func newRouted(t *testing.T, change map[string]func(*member)) *routed {
	r := &routed{t: t, now: time.Unix(1_800_000_000, 0)}
	r.directory = &directory{cfg: &GatewayConfig{Tier: TierAny, Now: func() time.Time { return r.now }}, members: map[string]*member{}}
	for hotkey, f := range change {
		m := &member{Remote: Remote{Hotkey: hotkey, Card: Card{Tier: TierAny, Price: 1000, ServiceID: 1, Engine: engine.Info{Verifiable: true, Slots: 4, Digest: "d"}}}}
		f(m)
		r.members[hotkey] = m
	}
	return r
}

// asks makes a call and says who got it.
func (r *routed) asks(o outcome) string {
	r.t.Helper()
	to, done, ok := r.take(want{})
	require.True(r.t, ok)
	done(o)
	return to.Hotkey
}

// measured is a miner whose speed is known.
func (r *routed) measured(hotkey string, first, rate float64) {
	r.members[hotkey].first.note(first, r.now)
	r.members[hotkey].rate.note(rate, r.now)
	r.members[hotkey].answers++
}

func TestWhoIsAskedFirst(t *testing.T) {
	price := func(p uint64) func(*member) { return func(m *member) { m.Card.Price = p } }
	paid := func(p uint64, incentive float64) func(*member) {
		return func(m *member) { m.Card.Price, m.Incentive = p, incentive }
	}
	for name, tc := range map[string]struct {
		miners  map[string]func(*member)
		measure func(*routed)
		first   string
	}{
		"the cheaper of two that nobody knows":     {map[string]func(*member){"a": price(1000), "b": price(900)}, nil, "b"},
		"who validators pay, though dearer":        {map[string]func(*member){"a": price(1), "b": paid(5000, 0.2)}, nil, "b"},
		"dust is no incentive":                     {map[string]func(*member){"a": paid(1, 0.001), "b": paid(5000, 0.2)}, nil, "b"},
		"the cheaper of two that validators pay":   {map[string]func(*member){"a": paid(900, 0.01), "b": paid(1000, 0.9)}, nil, "a"},
		"three times as fast for twice the price":  {map[string]func(*member){"a": price(1000), "b": price(2000)}, func(r *routed) { r.measured("a", 0.3, 10); r.measured("b", 0.1, 30) }, "b"},
		"a little faster is not worth twice":       {map[string]func(*member){"a": price(1000), "b": price(2000)}, func(r *routed) { r.measured("a", 0.3, 28); r.measured("b", 0.3, 30) }, "a"},
		"the faster of two that are free":          {map[string]func(*member){"a": price(0), "b": price(0)}, func(r *routed) { r.measured("a", 0.3, 10); r.measured("b", 0.3, 30) }, "b"},
		"who has room":                             {map[string]func(*member){"a": func(m *member) { m.Card.Open = 40 }, "b": price(1500)}, nil, "b"},
		"who is not known before who is slow":      {map[string]func(*member){"a": price(1000), "b": price(1000), "c": price(1000)}, func(r *routed) { r.measured("a", 3, 10); r.measured("b", 1, 10) }, "c"},
		"of equals the one that has answered less": {map[string]func(*member){"a": func(m *member) { m.answers = 3 }, "b": func(m *member) { m.answers = 2 }}, nil, "b"},
	} {
		r := newRouted(t, tc.miners)
		if tc.measure != nil {
			tc.measure(r)
		}
		require.Equal(t, tc.first, r.asks(outcome{}), name)
	}
}

func TestLoadIsSpread(t *testing.T) {
	same := func(*member) {}
	r := newRouted(t, map[string]func(*member){"a": same, "b": same, "c": same})
	got := map[string]int{}
	for range 30 {
		to, _, ok := r.take(want{})
		require.True(t, ok)
		got[to.Hotkey]++
	}
	require.Equal(t, map[string]int{"a": 10, "b": 10, "c": 10}, got)
}

func TestWhoFailsPauses(t *testing.T) {
	r := newRouted(t, map[string]func(*member){"a": func(m *member) { m.Card.Price = 1 }, "b": func(*member) {}})
	failed := outcome{err: errors.New("it is gone")}
	pause := 2 * time.Second
	for range 12 {
		require.Equal(t, "a", r.asks(failed))
		r.now = r.now.Add(min(pause, 5*time.Minute) - time.Millisecond)
		require.Equal(t, "b", r.asks(outcome{}))
		r.now = r.now.Add(time.Millisecond)
		pause *= 2
	}
	require.Equal(t, "a", r.asks(outcome{}))
	require.Equal(t, "a", r.asks(failed), "it is forgotten once it answers")
	r.now = r.now.Add(2 * time.Second)
	require.Equal(t, "a", r.asks(outcome{err: engine.ErrBusy, busy: true}))
	require.Equal(t, "b", r.asks(outcome{}))
	r.now = r.now.Add(pauseBusy)
	require.Equal(t, "a", r.asks(outcome{err: errors.New("ours"), ours: true}))
	require.Equal(t, "a", r.asks(outcome{err: errLie, lie: true}))
	r.now = r.now.Add(59 * time.Minute)
	require.Equal(t, "b", r.asks(outcome{}))
	r.now = r.now.Add(time.Minute)
	require.Equal(t, "a", r.asks(outcome{}))

	// Where all pause, the one is asked whose pause ends first; who lies never is.
	r.blame("b", errors.New("refused"))
	require.Equal(t, "a", r.asks(outcome{err: errLie, lie: true}))
	require.Equal(t, "b", r.asks(failed))
	require.Equal(t, "b", r.asks(failed))
	require.Zero(t, r.members["a"].open+r.members["b"].open)
}

func TestOldMeasuresFade(t *testing.T) {
	r := newRouted(t, map[string]func(*member){"slow": func(*member) {}, "fast": func(m *member) { m.Card.Price = 1300 }})
	r.measured("slow", 4, 10)
	r.measured("fast", 0.1, 100)
	require.Equal(t, "fast", r.asks(outcome{}))
	r.now = r.now.Add(30 * time.Minute)
	require.Equal(t, "slow", r.asks(outcome{}), "it gets another chance")
}
