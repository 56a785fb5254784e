package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/lodenet/lode/localnet"
)

// BenchmarkUp measures `lode up --fresh` as somebody at a keyboard meets it: from the
// start of the program to its first block, to a network that is up, and to the first
// miner's pay. An operation is a start; LODE_BENCH_UNTIL=block ends it at the first
// block, LODE_BENCH_LODE names a program that was built before.
func BenchmarkUp(b *testing.B) {
	program := os.Getenv("LODE_BENCH_LODE")
	if program == "" {
		program = filepath.Join(b.TempDir(), "lode")
		if out, err := exec.Command("go", "build", "-o", program, "github.com/lodenet/lode/cmd/lode").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	var blocks, paid []float64
	b.ResetTimer()
	for b.Loop() {
		block, pay, err := up(b.Context(), program, filepath.Join(b.TempDir(), "home"), os.Getenv("LODE_BENCH_UNTIL") != "block")
		if err != nil {
			b.Fatal(err)
		}
		blocks, paid = append(blocks, block), append(paid, pay)
		b.Logf("first block after %.2f s, first pay after %.2f s", block, pay)
	}
	b.ReportMetric(slices.Min(blocks), "s/block-min")
	b.ReportMetric(median(blocks), "s/block-median")
	b.ReportMetric(slices.Min(paid), "s/paid-min")
	b.ReportMetric(median(paid), "s/paid-median")
}

// up starts a network, and returns how many seconds later it had a block and had paid
// a miner.
func up(ctx context.Context, program, home string, untilPaid bool) (block, paid float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "up", "--fresh", "--home", home)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var said bytes.Buffer
	cmd.Stderr = &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for block == 0 || untilPaid && paid == 0 {
		select {
		case err := <-ended:
			return 0, 0, fmt.Errorf("the network ended: %w\n%s", errors.Join(err, context.Cause(ctx)), said.Bytes())
		case <-tick.C:
		}
		r, ok := reportOf(ctx, home)
		if !ok {
			continue
		}
		now := time.Since(start).Seconds()
		if block == 0 && r.Height > 0 {
			block = now
		}
		if paid == 0 && r.FirstPaidSeconds != nil {
			paid = now
		}
	}
	cancel()
	<-ended // SIGTERM is its normal end
	return block, paid, nil
}

// reportOf asks a network for its report; there is none before it runs.
func reportOf(ctx context.Context, home string) (r localnet.Report, ok bool) {
	info, err := localnet.ReadInfo(home)
	if err != nil || info.PID == 0 {
		return r, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, info.Endpoints.Status, nil)
	if err != nil {
		return r, false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, false
	}
	defer res.Body.Close()
	return r, json.NewDecoder(res.Body).Decode(&r) == nil
}
