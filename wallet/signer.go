package wallet

import (
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/crypto/keys/mldsa65"
	"github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// Signer signs with one key. It holds the private key in memory, or knows the device
// that does, or is only somebody to make transactions for. It is safe for concurrent
// use.
type Signer struct {
	priv    cryptotypes.PrivKey // nil: it is not here
	device  *device             // that holds it instead; nil: none
	held    Held
	pub     cryptotypes.PubKey // nil: not known
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
	return newSigner(&secp256k1.PrivKey{Key: append([]byte(nil), priv...)})
}

// newSigner returns the signer of a private key that is known to be one.
func newSigner(priv cryptotypes.PrivKey) (*Signer, error) {
	s, err := NewAbsentSigner(priv.PubKey())
	if err != nil {
		return nil, err
	}
	s.priv, s.held = priv, Here
	return s, nil
}

// NewAbsentSigner stands for a key that is elsewhere: transactions can be made and
// tried for it, and [Signer.Sign] says that it can't.
func NewAbsentSigner(pub cryptotypes.PubKey) (*Signer, error) {
	if err := checkPubKey(pub); err != nil {
		return nil, err
	}
	s, err := absent(sdk.AccAddress(pub.Address()))
	if err != nil {
		return nil, err
	}
	s.pub = pub
	if _, ok := pub.(*multisig.LegacyAminoPubKey); ok {
		s.held = Multisig
	}
	return s, nil
}

// AbsentAddress is [NewAbsentSigner] where not even the public key is known.
func AbsentAddress(address string) (*Signer, error) {
	acc, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	return absent(acc)
}

func absent(acc sdk.AccAddress) (*Signer, error) {
	address, err := bech32.ConvertAndEncode(alphatypes.Bech32Prefix, acc)
	if err != nil {
		return nil, err
	}
	return &Signer{held: Watch, acc: acc, address: address}, nil
}

// checkPubKey refuses public keys that no account can have.
func checkPubKey(pub cryptotypes.PubKey) error {
	switch k := pub.(type) {
	case *secp256k1.PubKey:
		if _, err := secp.ParsePubKey(k.Key); err != nil {
			return fmt.Errorf("%w: it is no point of secp256k1: %w", ErrBadKey, err)
		}
	case *mldsa65.PubKey:
		if len(k.Key) != mldsaPubKeySize {
			return fmt.Errorf("%w: a public key of %s has %d bytes, this has %d", ErrBadKey, MLDSA65, mldsaPubKeySize, len(k.Key))
		}
	case *multisig.LegacyAminoPubKey:
		return checkMultisig(k)
	default:
		return fmt.Errorf("%w: accounts here have public keys of secp256k1, %s, or several of them, not %T", ErrBadKey, MLDSA65, pub)
	}
	return nil
}

const mldsaPubKeySize = 1952

// Address returns the key's account, lode1….
func (s *Signer) Address() string { return s.address }

// AccAddress returns the bytes of the address.
func (s *Signer) AccAddress() sdk.AccAddress { return append(sdk.AccAddress(nil), s.acc...) }

// PubKey returns the public key; nil if it is not known.
func (s *Signer) PubKey() cryptotypes.PubKey { return s.pub }

// Held says where the private key is.
func (s *Signer) Held() Held { return s.held }

// SignsAmino says that the key signs transactions only as amino JSON, which people can
// read on the device that holds it.
func (s *Signer) SignsAmino() bool { return s.held == Ledger }

// Sign signs msg as the chain verifies it: secp256k1 signs its SHA-256, and the
// signature is the 64 bytes R ‖ S.
func (s *Signer) Sign(msg []byte) ([]byte, error) {
	switch {
	case s.priv != nil:
		return s.priv.Sign(msg)
	case s.device != nil:
		return s.device.sign(msg)
	}
	return nil, fmt.Errorf("%w: %s is %s", ErrAbsent, s.address, s.held.words())
}

// PrivKey returns the bytes of the private key, for a hotkey's mesh host; nil if it is
// not here. Keep them nowhere else.
func (s *Signer) PrivKey() []byte {
	if s.priv == nil {
		return nil
	}
	return append([]byte(nil), s.priv.Bytes()...)
}
