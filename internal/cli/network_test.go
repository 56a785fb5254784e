package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestNetworkScripts runs the scripts in testdata/network against one local network: a
// chain with one subnet whose owner is `owner`, and nobody else in it. The scripts run
// at the same time and share its wallet: each makes its own keys.
func TestNetworkScripts(t *testing.T) {
	home := cheapHome(t)
	n := localnettest.Start(t, localnet.Config{Home: home, ChainOnly: true, BlockTime: 500 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	netuid, err := n.CreateSubnet(ctx, "owner", "toy", `{"measure":"ssim"}`)
	if err != nil {
		t.Fatal(err)
	}
	if netuid != 1 {
		t.Fatalf("the first subnet is %d", netuid)
	}

	backend := httptest.NewServer(http.HandlerFunc(answerBehindAGateway))
	t.Cleanup(backend.Close)

	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: filepath.Join("testdata", "network"),
			Setup: func(env *testscript.Env) error {
				env.Setenv("LODE_HOME", home)
				env.Setenv("HOME", env.WorkDir)
				env.Setenv("GOGC", collectRarely)
				rpc := n.Info().Endpoints.RPC
				env.Setenv("RPC", rpc)
				env.Setenv("BACKEND", backend.URL)
				env.Setenv("RPCPORT", rpc[strings.LastIndex(rpc, ":")+1:])
				limitTime(t, env)
				return nil
			},
			Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
				"block": func(ts *testscript.TestScript, _ bool, args []string) { block(timeOf(ts), n, ts, args[0]) },
				"cheap": func(ts *testscript.TestScript, _ bool, args []string) {
					ts.Check(cheapWallet(ts.MkAbs(args[0]), ts.Getenv("LODE_PASSPHRASE")))
				},
				"eventually": func(ts *testscript.TestScript, neg bool, args []string) { eventually(timeOf(ts), n, ts, neg, args) },
				"addsup":     func(ts *testscript.TestScript, _ bool, args []string) { addsUp(timeOf(ts), n, ts, args[0]) },
				"index":      func(ts *testscript.TestScript, _ bool, args []string) { index(timeOf(ts), n, ts, args[0]) },
				"balances":   func(ts *testscript.TestScript, _ bool, args []string) { balances(timeOf(ts), n, ts, args[0], args[1]) },
			},
		})
	})
}

// answerBehindAGateway is a server that knows nothing of payment, but for how much an
// answer has used.
func answerBehindAGateway(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Payment-Signature") != "":
		http.Error(w, "the gateway gave a payment away", http.StatusInternalServerError)
		return
	case strings.HasSuffix(r.URL.Path, "/cheap"):
		w.Header().Set("Lode-Units", "250")
	case strings.HasSuffix(r.URL.Path, "/greedy"):
		w.Header().Set("Lode-Units", "5000")
	case strings.HasSuffix(r.URL.Path, "/broken"):
		w.Header().Set("Lode-Units", "many")
	case strings.HasSuffix(r.URL.Path, "/missing"):
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, "hello %s from %s\n", r.Header.Get("Lode-Payer"), r.URL.Path)
}

// scriptTime is how long a script may take from its own beginning, with others beside it.
const scriptTime = 5 * time.Minute

// limitTime begins the time of a script.
func limitTime(t *testing.T, env *testscript.Env) {
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	env.Defer(cancel)
	env.Values["time"] = ctx
}

// timeOf is a context that ends when a script's time is up.
func timeOf(ts *testscript.TestScript) context.Context { return ts.Value("time").(context.Context) }

// block waits until there is a block.
func block(ctx context.Context, n *localnet.Network, ts *testscript.TestScript, height string) {
	want, err := strconv.ParseInt(height, 10, 64)
	ts.Check(err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for b := range n.Client().Blocks(ctx) {
		if b.Height >= want {
			return
		}
	}
	ts.Fatalf("block %d did not come: %v", want, context.Cause(ctx))
}

// patience is how long and for how many blocks at least a script waits for something.
const (
	patience       = time.Minute
	patienceBlocks = 60
)

// eventually runs a command after every block until it succeeds (or fails, with !), for as long
// as there is [patience].
func eventually(ctx context.Context, n *localnet.Network, ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tries, begun := 0, time.Now()
	for range n.Client().Blocks(ctx) {
		err := ts.Exec(args[0], args[1:]...)
		if (err == nil) != neg {
			return
		}
		if tries++; tries >= patienceBlocks && time.Since(begun) >= patience {
			ts.Fatalf("%v: still not so after %d tries and %v: %v", args, tries, time.Since(begun), err)
		}
	}
	ts.Fatalf("the network is gone: %v", context.Cause(ctx))
}
