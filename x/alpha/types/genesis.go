package types

import "math/big"

// DefaultGenesis is a chain without subnets, of the mainnet profile.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), NextSubnetId: 1}
}

type stakeKey struct {
	subnet  uint64
	hotkey  string
	coldkey string // "" for the stake pool
}

// Validate checks that no record is there twice, that alpha and shares add up,
// and that what is staked on is bound. Whether bank holds the TAO is known to
// InitGenesis alone.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if g.NextSubnetId == 0 {
		return ErrInvalidGenesis.Wrap("next_subnet_id is 0, the first id is 1")
	}
	bound := make(map[string]bool, len(g.Hotkeys))
	for _, h := range g.Hotkeys {
		switch {
		case bound[h.Hotkey]:
			return ErrInvalidGenesis.Wrapf("hotkey %s is there twice", h.Hotkey)
		case h.Hotkey == "" || h.Coldkey == "" || h.Hotkey == h.Coldkey:
			return ErrInvalidGenesis.Wrapf("hotkey %q is bound to coldkey %q: must be two addresses", h.Hotkey, h.Coldkey)
		case h.Take > Million:
			return ErrInvalidGenesis.Wrapf("hotkey %s has a take of %d per million", h.Hotkey, h.Take)
		}
		bound[h.Hotkey] = true
	}
	staked := make(map[uint64]uint64, len(g.Pools)) // as the pools tell
	netuids := make(map[uint32]bool, len(g.Pools))
	for _, p := range g.Pools {
		if _, twice := staked[p.SubnetId]; twice || netuids[p.Netuid] {
			return ErrInvalidGenesis.Wrapf("subnet id %d or netuid %d is there twice", p.SubnetId, p.Netuid)
		}
		if p.SubnetId == 0 || p.SubnetId >= g.NextSubnetId || p.Netuid == 0 {
			return ErrInvalidGenesis.Wrapf("subnet id %d, netuid %d: ids are 1 to below next_subnet_id %d, netuids from 1", p.SubnetId, p.Netuid, g.NextSubnetId)
		}
		if err := p.Validate(); err != nil {
			return ErrInvalidGenesis.Wrap(err.Error())
		}
		staked[p.SubnetId], netuids[p.Netuid] = p.AlphaStaked, true
	}
	if err := g.validateRetired(staked); err != nil {
		return err
	}
	if err := g.validateColdkeys(); err != nil {
		return err
	}
	accounts, err := g.accounts(bound)
	if err != nil {
		return err
	}
	if err := g.validateStakes(accounts, staked); err != nil {
		return err
	}
	return g.validateLending(accounts)
}

func (g GenesisState) validateStakes(accounts map[string]bool, staked map[uint64]uint64) error {
	shares := make(map[stakeKey]*big.Int, len(g.StakePools)) // what positions must sum to
	for _, s := range g.StakePools {
		at := stakeKey{subnet: s.SubnetId, hotkey: s.Hotkey}
		left, exists := staked[s.SubnetId]
		switch {
		case !exists:
			return ErrInvalidGenesis.Wrapf("stake on %s in subnet id %d, which has no pool", s.Hotkey, s.SubnetId)
		case !accounts[s.Hotkey]:
			return ErrInvalidGenesis.Wrapf("stake on %s, which is no bound hotkey's account", s.Hotkey)
		case shares[at] != nil:
			return ErrInvalidGenesis.Wrapf("the stake pool of %s in subnet id %d is there twice", s.Hotkey, s.SubnetId)
		case s.Alpha == 0 || s.Shares.IsNil() || !s.Shares.IsPositive():
			return ErrInvalidGenesis.Wrapf("the stake pool of %s in subnet id %d has %d alpha units and %s shares: both must be positive", s.Hotkey, s.SubnetId, s.Alpha, s.Shares)
		case s.Alpha > left:
			return ErrInvalidGenesis.Wrapf("the stake pools of subnet id %d hold more than its alpha_staked", s.SubnetId)
		}
		staked[s.SubnetId] -= s.Alpha
		shares[at] = s.Shares.BigInt()
	}
	for _, p := range g.Pools { // in order, so that the error is the same everywhere
		if staked[p.SubnetId] != 0 {
			return ErrInvalidGenesis.Wrapf("subnet id %d has %d alpha units staked of which no stake pool tells", p.SubnetId, staked[p.SubnetId])
		}
	}
	removed := g.removed()
	for _, r := range g.Retired {
		if !r.Settled && staked[r.SubnetId] != 0 {
			return ErrInvalidGenesis.Wrapf("removed subnet id %d had %d alpha units staked of which no stake pool tells", r.SubnetId, staked[r.SubnetId])
		}
	}
	seen := make(map[stakeKey]bool, len(g.Positions))
	for _, p := range g.Positions {
		left := shares[stakeKey{subnet: p.SubnetId, hotkey: p.Hotkey}]
		at := stakeKey{p.SubnetId, p.Hotkey, p.Coldkey}
		switch {
		case left == nil:
			return ErrInvalidGenesis.Wrapf("position of %s on %s in subnet id %d, which has no stake pool", p.Coldkey, p.Hotkey, p.SubnetId)
		case p.Coldkey == "" || seen[at]:
			return ErrInvalidGenesis.Wrapf("position of %q on %s in subnet id %d: without coldkey, or there twice", p.Coldkey, p.Hotkey, p.SubnetId)
		case removed[p.SubnetId].Settled:
			return ErrInvalidGenesis.Wrapf("position of %s on %s in subnet id %d, which is settled", p.Coldkey, p.Hotkey, p.SubnetId)
		case p.Shares.IsNil() || !p.Shares.IsPositive():
			return ErrInvalidGenesis.Wrapf("position of %s on %s in subnet id %d has %s shares: must be positive", p.Coldkey, p.Hotkey, p.SubnetId, p.Shares)
		}
		seen[at] = true
		left.Sub(left, p.Shares.BigInt())
	}
	for _, s := range g.StakePools {
		left := shares[stakeKey{subnet: s.SubnetId, hotkey: s.Hotkey}]
		if _, paying := removed[s.SubnetId]; left.Sign() < 0 || left.Sign() > 0 && !paying {
			return ErrInvalidGenesis.Wrapf("the positions on %s in subnet id %d differ from its shares by %s", s.Hotkey, s.SubnetId, left)
		}
	}
	return nil
}
