package bench_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

const (
	redeemItems = 128 // of a message, the most
	redeemers   = 24  // messages in a block, each of another provider
	redeemGas   = 4_000_000
)

// sellers are providers of a service each, with so many channels each as a message can
// redeem.
type sellers struct {
	*scaled
	channels [][]markettypes.Channel // by provider
	round    uint64
}

func sessionKey(provider, channel int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Append(nil, "session ", provider, " ", channel))
	return ed25519.NewKeyFromSeed(seed[:])
}

func newSellers(b *testing.B) *sellers {
	b.Helper()
	s := &sellers{scaled: chainOf(b, full)}
	ctx := s.below()
	g := markettypes.DefaultGenesis()
	g.NextServiceId = redeemers + 1
	var deposits uint64
	for p := range redeemers {
		provider := validatorHotkey(p)
		must(b, s.Bank.SendCoins(ctx, account("funds"), provider, sdk.NewCoins(sdk.NewCoin(app.BaseDenom, sdkmath.NewIntFromUint64(100*tao)))))
		id := uint64(p + 1)
		g.Services = append(g.Services, markettypes.Service{
			Id: id, SubnetId: 1, Netuid: 1, Provider: provider.String(), Name: "service", Endpoint: "https://example.com",
			Uid: uint32(p), Unit: markettypes.UNIT_REQUEST, Price: 1, Per: 1, Listed: true, Channels: redeemItems,
		})
		var own []markettypes.Channel
		for n := range redeemItems {
			payer, key := account("payer ", n), sessionKey(p, n).Public().(ed25519.PublicKey)
			c := markettypes.Channel{
				Payer: payer.String(), Provider: provider.String(), SubnetId: 1, Netuid: 1, ServiceId: id, SessionKey: key,
				CloseDelay: 3_600, Deposit: tao, OpenedHeight: s.height,
			}
			c.Id = voucher.ChannelID(scaleChainID, voucher.Config{
				Payer: payer, Provider: provider, SessionKey: key, SubnetID: 1, ServiceID: id, CloseDelay: c.CloseDelay,
			}, s.height)
			own = append(own, c)
			deposits += c.Deposit
		}
		s.channels = append(s.channels, own)
		g.Channels = append(g.Channels, own...)
	}
	must(b, g.Validate())
	must(b, s.Bank.SendCoinsFromAccountToModule(ctx, account("funds"), markettypes.ModuleName, sdk.NewCoins(sdk.NewCoin(app.BaseDenom, sdkmath.NewIntFromUint64(deposits)))))
	must(b, s.Market.InitGenesis(ctx, *g))
	s.block(b)
	must(b, s.CheckInvariants(s.query()))
	return s
}

// redemptions are the messages of a block: a new voucher for each channel.
func (s *sellers) redemptions(b *testing.B) (txs [][]byte) {
	b.Helper()
	s.round++
	ctx := s.query()
	for p, channels := range s.channels {
		msg := &markettypes.MsgRedeem{Signer: validatorHotkey(p).String()}
		for n, c := range channels {
			v := voucher.Voucher{ChannelID: c.Id, Cumulative: 1_000 * s.round}
			msg.Items = append(msg.Items, markettypes.RedeemItem{
				ChannelId: c.Id, Cumulative: v.Cumulative, Claim: v.Cumulative, Signature: v.Sign(scaleChainID, sessionKey(p, n)),
			})
		}
		a := s.Account.GetAccount(ctx, validatorHotkey(p))
		txs = append(txs, s.sign(b, validatorKey(p), a.GetAccountNumber(), a.GetSequence(), redeemGas, tao/10, msg))
	}
	return txs
}

// BenchmarkRedeem is a block of messages that redeem 128 vouchers each, on a chain of 128
// full subnets: what an item costs in gas and in time, and how many of them the gas of a
// block has room for.
func BenchmarkRedeem(b *testing.B) {
	s := newSellers(b)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var blocks samples
	var gas uint64
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		txs := s.redemptions(b)
		b.StartTimer()
		res := s.block(b, txs...)
		blocks.add(timed().of("internalFinalizeBlock"))
		gas = 0
		for _, r := range res.TxResults[1:] { // the first is the proposer's proof
			if r.Code != 0 {
				b.Fatalf("not redeemed: %s", r.Log)
			}
			gas += uint64(r.GasUsed)
		}
	}
	must(b, s.CheckInvariants(s.query()))
	items := redeemItems * redeemers
	blocks.report(b, "block")
	b.ReportMetric(float64(gas)/float64(items), "gas/item")
	b.ReportMetric(float64(items), "items/block")
	b.ReportMetric(0, "ns/op")
	limit := s.GetConsensusParams(s.query()).Block.MaxGas
	b.ReportMetric(float64(limit)/(float64(gas)/float64(items)), "items/full-block")
}
