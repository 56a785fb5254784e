package types

// accounts are those of the bound hotkeys. Swaps exchange them, so each is one
// hotkey's, and the address of one.
func (g GenesisState) accounts(bound map[string]bool) (map[string]bool, error) {
	accounts := make(map[string]bool, len(g.Hotkeys))
	for _, h := range g.Hotkeys {
		account := h.Account
		if account == "" {
			account = h.Hotkey
		}
		switch {
		case h.Account == h.Hotkey:
			return nil, ErrInvalidGenesis.Wrapf("hotkey %s names itself as its account: leave it empty", h.Hotkey)
		case !bound[account]:
			return nil, ErrInvalidGenesis.Wrapf("hotkey %s has the account %s, which is no bound hotkey", h.Hotkey, account)
		case accounts[account]:
			return nil, ErrInvalidGenesis.Wrapf("the account %s is two hotkeys'", account)
		case h.Destination == h.Hotkey || h.Destination != "" && !bound[h.Destination]:
			return nil, ErrInvalidGenesis.Wrapf("hotkey %s has the destination %q: must be another bound hotkey, or empty", h.Hotkey, h.Destination)
		}
		accounts[account] = true
	}
	return accounts, nil
}

// validateLending checks children, takes of children and locks.
func (g GenesisState) validateLending(accounts map[string]bool) error {
	subnets := make(map[uint64]bool, len(g.Pools)+len(g.Retired))
	for _, p := range g.Pools {
		subnets[p.SubnetId] = true
	}
	for _, r := range g.Retired {
		subnets[r.SubnetId] = true
	}
	seen := make(map[stakeKey]bool)
	check := func(what string, subnet uint64, hotkey string) error {
		at := stakeKey{subnet: subnet, hotkey: hotkey, coldkey: what}
		switch {
		case !subnets[subnet]:
			return ErrInvalidGenesis.Wrapf("%s of %s in subnet id %d, which has no pool", what, hotkey, subnet)
		case !accounts[hotkey]:
			return ErrInvalidGenesis.Wrapf("%s of %s in subnet id %d, which is no hotkey's account", what, hotkey, subnet)
		case seen[at]:
			return ErrInvalidGenesis.Wrapf("%s of %s in subnet id %d are there twice", what, hotkey, subnet)
		}
		seen[at] = true
		return nil
	}
	children := func(what string, c Children) error {
		if err := check(what, c.SubnetId, c.Parent); err != nil {
			return err
		}
		for _, child := range c.Children {
			if !accounts[child.Hotkey] {
				return ErrInvalidGenesis.Wrapf("child %s of %s in subnet id %d is no hotkey's account", child.Hotkey, c.Parent, c.SubnetId)
			}
		}
		if err := ValidateChildren(c.Parent, c.Children); err != nil {
			return ErrInvalidGenesis.Wrap(err.Error())
		}
		return nil
	}
	for _, c := range g.Children {
		if err := children("children", c); err != nil {
			return err
		}
		if len(c.Children) == 0 {
			return ErrInvalidGenesis.Wrapf("%s in subnet id %d has a record of no children", c.Parent, c.SubnetId)
		}
	}
	for _, c := range g.PendingChildren {
		if err := children("waiting children", c.Children); err != nil {
			return err
		}
		if c.DueHeight < 0 || c.DueTime < 0 {
			return ErrInvalidGenesis.Wrapf("waiting children of %s come due in block %d, second %d: neither may be negative", c.Children.Parent, c.DueHeight, c.DueTime)
		}
	}
	for _, t := range g.ChildkeyTakes {
		if err := check("childkey takes", t.SubnetId, t.Hotkey); err != nil {
			return err
		}
		if t.Take > Million {
			return ErrInvalidGenesis.Wrapf("the childkey take of %s in subnet id %d is %d per million", t.Hotkey, t.SubnetId, t.Take)
		}
	}
	return g.validateLocks()
}

// validateLocks checks that each is a stake's. That the stake is worth as much is
// among the invariants.
func (g GenesisState) validateLocks() error {
	held := make(map[stakeKey]bool, len(g.Positions))
	for _, p := range g.Positions {
		held[stakeKey{p.SubnetId, p.Hotkey, p.Coldkey}] = true
	}
	for _, l := range g.Locks {
		at := stakeKey{l.SubnetId, l.Hotkey, l.Coldkey}
		if !held[at] || l.Alpha == 0 {
			return ErrInvalidGenesis.Wrapf("a lock of %d alpha units of %s on %s in subnet id %d: must be of a stake, once, and positive", l.Alpha, l.Coldkey, l.Hotkey, l.SubnetId)
		}
		delete(held, at)
	}
	return nil
}
