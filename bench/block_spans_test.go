package bench_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sys/unix"
)

// spans is how long parts of a block took: the SDK marks them for tracing
// ("endBlock", "EndBlock.emission", "Commit"), and this is the tracer. So a block's
// parts are measured inside a real FinalizeBlock.
type spans struct {
	embedded.TracerProvider
	mu   sync.Mutex
	last map[string]took
}

// took is how long something took: by the clock, and of it on a processor. On a busy
// machine the second says what the work is, where the goroutine keeps its thread.
type took struct{ wall, cpu time.Duration }

// timed is the process' tracer, from the first benchmark on that asks for it: others run
// without.
var timed = sync.OnceValue(func() *spans {
	s := &spans{last: map[string]took{}}
	otel.SetTracerProvider(s)
	return s
})

// of is how long a part took when it ran last.
func (s *spans) of(name string) took {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[name]
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{spans: s} }

type tracer struct {
	embedded.Tracer
	spans *spans
}

func (t tracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, span{spans: t.spans, name: name, begin: time.Now(), used: threadTime()}
}

type span struct {
	noop.Span
	spans *spans
	name  string
	begin time.Time
	used  time.Duration
}

func (s span) End(...trace.SpanEndOption) {
	t := took{time.Since(s.begin), threadTime() - s.used}
	s.spans.mu.Lock()
	defer s.spans.mu.Unlock()
	s.spans.last[s.name] = t
}

// threadTime is how long this thread has run.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // Linux has it
	}
	return time.Duration(t.Nano())
}

// samples are times of one part of blocks.
type samples []took

func (s *samples) add(t took) { *s = append(*s, t) }

// report reports the least and the middle time by the clock, and the middle one on a
// processor.
func (s samples) report(b *testing.B, of string) {
	slices.SortFunc(s, func(a, b took) int { return cmp.Compare(a.cpu, b.cpu) })
	b.ReportMetric(ms(s[len(s)/2].cpu), "cpu-ms/"+of)
	slices.SortFunc(s, func(a, b took) int { return cmp.Compare(a.wall, b.wall) })
	b.ReportMetric(ms(s[0].wall), "min-ms/"+of)
	b.ReportMetric(ms(s[len(s)/2].wall), "median-ms/"+of)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }
