package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

// Errors of a remote signer that callers branch on.
var (
	// ErrSignerRuns says that another signer has the key or its record.
	ErrSignerRuns = errors.New("another signer uses it")
	// ErrStateOld says that the record of what was signed last is older than what the
	// chain has of the key, or is not there.
	ErrStateOld = errors.New("the record of what was signed last can't be trusted")
)

// signerLooksBack is how many blocks a signer looks through for the key's last
// signature.
const signerLooksBack = 20

// SignerConfig says whose key to sign with, and for which node.
type SignerConfig struct {
	KeyFile   string // priv_validator_key.json
	StateFile string // priv_validator_state.json: what was signed last
	New       bool   // the key has never signed: there is no StateFile yet
	ChainID   string // nothing is signed for another
	// Connect is the node's priv_validator_laddr: tcp://HOST:PORT, unix://PATH, or
	// noise://ID@HOST:PORT with the node's id of [SignerID].
	Connect  string
	Identity string       // file with the signer's own connection key, for noise://
	Node     string       // RPC URL of a node to compare StateFile with; "": none
	Logger   *slog.Logger // default: none
}

// Signer holds a validator's key for a node elsewhere, which asks it for every
// signature. It calls the node, and calls again whenever the connection is lost.
type Signer struct {
	Address string // of the key

	guard  *guard
	dialer *signerDialer
	server *privval.SignerServer
	locks  []*os.File
	stop   sync.Once
	err    error
}

// StartSigner begins to sign for a node. What is signed last is on disk before the
// node has the signature, and no height, round and step is signed twice with another
// content. The error wraps [ErrSignerRuns] or [ErrStateOld] where it might be.
func StartSigner(ctx context.Context, c SignerConfig) (_ *Signer, err error) {
	if c.ChainID == "" {
		return nil, errors.New("the signer needs to know the chain's id")
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Signer{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.unlock())
		}
	}()
	key, err := readValidatorKey(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("the validator's key: %w", err)
	}
	if info, err := os.Stat(c.KeyFile); err != nil {
		return nil, err
	} else if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("others may read or write %s, which has mode %04o: chmod 600 %s", c.KeyFile, mode, c.KeyFile)
	}
	if err := s.lock(c.KeyFile, os.O_RDONLY); err != nil {
		return nil, err
	}
	if err := s.lock(c.StateFile+".lock", os.O_CREATE|os.O_RDWR); err != nil {
		return nil, err
	}
	last, err := c.lastSigned(key)
	if err != nil {
		return nil, err
	}
	if c.Node != "" {
		if err := c.compare(ctx, key, last); err != nil {
			return nil, err
		}
	}
	if s.dialer, err = newSignerDialer(c, logger); err != nil {
		return nil, err
	}
	if c.New { // last of all that may fail: from here on the record is there
		privval.NewFilePV(key.PrivKey, c.KeyFile, c.StateFile).LastSignState.Save()
	}
	s.Address = key.Address.String()
	s.guard = &guard{PrivValidator: privval.LoadFilePV(c.KeyFile, c.StateFile), log: logger}
	endpoint := privval.NewSignerDialerEndpoint(quiet{logger}.comet(), s.dialer.dial, privval.SignerDialerEndpointConnRetries(1))
	s.server = privval.NewSignerServer(endpoint, c.ChainID, s.guard)
	return s, s.server.Start()
}

// Stop ends the signer: after it nothing is signed.
func (s *Signer) Stop() error {
	s.stop.Do(func() {
		s.guard.end()
		s.dialer.close()
		s.err = errors.Join(s.server.Stop(), s.unlock())
	})
	return s.err
}

// lock keeps a second signer of this machine from a file.
func (s *Signer) lock(path string, mode int) error {
	f, err := os.OpenFile(path, mode, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("%w: %s is locked", ErrSignerRuns, path), f.Close())
	}
	s.locks = append(s.locks, f)
	return nil
}

func (s *Signer) unlock() error {
	var errs []error
	for _, f := range s.locks {
		errs = append(errs, f.Close())
	}
	s.locks = nil
	return errors.Join(errs...)
}

// lastSigned reads the record of what was signed last, which must be that of the key.
func (c SignerConfig) lastSigned(key privval.FilePVKey) (last privval.FilePVLastSignState, err error) {
	raw, err := os.ReadFile(c.StateFile)
	switch {
	case errors.Is(err, os.ErrNotExist) && c.New:
		return last, nil
	case errors.Is(err, os.ErrNotExist):
		return last, fmt.Errorf("%w: %s is not there. Bring it from where the key was used last; a key that has never signed begins without one with --new", ErrStateOld, c.StateFile)
	case err != nil:
		return last, err
	case c.New:
		return last, fmt.Errorf("%w: %s is there, and --new is for a key that has never signed", ErrStateOld, c.StateFile)
	}
	if err := cmtjson.Unmarshal(raw, &last); err != nil {
		return last, fmt.Errorf("%w: %s is damaged: %w", ErrStateOld, c.StateFile, err)
	}
	if last.Height < 0 || last.Round < 0 || last.Step < 0 {
		return last, fmt.Errorf("%w: %s is damaged: height %d, round %d, step %d", ErrStateOld, c.StateFile, last.Height, last.Round, last.Step)
	}
	if len(last.Signature) > 0 && !key.PubKey.VerifySignature(last.SignBytes, last.Signature) {
		return last, fmt.Errorf("%w: %s is another key's, not that of %s", ErrStateOld, c.StateFile, c.KeyFile)
	}
	return last, nil
}

// compare looks through the chain's latest blocks for a signature of the key that the
// record does not know of: a copy from before it would sign that height again.
func (c SignerConfig) compare(ctx context.Context, key privval.FilePVKey, last privval.FilePVLastSignState) error {
	node, err := ask(ctx, c.Node)
	if err != nil {
		return fmt.Errorf("%w: %s does not answer: %w", ErrNoServer, c.Node, err)
	}
	if got := node.status.NodeInfo.Network; got != c.ChainID {
		return fmt.Errorf("%w: %s is of chain %s, not of %s", ErrNoServer, c.Node, got, c.ChainID)
	}
	latest := node.status.SyncInfo.LatestBlockHeight
	for height := latest; height > max(last.Height, latest-signerLooksBack, node.status.SyncInfo.EarliestBlockHeight-1, 0); height-- {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		res, err := node.rpc.Commit(ctx, &height)
		cancel()
		if err != nil {
			return fmt.Errorf("%w: %s does not give block %d: %w", ErrNoServer, c.Node, height, err)
		}
		for _, sig := range res.Commit.Signatures {
			if sig.BlockIDFlag != cmttypes.BlockIDFlagAbsent && bytes.Equal(sig.ValidatorAddress, key.Address) {
				return fmt.Errorf("%w: it ends at height %d, and the chain has a signature of this key at %d. Bring the record from where the key signed that", ErrStateOld, last.Height, height)
			}
		}
	}
	return nil
}

// guard signs one thing at a time, nothing once it has ended, and says why where a
// record can't be written: without it, a signature is never given away.
type guard struct {
	cmttypes.PrivValidator
	log   *slog.Logger
	mu    sync.Mutex
	ended bool
}

func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

func (g *guard) sign(what string, height int64, round int32, f func() error) (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return errors.New("the signer has ended")
	}
	defer func() {
		if r := recover(); r != nil { // how CometBFT says that the disk is full
			err = fmt.Errorf("not signed: %v", r)
		}
		if err != nil {
			g.log.Error("refused to sign", "what", what, "height", height, "round", round, "err", err)
		}
	}()
	begin := time.Now()
	if err := f(); err != nil {
		return err
	}
	g.log.Debug("signed", "what", what, "height", height, "round", round, "took", time.Since(begin))
	return nil
}

// SignVote implements cmttypes.PrivValidator.
func (g *guard) SignVote(chainID string, v *cmtproto.Vote) error {
	return g.sign(strings.ToLower(strings.TrimPrefix(v.Type.String(), "SIGNED_MSG_TYPE_")), v.Height, v.Round,
		func() error { return g.PrivValidator.SignVote(chainID, v) })
}

// SignProposal implements cmttypes.PrivValidator.
func (g *guard) SignProposal(chainID string, p *cmtproto.Proposal) error {
	return g.sign("proposal", p.Height, p.Round, func() error { return g.PrivValidator.SignProposal(chainID, p) })
}
