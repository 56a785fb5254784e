package localnet

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/lodenet/lode/wallet"
)

// homeVersion is the layout of a home that this program reads and writes.
const homeVersion = 1

// Errors that callers branch on.
var (
	// ErrHomeInUse says that another process runs the network of a home.
	ErrHomeInUse = errors.New("the network of this home is already running")
	// ErrHomeVersion says that a home was written by another version.
	ErrHomeVersion = errors.New("the home was written by another version of lode")
	// ErrForeignWallet says that a home has a wallet whose passphrase it doesn't hold.
	ErrForeignWallet = errors.New("this home has a wallet with a passphrase of its own")
	// ErrNoNetwork says that there is no network in a home.
	ErrNoNetwork = errors.New("there is no local network in this home")
)

// Info is what a home says about its network: the file network.json, by which
// client commands find the node.
type Info struct {
	Version   int       `json:"version"`
	ChainID   string    `json:"chain_id"`
	Endpoints Endpoints `json:"endpoints"`
	P2PPort   int       `json:"p2p_port"`
	PID       int       `json:"pid"` // of the process that runs it, 0 when it stopped
	// FirstPaidSeconds is the time from the first block to the first miner's pay, in
	// the chain's time; null until then.
	FirstPaidSeconds *float64 `json:"first_paid_seconds"`
}

// Paths inside a home.
func infoPath(home string) string { return filepath.Join(home, "network.json") }
func lockPath(home string) string { return filepath.Join(home, "lock") }
func nodeDir(home string) string  { return filepath.Join(home, "node") }
func stateDir(home string) string { return filepath.Join(home, "state") }

// GatewayDir is where the gateway of a service keeps what customers have promised: the one
// folder of whoever sells or redeems it with this home.
func GatewayDir(home, chainID string, service uint64) string {
	return filepath.Join(home, "market", chainID, strconv.FormatUint(service, 10))
}

// WalletDir is where a home's keys are.
func WalletDir(home string) string { return filepath.Join(home, "wallet") }

// PassphraseFile is where a home's passphrase is, mode 0600.
func PassphraseFile(home string) string { return filepath.Join(home, "passphrase") }

// ReadInfo reads what a home says about its network. The error wraps
// [ErrNoNetwork] where there is none and [ErrHomeVersion] where it can't be read
// by this version.
func ReadInfo(home string) (Info, error) {
	raw, err := os.ReadFile(infoPath(home))
	if errors.Is(err, os.ErrNotExist) {
		return Info{}, fmt.Errorf("%w: %s. Start one with `lode up --home %s`, or name a node with --node URL", ErrNoNetwork, home, home)
	}
	if err != nil {
		return Info{}, err
	}
	var i Info
	if err := json.Unmarshal(raw, &i); err != nil {
		return Info{}, fmt.Errorf("%s is damaged (%v): start over with `lode up --fresh`", infoPath(home), err)
	}
	if i.Version != homeVersion {
		return Info{}, fmt.Errorf("%w: %s has layout %d, this program has %d. Use the version that made it, another --home, or start over with `lode up --fresh`",
			ErrHomeVersion, home, i.Version, homeVersion)
	}
	return i, nil
}

// writeInfo replaces network.json as a whole.
func writeInfo(home string, i Info) error {
	i.Version = homeVersion
	raw, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(infoPath(home), append(raw, '\n'), 0o644)
}

// writeFile writes a file so that a reader sees the old or the new content, never
// a part.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed, as it should
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// lockHome makes a home this process's own until the returned file is closed. The
// kernel drops the lock of a process that dies.
func lockHome(home string) (*os.File, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("the home %s can't be made: %w", home, err)
	}
	f, err := os.OpenFile(lockPath(home), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s. Stop it first (Ctrl-C where it runs), or use another --home", ErrHomeInUse, home)
		}
		return nil, err
	}
	return f, nil
}

// leaveNothing removes a home that was made for nothing. One that holds more than its
// lock stays: the next start goes on with it.
func leaveNothing(home string) {
	if entries, err := os.ReadDir(home); err == nil && len(entries) == 1 {
		_ = os.Remove(lockPath(home)) // then the folder is not empty and stays, too
		_ = os.Remove(home)
	}
}

// ours are the names that --fresh deletes; anything else in a home stays.
// What was paid, and promised, on this chain ends with it; a home may have books of others.
var ours = []string{"network.json", "node", "state", "wallet", "passphrase", filepath.Join("market", ChainID), filepath.Join("pay", ChainID)}

// clearHome removes the network of a home, and nothing else. It refuses a folder that
// never was one. A wallet with keys that the network did not make for itself is kept
// aside, with its passphrase: kept is where, or empty.
func clearHome(home string) (kept string, err error) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return "", err
	}
	_, noInfo := os.Stat(infoPath(home))
	_, noPassphrase := os.Stat(PassphraseFile(home))
	if noInfo != nil && noPassphrase != nil && len(entries) > 1 { // the lock is there
		return "", fmt.Errorf("%s is no home of a local network: --fresh will not delete what is in it. Use an empty --home", home)
	}
	own, err := onlyOwnKeys(home)
	if err != nil {
		return "", err
	}
	if !own {
		if kept, err = os.MkdirTemp(home, "kept-"); err != nil {
			return "", err
		}
		for _, from := range []string{WalletDir(home), PassphraseFile(home)} {
			if err := os.Rename(from, filepath.Join(kept, filepath.Base(from))); err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", err
			}
		}
	}
	for _, name := range ours {
		if err := os.RemoveAll(filepath.Join(home, name)); err != nil {
			return "", err
		}
	}
	return kept, nil
}

// onlyOwnKeys says whether a home's wallet holds only keys that a network makes for
// itself.
func onlyOwnKeys(home string) (bool, error) {
	if _, err := os.Stat(WalletDir(home)); errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	w, err := wallet.Open(WalletDir(home), func(bool) (string, error) { return "", errors.New("no key is opened here") })
	if err != nil {
		return false, err
	}
	keys, err := w.List()
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if !ownKey.MatchString(k.Name) {
			return false, nil
		}
	}
	return true, nil
}

// Passphrase reads a home's passphrase, or makes a random one.
func Passphrase(home string) (string, error) {
	raw, err := os.ReadFile(PassphraseFile(home))
	if err == nil && len(raw) >= 8 {
		return string(raw), nil
	}
	if err == nil {
		return "", fmt.Errorf("%s is damaged: without it the keys of this home can't be opened; start over with `lode up --fresh`", PassphraseFile(home))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if keys, err := os.ReadDir(WalletDir(home)); err == nil && len(keys) > 0 {
		return "", fmt.Errorf("%w: %s. Use another --home, or write its passphrase into %s (mode 0600)", ErrForeignWallet, WalletDir(home), PassphraseFile(home))
	}
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	p := hex.EncodeToString(b)
	return p, writeFile(PassphraseFile(home), []byte(p), 0o600)
}
