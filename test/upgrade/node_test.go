//go:build linux

package upgrade_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/test/ports"
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
	rpc  *rpchttp.HTTP
	log  string
	cmd  *exec.Cmd
}

// testnet writes the homes, and lets governance decide sooner and subnets be cheap.
func testnet(t *testing.T, bin string, n int) *network {
	t.Helper()
	w := &network{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "net")}
	raw := w.lode("node", "testnet", "--validators", strconv.Itoa(n), "--output", w.dir, "--starting-port", strconv.Itoa(ports.Free(t, n*10)), "--block-time", "500ms", "--json")
	var made struct {
		Nodes []*validator `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal([]byte(raw), &made))
	w.nodes = made.Nodes
	for _, v := range w.nodes {
		var err error
		v.rpc, err = rpchttp.NewWithTimeout(v.RPC, "/websocket", 10) // seconds
		require.NoError(t, err)
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

// height is a node's last block; an error where it does not answer, as while its program
// is replaced.
func (v *validator) height(ctx context.Context) (int64, error) {
	s, err := v.rpc.Status(ctx)
	if err != nil {
		return 0, err
	}
	return s.SyncInfo.LatestBlockHeight, nil
}

// version is what the application of a node says that it is.
func (v *validator) version(t *testing.T) string {
	t.Helper()
	got, err := v.rpc.ABCIInfo(t.Context())
	require.NoError(t, err)
	return got.Response.Version
}

// header is a block's: its time, and the hash of the state before it.
func (v *validator) header(t *testing.T, height int64) types.Header {
	t.Helper()
	got, err := v.rpc.Block(t.Context(), &height)
	require.NoError(t, err)
	require.NotNil(t, got.Block, "block %d", height)
	return got.Block.Header
}

// value is a record of a store.
func (v *validator) value(t *testing.T, store string, key []byte) []byte {
	t.Helper()
	got, err := v.rpc.ABCIQuery(t.Context(), "/store/"+store+"/key", key)
	require.NoError(t, err)
	require.Zero(t, got.Response.Code, got.Response.Log)
	return got.Response.Value
}

// until asks again and again, of other processes; where it takes too long the test ends
// with what was so.
func (w *network) until(what string, ok func() (done bool, so string)) {
	w.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.After(hung)
	for {
		done, so := ok()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("%s: not within %s: %s", what, hung, so)
		}
	}
}

// reach waits until all nodes have a block.
func (w *network) reach(height int64) {
	w.t.Helper()
	for _, v := range w.nodes {
		w.until(fmt.Sprintf("%s at block %d", v.Home, height), func() (bool, string) {
			at, err := v.height(w.t.Context())
			return err == nil && at >= height, fmt.Sprintf("it is at %d (%v)", at, err)
		})
	}
}
