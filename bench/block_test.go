package bench_test

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkBlock/epochs is a block in which four full subnets of 128 run their
// epoch: the time of its end (EndBlock of all modules, inside FinalizeBlock), on a node
// that has run for a tempo. BenchmarkBlock/paced is the same where the database has done
// its work for the last block before the next one comes, as on a chain, whose blocks are
// seconds apart. BenchmarkBlock/restarted is epochs on one that begins with empty caches.
// BenchmarkBlock/empty is one without epochs.
func BenchmarkBlock(b *testing.B) {
	epochs := func(b *testing.B) {
		measureEnds(b, full, func(c *scaled, i int) { c.due(b, i%c.groups()) })
	}
	tempo := sync.OnceFunc(func() {
		c := chainOf(b, full)
		for i := range c.groups() {
			c.due(b, i)
			c.block(b)
		}
	})
	b.Run("epochs", func(b *testing.B) {
		tempo()
		b.ResetTimer()
		epochs(b)
	})
	b.Run("paced", func(b *testing.B) {
		tempo()
		b.ResetTimer()
		measureEnds(b, full, func(c *scaled, i int) {
			c.due(b, i%c.groups())
			rest()
		})
	})
	b.Run("restarted", func(b *testing.B) {
		chainOf(b, full).reopen(b)
		b.ResetTimer()
		epochs(b)
	})
	b.Run("empty", func(b *testing.B) {
		for _, s := range []scale{{1, 256, 64, 8, 0}, {16, 256, 64, 8, 0}, full, {128, 256, 64, 8, 100_000}} {
			b.Run(s.String(), func(b *testing.B) { measureEnds(b, s, func(*scaled, int) {}) })
		}
	})
}

// measureEnds measures the ends of blocks, each after a preparation.
func measureEnds(b *testing.B, s scale, prepare func(*scaled, int)) {
	c := chainOf(b, s)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ends samples
	for i := range b.N {
		prepare(c, i)
		c.block(b)
		ends.add(timed().of("endBlock"))
	}
	ends.report(b, "end")
}

// rest waits until the process has hardly any work: a tenth of a second in which it used
// less than a tenth of a core.
func rest() {
	const look = 100 * time.Millisecond
	for before := cpu(); ; {
		time.Sleep(look)
		now := cpu()
		if now-before < look/10 {
			return
		}
		before = now
	}
}
