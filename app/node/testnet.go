package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/x/seed/vrf"
)

const (
	// MaxTestnet is the most validators of a test network: every node has all the
	// others as peers.
	MaxTestnet = 50
	// testnetPorts is how far a node's ports lie from those of the next.
	testnetPorts = 10

	testnetBond    = 100_000_000_000   // rao that each validator bonds
	testnetBalance = 1_000_000_000_000 // rao that each operator has beside it
)

// TestnetOptions say what network on this machine to write.
type TestnetOptions struct {
	Validators int
	ChainID    string
	BlockTime  time.Duration // target; 0: 1 s
	// StartingPort is node0's for peers. RPC, REST and gRPC listen on the three that
	// follow, the next node's lie ten further.
	StartingPort int
	// SnapshotInterval is how many blocks lie between two snapshots of the state, which
	// every node serves to those that join; 0: there are none.
	SnapshotInterval int64
	// Build is the chain's profile: app.LocalGenesis or app.MainnetGenesis.
	Build func(app.Genesis) (*genutiltypes.AppGenesis, error)
	// Operators makes the validators' accounts, one for each name, in dir, which
	// becomes the network's folder.
	Operators func(dir string, names []string) (addresses []string, err error)
}

// TestnetNode is a node of a network that [Testnet] wrote.
type TestnetNode struct {
	Home     string
	NodeID   string
	Operator string // the validator's account
	Endpoints
}

// Testnet writes the homes of a network's validators, node0 to nodeN-1 below dir:
// configuration that joins them on loopback, one genesis, keys for each. dir must be
// empty or not be there; where something fails it is left as it was.
func Testnet(dir string, opts TestnetOptions) (nodes []TestnetNode, err error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 {
		return nil, fmt.Errorf("%w: %s is not empty. Use another folder, or delete it", ErrExists, dir)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the test network's folder can't be used: %w", err)
	}
	if err := opts.tryGenesis(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, fmt.Errorf("the test network's folder can't be made: %w", err)
	}
	// It appears at once and whole: a folder with half of the validators would start,
	// and stand still.
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return nil, fmt.Errorf("the test network's folder can't be made: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if nodes, err = opts.write(tmp); err != nil {
		return nil, err
	}
	for i := range nodes {
		nodes[i].Home = filepath.Join(dir, nodeName(i))
	}
	return nodes, os.Rename(tmp, dir)
}

func nodeName(i int) string { return "node" + strconv.Itoa(i) }

func (o TestnetOptions) check() error {
	if o.Validators < 1 || o.Validators > MaxTestnet {
		return fmt.Errorf("a test network of %d validators: must have 1 to %d", o.Validators, MaxTestnet)
	}
	if o.BlockTime < 0 {
		return fmt.Errorf("a target block time of %s: must be positive", o.BlockTime)
	}
	if o.SnapshotInterval < 0 {
		return fmt.Errorf("a snapshot every %d blocks: must be 1 or more, or 0 for none", o.SnapshotInterval)
	}
	if err := o.settings(0).Check(); err != nil {
		return err
	}
	last := 65_535 - o.Validators*testnetPorts + 1
	if o.StartingPort < 1_024 || o.StartingPort > last {
		return fmt.Errorf("the starting port %d: must be 1024 to %d, since each of %d nodes takes %d ports", o.StartingPort, last, o.Validators, testnetPorts)
	}
	return nil
}

// genesis is the network's, with the keys of its validators.
func (o TestnetOptions) genesis(operators []string, keys []Keys) (*genutiltypes.AppGenesis, error) {
	g := app.Genesis{ChainID: o.ChainID, Time: time.Now(), BlockTime: o.BlockTime}
	for i, k := range keys {
		g.Balances = append(g.Balances, app.Balance{Address: operators[i], Rao: testnetBalance})
		g.Validators = append(g.Validators, app.Validator{
			Operator: operators[i], ConsensusKey: k.Consensus, VRFKey: k.VRF, SelfBond: testnetBond, Moniker: nodeName(i),
		})
	}
	return o.Build(g)
}

// tryGenesis says what is wrong with chain id and times before anything is made.
func (o TestnetOptions) tryGenesis() error {
	stand, err := vrf.Generate(nil)
	if err != nil {
		return err
	}
	key := ed25519.GenPrivKey().PubKey()
	_, err = o.genesis([]string{sdk.AccAddress(key.Address()).String()}, []Keys{{Consensus: key, VRF: stand.Public()}})
	return err
}

// write makes all homes below dir.
func (o TestnetOptions) write(dir string) ([]TestnetNode, error) {
	var names []string
	for i := range o.Validators {
		names = append(names, "validator-"+strconv.Itoa(i))
	}
	operators, err := o.Operators(dir, names)
	if err != nil {
		return nil, err
	}
	if len(operators) != len(names) {
		return nil, fmt.Errorf("%d accounts for %d validators", len(operators), len(names))
	}
	nodes, keys := make([]TestnetNode, o.Validators), make([]Keys, o.Validators)
	for i := range nodes {
		home := filepath.Join(dir, nodeName(i))
		if keys[i], err = Prepare(home, o.settings(i)); err != nil {
			return nil, err
		}
		key, err := p2p.LoadNodeKey(cometConfig(home, Settings{}).NodeKeyFile())
		if err != nil {
			return nil, err
		}
		port := o.StartingPort + i*testnetPorts
		nodes[i] = TestnetNode{Home: home, NodeID: string(key.ID()), Operator: operators[i], Endpoints: Endpoints{
			P2P: loopback(port), RPC: loopback(port + 1), REST: loopback(port + 2), GRPC: loopback(port + 3),
		}}
	}
	genesis, err := o.genesis(operators, keys)
	if err != nil {
		return nil, err
	}
	for i, n := range nodes {
		o.configure(i, n, peersOf(nodes, i))
		if err := WriteGenesis(n.Home, genesis); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (o TestnetOptions) settings(i int) Settings {
	return Settings{Moniker: nodeName(i), BlockTime: o.BlockTime, Alone: true, SnapshotInterval: o.SnapshotInterval}
}

// configure writes a node's files anew, now that all the others are known.
func (o TestnetOptions) configure(i int, n TestnetNode, peers string) {
	cfg := cometConfig(n.Home, o.settings(i))
	cfg.P2P.ListenAddress, cfg.RPC.ListenAddress = "tcp://"+n.P2P, "tcp://"+n.RPC
	cfg.P2P.PersistentPeers = peers
	cfg.P2P.MaxNumInboundPeers = max(cfg.P2P.MaxNumInboundPeers, 2*o.Validators)
	// Each has a port of its own for metrics, should they be turned on.
	cfg.Instrumentation.PrometheusListenAddr = loopback(o.StartingPort + i*testnetPorts + 4)
	cmtcfg.WriteConfigFile(filepath.Join(n.Home, "config", "config.toml"), cfg)

	app := appConfig(o.settings(i))
	app.API.Address, app.GRPC.Address = "tcp://"+n.REST, n.GRPC
	serverconfig.WriteConfigFile(filepath.Join(n.Home, "config", "app.toml"), app)
}

// peersOf are all but one, as config.toml names them.
func peersOf(nodes []TestnetNode, but int) string {
	var peers []string
	for i, n := range nodes {
		if i != but {
			peers = append(peers, n.NodeID+"@"+n.P2P)
		}
	}
	return strings.Join(peers, ",")
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
