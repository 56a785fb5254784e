//go:build linux

package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a node says on its way through a block, and through its start: moments at which
// something is written that something else must fit to.
var (
	inBlock = []string{
		"finalizing commit of block", // decided; not in the block store yet
		"finalized block",            // run; its results are not written
		"committed state",            // in the application's database; not in CometBFT's state
		"indexed block events",       // the index of transactions is being written
		"received proposal",          // a vote is about to be signed
	}
	inStart = []string{
		"ABCI Handshake App Info",                 // application and block store are compared
		"Completed ABCI Handshake",                // and agree
		"Catchup by replaying consensus messages", // the write-ahead log is read
		"service start",                           // one of CometBFT's parts
		"Time to switch to consensus mode",        // it has caught up
		"Starting Peer service", "executed block", // it fetches blocks
	}
)

// moment waits for a random moment of a node and says which it was. The moment is what the
// test puts in, so it sleeps: there is no event to wait for.
func moment(r *rand.Rand, p *process, marks []string, most time.Duration) string {
	if r.IntN(2) == 0 {
		d := time.Duration(r.Int64N(int64(most)))
		time.Sleep(d)
		return "after " + d.Round(time.Millisecond).String()
	}
	mark := marks[r.IntN(len(marks))]
	d := time.Duration(r.Int64N(int64(3 * time.Millisecond)))
	select {
	case <-p.log.await(mark):
		time.Sleep(d)
		return fmt.Sprintf("%s after %q", d.Round(100*time.Microsecond), mark)
	case <-time.After(2*time.Second + most):
		return fmt.Sprintf("without having said %q", mark)
	}
}

// A validator is killed again and again, in the middle of blocks and of its own start;
// the others go on, and it comes back each time. Nothing that was confirmed is lost.
func TestKillAValidatorAtAnyMomentAHundredTimes(t *testing.T) {
	long(t)
	kills, r := number(t, "LODE_KILLS", 100), chance(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	var back []time.Duration
	for n := 0; n < kills; {
		victim := c.nodes[r.IntN(len(c.nodes))]
		how := moment(r, victim.proc, inBlock, 4*blockTime)
		victim.proc.kill()
		n++
		at := c.top(c.but(victim)...)
		c.reach(at+2, c.but(victim)...) // while it is dead
		again := 0
		c.start(victim)
		for r.IntN(3) == 0 && n < kills { // and in the middle of its start
			how += ", then " + moment(r, victim.proc, inStart, 2*time.Second)
			require.False(t, victim.proc.dead(), "it ended by itself: %s", victim.proc.log.last(20))
			victim.proc.kill()
			n, again = n+1, again+1
			c.start(victim)
		}
		started := time.Now()
		c.follows(victim)
		back = append(back, time.Since(started))
		say(t, "kill %d/%d: %s at block %d, %s; the others made 2 blocks; back after %.1fs at block %d",
			n, kills, victim.name, at, how, time.Since(started).Seconds(), victim.height(t.Context()))
		if len(back)%20 == 0 {
			c.agree()
			say(t, "%s", l.so())
		}
	}
	slices.Sort(back)
	say(t, "from start to following: median %.1fs, longest %.1fs", back[len(back)/2].Seconds(), back[len(back)-1].Seconds())
	l.check()
}

// killTogether kills some nodes at the same instant.
func killTogether(nodes []*member) {
	var all sync.WaitGroup
	for _, m := range nodes {
		all.Go(m.proc.kill)
	}
	all.Wait()
}

// Without two of four there are no two thirds: the chain stands, and goes on when they
// are back.
func TestKillTwoOfFourAndTheChainStandsUntilTheyReturn(t *testing.T) {
	long(t)
	r := chance(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	for n := range 4 {
		first := r.IntN(4)
		victims := []*member{c.nodes[first], c.nodes[(first+1+r.IntN(3))%4]}
		how := moment(r, victims[0].proc, inBlock, 4*blockTime)
		killTogether(victims)
		at := c.stands(15, c.but(victims...))[0]
		for _, m := range victims {
			c.start(m)
		}
		started := time.Now()
		c.all(at + 2)
		say(t, "%d/4: %s killed %s: no block for 15 block times at %d; goes on %.1fs after they were started", n+1, names(victims), how, at, time.Since(started).Seconds())
	}
	l.check()
}

// Power fails for all at once.
func TestKillAllFourAtOnceAndNothingConfirmedIsLost(t *testing.T) {
	long(t)
	r := chance(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	for n := range 6 {
		how := moment(r, c.nodes[r.IntN(4)].proc, inBlock, 4*blockTime)
		at := c.top(c.nodes...)
		killTogether(c.nodes)
		for _, m := range c.nodes {
			c.start(m)
		}
		started := time.Now()
		c.all(at + 3)
		say(t, "%d/6: all killed %s, at block %d; goes on %.1fs after they were started", n+1, how, at, time.Since(started).Seconds())
	}
	l.check()
}
