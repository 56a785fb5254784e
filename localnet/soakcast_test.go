package localnet_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// soakJob is the subnets' name in protocols. The work costs nothing: who answers is as
// good as everybody.
const soakJob = "soak"

func newKey(t *testing.T) *wallet.Signer {
	t.Helper()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	k, err := wallet.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// blocks waits for so many blocks; false: ctx ended before.
func (s *soak) blocks(ctx context.Context, many int) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var until int64
	for r := range s.n.Reports(ctx) {
		if until == 0 {
			until = r.Height + int64(many)
		}
		if r.Height >= until {
			return true
		}
	}
	return false
}

// mine comes and goes: half of the times in order, half of them so that its host is
// gone while it still works.
func (s *soak) mine(ctx context.Context, m *localnet.Member, netuid uint16, who uint64) error {
	random := newRand(who)
	work := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	for ctx.Err() == nil {
		life, end := context.WithCancel(ctx)
		hostLife, endHost := context.WithCancel(ctx)
		common, err := m.Common(hostLife, netuid, soakJob)
		if err == nil {
			done := make(chan error, 1)
			go func() { done <- subnet.RunMiner(life, subnet.MinerConfig{Common: common, Miner: work}) }()
			s.blocks(ctx, 20+random.IntN(60))
			abrupt := random.IntN(2) == 0
			if abrupt {
				endHost()
				s.blocks(ctx, 3)
			}
			end()
			err = <-done
			if abrupt {
				s.note("a miner vanished", err)
			} else {
				s.note("a miner came and went", err)
			}
		} else if ctx.Err() == nil {
			s.note("a miner's host began", err)
		}
		end()
		endHost()
		s.blocks(ctx, 1+random.IntN(10))
	}
	return nil
}

// judge measures the miners, restarts now and then, and serves customers.
func (s *soak) judge(ctx context.Context, m *localnet.Member, netuid uint16) error {
	random := newRand(1000 + uint64(netuid))
	dir := s.t.TempDir()
	for ctx.Err() == nil {
		life, end := context.WithCancel(ctx)
		common, err := m.Common(life, netuid, soakJob)
		if err != nil {
			end()
			if ctx.Err() == nil {
				s.note("a judge's host began", err)
				s.blocks(ctx, 3)
			}
			continue
		}
		common.Limits = mesh.HandlerOptions{Open: true}
		done := make(chan error, 1)
		go func() {
			done <- subnet.RunValidator(life, subnet.ValidatorConfig{
				Common: common, Validator: subnet.ValidatorFunc(s.round), StateFile: filepath.Join(dir, "state.json"),
				Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "at your service") }),
			})
		}()
		s.blocks(ctx, 100+random.IntN(100))
		end()
		s.note("a judge restarted", <-done)
	}
	return nil
}

// round asks every miner once.
func (s *soak) round(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
	scores := subnet.Scores{}
	for _, m := range n.Miners() {
		scores[m.UID] = 0
		call, cancel := context.WithTimeout(ctx, 5*time.Second)
		if body, err := get(call, n.Client(), n.URL(m, "/job")); err == nil && body == "done" {
			scores[m.UID] = 1
		}
		cancel()
	}
	s.note("a round was judged", nil)
	return scores, nil
}

func get(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return string(body), err
}

// customers call the gateway of a subnet's validator, each from a host of its own, and
// are gone: some without waiting for the answer.
func (s *soak) customers(ctx context.Context, netuid uint16, who uint64) error {
	random := newRand(2000 + who)
	for s.blocks(ctx, 2+random.IntN(5)) {
		meta, err := s.n.Client().Metagraph(ctx, uint32(netuid))
		if err != nil {
			continue
		}
		for _, neuron := range meta.Neurons {
			if neuron.Hotkey != s.judges[who] || len(neuron.Endpoints) == 0 {
				continue
			}
			err := s.call(ctx, neuron.Hotkey, neuron.Endpoints, netuid, random.IntN(5) == 0)
			if errors.Is(err, errVanished) {
				s.note("a customer vanished", nil)
			} else {
				s.note("a customer was answered", err)
			}
		}
	}
	return nil
}

var errVanished = errors.New("the customer did not wait")

func (s *soak) call(ctx context.Context, hotkey string, endpoints []string, netuid uint16, vanish bool) error {
	host, err := mesh.New(ctx, mesh.Config{PrivKey: newKey(s.t).PrivKey()})
	if err != nil {
		return err
	}
	defer host.Close() //nolint:errcheck // it may vanish
	if err := host.AddPeer(hotkey, endpoints...); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if vanish {
		time.AfterFunc(2*time.Millisecond, cancel)
	}
	body, err := get(call, host.Client(), fmt.Sprintf("http://%s/subnet/%d/", hotkey, netuid))
	switch {
	case vanish && err != nil:
		return errVanished
	case err == nil && body != "at your service":
		return fmt.Errorf("the gateway said %q", body)
	}
	return err
}

// strangers register in a subnet, one after the other and again: with its uids taken,
// each pushes out who earned least. They are a score of keys, so that the chain's state
// does not grow by them.
func (s *soak) strangers(ctx context.Context, netuid uint16, who uint64) error {
	random := newRand(3000 + who)
	cold := newKey(s.t)
	if _, err := s.n.Client().Transfer(ctx, s.faucet, cold.Address(), 1_000*localnet.TAO); err != nil {
		return ended(ctx, err)
	}
	var hot []*wallet.Signer
	for range 20 {
		hot = append(hot, newKey(s.t))
	}
	for i := 0; s.blocks(ctx, 5+random.IntN(10)); i++ {
		k := hot[i%len(hot)]
		_, err := s.n.Client().Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: uint32(netuid), Hotkey: k.Address()})
		if err == nil {
			continue // it is there still
		}
		if i >= len(hot) && errors.Is(err, client.ErrNotFound) {
			s.note("a stranger had been pushed out", nil)
		}
		_, err = s.n.Client().SendBound(ctx, cold, k, &subnetstypes.MsgRegister{
			Coldkey: cold.Address(), Hotkey: k.Address(), Netuid: uint32(netuid), MaxBurn: 5 * localnet.TAO,
		})
		s.noteTx(ctx, "a stranger registered", err)
	}
	return nil
}

// trade stakes, unstakes and sends.
func (s *soak) trade(ctx context.Context, user int) error {
	random := newRand(4000 + uint64(user))
	me := s.users[user]
	for s.blocks(ctx, 1+random.IntN(4)) {
		at := random.IntN(len(s.judges))
		netuid, hotkey := uint32(s.netuids[at]), s.judges[at]
		switch random.IntN(3) {
		case 0:
			_, err := s.n.Client().Send(ctx, []*wallet.Signer{me}, &alphatypes.MsgStake{
				Coldkey: me.Address(), Hotkey: hotkey, Netuid: netuid, Tao: localnet.TAO * uint64(1+random.IntN(5)), LimitPrice: 1_000 * localnet.TAO,
			})
			s.noteTx(ctx, "a user staked", err)
		case 1:
			_, err := s.n.Client().Send(ctx, []*wallet.Signer{me}, &alphatypes.MsgUnstake{
				Coldkey: me.Address(), Hotkey: hotkey, Netuid: netuid, Alpha: 1_000 * localnet.TAO * uint64(1+random.IntN(3)), LimitPrice: 1,
			})
			s.noteTx(ctx, "a user unstaked", err)
		default:
			to := s.users[(user+1)%len(s.users)]
			_, err := s.n.Client().Transfer(ctx, me, to.Address(), localnet.TAO)
			s.noteTx(ctx, "a user sent", err)
		}
	}
	return nil
}

// noteTx counts a transaction, unless the soak ended meanwhile.
func (s *soak) noteTx(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.note(what, err)
	}
}

// ended is err, or nil where it is that the soak ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
