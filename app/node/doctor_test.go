package node_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
)

// diagnose examines a home and returns what was found by check.
func diagnose(t *testing.T, home string, others ...string) map[string]node.Finding {
	t.Helper()
	found, err := node.Diagnose(t.Context(), home, others)
	require.NoError(t, err)
	by := map[string]node.Finding{}
	for _, f := range found {
		require.NotContains(t, by, f.Check)
		require.NotEmpty(t, f.Says, f.Check)
		require.True(t, f.State != node.Failed || f.Do != "", "%s fails without saying what to do", f.Check)
		by[f.Check] = f
	}
	return by
}

func testnetOf(t *testing.T, validators int) []node.TestnetNode {
	t.Helper()
	written, err := node.Testnet(filepath.Join(t.TempDir(), "net"), testnetOptions(t, validators))
	require.NoError(t, err)
	return written
}

func replaceIn(t *testing.T, path, old, new string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(raw), old)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(raw, []byte(old), []byte(new)), 0o600))
}

func TestTheDoctorFindsNothingWrongWithANewHome(t *testing.T) {
	found := diagnose(t, testnetOf(t, 1)[0].Home)
	for _, check := range []string{"configuration", "genesis", "keys", "version", "ports"} {
		require.Equal(t, node.OK, found[check].State, found[check])
	}
	require.Equal(t, node.OK, found["peers"].State, found["peers"])
	require.Equal(t, node.Skipped, found["blocks"].State)
	require.Contains(t, found["blocks"].Do, "lode node start --home")
}

func TestTheDoctorExaminesANodeThatRuns(t *testing.T) {
	w := testnetOf(t, 1)[0]
	n, err := node.Start(t.Context(), node.Config{Home: w.Home})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	wait(t, n, 2)
	found := diagnose(t, w.Home, "http://"+w.RPC)
	for check, f := range found {
		if check != "disk" { // the machine's own
			require.Equal(t, node.OK, f.State, f)
		}
	}
	require.Contains(t, found["VRF key"].Says, "in force since genesis, for "+w.Operator)
	require.Contains(t, found["peers"].Says, "this is the only validator")
	require.Contains(t, found["blocks"].Says, "is the same at http://"+w.RPC)

	// The secret of the registered key is lost: a new file does not help.
	other := testnetOf(t, 1)[0]
	vrf := filepath.Join("config", "vrf_key.json")
	raw, err := os.ReadFile(filepath.Join(other.Home, vrf))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(w.Home, vrf), raw, 0o600))
	found = diagnose(t, w.Home)
	require.Equal(t, node.Failed, found["VRF key"].State, found["VRF key"])
	require.Contains(t, found["VRF key"].Says, "is not in the file")

	// Another home that would listen where this node does.
	replaceIn(t, filepath.Join(other.Home, "config", "config.toml"), other.RPC, w.RPC)
	found = diagnose(t, other.Home, "http://"+w.RPC)
	require.Equal(t, node.Failed, found["ports"].State)
	require.Contains(t, found["ports"].Says, "another process listens on "+w.RPC)
	require.Contains(t, found["VRF key"].Says, "the node only follows")
}

func TestTheDoctorSaysWhatIsWrongWithABrokenHome(t *testing.T) {
	config := func(name string) func(home string) string {
		return func(home string) string { return filepath.Join(home, "config", name) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, home string) { require.NoError(t, os.RemoveAll(filepath.Join(home, name))) }
	}
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, home string) {
			require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(content), 0o600))
		}
	}
	toml := func(file, old, new string) func(*testing.T, string) {
		return func(t *testing.T, home string) { replaceIn(t, config(file)(home), old, new) }
	}
	for name, c := range map[string]struct {
		break_ func(*testing.T, string)
		check  string
		state  node.State
		says   string
	}{
		"no config.toml":          {remove("config/config.toml"), "configuration", node.Failed, "config.toml or app.toml is not in"},
		"config.toml no TOML":     {write("config/config.toml", "= ="), "configuration", node.Failed, "config.toml"},
		"config.toml empty":       {write("config/app.toml", "\x00"), "configuration", node.Failed, "app.toml"},
		"a negative timeout":      {toml("config.toml", `timeout_propose = "3s"`, `timeout_propose = "-3s"`), "configuration", node.Failed, "timeout_propose"},
		"no gas price":            {toml("app.toml", `minimum-gas-prices = "0.01rao"`, `minimum-gas-prices = ""`), "configuration", node.Failed, "config/app.toml"},
		"no genesis":              {remove("config/genesis.json"), "genesis", node.Failed, "there is no genesis"},
		"genesis cut off":         {write("config/genesis.json", `{"chain_id":"x",`), "genesis", node.Failed, "can't be read"},
		"another chain's genesis": {write("config/genesis.json", `{"chain_id":"x","consensus":{},"app_state":{}}`), "genesis", node.Failed, "no genesis of this program"},
		"slow":                    {toml("config.toml", `timeout_commit = "200ms"`, `timeout_commit = "5s"`), "genesis", node.Warning, "as proposer this node is slow"},
		"no validator key":        {remove("config/priv_validator_key.json"), "keys", node.Failed, "the validator's key is missing"},
		"validator key damaged":   {write("config/priv_validator_key.json", `{"address":"00"}`), "keys", node.Failed, "it has no key"},
		"validator key no JSON":   {write("config/priv_validator_key.json", `{{`), "keys", node.Failed, "is damaged"},
		"no sign state":           {remove("data/priv_validator_state.json"), "keys", node.Failed, "the record of what was signed last"},
		"no node key":             {remove("config/node_key.json"), "keys", node.Failed, "the node key is missing"},
		"node key damaged":        {write("config/node_key.json", `{}`), "keys", node.Failed, "the node key"},
		"no VRF key":              {remove("config/vrf_key.json"), "keys", node.Failed, "the VRF key is missing"},
		"VRF key empty":           {write("config/vrf_key.json", `{"keys":[]}`), "keys", node.Failed, "it holds no key"},
		"open to others": {func(t *testing.T, home string) {
			require.NoError(t, os.Chmod(config("vrf_key.json")(home), 0o644))
		}, "keys", node.Failed, "has mode 0644"},
		"no data":        {remove("data"), "disk", node.Failed, "is no folder"},
		"a peer unnamed": {toml("config.toml", `persistent_peers = "`, `persistent_peers = "nobody,`), "peers", node.Failed, `the peer "nobody"`},
		"peers silent":   {func(*testing.T, string) {}, "peers", node.Warning, "0 of 1 named peers can be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			w := testnetOf(t, 2)[0]
			c.break_(t, w.Home)
			f := diagnose(t, w.Home)[c.check]
			require.Equal(t, c.state, f.State, f)
			require.Contains(t, f.Says, c.says)
			require.NotEmpty(t, f.Do)
		})
	}
}

func TestTheDoctorSaysThatAPortIsTaken(t *testing.T) {
	w := testnetOf(t, 1)[0]
	l, err := net.Listen("tcp", w.P2P)
	require.NoError(t, err)
	defer l.Close()
	f := diagnose(t, w.Home)["ports"]
	require.Equal(t, node.Failed, f.State)
	require.Contains(t, f.Says, "another process listens on "+w.P2P+", which is for peers")

	w = testnetOf(t, 1)[0]
	replaceIn(t, filepath.Join(w.Home, "config", "app.toml"), w.GRPC, w.RPC)
	require.Contains(t, diagnose(t, w.Home)["ports"].Says, "RPC and gRPC have the same port")
}

func TestTheDoctorNeedsAFolder(t *testing.T) {
	_, err := node.Diagnose(t.Context(), filepath.Join(t.TempDir(), "nowhere"), nil)
	require.ErrorIs(t, err, node.ErrNoNode)
	begin := time.Now()
	_, err = node.Diagnose(t.Context(), t.TempDir(), []string{"http://127.0.0.1:1"})
	require.NoError(t, err, "an empty folder is one to say everything of")
	require.Less(t, time.Since(begin), 10*time.Second)
}
