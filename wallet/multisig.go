package wallet

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

// MaxMembers is how many keys the chain lets sign for one account.
const MaxMembers = 7

// AddMultisig adds an account for which threshold of several keys sign. Its address
// depends on the keys and the threshold alone: the keys are put in order, as the SDK's
// tools do. The keys themselves stay where they are.
func (w *Wallet) AddMultisig(name string, threshold int, members []cryptotypes.PubKey, opts ...Option) (Key, error) {
	if n := len(members); n < 2 || n > MaxMembers {
		return Key{}, fmt.Errorf("%w: %d keys, must be 2 to %d", ErrMultisig, n, MaxMembers)
	}
	if threshold < 1 || threshold > len(members) {
		return Key{}, fmt.Errorf("%w: %d of %d keys can't be asked for", ErrMultisig, threshold, len(members))
	}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b cryptotypes.PubKey) int { return bytes.Compare(a.Address(), b.Address()) })
	pub := multisig.NewLegacyAminoPubKey(threshold, members)
	s, err := NewAbsentSigner(pub)
	if err != nil {
		return Key{}, err
	}
	return w.addPublic(entry{Key: Key{Name: name, Kind: Coldkey, Address: s.address, Held: Multisig}}, pub, opts)
}

// checkMultisig refuses what the chain would.
func checkMultisig(k *multisig.LegacyAminoPubKey) error {
	n := len(k.PubKeys)
	if n < 2 || n > MaxMembers || k.Threshold < 1 || int(k.Threshold) > n {
		return fmt.Errorf("%w: %d of %d keys, must be 2 to %d keys and at most as many signatures", ErrMultisig, k.Threshold, n, MaxMembers)
	}
	seen := map[string]bool{}
	for i, raw := range k.PubKeys {
		pub, ok := raw.GetCachedValue().(cryptotypes.PubKey)
		if !ok {
			return fmt.Errorf("%w: key %d can't be read", ErrMultisig, i+1)
		}
		if _, nested := pub.(*multisig.LegacyAminoPubKey); nested {
			return fmt.Errorf("%w: key %d is an account of several keys itself: name those", ErrMultisig, i+1)
		}
		if err := checkPubKey(pub); err != nil {
			return err
		}
		if seen[string(pub.Address())] {
			return fmt.Errorf("%w: key %d is there twice", ErrMultisig, i+1)
		}
		seen[string(pub.Address())] = true
	}
	return nil
}
