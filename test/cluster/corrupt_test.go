//go:build linux

package cluster_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// What a node says where its data is damaged, and what to do.
const hint = "lode node doctor --data"

// A balance that transactions change has a wrong bit: the node finds out at the next block,
// ends, and says what to do; the others go on; begun anew, it follows.
func TestANodeWithAFlippedBitInItsStateStops(t *testing.T) {
	long(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	c.all(12)
	victim := c.nodes[3]
	victim.proc.stop()
	out, exit := c.lode("node", "doctor", "--data", "--home", victim.home)
	require.Contains(t, out, "which is the chain's", "exit code %d", exit)
	flipState(t, victim.home, "bank", bankKey(t, l.payers[0].Address()), true)
	c.finds(victim, "store bank")
	c.start(victim)
	c.fails(victim)
	l.check()
}

// A balance that nothing touches has a wrong bit, where it is read from: no validator can know
// until it is used. In the block in which it is the node ends, in the middle of consensus.
func TestAFlippedBitThatNothingReadsStopsTheNodeWhenItIsRead(t *testing.T) {
	long(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	c.all(12)
	victim := c.nodes[3]
	rich := c.operators()[3] // sends nothing
	victim.proc.stop()
	flipState(t, victim.home, "bank", bankKey(t, rich.Address()), false)
	c.start(victim)
	c.follows(victim)
	c.reach(victim.height(t.Context())+5, victim)
	c.agree()
	say(t, "%s follows with a wrong balance that nothing reads", victim.name)
	victim.proc.stop()
	c.finds(victim, "store bank")
	c.start(victim)
	c.follows(victim)
	_, err := l.client.Transfer(t.Context(), rich, l.payers[0].Address(), 1)
	require.NoError(t, err)
	l.mu.Lock()
	l.balances[l.payers[0].Address()]++
	l.mu.Unlock()
	c.fails(victim)
	l.check()
}

// Bits that are wrong in files and in stored blocks: the node ends and says what to do, or
// goes on where nothing reads them, with the chain's blocks; the doctor finds them.
func TestFlippedBitsInFilesAreFoundAndNeverFork(t *testing.T) {
	long(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	c.all(12)
	for _, damage := range []struct {
		name string
		do   func(t *testing.T, m *member, height int64)
	}{
		{"the last block", func(t *testing.T, m *member, height int64) { flipBlock(t, m.home, height) }},
		{"a block from before", func(t *testing.T, m *member, height int64) { flipBlock(t, m.home, height/2) }},
		{"all tables of the state", func(t *testing.T, m *member, _ int64) {
			require.NotEmpty(t, flipFiles(t, m.home, "application", "*.ldb"))
		}},
		{"the log of the state", func(t *testing.T, m *member, _ int64) {
			require.NotEmpty(t, flipFiles(t, m.home, "application", "*.log"))
		}},
		{"all tables of the blocks", func(t *testing.T, m *member, _ int64) {
			require.NotEmpty(t, flipFiles(t, m.home, "blockstore", "*.ldb"))
		}},
		{"the log of the blocks", func(t *testing.T, m *member, _ int64) {
			require.NotEmpty(t, flipFiles(t, m.home, "blockstore", "*.log"))
		}},
		{"all tables of CometBFT's state", func(t *testing.T, m *member, _ int64) {
			require.NotEmpty(t, flipFiles(t, m.home, "state", "*.ldb"))
		}},
	} {
		sound := t.Run(damage.name, func(t *testing.T) {
			whole := c.t
			c.t = t
			defer func() { c.t = whole }()
			victim := c.nodes[3]
			victim.proc.stop()
			c.start(victim) // what was in a database's log is in a table now
			c.follows(victim)
			height := victim.height(t.Context())
			victim.proc.stop()
			damage.do(t, victim, height)
			out, exit := c.lode("node", "doctor", "--data", "--json", "--home", victim.home)
			state, says := finding(t, out)
			require.Equal(t, state == "failed", exit == 1, "%s", out)
			at := c.top(c.but(victim)...)
			c.start(victim)
			outcome := "it follows the chain"
			c.until("it ends, or follows", func() (bool, string) {
				if victim.proc.dead() {
					outcome = "it ended: " + c.ended(victim)
					return true, ""
				}
				s, err := victim.sync(t.Context())
				return err == nil && !s.CatchingUp && s.LatestBlockHeight > at+10, "it is at " + itoa(s.LatestBlockHeight)
			})
			if !victim.proc.dead() {
				c.agree()
				victim.proc.stop()
			}
			say(t, "%s; the doctor: %s: %s", outcome, state, says)
			require.True(t, state == "failed" || !strings.HasPrefix(outcome, "it ended"), "the node ended, and the doctor found nothing")
			c.reach(at+5, c.but(victim)...)
			c.anew(victim)
		})
		require.True(t, sound)
	}
	l.check()
}

// finds is that the doctor finds what is wrong with a node that is stopped.
func (c *cluster) finds(m *member, what string) {
	c.t.Helper()
	began := time.Now()
	out, exit := c.lode("node", "doctor", "--data", "--home", m.home)
	require.Equal(c.t, 1, exit, "%s", out)
	require.Contains(c.t, out, what)
	require.Contains(c.t, out, "begin anew")
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "data ") {
			say(c.t, "the doctor, in %.1fs: %s", time.Since(began).Seconds(), line)
		}
	}
}

// finding is what the doctor says of a node's data, from its JSON.
func finding(t *testing.T, out string) (state, says string) {
	t.Helper()
	var v struct {
		Checks []struct{ Check, State, Says string }
	}
	require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&v), "%s", out)
	last := v.Checks[len(v.Checks)-1]
	require.Equal(t, "data", last.Check)
	return last.State, last.Says
}

// fails waits until a node whose state is damaged ends by itself, with a clear error; the
// others go on meanwhile, and begun anew it follows.
func (c *cluster) fails(m *member) {
	c.t.Helper()
	began := time.Now()
	select {
	case <-m.proc.done:
	case <-time.After(hung):
		c.dump()
		c.t.Fatalf("%s runs on", m.name)
	}
	says := c.ended(m)
	require.Contains(c.t, says, "the state here is not the chain's")
	require.Contains(c.t, says, "wrong Block.Header.AppHash")
	say(c.t, "%s ended %.1fs later, exit code %d: %s", m.name, time.Since(began).Seconds(), m.proc.exit(), says)
	others := c.but(m)
	c.reach(c.top(others...)+5, others...)
	c.anew(m)
}

// ended is what a process that ended by itself said last: an error and what to do, and no
// stack after it.
func (c *cluster) ended(m *member) string {
	c.t.Helper()
	require.Equal(c.t, 1, m.proc.exit(), "%s", m.proc.log.last(30))
	last := m.proc.log.last(2)
	require.True(c.t, strings.HasPrefix(last, "error: "), "%s", m.proc.log.last(30))
	require.Contains(c.t, last, hint)
	return strings.ReplaceAll(last, "\n", " ")
}

// anew begins a node anew, as the doctor says: its keys and the record of what it signed
// last stay, and it runs all blocks.
func (c *cluster) anew(m *member) {
	c.t.Helper()
	entries, err := os.ReadDir(filepath.Join(m.home, "data"))
	require.NoError(c.t, err)
	for _, e := range entries {
		if e.Name() != "priv_validator_state.json" {
			require.NoError(c.t, os.RemoveAll(filepath.Join(m.home, "data", e.Name())))
		}
	}
	began := time.Now()
	c.start(m)
	c.follows(m)
	say(c.t, "%s, begun anew, follows after %.1fs", m.name, time.Since(began).Seconds())
}
