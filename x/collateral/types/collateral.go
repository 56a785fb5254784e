package types

// Unbonding is what leaves of a collateral, in all.
func (c Collateral) Unbonding() (sum uint64) {
	for _, u := range c.Unbondings {
		sum += u.Alpha
	}
	return sum
}

// Total is what is at stake: bonded and unbonding.
func (c Collateral) Total() uint64 { return c.Bonded + c.Unbonding() }

// Due tells whether an unbonding's time has passed, in blocks and in seconds.
func (u Unbonding) Due(height, seconds int64) bool {
	return u.DueHeight <= height && u.DueTime <= seconds
}

// Release takes out what is due and not frozen, oldest first, and returns it and
// what is due but held by what is frozen.
func (c *Collateral) Release(height, seconds int64, frozen uint64) (released, held uint64) {
	free := c.Total() - min(frozen, c.Total())
	left := c.Unbondings[:0]
	for _, u := range c.Unbondings {
		if u.Due(height, seconds) {
			part := min(u.Alpha, free)
			u.Alpha, free, released = u.Alpha-part, free-part, released+part
			held += u.Alpha
		}
		if u.Alpha > 0 {
			left = append(left, u)
		}
	}
	c.Unbondings = left
	return released, held
}

// Slash takes alpha out, what is unbonding first, oldest first, then what is
// bonded: a neuron that keeps its promises from now on stays covered as long as
// that is possible.
func (c *Collateral) Slash(alpha uint64) (slashed uint64) {
	left := c.Unbondings[:0]
	for _, u := range c.Unbondings {
		part := min(u.Alpha, alpha)
		u.Alpha, alpha, slashed = u.Alpha-part, alpha-part, slashed+part
		if u.Alpha > 0 {
			left = append(left, u)
		}
	}
	c.Unbondings = left
	part := min(c.Bonded, alpha)
	c.Bonded -= part
	return slashed + part
}
