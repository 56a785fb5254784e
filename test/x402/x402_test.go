// Package x402_test pays gateways with clients that others have written: npm's
// @x402/fetch with our scheme registered, and plain HTTP clients through the proxy.
package x402_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/test/watch"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const netuid = 1

// npm runs npm in a folder; what it says goes to the test's log.
func npm(ctx context.Context, t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "npm %s in %s:\n%s", strings.Join(args, " "), dir, out)
	t.Logf("npm %s: %s", strings.Join(args, " "), bytes.TrimSpace(out))
}

// install installs what a folder's lock file says.
func install(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	npm(ctx, t, dir, "ci", "--no-audit", "--no-fund", "--prefer-offline")
}

func TestThePackageKeepsItsRules(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	const dir = "../../pay/js"
	watch.Files(t, dir+"/*.json", dir+"/src/*.js", dir+"/test/*.js")
	install(ctx, t, dir)
	npm(ctx, t, dir, "test")

	fresh := t.TempDir()
	npm(ctx, t, dir, "run", "types", "--", "--outDir", fresh)
	written, err := filepath.Glob(filepath.Join(fresh, "*.d.ts"))
	require.NoError(t, err)
	require.NotEmpty(t, written)
	kept, err := filepath.Glob(filepath.Join(dir, "types", "*.d.ts"))
	require.NoError(t, err)
	require.Len(t, kept, len(written), "run npm run types in pay/js")
	for _, path := range written {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		have, err := os.ReadFile(filepath.Join(dir, "types", filepath.Base(path)))
		require.NoError(t, err)
		require.Equal(t, string(want), string(have), "run npm run types in pay/js")
	}
}

func TestTheGuideShowsTheExample(t *testing.T) {
	code, err := os.ReadFile("example.mjs")
	require.NoError(t, err)
	shown := strings.TrimPrefix(string(code), "// @ts-check\n")
	guide, err := os.ReadFile("../../docs/pay-from-javascript.md")
	require.NoError(t, err)
	require.Contains(t, string(guide), "```js\n"+shown+"```\n", "docs/pay-from-javascript.md does not show example.mjs: copy it there")
}

// shop is a network with a customer, and a gateway that sells a service of a neuron's.
type shop struct {
	n       *localnet.Network
	c       *client.Client
	payer   string // mnemonic
	gateway *pay.Gateway
	url     string // of the gateway's server
	service uint64
	plan    uint64 // for half a minute
	long    uint64 // for an hour

	customer, cold, hot *wallet.Signer
	served              atomic.Int64
}

func (s *shop) send(ctx context.Context, t *testing.T, signer *wallet.Signer, msgs ...sdk.Msg) *client.TxResult {
	t.Helper()
	res, err := s.c.Send(ctx, []*wallet.Signer{signer}, msgs...)
	require.NoError(t, err)
	return res
}

func (s *shop) balance(ctx context.Context, t *testing.T, of *wallet.Signer) uint64 {
	t.Helper()
	rao, err := s.c.Balance(ctx, of.Address())
	require.NoError(t, err)
	return rao
}

func (s *shop) channel(ctx context.Context, t *testing.T, id string) markettypes.Channel {
	t.Helper()
	resp, err := s.c.Market().Channel(ctx, &markettypes.QueryChannelRequest{ChannelId: id})
	require.NoError(t, err)
	return resp.Channel
}

func newKey(t *testing.T) (string, *wallet.Signer) {
	t.Helper()
	mnemonic, err := wallet.NewMnemonic()
	require.NoError(t, err)
	signer, err := wallet.SignerFromMnemonic(mnemonic)
	require.NoError(t, err)
	return mnemonic, signer
}

func coins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(rao)))
}

// open starts the network, has a neuron list a service, and puts a gateway before it.
func open(ctx context.Context, t *testing.T) *shop {
	t.Helper()
	s := &shop{n: localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 500 * time.Millisecond})}
	s.c = s.n.Client()
	faucet, err := s.n.Wallet().Signer(localnet.FaucetKey)
	require.NoError(t, err)
	s.payer, s.customer = newKey(t)
	_, s.cold = newKey(t)
	_, s.hot = newKey(t)
	give := func(to *wallet.Signer, rao uint64) sdk.Msg {
		return &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: to.Address(), Amount: coins(rao)}
	}
	s.send(ctx, t, faucet, give(s.customer, 100*localnet.TAO), give(s.cold, 5_000*localnet.TAO), give(s.hot, localnet.TAO))
	_, err = s.c.Send(ctx, []*wallet.Signer{s.cold, s.hot},
		&alphatypes.MsgBindHotkey{Coldkey: s.cold.Address(), Hotkey: s.hot.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: s.cold.Address(), Hotkey: s.hot.Address(), MaxLock: 2_000 * localnet.TAO, Name: "letters"})
	require.NoError(t, err)

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	listed, err := client.Response[*markettypes.MsgListServiceResponse](s.send(ctx, t, s.cold, &markettypes.MsgListService{
		Signer: s.cold.Address(), Hotkey: s.hot.Address(), Netuid: netuid, Name: "capitals", Description: "makes letters large",
		Endpoint: s.url, Unit: markettypes.UNIT_REQUEST, Price: 1_000, Per: 1,
	}))
	require.NoError(t, err)
	s.service = listed.ServiceId
	s.plan = s.offer(ctx, t, "half a minute", planPrice, 30, 150)
	s.long = s.offer(ctx, t, "an hour", 3_600_000, 3600, 1_000)

	s.gateway, err = pay.OpenGateway(ctx, pay.GatewayConfig{
		Dir: t.TempDir(), Chain: pay.NewChain(s.c, s.hot), ServiceID: s.service, CloseDelay: 900,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.gateway.Close()) })
	s.routes(mux)
	return s
}

// routes are what is sold: each request may use 10 units.
func (s *shop) routes(mux *http.ServeMux) {
	ten := pay.Route{Units: pay.Flat(10)}
	mux.Handle("/work", s.gateway.Handler(ten, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.served.Add(1)
		if err := pay.MeterFrom(r.Context()).Charge(7); err != nil {
			http.Error(w, err.Error(), http.StatusPaymentRequired)
			return
		}
		fmt.Fprint(w, strings.ToUpper(r.URL.Query().Get("text")+string(body)))
	})))
	mux.Handle("/stream", s.gateway.Handler(ten, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 25 {
			if err := pay.MeterFrom(r.Context()).Charge(4); err != nil {
				return
			}
			fmt.Fprintf(w, "event: part\ndata: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	})))
	mux.Handle("/fails", s.gateway.Handler(ten, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "broken", http.StatusInternalServerError)
	})))
	mux.Handle("/dear", s.gateway.Handler(pay.Route{Units: pay.Flat(1_000_000)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "a rich customer")
	})))
	mux.HandleFunc("/served", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s.served.Load()) })
}

// report is what a script says in the end.
type report struct {
	Channel                string
	Channels               []string
	Charged, Deposit, Fees uint64
	Paid                   int

	Plan         string // the channel that pays one
	Units, Spent uint64
	Long         struct { // a plan that was cancelled at once
		Channel        string
		Price, Elapsed uint64 // seconds from its beginning to its end
	}
}

// node runs a script of this folder's as a customer.
func (s *shop) node(ctx context.Context, t *testing.T, args []string, mnemonic, store string, env ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Env = append(os.Environ(), "LODE_RPC="+s.n.Info().Endpoints.RPC, "LODE_GATEWAY="+s.url, "LODE_MNEMONIC="+mnemonic, "LODE_STORE="+store)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s\n%s", args, out)
	require.NoError(t, err)
	return out
}

// run runs tests of this folder's.
func (s *shop) run(ctx context.Context, t *testing.T, script, mnemonic, store string, env ...string) report {
	t.Helper()
	out := s.node(ctx, t, []string{"--test", "--test-reporter=tap", script}, mnemonic, store, env...)
	_, rest, found := bytes.Cut(out, []byte("REPORT "))
	require.True(t, found, "the script reports nothing")
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	var r report
	require.NoError(t, json.Unmarshal(line, &r))
	return r
}

func TestRealClientsPay(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	watch.Files(t, "*.json", "*.mjs", "*.ts", "../../pay/js/package.json", "../../pay/js/src/*.js", "../../pay/js/types/*.d.ts")
	var installed sync.WaitGroup
	installed.Go(func() {
		install(ctx, t, ".")
		// the example and types.ts, as a user's editor sees them
		npm(ctx, t, ".", "exec", "--", "tsc", "-p", ".")
	})
	s := open(ctx, t)
	installed.Wait()
	require.False(t, t.Failed())

	t.Run("npm's fetch with our scheme", func(t *testing.T) { s.npmPays(ctx, t) })
	t.Run("the guide's example", func(t *testing.T) { s.exampleRuns(ctx, t) })
	t.Run("a plain program through the proxy", func(t *testing.T) { s.plainPays(ctx, t) })
	t.Run("an agent with an allowance", func(t *testing.T) { s.agentPays(ctx, t) })
	t.Run("a customer with a plan", func(t *testing.T) { s.plansPay(ctx, t) })
}

func (s *shop) npmPays(ctx context.Context, t *testing.T) {
	had := s.balance(ctx, t, s.customer)
	store := filepath.Join(t.TempDir(), "x402.json")
	first := s.run(ctx, t, "first.test.mjs", s.payer, store)
	require.EqualValues(t, 603_000, first.Charged)
	require.Equal(t, had-first.Deposit-first.Fees, s.balance(ctx, t, s.customer), "one deposit and its fee have left, and nothing else")

	// The gateway is paid for what it charged, and what it charged is what clients know.
	earned := s.balance(ctx, t, s.cold)
	redeemed, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.Equal(t, first.Charged, redeemed.Paid)
	require.Equal(t, redeemed.Paid*85/100, redeemed.Provider)
	require.Equal(t, earned+redeemed.Provider, s.balance(ctx, t, s.cold))
	require.Equal(t, first.Charged, s.channel(ctx, t, first.Channel).Claimed)

	again := s.run(ctx, t, "again.test.mjs", s.payer, store)
	require.Equal(t, first.Channel, again.Channel)
	require.EqualValues(t, 1_017_000, again.Charged)
	require.Equal(t, had-again.Deposit-first.Fees-again.Fees, s.balance(ctx, t, s.customer))
	redeemed, err = s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.Equal(t, again.Charged-first.Charged, redeemed.Paid)

	var charges, sum uint64
	require.NoError(t, s.gateway.History(time.Time{}, func(e pay.Entry) bool {
		if e.Kind == pay.EntryCharge && e.Channel == first.Channel {
			charges++
			sum += e.Amount
		}
		return true
	}))
	require.Equal(t, again.Charged, sum)
	require.EqualValues(t, first.Paid+again.Paid-1, charges, "each payment is in the gateway's books once; the one that failed cost nothing and is not")

	// The provider closes: what was not used comes back.
	id, err := hex.DecodeString(first.Channel)
	require.NoError(t, err)
	closed, err := pay.NewChain(s.c, s.hot).Close(ctx, id)
	require.NoError(t, err)
	require.Equal(t, again.Deposit-again.Charged, closed.Refunded)
	require.Equal(t, had-again.Charged-first.Fees-again.Fees, s.balance(ctx, t, s.customer))
}

func (s *shop) exampleRuns(ctx context.Context, t *testing.T) {
	store := filepath.Join(t.TempDir(), "x402.json")
	out := s.node(ctx, t, []string{"example.mjs"}, s.payer, store, "LODE_GATEWAY="+s.url+"/work?text=hello")
	require.Contains(t, string(out), "200 HELLO\n")
	require.Contains(t, string(out), "opened ")
	_, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
}

func (s *shop) plainPays(ctx context.Context, t *testing.T) {
	had, earned := s.balance(ctx, t, s.customer), s.balance(ctx, t, s.cold)
	payer, err := pay.OpenClient(pay.ClientConfig{
		Dir: t.TempDir(), Chain: pay.NewPayerChain(s.c, s.customer, ""),
		Limits: pay.Limits{PerRequest: 200_000, PerDay: 5_000_000, Deposit: 1_000_000},
	})
	require.NoError(t, err)
	upstream, err := url.Parse(s.url)
	require.NoError(t, err)
	proxy := httptest.NewServer(pay.NewProxy(payer, upstream))
	t.Cleanup(func() {
		proxy.Close()
		require.NoError(t, payer.Close())
	})

	s.run(ctx, t, "plain.test.mjs", "", "", "LODE_GATEWAY="+proxy.URL)
	want := uint64(11*7_000 + 100_000)
	if curl, err := exec.LookPath("curl"); err == nil {
		out, err := exec.CommandContext(ctx, curl, "-sS", "--fail", "-d", "by curl", proxy.URL+"/work").Output()
		require.NoError(t, err)
		require.Equal(t, "BY CURL", string(out))
		want += 7_000
	}

	resp, err := http.Get(proxy.URL + "/.lode/payments")
	require.NoError(t, err)
	defer resp.Body.Close()
	var payments []pay.Payment
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&payments))
	var charged, deposits uint64
	for _, p := range payments {
		if p.Kind == "deposit" {
			deposits += p.Charged
		} else {
			charged += p.Charged
		}
	}
	require.Equal(t, want, charged, "the ledger says what was spent")
	require.EqualValues(t, 1_000_000, deposits)

	redeemed, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.Equal(t, want, redeemed.Paid)
	require.Equal(t, earned+redeemed.Provider, s.balance(ctx, t, s.cold))
	left := s.balance(ctx, t, s.customer)
	require.Less(t, left, had-deposits)
	require.Greater(t, left, had-deposits-10_000, "the deposit and one transaction's fee")
}

func (s *shop) agentPays(ctx context.Context, t *testing.T) {
	mnemonic, agent := newKey(t)
	spend := &markettypes.SpendAuthorization{Spender: agent.Address(), Limit: 2_000_000, ServiceIds: []uint64{s.service}}
	grant, err := authz.NewMsgGrant(s.customer.AccAddress(), agent.AccAddress(), spend, nil)
	require.NoError(t, err)
	fees, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{SpendLimit: coins(localnet.TAO)}, s.customer.AccAddress(), agent.AccAddress())
	require.NoError(t, err)
	s.send(ctx, t, s.customer, grant, fees)
	r := s.run(ctx, t, "agent.test.mjs", mnemonic, filepath.Join(t.TempDir(), "x402.json"), "LODE_PAYER="+s.customer.Address())
	require.Empty(t, r.Channels)
	require.Zero(t, s.balance(ctx, t, agent))
}
