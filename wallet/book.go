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
	"unicode"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// Contact is an address of somebody else.
type Contact struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Note    string `json:"note,omitempty"`
}

// book is the file book.json.
type book struct {
	Version  int       `json:"version"`
	Contacts []Contact `json:"contacts"`
}

const (
	bookVersion = 1
	maxContacts = 10_000
	maxNote     = 200 // bytes
)

func (w *Wallet) bookPath() string { return filepath.Join(w.dir, "book.json") }

// Contacts returns the address book, by name. It needs no passphrase.
func (w *Wallet) Contacts() ([]Contact, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.readBook()
}

func (w *Wallet) readBook() ([]Contact, error) {
	raw, err := os.ReadFile(w.bookPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	var b book
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, fmt.Errorf("wallet: %s is damaged: %w", w.bookPath(), err)
	}
	if b.Version != bookVersion {
		return nil, fmt.Errorf("wallet: %s is of version %d, this program reads version %d; use the version that made it", w.bookPath(), b.Version, bookVersion)
	}
	for i := range b.Contacts {
		c := &b.Contacts[i]
		c.Address = strings.ToLower(c.Address) // earlier versions took capitals, too
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("wallet: %s is damaged: %w", w.bookPath(), err)
		}
	}
	slices.SortFunc(b.Contacts, func(a, b Contact) int { return strings.Compare(a.Name, b.Name) })
	return b.Contacts, nil
}

func (c Contact) check() error {
	if err := checkName(c.Name); err != nil {
		return err
	}
	if _, err := parseAddress(c.Address); err != nil {
		return err
	}
	if len(c.Note) > maxNote || strings.ContainsFunc(c.Note, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%w: the note must be at most %d bytes of one line", ErrBadName, maxNote)
	}
	return nil
}

// AddContact puts an address into the book. Its name may be no other's, and no key's.
// One that looks like an address of the wallet or of the book is refused with
// [ErrLooksAlike], unless lookAlike says that it is right.
func (w *Wallet) AddContact(c Contact, lookAlike bool) error {
	if err := c.check(); err != nil {
		return err
	}
	return w.changeBook(func(list []Contact) ([]Contact, error) {
		keys, err := w.readIndex()
		if err != nil {
			return nil, err
		}
		known := map[string]string{}
		for _, k := range keys {
			known[k.Address] = k.Name
			if strings.EqualFold(k.Name, c.Name) {
				return nil, fmt.Errorf("%w: the name %q is that of %s %s; choose another", ErrExists, k.Name, k.Kind, k.Address)
			}
		}
		for _, o := range list {
			known[o.Address] = o.Name
			if strings.EqualFold(o.Name, c.Name) {
				return nil, fmt.Errorf("%w: the address book calls %s %q; choose another name", ErrExists, o.Address, o.Name)
			}
		}
		if name, ok := known[c.Address]; ok {
			return nil, fmt.Errorf("%w: %s is %q", ErrExists, c.Address, name)
		}
		for address, name := range known {
			if !lookAlike && Resembles(address, c.Address) {
				return nil, fmt.Errorf("%w: %s is not %s, %q: compare every character", ErrLooksAlike, c.Address, address, name)
			}
		}
		if len(list) >= maxContacts {
			return nil, fmt.Errorf("wallet: the address book has %d addresses, no more can be", len(list))
		}
		return append(list, c), nil
	})
}

// RemoveContact takes an address out of the book. The error wraps [ErrNotFound] where
// there is none of that name.
func (w *Wallet) RemoveContact(name string) error {
	return w.changeBook(func(list []Contact) ([]Contact, error) {
		n := len(list)
		list = slices.DeleteFunc(list, func(c Contact) bool { return c.Name == name })
		if len(list) == n {
			return nil, fmt.Errorf("%w: the address book has nobody called %q", ErrNotFound, name)
		}
		return list, nil
	})
}

func (w *Wallet) changeBook(change func([]Contact) ([]Contact, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	list, err := w.readBook()
	if err != nil {
		return err
	}
	if list, err = change(list); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(book{Version: bookVersion, Contacts: list}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(w.bookPath(), append(raw, '\n')); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return nil
}

// alike is how many characters two addresses must share at their ends, after lode1, to
// be taken for one another: people look at the first and the last ones. Two random
// addresses do so once in five million pairs.
const alike = 5

// Resembles says that two addresses differ, and could be taken for one another.
func Resembles(a, b string) bool {
	const prefix = alphatypes.Bech32Prefix + "1"
	a, b = strings.TrimPrefix(a, prefix), strings.TrimPrefix(b, prefix)
	if a == b {
		return false
	}
	short := min(len(a), len(b))
	head, tail := 0, 0
	for head < short && a[head] == b[head] {
		head++
	}
	for tail < short-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head+tail >= alike
}
