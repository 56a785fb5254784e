package app

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cast"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client/flags"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app/vrfkey"
	seedkeeper "github.com/lodenet/lode/x/seed/keeper"
	"github.com/lodenet/lode/x/seed/vrf"
)

// FlagVRFKeyFile is the node's option for the file with its VRF keys; by default it
// is [vrfkey.Name] in its home.
const FlagVRFKeyFile = "vrf-key-file"

// prover proves a node's part of the seed, in the blocks that it proposes. It has
// nothing to do with the chain's state: other nodes have other keys, or none.
type prover struct {
	path string // of the key file; empty: there is none
	log  log.Logger

	mu   sync.Mutex
	file vrfkey.File
	said map[string]bool // what has been logged, which is said once
}

func newProver(opts servertypes.AppOptions, logger log.Logger) *prover {
	p := &prover{path: cast.ToString(opts.Get(FlagVRFKeyFile)), log: logger, said: map[string]bool{}}
	if home := cast.ToString(opts.Get(flags.FlagHome)); p.path == "" && home != "" {
		p.path = filepath.Join(home, vrfkey.Name)
	}
	return p
}

// check reads the key file: a node begins with one that is whole, or with none.
func (p *prover) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.read()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return err
}

func (p *prover) read() (err error) {
	if p.path == "" {
		return os.ErrNotExist
	}
	p.file, err = vrfkey.Read(p.path)
	return err
}

// find is the secret of a public key. A key that the file did not have when it was
// read was perhaps written meanwhile.
func (p *prover) find(public []byte) (vrf.Key, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, ok := p.file.Find(public); ok {
		return key, nil
	}
	if err := p.read(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return vrf.Key{}, err
	}
	if key, ok := p.file.Find(public); ok {
		return key, nil
	}
	where := "this node has no file of VRF keys"
	if p.path != "" {
		where = "it is not in " + p.path
	}
	return vrf.Key{}, fmt.Errorf("the secret of the VRF key %s is missing: %s", hex.EncodeToString(public), where)
}

// frame is what a block of this node begins with. It never fails: without a proof it
// is empty, and says so in the log.
func (p *prover) frame(ctx sdk.Context, seed seedkeeper.Keeper, proposer []byte, height int64) (frame []byte) {
	defer func() {
		if r := recover(); r != nil {
			p.say(fmt.Errorf("panic: %v", r))
			frame = vrf.Frame(nil)
		}
	}()
	task, err := seed.Task(ctx, proposer, height)
	if err != nil {
		p.say(err)
		return vrf.Frame(nil)
	}
	if task.Key == nil {
		p.say(errors.New("this validator has no VRF key in force: register one with `lode node vrf-key register`"))
		return vrf.Frame(nil)
	}
	key, err := p.find(task.Key)
	if err != nil {
		p.say(fmt.Errorf("%w. Other validators refuse this node's blocks until it is there", err))
		return vrf.Frame(nil)
	}
	return vrf.Frame(key.Prove(task.Alpha))
}

// say logs why there is no proof, each reason once.
func (p *prover) say(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said[err.Error()] {
		p.said[err.Error()] = true
		p.log.Error("proposing blocks without a VRF proof", "err", err)
	}
}
