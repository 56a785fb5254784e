package subnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
)

func get(t *testing.T, from *fakeHost, url string) (int, string) {
	t.Helper()
	resp, err := from.Client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestAMinerRegistersOnceAndPublishesWhereItIs(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		p := startMiner(t, c, n, "miner", 1, func(cfg *subnet.MinerConfig) { cfg.Register, cfg.MaxBurn = true, 5000 })
		c.mine(t, 10)
		c.read(func(c *fakeChain) {
			m := c.of(address("miner"))
			if m == nil || c.registered[m.Hotkey] != 5000 {
				t.Fatal("not registered with its limit")
			}
			if m.Protocol != "numbers/miner" || m.ProtocolVersion != "1" || !slices.Equal(m.Endpoints, p.host.Endpoints()) || m.serves != 1 {
				t.Errorf("published %+v, %d times", m.Neuron, m.serves)
			}
		})
		c.kept(t)
	})
}

func TestWhoIsNotRegisteredIsToldSo(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		base, _ := common(c, n.host("miner"))
		err := subnet.RunMiner(t.Context(), subnet.MinerConfig{Common: base, Miner: http.NotFoundHandler()})
		if !errors.Is(err, subnet.ErrNotRegistered) || !strings.Contains(err.Error(), address("miner")) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestARegistrationThatIsRefusedEndsTheProcess(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		base, _ := common(c, n.host("miner"))
		base.Register, base.MaxBurn = true, 10
		done := make(chan error, 1)
		go func() {
			done <- subnet.RunMiner(t.Context(), subnet.MinerConfig{Common: base, Miner: http.NotFoundHandler()})
		}()
		synctest.Wait()
		c.mine(t, 2)
		if err := <-done; err == nil || !strings.Contains(err.Error(), "the burn is 1000 rao, the limit 10") {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestASubnetThatIsNotThereEndsTheProcess(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		base, _ := common(c, n.host("miner"))
		base.Netuid = 9
		if err := subnet.RunMiner(t.Context(), subnet.MinerConfig{Common: base, Miner: http.NotFoundHandler()}); err == nil || !strings.Contains(err.Error(), "no subnet 9") {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestAProcessThatStartsBeforeItsChainWaits(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.down = true
		p := startMiner(t, c, n, "miner", 1, func(cfg *subnet.MinerConfig) { cfg.Register, cfg.MaxBurn = true, 5000 })
		c.mine(t, 100)
		if s := p.stats(); s.Difficulty["read the metagraph"] == "" || s.UID != nil {
			t.Errorf("stats %+v", s)
		}
		if n := p.log.count("level=WARN"); n != 1 {
			t.Errorf("warned %d times:\n%s", n, p.log)
		}
		c.set(func(c *fakeChain) { c.down = false })
		c.mine(t, 6)
		if s := p.stats(); s.UID == nil || len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.kept(t)
	})
}

func TestARegistrationWhoseAnswerWasLostIsNotPaidTwice(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.losesWords = true
		p := startMiner(t, c, n, "miner", 1, func(cfg *subnet.MinerConfig) { cfg.Register, cfg.MaxBurn = true, 5000 })
		c.mine(t, 3)
		c.set(func(c *fakeChain) { c.losesWords = false })
		c.mine(t, 5)
		if s := p.stats(); s.UID == nil || len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.read(func(c *fakeChain) {
			if len(c.neurons) != 1 {
				t.Errorf("%d neurons", len(c.neurons))
			}
		})
		c.kept(t)
	})
}

func TestOnlyNeuronsReachAMiner(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		c.add("neuron", false)
		p := startMiner(t, c, n, "miner", 0, func(cfg *subnet.MinerConfig) {
			cfg.Miner = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				caller, _ := mesh.Caller(r.Context())
				fmt.Fprint(w, r.URL.Path, " for ", caller)
			})
		})
		c.mine(t, 2)
		url := "http://" + p.host.hotkey + "/subnet/1/job"
		hosts := map[string]*fakeHost{}
		for _, name := range []string{"neuron", "stranger"} {
			hosts[name] = n.host(name)
			if err := hosts[name].AddPeer(p.host.hotkey, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if status, text := get(t, hosts["neuron"], url); status != 200 || text != "/job for "+address("neuron") {
			t.Errorf("a neuron gets %d, %s", status, text)
		}
		if status, text := get(t, hosts["stranger"], url); status != 403 || !strings.Contains(text, "no neuron of subnet 1") {
			t.Errorf("a stranger gets %d, %s", status, text)
		}
		if s := p.stats(); s.Jobs != 1 {
			t.Errorf("%d jobs, want the neuron's", s.Jobs)
		}
		// It registers, and calls before the miner has seen the block.
		c.add("stranger", false)
		<-time.After(2 * time.Second)
		if status, _ := get(t, hosts["stranger"], url); status != 200 {
			t.Errorf("who has just registered gets %d", status)
		}
	})
}

func TestStrangersCannotMakeAMinerAskTheChainAgainAndAgain(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		counting := &countingChain{}
		p := startMiner(t, c, n, "miner", 0, func(cfg *subnet.MinerConfig) {
			counting.Chain = cfg.Chain
			cfg.Chain = counting
		})
		c.mine(t, 5)
		stranger := n.host("stranger")
		if err := stranger.AddPeer(p.host.hotkey, "x"); err != nil {
			t.Fatal(err)
		}
		before := counting.reads
		for range 1000 {
			if status, _ := get(t, stranger, "http://"+p.host.hotkey+"/subnet/1/job"); status != 403 {
				t.Fatalf("status %d", status)
			}
		}
		if got := counting.reads - before; got > 1 {
			t.Errorf("1000 strangers in a second made %d reads", got)
		}
	})
}

// countingChain counts reads of the metagraph.
type countingChain struct {
	subnet.Chain
	reads int
}

func (c *countingChain) Metagraph(ctx context.Context, n uint16) (*subnet.Metagraph, error) {
	c.reads++
	return c.Chain.Metagraph(ctx, n)
}

func TestTheMetagraphIsReadWhenItChangesAndNotEachBlock(t *testing.T) {
	bubble(t, subnet.Hyperparameters{Tempo: 50, CommitReveal: true}, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		counting := &countingChain{}
		p := startMiner(t, c, n, "miner", 0, func(cfg *subnet.MinerConfig) {
			counting.Chain = cfg.Chain
			cfg.Chain = counting
		})
		c.mine(t, 5)
		before := counting.reads
		c.mine(t, 40)
		if got := counting.reads - before; got > 1 {
			t.Errorf("%d reads in 40 blocks without a change", got)
		}
		if s := p.stats(); s.Height != 145 {
			t.Errorf("height %d, want 145: it follows the blocks all the same", s.Height)
		}
		c.add("somebody", false)
		before = counting.reads
		c.mine(t, 1)
		if got := counting.reads - before; got != 1 {
			t.Errorf("%d reads in a block with a change", got)
		}
	})
}

func TestANeuronThatMovesSaysSoWithinItsLimit(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		m := c.add("miner", false)
		p := startMiner(t, c, n, "miner", 1)
		c.mine(t, 10)
		p.host.moves("/memory/b", "/memory/a")
		c.mine(t, 4)
		p.host.moves("/memory/a", "/memory/b") // the same, in another order
		c.mine(t, 10)
		c.read(func(*fakeChain) {
			if !slices.Equal(m.Endpoints, []string{"/memory/b", "/memory/a"}) || m.serves != 2 {
				t.Errorf("published %v, %d times", m.Endpoints, m.serves)
			}
		})
		p.host.moves() // nothing to publish
		c.mine(t, 5)
		c.read(func(*fakeChain) {
			if m.serves != 2 {
				t.Errorf("published %v", m.Endpoints)
			}
		})
		c.kept(t)
	})
}

func TestAnEndpointThatIsRefusedIsTriedAgainLessAndLess(t *testing.T) {
	bubble(t, subnet.Hyperparameters{Tempo: 1000, CommitReveal: true}, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		c.refusesAll = true
		p := startMiner(t, c, n, "miner", 1)
		c.mine(t, 200)
		c.set(func(c *fakeChain) {
			if len(c.refused) < 5 || len(c.refused) > 12 {
				t.Errorf("tried %d times in 200 blocks", len(c.refused))
			}
			c.refused, c.refusesAll = nil, false
		})
		if s := p.stats(); s.Difficulty["publish its endpoint"] == "" {
			t.Errorf("stats %+v", s)
		}
		c.mine(t, 70)
		if s := p.stats(); len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.kept(t)
	})
}

func TestANeuronWhoseEndpointIsRubbishDoesNotDisturbTheOthers(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("liar", false).Endpoints = []string{"rubbish"}
		c.add("miner", false)
		c.neurons[1].Protocol = "numbers/miner"
		startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 35)
		if got := c.row("validator"); !sameRow(got, map[uint16]uint16{2: 65_535}) {
			t.Errorf("row %v", got)
		}
		if n := p.log.count("neuron can't be called"); n != 1 {
			t.Errorf("warned %d times:\n%s", n, p.log)
		}
		c.kept(t)
	})
}

func TestAPrunedNeuronWaitsUntilItIsRegisteredAgain(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		p := startMiner(t, c, n, "miner", 1, func(cfg *subnet.MinerConfig) { cfg.Register, cfg.MaxBurn = true, 5000 })
		c.mine(t, 5)
		c.replace(0, "newcomer", false)
		c.mine(t, 10)
		if s := p.stats(); s.UID != nil || !strings.Contains(s.Difficulty["find its own uid"], "pruned") {
			t.Errorf("stats %+v", s)
		}
		c.read(func(c *fakeChain) {
			if len(c.registered) != 0 {
				t.Error("it paid a second registration that nobody asked for")
			}
		})
		c.add("miner", false)
		c.mine(t, 4)
		c.read(func(c *fakeChain) {
			if got := c.of(address("miner")); got.Protocol != "numbers/miner" {
				t.Errorf("registered again it publishes %+v", got.Neuron)
			}
		})
		if s := p.stats(); s.UID == nil || len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.kept(t)
	})
}

func TestABlockStreamThatEndsEndsTheProcess(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		base, _ := common(c, n.host("miner"))
		base.Chain = endingChain{base.Chain}
		if err := subnet.RunMiner(t.Context(), subnet.MinerConfig{Common: base, Miner: http.NotFoundHandler()}); err == nil || !strings.Contains(err.Error(), "block stream ended") {
			t.Errorf("ended with %v", err)
		}
	})
}

type endingChain struct{ subnet.Chain }

func (endingChain) Blocks(context.Context, uint16) <-chan subnet.Block {
	ended := make(chan subnet.Block)
	close(ended)
	return ended
}

func TestTwoSubnetsShareAHost(t *testing.T) {
	host := newNet().host("miner")
	chain := newChain(withReveal)
	base, _ := common(chain, host)
	for _, cfg := range []subnet.Common{base, base} {
		if _, err := subnet.NewMinerNode(subnet.MinerConfig{Common: cfg, Miner: http.NotFoundHandler()}); err != nil {
			t.Fatal(err)
		}
	}
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("miner", false)
		p := startMiner(t, c, n, "miner", 1)
		second, _ := common(c, p.host)
		if err := subnet.RunMiner(t.Context(), subnet.MinerConfig{Common: second, Miner: http.NotFoundHandler()}); err == nil {
			t.Error("the same subnet twice on one host")
		}
	})
}

func TestAConfigurationThatLacksSomethingSaysWhat(t *testing.T) {
	base, _ := common(newChain(withReveal), newNet().host("x"))
	v := subnet.ValidatorFunc(numbers)
	for name, c := range map[string]struct {
		spoil func(*subnet.ValidatorConfig)
		says  string
	}{
		"no chain":      {func(c *subnet.ValidatorConfig) { c.Chain = nil }, "Chain"},
		"no mesh":       {func(c *subnet.ValidatorConfig) { c.Mesh = nil }, "Mesh"},
		"no netuid":     {func(c *subnet.ValidatorConfig) { c.Netuid = 0 }, "Netuid"},
		"no name":       {func(c *subnet.ValidatorConfig) { c.Name = "" }, "Name"},
		"no validator":  {func(c *subnet.ValidatorConfig) { c.Validator = nil }, "Validator"},
		"no state":      {func(c *subnet.ValidatorConfig) { c.StateFile = "" }, "StateFile"},
		"no smoothness": {func(c *subnet.ValidatorConfig) { c.Smoothing = 1.1 }, "1.1"},
		"not a number":  {func(c *subnet.ValidatorConfig) { c.Smoothing = -1 }, "-1"},
	} {
		cfg := subnet.ValidatorConfig{Common: base, Validator: v, StateFile: "x"}
		c.spoil(&cfg)
		if _, err := subnet.NewValidatorNode(cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
		if err := subnet.RunValidator(t.Context(), cfg); err == nil {
			t.Errorf("%s: it ran", name)
		}
	}
	if _, err := subnet.NewMinerNode(subnet.MinerConfig{Common: base}); err == nil || !strings.Contains(err.Error(), "Miner") {
		t.Errorf("no miner: %v", err)
	}
}
