package x402_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/internal/cli"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/mcp"
	"github.com/lodenet/lode/test/watch"
	"github.com/lodenet/lode/wallet"
)

// TestMain is `lode` where a test starts this binary so.
func TestMain(m *testing.M) {
	if os.Getenv("LODE_TEST_IS_LODE") != "" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

func TestTheStockMCPClientUsesPaidTools(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	watch.Files(t, "mcp/*.json", "mcp/*.mjs")
	install(ctx, t, "mcp")
	s := open(ctx, t)
	server := sdk.NewServer(&sdk.Implementation{Name: "letters", Version: "1"}, nil)
	type in struct {
		Text string `json:"text"`
	}
	sdk.AddTool(server, &sdk.Tool{Name: "shout", Description: "makes letters large"}, func(ctx context.Context, _ *sdk.CallToolRequest, in in) (*sdk.CallToolResult, any, error) {
		if in.Text == "fail" {
			return nil, nil, errors.New("no voice")
		}
		err := pay.MeterFrom(ctx).Charge(7)
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: strings.ToUpper(in.Text)}}}, nil, err
	})
	server.AddReceivingMiddleware(mcp.Charge(s.gateway, mcp.Tariff{Units: mcp.Flat(10)}))
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(web.Close)

	const passphrase = "correct horse"
	home := filepath.Join(t.TempDir(), "home")
	w, err := wallet.Open(localnet.WalletDir(home), func(bool) (string, error) { return passphrase, nil })
	require.NoError(t, err)
	_, err = w.Import("agent", wallet.Coldkey, s.payer)
	require.NoError(t, err)
	lode, err := os.Executable()
	require.NoError(t, err)
	env := []string{"LODE=" + lode, "LODE_TEST_IS_LODE=1", "LODE_HOME=" + home, "LODE_PASSPHRASE=" + passphrase, "LODE_SERVER=" + web.URL + "/mcp"}
	s.node(ctx, t, []string{"--test", "--test-reporter=tap", "mcp/agent.test.mjs"}, "", "", env...)

	cmd := exec.CommandContext(ctx, lode, "pay", "history", "--node", s.n.Info().Endpoints.RPC, "--from", "agent", "--json")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	require.NoError(t, err)
	var payments []struct {
		Kind, State, Method, URL string
		Charged                  uint64 `json:",string"`
	}
	require.NoError(t, json.Unmarshal(out, &payments))
	var charged, paid uint64
	for _, p := range payments {
		if p.Kind != "request" {
			continue
		}
		require.Equal(t, "tools/call mcp://"+strings.TrimPrefix(web.URL, "http://")+"/mcp/tools/shout", p.Method+" "+p.URL)
		charged += p.Charged
		if p.State == "paid" {
			paid++
		}
	}
	require.EqualValues(t, []uint64{11, 77_000}, []uint64{paid, charged})
	redeemed, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.Equal(t, charged, redeemed.Paid)
}
