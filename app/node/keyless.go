package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmttypes "github.com/cometbft/cometbft/types"
)

// WithoutKey prepares a configuration for the SDK's server, which makes a validator's
// key where there is none, even if a remote signer has it: such a key, which signs
// nothing, is made in a folder that done removes.
func WithoutKey(cfg *cmtcfg.Config) (done func() error, err error) {
	if cfg.PrivValidatorListenAddr == "" {
		return func() error { return nil }, nil
	}
	if err := removeStaleSocket(cfg.PrivValidatorListenAddr); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lode-nokey-*")
	if err != nil {
		return nil, err
	}
	cfg.PrivValidatorKey = filepath.Join(dir, "key.json")
	cfg.PrivValidatorState = filepath.Join(dir, "state.json")
	return func() error { return os.RemoveAll(dir) }, nil
}

// ErrKeyElsewhere says that a home has no validator's key, since a remote signer has it.
var ErrKeyElsewhere = errors.New("a remote signer has this validator's key")

// CheckKey says that a home's validator's key is elsewhere.
func CheckKey(cfg *cmtcfg.Config) error {
	if cfg.PrivValidatorListenAddr != "" && missing(cfg.PrivValidatorKeyFile()) {
		return ErrKeyElsewhere
	}
	return nil
}

// validator signs for a node: a key in its home, or a remote signer.
func (n *Node) validator(ctx context.Context, s *settings, nodeKey *p2p.NodeKey) (cmttypes.PrivValidator, error) {
	address := s.comet.PrivValidatorListenAddr
	if address == "" {
		return privval.LoadOrGenFilePV(s.comet.PrivValidatorKeyFile(), s.comet.PrivValidatorStateFile()), nil
	}
	signer, err := listenForSigner(ctx, address, n.app.ChainID(), nodeKey, n.log)
	if err != nil {
		return nil, err
	}
	n.signer = signer
	s.comet.PrivValidatorListenAddr = "" // listened to here
	return n.signer, nil
}
