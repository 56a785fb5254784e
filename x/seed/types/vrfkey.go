package types

// At is the key as the proposer of a block has it: from its height on, what waited
// is in force.
func (k VRFKey) At(height int64) VRFKey {
	if len(k.Pending) > 0 && height >= k.PendingHeight {
		return VRFKey{Operator: k.Operator, Key: k.Pending, ActiveHeight: k.PendingHeight}
	}
	return k
}

// Active says whether a key is in force.
func (k VRFKey) Active() bool { return len(k.Key) > 0 }
