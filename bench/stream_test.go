package bench_test

import "testing"

// BenchmarkStream is what one core gets from memory, to compare an epoch with:
// bytes read and bytes written, of slices larger than the cache, and of some that
// fit its second level.
func BenchmarkStream(b *testing.B) {
	for _, size := range []struct {
		name  string
		words int
	}{{"memory", 16 << 20}, {"cache", 16 << 10}} {
		from, to := make([]uint64, size.words), make([]uint64, size.words)
		for i := range from {
			from[i] = uint64(i)
		}
		b.Run(size.name+"/copy", func(b *testing.B) {
			b.SetBytes(int64(size.words) * 8 * 2)
			for b.Loop() {
				copy(to, from)
			}
		})
		b.Run(size.name+"/triad", func(b *testing.B) {
			b.SetBytes(int64(size.words) * 8 * 3)
			for b.Loop() {
				for i, x := range from {
					to[i] += 3 * x
				}
			}
		})
	}
}
