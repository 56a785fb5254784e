package types

// ValidateChildren checks whom a hotkey may lend its stake weight to (protocol.md
// §5): at most five others, each once and for something, and not more than all.
func ValidateChildren(parent string, children []Child) error {
	if len(children) > MaxChildren {
		return ErrChildren.Wrapf("%d children, the most are %d", len(children), MaxChildren)
	}
	lent := uint64(0)
	for i, c := range children {
		switch {
		case c.Hotkey == parent:
			return ErrChildren.Wrapf("%s can't be its own child: what it does not lend it has anyway", parent)
		case c.Proportion == 0 || c.Proportion > Million:
			return ErrChildren.Wrapf("child %s gets %d per million of the stake weight, must be 1 to %d; leave it out to end a loan", c.Hotkey, c.Proportion, Million)
		}
		for _, other := range children[:i] {
			if c.Hotkey == other.Hotkey {
				return ErrChildren.Wrapf("child %s is there twice", c.Hotkey)
			}
		}
		lent += uint64(c.Proportion)
	}
	if lent > Million {
		return ErrChildren.Wrapf("the children get %d per million of the stake weight together, the most is %d", lent, Million)
	}
	return nil
}
