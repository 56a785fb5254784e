package wallet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/keyring"
	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"golang.org/x/crypto/bcrypt"
)

// recordOf is the keyring's name of a key's record. It is always given whole: the SDK
// would take a name that ends in "info" for one.
func recordOf(name string) string { return name + ".info" }

// add writes a key into the wallet by write; w.mu is held.
func (w *Wallet) add(key entry, write func(sdkkeyring.Keyring) error) (Key, error) {
	if err := w.checkFree(key.Key); err != nil {
		return Key{}, err // before the passphrase is asked for
	}
	unlocked, err := w.passphrase()
	if err != nil {
		return Key{}, err
	}
	unlock, err := w.lock()
	if err != nil {
		return Key{}, err
	}
	defer unlock()
	// Another process may have been faster.
	if err := w.checkFree(key.Key); err != nil {
		return Key{}, err
	}
	keys, err := w.readIndex()
	if err != nil {
		return Key{}, err
	}
	if err := unlocked(); err != nil {
		return Key{}, err
	}
	// The index is written first: an entry without a key is ignored, while a key
	// without an entry would be lost to sight.
	if err := w.writeIndex(with(keys, key)); err != nil {
		return Key{}, fmt.Errorf("wallet: %w", err)
	}
	if err := w.writeKey(key.Name, write); err != nil {
		return Key{}, errors.Join(fmt.Errorf("wallet: key %q could not be written: %w", key.Name, err), w.writeIndex(keys))
	}
	return key.Key, nil
}

// with are keys and one more, in place of what was only watched under its name.
func with(keys []entry, key entry) []entry {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k entry) bool { return k.Name == key.Name })
	return append(keys, key)
}

// writeKey has a key written by write, whole or not at all. The keyring writes into its
// files as they stand: a crash or a full disk would leave an empty one, which counts as a
// key. So it writes in a folder aside, and the files come to their place once they are on
// the disk.
func (w *Wallet) writeKey(name string, write func(sdkkeyring.Keyring) error) (err error) {
	aside := filepath.Join(w.dir, ".new")
	if err := os.RemoveAll(aside); err != nil { // a crash's
		return err
	}
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	k, err := openKeyring(aside, w.opened)
	if err != nil {
		return err
	}
	if err := write(k); err != nil {
		return err
	}
	files, err := os.ReadDir(aside)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := syncPath(filepath.Join(aside, f.Name())); err != nil {
			return err
		}
	}
	// The wallet is locked: nobody else makes it meanwhile.
	if _, err := os.Lstat(w.keyPath(name)); err == nil {
		return fmt.Errorf("%w: %s is there, of a key that %s does not know", ErrExists, w.keyPath(name), w.indexPath())
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The record comes last: with it the key is there.
	files = slices.DeleteFunc(files, func(f fs.DirEntry) bool { return f.Name() == recordOf(name) })
	for _, f := range files {
		if err := os.Rename(filepath.Join(aside, f.Name()), filepath.Join(w.keyringDir(), f.Name())); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(aside, recordOf(name)), w.keyPath(name)); err != nil {
		return err
	}
	return syncPath(w.keyringDir())
}

// addPublic adds a key that is not here. It needs no passphrase.
func (w *Wallet) addPublic(key entry, pub cryptotypes.PubKey, opts []Option) (Key, error) {
	if err := checkName(key.Name); err != nil {
		return Key{}, err
	}
	if pub != nil {
		raw, err := MarshalPubKey(pub)
		if err != nil {
			return Key{}, err
		}
		key.PublicKey = raw
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	if key.Under, err = w.under(key.Kind, opts); err != nil {
		return Key{}, err
	}
	if err := w.checkFree(key.Key); err != nil {
		return Key{}, err
	}
	unlock, err := w.lock()
	if err != nil {
		return Key{}, err
	}
	defer unlock()
	if err := w.checkFree(key.Key); err != nil {
		return Key{}, err
	}
	keys, err := w.readIndex()
	if err != nil {
		return Key{}, err
	}
	if err := w.writeIndex(with(keys, key)); err != nil {
		return Key{}, fmt.Errorf("wallet: %w", err)
	}
	return key.Key, nil
}

// under is the coldkey that a new key is kept under; w.mu is held.
func (w *Wallet) under(kind Kind, opts []Option) (string, error) {
	name := made(opts).under
	if name == "" {
		return "", nil
	}
	if kind != Hotkey {
		return "", fmt.Errorf("%w: only hotkeys are kept under a coldkey", ErrBadName)
	}
	cold, err := w.find(name)
	if err == nil && cold.Kind != Coldkey {
		err = fmt.Errorf("%w: %q is a %s: a hotkey is kept under a coldkey", ErrBadName, cold.Name, cold.Kind)
	}
	return cold.Name, err
}

// checkFree refuses names and keys that the wallet has.
func (w *Wallet) checkFree(key Key) error {
	entries, err := w.readIndex()
	if err != nil {
		return err
	}
	for _, k := range entries {
		if k.Address == key.Address && k.Held == Watch && key.Held != Watch {
			if k.Name == key.Name {
				continue // what was only watched gets its key
			}
			return fmt.Errorf("%w: %s is watched as %q: import its key under that name", ErrExists, k.Address, k.Name)
		}
		// File systems that ignore case would make them one file.
		if strings.EqualFold(k.Name, key.Name) {
			return fmt.Errorf("%w: the name %q is that of %s %s; choose another", ErrExists, k.Name, k.Kind, k.Address)
		}
		if k.Address == key.Address {
			return fmt.Errorf("%w: %s is the %s %q", ErrExists, k.Address, k.Kind, k.Name)
		}
	}
	book, err := w.readBook()
	if err != nil {
		return err
	}
	for _, c := range book {
		if strings.EqualFold(c.Name, key.Name) {
			return fmt.Errorf("%w: the address book calls %s %q; choose another name", ErrExists, c.Address, c.Name)
		}
	}
	return nil
}

// readSigner decrypts a key; w.mu is held.
func (w *Wallet) readSigner(key Key) (*Signer, error) {
	unlocked, err := w.passphrase()
	if err != nil {
		return nil, err
	}
	if err := unlocked(); err != nil {
		return nil, err
	}
	rec, err := w.keyring.Key(recordOf(key.Name))
	if err != nil {
		return nil, fmt.Errorf("wallet: key %q can't be read from %s: %w", key.Name, w.keyPath(key.Name), err)
	}
	local := rec.GetLocal()
	if local == nil {
		return nil, fmt.Errorf("wallet: key %q is kept elsewhere and can't sign here", key.Name)
	}
	priv, ok := local.PrivKey.GetCachedValue().(cryptotypes.PrivKey)
	if !ok {
		return nil, fmt.Errorf("wallet: key %q is damaged: %s has no private key", key.Name, w.keyPath(key.Name))
	}
	s, err := newSigner(priv)
	if err != nil {
		return nil, fmt.Errorf("wallet: key %q: %w", key.Name, err)
	}
	if s.Address() != key.Address {
		return nil, fmt.Errorf("wallet: key %q is %s, but %s says %s; one of the files was exchanged", key.Name, s.Address(), w.indexPath(), key.Address)
	}
	return s, nil
}

// passphrase asks for the passphrase unless the keyring is open. What it returns opens
// the keyring, or, for a new wallet, remembers the passphrase's hash: nothing is
// written before.
func (w *Wallet) passphrase() (unlocked func() error, err error) {
	if w.keyring != nil {
		return func() error { return nil }, nil
	}
	hash, err := w.keyhash()
	if err != nil {
		return nil, err
	}
	isNew := hash == nil
	pass, err := w.pass(isNew)
	if err != nil {
		return nil, err
	}
	if isNew {
		err = checkPassphrase(pass)
	} else {
		err = w.compare(hash, pass)
	}
	if err != nil {
		return nil, err
	}
	return func() error {
		if isNew {
			if err := w.remember(pass); err != nil {
				return err
			}
		}
		return w.unlock(pass)
	}, nil
}

// checkPassphrase refuses what can't be a passphrase: bcrypt, by which it is checked,
// reads no more than [MaxPassphrase] bytes, and none from a zero on.
func checkPassphrase(pass string) error {
	switch n := len(pass); {
	case n < MinPassphrase || n > MaxPassphrase:
		return fmt.Errorf("%w: it has %d bytes, must have %d to %d", ErrBadPassphrase, n, MinPassphrase, MaxPassphrase)
	case strings.ContainsRune(pass, 0):
		return fmt.Errorf("%w: it has a byte of zero", ErrBadPassphrase)
	}
	return nil
}

// compare says whether a passphrase is the wallet's.
func (w *Wallet) compare(hash []byte, pass string) error {
	// What bcrypt does not read would encrypt new keys all the same.
	if checkPassphrase(pass) != nil {
		return fmt.Errorf("%w for the wallet in %s", ErrWrongPassphrase, w.dir)
	}
	switch err := bcrypt.CompareHashAndPassword(hash, []byte(pass)); {
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return fmt.Errorf("%w for the wallet in %s", ErrWrongPassphrase, w.dir)
	case err != nil:
		return fmt.Errorf("wallet: %s is damaged, by which the passphrase is checked; restore it from a backup: %w", w.keyhashPath(), err)
	}
	return nil
}

// keyhash returns the hash of the wallet's passphrase, nil if it has none yet.
func (w *Wallet) keyhash() ([]byte, error) {
	hash, err := os.ReadFile(w.keyhashPath())
	if err == nil {
		return hash, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	keys, err := w.readIndex()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(keys, func(k entry) bool { return k.Held == Here }) {
		return nil, fmt.Errorf("wallet: %s is missing, by which the passphrase is checked; restore it from a backup", w.keyhashPath())
	}
	return nil, nil
}

// remember writes the hash of a new wallet's passphrase; the wallet is locked. If
// another process has chosen a passphrase meanwhile, that one counts.
func (w *Wallet) remember(pass string) error {
	hash, err := w.keyhash()
	if err != nil {
		return err
	}
	if hash != nil {
		if err := w.compare(hash, pass); err != nil {
			return fmt.Errorf("another process has just made it: %w", err)
		}
		return nil
	}
	hash, err = bcrypt.GenerateFromPassword([]byte(pass), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	if err := writeFile(w.keyhashPath(), hash); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return nil
}

// unlock opens the keyring with a passphrase that is known to be right.
func (w *Wallet) unlock(pass string) (err error) {
	w.keyring, err = openKeyring(w.keyringDir(), pass)
	w.opened = pass
	return err
}

// openKeyring opens a folder of keys. The SDK's own constructor would ask the terminal
// where there is one, whatever reader it is given; so the file store is opened here, and
// only handed to it.
func openKeyring(dir, pass string) (sdkkeyring.Keyring, error) {
	db, err := keyring.Open(keyring.Config{
		AllowedBackends:  []keyring.BackendType{keyring.FileBackend},
		ServiceName:      "lode",
		FileDir:          dir,
		FilePasswordFunc: func(string) (string, error) { return pass, nil },
	})
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	return sdkkeyring.NewInMemoryWithKeyring(db, keyCodec()), nil
}
