package types

// Bounds of the parameters.
const (
	// minActivationDelay is so many blocks that no operator knows, when it chooses a
	// key, what the seed will be when the key begins: one honest proposer between is
	// enough.
	minActivationDelay = 10
	maxActivationDelay = 1_000_000
	maxHistory         = 1_000_000
)

// DefaultParams are the mainnet profile's.
func DefaultParams() Params { return Params{ActivationDelay: 1_000, History: 10_000} }

// LocalParams are the local profile's: one sees a key take effect.
func LocalParams() Params { return Params{ActivationDelay: 20, History: 10_000} }

// Validate checks bounds.
func (p Params) Validate() error {
	switch {
	case p.ActivationDelay < minActivationDelay || p.ActivationDelay > maxActivationDelay:
		return ErrInvalidParams.Wrapf("activation_delay is %d blocks, must be %d to %d", p.ActivationDelay, minActivationDelay, maxActivationDelay)
	case p.History < 1 || p.History > maxHistory:
		return ErrInvalidParams.Wrapf("history is %d blocks, must be 1 to %d", p.History, maxHistory)
	}
	return nil
}
