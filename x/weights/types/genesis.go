package types

import "slices"

// DefaultGenesis is a chain without subnets, of the mainnet profile.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

type slot struct {
	subnet uint64
	uid    uint32
}

// Validate checks that no record is there twice and that each is well-formed.
// Whether its subnet and uid exist is known to x/subnets alone.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	rows := map[slot]bool{}
	for _, r := range g.Rows {
		if err := once(rows, slot{r.SubnetId, r.Uid}, "row"); err != nil {
			return err
		}
		if err := ascending(r.Uids, r.Values); err != nil {
			return ErrInvalidGenesis.Wrapf("row of subnet id %d, uid %d: %s", r.SubnetId, r.Uid, err)
		}
	}
	bonds := map[slot]bool{}
	for _, b := range g.Bonds {
		if err := once(bonds, slot{b.SubnetId, b.Uid}, "bonds"); err != nil {
			return err
		}
		if err := ascending(b.Uids, b.Values); err != nil {
			return ErrInvalidGenesis.Wrapf("bonds of subnet id %d, uid %d: %s", b.SubnetId, b.Uid, err)
		}
	}
	commits := map[slot]bool{}
	for _, c := range g.Commits {
		if err := once(commits, slot{c.SubnetId, c.Uid}, "commits"); err != nil {
			return err
		}
		for i, o := range c.Commits {
			if len(o.Hash) != HashSize || o.RevealEpoch <= o.Epoch {
				return ErrInvalidGenesis.Wrapf("commit %d of subnet id %d, uid %d: a hash of %d bytes, epoch %d, to be revealed in %d",
					i, c.SubnetId, c.Uid, len(o.Hash), o.Epoch, o.RevealEpoch)
			}
		}
	}
	permits := map[slot]bool{}
	for _, p := range g.Permits {
		if err := once(permits, slot{p.SubnetId, p.Uid}, "permit"); err != nil {
			return err
		}
	}
	return g.validateTime()
}

func (g GenesisState) validateTime() error {
	epochs, results := map[slot]bool{}, map[slot]bool{}
	for _, e := range g.Epochs {
		if err := once(epochs, slot{e.SubnetId, 0}, "epoch state"); err != nil {
			return err
		}
		if e.DueHeight <= 0 {
			return ErrInvalidGenesis.Wrapf("the next epoch of subnet id %d is due at block %d", e.SubnetId, e.DueHeight)
		}
	}
	for _, r := range g.Results {
		if err := once(results, slot{r.SubnetId, 0}, "epoch result"); err != nil {
			return err
		}
		n := len(r.Stake)
		if len(r.Incentive) != n || len(r.Dividends) != n || len(r.Consensus) != n || len(r.ValidatorTrust) != n ||
			len(r.Rank) != n || len(r.Active) != n {
			return ErrInvalidGenesis.Wrapf("the epoch result of subnet id %d has columns of different lengths", r.SubnetId)
		}
	}
	attempts := map[LastAttempt]bool{}
	for _, a := range g.LastAttempts {
		key := LastAttempt{SubnetId: a.SubnetId, Uid: a.Uid, Kind: a.Kind}
		if attempts[key] || !slices.Contains(Kinds, a.Kind) {
			return ErrInvalidGenesis.Wrapf("last attempt of subnet id %d, uid %d, kind %q: there twice, or no such kind", a.SubnetId, a.Uid, a.Kind)
		}
		attempts[key] = true
	}
	return nil
}

func once(seen map[slot]bool, s slot, what string) error {
	if seen[s] {
		return ErrInvalidGenesis.Wrapf("%s of subnet id %d, uid %d: there twice", what, s.subnet, s.uid)
	}
	seen[s] = true
	return nil
}

// ascending checks a sparse row as the store keeps it.
func ascending(uids, values []uint32) error {
	if len(uids) != len(values) {
		return ErrInvalidRow.Wrapf("%d uids but %d values", len(uids), len(values))
	}
	for i, uid := range uids {
		if uid >= MaxRow || values[i] > 65_535 || i > 0 && uids[i-1] >= uid {
			return ErrInvalidRow.Wrapf("entry %d is (uid %d, value %d): uids must ascend below %d, values be at most 65535", i, uid, values[i], MaxRow)
		}
	}
	return nil
}
