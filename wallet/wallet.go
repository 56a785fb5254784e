package wallet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

// Kind says what a key is for.
type Kind string

// The kinds of keys.
const (
	Coldkey Kind = "coldkey" // owns funds and hotkeys; signs rarely
	Hotkey  Kind = "hotkey"  // registers, serves, sets weights; its process holds it
)

// Held says where a private key is. The zero value is here.
type Held string

// Where private keys are.
const (
	Here     Held = ""
	Watch    Held = "watch"    // elsewhere: the wallet only looks
	Ledger   Held = "ledger"   // on a Ledger
	Multisig Held = "multisig" // there is none: several keys sign together
)

// words say why a key can't sign by itself.
func (h Held) words() string {
	switch h {
	case Multisig:
		return "an account for which several keys sign"
	case Ledger:
		return "on a Ledger"
	}
	return "watched only: its key is elsewhere"
}

// Key is what everybody may know of a key.
type Key struct {
	Name      string    `json:"name"`
	Kind      Kind      `json:"kind"`
	Address   string    `json:"address"`             // lode1…
	Algorithm Algorithm `json:"algorithm,omitempty"` // of a single key
	Held      Held      `json:"held,omitempty"`
	// Under is the name of the coldkey that a hotkey is kept under, as its owner said.
	// Only the chain knows whom it works for.
	Under string `json:"under,omitempty"`
}

// Option says more about a new key.
type Option func(*making)

// making is what options change.
type making struct {
	words     int
	algorithm Algorithm
	under     string
}

// Words makes a mnemonic of 12 or 24 words; 24 unless it is said.
func Words(n int) Option { return func(m *making) { m.words = n } }

// By makes a coldkey of an algorithm.
func By(a Algorithm) Option { return func(m *making) { m.algorithm = a } }

// Under keeps a hotkey under a coldkey of the wallet.
func Under(coldkey string) Option { return func(m *making) { m.under = coldkey } }

func made(opts []Option) making {
	m := making{words: 24}
	for _, o := range opts {
		o(&m)
	}
	return m
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
	// ErrBadKey says that what should be a private or public key is none.
	ErrBadKey = errors.New("the key is not valid")
	// ErrBadAddress says that something is no address of this network.
	ErrBadAddress = errors.New("the address is not valid")
	// ErrAbsent says that a private key is not here.
	ErrAbsent = errors.New("the key is not in this wallet")
	// ErrMultisig says that an account of several keys can't be.
	ErrMultisig = errors.New("several keys can't sign so")
	// ErrLedger says that a Ledger does not do what it is asked for.
	ErrLedger = errors.New("the Ledger")
	// ErrLooksAlike says that an address could be taken for one that is known.
	ErrLooksAlike = errors.New("the address looks like another")
)

// Wallet is a folder of keys. It is safe for concurrent use. It keeps the keyring open
// once it was, because deriving its key is slow on purpose.
type Wallet struct {
	dir  string
	pass PassphraseFunc

	mu      sync.Mutex
	keyring sdkkeyring.Keyring // nil until unlocked
	opened  string             // by what it was unlocked
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

// Create makes a new key. The mnemonic is the only copy of the key outside the wallet;
// it is not kept.
func (w *Wallet) Create(name string, kind Kind, opts ...Option) (Key, string, error) {
	m := made(opts)
	mnemonic, err := newMnemonic(m.words)
	if err != nil {
		return Key{}, "", err
	}
	key, err := w.Import(name, kind, mnemonic, opts...)
	if err != nil {
		return Key{}, "", err
	}
	return key, mnemonic, nil
}

// List returns the keys by name. It needs no passphrase.
func (w *Wallet) List() ([]Key, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries, err := w.readIndex()
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	keys := make([]Key, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	return keys, nil
}

// Get returns the key of a name or an address. It needs no passphrase. The error wraps
// [ErrNotFound] where there is none.
func (w *Wallet) Get(nameOrAddress string) (Key, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, err := w.find(nameOrAddress)
	return e.Key, err
}

// find is the entry of a name or an address; w.mu is held.
func (w *Wallet) find(nameOrAddress string) (entry, error) {
	entries, err := w.readIndex()
	if err != nil {
		return entry{}, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Name == nameOrAddress || e.Address == nameOrAddress {
			return e, nil
		}
		names = append(names, e.Name)
	}
	have := "it is empty"
	if len(names) > 0 {
		have = "it has " + strings.Join(names, ", ")
	}
	return entry{}, fmt.Errorf("%w: %q; %s", ErrNotFound, nameOrAddress, have)
}

// Signer returns what signs with a key, by name or address. For one that is not here
// the error wraps [ErrAbsent].
func (w *Wallet) Signer(nameOrAddress string) (*Signer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, err := w.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if s := w.signers[e.Name]; s != nil {
		return s, nil
	}
	var s *Signer
	switch e.Held {
	case Here:
		s, err = w.readSigner(e.Key)
	case Ledger:
		var pub cryptotypes.PubKey
		if pub, err = ParsePubKey(e.PublicKey); err == nil {
			s, err = newLedgerSigner(e.Path, pub)
		}
	default:
		err = fmt.Errorf("%w: %q is %s", ErrAbsent, e.Name, e.Held.words())
	}
	if err != nil {
		return nil, err
	}
	w.signers[e.Name] = s
	return s, nil
}

// Absent stands for a key, by name or address, without opening it: transactions can be
// made and tried for it. It needs no passphrase.
func (w *Wallet) Absent(nameOrAddress string) (*Signer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, err := w.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if len(e.PublicKey) == 0 {
		return AbsentAddress(e.Address)
	}
	pub, err := ParsePubKey(e.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("wallet: %s has a damaged public key of %q: %w", w.indexPath(), e.Name, err)
	}
	if e.Held == Ledger {
		return newLedgerSigner(e.Path, pub)
	}
	return NewAbsentSigner(pub)
}

// PubKey returns a key's public key, by name or address. It asks for the passphrase
// only for keys that an older version of this program has added.
func (w *Wallet) PubKey(nameOrAddress string) (cryptotypes.PubKey, error) {
	s, err := w.Absent(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if s.pub != nil {
		return s.pub, nil
	}
	if s, err = w.Signer(nameOrAddress); err != nil {
		return nil, fmt.Errorf("the public key of %s is not known: %w", nameOrAddress, err)
	}
	return s.pub, nil
}
