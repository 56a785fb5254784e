package bench_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// BenchmarkDividends pays dividends to a hotkey with one nominator and to one with
// 100,000: alone, with the gas of its store operations, and as part of a block's end
// in which its subnet runs its epoch.
func BenchmarkDividends(b *testing.B) {
	for _, crowd := range []int{0, 99_999} {
		s := scale{subnets: 1, neurons: 16, validators: 1, crowd: crowd}
		b.Run(fmt.Sprintf("nominators=%d/pay", crowd+1), func(b *testing.B) { payDividends(b, chainOf(b, s)) })
		b.Run(fmt.Sprintf("nominators=%d/epoch", crowd+1), func(b *testing.B) {
			measureEnds(b, s, func(c *scaled, _ int) { c.due(b, 0) })
		})
	}
}

func payDividends(b *testing.B, c *scaled) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var pays samples
	var gas uint64
	for range b.N {
		ctx, _ := c.below().CacheContext()
		_, err := c.Alpha.Emit(ctx, 1, alphatypes.BlockEmission{Pending: tao})
		must(b, err)
		ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		begin, used := time.Now(), threadTime()
		err = c.Alpha.PayPending(ctx, 1, []alphatypes.Payment{{To: alphatypes.Staked, Alpha: tao, Hotkey: c.scale.hotkey(1, 0)}})
		pays.add(took{time.Since(begin), threadTime() - used})
		must(b, err)
		gas = ctx.GasMeter().GasConsumed()
	}
	b.ReportMetric(float64(gas), "gas/pay")
	pays.report(b, "pay")
}
