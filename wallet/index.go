package wallet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// index is the file keys.json.
type index struct {
	Version int     `json:"version"`
	Keys    []entry `json:"keys"`
}

// entry is a key with what of it is public, so that looking needs no passphrase.
type entry struct {
	Key
	PublicKey json.RawMessage `json:"public_key,omitempty"`
	Path      string          `json:"path,omitempty"` // of a Ledger's key
}

const indexVersion = 1

func (w *Wallet) indexPath() string   { return filepath.Join(w.dir, "keys.json") }
func (w *Wallet) keyringDir() string  { return filepath.Join(w.dir, "keyring-file") }
func (w *Wallet) keyhashPath() string { return filepath.Join(w.keyringDir(), "keyhash") }

// keyPath is the encrypted record of a key.
func (w *Wallet) keyPath(name string) string { return filepath.Join(w.keyringDir(), recordOf(name)) }

// readIndex returns the keys that the index names and the keyring holds, and those that
// are elsewhere, by name. An entry is written before its key, so that one without a key
// is a crash's and counts for nothing.
func (w *Wallet) readIndex() ([]entry, error) {
	raw, err := os.ReadFile(w.indexPath())
	if errors.Is(err, fs.ErrNotExist) {
		if n := w.records(); n > 0 {
			return nil, fmt.Errorf("wallet: %s is missing, by which the %d keys in %s are found: restore it from a backup; the SDK's tools read them without it (--keyring-backend file --keyring-dir %s)",
				w.indexPath(), n, w.keyringDir(), w.dir)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	var x index
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, fmt.Errorf("wallet: %s is damaged: %w; the keys themselves are in %s", w.indexPath(), err, w.keyringDir())
	}
	if x.Version != indexVersion {
		return nil, fmt.Errorf("wallet: %s is of version %d, this program reads version %d; use the version that made it",
			w.indexPath(), x.Version, indexVersion)
	}
	keys := slices.DeleteFunc(x.Keys, func(k entry) bool {
		if checkName(k.Name) != nil {
			return true
		}
		_, err := os.Stat(w.keyPath(k.Name))
		return k.Held == Here && errors.Is(err, fs.ErrNotExist)
	})
	slices.SortFunc(keys, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	return keys, nil
}

// records counts the keys that the keyring holds.
func (w *Wallet) records() (n int) {
	files, _ := os.ReadDir(w.keyringDir()) // where it can't be read, there is no key to find
	for _, f := range files {
		if strings.HasSuffix(f.Name(), recordOf("")) {
			n++
		}
	}
	return n
}

func (w *Wallet) writeIndex(keys []entry) error {
	raw, err := json.MarshalIndent(index{Version: indexVersion, Keys: keys}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(w.indexPath(), append(raw, '\n'))
}

// writeFile replaces a file, mode 0600, so that a reader sees the old or the new
// content, never a part. The wallet is locked: what is there under the passing name is a
// crash's, or a link that somebody has put there, which is not followed.
func writeFile(path string, data []byte) error {
	passing := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(passing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(passing, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncPath(filepath.Dir(path))
}

// syncPath waits until a file, or what names a folder holds, is on the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lock makes the folder and keeps other processes from changing the wallet until
// unlock. The kernel drops the lock of a process that dies.
func (w *Wallet) lock() (unlock func(), err error) {
	for _, dir := range []string{w.dir, w.keyringDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("wallet: the folder can't be made: %w", err)
		}
		// It may have been there, open to others.
		if err := os.Chmod(dir, 0o700); err != nil {
			return nil, fmt.Errorf("wallet: %w", err)
		}
	}
	f, err := os.OpenFile(filepath.Join(w.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("wallet: %s can't be locked: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}
