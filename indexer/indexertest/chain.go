// Package indexertest makes chains out of nothing for tests and benchmarks of the index:
// blocks with the events that the chain's modules would tell of, and what is true after
// them.
//
//	c := indexertest.New(indexertest.Config{Subnets: 2, Neurons: 8, Tempo: 10, Blocks: 100})
//	err := store.Run(ctx, c)
//
// A chain is the same each time for the same configuration. It is an indexer.Source.
package indexertest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/x/alpha/pool"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

// Config says what chain to make.
type Config struct {
	ChainID  string        // default lode-test-1
	Subnets  int           // all created in the first block
	Neurons  int           // of each
	Tempo    int           // blocks between two epochs of a subnet
	Told     int           // the tempo that subnets say they have; default Tempo
	Blocks   int64         // that there are; 0: no end
	Interval time.Duration // between two blocks; default 3 s
	Txs      int           // a block; default 4
	Keep     int           // blocks that are kept to be asked for again; default all
}

// Chain is one.
type Chain struct {
	cfg     Config
	genesis *cmttypes.GenesisDoc

	mu      sync.Mutex
	rnd     *rand.Rand
	height  int64 // of the last that was made
	last    []byte
	records map[int64]*client.Record

	Rao     map[string]uint64 // balances
	Subnets []*Subnet
	Issued  uint64
	users   []string
	events  *[]abci.Event
}

// Subnet is one of a chain.
type Subnet struct {
	ID       uint64
	Netuid   uint32
	TAO      uint64
	Alpha    map[string]uint64 // by account of the pool
	Hotkeys  []string          // by uid
	Coldkeys []string
	Pools    []Stake // by uid
	epoch    uint64
}

// Stake is what is staked on a hotkey.
type Stake struct {
	Pool   pool.SharePool
	Shares map[string]*big.Int // by coldkey
}

const (
	whole  = 1_000_000_000
	supply = 10_000_000 * whole
)

var (
	alphaModule    = authtypes.NewModuleAddress(alphatypes.ModuleName).String()
	emissionModule = authtypes.NewModuleAddress(emissiontypes.ModuleName).String()
	feeModule      = authtypes.NewModuleAddress(authtypes.FeeCollectorName).String()
)

// Address is the address of a name.
func Address(name string) string {
	sum := sha256.Sum256([]byte(name))
	return sdk.AccAddress(sum[:20]).String()
}

// New makes a chain.
func New(cfg Config) *Chain {
	if cfg.ChainID == "" {
		cfg.ChainID = "lode-test-1"
	}
	if cfg.Interval == 0 {
		cfg.Interval = 3 * time.Second
	}
	if cfg.Told == 0 {
		cfg.Told = cfg.Tempo
	}
	if cfg.Txs == 0 {
		cfg.Txs = 4
	}
	c := &Chain{cfg: cfg, rnd: rand.New(rand.NewPCG(7, uint64(cfg.Subnets))), records: map[int64]*client.Record{}, Rao: map[string]uint64{}, Issued: supply}
	for i := range 8 {
		u := Address(fmt.Sprintf("user %d", i))
		c.users = append(c.users, u)
		c.Rao[u] = supply / 8
	}
	c.genesis = c.doc()
	return c
}

func (c *Chain) doc() *cmttypes.GenesisDoc {
	balances := []map[string]any{}
	for _, u := range c.users {
		balances = append(balances, map[string]any{"address": u, "coins": []map[string]string{{"denom": "rao", "amount": fmt.Sprint(c.Rao[u])}}})
	}
	raw, err := json.Marshal(map[string]any{
		"bank":     map[string]any{"balances": balances},
		"staking":  map[string]any{"params": map[string]any{"max_validators": 100, "unbonding_time": "1s"}},
		"alpha":    map[string]any{"next_subnet_id": "1"},
		"subnets":  map[string]any{},
		"weights":  map[string]any{},
		"emission": map[string]any{},
		"market":   map[string]any{},
	})
	if err != nil {
		panic(err) // of what is written here
	}
	return &cmttypes.GenesisDoc{ChainID: c.cfg.ChainID, GenesisTime: time.Date(2026, 11, 1, 20, 0, 0, 0, time.UTC), InitialHeight: 1, AppState: raw}
}

// ChainID implements indexer.Source.
func (c *Chain) ChainID(context.Context) (string, error) { return c.cfg.ChainID, nil }

// Genesis implements indexer.Source.
func (c *Chain) Genesis(context.Context) (*cmttypes.GenesisDoc, error) { return c.genesis, nil }

// Kept implements indexer.Source.
func (c *Chain) Kept(context.Context) (first, last int64, err error) {
	if c.cfg.Blocks == 0 {
		return 1, 1 << 40, nil
	}
	return 1, c.cfg.Blocks, nil
}

// Wait implements indexer.Source: no block comes after the last.
func (c *Chain) Wait(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

// Done implements indexer.Source: a chain keeps its blocks.
func (c *Chain) Done(*client.Record) {}

// Blocks implements indexer.Source: it gives a few at once.
func (c *Chain) Blocks(_ context.Context, from, to int64) (out []*client.Record, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cfg.Blocks > 0 {
		to = min(to, c.cfg.Blocks)
	}
	for height := from; height <= min(to, from+4); height++ {
		for c.height < height {
			c.make()
		}
		r := c.records[height]
		if r == nil {
			return nil, fmt.Errorf("block %d was made and forgotten", height)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("block %d: %w", from, client.ErrNotFound)
	}
	return out, nil
}

// Block is one of them.
func (c *Chain) Block(height int64) *client.Record {
	list, err := c.Blocks(context.Background(), height, height)
	if err != nil {
		panic(err)
	}
	return list[0]
}

// At makes the chain's blocks up to a height, so that its fields tell what is true then.
func (c *Chain) At(height int64) *Chain {
	c.Block(height)
	return c
}

// Time is a block's.
func (c *Chain) Time(height int64) time.Time {
	return c.genesis.GenesisTime.Add(time.Duration(height) * c.cfg.Interval)
}

// make makes the next block.
func (c *Chain) make() {
	c.height++
	r := &client.Record{Height: c.height, Time: c.Time(c.height), Last: c.last, Proposer: make([]byte, 20)}
	if c.height == 1 {
		r.Last = nil
		c.tx(r, "create", c.users[0], c.createAll)
	} else {
		for range c.cfg.Txs {
			c.anyTx(r)
		}
	}
	var ended []abci.Event
	c.events = &ended
	c.endBlock()
	for i := range ended {
		ended[i].Attributes = append(ended[i].Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
	}
	r.Events = append(r.Events, ended...)
	sum := sha256.New()
	sum.Write(c.last)
	sum.Write(binary.BigEndian.AppendUint64([]byte(c.cfg.ChainID), uint64(c.height)))
	r.Hash = sum.Sum(nil)
	c.last = r.Hash
	c.records[c.height] = r
	if c.cfg.Keep > 0 {
		delete(c.records, c.height-int64(c.cfg.Keep))
	}
}

func (c *Chain) emit(kind string, pairs ...any) { *c.events = append(*c.events, Event(kind, pairs...)) }

func (c *Chain) spend(from string, rao uint64) {
	c.Rao[from] -= rao
	*c.events = append(*c.events, Plain("coin_spent", "spender", from, "amount", fmt.Sprintf("%drao", rao)))
}

func (c *Chain) receive(to string, rao uint64) {
	c.Rao[to] += rao
	*c.events = append(*c.events, Plain("coin_received", "receiver", to, "amount", fmt.Sprintf("%drao", rao)))
}

func (c *Chain) send(from, to string, rao uint64) {
	if rao == 0 {
		return
	}
	c.spend(from, rao)
	c.receive(to, rao)
	*c.events = append(*c.events, Plain("transfer", "recipient", to, "sender", from, "amount", fmt.Sprintf("%drao", rao)))
}

// move moves alpha between a pool's accounts.
func (c *Chain) move(n *Subnet, from, to string, alpha uint64) {
	if alpha == 0 {
		return
	}
	if from == "issuance" {
		n.Alpha["issuance"] += alpha
	} else {
		n.Alpha[from] -= alpha
	}
	n.Alpha[to] += alpha
	c.emit("lode.alpha.v1.EventAlphaMoved", "subnet_id", n.ID, "from", from, "to", to, "alpha", alpha)
}

// buy moves rao into the pool and alpha out of it.
func (c *Chain) buy(n *Subnet, tao uint64, to, reason string) (alpha uint64) {
	k := new(big.Int).Mul(new(big.Int).SetUint64(n.TAO), new(big.Int).SetUint64(n.Alpha["reserve"]))
	left := k.Div(k, new(big.Int).SetUint64(n.TAO+tao)).Uint64() + 1
	alpha = n.Alpha["reserve"] - left
	n.TAO += tao
	c.move(n, "reserve", to, alpha)
	c.traded(n, true, reason, tao, alpha)
	return alpha
}

func (c *Chain) sell(n *Subnet, alpha uint64, from, reason string) (tao uint64) {
	k := new(big.Int).Mul(new(big.Int).SetUint64(n.TAO), new(big.Int).SetUint64(n.Alpha["reserve"]))
	left := k.Div(k, new(big.Int).SetUint64(n.Alpha["reserve"]+alpha)).Uint64() + 1
	tao = n.TAO - left
	n.TAO = left
	c.move(n, from, "reserve", alpha)
	c.traded(n, false, reason, tao, alpha)
	return tao
}

func (c *Chain) traded(n *Subnet, purchase bool, reason string, tao, alpha uint64) {
	c.emit("lode.alpha.v1.EventTrade", "alpha", alpha, "alpha_reserve", n.Alpha["reserve"], "fee", uint64(0), "netuid", n.Netuid,
		"purchase", purchase, "reason", reason, "subnet_id", n.ID, "tao", tao, "tao_reserve", n.TAO)
}

func (c *Chain) addStake(n *Subnet, uid int, coldkey string, alpha uint64, reason string) {
	s := &n.Pools[uid]
	after, minted, err := s.Pool.Deposit(alpha)
	if err != nil {
		panic(err) // amounts are chosen so that they fit
	}
	s.Pool = after
	if s.Shares[coldkey] == nil {
		s.Shares[coldkey] = new(big.Int)
	}
	s.Shares[coldkey].Add(s.Shares[coldkey], minted)
	c.emit("lode.alpha.v1.EventStakeAdded", "alpha", alpha, "coldkey", coldkey, "hotkey", n.Hotkeys[uid], "netuid", n.Netuid, "reason", reason,
		"shares", minted, "subnet_id", n.ID)
}

func (c *Chain) removeStake(n *Subnet, uid int, coldkey string, alpha uint64, reason string) (paid uint64) {
	s := &n.Pools[uid]
	after, redeemed, paid, err := s.Pool.Redeem(s.Shares[coldkey], alpha)
	if err != nil {
		panic(err)
	}
	s.Pool = after
	s.Shares[coldkey].Sub(s.Shares[coldkey], redeemed)
	if s.Shares[coldkey].Sign() == 0 {
		delete(s.Shares, coldkey)
	}
	c.emit("lode.alpha.v1.EventStakeRemoved", "alpha", paid, "coldkey", coldkey, "hotkey", n.Hotkeys[uid], "netuid", n.Netuid, "reason", reason,
		"shares", redeemed, "subnet_id", n.ID)
	return paid
}
