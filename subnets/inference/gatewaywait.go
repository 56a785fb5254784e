package inference

import (
	"context"
	"sync"
	"time"

	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// patience ends a call of which nothing comes for a while. The time that a deposit takes on
// chain is not the miner's.
type patience struct {
	now   func() time.Time
	timer *time.Timer

	mu         sync.Mutex
	wait       time.Duration
	depositing int // deposits that are under way
	since      time.Time
	spent      time.Duration // by deposits
}

// newPatience calls end when nothing has come for so long.
func newPatience(now func() time.Time, wait time.Duration, end func(time.Duration)) *patience {
	p := &patience{now: now, wait: wait}
	p.timer = time.AfterFunc(wait, func() {
		p.mu.Lock()
		d, held := p.wait, p.depositing > 0
		p.mu.Unlock()
		if !held {
			end(d)
		}
	})
	return p
}

// came notes that something has come, and how long the next may take.
func (p *patience) came(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wait = wait; p.depositing == 0 {
		p.timer.Reset(wait)
	}
}

func (p *patience) stop() { p.timer.Stop() }

// deposited is how much time deposits took so far.
func (p *patience) deposited() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}

// hold waits for a deposit until done.
func (p *patience) hold() (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.depositing++; p.depositing == 1 {
		p.timer.Stop()
		p.since = p.now()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.depositing--; p.depositing == 0 {
			p.spent += p.now().Sub(p.since)
			p.timer.Reset(p.wait)
		}
	}
}

type patienceKey struct{}

// noDeposit is what went wrong with a deposit: no miner is to blame. It matches
// [pay.ErrNoDeposit].
type noDeposit struct{ error }

func (e noDeposit) Error() string        { return "the chain took no deposit: " + e.error.Error() }
func (e noDeposit) Unwrap() error        { return e.error }
func (e noDeposit) Is(target error) bool { return target == pay.ErrNoDeposit }

// PatientChain is a payer's chain for gateways: while a call's deposit is on its way to the
// chain, the miner is not held to be slow, nor to have failed where the chain refuses it.
// Use it as [pay.ClientConfig].Chain.
func PatientChain(c pay.PayerChain) pay.PayerChain { return patientChain{c} }

type patientChain struct{ pay.PayerChain }

func (c patientChain) Deposit(ctx context.Context, msg markettypes.MsgDeposit) (pay.Deposited, error) {
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok {
		defer p.hold()()
	}
	d, err := c.PayerChain.Deposit(ctx, msg)
	if err != nil {
		err = noDeposit{err}
	}
	return d, err
}
