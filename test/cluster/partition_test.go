//go:build linux

package cluster_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// network is what lies between the nodes of a cluster and can be cut.
type network interface {
	part(c *cluster, some ...*member)
	heal()
	String() string
}

// On loopback, where both sides see their connections end.
func TestPartitionWithClosedConnections(t *testing.T) {
	long(t)
	r := chance(t)
	c := write(t, 4)
	partition(c, relay(c), r)
}

// Between namespaces, where packets vanish and nobody is told.
func TestPartitionWherePacketsVanish(t *testing.T) {
	long(t)
	r := chance(t)
	c := write(t, 4)
	partition(c, breathe(c, r), r)
}

// partition cuts a network in all ways, and joins it again.
func partition(c *cluster, n network, r *rand.Rand) {
	t := c.t
	c.begin()
	l := keep(c)
	// Two and two: no side has more than two thirds. The last cut is longer than peers wait
	// for an answer (45 s), so that they have given each other up.
	for _, blocks := range []int{15, 15, 150} {
		first := r.IntN(4)
		some := []*member{c.nodes[first], c.nodes[(first+1+r.IntN(3))%4]}
		rest := c.but(some...)
		n.part(c, some...)
		a, b := c.halves(blocks, some, rest)
		n.heal()
		healed := time.Now()
		c.all(max(a, b) + 2)
		say(t, "%s cut off for %d block times: %s stand at %d, %s at %d; blocks again %.1fs after it was healed",
			names(some), blocks, names(some), a, names(rest), b, time.Since(healed).Seconds())
		c.agree()
	}
	// One alone: the others go on.
	one := c.nodes[r.IntN(4)]
	n.part(c, one)
	stood := c.stands(0, []*member{one})[0]
	at := c.top(c.but(one)...)
	c.reach(at+8, c.but(one)...)
	require.Equal(t, stood, one.height(t.Context()), "%s makes blocks alone", one.name)
	n.heal()
	healed := time.Now()
	c.follows(one)
	say(t, "%s cut off: the others went on from %d to %d, it stood at %d; it follows %.1fs after it was healed", one.name, at, at+8, stood, time.Since(healed).Seconds())
	// Again and again, for moments, now these and now those. How long each lasts is what the
	// test puts in: there is no event to wait for.
	before := c.top(c.nodes...)
	for range 30 {
		some := slices.Clone(c.nodes)
		r.Shuffle(4, func(i, j int) { some[i], some[j] = some[j], some[i] })
		n.part(c, some[:1+r.IntN(2)]...)
		time.Sleep(time.Duration(r.Int64N(int64(2 * time.Second))))
		if r.IntN(2) == 0 {
			n.heal()
			time.Sleep(time.Duration(r.Int64N(int64(time.Second))))
		}
	}
	n.heal()
	healed = time.Now()
	top := c.top(c.nodes...)
	c.all(top + 3)
	say(t, "30 cuts of up to 2s: from block %d to %d; all make blocks together %.1fs after the last", before, top, time.Since(healed).Seconds())
	l.check()
	say(t, "%s", n)
}
