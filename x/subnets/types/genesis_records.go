package types

import "slices"

// validateRemovals returns which subnets were removed and are not swept yet.
func (g GenesisState) validateRemovals(subnets map[uint64]Subnet) (map[uint64]bool, error) {
	removed := map[uint64]bool{}
	for _, r := range g.Removals {
		if _, ok := subnets[r.SubnetId]; ok || removed[r.SubnetId] || r.Netuid < 1 || r.Netuid > maxSlots || r.Height < 1 {
			return nil, ErrInvalidGenesis.Wrapf("removal of subnet id %d, netuid %d, in block %d: there twice, there as a subnet too, or the netuid is not 1 to %d or the block not 1 or later",
				r.SubnetId, r.Netuid, r.Height, maxSlots)
		}
		removed[r.SubnetId] = true
	}
	return removed, nil
}

// validatePublished asks for records of neurons that are there, once each.
func (g GenesisState) validatePublished(subnets map[uint64]Subnet, removed map[uint64]bool) error {
	type at struct {
		subnet uint64
		uid    uint32
	}
	seated := func(a at) bool {
		return removed[a.subnet] && a.uid < MaxUIDs || a.uid < subnets[a.subnet].Neurons
	}
	published, uses := map[at]bool{}, map[at]bool{}
	for _, p := range g.Published {
		a := at{p.SubnetId, p.Uid}
		if !seated(a) || published[a] {
			return ErrInvalidGenesis.Wrapf("published data of uid %d of subnet id %d: there twice, or of no neuron", p.Uid, p.SubnetId)
		}
		if err := p.Validate(); err != nil {
			return ErrInvalidGenesis.Wrapf("published data of uid %d of subnet id %d: %s", p.Uid, p.SubnetId, err)
		}
		published[a] = true
	}
	for _, u := range g.PublishUses {
		a := at{u.SubnetId, u.Uid}
		if !seated(a) || uses[a] {
			return ErrInvalidGenesis.Wrapf("what uid %d of subnet id %d published: there twice, or of no neuron", u.Uid, u.SubnetId)
		}
		uses[a] = true
	}
	return nil
}

// Validate checks that a record is what a message can have made.
func (p Published) Validate() error {
	plain := len(p.Hash) == 0 && p.SealedHeight == 0 && p.Height > 0
	sealed := len(p.Hash) == HashSize && p.SealedHeight > 0 && (p.Height == 0 || p.Height >= p.SealedHeight)
	switch {
	case p.Hotkey == "":
		return ErrInvalidData.Wrap("of no hotkey")
	case !plain && !sealed:
		return ErrInvalidData.Wrapf("a hash of %d bytes sealed in block %d, data of block %d: neither plain nor sealed", len(p.Hash), p.SealedHeight, p.Height)
	case p.Height == 0 && len(p.Data) > 0:
		return ErrInvalidData.Wrapf("%d bytes of data that are not revealed", len(p.Data))
	case p.Height > 0:
		return validateData(p.Data)
	}
	return nil
}

// validateScheduled asks for raises that wait, once each.
func (g GenesisState) validateScheduled(subnets map[uint64]Subnet) error {
	type at struct {
		subnet uint64
		name   string
	}
	there := map[at]bool{}
	for _, c := range g.Scheduled {
		a := at{c.SubnetId, c.Name}
		s, ok := subnets[c.SubnetId]
		if !ok || there[a] || !slices.Contains(ScheduledNames(), c.Name) {
			return ErrInvalidGenesis.Wrapf("scheduled change of %q in subnet id %d: there twice, of no subnet, or not one of %v", c.Name, c.SubnetId, ScheduledNames())
		}
		next := s.Hyperparameters
		old, err := next.Get(c.Name)
		if err == nil {
			err = next.Set(c.Name, c.Value)
		}
		if err != nil || c.Value <= old {
			return ErrInvalidGenesis.Wrapf("subnet %d: %s, now %d, is to become %d: only a raise waits, within its bounds (%v)", s.Netuid, c.Name, old, c.Value, err)
		}
		there[a] = true
	}
	return nil
}
