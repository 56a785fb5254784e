package subnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cosmos/btcutil/bech32"
	"golang.org/x/sync/errgroup"

	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// ValidatorNode is a validator's process. Make it with [NewValidatorNode], run it once.
type ValidatorNode struct {
	*node
	cfg    ValidatorConfig
	client *http.Client
	jobs   atomic.Uint64 // requests sent in rounds

	mu     sync.Mutex // guards what follows
	state  *state     // nil until the first metagraph
	rounds uint64
	failed uint64
	reveal uint64 // reveals that were committed
	sent   uint64 // commits or sets that were

	// Only the block loop touches these.
	warned     map[[32]byte]bool // open commits that can't be revealed, told once
	retryAt    int64             // block before which a failed transaction isn't tried again
	retryWait  int64             // blocks
	roundCalls chan struct{}     // holds one token while a block awaits a round
}

// NewValidatorNode checks the configuration; nothing happens before Run.
func NewValidatorNode(cfg ValidatorConfig) (*ValidatorNode, error) {
	n, err := newNode(cfg.Common)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Validator == nil:
		return nil, errors.New("subnet: validator config without Validator")
	case cfg.StateFile == "":
		return nil, errors.New("subnet: validator config without StateFile: commits must survive a restart")
	case cfg.Smoothing < 0 || cfg.Smoothing > 1:
		return nil, fmt.Errorf("subnet: smoothing %v is not in (0, 1]", cfg.Smoothing)
	}
	if cfg.Smoothing == 0 {
		cfg.Smoothing = 0.3
	}
	if cfg.RoundTimeout <= 0 {
		cfg.RoundTimeout = 10 * time.Minute
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	v := &ValidatorNode{node: n, cfg: cfg, warned: map[[32]byte]bool{}, roundCalls: make(chan struct{}, 1)}
	client := *cfg.Mesh.Client()
	client.Transport = countingTransport{next: client.Transport, jobs: &v.jobs}
	v.client = &client
	return v, nil
}

// Run measures and sets weights until ctx ends. It returns nil then, or the reason why
// it could not start.
func (v *ValidatorNode) Run(ctx context.Context) error {
	if v.cfg.Handler != nil {
		if err := v.mount(v.cfg.Handler, validatorProtocol(v.cfg.Name)); err != nil {
			return err
		}
		defer v.unmount()
	}
	done, err := v.observe(v.Stats)
	if err != nil {
		return err
	}
	defer done()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(v.roundCalls)
		return v.follow(ctx, func(ctx context.Context) error {
			if err := v.load(); err != nil {
				return err
			}
			select {
			case v.roundCalls <- struct{}{}:
			default: // a round is under way, or about to begin
			}
			v.weigh(ctx)
			return nil
		})
	})
	g.Go(func() error { return v.measure(ctx) })
	return g.Wait()
}

// load reads the state file once the chain has said what it must belong to.
func (v *ValidatorNode) load() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	meta := v.meta.Load()
	if v.state != nil && v.state.SubnetID == meta.SubnetID {
		return nil
	}
	st, aside, why, err := loadState(v.cfg.StateFile, meta.ChainID, meta.SubnetID, v.cfg.Mesh.Hotkey())
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	if why != nil {
		v.log.Error("the state file can't be used and was kept under another name; averages start anew, commits that it held can't be revealed",
			"file", v.cfg.StateFile, "kept_as", aside, "err", why)
	}
	v.state = st
	return nil
}

// measure runs rounds, one at a time, each after a new block.
func (v *ValidatorNode) measure(ctx context.Context) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil
		}
		select {
		case _, ok := <-v.roundCalls:
			if !ok {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
		pause.Reset(v.cfg.RoundPause)
		v.round(ctx)
	}
}

func (v *ValidatorNode) round(ctx context.Context) {
	meta := v.meta.Load()
	net := NewNetwork(v.cfg.Name, meta, v.cfg.Mesh.Hotkey(), v.client, v.cfg.Rand, v.log)
	miners := net.Miners()
	if len(miners) == 0 {
		return // nobody to measure yet
	}
	ctx, cancel := context.WithTimeout(ctx, v.cfg.RoundTimeout)
	defer cancel()
	scores, err := v.callRound(ctx, net)
	if err == nil {
		err = scores.check(meta)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the process is ending; a round cut short says nothing
	}
	v.outages.note("measure a round", err)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.failed++
		return
	}
	v.rounds++
	v.state.Averages.add(meta, miners, scores, v.cfg.Smoothing)
	v.outages.note("write the state file", v.state.save(v.cfg.StateFile))
}

// callRound keeps an author's panic from ending the process.
func (v *ValidatorNode) callRound(ctx context.Context, net *Network) (scores Scores, err error) {
	defer func() {
		if p := recover(); p != nil {
			v.log.Debug("round panicked", "stack", string(debug.Stack()))
			err = fmt.Errorf("the round panicked: %v", p)
		}
	}()
	return v.cfg.Validator.Round(ctx, net)
}

// weigh reveals what is due and sends weights when it is time to.
func (v *ValidatorNode) weigh(ctx context.Context) {
	meta := v.meta.Load()
	self, ok := meta.ByHotkey(v.cfg.Mesh.Hotkey())
	if !ok || !self.Permit || !meta.Started || meta.Height < v.retryAt {
		return
	}
	queryCtx, cancel := context.WithTimeout(ctx, queryTimeout)
	commits, err := v.cfg.Chain.Commits(queryCtx, v.cfg.Netuid)
	cancel()
	v.outages.note("read its commits", err)
	if err != nil {
		return
	}
	err = errors.Join(v.revealAll(ctx, meta, commits), v.send(ctx, meta, self, commits))
	if err != nil {
		// Blocks, not seconds; and never so many that the epoch passes meanwhile.
		v.retryWait = min(max(1, 2*v.retryWait), max(1, meta.Hyperparameters.Tempo/8))
		v.retryAt = meta.Height + v.retryWait
		return
	}
	v.retryWait = 0
}

func (v *ValidatorNode) revealAll(ctx context.Context, meta *Metagraph, commits Commits) error {
	var errs error
	for _, c := range commits.Open {
		now, late := revealDue(c, meta)
		v.mu.Lock()
		opens := v.state.commit(c.Hash)
		v.mu.Unlock()
		switch {
		case (late || now && opens == nil) && !v.warned[c.Hash]:
			v.warned[c.Hash] = true
			v.log.Error("a commit can't be revealed and will expire", "epoch", c.Epoch, "block", c.Height,
				"late", late, "salt_known", opens != nil)
			continue
		case !now || opens == nil:
			continue
		}
		txCtx, cancel := context.WithTimeout(ctx, txTimeout)
		err := v.cfg.Chain.RevealWeights(txCtx, v.cfg.Netuid, opens.Weights, [32]byte(opens.Salt))
		cancel()
		v.outages.note("reveal weights", err)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		v.mu.Lock()
		v.reveal++
		v.mu.Unlock()
		v.log.Info("weights revealed", "commit_epoch", c.Epoch)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state.forget(commits.Open, meta.Epoch, meta.Hyperparameters.RevealPeriod) {
		v.outages.note("write the state file", v.state.save(v.cfg.StateFile))
	}
	return errs
}

// send commits to the averages of now, or sets them where commit–reveal is off.
func (v *ValidatorNode) send(ctx context.Context, meta *Metagraph, self Neuron, commits Commits) error {
	v.mu.Lock()
	last := v.state.LastEpoch
	scores := v.state.Averages.byUID(meta)
	v.mu.Unlock()
	if !sendDue(meta, commits, last) {
		return nil
	}
	hp := meta.Hyperparameters
	if v.cfg.WeightsVersion < hp.WeightsVersion {
		v.outages.note("send weights", fmt.Errorf("%w: this one is %d, the subnet's is %d; update it", ErrOldVersion, v.cfg.WeightsVersion, hp.WeightsVersion))
		return nil
	}
	// A newer validator still judges as the subnet asks: the row says so.
	w, err := MakeWeights(scores, self.UID, len(meta.Neurons), hp, hp.WeightsVersion)
	if err != nil {
		if !errors.Is(err, ErrNothingToWeigh) {
			v.outages.note("send weights", err)
		}
		return nil // a later round may cure it; no transaction was tried
	}
	txCtx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	if hp.CommitReveal {
		err = v.commit(txCtx, meta, w)
	} else {
		err = v.cfg.Chain.SetWeights(txCtx, v.cfg.Netuid, w)
	}
	v.outages.note("send weights", err)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sent++
	epoch := meta.Epoch
	v.state.LastEpoch = &epoch
	v.log.Info("weights sent", "epoch", meta.Epoch, "miners", len(w.UIDs), "committed", hp.CommitReveal)
	v.outages.note("write the state file", v.state.save(v.cfg.StateFile))
	return nil
}

// commit writes down what opens the commit before anyone hears of it.
func (v *ValidatorNode) commit(ctx context.Context, meta *Metagraph, w Weights) error {
	var salt [32]byte
	if _, err := io.ReadFull(v.cfg.Rand, salt[:]); err != nil {
		return fmt.Errorf("draw a salt: %w", err)
	}
	_, hotkey, err := bech32.DecodeToBase256(v.cfg.Mesh.Hotkey())
	if err != nil {
		return fmt.Errorf("hotkey %s is no address: %w", v.cfg.Mesh.Hotkey(), err)
	}
	hash := weightstypes.WeightsHash(meta.ChainID, v.cfg.Netuid, hotkey, w.Version, w.UIDs, w.Values, salt[:])
	v.mu.Lock()
	v.state.Commits = append(v.state.Commits, &opened{Hash: hash[:], Salt: salt[:], Weights: w, Epoch: meta.Epoch})
	err = v.state.save(v.cfg.StateFile)
	v.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write the state file, without which nothing is committed: %w", err)
	}
	return v.cfg.Chain.CommitWeights(ctx, v.cfg.Netuid, hash)
}

// countingTransport counts requests.
type countingTransport struct {
	next http.RoundTripper
	jobs *atomic.Uint64
}

func (t countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.jobs.Add(1)
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r)
}
