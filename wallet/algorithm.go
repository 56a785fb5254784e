package wallet

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/cosmos/cosmos-sdk/crypto/keys/mldsa65"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

// Algorithm is how a key signs. The zero value is secp256k1, the ecosystem's.
type Algorithm string

// The algorithms of keys.
const (
	Secp256k1 Algorithm = ""
	// MLDSA65 is FIPS 204's ML-DSA-65, which quantum computers are not known to break.
	// Its signatures take 3,309 bytes, and no hardware wallet knows it.
	MLDSA65 Algorithm = "ml-dsa-65"
)

// Algorithms are the names of all that there are, as people write them.
var Algorithms = []string{"secp256k1", string(MLDSA65)}

// ParseAlgorithm reads the name of an algorithm.
func ParseAlgorithm(s string) (Algorithm, error) {
	if !slices.Contains(Algorithms, s) {
		return "", fmt.Errorf("algorithm %q must be %s", s, strings.Join(Algorithms, " or "))
	}
	return Algorithm(strings.TrimSuffix(s, Algorithms[0])), nil
}

// String is the algorithm's name.
func (a Algorithm) String() string {
	if a == Secp256k1 {
		return Algorithms[0]
	}
	return string(a)
}

// generator is the SDK's implementation.
func (a Algorithm) generator() (sdkkeyring.SignatureAlgo, error) {
	switch a {
	case Secp256k1:
		return hd.Secp256k1, nil
	case MLDSA65:
		return hd.MlDsa65, nil
	}
	return nil, fmt.Errorf("algorithm %q must be %s", string(a), strings.Join(Algorithms, " or "))
}

// algorithmOf is how a private key signs.
func algorithmOf(priv cryptotypes.PrivKey) (Algorithm, error) {
	switch priv.(type) {
	case *secp256k1.PrivKey:
		return Secp256k1, nil
	case *mldsa65.PrivKey:
		return MLDSA65, nil
	}
	return "", fmt.Errorf("%w: it is of type %s, must be %s", ErrBadKey, priv.Type(), strings.Join(Algorithms, " or "))
}

// parsePrivKey reads a private key: 32 bytes of either algorithm (ML-DSA's seed), or
// ML-DSA's 4,032 bytes.
func (a Algorithm) parsePrivKey(raw []byte) (cryptotypes.PrivKey, error) {
	if a == MLDSA65 {
		priv, err := mldsa65.NewPrivateKeyFromBytes(raw)
		if len(raw) == 32 {
			priv, err = mldsa65.GenPrivKeyFromSeed(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %d bytes are no key of %s: must be 32 (its seed) or 4,032", ErrBadKey, len(raw), a)
		}
		return &priv, nil
	}
	s, err := NewSigner(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	return s.priv, nil
}

// parseHex reads a private key's hexadecimal digits, with or without 0x. The error does
// not repeat them.
func (a Algorithm) parseHex(digits string) (cryptotypes.PrivKey, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(digits), "0x"))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not written in pairs of hexadecimal digits", ErrBadKey)
	}
	return a.parsePrivKey(raw)
}

// keyCodec writes keys as the SDK does.
func keyCodec() *codec.ProtoCodec {
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	return codec.NewProtoCodec(registry)
}

// MarshalPubKey writes a public key as the SDK's tools do: {"@type":…,"key":…}.
func MarshalPubKey(pub cryptotypes.PubKey) ([]byte, error) {
	return keyCodec().MarshalInterfaceJSON(pub)
}

// ParsePubKey reads what [MarshalPubKey] writes, and refuses what is no public key of
// an account.
func ParsePubKey(raw []byte) (cryptotypes.PubKey, error) {
	if len(raw) > maxPubKeyText {
		return nil, fmt.Errorf("%w: a public key of %d bytes of text, at most %d can be", ErrBadKey, len(raw), maxPubKeyText)
	}
	if err := CheckJSON(raw); err != nil {
		return nil, fmt.Errorf("%w: it is no public key: %w", ErrBadKey, err)
	}
	var pub cryptotypes.PubKey
	if err := keyCodec().UnmarshalInterfaceJSON(raw, &pub); err != nil {
		return nil, fmt.Errorf(`%w: it is no public key, written like {"@type":"/cosmos.crypto.secp256k1.PubKey","key":"A…"}: %w`, ErrBadKey, err)
	}
	return pub, checkPubKey(pub)
}

// maxPubKeyText bounds a public key's text: seven members with ML-DSA keys fit.
const maxPubKeyText = 32 << 10
