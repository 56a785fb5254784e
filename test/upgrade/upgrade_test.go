//go:build linux

// Package upgrade_test has cosmovisor lead a chain from one release of the program to
// the next: two real programs, two validators, and a decision of governance by the
// command line. The next release is this tree with one file replaced
// (testdata/next): it has an upgrade with a new module, a new store and a migration of
// x/subnets.
//
//	LODE_LONG=1 go test ./test/upgrade -v -timeout 40m
//
// LODE_V1, LODE_V2 and LODE_COSMOVISOR name programs that are built already.
package upgrade_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	_ "github.com/lodenet/lode/app" // sets the prefixes of addresses
	"github.com/lodenet/lode/test/upgrade/roster"
)

const name = "v2-test"

// program is one that an environment variable names, or that is built.
func program(t *testing.T, variable, to string, build func(to string)) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		path, err := filepath.Abs(path)
		require.NoError(t, err)
		return path
	}
	began := time.Now()
	build(to)
	t.Logf("built %s in %s", filepath.Base(to), time.Since(began).Round(time.Second))
	return to
}

func TestCosmovisorLeadsAChainToTheNextRelease(t *testing.T) {
	if os.Getenv("LODE_LONG") == "" {
		t.Skip("builds three programs: LODE_LONG=1, or make test-long")
	}
	bin := t.TempDir()
	v1 := program(t, "LODE_V1", filepath.Join(bin, "v1"), func(to string) { release(t, to, "v1", nil) })
	v2 := program(t, "LODE_V2", filepath.Join(bin, "v2"), func(to string) {
		release(t, to, "v2", map[string]string{"app/upgrades_list.go": "testdata/next/upgrades_list.go"})
	})
	cosmovisor := program(t, "LODE_COSMOVISOR", filepath.Join(bin, "cosmovisor"), func(to string) { supervisor(t, to) })

	w := testnet(t, v1, 2)
	for _, v := range w.nodes {
		install(t, v1, filepath.Join(v.Home, "cosmovisor", "genesis", "bin", "lode"))
		install(t, v2, filepath.Join(v.Home, "cosmovisor", "upgrades", name, "bin", "lode"))
		w.start(v, cosmovisor, "run", "node", "start", "--home", v.Home)
	}
	w.reach(3)
	ctx := t.Context()
	require.Equal(t, "v1", w.nodes[0].version(t))

	// State that the upgrade is about.
	w.lode("wallet", "create", "hot", "--kind", "hotkey", "--home", w.dir)
	w.send("validator-0", "subnet", "create", "--name", "first", "--hotkey", "hot")
	var neurons struct {
		Neurons []struct {
			UID        uint32 `json:"uid"`
			Hotkey     string `json:"hotkey"`
			Registered int64  `json:"registered_height,string"`
			SubnetID   uint64 `json:"subnet_id,string"`
		} `json:"neurons"`
	}
	require.NoError(t, json.Unmarshal([]byte(w.query("subnets", "neurons", "--netuid", "1")), &neurons))
	require.Len(t, neurons.Neurons, 1)

	// Governance decides.
	now, err := w.nodes[0].height(ctx)
	require.NoError(t, err)
	at := now + 240 // two minutes at least: the vote takes 40 seconds
	messages := fmt.Sprintf(`[{"@type":"/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade","plan":{"name":%q,"height":"%d","info":"lists neurons"}}]`, name, at)
	w.send("validator-0", "tx", "gov", "submit-proposal", "--title", "Next", "--summary", "the next release", "--messages", messages, "--initial-deposit", "10TAO")
	for i := range w.nodes {
		w.send(fmt.Sprintf("validator-%d", i), "tx", "gov", "vote", "--proposal-id", "1", "--option", "yes")
	}
	w.until("the plan", func() (bool, string) {
		plan := w.query("upgrade", "current-plan")
		return strings.Contains(plan, `"`+name+`"`), plan
	})

	// Cosmovisor leads over.
	w.reach(at + 5)
	last, first := w.nodes[0].header(t, at-1).Time, w.nodes[0].header(t, at).Time
	t.Logf("the last block of v1, %d, is of %s; the first of v2 came %s later", at-1, last.Format(time.TimeOnly), first.Sub(last).Round(100*time.Millisecond))
	entry := roster.Entry{UID: neurons.Neurons[0].UID, Registered: neurons.Neurons[0].Registered}
	hotkey, err := sdk.AccAddressFromBech32(neurons.Neurons[0].Hotkey)
	require.NoError(t, err)
	for _, v := range w.nodes {
		require.Equal(t, "v2", v.version(t))
		link, err := os.Readlink(filepath.Join(v.Home, "cosmovisor", "current"))
		require.NoError(t, err)
		require.Equal(t, filepath.Join("upgrades", name), link[strings.Index(link, "upgrades"):])
		log, err := os.ReadFile(v.log)
		require.NoError(t, err)
		require.Contains(t, string(log), fmt.Sprintf(`UPGRADE "%s" NEEDED at height: %d: lists neurons`, name, at))
		require.Equal(t, entry.Value(), v.value(t, roster.Name, roster.Key(neurons.Neurons[0].SubnetID, hotkey)))
	}
	one, two := w.nodes[0].header(t, at+4), w.nodes[1].header(t, at+4)
	require.NotEmpty(t, one.AppHash)
	require.Equal(t, one.AppHash, two.AppHash)
	var applied struct {
		Height int64 `json:"height,string"`
	}
	require.NoError(t, json.Unmarshal([]byte(w.query("upgrade", "applied-plan", "--name", name)), &applied))
	require.Equal(t, at, applied.Height)
	w.send("validator-1", "tx", "bank", "send", "--to-address", "validator-0", "--amount", "1rao") // and the chain works

	// The release before refuses what the next one has made.
	w.nodes[1].stop(t)
	var out []byte
	w.until("the databases are closed", func() (bool, string) {
		out, err = exec.CommandContext(ctx, v1, "node", "start", "--home", w.nodes[1].Home).CombinedOutput()
		return !strings.Contains(string(out), "resource temporarily unavailable"), string(out)
	})
	require.Contains(t, string(out), fmt.Sprintf(`it has done upgrade "%s" in block %d, which this one (v1) does not know`, name, at))
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
}

// install puts a program where cosmovisor looks for it.
func install(t *testing.T, bin, to string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.Link(bin, to))
}
