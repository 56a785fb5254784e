package subnet_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/lodenet/lode/subnet"
)

// written is a state file as a validator leaves it.
func written(t *testing.T) map[string]any {
	t.Helper()
	var state map[string]any
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		dir := t.TempDir()
		startValidator(t, c, n, "validator", dir)
		c.mine(t, 13)
		path := filepath.Join(dir, "validator.json")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &state); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v: salts are secret until they are revealed", info.Mode(), err)
		}
		if left, err := filepath.Glob(path + ".*"); err != nil || len(left) != 0 {
			t.Errorf("left behind: %q, %v", left, err)
		}
	})
	return state
}

func TestAStateFileThatCannotBeUsedIsKeptAside(t *testing.T) {
	good := written(t)
	averages := good["averages"].(map[string]any)
	if len(averages) != 1 || len(good["commits"].([]any)) != 1 {
		t.Fatalf("the state has %v", good)
	}
	with := func(key string, value any) string {
		state := map[string]any{}
		for k, v := range good {
			state[k] = v
		}
		state[key] = value
		raw, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name, c := range map[string]struct{ text, says string }{
		"nothing":             {"", "damaged"},
		"rubbish":             {"\x00\x01", "damaged"},
		"half a file":         {with("version", 1)[:40], "damaged"},
		"another version":     {with("version", 2), "version 2"},
		"another chain":       {with("chain_id", "lode-other-1"), `chain \"lode-other-1\"`},
		"another subnet":      {with("subnet_id", 8), "permanent id 8"},
		"another hotkey":      {with("hotkey", address("other")), address("other")},
		"an average below 0":  {with("averages", map[string]any{address("miner"): map[string]any{"value": -1}}), "damaged"},
		"a commit in halves":  {with("commits", []any{map[string]any{"hash": "00ff"}}), "damaged"},
		"a commit of nothing": {with("commits", []any{nil}), "damaged"},
		"a salt that's none":  {with("commits", []any{map[string]any{"salt": "xyz"}}), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, withReveal, func(t *testing.T, c2 *fakeChain, n *fakeNet) {
				v := c2.add("validator", true)
				c2.add("miner", false)
				startMiner(t, c2, n, "miner", 3)
				dir := t.TempDir()
				path := filepath.Join(dir, "validator.json")
				for file, text := range map[string]string{path: c.text, path + ".bad-1": "an older one"} {
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				p := startValidator(t, c2, n, "validator", dir)
				c2.mine(t, 25)
				if kept, err := os.ReadFile(path + ".bad-2"); err != nil || string(kept) != c.text {
					t.Errorf("kept aside: %q, %v", kept, err)
				}
				if older, err := os.ReadFile(path + ".bad-1"); err != nil || string(older) != "an older one" {
					t.Errorf("the older one: %q, %v", older, err)
				}
				if p.log.count("level=ERROR") != 1 || !strings.Contains(p.log.String(), c.says) {
					t.Errorf("want one error that says %s:\n%s", c.says, p.log)
				}
				if s := p.stats(); s.Scores[1].Average != 3 || s.Sent == 0 || len(s.Difficulty) != 0 {
					t.Errorf("stats %+v: want it to go on with a fresh state", s)
				}
				c2.read(func(*fakeChain) {
					if len(v.reveals) != 1 {
						t.Errorf("reveals %v", v.reveals)
					}
				})
				c2.kept(t)
			})
		})
	}
}

func TestACommitWhoseSaltIsLostIsToldOnce(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 3)
		dir := t.TempDir()
		p := startValidator(t, c, n, "validator", dir)
		c.mine(t, 13)
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "validator.json")); err != nil {
			t.Fatal(err)
		}
		p = startValidator(t, c, n, "validator", dir)
		c.mine(t, 25)
		if n := p.log.count("can't be revealed and will expire"); n != 1 {
			t.Errorf("told %d times:\n%s", n, p.log)
		}
		c.read(func(*fakeChain) {
			if len(v.reveals) != 1 || v.reveals[0] != 4 {
				t.Errorf("revealed in epochs %v, want the next commit's 4", v.reveals)
			}
		})
		c.kept(t)
	})
}

func TestAStateFileThatCannotBeReadEndsTheProcess(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		base, _ := common(c, n.host("validator"))
		dir := t.TempDir() // a folder is no file
		err := subnet.RunValidator(t.Context(), subnet.ValidatorConfig{Common: base, Validator: subnet.ValidatorFunc(numbers), StateFile: dir})
		if err == nil || !strings.Contains(err.Error(), "state file") || !strings.Contains(err.Error(), dir) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestASuccessorInTheSameSlotInheritsNothing(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 3)
		dir := t.TempDir()
		p := startValidator(t, c, n, "validator", dir, func(cfg *subnet.ValidatorConfig) { cfg.Smoothing = 0.01 })
		c.mine(t, 5)
		c.set(func(c *fakeChain) { c.subnetID = 8 })
		c.mine(t, 3)
		if s := p.stats(); math.Abs(s.Scores[1].Average-3) > 1e-9 || s.Scores[1].Rounds > 3 {
			t.Errorf("scores %+v: want those of the new subnet alone", s.Scores)
		}
		if _, err := os.Stat(filepath.Join(dir, "validator.json.bad-1")); errors.Is(err, fs.ErrNotExist) {
			t.Error("the old subnet's state was not kept")
		}
	})
}

func TestMetricsShowWhatAProcessDoes(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		registry := prometheus.NewPedanticRegistry()
		m := startMiner(t, c, n, "miner", 5, func(cfg *subnet.MinerConfig) { cfg.Metrics = registry })
		v := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) { cfg.Metrics = registry })
		c.mine(t, 23)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if problems, err := promlint.NewWithMetricFamilies(families).Lint(); err != nil || len(problems) != 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, metric := range f.Metric {
				who := ""
				for _, l := range metric.Label {
					switch l.GetValue() {
					case address("validator"):
						who = "validator"
					case address("miner"):
						who = "miner"
					}
				}
				got[who+" "+f.GetName()] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			}
		}
		for name, want := range map[string]float64{
			"validator lode_subnet_height":                 123,
			"validator lode_subnet_epoch":                  3,
			"validator lode_subnet_permit":                 1,
			"validator lode_subnet_difficulties":           0,
			"validator lode_subnet_weights_sent_total":     1,
			"validator lode_subnet_weights_revealed_total": 1,
			"validator lode_subnet_rounds_failed_total":    0,
			"validator lode_subnet_score":                  5,
			"validator lode_subnet_rounds_total":           float64(v.stats().Rounds),
			"validator lode_subnet_jobs_total":             float64(m.stats().Jobs),
			"miner lode_subnet_jobs_total":                 float64(m.stats().Jobs),
			"miner lode_subnet_permit":                     0,
			"miner lode_subnet_height":                     123,
		} {
			if value, ok := got[name]; !ok || value != want {
				t.Errorf("%s is %v, want %v", name, value, want)
			}
		}
		if v.stats().Rounds < 20 {
			t.Errorf("stats %+v", v.stats())
		}
		for _, p := range []*process{v, m} {
			if err := p.end(); err != nil {
				t.Fatal(err)
			}
		}
		if families, err := registry.Gather(); err != nil || len(families) != 0 {
			t.Errorf("after the end %d metrics are left, %v", len(families), err)
		}
	})
}
