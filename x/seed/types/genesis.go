package types

import (
	"bytes"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/vrf"
)

// DefaultGenesis is a chain without keys, of the mainnet profile.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks that no operator and no key is there twice, that each may be
// used, and that the past seeds follow from each other.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if n := len(g.Seed); n != 0 && n != vrf.SeedSize {
		return ErrInvalidGenesis.Wrapf("the seed has %d bytes, must have %d, or none for the chain's own", n, vrf.SeedSize)
	}
	if err := validKeys(g.Keys); err != nil {
		return err
	}
	for i, s := range g.Seeds {
		if len(s.Seed) != vrf.SeedSize || len(s.Previous) != vrf.SeedSize || len(s.Proof) != 0 && len(s.Proof) != vrf.ProofSize ||
			len(s.Key) != 0 && len(s.Key) != vrf.PublicSize {
			return ErrInvalidGenesis.Wrapf("the seed of block %d: seed, previous, proof or key have a wrong size", s.Height)
		}
		if i == 0 {
			continue
		}
		if before := g.Seeds[i-1]; s.Height != before.Height+1 || !bytes.Equal(s.Previous, before.Seed) {
			return ErrInvalidGenesis.Wrapf("the seed of block %d does not follow that of block %d, the one before it on the list", s.Height, before.Height)
		}
	}
	if n := len(g.Seeds); n > 0 && !bytes.Equal(g.Seeds[n-1].Seed, g.Seed) {
		return ErrInvalidGenesis.Wrapf("the last seed is %x, that of block %d is %x", g.Seed, g.Seeds[n-1].Height, g.Seeds[n-1].Seed)
	}
	return nil
}

func validKeys(keys []VRFKey) error {
	operators, owners := map[string]bool{}, map[string]bool{}
	for _, k := range keys {
		operator, err := sdk.AccAddressFromBech32(k.Operator)
		if err != nil {
			return ErrInvalidGenesis.Wrapf("operator %q of a VRF key: %s", k.Operator, err)
		}
		if operators[string(operator)] {
			return ErrInvalidGenesis.Wrapf("VRF key of %s: there twice", k.Operator)
		}
		operators[string(operator)] = true
		if !k.Active() && len(k.Pending) == 0 {
			return ErrInvalidGenesis.Wrapf("VRF key of %s: neither one in force nor one that waits", k.Operator)
		}
		if k.ActiveHeight < 0 || len(k.Pending) > 0 && k.PendingHeight <= k.ActiveHeight {
			return ErrInvalidGenesis.Wrapf("VRF key of %s: in force from block %d, the next one from block %d", k.Operator, k.ActiveHeight, k.PendingHeight)
		}
		for _, key := range [][]byte{k.Key, k.Pending} {
			if len(key) == 0 {
				continue
			}
			if err := vrf.Check(key); err != nil {
				return ErrInvalidGenesis.Wrapf("VRF key of %s: %s", k.Operator, err)
			}
			if owners[string(key)] {
				return ErrInvalidGenesis.Wrapf("the VRF key %x is there twice", key)
			}
			owners[string(key)] = true
		}
	}
	return nil
}
