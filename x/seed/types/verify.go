package types

import (
	"bytes"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/vrf"
)

// Proved says whether the block held a proof.
func (s Seed) Proved() bool { return len(s.Proof) > 0 }

// Beta is the proof's output; 32 zero bytes where the block proved nothing.
func (s Seed) Beta() ([]byte, error) {
	if !s.Proved() {
		return vrf.NoBeta(), nil
	}
	return vrf.Beta(s.Proof)
}

// Verify recomputes a seed: that the proof is the key's over chain id, height and
// the seed before, and that the seed follows from its output. It trusts nothing but
// previous and key.
func (s Seed) Verify(chainID string) error {
	if len(s.Previous) != vrf.SeedSize || len(s.Seed) != vrf.SeedSize {
		return ErrNoSeed.Wrapf("a seed of %d bytes after one of %d: both must have %d", len(s.Seed), len(s.Previous), vrf.SeedSize)
	}
	var beta []byte
	if s.Proved() {
		var ok bool
		if beta, ok = vrf.Verify(s.Key, vrf.Alpha(chainID, s.Height, s.Previous), s.Proof); !ok {
			return ErrInvalidProof.Wrapf("the proof of block %d is not that of the key %x over chain %s, the height and the seed %x", s.Height, s.Key, chainID, s.Previous)
		}
	}
	if want := vrf.Next(s.Previous, beta); !bytes.Equal(want, s.Seed) {
		return ErrNoSeed.Wrapf("the seed of block %d is %x by its proof, not %x", s.Height, want, s.Seed)
	}
	return nil
}

// Judge sets what a block proves, by its transactions, and the seed that it gets by
// it; height, previous, proposer and key are given. A proposer with a key in force
// must prove, one without must not claim to: wrong says what is not so, and the
// block counts as empty.
func (s *Seed) Judge(chainID string, txs [][]byte) (wrong error) {
	s.Proof, s.Seed = nil, vrf.Next(s.Previous, nil)
	var claimed []byte
	framed := false
	if len(txs) > 0 {
		claimed, framed = vrf.Unframe(txs[0])
	}
	switch {
	case !framed:
		return ErrInvalidProof.Wrapf("block %d does not begin with its proposer's proof, nor with an empty one", s.Height)
	case len(s.Key) == 0 && len(claimed) > 0:
		return ErrInvalidProof.Wrapf("block %d has a proof, but its proposer %s has no VRF key in force: the proof must be empty", s.Height, sdk.ConsAddress(s.Proposer))
	case len(s.Key) == 0:
		return nil
	case len(claimed) == 0:
		return ErrInvalidProof.Wrapf("block %d has an empty proof, but its proposer %s has the VRF key %x in force and must prove", s.Height, sdk.ConsAddress(s.Proposer), s.Key)
	}
	beta, ok := vrf.Verify(s.Key, vrf.Alpha(chainID, s.Height, s.Previous), claimed)
	if !ok {
		return ErrInvalidProof.Wrapf("the proof of block %d is not that of its proposer's VRF key %x over this chain, this height and the seed before", s.Height, s.Key)
	}
	s.Proof, s.Seed = claimed, vrf.Next(s.Previous, beta)
	return nil
}

// GenesisSeed is the seed of the block before a chain's first, unless its genesis
// has another.
func GenesisSeed(chainID string) []byte { return vrf.Genesis(chainID) }
