package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"

	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/vrfkey"
	"github.com/lodenet/lode/x/seed/vrf"
)

// Errors that callers branch on.
var (
	// ErrExists says that there is a node in a home already.
	ErrExists = errors.New("there is a node in this home already")
	// ErrNoNode says that there is no node in a home.
	ErrNoNode = errors.New("there is no node in this home")
)

// InitOptions say what local network to begin.
type InitOptions struct {
	ChainID   string
	BlockTime time.Duration // target; 0: the local profile's, 1 s
	Accounts  []Account
	Validator Validator
}

// Account is an account at genesis.
type Account struct {
	Address string
	Rao     uint64
}

// Validator is the network's only validator: this node.
type Validator struct {
	OperatorAddress string // account address of the hotkey whose root stake it is
	SelfBondRao     uint64 // beside what the account has
	Moniker         string
}

// Init writes the configuration and the genesis of a local network whose only
// validator is this node; the validator's consensus key and VRF key are made in home.
// It refuses a home that has a genesis.
func Init(home string, opts InitOptions) error {
	g := app.Genesis{ChainID: opts.ChainID, Time: time.Now(), BlockTime: opts.BlockTime}
	for _, a := range opts.Accounts {
		g.Balances = append(g.Balances, app.Balance{Address: a.Address, Rao: a.Rao})
	}
	v := app.Validator{Operator: opts.Validator.OperatorAddress, SelfBond: opts.Validator.SelfBondRao, Moniker: opts.Validator.Moniker}
	return Begin(home, Settings{Moniker: v.Moniker, BlockTime: opts.BlockTime, Alone: true}, app.LocalGenesis, g, v)
}

// Begin makes the home of a node that is the only validator of a new chain. build
// is the chain's profile. What can't be a genesis leaves nothing in the home.
func Begin(home string, s Settings, build func(app.Genesis) (*genutiltypes.AppGenesis, error), g app.Genesis, v app.Validator) error {
	if err := s.Check(); err != nil {
		return err
	}
	// Keys that stand in for those that are still to be made.
	stand, err := vrf.Generate(nil)
	if err != nil {
		return err
	}
	v.ConsensusKey, v.VRFKey = ed25519.GenPrivKey().PubKey(), stand.Public()
	g.Validators = []app.Validator{v}
	if _, err := build(g); err != nil {
		return err
	}
	keys, err := Prepare(home, s)
	if err != nil {
		return err
	}
	g.Validators[0].ConsensusKey, g.Validators[0].VRFKey = keys.Consensus, keys.VRF
	genesis, err := build(g)
	if err != nil {
		return err
	}
	return WriteGenesis(home, genesis)
}

// Settings are what a new home's configuration says.
type Settings struct {
	Moniker   string
	BlockTime time.Duration // 0: 1 s
	Alone     bool          // look for no peers but those that config.toml names
	Role      Role          // "": what the SDK has by default, which serves no snapshots
	// SnapshotInterval is how many blocks lie between two snapshots of the state, which
	// nodes that join fetch. 0: as the role has it, negative: there are none.
	SnapshotInterval int64
	Peers, Seeds     []string // nodes to connect to, ID@HOST:PORT
}

// Check says what can't be in a configuration.
func (s Settings) Check() error {
	if s.SnapshotInterval > maxSnapshotInterval {
		return fmt.Errorf("a snapshot every %d blocks: at most %d", s.SnapshotInterval, maxSnapshotInterval)
	}
	if err := checkPeers(s.Peers); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	if err := checkPeers(s.Seeds); err != nil {
		return fmt.Errorf("seeds: %w", err)
	}
	return nil
}

// Keys are the public ones that a node's home has as a validator's.
type Keys struct {
	Consensus cryptotypes.PubKey
	VRF       []byte // 32 bytes
}

// Prepare makes a node's folders, configuration and keys, and returns those that its
// validator goes by. What is there already is kept; a home with a genesis is refused.
func Prepare(home string, s Settings) (keys Keys, err error) {
	if err := s.Check(); err != nil {
		return keys, err
	}
	cfg := cometConfig(home, s)
	if !missing(cfg.GenesisFile()) {
		return keys, fmt.Errorf("%w: %s. Use another home, or delete it", ErrExists, home)
	}
	for _, dir := range []string{filepath.Join(home, "config"), filepath.Join(home, "data")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return keys, fmt.Errorf("the node's home can't be made: %w", err)
		}
	}
	if path := filepath.Join(home, "config", "config.toml"); missing(path) {
		cmtcfg.WriteConfigFile(path, cfg)
	}
	if path := filepath.Join(home, "config", "app.toml"); missing(path) {
		serverconfig.WriteConfigFile(path, appConfig(s))
	}
	if _, err := p2p.LoadOrGenNodeKey(cfg.NodeKeyFile()); err != nil {
		return keys, err
	}
	key, err := privval.LoadOrGenFilePV(cfg.PrivValidatorKeyFile(), cfg.PrivValidatorStateFile()).GetPubKey()
	if err != nil {
		return keys, err
	}
	if keys.Consensus, err = cryptocodec.FromCmtPubKeyInterface(key); err != nil {
		return keys, err
	}
	file, err := vrfkey.ReadOrMake(filepath.Join(home, vrfkey.Name))
	if err != nil {
		return keys, fmt.Errorf("the node's VRF key: %w", err)
	}
	if len(file.Keys) == 0 {
		return keys, fmt.Errorf("%s has no key: delete it, and one is made", filepath.Join(home, vrfkey.Name))
	}
	keys.VRF = file.Keys[len(file.Keys)-1].Public()
	return keys, nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// cometConfig is the configuration that a new home gets.
func cometConfig(home string, s Settings) *cmtcfg.Config {
	cfg := cmtcfg.DefaultConfig()
	cfg.SetRoot(home)
	if s.Moniker != "" {
		cfg.Moniker = s.Moniker
	}
	if s.BlockTime > 0 {
		cfg.Consensus.TimeoutCommit = s.BlockTime
	}
	cfg.P2P.PexReactor = !s.Alone
	cfg.Mempool.MaxTxBytes = maxTxBytes
	cfg.Mempool.MaxTxsBytes = 64 << 20
	// Subnets' processes share a node: each follows blocks, and waits for its
	// transactions.
	cfg.RPC.MaxSubscriptionClients = 500
	cfg.RPC.MaxSubscriptionsPerClient = 50
	cfg.RPC.PprofListenAddress = ""
	// Should metrics be turned on: not to everybody.
	cfg.Instrumentation.PrometheusListenAddr = "127.0.0.1:26660"
	// Nodes on one machine or in one house are peers too.
	cfg.P2P.AddrBookStrict = false
	cfg.P2P.AllowDuplicateIP = true
	cfg.P2P.PersistentPeers, cfg.P2P.Seeds = strings.Join(s.Peers, ","), strings.Join(s.Seeds, ",")
	s.Role.applyComet(cfg)
	return cfg
}

// maxTxBytes is the largest transaction that a mempool takes: a row of 4,096
// weights has about 25 kB.
const maxTxBytes = 256 << 10

// appConfig is the application's part of it.
func appConfig(s Settings) *serverconfig.Config {
	cfg := serverconfig.DefaultConfig()
	cfg.MinGasPrices = app.MinGasPrices()
	cfg.API.Enable = true
	cfg.IAVLCacheSize = 100_000
	s.Role.applyApp(cfg)
	interval := s.SnapshotInterval
	if interval == 0 {
		interval = s.Role.snapshots()
	}
	if interval > 0 {
		cfg.StateSync.SnapshotInterval = uint64(interval)
		cfg.StateSync.SnapshotKeepRecent = snapshotsKept(interval, s.BlockTime)
	}
	return cfg
}
