package subnet

import (
	"strconv"

	"github.com/lodenet/lode/mesh"
	"github.com/prometheus/client_golang/prometheus"
)

// Stats are what a process has done since it started.
type Stats struct {
	Netuid     uint16            `json:"netuid"`
	Hotkey     string            `json:"hotkey"`
	UID        *uint16           `json:"uid"` // nil while it holds none
	Permit     bool              `json:"permit"`
	Height     int64             `json:"height"`
	Epoch      uint64            `json:"epoch"`      // the next run
	NextEpoch  int64             `json:"next_epoch"` // block
	Jobs       uint64            `json:"jobs"`       // requests answered (miner) or sent (validator)
	Rounds     uint64            `json:"rounds"`     // that counted
	Failed     uint64            `json:"failed"`     // rounds that did not
	Sent       uint64            `json:"sent"`       // commits, or sets, on chain
	Revealed   uint64            `json:"revealed"`   // on chain
	Open       int               `json:"open"`       // commits whose salt is kept
	Scores     map[uint16]Score  `json:"scores"`     // by uid, of those measured
	Mesh       mesh.Counters     `json:"mesh"`       // of the whole host
	Difficulty map[string]string `json:"difficulty"` // what fails now, and why
}

// Score is what a validator thinks of a miner.
type Score struct {
	Hotkey  string  `json:"hotkey"`
	Last    float64 `json:"last"`
	Average float64 `json:"average"`
	Rounds  uint64  `json:"rounds"` // that measured it
}

func (n *node) stats() Stats {
	s := Stats{Netuid: n.common.Netuid, Hotkey: n.common.Mesh.Hotkey(), Mesh: n.common.Mesh.Counters(), Difficulty: n.outages.last()}
	meta := n.meta.Load()
	if meta == nil {
		return s
	}
	s.Height, s.Epoch, s.NextEpoch = meta.Height, meta.Epoch, meta.NextEpoch
	if self, ok := meta.ByHotkey(s.Hotkey); ok {
		s.UID, s.Permit = &self.UID, self.Permit
	}
	return s
}

// Stats returns what the validator has done so far.
func (v *ValidatorNode) Stats() Stats {
	s := v.stats()
	s.Jobs = v.jobs.Load()
	s.Scores = map[uint16]Score{}
	meta := v.meta.Load()
	v.mu.Lock()
	defer v.mu.Unlock()
	s.Rounds, s.Failed, s.Sent, s.Revealed = v.rounds, v.failed, v.sent, v.reveal
	if v.state == nil || meta == nil {
		return s
	}
	s.Open = len(v.state.Commits)
	for _, n := range meta.Neurons {
		if avg, ok := v.state.Averages[n.Hotkey]; ok {
			s.Scores[n.UID] = Score{Hotkey: n.Hotkey, Last: avg.Last, Average: avg.Value, Rounds: avg.Rounds}
		}
	}
	return s
}

// observe registers the process's metrics and returns what takes them back.
func (n *node) observe(stats func() Stats) (done func(), err error) {
	if n.common.Metrics == nil {
		return func() {}, nil
	}
	c := collector{stats: stats, labels: prometheus.Labels{
		"netuid": strconv.Itoa(int(n.common.Netuid)), "hotkey": n.common.Mesh.Hotkey(),
	}}
	if err := n.common.Metrics.Register(c); err != nil {
		return nil, err
	}
	return func() { n.common.Metrics.Unregister(c) }, nil
}

// collector turns Stats into metrics when they are asked for.
type collector struct {
	stats  func() Stats
	labels prometheus.Labels
}

// metrics are all but the scores.
var metrics = []struct {
	kind       prometheus.ValueType
	name, help string
	value      func(s Stats) float64
}{
	{prometheus.GaugeValue, "height", "Last block seen.", func(s Stats) float64 { return float64(s.Height) }},
	{prometheus.GaugeValue, "epoch", "Number of the next epoch.", func(s Stats) float64 { return float64(s.Epoch) }},
	{prometheus.GaugeValue, "permit", "1 while the neuron holds a permit.", func(s Stats) float64 {
		if s.Permit {
			return 1
		}
		return 0
	}},
	{prometheus.GaugeValue, "difficulties", "Operations that fail now.", func(s Stats) float64 { return float64(len(s.Difficulty)) }},
	{prometheus.CounterValue, "jobs_total", "Requests answered or sent.", func(s Stats) float64 { return float64(s.Jobs) }},
	{prometheus.CounterValue, "rounds_total", "Rounds that counted.", func(s Stats) float64 { return float64(s.Rounds) }},
	{prometheus.CounterValue, "rounds_failed_total", "Rounds that failed.", func(s Stats) float64 { return float64(s.Failed) }},
	{prometheus.CounterValue, "weights_sent_total", "Commits or sets on chain.", func(s Stats) float64 { return float64(s.Sent) }},
	{prometheus.CounterValue, "weights_revealed_total", "Reveals on chain.", func(s Stats) float64 { return float64(s.Revealed) }},
	{prometheus.CounterValue, "mesh_bytes_in_total", "Bytes received over the mesh.", func(s Stats) float64 { return float64(s.Mesh.BytesIn) }},
	{prometheus.CounterValue, "mesh_bytes_out_total", "Bytes sent over the mesh.", func(s Stats) float64 { return float64(s.Mesh.BytesOut) }},
}

func (c collector) desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lode_subnet_"+name, help, labels, c.labels)
}

func (c collector) score() *prometheus.Desc {
	return c.desc("score", "Moving average of a miner's score.", "uid")
}

// Describe sends what Collect's metrics are.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range metrics {
		ch <- c.desc(m.name, m.help)
	}
	ch <- c.score()
}

// Collect sends the metrics of now.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	for _, m := range metrics {
		ch <- prometheus.MustNewConstMetric(c.desc(m.name, m.help), m.kind, m.value(s))
	}
	for uid, score := range s.Scores {
		ch <- prometheus.MustNewConstMetric(c.score(), prometheus.GaugeValue, score.Average, strconv.Itoa(int(uid)))
	}
}
