package wallet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
)

// Kind says what a key is for.
type Kind string

// The kinds of keys.
const (
	Coldkey Kind = "coldkey" // owns funds and hotkeys; signs rarely
	Hotkey  Kind = "hotkey"  // registers, serves, sets weights; its process holds it
)

// Key is what everybody may know of a key.
type Key struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Address string `json:"address"` // lode1…
}

// PassphraseFunc asks for the passphrase of a wallet. With confirm it is a new one,
// which a person should type twice. It is called at most once for a [Wallet] until an
// answer was right, and never for what needs no passphrase.
type PassphraseFunc func(confirm bool) (string, error)

// MinPassphrase and MaxPassphrase bound a passphrase's length in bytes; the upper one
// is bcrypt's, by which it is checked.
const (
	MinPassphrase = 8
	MaxPassphrase = 72
)

// Errors that callers branch on.
var (
	// ErrWrongPassphrase says that the passphrase does not open the wallet.
	ErrWrongPassphrase = errors.New("wrong passphrase")
	// ErrBadPassphrase says that a new passphrase is too short or too long.
	ErrBadPassphrase = errors.New("the passphrase can't be used")
	// ErrNotFound says that the wallet has no such key.
	ErrNotFound = errors.New("no such key in the wallet")
	// ErrExists says that a name or an address is in the wallet already.
	ErrExists = errors.New("the wallet has it already")
	// ErrBadName says that a name can't be used for a key.
	ErrBadName = errors.New("the name can't be used")
	// ErrBadMnemonic says that words are no BIP-39 mnemonic.
	ErrBadMnemonic = errors.New("the mnemonic is not valid")
)

// Wallet is a folder of keys. It is safe for concurrent use. It keeps the keyring open
// once it was, because deriving its key is slow on purpose.
type Wallet struct {
	dir  string
	pass PassphraseFunc

	mu      sync.Mutex
	keyring sdkkeyring.Keyring // nil until unlocked
	signers map[string]*Signer // by name
}

// Open returns the wallet in a folder. Nothing is read, asked or made yet: a folder
// that is missing is a wallet without keys, and the first key makes it.
func Open(dir string, pass PassphraseFunc) (*Wallet, error) {
	if dir == "" {
		return nil, errors.New("wallet: no folder given")
	}
	if pass == nil {
		return nil, errors.New("wallet: no PassphraseFunc given")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		return nil, fmt.Errorf("wallet: %s is not a folder", dir)
	}
	return &Wallet{dir: dir, pass: pass, signers: map[string]*Signer{}}, nil
}

// Create makes a new key. The mnemonic of 24 words is the only copy of the key outside
// the wallet; it is not kept.
func (w *Wallet) Create(name string, kind Kind) (Key, string, error) {
	mnemonic, err := NewMnemonic()
	if err != nil {
		return Key{}, "", err
	}
	key, err := w.Import(name, kind, mnemonic)
	if err != nil {
		return Key{}, "", err
	}
	return key, mnemonic, nil
}

// Import adds the key of a mnemonic of 12 to 24 words. Neither the name nor the key
// may be in the wallet.
func (w *Wallet) Import(name string, kind Kind, mnemonic string) (Key, error) {
	if err := checkName(name); err != nil {
		return Key{}, err
	}
	if kind != Coldkey && kind != Hotkey {
		return Key{}, fmt.Errorf("kind %q of key %q must be %s or %s", kind, name, Coldkey, Hotkey)
	}
	s, err := SignerFromMnemonic(mnemonic)
	if err != nil {
		return Key{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.add(Key{Name: name, Kind: kind, Address: s.Address()}, mnemonic)
}

// List returns the keys by name. It needs no passphrase.
func (w *Wallet) List() ([]Key, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.readIndex()
}

// Get returns the key of a name or an address. It needs no passphrase. The error wraps
// [ErrNotFound] where there is none.
func (w *Wallet) Get(nameOrAddress string) (Key, error) {
	keys, err := w.List()
	if err != nil {
		return Key{}, err
	}
	return find(keys, nameOrAddress)
}

func find(keys []Key, nameOrAddress string) (Key, error) {
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		if k.Name == nameOrAddress || k.Address == nameOrAddress {
			return k, nil
		}
		names = append(names, k.Name)
	}
	have := "it is empty"
	if len(names) > 0 {
		have = "it has " + strings.Join(names, ", ")
	}
	return Key{}, fmt.Errorf("%w: %q; %s", ErrNotFound, nameOrAddress, have)
}

// Signer returns what signs with a key, by name or address.
func (w *Wallet) Signer(nameOrAddress string) (*Signer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	keys, err := w.readIndex()
	if err != nil {
		return nil, err
	}
	key, err := find(keys, nameOrAddress)
	if err != nil {
		return nil, err
	}
	if s := w.signers[key.Name]; s != nil {
		return s, nil
	}
	s, err := w.readSigner(key)
	if err != nil {
		return nil, err
	}
	w.signers[key.Name] = s
	return s, nil
}
