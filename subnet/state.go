package subnet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// stateVersion is the version of the state file's format.
const stateVersion = 1

// state is what a validator keeps over restarts.
type state struct {
	Version  int       `json:"version"`
	ChainID  string    `json:"chain_id"`
	SubnetID uint64    `json:"subnet_id"`
	Hotkey   string    `json:"hotkey"`
	Averages averages  `json:"averages"`
	Commits  []*opened `json:"commits"`
	// LastEpoch is the epoch of the last weights sent; nil if none were.
	LastEpoch *uint64 `json:"last_epoch"`
}

// opened is a commit with what opens it.
type opened struct {
	Hash    hexBytes `json:"hash"`
	Salt    hexBytes `json:"salt"`
	Weights Weights  `json:"weights"`
	Epoch   uint64   `json:"epoch"` // that it was meant for; the chain's word counts
}

func newState(chainID string, subnetID uint64, hotkey string) *state {
	return &state{Version: stateVersion, ChainID: chainID, SubnetID: subnetID, Hotkey: hotkey, Averages: averages{}}
}

// loadState reads a state file. A file that is missing gives a fresh state. One that
// can't be used (damaged, of another version, chain, subnet or hotkey) is renamed
// aside, never overwritten: aside is then its new name and why says what is wrong with
// it. An error means that nothing could be read or renamed.
func loadState(path, chainID string, subnetID uint64, hotkey string) (st *state, aside string, why, err error) {
	fresh := newState(chainID, subnetID, hotkey)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, "", nil, nil
	}
	if err != nil {
		return nil, "", nil, err
	}
	st, why = parseState(raw, fresh)
	if why == nil {
		return st, "", nil, nil
	}
	aside, err = setAside(path)
	if err != nil {
		return nil, "", nil, fmt.Errorf("state file %s can't be used (%w) nor renamed: %w", path, why, err)
	}
	return fresh, aside, why, nil
}

func parseState(raw []byte, want *state) (*state, error) {
	st := &state{}
	if err := json.Unmarshal(raw, st); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	switch {
	case st.Version != want.Version:
		return nil, fmt.Errorf("it is of version %d, this program reads version %d", st.Version, want.Version)
	case st.ChainID != want.ChainID:
		return nil, fmt.Errorf("it belongs to chain %q, this is %q", st.ChainID, want.ChainID)
	case st.SubnetID != want.SubnetID:
		return nil, fmt.Errorf("it belongs to the subnet with the permanent id %d, this is %d", st.SubnetID, want.SubnetID)
	case st.Hotkey != want.Hotkey:
		return nil, fmt.Errorf("it belongs to hotkey %s, this is %s", st.Hotkey, want.Hotkey)
	}
	if st.Averages == nil {
		st.Averages = averages{}
	}
	for hotkey, avg := range st.Averages {
		if !(avg.Value >= 0) { // JSON has no infinities
			return nil, fmt.Errorf("it is damaged: the average of %s is %v", hotkey, avg.Value)
		}
	}
	for _, c := range st.Commits {
		if c == nil || len(c.Hash) != 32 || len(c.Salt) != 32 || len(c.Weights.UIDs) != len(c.Weights.Values) {
			return nil, errors.New("it is damaged: a commit is incomplete")
		}
	}
	return st, nil
}

// setAside renames a file to the first free name PATH.bad-N.
func setAside(path string) (string, error) {
	for i := 1; ; i++ {
		aside := fmt.Sprintf("%s.bad-%d", path, i)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(path, aside)
		} else if err != nil {
			return "", err
		}
	}
}

// save replaces the state file in one step: after a crash there is the old one or the
// new one, whole.
func (st *state) save(path string) error {
	raw, err := json.MarshalIndent(st, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600: salts are secret until revealed
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// commit returns what opens a hash.
func (st *state) commit(hash [32]byte) *opened {
	for _, c := range st.Commits {
		if [32]byte(c.Hash) == hash {
			return c
		}
	}
	return nil
}

// forget drops commits that are not open on chain and can't become so any more. It says
// whether there were any.
func (st *state) forget(open []Commit, epoch, revealPeriod uint64) bool {
	before := len(st.Commits)
	st.Commits = slices.DeleteFunc(st.Commits, func(c *opened) bool {
		isOpen := slices.ContainsFunc(open, func(o Commit) bool { return o.Hash == [32]byte(c.Hash) })
		return !isOpen && c.Epoch+revealPeriod+1 < epoch
	})
	return len(st.Commits) != before
}

// hexBytes are bytes that are hexadecimal in JSON.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}
