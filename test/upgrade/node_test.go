//go:build linux

package upgrade_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hung is how long anything may take: a test that waits longer has found that the
// chain hangs.
const hung = 5 * time.Minute

// network is the homes of some validators on this machine.
type network struct {
	t     *testing.T
	bin   string // for commands
	dir   string
	nodes []*validator
}

type validator struct {
	Home string `json:"home"`
	RPC  string `json:"rpc"`
	Key  string `json:"key"`
	log  string
	cmd  *exec.Cmd
}

// testnet writes the homes, and lets governance decide sooner and subnets be cheap.
func testnet(t *testing.T, bin string, n int) *network {
	t.Helper()
	w := &network{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "net")}
	raw := w.lode("node", "testnet", "--validators", strconv.Itoa(n), "--output", w.dir, "--starting-port", strconv.Itoa(freePorts(t, n*10)), "--block-time", "500ms", "--json")
	var made struct {
		Nodes []*validator `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal([]byte(raw), &made))
	w.nodes = made.Nodes
	for _, v := range w.nodes {
		v.log = v.Home + ".log"
		path := filepath.Join(v.Home, "config", "genesis.json")
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var g map[string]any
		require.NoError(t, json.Unmarshal(raw, &g))
		gov, subnets := params(g, "gov"), params(g, "subnets")
		gov["voting_period"], gov["expedited_voting_period"] = "40s", "20s"
		subnets["min_lock"] = "1000000000"
		raw, err = json.Marshal(g)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
	return w
}

func params(genesis map[string]any, module string) map[string]any {
	return genesis["app_state"].(map[string]any)[module].(map[string]any)["params"].(map[string]any)
}

// lode runs a command that must succeed.
func (w *network) lode(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.bin, args...)
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	require.NoError(w.t, err, "lode %s\n%s%s", strings.Join(args, " "), out, errOut.String())
	return string(out)
}

// send has a key of the network's wallet send something.
func (w *network) send(from string, args ...string) string {
	w.t.Helper()
	return w.lode(append(args, "--home", w.dir, "--node", w.nodes[0].RPC, "--from", from)...)
}

func (w *network) query(args ...string) string {
	w.t.Helper()
	return w.lode(append([]string{"query"}, append(args, "--node", w.nodes[0].RPC, "--json")...)...)
}

// start runs a validator's supervisor. It ends with the test, and what it runs with it.
func (w *network) start(v *validator, bin string, args ...string) {
	w.t.Helper()
	log, err := os.Create(v.log)
	require.NoError(w.t, err)
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "DAEMON_NAME=lode", "DAEMON_HOME="+v.Home, "DAEMON_SHUTDOWN_GRACE=10s")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(w.t, cmd.Start())
	v.cmd = cmd
	w.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()                                      // by the signal, or before
		log.Close()
		if w.t.Failed() {
			raw, _ := os.ReadFile(v.log) // it is there: it was written
			lines := strings.Split(string(raw), "\n")
			w.t.Logf("%s:\n%s", v.log, strings.Join(lines[max(0, len(lines)-40):], "\n"))
		}
	})
}

// stop asks the supervisor and what it runs to end, as systemd does. The supervisor
// alone would not do: after an upgrade it passes the signal to the process before.
func (v *validator) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, syscall.Kill(-v.cmd.Process.Pid, syscall.SIGTERM))
	_ = v.cmd.Wait() // it ends with an error for the same reason
}

// ask is an answer of a node's RPC; false where it does not answer.
func (v *validator) ask(ctx context.Context, path string, query url.Values, to any) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.RPC+path+"?"+query.Encode(), nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(&struct {
		Result any `json:"result"`
	}{to}) == nil
}

// height is a node's last block; 0 where it does not answer.
func (v *validator) height(ctx context.Context) int64 {
	var s struct {
		SyncInfo struct {
			Height string `json:"latest_block_height"`
		} `json:"sync_info"`
	}
	v.ask(ctx, "/status", nil, &s)
	h, err := strconv.ParseInt(s.SyncInfo.Height, 10, 64)
	if err != nil {
		return 0
	}
	return h
}

// version is what the application of a node says that it is.
func (v *validator) version(ctx context.Context) string {
	var s struct {
		Response struct {
			Version string `json:"version"`
		} `json:"response"`
	}
	v.ask(ctx, "/abci_info", nil, &s)
	return s.Response.Version
}

// block is a block's time and the hash of the state before it.
func (v *validator) block(ctx context.Context, height int64) (at time.Time, appHash string) {
	var s struct {
		Block struct {
			Header struct {
				Time    time.Time `json:"time"`
				AppHash string    `json:"app_hash"`
			} `json:"header"`
		} `json:"block"`
	}
	v.ask(ctx, "/block", url.Values{"height": {strconv.FormatInt(height, 10)}}, &s)
	return s.Block.Header.Time, s.Block.Header.AppHash
}

// value is a record of a store.
func (v *validator) value(ctx context.Context, store string, key []byte) []byte {
	var s struct {
		Response struct {
			Value []byte `json:"value"`
		} `json:"response"`
	}
	v.ask(ctx, "/abci_query", url.Values{"path": {fmt.Sprintf("%q", "/store/"+store+"/key")}, "data": {fmt.Sprintf("0x%x", key)}}, &s)
	return s.Response.Value
}

// until asks again and again, of other processes.
func (w *network) until(what string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.After(hung)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("%s: not within %s", what, hung)
		}
	}
}

// reach waits until all nodes have a block.
func (w *network) reach(height int64) {
	w.t.Helper()
	for _, v := range w.nodes {
		w.until(fmt.Sprintf("%s at block %d", v.Home, height), func() bool { return v.height(w.t.Context()) >= height })
	}
}

// freePorts is the first of n ports in a row on which nothing listens.
func freePorts(t *testing.T, n int) int {
	t.Helper()
next:
	for first := 21_000 + os.Getpid()%8_000; first < 31_000; first += n {
		for port := first; port < first+n; port++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return first
	}
	t.Fatal("no free ports in a row")
	return 0
}
