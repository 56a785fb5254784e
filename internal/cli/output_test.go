package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
)

func TestAnotherReleasesDataIsNotCalledDamaged(t *testing.T) {
	for code, err := range map[string]error{
		"too_new":        errors.Join(app.ErrTooNew, errors.New("the state can't be loaded: version of store roster mismatch")),
		"upgrade_needed": fmt.Errorf("block 7: %w: failed to unmarshal", app.ErrUpgradeNeeded),
		"data_damaged":   errors.New("leveldb: corrupted"),
		"error":          errors.New("odd"),
	} {
		if got, _ := explain(damaged("home", err)); got != code {
			t.Errorf("%v: code %s, want %s", err, got, code)
		}
	}
}

func TestWhoInterruptsASentTransactionIsToldItsHash(t *testing.T) {
	var b bytes.Buffer
	err := fmt.Errorf("%w: ABCD was sent and may be committed until block 7: %w", client.ErrTxUnknown, context.Canceled)
	if code := report(&b, err, false); code != exitFailed || !strings.Contains(b.String(), "ABCD") {
		t.Errorf("exit status %d: %s", code, b.String())
	}
	b.Reset()
	if code := report(&b, fmt.Errorf("asking: %w", context.Canceled), false); code != exitInterrupted || b.String() != "error: interrupted\n" {
		t.Errorf("exit status %d: %s", code, b.String())
	}
}

func TestEveryCodeIsDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, k := range known {
		codes = append(codes, k.code)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	written := regexp.MustCompile(`\bfail\("([a-z_]+)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range written.FindAllStringSubmatch(string(source), -1) {
			codes = append(codes, found[1])
		}
	}
	if len(codes) < 2*len(known) {
		t.Fatalf("only %d codes were found in %v", len(codes), files)
	}
	for _, code := range codes {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/json.md does not know %s", code)
		}
	}
}

func TestErrorsKeepTheirCodeHoweverTheyAreWrapped(t *testing.T) {
	for name, c := range map[string]struct {
		err        error
		code, hint string
		exit       int
	}{
		"own":        {fmt.Errorf("more: %w", fail("some_code", "do this", "it is so")), "some_code", "do this", exitFailed},
		"usage":      {fail(codeUsage, "see", "wrong"), "usage", "see", exitUsage},
		"localnet":   {fmt.Errorf("%w: /x", localnet.ErrNoNetwork), "no_network", "", exitFailed},
		"client":     {&client.FundsError{Address: "lode1x", HasRao: 1, Tx: &client.TxError{}}, "insufficient_funds", "send TAO to the account first; on a local network: lode faucet ADDRESS", exitFailed},
		"canceled":   {fmt.Errorf("ask: %w", context.Canceled), "interrupted", "", exitInterrupted},
		"anything":   {errors.New("odd"), "error", "", exitFailed},
		"interrupts": {fmt.Errorf("%w (%w)", client.ErrUnavailable, context.Canceled), "interrupted", "", exitInterrupted},
	} {
		t.Run(name, func(t *testing.T) {
			code, hint := explain(c.err)
			if code != c.code || hint != c.hint {
				t.Errorf("code %q hint %q, want %q %q", code, hint, c.code, c.hint)
			}
			var b bytes.Buffer
			if exit := report(&b, c.err, false); exit != c.exit {
				t.Errorf("exit code %d, want %d", exit, c.exit)
			}
		})
	}
}

func TestAnErrorForProgramsIsOneLineOfJSON(t *testing.T) {
	var b bytes.Buffer
	report(&b, fail("x", "use <y> & \"z\"", "line one\nline two"), true)
	want := `{"error":{"code":"x","message":"line one\nline two","hint":"use <y> & \"z\""}}` + "\n"
	if b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
}

func TestColumnsAreAlignedByCharactersNotBytes(t *testing.T) {
	c := newColumns(">n", "name", ">x")
	c.add("1", "größe…", "–")
	c.add("100", "a", "2.5")
	var b strings.Builder
	c.write(&b)
	want := "  n  name      x\n  1  größe…    –\n100  a       2.5\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestATradeBeyondItsLimitIsRefusedBeforeItIsSent(t *testing.T) {
	trade := client.Trade{Netuid: 1, Given: 100e9, Received: 90e9, Fee: 1e7, Worst: 95e9, Before: "1", After: "1.21", LimitPrice: 1.05e9}
	v, err := newTradeJSON(trade, true)
	if err != nil {
		t.Fatal(err)
	}
	if v.Impact < 0.2099 || v.Impact > 0.2101 || v.Average < 1.111 || v.Average > 1.112 {
		t.Errorf("impact %v, average %v", v.Impact, v.Average)
	}
	f := &tradeFlags{tolerance: "5%"}
	err = v.check(f)
	if code, hint := explain(err); code != "beyond_limit" || !strings.Contains(hint, "--tolerance 21.1%") {
		t.Errorf("code %q, hint %q, error %v", code, hint, err)
	}
	for partial, want := range map[bool]string{false: "with --partial a part of it is traded", true: "then a part is traded, or nothing"} {
		var b strings.Builder
		if v.write(&b, partial); !strings.Contains(b.String(), want) {
			t.Errorf("--partial=%v: %s", partial, b.String())
		}
	}
	v.WithinLimit = true
	var b strings.Builder
	if v.write(&b, true); strings.Contains(b.String(), "at least") {
		t.Errorf("with --partial nothing is certain: %s", b.String())
	}
	v.WithinLimit = false
	f.partial = true
	if err := v.check(f); err != nil {
		t.Errorf("with --partial it is up to the chain: %v", err)
	}
}

func TestPercentages(t *testing.T) {
	for s, want := range map[string]float64{"5": 0.05, "5%": 0.05, "0.5%": 0.005, "0": 0, "100": 1} {
		if got, err := parsePercent(s, "it", 100); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "%", "-1", "101", "five", "NaN", "Inf", "5%%"} {
		if got, err := parsePercent(s, "it", 100); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

func TestPromptsReadLinesWhereThereIsNoTerminal(t *testing.T) {
	ask := newTerminal(strings.NewReader("one\r\ntwo\n\nlast"), new(bytes.Buffer))
	for _, want := range []string{"one", "two", "", "last"} {
		if got, err := ask.ask(t.Context(), "?", true); err != nil || got != want {
			t.Errorf("got %q %v, want %q", got, err, want)
		}
	}
	if _, err := ask.ask(t.Context(), "?", false); !errors.Is(err, errNoAnswer) {
		t.Errorf("at the end: %v", err)
	}
}
