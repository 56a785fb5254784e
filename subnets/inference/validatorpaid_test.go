package inference_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/fidelity"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// paidRound is a subnet of miners on a mesh, who sell, and a validator who pays by a purse.
func paidRound(t *testing.T, limits pay.Limits) (*inference.Validator, *subnet.Network, []*minertest.Miner) {
	t.Helper()
	chain := sellertest.NewChain()
	var miners []*minertest.Miner
	meta := &subnet.Metagraph{Netuid: 2, Name: inference.Name, Started: true, Parameters: []byte(`{"reference_price":1000000000}`)}
	for i, price := range []uint64{1_000_000_000, 2_000_000_000} {
		e := memory.New(memory.Options{Wait: memory.Every(time.Millisecond)})
		m := minertest.New(t, chain, []string{"cheap", "dear"}[i], inference.MinerConfig{Engine: e, Price: price})
		miners = append(miners, m)
		meta.Neurons = append(meta.Neurons, subnet.Neuron{UID: uint16(i), Hotkey: m.Host.Hotkey(), Endpoints: m.Host.Endpoints(), Protocol: inference.Name + "/miner"})
	}
	host := minertest.Host(t, "purse")
	chain.Give("purse", 1e12)
	var gateway *inference.CanaryGateway
	payer, err := pay.OpenClient(pay.ClientConfig{Dir: t.TempDir(), Chain: chain.Payer("purse"), Base: host.RoundTripper(), Limits: limits, SameTerms: true,
		Approve: func(q pay.Quote) error { return gateway.Approve(q) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, payer.Close()) })
	gateway, err = inference.NewCanaryGateway(inference.GatewayConfig{Netuid: 2, Caller: &inference.Caller{HTTP: &http.Client{Transport: payer}, Envelope: inference.Plain{}}}, host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	own := memory.New(memory.Options{})
	th := fidelity.Thresholds{Digest: own.Info().Digest, Flag: 0.02, Flagged: 1e-4, MeanMargin: 1e-4, LogProb: 1e-3, LogProbSpread: 1e-3, LogProbClip: 1e-2}
	v, err := inference.NewValidator(inference.ValidatorConfig{Engine: own, Thresholds: th, Prober: gateway, RoundGoal: 3 * time.Second, MaxTokens: 96})
	require.NoError(t, err)
	return v, subnet.NewNetwork(inference.Name, meta, "nobody", nil, rand.Reader, slog.New(slog.DiscardHandler)), miners
}

func TestCanariesArePaidAsCustomersPay(t *testing.T) {
	v, n, miners := paidRound(t, pay.Limits{PerRequest: 1e9, PerDay: 1e11, Deposit: 1e8, MaxDeposit: 1e12, Ahead: 1e11})
	scores, err := v.Round(t.Context(), n)
	require.NoError(t, err)
	require.Positive(t, scores[0])
	require.Positive(t, scores[1])
	require.Less(t, scores[1], scores[0], "dearer")
	found := v.Last()
	for i, m := range found.Miners {
		require.Equal(t, 3, m.Asked)
		require.Equal(t, 3, m.Answered)
		require.Positive(t, m.Paid)
		require.True(t, m.Fidelity.Pass, m.Fidelity.Reason)
		require.Equal(t, 1.0, m.Fidelity.MatchRate)
		require.Positive(t, m.Throughput)
		eventually(t, "the miner sees that an answer was left", func() bool {
			s := miners[i].Stats()
			return s.Answered+s.Left == 3 && s.Failed == 0
		})
	}
}

func TestWhoCantPayDoesNotPunish(t *testing.T) {
	v, n, _ := paidRound(t, pay.Limits{PerRequest: 1, PerDay: 1e11, Deposit: 1e8, MaxDeposit: 1e12})
	_, err := v.Round(t.Context(), n)
	require.ErrorContains(t, err, "canaries can't be paid for, so nobody was measured")
	require.ErrorIs(t, err, pay.ErrLimit)
	require.Nil(t, v.Last())
}
