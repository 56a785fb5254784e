package app

import "github.com/prometheus/client_golang/prometheus"

// metricsNamespace begins the name of each of the chain's own metrics.
const metricsNamespace = Name

// durations are the bounds of what takes between half a millisecond and eight
// seconds.
var durations = prometheus.ExponentialBuckets(0.0005, 2, 15)

func histograms(m *Metrics, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return counted(m, prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: metricsNamespace, Name: name, Help: help, Buckets: buckets}, labels))
}

func histogram(m *Metrics, name, help string, buckets []float64) prometheus.Histogram {
	return counted(m, prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: metricsNamespace, Name: name, Help: help, Buckets: buckets}))
}

func counters(m *Metrics, name, help string, labels ...string) *prometheus.CounterVec {
	return counted(m, prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: metricsNamespace, Name: name, Help: help}, labels))
}

func counter(m *Metrics, name, help string) prometheus.Counter {
	return counted(m, prometheus.NewCounter(prometheus.CounterOpts{Namespace: metricsNamespace, Name: name, Help: help}))
}

func gauge(m *Metrics, name, help string) prometheus.Gauge {
	return counted(m, prometheus.NewGauge(prometheus.GaugeOpts{Namespace: metricsNamespace, Name: name, Help: help}))
}

func counted[C prometheus.Collector](m *Metrics, c C) C {
	m.counted = append(m.counted, c)
	return c
}
