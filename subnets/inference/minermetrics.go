package inference

import "github.com/prometheus/client_golang/prometheus"

// minerMetrics are all that is told of a miner's work: numbers, and nothing by caller.
var minerMetrics = []struct {
	kind       prometheus.ValueType
	name, help string
	value      func(s MinerStats) float64
}{
	{prometheus.CounterValue, "answered_total", "Requests answered to their end.", func(s MinerStats) float64 { return float64(s.Answered) }},
	{prometheus.CounterValue, "failed_total", "Requests accepted and not answered.", func(s MinerStats) float64 { return float64(s.Failed) }},
	{prometheus.CounterValue, "left_total", "Requests whose callers left before the end.", func(s MinerStats) float64 { return float64(s.Left) }},
	{prometheus.CounterValue, "refused_total", "Requests not accepted.", func(s MinerStats) float64 { return float64(s.Refused) }},
	{prometheus.GaugeValue, "open", "Requests that are worked on or wait.", func(s MinerStats) float64 { return float64(s.Open) }},
	{prometheus.CounterValue, "tokens_in_total", "Tokens of prompts.", func(s MinerStats) float64 { return float64(s.TokensIn) }},
	{prometheus.CounterValue, "tokens_out_total", "Tokens of answers.", func(s MinerStats) float64 { return float64(s.TokensOut) }},
	{prometheus.CounterValue, "units_total", "Units charged, or what would have been.", func(s MinerStats) float64 { return float64(s.Units) }},
}

// Metrics turns [Miner.Stats] into metrics when they are asked for; labels tell miners of
// one process apart.
func (m *Miner) Metrics(labels prometheus.Labels) prometheus.Collector {
	return minerCollector{m, labels}
}

type minerCollector struct {
	m      *Miner
	labels prometheus.Labels
}

func (c minerCollector) desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("lode_inference_miner_"+name, help, nil, c.labels)
}

// Describe sends what Collect's metrics are.
func (c minerCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range minerMetrics {
		ch <- c.desc(m.name, m.help)
	}
}

// Collect sends the metrics of now.
func (c minerCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.m.Stats()
	for _, m := range minerMetrics {
		ch <- prometheus.MustNewConstMetric(c.desc(m.name, m.help), m.kind, m.value(s))
	}
}
