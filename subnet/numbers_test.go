package subnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/subnet"
	"golang.org/x/sync/errgroup"
)

// guide:begin

// number is the miner of a toy subnet: it returns a number.
type number int

func (n number) ServeHTTP(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, int(n)) }

// judge is its validator: the larger a miner's number, the better its score.
func judge(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
	scores := subnet.Scores{}
	for _, m := range n.Miners() {
		v, err := ask(ctx, n, m)
		if err != nil {
			n.Logger().Info("no answer", "uid", m.UID, "err", err) // and no reward: v is 0
		}
		scores[m.UID] = max(0, v)
	}
	return scores, nil
}

func ask(ctx context.Context, n *subnet.Network, m subnet.Neuron) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL(m, "/number"), nil)
	if err != nil {
		return 0, err
	}
	resp, err := n.Client().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64)) // a miner may send anything
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

// runNumbers runs the subnet: one validator, a miner for each number.
func runNumbers(ctx context.Context, net *localnet.Network, netuid uint16, dir string, numbers ...int) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, v := range numbers {
		who, err := net.Hire(ctx, fmt.Sprintf("number-%d", i), 10*localnet.TAO)
		if err != nil {
			return err
		}
		common, err := who.Common(ctx, netuid, "numbers")
		if err != nil {
			return err
		}
		g.Go(func() error { return subnet.RunMiner(ctx, subnet.MinerConfig{Common: common, Miner: number(v)}) })
	}
	who, err := net.Hire(ctx, "judge", 100*localnet.TAO)
	if err != nil {
		return err
	}
	if err := who.Stake(ctx, netuid, 50*localnet.TAO); err != nil {
		return err
	}
	common, err := who.Common(ctx, netuid, "numbers")
	if err != nil {
		return err
	}
	g.Go(func() error {
		return subnet.RunValidator(ctx, subnet.ValidatorConfig{
			Common: common, Validator: subnet.ValidatorFunc(judge), StateFile: filepath.Join(dir, "judge.json"),
		})
	})
	return g.Wait()
}

// guide:end

func TestAToySubnetPaysItsMinersByTheirNumbers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	net := localnettest.Start(t, localnet.Config{ChainOnly: true})
	netuid, err := net.CreateSubnet(ctx, "owner", "numbers", "{}")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- runNumbers(ctx, net, netuid, t.TempDir(), 1, 3) }()
	incentive := map[string]float64{}
	for r := range net.Reports(ctx) {
		for _, s := range r.Subnets {
			for _, n := range s.Neurons {
				if n.Role == localnet.RoleMiner && n.EmissionAlpha > 0 {
					incentive[net.Names()[n.Hotkey]] = n.Incentive
				}
			}
		}
		if incentive["number-0-hot"] > 0 && incentive["number-1-hot"] > 0 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	one, three := incentive["number-0-hot"], incentive["number-1-hot"]
	if one <= 0 || three/one < 2.9 || three/one > 3.1 {
		t.Fatalf("incentives %v: the miner of 3 must earn three times what the miner of 1 does", incentive)
	}
}

// TestTheGuideShowsThisCode keeps docs/write-a-subnet.md equal to what runs here.
func TestTheGuideShowsThisCode(t *testing.T) {
	source, err := os.ReadFile("numbers_test.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../docs/write-a-subnet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(source), "// guide:begin\n")
	code, _, ends := strings.Cut(rest, "// guide:end")
	if !begins || !ends {
		t.Fatal("this file has no marks around the guide's code")
	}
	code = strings.TrimSpace(code)
	if lines := strings.Count(code, "\n"); lines >= 100 {
		t.Errorf("the toy subnet has %d lines, must stay under 100", lines)
	}
	if !strings.Contains(string(guide), "```go\n"+code+"\n```") {
		t.Error("docs/write-a-subnet.md does not show the code of this file: copy it there")
	}
}
