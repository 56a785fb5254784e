package pay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// The processes that are killed here are this test binary, started again with one of
// these in its environment.
const (
	envGateway = "LODE_PAY_TEST_GATEWAY" // directory of its store; the listener is file 3
	envClient  = "LODE_PAY_TEST_CLIENT"  // directory of its store
	envChain   = "LODE_PAY_TEST_CHAIN"   // URL of the parent's chain
	envURL     = "LODE_PAY_TEST_URL"     // of the gateway, for the client
	envKill    = "LODE_PAY_TEST_KILL"    // before|after:STEP:N: when to die
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envGateway) != "":
		exit(runGateway())
	case os.Getenv(envClient) != "":
		exit(runClient())
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killer kills its own process as kill -9 does, at the step that it is told.
func killer() func(when, step string) {
	parts := strings.Split(os.Getenv(envKill), ":")
	if len(parts) != 3 {
		return nil
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		exit(err)
	}
	var mu sync.Mutex
	return func(when, step string) {
		mu.Lock()
		defer mu.Unlock()
		if when != parts[0] || step != parts[1] {
			return
		}
		if n--; n == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
}

// runGateway sells until it is killed or its standard input ends.
func runGateway() error {
	g, err := pay.OpenGateway(context.Background(), pay.GatewayConfig{Dir: os.Getenv(envGateway), Chain: &remoteChain{os.Getenv(envChain)}, ServiceID: 7}.WithHook(killer()))
	if err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/unary", g.Handler(pay.Route{Units: pay.Flat(100)}, http.HandlerFunc(charge)))
	mux.Handle("/stream", g.Handler(pay.Route{Units: pay.Flat(100)}, http.HandlerFunc(streamTokens)))
	mux.HandleFunc("/redeem", func(w http.ResponseWriter, r *http.Request) {
		got, err := g.Redeem(r.Context(), true)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(got)
	})
	mux.HandleFunc("/books", func(w http.ResponseWriter, _ *http.Request) {
		var b books
		b.Channels = g.Channels()
		if err := g.History(time.Time{}, func(e pay.Entry) bool { b.History = append(b.History, e); return true }); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(b)
	})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = g.Close()
		os.Exit(0)
	}()
	return http.Serve(l, mux)
}

// streamTokens sends 25 events of 20 tokens each.
func streamTokens(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	m := pay.MeterFrom(r.Context())
	for i := range 25 {
		if err := m.Charge(20); err != nil {
			return
		}
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
		w.(http.Flusher).Flush()
	}
}

type books struct {
	Channels []pay.ChannelStatus
	History  []pay.Entry
}

// runClient buys five times.
func runClient() error {
	c, err := pay.OpenClient(clientOf(os.Getenv(envClient), &remoteChain{os.Getenv(envChain)}).WithHook(killer()))
	if err != nil {
		return err
	}
	for range 5 {
		resp, err := (&http.Client{Transport: c}).Get(os.Getenv(envURL) + "/unary?n=30")
		if err != nil {
			return err
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			return err
		}
	}
	return c.Close()
}

func clientOf(dir string, chain pay.PayerChain) pay.ClientConfig {
	return pay.ClientConfig{Dir: dir, Chain: chain, Tries: 20, After: soon,
		Base:   &http.Transport{DisableKeepAlives: true},
		Limits: pay.Limits{PerRequest: 1_000_000, PerDay: 100_000_000, Deposit: 100_000, Ahead: 10_000}}
}

// remoteChain asks the parent's chain.
type remoteChain struct{ url string }

type remoteCall struct {
	Method string
	ID     []byte
	Number uint64
	Text   string
	Items  []markettypes.RedeemItem
	Msg    markettypes.MsgDeposit
}

func ask[T any](r *remoteChain, call remoteCall) (T, error) {
	var out struct {
		Value T
		Error string
	}
	body, err := json.Marshal(call)
	if err != nil {
		return out.Value, err
	}
	resp, err := http.Post(r.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return out.Value, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out.Value, err
	}
	switch out.Error {
	case "":
		return out.Value, nil
	case pay.ErrNoChannel.Error():
		return out.Value, pay.ErrNoChannel
	}
	return out.Value, errors.New(out.Error)
}

func (r *remoteChain) ChainID(context.Context) (string, error) { return chainID, nil }
func (r *remoteChain) Channel(_ context.Context, id []byte) (*markettypes.QueryChannelResponse, error) {
	return ask[*markettypes.QueryChannelResponse](r, remoteCall{Method: "channel", ID: id})
}
func (r *remoteChain) Service(_ context.Context, id uint64) (*markettypes.ServiceInfo, error) {
	return ask[*markettypes.ServiceInfo](r, remoteCall{Method: "service", Number: id})
}
func (r *remoteChain) Services(context.Context) ([]markettypes.ServiceInfo, error) {
	return nil, errors.New("not asked here")
}
func (r *remoteChain) ChannelsTo(_ context.Context, to string) ([]markettypes.Channel, error) {
	return ask[[]markettypes.Channel](r, remoteCall{Method: "to", Text: to})
}
func (r *remoteChain) ChannelsOf(context.Context) ([]markettypes.Channel, error) {
	return ask[[]markettypes.Channel](r, remoteCall{Method: "of"})
}
func (r *remoteChain) Redeem(_ context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error) {
	return ask[*markettypes.MsgRedeemResponse](r, remoteCall{Method: "redeem", Items: items})
}
func (r *remoteChain) Close(_ context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	return ask[*markettypes.MsgCloseResponse](r, remoteCall{Method: "close", ID: id})
}
func (r *remoteChain) CancelPlan(context.Context, []byte, bool) (*markettypes.MsgCancelPlanResponse, error) {
	return nil, errors.New("not asked here")
}
func (r *remoteChain) Deposit(_ context.Context, m markettypes.MsgDeposit) (pay.Deposited, error) {
	return ask[pay.Deposited](r, remoteCall{Method: "deposit", Msg: m})
}

// serveChain lets other processes ask a chain.
func serveChain(t *testing.T, f *fakeChain) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call remoteCall
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var v any
		var err error
		switch call.Method {
		case "channel":
			v, err = f.Channel(r.Context(), call.ID)
		case "service":
			v, err = f.Service(r.Context(), call.Number)
		case "to":
			v, err = f.ChannelsTo(r.Context(), call.Text)
		case "of":
			v, err = f.ChannelsOf(r.Context())
		case "redeem":
			v, err = f.Redeem(r.Context(), call.Items)
		case "close":
			v, err = f.Close(r.Context(), call.ID)
		case "deposit":
			v, err = f.Deposit(r.Context(), call.Msg)
		default:
			err = errors.New("unknown call " + call.Method)
		}
		out := map[string]any{"Value": v}
		if err != nil {
			out = map[string]any{"Error": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// stall is a gateway in a process of its own, which is started again when it dies. Its
// listener stays, so customers only wait.
type stall struct {
	t      *testing.T
	chain  *fakeChain
	dir    string
	url    string
	files  *os.File
	chains string

	mu     sync.Mutex
	cmd    *exec.Cmd
	stdin  io.Closer
	deaths int
	ended  chan struct{}
	closed bool
}

func newStall(t *testing.T, kill string) *stall {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	s := &stall{t: t, chain: newFakeChain(), dir: t.TempDir(), url: "http://" + l.Addr().String(), files: file, ended: make(chan struct{})}
	s.chains = serveChain(t, s.chain)
	require.NoError(t, l.Close())
	require.NoError(t, s.start(kill))
	t.Cleanup(func() {
		s.mu.Lock()
		s.closed = true
		_ = s.stdin.Close()
		s.mu.Unlock()
		<-s.ended
		_ = file.Close()
	})
	return s
}

// start starts the process, and another when it is killed.
func (s *stall) start(kill string) error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envGateway+"="+s.dir, envChain+"="+s.chains, envKill+"="+kill)
	cmd.ExtraFiles = []*os.File{s.files}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.cmd, s.stdin = cmd, stdin
	s.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		s.mu.Lock()
		closed := s.closed
		if !closed {
			s.deaths++
		}
		s.mu.Unlock()
		if closed || s.start("") != nil {
			close(s.ended)
		}
	}()
	return nil
}

func (s *stall) died() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deaths
}

// ask gets a page of the stall, from the next process if this one dies.
func (s *stall) ask(path string, into any) {
	s.t.Helper()
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var last error
	for range 20 {
		resp, err := plain.Get(s.url + path)
		if err != nil {
			last = err
			continue
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			last = err
			continue
		}
		require.Equal(s.t, 200, resp.StatusCode, "%s", raw)
		require.NoError(s.t, json.Unmarshal(raw, into))
		return
	}
	require.NoError(s.t, last)
}

// agree checks that gateway, its history, the client's ledger and the chain say the
// same, and returns what was charged.
func (s *stall) agree(c *pay.Client) uint64 {
	s.t.Helper()
	var redeemed pay.Redeemed
	s.ask("/redeem", &redeemed)
	var b books
	s.ask("/books", &b)
	require.Len(s.t, b.Channels, 1)
	ch := b.Channels[0]
	require.Empty(s.t, ch.Contested)
	require.Zero(s.t, ch.Reserved, "nothing stays reserved")
	var history uint64
	for _, e := range b.History {
		if e.Kind == pay.EntryCharge {
			history += e.Amount
		}
	}
	require.Equal(s.t, ch.Charged, history, "the history is the charges")
	require.Equal(s.t, ch.Charged, s.chain.claimed(), "all of it is redeemed")
	s.chain.mu.Lock()
	require.Equal(s.t, ch.Charged, s.chain.paid, "and paid once")
	s.chain.mu.Unlock()
	var ledger uint64
	require.NoError(s.t, c.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "request" {
			require.Contains(s.t, []pay.State{pay.Paid, pay.Unpaid}, p.State, "%+v", p)
			ledger += p.Charged
		}
		return true
	}))
	require.Equal(s.t, ch.Charged, ledger, "the customer's ledger agrees")
	return ch.Charged
}

func TestAGatewayKilledBetweenAnyTwoStepsChargesOnceAndServesOn(t *testing.T) {
	for _, kill := range []string{
		"before:reserve:1", "after:reserve:1", "before:settle:1", "after:settle:1",
		"before:reserve:3", "after:reserve:3", "before:settle:3", "after:settle:3",
	} {
		t.Run(kill, func(t *testing.T) {
			t.Parallel()
			s := newStall(t, kill)
			c, err := pay.OpenClient(clientOf(t.TempDir(), s.chain))
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			for range 5 {
				resp, err := (&http.Client{Transport: c}).Get(s.url + "/unary?n=30")
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "hello", string(body))
				require.Equal(t, 200, resp.StatusCode)
			}
			require.Equal(t, 1, s.died(), "it was killed where the test meant it")
			require.Equal(t, uint64(5*60), s.agree(c))
		})
	}
}

func TestAGatewayKilledWithinAStreamHasChargedWhatItDelivered(t *testing.T) {
	for _, kill := range []string{
		"before:reserve:1", "after:reserve:1", "before:charge:1", "after:charge:1", "before:charge:9", "after:charge:9",
		"before:extend:2", "after:extend:2", "before:voucher:2", "after:voucher:2", "before:settle:1", "after:settle:1",
	} {
		t.Run(kill, func(t *testing.T) {
			t.Parallel()
			s := newStall(t, kill)
			c, err := pay.OpenClient(clientOf(t.TempDir(), s.chain))
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			delivered := 0
			resp, err := (&http.Client{Transport: c}).Get(s.url + "/stream")
			if err == nil {
				body, _ := io.ReadAll(resp.Body) // it breaks off
				delivered = bytes.Count(body, []byte("data: "))
			}
			// The next request clears up what the broken one was charged.
			resp, err = (&http.Client{Transport: c}).Get(s.url + "/unary?n=30")
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, 1, s.died(), "it was killed where the test meant it")
			charged := s.agree(c) - 60
			require.GreaterOrEqual(t, charged, uint64(delivered*40), "nothing was served unpaid")
			require.LessOrEqual(t, charged, uint64(delivered*40+40), "one event at most was charged and lost")
		})
	}
}

func TestAGatewayKilledWhileItRedeemsIsPaidOnce(t *testing.T) {
	for _, kill := range []string{"before:claim:1", "after:claim:1", "before:redeemed:1", "after:redeemed:1"} {
		t.Run(kill, func(t *testing.T) {
			t.Parallel()
			s := newStall(t, kill)
			c, err := pay.OpenClient(clientOf(t.TempDir(), s.chain))
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			for n := range 3 {
				resp, err := (&http.Client{Transport: c}).Get(s.url + "/unary?n=30")
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
				if n == 0 {
					var redeemed pay.Redeemed
					s.ask("/redeem", &redeemed)
				}
			}
			require.Equal(t, 1, s.died(), "it was killed where the test meant it")
			require.Equal(t, uint64(3*60), s.agree(c))
		})
	}
}

func TestACustomerKilledBetweenAnyTwoStepsKnowsWhatItPaid(t *testing.T) {
	for _, kill := range []string{
		"before:deposit:1", "after:deposit:1", "before:sign:1", "after:sign:1", "before:end:1", "after:end:1",
		"before:sign:4", "after:sign:4", "before:end:4", "after:end:4",
	} {
		t.Run(kill, func(t *testing.T) {
			t.Parallel()
			s := newStall(t, "")
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), envClient+"="+dir, envChain+"="+s.chains, envURL+"="+s.url, envKill+"="+kill)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", out)
			require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", out)

			c, err := pay.OpenClient(clientOf(dir, s.chain))
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			spent, _ := c.Spent()
			for range 2 { // the first answer clears up what was unknown
				resp, err := (&http.Client{Transport: c}).Get(s.url + "/unary?n=30")
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
			}
			charged := s.agree(c)
			require.LessOrEqual(t, charged-2*60, spent, "the limits counted no less than was charged")
			s.chain.mu.Lock()
			defer s.chain.mu.Unlock()
			require.Len(t, s.chain.channels, 1, "a channel whose opening was lost is found by its key")
			keys, err := filepath.Glob(filepath.Join(dir, "keys", "*.key"))
			require.NoError(t, err)
			for _, k := range keys {
				info, err := os.Stat(k)
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			}
		})
	}
}
