package localnet_test

import (
	"testing"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
)

func TestTheFirstMinerIsPaid(t *testing.T) {
	n := localnettest.Start(t, localnet.Config{})
	for r := range n.Reports(t.Context()) {
		if r.FirstPaidSeconds != nil {
			if *r.FirstPaidSeconds > 90 {
				t.Errorf("the first miner was paid after %.1f s, must be within 90 s", *r.FirstPaidSeconds)
			}
			return
		}
	}
}
