// Package vrfkey keeps a validator's VRF keys in a file: config/vrf_key.json in a
// node's home, beside priv_validator_key.json, readable by its owner alone.
//
// The file holds all keys that may be in force now or soon, the newest last: one
// that was registered takes effect many blocks later, and until then the node still
// proves with the one before.
//
//	{"keys": [{"public_key": "base64", "secret": "base64"}]}
package vrfkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lodenet/lode/x/seed/vrf"
)

// Name is the file's, below a node's home.
var Name = filepath.Join("config", "vrf_key.json")

// File is what a key file holds.
type File struct {
	Keys []vrf.Key // the newest last
}

type fileJSON struct {
	Keys []keyJSON `json:"keys"`
}

type keyJSON struct {
	Public []byte `json:"public_key"`
	Secret []byte `json:"secret"`
}

// Read reads a key file. Where there is none, the error wraps os.ErrNotExist.
func Read(path string) (File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	var v fileJSON
	if err := json.Unmarshal(raw, &v); err != nil {
		return File{}, fmt.Errorf("%s is no file of VRF keys: %w", path, err)
	}
	var f File
	for i, k := range v.Keys {
		key, err := vrf.FromSecret(k.Secret)
		if err != nil {
			return File{}, fmt.Errorf("%s, key %d: %w", path, i+1, err)
		}
		if !bytes.Equal(key.Public(), k.Public) {
			return File{}, fmt.Errorf("%s, key %d: the public key is %x, that of the secret %x", path, i+1, k.Public, key.Public())
		}
		f.Keys = append(f.Keys, key)
	}
	return f, nil
}

// ReadOrMake reads a key file, and makes one with a new key where there is none.
func ReadOrMake(path string) (File, error) {
	f, err := Read(path)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	key, err := vrf.Generate(nil)
	if err != nil {
		return File{}, err
	}
	f = File{Keys: []vrf.Key{key}}
	return f, f.Write(path)
}

// Write writes a key file at once: who reads it meanwhile reads the old or the new.
func (f File) Write(path string) (err error) {
	var v fileJSON
	for _, k := range f.Keys {
		v.Keys = append(v.Keys, keyJSON{k.Public(), k.Secret()})
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".vrf_key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err := tmp.Write(append(raw, '\n')); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Find is the key of a public key.
func (f File) Find(public []byte) (vrf.Key, bool) {
	for _, k := range f.Keys {
		if bytes.Equal(k.Public(), public) {
			return k, true
		}
	}
	return vrf.Key{}, false
}

// With is the file with one more key, the newest.
func (f File) With(key vrf.Key) File { return File{append(slices.Clone(f.Keys), key)} }

// Keep is the file without the keys that are not among some.
func (f File) Keep(publics ...[]byte) File {
	return File{slices.DeleteFunc(slices.Clone(f.Keys), func(k vrf.Key) bool {
		return !slices.ContainsFunc(publics, func(p []byte) bool { return bytes.Equal(p, k.Public()) })
	})}
}
