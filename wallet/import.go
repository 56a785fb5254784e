package wallet

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	sdkcrypto "github.com/cosmos/cosmos-sdk/crypto"
	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

// Import adds the key of a mnemonic of 12 to 24 words. Neither the name nor the key
// may be in the wallet.
func (w *Wallet) Import(name string, kind Kind, mnemonic string, opts ...Option) (Key, error) {
	key, err := newEntry(name, kind, opts)
	if err != nil {
		return Key{}, err
	}
	// The keyring derives from the words as they are: in capitals, or with other spaces,
	// they would be another key, or none.
	if mnemonic, err = normalise(mnemonic); err != nil {
		return Key{}, err
	}
	s, err := derive(mnemonic, key.Algorithm)
	if err != nil {
		return Key{}, err
	}
	algorithm, err := key.Algorithm.generator()
	if err != nil {
		return Key{}, err
	}
	return w.addSecret(key, s, opts, func(k sdkkeyring.Keyring) error {
		_, err := k.NewAccount(name, mnemonic, "", Path, algorithm)
		return err
	})
}

// ImportHex adds a private key by its hexadecimal digits: 32 bytes; for [MLDSA65] they
// are its seed, or the 4,032 bytes of the key.
func (w *Wallet) ImportHex(name string, kind Kind, digits string, opts ...Option) (Key, error) {
	key, err := newEntry(name, kind, opts)
	if err != nil {
		return Key{}, err
	}
	priv, err := key.Algorithm.parseHex(digits)
	if err != nil {
		return Key{}, err
	}
	return w.importPrivKey(key, priv, opts)
}

// maxArmor bounds a key file: an ML-DSA key takes 6 kB.
const maxArmor = 64 << 10

// ImportArmor adds a key of a file that the SDK's tools, or [Wallet.Export], have
// written, with the file's own passphrase. The file says by what algorithm it is.
func (w *Wallet) ImportArmor(name string, kind Kind, armor, passphrase string, opts ...Option) (Key, error) {
	if len(armor) > maxArmor {
		return Key{}, fmt.Errorf("%w: a key file of %d bytes, at most %d can be", ErrBadKey, len(armor), maxArmor)
	}
	priv, err := unarmor(armor, passphrase)
	if err != nil {
		return Key{}, err
	}
	algorithm, err := algorithmOf(priv)
	if err != nil {
		return Key{}, err
	}
	key, err := newEntry(name, kind, append(opts, By(algorithm)))
	if err != nil {
		return Key{}, err
	}
	if priv, err = algorithm.parsePrivKey(priv.Bytes()); err != nil { // what a file says is checked
		return Key{}, err
	}
	return w.importPrivKey(key, priv, opts)
}

// unarmor opens a key file. The SDK panics at some that are damaged.
func unarmor(armor, passphrase string) (priv cryptotypes.PrivKey, err error) {
	defer func() {
		if r := recover(); r != nil {
			priv, err = nil, fmt.Errorf("%w: the key file is damaged: %v", ErrBadKey, r)
		}
	}()
	priv, _, err = sdkcrypto.UnarmorDecryptPrivKey(armor, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: the key file can't be opened, perhaps its passphrase is another: %w", ErrBadKey, err)
	}
	if priv == nil {
		return nil, fmt.Errorf("%w: the key file holds no key", ErrBadKey)
	}
	return priv, nil
}

// newEntry begins a key that will be here.
func newEntry(name string, kind Kind, opts []Option) (entry, error) {
	if err := checkName(name); err != nil {
		return entry{}, err
	}
	if kind != Coldkey && kind != Hotkey {
		return entry{}, fmt.Errorf("kind %q of key %q must be %s or %s", kind, name, Coldkey, Hotkey)
	}
	m := made(opts)
	if kind == Hotkey && m.algorithm != Secp256k1 {
		return entry{}, fmt.Errorf("%w: a hotkey is of %s, because it is its machine's name on the mesh, too; %s is for coldkeys", ErrBadKey, Secp256k1, m.algorithm)
	}
	return entry{Key: Key{Name: name, Kind: kind, Algorithm: m.algorithm}}, nil
}

func (w *Wallet) importPrivKey(key entry, priv cryptotypes.PrivKey, opts []Option) (Key, error) {
	s, err := newSigner(priv)
	if err != nil {
		return Key{}, err
	}
	return w.addSecret(key, s, opts, func(k sdkkeyring.Keyring) error {
		if key.Algorithm == Secp256k1 {
			return k.ImportPrivKeyHex(key.Name, hex.EncodeToString(priv.Bytes()), key.Algorithm.String())
		}
		// The keyring takes other whole keys only in a file.
		once := rand.Text()
		return k.ImportPrivKey(key.Name, sdkcrypto.EncryptArmorPrivKey(priv, once, priv.Type()), once)
	})
}

// addSecret adds a key that write writes.
func (w *Wallet) addSecret(key entry, s *Signer, opts []Option, write func(sdkkeyring.Keyring) error) (Key, error) {
	pub, err := MarshalPubKey(s.pub)
	if err != nil {
		return Key{}, err
	}
	key.Address, key.PublicKey = s.address, pub
	w.mu.Lock()
	defer w.mu.Unlock()
	if key.Under, err = w.under(key.Kind, opts); err != nil {
		return Key{}, err
	}
	return w.add(key, write)
}

// Watch adds an address whose key is elsewhere.
func (w *Wallet) Watch(name string, kind Kind, address string, opts ...Option) (Key, error) {
	s, err := AbsentAddress(address)
	if err != nil {
		return Key{}, err
	}
	return w.addPublic(entry{Key: Key{Name: name, Kind: kind, Address: s.address, Held: Watch}}, nil, opts)
}

// WatchPubKey is [Wallet.Watch] where the public key is known, so that transactions can
// be made for it that are signed elsewhere.
func (w *Wallet) WatchPubKey(name string, kind Kind, pub cryptotypes.PubKey, opts ...Option) (Key, error) {
	s, err := NewAbsentSigner(pub)
	if err != nil {
		return Key{}, err
	}
	return w.addPublic(entry{Key: Key{Name: name, Kind: kind, Address: s.address, Held: s.held}}, pub, opts)
}

// Export writes a key into a file's text as the SDK's tools do, encrypted with a
// passphrase of its own.
func (w *Wallet) Export(nameOrAddress, passphrase string) (armor string, err error) {
	if err := checkPassphrase(passphrase); err != nil {
		return "", err
	}
	s, err := w.secret(nameOrAddress)
	if err != nil {
		return "", err
	}
	return sdkcrypto.EncryptArmorPrivKey(s.priv, passphrase, s.priv.Type()), nil
}

// ExportHex returns the hexadecimal digits of a private key: whoever sees them has it.
func (w *Wallet) ExportHex(nameOrAddress string) (string, error) {
	s, err := w.secret(nameOrAddress)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(s.priv.Bytes()), nil
}

// secret is the signer of a key that is here.
func (w *Wallet) secret(nameOrAddress string) (*Signer, error) {
	s, err := w.Signer(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if s.priv == nil {
		return nil, fmt.Errorf("%w: %q is %s", ErrAbsent, nameOrAddress, s.held.words())
	}
	return s, nil
}
