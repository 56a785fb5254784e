package indexer

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// modules are the addresses of modules' accounts.
var modules = func() map[string]bool {
	all := map[string]bool{}
	for _, name := range []string{
		authtypes.FeeCollectorName, distrtypes.ModuleName, stakingtypes.BondedPoolName, stakingtypes.NotBondedPoolName,
		stakingtypes.KeyRotationFeePoolName, govtypes.ModuleName, alphatypes.ModuleName, collateraltypes.ModuleName,
		emissiontypes.ModuleName, markettypes.ModuleName,
	} {
		all[authtypes.NewModuleAddress(name).String()] = true
	}
	return all
}()

// Places in a block that are no transaction's.
const (
	atBegin = -1
	atEnd   = 1_000_000
)

// current is the block that is being read.
type current struct {
	height  int64
	time    time.Time
	nanos   int64
	idx     int64 // of the transaction, or atBegin, atEnd
	n       int64 // counts rows of a kind that has no other order
	label   string
	changed []*account
	touched map[uint64]bool // accounts, in the transaction
	// Trades tell no account: sales come after the stake that they sell, purchases
	// before the stake or registration that they make.
	removed *stakeChange
	bought  *trade
}

type stakeChange struct{ subnet, hotkey, coldkey uint64 }

type trade struct {
	subnet        uint64
	kind          string
	tao, alpha    uint64
	fee           uint64
	purchase      bool
	hotkey, owner uint64
}

// apply reads a block. After an error the state is good for nothing.
func (s *state) apply(c *decoder, r *client.Record) error {
	if err := s.follows(r); err != nil {
		return err
	}
	s.block = current{height: r.Height, time: r.Time.UTC(), nanos: r.Time.UnixNano(), idx: atBegin, touched: map[uint64]bool{}}
	b := &s.block
	s.rollDay()
	first := 0 // events of the end begin here
	for first < len(r.Events) && !end(&r.Events[first]) {
		first++
	}
	if err := s.events(r.Events[:first]); err != nil {
		return err
	}
	s.closeScope()
	s.decayBurns()
	if len(r.Results) != len(r.Txs) {
		return fmt.Errorf("%w: block %d has %d transactions and %d results", ErrMalformed, r.Height, len(r.Txs), len(r.Results))
	}
	count := 0
	for i, raw := range r.Txs {
		b.idx = int64(i)
		if isSeed(raw) {
			continue
		}
		count++
		tx := c.read(raw)
		b.label = tx.label()
		if err := s.events(r.Results[i].Events); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		s.addTx(tx, r.Results[i])
		s.closeScope()
	}
	b.idx = atEnd
	b.label = "chain"
	if err := s.events(r.Events[first:]); err != nil {
		return err
	}
	s.closeScope()
	s.batch.add(tBlocks, b.height, b.nanos, r.Hash, r.Proposer, int64(count))
	s.height, s.hash, s.time = r.Height, bytes.Clone(r.Hash), b.time
	s.noteSupply()
	return nil
}

// follows checks that a block is the next one.
func (s *state) follows(r *client.Record) error {
	want := s.height + 1
	if s.height == 0 {
		want = s.firstHeight
	}
	switch {
	case r.Height != want:
		return fmt.Errorf("%w: block %d came, and %d is the next", ErrForeign, r.Height, want)
	case len(r.Hash) != 32:
		return fmt.Errorf("%w: block %d has a hash of %d bytes", ErrMalformed, r.Height, len(r.Hash))
	case s.height > 0 && !bytes.Equal(r.Last, s.hash):
		return fmt.Errorf("%w: block %d follows the block %X, the index ends with %X", ErrForeign, r.Height, r.Last, s.hash)
	}
	if s.height == 0 {
		s.firstHash = bytes.Clone(r.Hash)
		s.rolled = r.Time.Unix() / 86400
	}
	return nil
}

// decayBurns lets prices of registrations fall by a block, as x/subnets does at each
// block's beginning.
func (s *state) decayBurns() {
	for _, n := range s.live {
		if n == nil || s.block.height == n.createdHeight {
			continue
		}
		n.setBurn(fixed.Pow2Neg(n.hyper.BurnHalfLife).MulUint64(n.burn))
		n.dirty = true
	}
}

func (n *subnet) setBurn(rao uint64) { n.burn = min(max(rao, n.hyper.MinBurn), n.hyper.MaxBurn) }

// closeScope writes what a transaction, or a part of the block, did to accounts.
func (s *state) closeScope() {
	b := &s.block
	if b.idx >= 0 && b.idx < atEnd {
		for _, a := range b.changed {
			if !a.module {
				b.touched[a.id] = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(b.touched)) {
			s.batch.add(tAccountTxs, int64(id), b.height, b.idx)
		}
	}
	for _, a := range b.changed {
		c := a.change
		a.change = nil
		if a.module || c.received == c.spent && c.fee == 0 && !c.traded {
			continue
		}
		if c.several {
			c.other = 0
		}
		label := b.label
		if c.label != "" {
			label = c.label
		}
		s.batch.add(tLedger, int64(a.id), b.height, b.idx, put(c.received), put(c.spent), put(c.fee), label, int64(c.other))
	}
	b.changed = b.changed[:0]
	clear(b.touched)
	b.removed, b.bought = nil, nil
}

// change is an account's in this scope.
func (s *state) change(a *account) *change {
	if a.change == nil {
		a.change = &change{}
		s.block.changed = append(s.block.changed, a)
	}
	return a.change
}

// subnet is one of an event, which must be known.
func (s *state) subnet(e *event) *subnet {
	id := e.number("subnet_id")
	n := s.subnets[id]
	if n == nil && e.err == nil {
		e.err = fmt.Errorf("%w: %s is of subnet id %d, which was never created", ErrMalformed, e.Type, id)
	}
	if n != nil {
		n.dirty = true
	}
	return n
}

func (s *state) events(list []abci.Event) error {
	for i := range list {
		e := event{Event: &list[i]}
		s.event(&e)
		if e.err != nil {
			return fmt.Errorf("block %d: %w", s.block.height, e.err)
		}
	}
	return nil
}

// event applies one. What it does not name changes nothing that is kept.
func (s *state) event(e *event) {
	switch e.Type {
	case "coin_spent":
		s.spent(e)
	case "coin_received":
		s.received(e)
	case "transfer":
		s.transfer(e)
	case "coinbase":
		s.bank = s.plus(e, s.bank, e.coins("amount"))
	case "burn":
		s.bank = s.less(e, s.bank, e.coins("amount"))
	case "tx":
		s.fee(e)
	case "complete_unbonding":
		s.labelOf(e.text2("delegator"), "unbonding")
	default:
		if len(e.Type) < 5 || e.Type[:5] != "lode." {
			return
		}
		if !s.alphaEvent(e) && !s.stakeEvent(e) && !s.subnetEvent(e) && !s.emissionEvent(e) {
			s.marketEvent(e)
		}
	}
}

// plus and less are sums that must hold: events that break them are wrong, or one is
// missing.
func (s *state) plus(e *event, a, b uint64) uint64 {
	if a+b < a {
		e.fail("amount", b)
	}
	return a + b
}

func (s *state) less(e *event, a, b uint64) uint64 {
	if b > a && e.err == nil {
		e.err = fmt.Errorf("%w: %s takes %d of %d", ErrMalformed, e.Type, b, a)
	}
	return a - b
}

// text2 is an attribute of the SDK's own events, which are not JSON.
func (e *event) text2(key string) string { return e.raw(key) }

func (s *state) spent(e *event) {
	rao := e.coins("amount")
	a := s.account(e.text2("spender"))
	if rao == 0 || e.err != nil {
		return
	}
	a.balance = s.less(e, a.balance, rao)
	s.touchAccount(a)
	if !a.module {
		c := s.change(a)
		c.spent = s.plus(e, c.spent, rao)
	}
}

func (s *state) received(e *event) {
	rao := e.coins("amount")
	a := s.account(e.text2("receiver"))
	if rao == 0 || e.err != nil {
		return
	}
	a.balance = s.plus(e, a.balance, rao)
	s.touchAccount(a)
	if !a.module {
		c := s.change(a)
		c.received = s.plus(e, c.received, rao)
	}
}

func (s *state) transfer(e *event) {
	rao := e.coins("amount")
	from, to := e.optional("sender"), e.text2("recipient")
	if rao == 0 || from == "" || e.err != nil {
		return
	}
	a, b := s.account(from), s.account(to)
	if !a.module {
		s.change(a).meet(b)
	}
	if !b.module {
		s.change(b).meet(a)
	}
	if a.module && b.module || a.module && s.block.idx == atEnd && b.module {
		return
	}
	s.batch.add(tTransfers, s.block.height, s.next(), s.block.idx, int64(a.id), int64(b.id), put(rao))
}

// meet notes who was on the other side.
func (c *change) meet(a *account) {
	switch {
	case a.module:
	case c.other == 0:
		c.other = a.id
	case c.other != a.id:
		c.several = true
	}
}

func (s *state) next() int64 {
	s.block.n++
	return s.block.n
}

// fee is what a transaction paid before it ran.
func (s *state) fee(e *event) {
	payer := e.optional("fee_payer")
	if payer == "" {
		return
	}
	rao := e.coins("fee")
	if rao == 0 || e.err != nil {
		return
	}
	a := s.account(payer)
	c := s.change(a)
	if rao > c.spent {
		e.fail("fee", rao)
	}
	c.fee = s.plus(e, c.fee, rao)
}

func (s *state) labelOf(address, label string) {
	if address == "" {
		return
	}
	if a := s.account(address); !a.module {
		s.change(a).label = label
	}
}

// hyperparametersOf reads those of an event.
func hyperparametersOf(e *event) (h subnetstypes.Hyperparameters) {
	if err := unmarshalJSON(e.raw("hyperparameters"), &h); err != nil {
		e.fail("hyperparameters", err)
	}
	return h
}
