package types

import "slices"

// DefaultGenesis is a chain without subnets, of the mainnet profile.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks that every record fits the others: netuids and ids are there
// once, uids are dense, hotkeys are unique, the owner holds a uid. Addresses are
// read by InitGenesis, which knows their form.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	subnets, netuids := map[uint64]Subnet{}, map[uint32]bool{}
	for _, s := range g.Subnets {
		if _, twice := subnets[s.Id]; twice || netuids[s.Netuid] || s.Netuid < 1 || s.Netuid > maxSlots {
			return ErrInvalidGenesis.Wrapf("subnet id %d, netuid %d: there twice, or the netuid is not 1 to %d", s.Id, s.Netuid, maxSlots)
		}
		if err := s.Validate(); err != nil {
			return ErrInvalidGenesis.Wrapf("subnet %d: %s", s.Netuid, err)
		}
		subnets[s.Id], netuids[s.Netuid] = s, true
	}
	removed, err := g.validateRemovals(subnets)
	if err != nil {
		return err
	}
	if err := g.validateNeurons(subnets, removed); err != nil {
		return err
	}
	if err := g.validatePublished(subnets, removed); err != nil {
		return err
	}
	if err := g.validateScheduled(subnets); err != nil {
		return err
	}
	burns := map[uint64]bool{}
	for _, b := range g.BurnPrices {
		s, ok := subnets[b.SubnetId]
		if !ok || burns[b.SubnetId] || b.Burn < s.Hyperparameters.MinBurn || b.Burn > s.Hyperparameters.MaxBurn {
			return ErrInvalidGenesis.Wrapf("burn price %d of subnet id %d: there twice, of no subnet, or not within min_burn and max_burn", b.Burn, b.SubnetId)
		}
		burns[b.SubnetId] = true
	}
	if len(burns) != len(subnets) {
		return ErrInvalidGenesis.Wrapf("%d burn prices for %d subnets", len(burns), len(subnets))
	}
	creators := map[string]bool{}
	for _, c := range g.Creations {
		if c.Creator == "" || creators[c.Creator] {
			return ErrInvalidGenesis.Wrapf("creation by %q: there twice, or of nobody", c.Creator)
		}
		creators[c.Creator] = true
	}
	type set struct {
		subnet uint64
		name   string
	}
	sets := map[set]bool{}
	for _, s := range g.HyperparameterSets {
		at := set{s.SubnetId, s.Name}
		if _, ok := subnets[s.SubnetId]; !ok && !removed[s.SubnetId] || sets[at] || !slices.Contains(HyperparameterNames(), s.Name) {
			return ErrInvalidGenesis.Wrapf("setting of %q in subnet id %d: there twice, of no subnet, or no such hyperparameter", s.Name, s.SubnetId)
		}
		sets[at] = true
	}
	return nil
}

// Validate checks a subnet's identity and hyperparameters.
func (s Subnet) Validate() error {
	if err := ValidateIdentity(s.Name, s.Description, s.Url, s.Parameters); err != nil {
		return err
	}
	for _, p := range hyperparameters {
		if v := p.get(&s.Hyperparameters); v < p.min || v > p.max {
			return ErrInvalidHyperparameter.Wrapf("%s %d: must be %d to %d", p.name, v, p.min, p.max)
		}
	}
	return s.Hyperparameters.Check(s.Neurons)
}

// Started tells whether the subnet trades and emits.
func (s Subnet) Started() bool { return s.StartedHeight > 0 }

// validateNeurons asks for dense uids, by uid; of a removed subnet some may be
// gone, the lowest first.
func (g GenesisState) validateNeurons(subnets map[uint64]Subnet, removed map[uint64]bool) error {
	type key struct {
		subnet uint64
		hotkey string
	}
	hotkeys, next := map[key]bool{}, map[uint64]uint32{}
	for _, n := range g.Neurons {
		at, from := key{n.SubnetId, n.Hotkey}, next[n.SubnetId]
		_, ok := subnets[n.SubnetId]
		if !ok && !removed[n.SubnetId] || n.Hotkey == "" || hotkeys[at] || n.Uid < from || ok && n.Uid != from || n.Uid >= MaxUIDs {
			return ErrInvalidGenesis.Wrapf("uid %d of subnet id %d, hotkey %q: of no subnet, a hotkey that is there twice, or not the next uid, %d", n.Uid, n.SubnetId, n.Hotkey, from)
		}
		hotkeys[at] = true
		next[n.SubnetId] = n.Uid + 1
	}
	for _, s := range g.Subnets {
		if next[s.Id] != s.Neurons || !hotkeys[key{s.Id, s.OwnerHotkey}] {
			return ErrInvalidGenesis.Wrapf("subnet %d: %d neurons, should be %d with the owner's hotkey %s among them", s.Netuid, next[s.Id], s.Neurons, s.OwnerHotkey)
		}
	}
	return nil
}
