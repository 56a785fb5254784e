package wallet

import (
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// Signer signs with one key. It holds the private key in memory and is safe for
// concurrent use.
type Signer struct {
	priv    *secp256k1.PrivKey
	pub     cryptotypes.PubKey
	acc     sdk.AccAddress
	address string
}

// NewSigner returns the signer of a secp256k1 private key of 32 bytes, big-endian.
func NewSigner(priv []byte) (*Signer, error) {
	if len(priv) != secp256k1.PrivKeySize {
		return nil, fmt.Errorf("a private key of %d bytes, must be %d", len(priv), secp256k1.PrivKeySize)
	}
	var scalar secp.ModNScalar
	if overflow := scalar.SetByteSlice(priv); overflow || scalar.IsZero() {
		return nil, errors.New("a private key that is zero or not below the order of secp256k1")
	}
	k := &secp256k1.PrivKey{Key: append([]byte(nil), priv...)}
	pub := k.PubKey()
	acc := sdk.AccAddress(pub.Address())
	address, err := bech32.ConvertAndEncode(alphatypes.Bech32Prefix, acc)
	if err != nil {
		return nil, err
	}
	return &Signer{priv: k, pub: pub, acc: acc, address: address}, nil
}

// Address returns the key's account, lode1….
func (s *Signer) Address() string { return s.address }

// AccAddress returns the 20 bytes of the address.
func (s *Signer) AccAddress() sdk.AccAddress { return append(sdk.AccAddress(nil), s.acc...) }

// PubKey returns the public key.
func (s *Signer) PubKey() cryptotypes.PubKey { return s.pub }

// Sign signs the SHA-256 of msg; the signature is the 64 bytes R ‖ S that the chain
// verifies.
func (s *Signer) Sign(msg []byte) ([]byte, error) { return s.priv.Sign(msg) }

// PrivKey returns the 32 bytes of the private key, for a hotkey's mesh host. Keep them
// nowhere else.
func (s *Signer) PrivKey() []byte { return append([]byte(nil), s.priv.Key...) }
