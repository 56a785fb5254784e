package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"

	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/spf13/viper"

	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"

	"github.com/lodenet/lode/app"
)

// Errors of state sync that callers branch on.
var (
	// ErrHasBlocks says that a home has blocks already: a snapshot fills empty ones only.
	ErrHasBlocks = errors.New("this home has blocks already")
	// ErrDisagree says that servers don't have the same block at a height, or not the one
	// that the operator trusts.
	ErrDisagree = errors.New("the servers disagree")
	// ErrNoSnapshot says that no peer offers a snapshot.
	ErrNoSnapshot = errors.New("no peer offers a snapshot")
	// ErrNoServer says that a server does not answer, or can't be used.
	ErrNoServer = errors.New("this server can't be used")
)

const (
	// minTrustPeriod is the least trust period that is chosen: on a network whose
	// unbonding takes a minute, for tests, a right one would end before the node starts.
	minTrustPeriod = time.Hour
	// trustBehind is how far the trusted block lies behind the latest where no snapshot is
	// known: a light client goes forward in few steps, and back block by block.
	trustBehind = 1_000
)

// StateSyncOptions say whom to believe.
type StateSyncOptions struct {
	Servers     []string // CometBFT RPC URLs, http:// or https://
	TrustHeight int64    // 0: chosen
	TrustHash   string   // of the block at TrustHeight, hexadecimal; "": the servers'
	TrustPeriod time.Duration
}

// Trust is what a node takes as given when it begins with a snapshot.
type Trust struct {
	ChainID   string
	Height    int64
	Hash      string
	Time      time.Time // of the block
	Period    time.Duration
	Servers   []string
	Given     bool // the operator named the hash; else it is the servers'
	Peers     []string
	NewPeers  bool    // the servers' own nodes, since the configuration named none
	Snapshots []int64 // heights that peers offer, the newest first; empty: nobody was asked
}

// PrepareStateSync writes the configuration of a home so that its node, which has no
// block yet, begins with a snapshot of the state that its peers have, and not with the
// genesis. It asks the servers, which must agree, for a block to trust, and the
// peers for what they offer. Nothing is written where something is wrong.
func PrepareStateSync(ctx context.Context, home string, o StateSyncOptions) (Trust, error) {
	s, err := load(home)
	if err != nil {
		return Trust{}, err
	}
	if err := o.check(); err != nil {
		return Trust{}, err
	}
	genesis, err := genutiltypes.AppGenesisFromFile(s.comet.GenesisFile())
	if err != nil {
		return Trust{}, err
	}
	if _, err := app.CheckGenesis(genesis); err != nil {
		return Trust{}, err
	}
	if err := empty(s); err != nil {
		return Trust{}, err
	}
	t := Trust{ChainID: genesis.ChainID, Period: o.TrustPeriod, Servers: o.Servers, Given: o.TrustHash != ""}
	if t.Period == 0 {
		if t.Period, err = trustPeriod(genesis); err != nil {
			return t, err
		}
	}
	servers, err := askServers(ctx, o.Servers, genesis.ChainID)
	if err != nil {
		return t, err
	}
	if t.Peers = list(s.comet.P2P.PersistentPeers); len(t.Peers) == 0 && len(list(s.comet.P2P.Seeds)) == 0 {
		t.Peers, t.NewPeers = peersOfServers(servers), true
	}
	if len(t.Peers) > 0 {
		var reached []string
		if t.Snapshots, reached, err = askSnapshots(ctx, genesis.ChainID, t.Peers); err != nil {
			return t, err
		}
		if t.NewPeers { // a server's peers may be told another address than its clients
			t.Peers = reached
		}
	}
	if err := t.choose(ctx, servers, o); err != nil {
		return t, err
	}
	return t, t.write(home)
}

func (o StateSyncOptions) check() error {
	if len(o.Servers) == 0 {
		return fmt.Errorf("%w: none is named", ErrNoServer)
	}
	for _, server := range o.Servers {
		u, err := url.Parse(server)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%w: %q is no URL like http://HOST:26657", ErrNoServer, server)
		}
	}
	if o.TrustHeight < 0 {
		return fmt.Errorf("the trusted height %d: must be 1 or more", o.TrustHeight)
	}
	if o.TrustPeriod < 0 {
		return fmt.Errorf("the trust period %s: must be more than 0", o.TrustPeriod)
	}
	if o.TrustHash == "" {
		if len(o.Servers) < 2 {
			return fmt.Errorf("%w: one alone could say anything. Name a second one, or a block that you trust: its height and its hash", ErrNoServer)
		}
		return nil
	}
	if o.TrustHeight == 0 {
		return errors.New("a trusted hash needs the height of its block")
	}
	if raw, err := hex.DecodeString(o.TrustHash); err != nil || len(raw) != 32 {
		return fmt.Errorf("the trusted hash %q: must be 64 hexadecimal digits", o.TrustHash)
	}
	return nil
}

// empty says that a home has blocks, or can't be told to have none.
func empty(s settings) (err error) {
	data := filepath.Join(s.comet.RootDir, "data")
	if !missing(filepath.Join(data, "state.db")) {
		db, err := cmtcfg.DefaultDBProvider(&cmtcfg.DBContext{ID: "state", Config: s.comet})
		if err != nil {
			return fmt.Errorf("the node's data in %s can't be read (is it running? then stop it first): %w", data, err)
		}
		state, err := sm.NewStore(db, sm.StoreOptions{}).Load()
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		if state.LastBlockHeight > 0 {
			return hasBlocks(s, state.LastBlockHeight)
		}
	}
	if missing(filepath.Join(data, "application.db")) {
		return nil
	}
	db, err := openState(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if height := rootmulti.GetLatestVersion(db); height > 0 {
		return hasBlocks(s, height)
	}
	return nil
}

func hasBlocks(s settings, height int64) error {
	return fmt.Errorf("%w: up to %d, in %s. Use a new home: `lode node init`, then `lode node import`", ErrHasBlocks, height, s.comet.RootDir)
}

// trustPeriod is for how long the signatures of a chain's validators are worth
// something: while their stake is still there to be taken. A third of the
// time is for evidence to get on chain.
func trustPeriod(genesis *genutiltypes.AppGenesis) (time.Duration, error) {
	staking, err := genesisStaking(genesis)
	if err != nil {
		return 0, err
	}
	return max(minTrustPeriod, staking.Params.UnbondingTime*2/3), nil
}

// askServers asks each server what it is; they must be different nodes of the chain.
func askServers(ctx context.Context, urls []string, chainID string) ([]*source, error) {
	var servers []*source
	for _, u := range urls {
		s, err := ask(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("%w: %s does not answer: %w", ErrNoServer, u, err)
		}
		if got := s.status.NodeInfo.Network; got != chainID {
			return nil, fmt.Errorf("%w: %s is of chain %s, the home's genesis of %s", ErrNoServer, u, got, chainID)
		}
		if s.status.SyncInfo.CatchingUp {
			return nil, fmt.Errorf("%w: %s still fetches old blocks itself", ErrNoServer, u)
		}
		for _, other := range servers {
			if other.status.NodeInfo.DefaultNodeID == s.status.NodeInfo.DefaultNodeID {
				return nil, fmt.Errorf("%w: %s and %s are the same node, which can't be its own witness", ErrNoServer, other.url, u)
			}
		}
		servers = append(servers, s)
	}
	return servers, nil
}

// peersOfServers are the addresses at which the servers' nodes should be reached by
// peers.
func peersOfServers(servers []*source) (peers []string) {
	for _, s := range servers {
		u, err := url.Parse(s.url)
		if err != nil {
			continue // check has parsed it
		}
		listen := s.status.NodeInfo.ListenAddr
		host, port, err := net.SplitHostPort(listen[strings.LastIndex(listen, "/")+1:])
		if err != nil {
			continue
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
			host = u.Hostname()
		}
		if peer := string(s.status.NodeInfo.DefaultNodeID) + "@" + net.JoinHostPort(host, port); CheckPeer(peer) == nil {
			peers = append(peers, peer)
		}
	}
	return peers
}

// choose takes a block to trust: one that all servers have.
func (t *Trust) choose(ctx context.Context, servers []*source, o StateSyncOptions) error {
	first, last := int64(1), servers[0].status.SyncInfo.LatestBlockHeight
	for _, s := range servers {
		first, last = max(first, s.status.SyncInfo.EarliestBlockHeight), min(last, s.status.SyncInfo.LatestBlockHeight)
	}
	// The latest block's signatures are complete in the next one only.
	last--
	if last < first {
		return fmt.Errorf("%w: they have no block in common that can be trusted yet: wait for more blocks", ErrNoServer)
	}
	switch t.Height = o.TrustHeight; {
	case t.Height > last:
		return fmt.Errorf("the trusted height %d is too recent: the servers have final blocks from %d to %d", t.Height, first, last)
	case t.Height == 0:
		t.Height = last - trustBehind
		if len(t.Snapshots) > 0 {
			t.Height = t.Snapshots[0]
		}
		t.Height = min(last, max(first, t.Height))
	case t.Height < first:
		return fmt.Errorf("the trusted height %d is gone: the servers have blocks from %d to %d", t.Height, first, last)
	}
	want := strings.ToUpper(o.TrustHash)
	who := "the operator"
	for _, s := range servers {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		res, err := s.rpc.Commit(ctx, &t.Height)
		cancel()
		if err != nil {
			return fmt.Errorf("%w: %s does not give block %d: %w", ErrNoServer, s.url, t.Height, err)
		}
		if res.Header == nil || res.Header.Height != t.Height || res.Header.ChainID != t.ChainID {
			return fmt.Errorf("%w: %s gave another block than %d of %s", ErrNoServer, s.url, t.Height, t.ChainID)
		}
		// Of the header itself, not what the server says of it.
		hash := res.Header.Hash().String()
		if want == "" {
			want, who = hash, s.url
		}
		if hash != want {
			return fmt.Errorf("%w: block %d is %s at %s, and %s for %s. One of them follows another chain, or lies", ErrDisagree, t.Height, hash, s.url, want, who)
		}
		t.Hash, t.Time = hash, res.Header.Time
	}
	if age := time.Since(t.Time); age >= t.Period {
		return fmt.Errorf("block %d is %s old: its validators may have taken their stake away, so that their word is worth nothing. Trust one that is younger than %s",
			t.Height, round(age), t.Period)
	}
	return nil
}

// write puts the trust into config.toml.
func (t *Trust) write(home string) error {
	path := filepath.Join(home, "config", "config.toml")
	v, cfg := viper.New(), cmtcfg.DefaultConfig()
	v.SetConfigFile(path)
	if err := v.ReadInConfig(); err != nil {
		return err
	}
	if err := v.Unmarshal(cfg); err != nil {
		return err
	}
	cfg.SetRoot(home)
	ss := cfg.StateSync
	ss.Enable, ss.RPCServers = true, t.Servers
	if len(t.Servers) == 1 { // CometBFT wants a witness beside the first, even where the hash is known
		ss.RPCServers = []string{t.Servers[0], t.Servers[0]}
	}
	ss.TrustHeight, ss.TrustHash, ss.TrustPeriod = t.Height, t.Hash, t.Period
	if t.NewPeers {
		cfg.P2P.PersistentPeers = strings.Join(t.Peers, ",")
	}
	if err := cfg.ValidateBasic(); err != nil {
		return err
	}
	cmtcfg.WriteConfigFile(path+".tmp", cfg)
	return os.Rename(path+".tmp", path)
}
