package inference_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// What is asked and answered is nowhere but with who asks.
func TestNothingOfConversationsIsKept(t *testing.T) {
	const asked, answered = "canary-asked", "canary-answered"
	chain := sellertest.NewChain()
	engines := memory.Options{Answer: func(string) string { return "the " + answered + " and more" }}
	good := minertest.New(t, chain, "good", inference.MinerConfig{Engine: memory.New(engines), Price: price})
	dying := engines
	dying.Wait = func(_ context.Context, place int) error {
		if place == 25 {
			return engine.ErrGone
		}
		return nil
	}
	bad := minertest.New(t, chain, "bad", inference.MinerConfig{Engine: memory.New(dying), Price: price / 10})
	home := t.TempDir()
	receipts, err := inference.OpenReceipts(filepath.Join(home, "receipts"), nil)
	require.NoError(t, err)
	host := minertest.Host(t, "gateway")
	chain.Give("gateway", 1e12)
	var log bytes.Buffer
	var mu sync.Mutex
	logger := slog.New(slog.NewTextHandler(&locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var g *inference.Gateway
	own, err := pay.OpenClient(pay.ClientConfig{Dir: filepath.Join(home, "pay"), Chain: chain.Payer("gateway"), Base: host.RoundTripper(), SameTerms: true,
		Approve: func(q pay.Quote) error { return g.Approve(q) }, Logger: logger, Limits: pay.Limits{Deposit: minertest.Deposit}})
	require.NoError(t, err)
	miners := func(context.Context) (list []inference.Remote, err error) {
		for i, m := range []*minertest.Miner{good, bad} {
			err = errors.Join(err, host.AddPeer(m.Host.Hotkey(), m.Host.Endpoints()...))
			list = append(list, inference.Remote{UID: uint16(i), Hotkey: m.Host.Hotkey(), URL: m.URL})
		}
		return list, err
	}
	g, err = inference.NewGateway(inference.GatewayConfig{Miners: miners, Receipts: receipts.Keep, Logger: logger,
		Caller: &inference.Caller{HTTP: &http.Client{Transport: own}, Envelope: inference.Plain{}}})
	require.NoError(t, err)
	s := httptest.NewServer(inference.Local(api.Handler(g, api.Config{IDHeader: inference.ReceiptHeader}), ""))
	defer s.Close()
	got := ""
	for _, body := range []string{
		`{"model":"auto","stream":true,"messages":[{"role":"user","content":"` + asked + `"}]}`,
		`{"model":"auto","messages":[{"role":"user","content":"` + asked + `"}]}`,
		`{"model":"auto","messages":[{"role":"user","content":"` + asked + strings.Repeat(asked, 1000) + `"}]}`,
		`{"model":"` + asked + `","messages":[{"role":"user","content":"` + asked + `"}]}`,
		`{"model":"auto","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"` + asked + `"}]}`,
	} {
		resp, err := http.Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		got += fmt.Sprintln(resp.StatusCode, string(raw))
		if resp.StatusCode == 200 {
			id := resp.Header.Get(inference.ReceiptHeader)
			list, err := receipts.Find(id)
			require.NoError(t, err)
			require.Len(t, list, 1)
		}
	}
	require.Contains(t, got, answered)
	require.Contains(t, got, "in the middle of its answer", got)
	require.NotContains(t, got, asked)
	require.NoError(t, errors.Join(g.Close(), own.Close(), receipts.Close()))

	mu.Lock()
	require.NotContains(t, log.String(), "canary")
	require.Contains(t, log.String(), "a miner failed")
	mu.Unlock()
	files := 0
	for _, dir := range []string{home, good.Books, bad.Books} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			require.NotContains(t, string(raw), "canary", path)
			files++
			return err
		}))
	}
	require.Greater(t, files, 6)
}
