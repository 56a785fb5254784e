// Package vrf is the mathematics of the seed (protocol.md §2), without a chain:
// the verifiable random function, what it is computed over, how a block's seed
// comes of it, and how a proof travels in a block.
//
// The function is ECVRF of RFC 9381 in the suite ECVRF-EDWARDS25519-SHA512-ELL2
// (suite string 0x04), by curve25519-voi. Keys are Ed25519's: a secret key is a
// 32-byte seed as in RFC 8032, a public key 32 bytes, a proof 80, its output β 64.
//
// For one key and one input there is one β, whatever proof shows it: a proposer
// that makes a thousand proofs gets one seed. That needs keys that pass [Check].
package vrf

import (
	"crypto/rand"
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/ecvrf"
)

// Sizes in bytes.
const (
	SecretSize = ed25519.SeedSize      // 32
	PublicSize = ed25519.PublicKeySize // 32
	ProofSize  = ecvrf.ProofSize       // 80
	BetaSize   = ecvrf.OutputSize      // 64
)

// Key is a secret key.
type Key struct{ private ed25519.PrivateKey }

// Generate makes a key of randomness; nil is the system's.
func Generate(random io.Reader) (Key, error) {
	if random == nil {
		random = rand.Reader
	}
	secret := make([]byte, SecretSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return Key{}, fmt.Errorf("a VRF key can't be made: %w", err)
	}
	return FromSecret(secret)
}

// FromSecret is the key of a secret of 32 bytes.
func FromSecret(secret []byte) (Key, error) {
	if len(secret) != SecretSize {
		return Key{}, fmt.Errorf("a VRF secret has %d bytes, this one has %d", SecretSize, len(secret))
	}
	return Key{ed25519.NewKeyFromSeed(secret)}, nil
}

// Secret is what FromSecret makes the key of.
func (k Key) Secret() []byte { return append([]byte(nil), k.private[:SecretSize]...) }

// Public is the public key, 32 bytes.
func (k Key) Public() []byte { return append([]byte(nil), k.private[SecretSize:]...) }

// Prove proves the function's value over alpha, in 80 bytes; the same each time.
func (k Key) Prove(alpha []byte) []byte { return ecvrf.Prove(k.private, alpha) }

// Verify checks a proof over alpha and returns its output β, 64 bytes. Anything
// may be given to it: what is not a proof is not ok.
func Verify(public, alpha, proof []byte) (beta []byte, ok bool) {
	if len(public) != PublicSize || len(proof) != ProofSize {
		return nil, false
	}
	ok, beta = ecvrf.Verify(public, proof, alpha)
	return beta, ok
}

// Beta is the output of a proof that was verified before.
func Beta(proof []byte) ([]byte, error) { return ecvrf.ProofToHash(proof) }

// Check says whether a public key may be used: a point of the curve in its one
// encoding, of the large prime order. With a point of low order β would not hang
// on any secret.
func Check(public []byte) error {
	var (
		compressed curve.CompressedEdwardsY
		point      curve.EdwardsPoint
	)
	if _, err := compressed.SetBytes(public); err != nil {
		return fmt.Errorf("a VRF key has %d bytes, this one has %d", PublicSize, len(public))
	}
	if !compressed.IsCanonicalVartime() {
		return fmt.Errorf("the VRF key %x is not in the encoding of RFC 8032", public)
	}
	if _, err := point.SetCompressedY(&compressed); err != nil {
		return fmt.Errorf("the VRF key %x is no point of edwards25519", public)
	}
	if point.IsSmallOrder() || !point.IsTorsionFree() {
		return fmt.Errorf("the VRF key %x is a point of low or mixed order, which proves nothing", public)
	}
	return nil
}
