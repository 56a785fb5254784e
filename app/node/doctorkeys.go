package node

import (
	"errors"
	"fmt"
	"os"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"

	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/vrfkey"
)

const keepSafe = "bring back the copy that you kept; without one `lode node init` makes a new key, which is another validator's"

// keys examines the secrets in a home: that they are whole, and nobody else's to read.
func (d *doctor) keys(n *note) {
	cfg := cometConfig(d.home, Settings{})
	vrfPath := d.path("vrf_key.json")
	if d.loaded {
		cfg = d.settings.comet
		if path := d.settings.options.GetString(app.FlagVRFKeyFile); path != "" {
			vrfPath = path
		}
	}
	d.secret(n, "the node key", cfg.NodeKeyFile(), "the node makes another when it starts: its peers must learn the new id", func(path string) error {
		_, err := loadNodeKey(path)
		return err
	})
	if path := cfg.PrivValidatorKeyFile(); d.remote {
		n.add(OK, "a remote signer has the validator's key", "")
		if !missing(path) {
			n.add(Warning, "there is a validator's key in this home too: "+path,
				"if it is the signer's, delete it here, so that it can't sign twice; any other is of no use")
		}
	} else {
		d.secret(n, "the validator's key", cfg.PrivValidatorKeyFile(), keepSafe, d.validatorKey)
		d.signState(n, cfg.PrivValidatorStateFile())
	}
	d.secret(n, "the VRF key", vrfPath, "bring back the copy that you kept, or make one with `lode node vrf-key rotate`", func(path string) (err error) {
		if d.vrf, err = vrfkey.Read(path); err == nil && len(d.vrf.Keys) == 0 {
			err = errors.New("it holds no key")
		}
		return err
	})
	if n.state == OK {
		n.add(OK, "all are whole, and only their owner reads them", "")
	}
}

// loadNodeKey is p2p.LoadNodeKey, which takes a file without a key for one.
func loadNodeKey(path string) (*p2p.NodeKey, error) {
	key, err := p2p.LoadNodeKey(path)
	if err == nil && key.PrivKey == nil {
		return nil, errors.New("it has no key")
	}
	return key, err
}

// secret examines one file.
func (d *doctor) secret(n *note, what, path, lost string, read func(path string) error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		n.add(Failed, what+" is missing: "+path, lost)
		return
	case err != nil:
		n.add(Failed, fmt.Sprintf("%s can't be read: %v", what, err), "let the user that runs the node own "+path)
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		n.add(Failed, fmt.Sprintf("others may read or write %s: %s has mode %04o", what, path, mode), "chmod 600 "+path)
	}
	if err := read(path); err != nil {
		n.add(Failed, fmt.Sprintf("%s in %s is damaged: %v", what, path, err), lost)
	}
}

func (d *doctor) validatorKey(path string) error {
	key, err := readValidatorKey(path)
	if err != nil {
		return err
	}
	d.key, err = cryptocodec.FromCmtPubKeyInterface(key.PubKey)
	return err
}

// readValidatorKey reads the key itself: CometBFT's reader ends the process at what it
// does not like.
func readValidatorKey(path string) (key privval.FilePVKey, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return key, err
	}
	if err := cmtjson.Unmarshal(raw, &key); err != nil {
		return key, fmt.Errorf("%s: %w", path, err)
	}
	if key.PrivKey == nil || key.PubKey == nil {
		return key, errors.New("it has no key")
	}
	public := key.PrivKey.PubKey()
	if !public.Equals(key.PubKey) {
		return key, fmt.Errorf("the public key is %X, that of the secret %X", key.PubKey.Bytes(), public.Bytes())
	}
	key.Address = public.Address()
	return key, nil
}

// signState examines the record of what was signed last, which keeps a validator from
// signing twice.
func (d *doctor) signState(n *note, path string) {
	const do = "bring it back from this very node's disk; never start with an old or an empty one while blocks may have been signed since: the chain slashes who signs twice"
	raw, err := os.ReadFile(path)
	if err == nil {
		var s privval.FilePVLastSignState
		if err = cmtjson.Unmarshal(raw, &s); err == nil && s.Height < 0 {
			err = fmt.Errorf("its height is %d", s.Height)
		}
	}
	if err != nil {
		n.add(Failed, fmt.Sprintf("the record of what was signed last can't be read: %s: %v", path, err), do)
	}
}
