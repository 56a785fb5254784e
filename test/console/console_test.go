// Package console_test uses the console as people do: Debian's Chromium reads the page
// that is built in, against a local network.
package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/test/watch"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// hostile is a subnet's name that wants to be a script, and to be read backwards.
const hostile = "<img src=x onerror=document.title='owned'>\u202egnp"

// site is a network with its console, and what the browser's side may ask of the test.
type site struct {
	n       *localnet.Network
	c       *client.Client
	cold    *wallet.Signer
	hot     *wallet.Signer // of subnet 1
	hot2    *wallet.Signer // of subnet 2
	service uint64
	gateway *pay.Gateway
	url     string // of the console
	wire    *wire  // between the console and its node
}

func newKey(t testing.TB) *wallet.Signer {
	t.Helper()
	mnemonic, err := wallet.NewMnemonic()
	require.NoError(t, err)
	signer, err := wallet.SignerFromMnemonic(mnemonic)
	require.NoError(t, err)
	return signer
}

func (s *site) give(ctx context.Context, to string, rao uint64) error {
	faucet, err := s.n.Wallet().Signer(localnet.FaucetKey)
	if err != nil {
		return err
	}
	coins := sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(rao)))
	_, err = s.c.Send(ctx, []*wallet.Signer{faucet}, &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: to, Amount: coins})
	return err
}

// open starts a network of two subnets, the first with a hostile name, whose owner sells
// answers.
func open(ctx context.Context, t testing.TB) *site {
	t.Helper()
	s := &site{n: localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 500 * time.Millisecond}), cold: newKey(t), hot: newKey(t), hot2: newKey(t)}
	s.c = s.n.Client()
	require.NoError(t, s.give(ctx, s.cold.Address(), 20_000*localnet.TAO))
	require.NoError(t, s.give(ctx, s.hot.Address(), localnet.TAO))
	require.NoError(t, s.give(ctx, s.hot2.Address(), localnet.TAO))
	_, err := s.c.Send(ctx, []*wallet.Signer{s.cold, s.hot},
		&alphatypes.MsgBindHotkey{Coldkey: s.cold.Address(), Hotkey: s.hot.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: s.cold.Address(), Hotkey: s.hot.Address(), MaxLock: 2_000 * localnet.TAO, Name: hostile})
	if err != nil { // a chain that takes no such names is as good
		_, err = s.c.Send(ctx, []*wallet.Signer{s.cold, s.hot},
			&alphatypes.MsgBindHotkey{Coldkey: s.cold.Address(), Hotkey: s.hot.Address()},
			&subnetstypes.MsgCreateSubnet{Coldkey: s.cold.Address(), Hotkey: s.hot.Address(), MaxLock: 2_000 * localnet.TAO, Name: strings.TrimSuffix(hostile, "\u202egnp")})
	}
	require.NoError(t, err)
	_, err = s.c.Send(ctx, []*wallet.Signer{s.cold, s.hot2},
		&alphatypes.MsgBindHotkey{Coldkey: s.cold.Address(), Hotkey: s.hot2.Address()},
		&subnetstypes.MsgCreateSubnet{Coldkey: s.cold.Address(), Hotkey: s.hot2.Address(), MaxLock: 10_000 * localnet.TAO, Name: "translation"})
	require.NoError(t, err)
	_, err = s.c.Send(ctx, []*wallet.Signer{s.cold},
		&subnetstypes.MsgStartSubnet{Coldkey: s.cold.Address(), Netuid: 1}, &subnetstypes.MsgStartSubnet{Coldkey: s.cold.Address(), Netuid: 2})
	require.NoError(t, err)
	s.sell(ctx, t)
	s.serve(ctx, t)
	return s
}

// sell puts a service up that speaks a little of OpenAI's API, word by word, and takes
// clips.
func (s *site) sell(ctx context.Context, t testing.TB) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	res, err := s.c.Send(ctx, []*wallet.Signer{s.cold}, &markettypes.MsgListService{
		Signer: s.cold.Address(), Hotkey: s.hot.Address(), Netuid: 1, Name: "answers", Description: "says it again",
		Endpoint: server.URL, Unit: markettypes.UNIT_TOKEN, Price: 1_000, Per: 1,
	})
	require.NoError(t, err)
	listed, err := client.Response[*markettypes.MsgListServiceResponse](res)
	require.NoError(t, err)
	s.service = listed.ServiceId
	_, err = s.c.Send(ctx, []*wallet.Signer{s.cold}, &markettypes.MsgOfferPlan{
		Signer: s.cold.Address(), ServiceId: s.service, Name: "a hundred words a day", Price: localnet.TAO / 100, Period: 86_400, Quota: 100,
	})
	require.NoError(t, err)
	s.gateway, err = pay.OpenGateway(ctx, pay.GatewayConfig{Dir: t.TempDir(), Chain: pay.NewChain(s.c, s.hot), ServiceID: s.service, CloseDelay: 900})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.gateway.Close()) })
	mux.Handle("/v1/chat/completions", s.gateway.Handler(pay.Route{Units: pay.Flat(20)}, http.HandlerFunc(answer)))
	mux.Handle("/clip", s.gateway.Handler(pay.Route{Units: pay.Flat(500)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clip, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		if err == nil {
			err = pay.MeterFrom(r.Context()).Charge(300)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "video/webm")
		_, _ = w.Write(clip)
	})))
}

// answer repeats the last message, a word an event, each word a token.
func answer(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Messages []struct{ Content string } `json:"messages"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&asked); err != nil || len(asked.Messages) == 0 {
		http.Error(w, "no messages", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Lode-Receipt", "r-1")
	for _, word := range strings.Fields(asked.Messages[len(asked.Messages)-1].Content) {
		if err := pay.MeterFrom(r.Context()).Charge(1); err != nil {
			return
		}
		said, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"delta": map[string]string{"content": word + " "}}}})
		fmt.Fprintf(w, "data: %s\n\n", said)
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// wire passes connections on to a node, until it is cut.
type wire struct {
	to   string
	addr string

	mu    sync.Mutex
	ln    net.Listener
	conns map[net.Conn]bool
}

func (w *wire) join() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln != nil {
		return nil
	}
	at := w.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	w.ln, w.addr, w.conns = ln, ln.Addr().String(), map[net.Conn]bool{}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", w.to)
			if err != nil {
				in.Close()
				continue
			}
			w.mu.Lock()
			w.conns[in], w.conns[out] = true, true
			w.mu.Unlock()
			pipe := func(a, b net.Conn) {
				_, _ = io.Copy(a, b)
				a.Close()
				b.Close()
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
	return nil
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln == nil {
		return
	}
	w.ln.Close()
	w.ln = nil
	for c := range w.conns {
		c.Close()
	}
}

// serve runs the console, on the far end of a wire from its node.
func (s *site) serve(ctx context.Context, t testing.TB) {
	t.Helper()
	node, err := url.Parse(s.n.Info().Endpoints.RPC)
	require.NoError(t, err)
	s.wire = &wire{to: node.Host}
	require.NoError(t, s.wire.join())
	t.Cleanup(s.wire.cut)
	c, err := client.New(client.Config{Nodes: []string{"http://" + s.wire.addr}})
	require.NoError(t, err)
	ix, err := indexer.Open(ctx, filepath.Join(t.TempDir(), "index.db"))
	require.NoError(t, err)
	server, err := console.New(console.Config{Client: c, Index: ix, Version: "test",
		Indexing: func(ctx context.Context) error { return ix.Run(ctx, indexer.Node(c)) }})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + ln.Addr().String()
	serving, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(serving, ln, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the console did not end well: %v", err)
		}
		require.NoError(t, ix.Close())
		require.NoError(t, c.Close())
	})
}

// propose makes a proposal with a hostile title and a part of its deposit.
func (s *site) propose(ctx context.Context) (uint64, error) {
	upgrade := &upgradetypes.MsgSoftwareUpgrade{Authority: authtypes.NewModuleAddress("gov").String(), Plan: upgradetypes.Plan{Name: "v9", Height: 1 << 40, Info: "faster"}}
	submit, err := govtypes.NewMsgSubmitProposal([]sdk.Msg{upgrade}, sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 4*localnet.TAO)), s.cold.Address(), "", hostile, "What is good for all.\n\nAnd more.", false)
	if err != nil {
		return 0, err
	}
	res, err := s.c.Send(ctx, []*wallet.Signer{s.cold}, submit)
	if err != nil {
		return 0, err
	}
	answer, err := client.Response[*govtypes.MsgSubmitProposalResponse](res)
	if err != nil {
		return 0, err
	}
	return answer.ProposalId, nil
}

// control is what the browser's side asks of the test: coins, and a node that goes away.
func (s *site) control(ctx context.Context, t testing.TB) string {
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	mux.HandleFunc("POST /give/{address}", func(w http.ResponseWriter, r *http.Request) {
		reply(w, s.give(ctx, r.PathValue("address"), 50*localnet.TAO))
	})
	mux.HandleFunc("POST /propose", func(w http.ResponseWriter, _ *http.Request) {
		id, err := s.propose(ctx)
		reply(w, err)
		fmt.Fprint(w, id)
	})
	mux.HandleFunc("POST /down", func(http.ResponseWriter, *http.Request) { s.wire.cut() })
	mux.HandleFunc("POST /up", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.wire.join()) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// visit runs a script in a browser, and returns what it printed.
func (s *site) visit(ctx context.Context, t testing.TB, args ...string) (string, error) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium: scripts/tools.sh installs it")
	}
	watch.Files(t, "*.mjs", "../../console/web/package-lock.json", "../../console/testdata/keys.json")
	install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
	install.Dir = "../../console/web"
	out, err := install.CombinedOutput()
	require.NoErrorf(t, err, "npm ci: %s", out)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Env = append(os.Environ(), "LODE_CONSOLE="+s.url, "LODE_CONTROL="+s.control(ctx, t), "LODE_BROWSER="+browser,
		"LODE_HOTKEY="+s.hot.Address(), "LODE_HOTKEY_2="+s.hot2.Address(), "LODE_STRANGER="+s.cold.Address(), fmt.Sprintf("LODE_SERVICE=%d", s.service))
	out, err = cmd.CombinedOutput()
	return string(out), err
}

func TestPeopleUseTheConsole(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s := open(ctx, t)
	out, err := s.visit(ctx, t, "--test", "--test-reporter=spec", "people.test.mjs")
	t.Logf("%s", out)
	require.NoError(t, err)

	// What the page has paid is what the gateway may redeem.
	redeemed, err := s.gateway.Redeem(ctx, true)
	require.NoError(t, err)
	require.EqualValues(t, (5+300+2+2)*1_000, redeemed.Paid, "five words and a clip, and of who was in a hurry twice two words")
}

// BenchmarkPage measures what a person waits for: the first page with nothing kept from
// before, and the longest frame while a metagraph of 4,096 rows scrolls. The rows are made
// up, all else is a network's.
//
//	go test -run '^$' -bench Page -benchtime 1x ./test/console
func BenchmarkPage(b *testing.B) {
	s := open(b.Context(), b)
	for b.Loop() {
		out, err := s.visit(b.Context(), b, "bench.mjs")
		require.NoError(b, err, out)
		var figures map[string]float64
		require.NoError(b, json.Unmarshal([]byte(out), &figures), out)
		for name, value := range figures {
			b.ReportMetric(value, name)
		}
	}
	b.ReportMetric(0, "ns/op") // a visit's length says nothing
}
