package node_test

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/cometbft/cometbft/p2p"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app/node"
	lode "github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const docs = "../../docs"

// lively is a node with a peer, a subnet, epochs and weights: it has every metric that
// a node ever has.
func lively(t *testing.T) *node.Node {
	t.Helper()
	key := secp256k1.GenPrivKey()
	home, peer := t.TempDir(), t.TempDir()
	require.NoError(t, node.Init(home, node.InitOptions{
		ChainID: "lode-local-1", BlockTime: 100 * time.Millisecond,
		Accounts:  []node.Account{{Address: sdk.AccAddress(key.PubKey().Address()).String(), Rao: 5_000 * tao}},
		Validator: node.Validator{OperatorAddress: sdk.AccAddress(key.PubKey().Address()).String(), SelfBondRao: 10 * tao, Moniker: "one"},
	}))
	id, err := p2p.LoadNodeKey(filepath.Join(home, "config", "node_key.json"))
	require.NoError(t, err)
	c := config(home)
	c.Metrics, c.P2P = "127.0.0.1:0", "127.0.0.1:"+freePort(t)
	n, err := node.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })

	_, err = node.Prepare(peer, node.Settings{Moniker: "two", Alone: true, Peers: []string{string(id.ID()) + "@" + c.P2P}})
	require.NoError(t, err)
	require.NoError(t, node.Import(peer, "two", filepath.Join(home, "config", "genesis.json")))
	other := start(t, peer)

	cold, err := wallet.NewSigner(key.Key)
	require.NoError(t, err)
	hot, err := wallet.NewSigner(secp256k1.GenPrivKey().Key)
	require.NoError(t, err)
	wait(t, n, 1)
	work(t, n, cold, hot)
	wait(t, other, n.Height())
	return n
}

// work has a subnet created, staked on, and weighted by its owner.
func work(t *testing.T, n *node.Node, cold, hot *wallet.Signer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := lode.New(lode.Config{Nodes: []string{"http://" + n.Endpoints().RPC}, ChainID: "lode-local-1"})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.SendBound(ctx, cold, hot,
		&subnetstypes.MsgCreateSubnet{Coldkey: cold.Address(), Hotkey: hot.Address(), Name: "one", MaxLock: 1_000 * tao},
		&subnetstypes.MsgStartSubnet{Coldkey: cold.Address(), Netuid: 1},
		&alphatypes.MsgStake{Coldkey: cold.Address(), Hotkey: hot.Address(), Netuid: 1, Tao: 100 * tao, LimitPrice: 1_000 * tao},
	)
	require.NoError(t, err)
	for { // an epoch gives the owner its permit
		m, err := c.Metagraph(ctx, 1)
		require.NoError(t, err)
		if m.Neurons[0].Permit {
			break
		}
		wait(t, n, n.Height()+1)
	}
	_, err = c.SendFree(ctx, hot, &weightstypes.MsgCommitWeights{Hotkey: hot.Address(), Netuid: 1, Hash: make([]byte, 32)})
	require.NoError(t, err)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// expression is a query of Prometheus somewhere in docs/.
type expression struct{ where, query string }

type dashboard struct {
	Title      string
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []struct {
		ID                       int
		Type, Title, Description string
		Datasource               struct{ Type, UID string }
		FieldConfig              struct {
			Defaults struct{ Unit string }
		}
		GridPos struct{ H, W, X, Y int }
		Targets []struct{ Expr, RefID string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	raw, err := os.ReadFile(docs + "/grafana/lode.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &d))
	return d
}

type alert struct {
	Alert, Expr, For string
	Labels           struct{ Severity string }
	Annotations      struct{ Summary, Description string }
}

func readAlerts(t *testing.T) (alerts []alert) {
	t.Helper()
	raw, err := os.ReadFile(docs + "/grafana/alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct{ Rules []alert }
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for _, g := range file.Groups {
		alerts = append(alerts, g.Rules...)
	}
	require.NotEmpty(t, alerts)
	return alerts
}

func TestEachPanelSaysWhatItShowsInWhichUnit(t *testing.T) {
	d := readDashboard(t)
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	require.Equal(t, []string{"datasource", "job", "instance"}, variables)
	ids, titles, rows := map[int]bool{}, map[string]bool{}, []string{}
	for _, p := range d.Panels {
		require.NotEmpty(t, p.Title)
		require.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		require.False(t, titles[p.Title], "two panels are called %q", p.Title)
		titles[p.Title] = true
		require.NotEmpty(t, p.Description, p.Title)
		require.NotEmpty(t, p.FieldConfig.Defaults.Unit, p.Title)
		require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			require.Contains(t, target.Expr, `job=~"$job",instance=~"$instance"`, p.Title)
			require.Equal(t, strings.Count(target.Expr, `job=~"$job",instance=~"$instance"`), len(names(target.Expr)), "%s: each metric is that of the nodes that were chosen", p.Title)
		}
	}
	require.Equal(t, []string{"Chain", "Consensus", "Peers", "Mempool", "Economy", "Free lane", "Subnets", "Process"}, rows)
	for _, a := range readAlerts(t) {
		require.Contains(t, []string{"critical", "warning"}, a.Labels.Severity, a.Alert)
		require.NotEmpty(t, a.Annotations.Summary, a.Alert)
		require.NotEmpty(t, a.Annotations.Description, a.Alert)
	}
}

func TestTheDashboardAndTheAlertsAskForWhatANodeTells(t *testing.T) {
	var asked []expression
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			asked = append(asked, expression{"the panel " + p.Title, target.Expr})
		}
	}
	for _, a := range readAlerts(t) {
		asked = append(asked, expression{"the alert " + a.Alert, a.Expr})
	}
	require.Greater(t, len(asked), 60)
	n := lively(t)
	told := until(t, n, func(f map[string]*dto.MetricFamily) bool {
		peers, _ := value(f, "cometbft_p2p_peers")
		_, epochs := value(f, "lode_epochs_total", "netuid", "1", "outcome", "no_weights")
		_, rows := value(f, "lode_weights_rows_total", "netuid", "1", "how", "committed")
		return peers == 1 && epochs && rows
	})
	for _, e := range asked {
		found := names(e.query)
		require.NotEmpty(t, found, "%s: %s", e.where, e.query)
		for _, name := range found {
			if name == "up" { // Prometheus' own
				continue
			}
			_, ok := told[name]
			if !ok {
				base, part := histogramOf(name)
				f, whole := told[base]
				ok = whole && part && f.GetType() == dto.MetricType_HISTOGRAM
			}
			require.True(t, ok, "%s asks for %s, which the node does not tell: %s", e.where, name, e.query)
		}
	}
	checkTable(t, told)
}

// checkTable holds the table of docs/metrics.md to what a node tells: every metric of
// the chain's own, with its type.
func checkTable(t *testing.T, told map[string]*dto.MetricFamily) {
	t.Helper()
	raw, err := os.ReadFile(docs + "/metrics.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(lode_[a-z_]+)[^`]*` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(raw), -1) {
		documented[m[1]] = m[2]
	}
	own := map[string]string{}
	for name, f := range told {
		if strings.HasPrefix(name, "lode_") {
			own[name] = strings.ToLower(f.GetType().String())
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(own)), slices.Sorted(maps.Keys(documented)))
	require.Equal(t, own, documented)
	for _, a := range readAlerts(t) {
		require.Contains(t, string(raw), "`"+a.Alert+"`")
	}
}

func histogramOf(name string) (base string, ok bool) {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return base, true
		}
	}
	return name, false
}

var (
	matchers = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|"[^"]*"`)
	grouping = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	word     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?`)
	keywords = []string{"and", "or", "unless", "bool", "offset", "group_left", "group_right"}
)

// names are the metrics that a query asks for: what is no function, no word of the
// language and no label.
func names(query string) (found []string) {
	query = grouping.ReplaceAllString(matchers.ReplaceAllString(query, " "), " ")
	for _, w := range word.FindAllString(query, -1) {
		w = strings.TrimSpace(w)
		if strings.HasSuffix(w, "(") || slices.Contains(keywords, w) || regexp.MustCompile(`^e[0-9]+$`).MatchString(w) {
			continue
		}
		found = append(found, w)
	}
	return found
}

func TestNamesOfAQuery(t *testing.T) {
	for query, want := range map[string][]string{
		`up{job="lode"} == 0`: {"up"},
		`histogram_quantile(0.95, sum by (le, job) (rate(a_bucket{x=~"b|c"}[5m]))) > on (job) (0.5 * d)`: {"a_bucket", "d"},
		`a - on (x) group_right b > bool 0 and c unless on () e < 10e9`:                                  {"a", "b", "c", "e"},
		`max(deriv(a{b="rate(c)"}[15m])) * 3600`:                                                         {"a"},
	} {
		require.Equal(t, want, names(query), query)
	}
}
