package localnet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/wallet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const (
	soakBlock   = 200 * time.Millisecond // what the chain aims at; a slow machine takes longer
	soakSubnets = 8                      // each runs an epoch every ten blocks, the shortest tempo
	soakWorking = 3                      // of them have miners and validators; in the others only strangers come and go
	soakSamples = 60
	soakUsers   = 4
)

// TestSoakThousandsOfEpochsWithComingsAndGoingsLeaveNothingBehind runs a network for
// thousands of epochs: miners come and go in order and in none, strangers push each
// other out of their uids, users trade, customers call gateways and vanish. What the
// process holds must not grow: memory, goroutines, files and connections.
//
// LODE_SOAK_EPOCHS is how many epochs, 3,000 by default; LODE_SOAK_OUT a folder for the
// table, a picture, and profiles of the heap after the first third and at the end: what
// grew in between, `go tool pprof -base` says.
func TestSoakThousandsOfEpochsWithComingsAndGoingsLeaveNothingBehind(t *testing.T) {
	if os.Getenv("LODE_LONG") == "" {
		t.Skip("takes 20 minutes: make test-long runs it")
	}
	target := uint64(3000)
	if s := os.Getenv("LODE_SOAK_EPOCHS"); s != "" {
		var err error
		if target, err = strconv.ParseUint(s, 10, 32); err != nil || target < soakSamples {
			t.Fatalf("LODE_SOAK_EPOCHS is %q, must be a number of at least %d", s, soakSamples)
		}
	}
	if out := os.Getenv("LODE_SOAK_OUT"); out != "" {
		if err := os.MkdirAll(out, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	smallCaches(t, home)
	n := localnettest.Start(t, localnet.Config{Home: home, ChainOnly: true, BlockTime: soakBlock})
	s := newSoak(t, n)
	s.settle()

	ctx, cancel := context.WithCancel(t.Context())
	g, ctx := errgroup.WithContext(ctx)
	s.live(ctx, g)
	samples := s.watch(ctx, home, target)
	cancel()
	if err := g.Wait(); err != nil {
		t.Errorf("somebody did not end well: %v", err)
	}
	if out := os.Getenv("LODE_SOAK_OUT"); out != "" {
		writeSoak(t, out, samples)
	}
	t.Log("\n" + table(samples))
	s.checkHappened(target)
	s.checkFlat(samples)
}

// smallCaches gives the node of a home caches of the state that are full soon: a cache
// that still fills can't be told from a leak.
func smallCaches(t *testing.T, home string) {
	t.Helper()
	n, err := localnet.New(localnet.Config{Home: home, ChainOnly: true, BlockTime: soakBlock})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "node", "config", "app.toml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := regexp.MustCompile(`(?m)^iavl-cache-size = \d+$`)
	if !size.Match(raw) {
		t.Fatalf("%s has no iavl-cache-size", path)
	}
	if err := os.WriteFile(path, size.ReplaceAll(raw, []byte("iavl-cache-size = 1000")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// soak is a network under a soak.
type soak struct {
	t       *testing.T
	n       *localnet.Network
	netuids []uint16
	faucet  *wallet.Signer
	users   []*wallet.Signer
	judges  []string // hotkeys of the working subnets' validators

	mu    sync.Mutex
	count map[string]int
	errs  map[string]string // the last of each kind
}

func newSoak(t *testing.T, n *localnet.Network) *soak {
	faucet, err := n.Wallet().Signer(localnet.FaucetKey)
	if err != nil {
		t.Fatal(err)
	}
	return &soak{t: t, n: n, faucet: faucet, count: map[string]int{}, errs: map[string]string{}}
}

// note counts something that was tried. What fails is told at the end: pruned neurons,
// callers that vanish and trades against a price limit are part of the play.
func (s *soak) note(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.errs[what] = err.Error()
		what += " (failed)"
	}
	s.count[what]++
}

// settle creates the subnets and hires who stays.
func (s *soak) settle() {
	s.t.Helper()
	for i := range soakSubnets {
		owner := fmt.Sprintf("owner-of-%d", i)
		netuid, err := s.n.CreateSubnet(s.t.Context(), owner, fmt.Sprintf("soak%d", i), "")
		if err != nil {
			s.t.Fatal(err)
		}
		s.netuids = append(s.netuids, netuid)
		m, err := s.n.Hire(s.t.Context(), owner, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		// As few uids as there can be, and hardly anybody safe: whoever comes pushes out
		// another.
		for name, value := range map[string]uint64{"max_uids": 16, "immunity_period": 21, "min_burn": 500_000, "burn_half_life": 10} {
			if _, err := s.n.Client().Send(s.t.Context(), []*wallet.Signer{m.Cold}, &subnetstypes.MsgSetHyperparameter{
				Signer: m.Cold.Address(), Netuid: uint32(netuid), Name: name, Value: value,
			}); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	for range soakUsers {
		u := newKey(s.t)
		if _, err := s.n.Client().Transfer(s.t.Context(), s.faucet, u.Address(), 5_000*localnet.TAO); err != nil {
			s.t.Fatal(err)
		}
		s.users = append(s.users, u)
	}
}

// live starts everybody; they end with ctx.
func (s *soak) live(ctx context.Context, g *errgroup.Group) {
	for i, netuid := range s.netuids[:soakWorking] {
		judge, err := s.n.Hire(ctx, fmt.Sprintf("judge-%d", i), 500*localnet.TAO)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := judge.Stake(ctx, netuid, 200*localnet.TAO); err != nil {
			s.t.Fatal(err)
		}
		s.judges = append(s.judges, judge.Hot.Address())
		g.Go(func() error { return s.judge(ctx, judge, netuid) })
		for j := range 3 {
			miner, err := s.n.Hire(ctx, fmt.Sprintf("miner-%d-%d", i, j), 200*localnet.TAO)
			if err != nil {
				s.t.Fatal(err)
			}
			g.Go(func() error { return s.mine(ctx, miner, netuid, uint64(3*i+j)) })
		}
		g.Go(func() error { return s.customers(ctx, netuid, uint64(i)) })
	}
	for i, netuid := range s.netuids {
		g.Go(func() error { return s.strangers(ctx, netuid, uint64(i)) })
	}
	for i := range s.users {
		g.Go(func() error { return s.trade(ctx, i) })
	}
}

// watch takes samples until so many epochs have run.
func (s *soak) watch(ctx context.Context, home string, target uint64) (samples []sample) {
	s.t.Helper()
	began, next := time.Now(), uint64(0)
	for r := range s.n.Reports(ctx) {
		epochs := uint64(0)
		for _, sub := range r.Subnets {
			epochs += sub.Epochs
		}
		if epochs < next {
			continue
		}
		one, err := takeSample(home)
		if err != nil {
			s.t.Error(err)
			return samples
		}
		one.after, one.epochs, one.height = time.Since(began), epochs, r.Height
		samples = append(samples, one)
		if len(samples) == soakSamples/3 || epochs >= target {
			s.profile(len(samples))
		}
		if len(samples)%10 == 1 {
			fmt.Printf("soak: %s, %d of %d epochs, block %d, %.1f MiB of heap, %.0f goroutines, %.0f files\n",
				one.after.Round(time.Second), epochs, target, r.Height, one.values[0], one.values[1], one.values[2])
		}
		if epochs >= target {
			return samples
		}
		next = epochs + target/soakSamples
	}
	s.t.Errorf("the network ended after %d samples", len(samples))
	return samples
}

// checkHappened asks that the play was one.
func (s *soak) checkHappened(target uint64) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, n := range s.count {
		s.t.Logf("%6d × %s%s", n, what, lastError(s.errs, what))
	}
	least := int(target / 100)
	for _, what := range []string{
		"a miner came and went", "a miner vanished", "a judge restarted", "a round was judged", "a stranger registered",
		"a customer was answered", "a user staked", "a user unstaked", "a user sent",
	} {
		if s.count[what] < max(1, least/10) {
			s.t.Errorf("%s only %d times in %d epochs", what, s.count[what], target)
		}
	}
	if pushed := "a stranger had been pushed out"; target >= 1000 && s.count[pushed] == 0 {
		s.t.Error("never: " + pushed)
	}
}

func lastError(errs map[string]string, what string) string {
	const failed = " (failed)"
	if len(what) > len(failed) && what[len(what)-len(failed):] == failed {
		return ", the last: " + errs[what[:len(what)-len(failed)]]
	}
	return ""
}

func (s *soak) checkFlat(samples []sample) {
	s.t.Helper()
	for i, g := range gauges {
		d, ok := flat(series(samples, i), g.slack)
		say := fmt.Sprintf("%-10s median %8.1f in the middle third, %8.1f in the last; slope %+7.1f over both; %6.1f %s would be growth", g.name, d.middle, d.last, d.slope, d.allowed, g.unit)
		switch {
		case g.grows:
			first, last := samples[0], samples[len(samples)-1]
			s.t.Logf("%-10s grows with the chain: from %.1f to %.1f %s in %d blocks", g.name, first.values[i], last.values[i], g.unit, last.height-first.height)
		case ok:
			s.t.Log(say)
		default:
			s.t.Error("grows: " + say)
		}
	}
}

// newRand is somebody's own, the same in every soak.
func newRand(who uint64) *rand.Rand { return rand.New(rand.NewPCG(who, 2026)) }
