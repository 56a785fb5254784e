package subnet_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cosmos/btcutil/bech32"

	"github.com/lodenet/lode/subnet"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	chainID  = "lode-test-1"
	netuid   = 1
	blockFor = time.Second
)

// address is a hotkey's, a different one for each name.
func address(name string) string {
	sum := sha256.Sum256([]byte(name))
	a, err := bech32.EncodeFromBase256("lode", sum[:20])
	if err != nil {
		panic(err)
	}
	return a
}

// fakeChain keeps to the rules of x/weights and x/subnets in memory. Blocks come when
// the test asks for them, and what breaks a rule is remembered.
type fakeChain struct {
	mu        sync.Mutex
	hp        subnet.Hyperparameters
	params    json.RawMessage
	subnetID  uint64
	started   bool
	height    int64
	epoch     uint64 // the next run
	nextEpoch int64
	neurons   []*fakeNeuron
	pending   []*fakeTx
	watchers  []*watcher

	down        bool // nobody reaches it
	losesWords  bool // what is sent is done, and its sender never hears of it
	refusesAll  bool
	refused     []string
	registered  map[string]uint64 // hotkey → limit it gave
	commitsMade int
}

type fakeNeuron struct {
	subnet.Neuron
	stakes    bool // gets a permit in the next epoch
	row       *fakeRow
	commits   []subnet.Commit
	lastTry   int64 // of weights or a commit
	lastServe int64
	serves    int
	reveals   []uint64 // epochs in which it revealed
	committed []int64  // heights at which it committed
}

type fakeRow struct {
	subnet.Weights
	height int64
}

type fakeTx struct {
	name string
	from string
	do   func(c *fakeChain) error
	done chan error
}

type watcher struct {
	missed subnet.Block
	wake   chan struct{}
}

func newChain(hp subnet.Hyperparameters) *fakeChain {
	if hp.Tempo == 0 {
		hp.Tempo = 10
	}
	if hp.WeightsRateLimit == 0 {
		hp.WeightsRateLimit = 5
	}
	if hp.RevealPeriod == 0 {
		hp.RevealPeriod = 1
	}
	if hp.MaxWeightLimit == 0 {
		hp.MaxWeightLimit = 65_535
	}
	if hp.MinAllowedWeights == 0 {
		hp.MinAllowedWeights = 1
	}
	return &fakeChain{hp: hp, subnetID: 7, started: true, height: 100, epoch: 1, nextEpoch: 100 + hp.Tempo, registered: map[string]uint64{}}
}

// add registers a hotkey.
func (c *fakeChain) add(name string, stakes bool) *fakeNeuron {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &fakeNeuron{Neuron: subnet.Neuron{UID: uint16(len(c.neurons)), Hotkey: address(name), RegisteredAt: c.height}, stakes: stakes}
	c.neurons = append(c.neurons, n)
	c.changed()
	return n
}

// replace gives a uid to another hotkey.
func (c *fakeChain) replace(uid uint16, name string, stakes bool) *fakeNeuron {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &fakeNeuron{Neuron: subnet.Neuron{UID: uid, Hotkey: address(name), RegisteredAt: c.height}, stakes: stakes}
	c.neurons[uid] = n
	c.changed()
	return n
}

func (c *fakeChain) set(f func(c *fakeChain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
	c.changed()
}

func (c *fakeChain) read(f func(c *fakeChain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}

func (c *fakeChain) of(hotkey string) *fakeNeuron {
	for _, n := range c.neurons {
		if n.Hotkey == hotkey {
			return n
		}
	}
	return nil
}

// changed tells watchers that something is new with the next block.
func (c *fakeChain) changed() {
	for _, w := range c.watchers {
		w.missed.Changed = true
	}
}

// mine makes blocks, a second apart, and lets everybody finish with each.
func (c *fakeChain) mine(t *testing.T, blocks int) {
	t.Helper()
	for range blocks {
		<-time.After(blockFor)
		c.step()
		synctest.Wait()
	}
}

func (c *fakeChain) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.height++
	pending := c.pending
	c.pending = nil
	for _, tx := range pending {
		err := tx.do(c)
		if err != nil {
			c.refused = append(c.refused, fmt.Sprintf("block %d: %s: %v", c.height, tx.name, err))
		}
		tx.done <- err
	}
	if c.started && c.height >= c.nextEpoch {
		for _, n := range c.neurons {
			n.Permit = n.stakes
			n.commits = slices.DeleteFunc(n.commits, func(o subnet.Commit) bool { return o.Reveal <= c.epoch })
		}
		c.epoch++
		c.nextEpoch = c.height + c.hp.Tempo
		c.changed()
	}
	if c.down {
		return
	}
	for _, w := range c.watchers {
		w.missed.Height = c.height
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

var errDown = fmt.Errorf("%w: nobody answers", subnet.ErrUnavailable)

// view is the chain as one hotkey sees it.
type view struct {
	*fakeChain
	hotkey string
}

var _ subnet.Chain = view{}

func (v view) Metagraph(ctx context.Context, n uint16) (*subnet.Metagraph, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return nil, errDown
	}
	if n != netuid {
		return nil, fmt.Errorf("there is no subnet %d", n)
	}
	m := &subnet.Metagraph{
		ChainID: chainID, Netuid: n, SubnetID: v.subnetID, Name: "numbers", Height: v.height,
		Epoch: v.epoch, NextEpoch: v.nextEpoch, Started: v.started, Hyperparameters: v.hp, Parameters: v.params,
	}
	for _, f := range v.neurons {
		m.Neurons = append(m.Neurons, f.Neuron)
	}
	return m, nil
}

func (v view) Commits(context.Context, uint16) (subnet.Commits, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return subnet.Commits{}, errDown
	}
	n := v.of(v.hotkey)
	if n == nil {
		return subnet.Commits{}, subnet.ErrNotRegistered
	}
	next := v.height + 1
	if n.lastTry > 0 {
		next = max(next, n.lastTry+v.hp.WeightsRateLimit)
	}
	return subnet.Commits{Open: slices.Clone(n.commits), NextHeight: next}, nil
}

func (v view) Blocks(ctx context.Context, _ uint16) <-chan subnet.Block {
	w := &watcher{wake: make(chan struct{}, 1)}
	v.mu.Lock()
	v.watchers = append(v.watchers, w)
	w.missed = subnet.Block{Height: v.height, Changed: true}
	if !v.down {
		w.wake <- struct{}{}
	}
	v.mu.Unlock()
	out := make(chan subnet.Block)
	go func() {
		defer close(out)
		for {
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			}
			v.mu.Lock()
			b := w.missed
			w.missed = subnet.Block{}
			v.mu.Unlock()
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// send puts a transaction into the next block and waits for it.
func (v view) send(ctx context.Context, name string, do func(c *fakeChain, n *fakeNeuron) error) error {
	v.mu.Lock()
	if v.down {
		v.mu.Unlock()
		return errDown
	}
	tx := &fakeTx{name: name, from: v.hotkey, done: make(chan error, 1)}
	tx.do = func(c *fakeChain) error {
		if c.refusesAll {
			return errors.New("refused as the test wants it")
		}
		n := c.of(v.hotkey)
		if n == nil && name != "register" {
			return subnet.ErrNotRegistered
		}
		return do(c, n)
	}
	v.pending = append(v.pending, tx)
	silent := v.losesWords
	v.mu.Unlock()
	select {
	case err := <-tx.done:
		if silent {
			return errDown
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v view) Register(ctx context.Context, _ uint16, maxBurn uint64) error {
	return v.send(ctx, "register", func(c *fakeChain, n *fakeNeuron) error {
		if n != nil {
			return errors.New("already registered")
		}
		if maxBurn < 1000 {
			return fmt.Errorf("the burn is 1000 rao, the limit %d", maxBurn)
		}
		c.registered[v.hotkey] = maxBurn
		c.neurons = append(c.neurons, &fakeNeuron{Neuron: subnet.Neuron{UID: uint16(len(c.neurons)), Hotkey: v.hotkey, RegisteredAt: c.height}})
		c.changed()
		return nil
	})
}

func (v view) Serve(ctx context.Context, _ uint16, s subnet.Serving) error {
	return v.send(ctx, "serve", func(c *fakeChain, n *fakeNeuron) error {
		if n.lastServe > 0 && c.height < n.lastServe+3 {
			return fmt.Errorf("serve_rate_limit: the last was in block %d", n.lastServe)
		}
		n.lastServe = c.height
		n.serves++
		n.Endpoints, n.Protocol, n.ProtocolVersion = s.Endpoints, s.Protocol, s.Version
		c.changed()
		return nil
	})
}

func (c *fakeChain) mayWeigh(n *fakeNeuron) error {
	if !n.Permit {
		return errors.New("no permit")
	}
	if n.lastTry > 0 && c.height < n.lastTry+c.hp.WeightsRateLimit {
		return fmt.Errorf("too soon: the last was in block %d, the limit is %d blocks", n.lastTry, c.hp.WeightsRateLimit)
	}
	n.lastTry = c.height // also where it fails
	return nil
}

func (c *fakeChain) checkRow(n *fakeNeuron, w subnet.Weights) error {
	sum := 0
	for i, uid := range w.UIDs {
		if int(uid) >= len(c.neurons) || i > 0 && uid <= w.UIDs[i-1] {
			return fmt.Errorf("uids %v", w.UIDs)
		}
		if uid == n.UID {
			return errors.New("a weight for itself")
		}
		sum += int(w.Values[i])
	}
	if len(w.UIDs) < c.hp.MinAllowedWeights || len(w.UIDs) != len(w.Values) {
		return fmt.Errorf("%d entries", len(w.UIDs))
	}
	if w.Version != c.hp.WeightsVersion {
		return subnet.ErrOldVersion
	}
	for _, value := range w.Values {
		if int(value)*65_535 > int(c.hp.MaxWeightLimit)*sum {
			return fmt.Errorf("a weight of %d of %d is above the limit %d", value, sum, c.hp.MaxWeightLimit)
		}
	}
	return nil
}

func (v view) SetWeights(ctx context.Context, _ uint16, w subnet.Weights) error {
	return v.send(ctx, "set weights", func(c *fakeChain, n *fakeNeuron) error {
		if c.hp.CommitReveal {
			return errors.New("commit–reveal is on")
		}
		if err := errors.Join(c.mayWeigh(n), c.checkRow(n, w)); err != nil {
			return err
		}
		n.row = &fakeRow{w, c.height}
		n.committed = append(n.committed, c.height)
		return nil
	})
}

func (v view) CommitWeights(ctx context.Context, _ uint16, hash [32]byte) error {
	return v.send(ctx, "commit", func(c *fakeChain, n *fakeNeuron) error {
		if !c.hp.CommitReveal {
			return errors.New("commit–reveal is off")
		}
		if err := c.mayWeigh(n); err != nil {
			return err
		}
		if len(n.commits) >= 10 || slices.ContainsFunc(n.commits, func(o subnet.Commit) bool { return o.Hash == hash }) {
			return fmt.Errorf("%d commits are open", len(n.commits))
		}
		n.commits = append(n.commits, subnet.Commit{Hash: hash, Epoch: c.epoch, Reveal: c.epoch + c.hp.RevealPeriod, Height: c.height})
		n.committed = append(n.committed, c.height)
		c.commitsMade++
		return nil
	})
}

func (v view) RevealWeights(ctx context.Context, _ uint16, w subnet.Weights, salt [32]byte) error {
	return v.send(ctx, "reveal", func(c *fakeChain, n *fakeNeuron) error {
		_, raw, err := bech32.DecodeToBase256(v.hotkey)
		if err != nil {
			return err
		}
		hash := weightstypes.WeightsHash(chainID, netuid, raw, w.Version, w.UIDs, w.Values, salt[:])
		at := slices.IndexFunc(n.commits, func(o subnet.Commit) bool { return o.Hash == hash })
		if at < 0 {
			return errors.New("no such commit")
		}
		if n.commits[at].Reveal != c.epoch {
			return fmt.Errorf("revealed in epoch %d, it belongs into %d", c.epoch, n.commits[at].Reveal)
		}
		if err := c.checkRow(n, w); err != nil {
			return err
		}
		n.row = &fakeRow{w, n.commits[at].Height}
		n.commits = slices.Delete(n.commits, at, at+1)
		n.reveals = append(n.reveals, c.epoch)
		return nil
	})
}

// row is a validator's row in force, by uid.
func (c *fakeChain) row(name string) map[uint16]uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of(address(name))
	if n == nil || n.row == nil {
		return nil
	}
	out := map[uint16]uint16{}
	for i, uid := range n.row.UIDs {
		out[uid] = n.row.Values[i]
	}
	return out
}

// kept fails the test if a transaction broke a rule.
func (c *fakeChain) kept(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.refused {
		t.Errorf("the chain refused: %s", r)
	}
}

func sameRow(got map[uint16]uint16, want map[uint16]uint16) bool { return maps.Equal(got, want) }
