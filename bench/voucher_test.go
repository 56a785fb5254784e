package bench_test

import (
	"crypto/ed25519"
	"fmt"
	"runtime"
	"testing"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"github.com/lodenet/lode/voucher"
)

const voucherChain = "lode-bench-1"

// signedVouchers are of a thousand channels, each with a key of its own.
func signedVouchers(n int) []voucher.Signed {
	all := make([]voucher.Signed, n)
	for i := range all {
		key := sessionKey(0, i)
		v := voucher.Voucher{ChannelID: voucher.ChannelID(voucherChain, voucher.Config{SessionKey: key.Public().(ed25519.PublicKey)}, int64(i)), Cumulative: uint64(i) * 1_000_000}
		all[i] = voucher.Signed{Voucher: v, SessionKey: key.Public().(ed25519.PublicKey), Signature: v.Sign(voucherChain, key)}
	}
	return all
}

// BenchmarkVouchers verifies vouchers on one core: one by one and in batches, by the
// package and by the libraries alone, with the messages made before.
func BenchmarkVouchers(b *testing.B) {
	all := signedVouchers(1024)
	messages := make([][]byte, len(all))
	for i, s := range all {
		messages[i] = s.SignBytes(voucherChain)
	}
	zip215 := &voi.Options{Verify: voi.VerifyOptionsZIP_215}
	each := func(verify func(i int) bool) func() bool {
		return func() bool {
			for i := range all {
				if !verify(i) {
					return false
				}
			}
			return true
		}
	}
	batches := func(size int, verify func(from, to int) bool) func() bool {
		return func() bool {
			for from := 0; from < len(all); from += size {
				if !verify(from, from+size) {
					return false
				}
			}
			return true
		}
	}
	type way struct {
		name string
		run  func() bool
	}
	ways := []way{
		{"one/package", each(func(i int) bool { return all[i].Verify(voucherChain, all[i].SessionKey, all[i].Signature) })},
		{"one/library", each(func(i int) bool {
			return voi.VerifyWithOptions(all[i].SessionKey, messages[i], all[i].Signature, zip215)
		})},
		{"one/crypto-ed25519", each(func(i int) bool { return ed25519.Verify(all[i].SessionKey, messages[i], all[i].Signature) })},
	}
	for _, size := range []int{16, 128, 1024} {
		ways = append(ways,
			way{fmt.Sprintf("batch=%d/package", size), batches(size, func(from, to int) bool {
				for _, good := range voucher.VerifyAll(voucherChain, all[from:to]) {
					if !good {
						return false
					}
				}
				return true
			})},
			way{fmt.Sprintf("batch=%d/library", size), batches(size, func(from, to int) bool {
				v := voi.NewBatchVerifierWithCapacity(to - from)
				for i := from; i < to; i++ {
					v.AddWithOptions(all[i].SessionKey, messages[i], all[i].Signature, zip215)
				}
				good, _ := v.Verify(nil)
				return good
			})})
	}
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			used := threadTime()
			for range b.N {
				if !w.run() {
					b.Fatal("a voucher was refused")
				}
			}
			seconds := (threadTime() - used).Seconds()
			b.ReportMetric(float64(len(all)*b.N)/seconds, "vouchers/core-s")
		})
	}
}
