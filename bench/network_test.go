package bench_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/wallet"
)

// BenchmarkNetwork measures a local network's chain through its RPC, as any client
// sees it: transfers committed a second, from simulation to the block, and the time
// between blocks meanwhile. One operation is one committed transfer. Every sender waits
// for its block before it sends again: few senders show the chain's rhythm, many what
// the machine can do.
func BenchmarkNetwork(b *testing.B) {
	n := localnettest.Start(b, localnet.Config{ChainOnly: true})
	keys := fundedKeys(b, n, 1024)
	for _, senders := range []int{64, 256, 1024} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) { transfer(b, n, keys[:senders]) })
	}
}

func transfer(b *testing.B, n *localnet.Network, keys []*wallet.Signer) {
	ctx := b.Context()
	first, err := n.Client().Status(ctx)
	if err != nil {
		b.Fatal(err)
	}

	work := make(chan struct{})
	b.ResetTimer()
	var wg sync.WaitGroup
	for _, key := range keys {
		wg.Go(func() {
			for range work {
				msg := &banktypes.MsgSend{FromAddress: key.Address(), ToAddress: keys[0].Address(), Amount: rao(1)}
				if _, err := n.Client().Send(ctx, []*wallet.Signer{key}, msg); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.StopTimer()

	last, err := n.Client().Status(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	if blocks := last.Height - first.Height; blocks > 0 {
		b.ReportMetric(last.Time.Sub(first.Time).Seconds()/float64(blocks), "s/block")
	}
}

// BenchmarkEmptyBlocks measures the time between blocks of an idle network.
func BenchmarkEmptyBlocks(b *testing.B) {
	n := localnettest.Start(b, localnet.Config{ChainOnly: true})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	blocks := n.Client().Blocks(ctx)
	first := <-blocks
	b.ResetTimer()
	last := first
	for last.Height < first.Height+int64(b.N) {
		last = <-blocks
	}
	b.ReportMetric(last.Time.Sub(first.Time).Seconds()/float64(last.Height-first.Height), "s/block")
}

func rao(n int64) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewInt(n))) }

// fundedKeys makes senders' keys and funds them, so many to a transaction.
func fundedKeys(b *testing.B, n *localnet.Network, count int) []*wallet.Signer {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	faucet, err := n.Wallet().Signer(localnet.FaucetKey)
	if err != nil {
		b.Fatal(err)
	}
	var keys []*wallet.Signer
	for range count {
		key, err := wallet.NewSigner(secp256k1.GenPrivKey().Bytes())
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, key)
	}
	for part := range slices.Chunk(keys, 128) {
		var msgs []sdk.Msg
		for _, key := range part {
			msgs = append(msgs, &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: key.Address(), Amount: rao(10 * localnet.TAO)})
		}
		if _, err := n.Client().Send(ctx, []*wallet.Signer{faucet}, msgs...); err != nil {
			b.Fatal(err)
		}
	}
	return keys
}
