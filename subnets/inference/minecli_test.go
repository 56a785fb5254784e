package inference_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

func mineOptions(t *testing.T, args ...string) inference.MineOptions {
	t.Helper()
	var o inference.MineOptions
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.Bind(f)
	require.NoError(t, f.Parse(args))
	return o
}

func TestFlagsOfAMinerAreChecked(t *testing.T) {
	t.Setenv("SERVER_KEY", "secret")
	server := []string{"--url", "http://127.0.0.1:1/v1", "--model", "m"}
	for _, good := range [][]string{
		{"--model", "m"}, {"--model", "m", "--price", "0.02", "--slots", "16", "--gpu-layers", "-1", "--context", "8192"},
		server, append(server, "--api-key-env", "SERVER_KEY", "--schemas", "--dimensions", "8", "--context", "4096", "--requests", "8"),
	} {
		require.NoError(t, mineOptions(t, good...).Check(), good)
	}
	for _, bad := range [][]string{
		{}, {"--url", "http://127.0.0.1:1/v1"}, {"--model", "m", "--api-key-env", "SERVER_KEY"}, append(server, "--api-key-env", "NO_SUCH_KEY"),
		{"--model", "m", "--price", "-1"}, {"--model", "m", "--price", "x"}, {"--model", "m", "--slots", "-1"}, {"--model", "m", "--requests", "5000"},
		{"--model", "m", "--requests-per-caller", "513"}, {"--model", "m", "--gpu-layers", "-2"}, {"--model", "m", "--schemas"},
		append(server, "--gpu-layers", "-1"), append(server, "--queue", "3"),
	} {
		o := mineOptions(t, bad...)
		require.Error(t, o.Check(), bad)
		_, err := o.Miner(memory.New(memory.Options{}), nil)
		require.Error(t, err, bad)
	}
	o := mineOptions(t, "--model", "m", "--price", "0.02", "--slots", "16", "--gpu-layers", "-1")
	rao, err := o.Rao()
	require.NoError(t, err)
	require.Equal(t, uint64(20_000_000), rao)
	l := o.Llama("file")
	require.Equal(t, []any{"file", 16, 64, -1}, []any{l.Model, l.Slots, l.Queue, l.GPULayers})
}

func TestAServersMinerSaysThatItIsUnverifiedAndNotWhereTheServerIs(t *testing.T) {
	log := &bytes.Buffer{}
	o := mineOptions(t, "--url", "http://127.0.0.1:1/secret/v1", "--model", "qwen", "--context", "4096")
	e, err := o.Remote()
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Close()) }()
	miner, err := o.Miner(e, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	chain := sellertest.NewChain()
	m := minertest.Serve(t, chain, "miner", miner)
	c := minertest.NewCustomer(t, chain, "customer", m)
	card := m.Remote(t, c.Caller).Card
	require.False(t, card.Engine.Verifiable)
	require.Equal(t, []any{"qwen", "a server by URL", 4096, ""}, []any{card.Engine.Model, card.Engine.Backend, card.Engine.Context, card.Engine.Digest})
	_, err = c.Generate(t.Context(), m.Remote(t, c.Caller), ask(canary), nil)
	require.ErrorIs(t, err, engine.ErrGone, "there is no such server")
	require.NotContains(t, err.Error(), "secret")
	require.NotContains(t, log.String(), canary)
}
