//go:build linux

// Package cluster_test is what happens to a network of validators when machines and
// networks fail: real processes of the real program, four validators, and faults that
// are done to them while a client sends. docs/faults.md says what was observed.
//
//	LODE_LONG=1 go test ./test/cluster -v -timeout 90m              # all, as `make test-long` does
//	LODE_LONG=1 go test ./test/cluster -v -timeout 30m -run KillAt  # one alone
//
// LODE_KILLS is how often a validator is killed (100), LODE_MINUTES how long blocks are
// made in bad weather (2), LODE_SEED repeats a run's choices, LODE_BIN names a program
// that is built already, LODE_KEEP=1 keeps the homes and logs of all runs; those of a
// test that fails are kept anyway. Linux alone: processes end with the test, and
// networks are namespaces.
package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/test/ports"
)

const (
	blockTime = 400 * time.Millisecond
	// hung is how long anything may take: a test that waits longer has found that the
	// chain hangs.
	hung = 5 * time.Minute
)

// long skips a test unless it was asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("LODE_LONG") == "" {
		t.Skip("takes minutes: LODE_LONG=1, or make test-long")
	}
}

// number is what an environment variable asks for.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	require.NoError(t, err, "%s must be a number", name)
	return n
}

// chance is what a test's choices come from; it prints the seed that repeats them.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(number(t, "LODE_SEED", int(time.Now().UnixNano()&0xffffffff)))
	say(t, "LODE_SEED=%d repeats these choices", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

var began = time.Now()

// say prints at once, with the seconds since the run began: a test of minutes should be
// seen to go on.
func say(t *testing.T, format string, args ...any) {
	t.Helper()
	fmt.Printf("%7.1fs %s: %s\n", time.Since(began).Seconds(), t.Name(), fmt.Sprintf(format, args...))
}

// program builds lode, once a run.
var program = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("LODE_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "lode-cluster-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "lode")
	out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin, "github.com/lodenet/lode/cmd/lode").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the program can't be built: %w\n%s", err, out)
	}
	built = dir
	return bin, nil
})

var built string // the folder of the program, if this run has made it

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// member is a node of a cluster.
type member struct {
	name     string
	home, id string
	operator string
	p2p      string // host:port
	url      string // of RPC
	rpc      *rpchttp.HTTP
	flags    []string // of `lode node start`
	space    string   // network namespace; empty: this one
	proc     *process // nil: not started yet
}

// cluster is a network of validators, each a process.
type cluster struct {
	t       *testing.T
	dir     string
	chainID string
	nodes   []*member
}

// write makes the homes of n validators; nothing runs yet. more are flags of `lode node
// testnet`.
func write(t *testing.T, n int, more ...string) *cluster {
	t.Helper()
	bin, err := program()
	require.NoError(t, err)
	root, err := os.MkdirTemp("", "lode-cluster-")
	require.NoError(t, err)
	c := &cluster{t: t, dir: filepath.Join(root, "net")}
	t.Cleanup(func() {
		if t.Failed() || os.Getenv("LODE_KEEP") != "" {
			say(t, "homes and logs are in %s", c.dir)
			return
		}
		os.RemoveAll(root)
	})
	out, err := exec.Command(bin, append([]string{"node", "testnet", "--validators", strconv.Itoa(n), "--output", c.dir,
		"--starting-port", strconv.Itoa(ports.Free(t, n*10)), "--block-time", blockTime.String(), "--json"}, more...)...).Output()
	require.NoError(t, err)
	var made struct {
		ChainID string `json:"chain_id"`
		Nodes   []struct {
			Home     string `json:"home"`
			ID       string `json:"node_id"`
			Operator string `json:"operator"`
			P2P      string `json:"p2p"`
			RPC      string `json:"rpc"`
		} `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal(out, &made))
	require.Len(t, made.Nodes, n)
	c.chainID = made.ChainID
	for _, m := range made.Nodes {
		node := &member{name: filepath.Base(m.Home), home: m.Home, id: m.ID, operator: m.Operator, p2p: m.P2P}
		node.answerAt(t, m.RPC, (&net.Dialer{}).DialContext)
		node.tune(t, func(cfg *cmtcfg.Config) {
			// A proposer that is dead costs a second instead of three.
			cfg.Consensus.TimeoutPropose = time.Second
			cfg.Consensus.TimeoutPrevote, cfg.Consensus.TimeoutPrecommit = blockTime, blockTime
		})
		c.nodes = append(c.nodes, node)
	}
	return c
}

// newcomer is a node beside those that were written, at addresses of its own; its home is
// still to be made.
func (c *cluster) newcomer(name string) *member {
	c.t.Helper()
	first := ports.Free(c.t, 4)
	at := func(i int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(first+i)) }
	m := &member{name: name, home: filepath.Join(c.dir, name), p2p: at(0), flags: []string{
		"--p2p.laddr", "tcp://" + at(0), "--rpc.laddr", "tcp://" + at(1), "--api.address", "tcp://" + at(2), "--grpc.address", at(3),
	}}
	m.answerAt(c.t, "http://"+at(1), (&net.Dialer{}).DialContext)
	return m
}

// answerAt says where a node's RPC is, and how it is reached.
func (m *member) answerAt(t *testing.T, url string, dial func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	var err error
	m.url = url
	m.rpc, err = rpchttp.NewWithClient(url, "/websocket", &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 4},
	})
	require.NoError(t, err)
}

// tune changes a node's config.toml.
func (m *member) tune(t *testing.T, change func(*cmtcfg.Config)) {
	t.Helper()
	path := filepath.Join(m.home, "config", "config.toml")
	v := viper.New()
	v.SetConfigFile(path)
	require.NoError(t, v.ReadInConfig())
	cfg := cmtcfg.DefaultConfig()
	require.NoError(t, v.Unmarshal(cfg))
	change(cfg)
	require.NoError(t, cfg.ValidateBasic())
	cmtcfg.WriteConfigFile(path, cfg)
}

// begin starts all nodes and waits until they make blocks.
func (c *cluster) begin() {
	c.t.Helper()
	for _, m := range c.nodes {
		c.start(m)
	}
	c.all(3)
	say(c.t, "%d validators make blocks", len(c.nodes))
}

// start runs a node's process. It ends with the test.
func (c *cluster) start(m *member) {
	c.t.Helper()
	if m.proc != nil {
		require.True(c.t, m.proc.dead(), "%s runs already", m.name)
	}
	bin, err := program()
	require.NoError(c.t, err)
	args := append([]string{bin, "node", "start", "--home", m.home, "--log_no_color"}, m.flags...)
	if m.space != "" {
		args = append([]string{"ip", "netns", "exec", m.space}, args...)
	}
	first := m.proc == nil
	m.proc, err = run(filepath.Join(c.dir, m.name+".log"), args...)
	require.NoError(c.t, err)
	if first {
		c.t.Cleanup(func() { m.proc.kill() })
	}
}

// lode runs a command of the program to its end.
func (c *cluster) lode(args ...string) (out string, exit int) {
	c.t.Helper()
	bin, err := program()
	require.NoError(c.t, err)
	raw, err := exec.CommandContext(c.t.Context(), bin, args...).CombinedOutput()
	if err == nil {
		return string(raw), 0
	}
	var failed *exec.ExitError
	require.ErrorAs(c.t, err, &failed, "%s", raw)
	return string(raw), failed.ExitCode()
}

// but are all nodes but some.
func (c *cluster) but(out ...*member) (rest []*member) {
	for _, m := range c.nodes {
		if !slices.Contains(out, m) {
			rest = append(rest, m)
		}
	}
	return rest
}

func names(list []*member) string {
	var out []string
	for _, m := range list {
		out = append(out, m.name)
	}
	return strings.Join(out, " and ")
}
