package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/vrfkey"
)

// State says how bad a finding is.
type State string

// States, the best first.
const (
	OK      State = "ok"
	Skipped State = "skipped" // it could not be told
	Warning State = "warning"
	Failed  State = "failed"
)

var badness = map[State]int{OK: 0, Skipped: 1, Warning: 2, Failed: 3}

// Finding is what one check of a node found.
type Finding struct {
	Check string `json:"check"`
	State State  `json:"state"`
	Says  string `json:"says"`
	Do    string `json:"do"` // what to do; empty where there is nothing to do
}

// note collects what a check finds: the worst decides.
type note struct {
	state    State
	says, do []string
}

func (n *note) add(state State, says, do string) {
	if badness[state] > badness[n.state] {
		n.state = state
	}
	n.says = append(n.says, says)
	if do != "" {
		n.do = append(n.do, do)
	}
}

// doctor examines one home.
type doctor struct {
	home     string
	settings settings
	loaded   bool
	genesis  *genutiltypes.AppGenesis // nil: there is none that can be read
	target   time.Duration            // between blocks; 0: unknown
	key      cryptotypes.PubKey       // the validator's; nil: unknown
	remote   bool                     // a remote signer has the validator's key
	vrf      vrfkey.File

	own     *source   // the home's node, if it answers
	others  []*source // nodes to compare with
	silent  []string  // those of them that don't answer
	now     func() time.Time
	context context.Context
	found   []Finding
}

// Diagnose examines a home and, where it runs, its node: what is wrong, and what to
// do. others are CometBFT RPC URLs of nodes to compare with. The error wraps
// [ErrNoNode] where there is no folder to examine.
func Diagnose(ctx context.Context, home string, others []string) ([]Finding, error) {
	if info, err := os.Stat(home); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is no folder. Make one with `lode node init --home %s`, or name another with --home", ErrNoNode, home, home)
	}
	d := &doctor{home: home, now: time.Now, context: ctx}
	d.check("configuration", d.configuration)
	d.check("genesis", d.genesisFile)
	d.check("keys", d.keys)
	d.connect(others)
	d.check("version", d.version)
	d.check("disk", d.disk)
	d.check("ports", d.ports)
	d.check("clock", d.clock)
	d.check("peers", d.peers)
	d.check("blocks", d.blocks)
	d.check("VRF key", d.registered)
	return d.found, nil
}

// check runs one check. A file that makes a library panic is a finding, too.
func (d *doctor) check(name string, f func(*note)) {
	n := &note{state: OK}
	func() {
		defer func() {
			if r := recover(); r != nil {
				n.add(Failed, fmt.Sprintf("this can't be examined: %v", r), "")
			}
		}()
		f(n)
	}()
	d.found = append(d.found, Finding{Check: name, State: n.state, Says: strings.Join(n.says, "; "), Do: strings.Join(n.do, "; ")})
}

func (d *doctor) path(name string) string { return filepath.Join(d.home, "config", name) }

func (d *doctor) configuration(n *note) {
	if missing(d.path("config.toml")) || missing(d.path("app.toml")) {
		n.add(Failed, "config.toml or app.toml is not in "+filepath.Join(d.home, "config"),
			"`lode node init --home "+d.home+"` writes those that are missing, if there is no genesis; else copy them from another node")
		return
	}
	s, err := load(d.home)
	if errors.Is(err, ErrNoNode) {
		err = nil // only the genesis is missing: the next check says so
	}
	if err != nil {
		n.add(Failed, err.Error(), "correct the file, or take that of a new home: `lode node init --home NEW`")
		return
	}
	d.settings, d.loaded = s, true
	d.remote = s.comet.PrivValidatorListenAddr != ""
	if s.app.MinGasPrices == "" {
		n.add(Warning, "the node takes transactions that pay nothing", `set minimum-gas-prices = "0.01rao" in app.toml`)
	}
	if !s.comet.P2P.AllowDuplicateIP && strings.Contains(s.comet.P2P.PersistentPeers, "@127.") {
		n.add(Warning, "peers on this machine share its address, and allow_duplicate_ip is off", "set allow_duplicate_ip = true in config.toml")
	}
	if s.comet.Mempool.MaxTxBytes < maxTxBytes {
		n.add(Warning, fmt.Sprintf("the mempool refuses transactions over %d bytes; a row of weights may have %d", s.comet.Mempool.MaxTxBytes, maxTxBytes),
			fmt.Sprintf("set max_tx_bytes = %d in config.toml", maxTxBytes))
	}
	if n.state == OK {
		n.add(OK, "config.toml and app.toml are read without complaint", "")
	}
}

func (d *doctor) genesisFile(n *note) {
	file := d.path("genesis.json")
	if missing(file) {
		n.add(Failed, "there is no genesis: "+file, "`lode node import GENESIS --home "+d.home+"` brings that of the chain to join")
		return
	}
	genesis, err := genutiltypes.AppGenesisFromFile(file)
	if err != nil {
		n.add(Failed, fmt.Sprintf("%s can't be read: %v", file, err), "get the chain's genesis again from another node")
		return
	}
	d.genesis = genesis
	if d.target, err = app.CheckGenesis(genesis); err != nil {
		n.add(Failed, fmt.Sprintf("%s is no genesis of this program: %v", file, err), "use the version of lode that the chain runs, or get its genesis again")
		return
	}
	n.add(OK, fmt.Sprintf("chain %s, a block every %s", genesis.ChainID, d.target), "")
	if !d.loaded {
		return
	}
	if commit := d.settings.comet.Consensus.TimeoutCommit; commit > 3*d.target/2 {
		n.add(Warning, fmt.Sprintf("timeout_commit is %s, more than the chain's target of %s: as proposer this node is slow", commit, d.target),
			fmt.Sprintf("set timeout_commit = %q in config.toml", d.target))
	}
}

func (d *doctor) version(n *note) {
	switch {
	case d.own != nil && d.own.version != app.Version:
		n.add(Warning, fmt.Sprintf("the node that runs is lode %s, this program is %s", d.own.version, app.Version), "restart the node, or call the doctor of its own version")
	case d.genesis != nil && d.genesis.AppVersion != app.Version:
		n.add(OK, fmt.Sprintf("this is lode %s and reads the genesis, which %s made", app.Version, d.genesis.AppVersion), "")
	case d.genesis != nil:
		n.add(OK, "lode "+app.Version+", that of the genesis", "")
	default:
		n.add(Skipped, "lode "+app.Version+"; there is no genesis to compare with", "")
	}
	for _, o := range d.others {
		if o.version != app.Version {
			n.add(Warning, fmt.Sprintf("%s runs %s", o.url, o.version), "use the version that the chain's validators run")
		}
	}
}

// genesisValidators are the consensus addresses of a genesis' validators.
func genesisValidators(genesis *genutiltypes.AppGenesis) (addresses [][]byte, err error) {
	staking, err := genesisStaking(genesis)
	if err != nil {
		return nil, err
	}
	for _, v := range staking.Validators {
		address, err := v.GetConsAddr()
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// genesisStaking is the staking module's part of a genesis.
func genesisStaking(genesis *genutiltypes.AppGenesis) (staking stakingtypes.GenesisState, err error) {
	var state map[string]json.RawMessage
	if err := json.Unmarshal(genesis.AppState, &state); err != nil {
		return staking, err
	}
	return staking, app.MakeEncodingConfig().Codec.UnmarshalJSON(state[stakingtypes.ModuleName], &staking)
}
