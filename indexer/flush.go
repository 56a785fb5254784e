package indexer

import (
	"fmt"
	"strings"
)

// flush takes what is to be written since the last one. State and database are the same
// again once it is committed.
func (s *state) flush() (*batch, error) {
	b := s.batch
	for _, a := range s.dirtyAccounts {
		b.add(tAccounts, int64(a.id), a.address, put(a.balance), flag(a.module))
		a.dirty = false
	}
	for _, h := range s.dirtyHotkeys {
		b.add(tHotkeys, int64(h.id), int64(h.coldkey), h.take, int64(h.destination), h.bound)
		h.dirty = false
	}
	for _, n := range s.subnets {
		if err := n.flush(b); err != nil {
			return nil, err
		}
	}
	for _, at := range s.dirtyPositions {
		at.flush(b)
	}
	for _, p := range s.dirtyPools {
		p.flush(b)
	}
	for _, v := range s.dirtyServices {
		b.add(tServices, int64(v.id), int64(v.subnet), int64(v.hotkey), int64(v.uid), text(v.name), text(v.endpoint), text(v.unit), put(v.price), put(v.per),
			text(v.description), text(v.terms), flag(v.listed), v.height, put(v.revenue))
		v.dirty = false
	}
	for _, p := range s.dirtyPlans {
		b.add(tPlans, int64(p.id), int64(p.service), text(p.name), put(p.price), p.period, put(p.quota), flag(p.offered))
		p.dirty = false
	}
	for _, c := range s.dirtyChannels {
		b.add(tChannels, c.id, int64(c.payer), int64(c.hotkey), int64(c.service), int64(c.plan), put(c.deposit), put(c.claimed), c.opened, c.closed)
		c.dirty = false
	}
	s.dirtyAccounts, s.dirtyHotkeys, s.dirtyPositions, s.dirtyPools = nil, nil, nil, nil
	s.dirtyServices, s.dirtyPlans, s.dirtyChannels = nil, nil, nil
	b.add(tSupply, s.supply.row()...)
	b.add(tChain, int64(1), s.chainID, s.firstHeight, s.firstHash, s.height, s.hash, s.time.UnixNano(), put(s.issued), put(s.burned), put(s.recycled), put(s.bank))
	b.last = s.height
	s.batch = newBatch()
	s.batch.before = s.height
	return b, nil
}

// text is one that a database takes: PostgreSQL has no zero bytes in text.
func text(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "?"), "?") }

func (n *subnet) flush(b *batch) error {
	for uid := range n.dirtyNeurons {
		one := n.neurons[uid]
		b.add(tNeurons, int64(n.id), int64(uid), int64(one.hotkey), one.height, one.time, text(one.endpoints), text(one.protocol), text(one.version), one.served)
	}
	clear(n.dirtyNeurons)
	for uid, row := range n.newWeights {
		if row.entries == nil {
			b.remove(tWeights, int64(n.id), int64(uid))
		} else {
			b.add(tWeights, int64(n.id), int64(uid), row.height, row.entries)
		}
	}
	clear(n.newWeights)
	for number := range n.newRecent {
		b.add(tBlobs, int64(n.id), int64(number), n.recent[number])
	}
	clear(n.newRecent)
	for hotkey := range n.dirtyGrowth {
		g := n.growth[hotkey]
		b.add(tYields, g.row(n, hotkey)...)
		g.dirty = false
	}
	clear(n.dirtyGrowth)
	for i := range n.candles {
		if c := &n.candles[i]; c.dirty {
			b.add(tCandles, c.row(n, i)...)
			c.dirty = false
		}
	}
	if !n.dirty {
		return nil
	}
	n.dirty = false
	hyper, err := hyperJSON(n.hyper)
	if err != nil {
		return fmt.Errorf("hyperparameters of subnet id %d: %w", n.id, err)
	}
	b.add(tSubnets, int64(n.id), int64(n.netuid), text(n.name), text(n.description), text(n.url), text(n.parameters), int64(n.ownerHotkey), int64(n.ownerColdkey),
		put(n.lock), n.createdHeight, n.createdTime, n.started, n.removed, hyper, put(n.burn), n.movingPrice,
		int64(n.epoch), n.epochHeight, n.epochDue, int64(len(n.neurons)), flag(n.trading),
		put(n.tao), put(n.reserve), put(n.issued), put(n.staked), put(n.protocol), put(n.pending), put(n.burned), put(n.emission), put(n.revenue),
		put(n.pot), put(n.potTotal), put(n.potPaid), put(n.potRecycled))
	return nil
}

// flush writes a stake, or takes it away where nothing is left of it and of its day.
func (at *position) flush(b *batch) {
	p := at.pool
	at.dirty = false
	if !zero(at.shares) || at.day != 0 || at.in != 0 || at.out != 0 || at.paid != 0 || at.locked != 0 {
		b.add(tPositions, int64(p.subnet.id), int64(p.hotkey), int64(at.coldkey), at.shares.String(), put(at.locked), put(at.day), put(at.in), put(at.out), put(at.paid))
		at.stored = true
		return
	}
	if at.stored {
		b.remove(tPositions, int64(p.subnet.id), int64(p.hotkey), int64(at.coldkey))
		at.stored = false
	}
	delete(p.positions, at.coldkey)
}

func (p *stakePool) flush(b *batch) {
	p.dirty = false
	if !zero(p.shares) || p.alpha != 0 {
		b.add(tStakePools, int64(p.subnet.id), int64(p.hotkey), put(p.alpha), p.shares.String())
		p.stored = true
		return
	}
	if p.stored {
		b.remove(tStakePools, int64(p.subnet.id), int64(p.hotkey))
		p.stored = false
	}
	if len(p.positions) == 0 {
		delete(p.subnet.pools, p.hotkey)
	}
}
