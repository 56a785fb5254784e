package types

import (
	"bytes"

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

// ProofIn is the proof that a block's transactions begin with, as far as it can be
// read without the chain's state; empty where there is none.
func ProofIn(txs [][]byte) (proof []byte, framed bool) {
	if len(txs) == 0 {
		return nil, false
	}
	return vrf.Unframe(txs[0])
}

// GenesisSeed is the seed of the block before a chain's first, unless its genesis
// has another.
func GenesisSeed(chainID string) []byte { return vrf.Genesis(chainID) }
