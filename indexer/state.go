package indexer

import (
	"math/big"
	"time"

	"github.com/lodenet/lode/x/alpha/pool"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// state is what the chain is at the cursor, as far as events change it: the writer keeps
// it in memory, and writes what changed with each batch.
type state struct {
	chainID                        string
	firstHeight, height            int64 // height 0: nothing is indexed
	firstHash, hash                []byte
	time                           time.Time
	issued, burned, recycled, bank uint64 // rao

	accounts map[string]*account // by address
	byID     []*account          // id − 1
	hotkeys  map[uint64]*hotkey  // by account
	subnets  map[uint64]*subnet
	live     []*subnet // by netuid; nil: none
	services map[uint64]*service
	plans    map[uint64]*plan
	channels map[string]*channel
	supply   supplyHour

	dirtyAccounts  []*account
	dirtyHotkeys   []*hotkey
	dirtyPools     []*stakePool
	dirtyPositions []*position
	dirtyServices  []*service
	dirtyPlans     []*plan
	dirtyChannels  []*channel
	rolled         int64 // day up to which the days of stakes are written; Unix days

	batch *batch
	block current
}

type account struct {
	id      uint64
	address string
	balance uint64
	module  bool
	dirty   bool

	change *change // in this transaction, or part of a block
}

// change is what a transaction does to an account's TAO.
type change struct {
	received, spent, fee uint64
	label                string
	other                uint64
	several              bool
	traded               bool // alpha for alpha, it may be: without TAO of its own
}

type hotkey struct {
	id, coldkey uint64
	take        int64 // per 10^6, −1: never set
	destination uint64
	bound       int64
	dirty       bool
}

type subnet struct {
	id            uint64
	netuid        uint32
	name          string
	description   string
	url           string
	parameters    string
	ownerHotkey   uint64
	ownerColdkey  uint64
	lock          uint64
	createdHeight int64
	createdTime   int64
	started       int64
	removed       int64
	hyper         subnetstypes.Hyperparameters
	burn          uint64
	movingPrice   string
	epoch         uint64
	epochHeight   int64
	epochDue      int64

	trading                                bool
	tao, reserve, issued, staked, protocol uint64
	pending, burned, emission, revenue     uint64
	pot, potTotal, potPaid, potRecycled    uint64
	neurons                                []*neuron
	pools                                  map[uint64]*stakePool // by hotkey
	growth                                 map[uint64]*growth    // by hotkey, in the present bucket
	candles                                [len(spans)]candle
	recent                                 map[uint64][]byte // blobs of epochs that are in no chunk yet
	now                                    *epochNow         // an epoch whose payments are being told

	dirty        bool
	dirtyNeurons map[uint32]bool
	newRecent    map[uint64]bool // of recent, those to be written: true where there is no row yet
	dirtyGrowth  map[uint64]bool
	newWeights   map[uint32]weightRow
}

// weightRow is a validator's weights; without entries they are gone.
type weightRow struct {
	height  int64
	entries []byte
}

// growth is how much a share of a hotkey's stake pool grew in a bucket of time.
type growth struct {
	bucket, epochs int64
	sum            float64
	dirty          bool
}

type neuron struct {
	hotkey    uint64
	height    int64
	time      int64
	endpoints string
	protocol  string
	version   string
	served    int64
}

// stakePool is the alpha on a hotkey in a subnet.
type stakePool struct {
	subnet    *subnet
	hotkey    uint64
	alpha     uint64
	shares    *big.Int
	positions map[uint64]*position // by coldkey
	dirty     bool
	stored    bool // there is a row
}

func (p *stakePool) share() pool.SharePool { return pool.SharePool{Alpha: p.alpha, Shares: p.shares} }

// value is what a position is worth in alpha units.
func (p *stakePool) value(of *position) uint64 { return p.share().Value(of.shares) }

type position struct {
	pool    *stakePool
	coldkey uint64
	shares  *big.Int
	locked  uint64
	day     uint64 // value at the day's beginning
	in, out uint64 // since
	paid    uint64
	dirty   bool
	stored  bool
}

// touch notes once that something is to be written.
func touch[T any](list *[]*T, dirty *bool, one *T) {
	if !*dirty {
		*dirty = true
		*list = append(*list, one)
	}
}

// entry is what a map has under a key; it is made where there is nothing.
func entry[K comparable, T any](of map[K]*T, key K, begin func() *T) *T {
	one := of[key]
	if one == nil {
		one = begin()
		of[key] = one
	}
	return one
}

// account is the one of an address; it is made where there is none.
func (s *state) account(address string) *account {
	a := s.accounts[address]
	if a == nil {
		address = clone(address)
		a = &account{id: uint64(len(s.byID)) + 1, address: address, module: modules[address]}
		s.accounts[address] = a
		s.byID = append(s.byID, a)
		s.touchAccount(a)
	}
	return a
}

func (s *state) touchAccount(a *account) { touch(&s.dirtyAccounts, &a.dirty, a) }

// id is the number of an address; 0 of none.
func (s *state) id(address string) uint64 {
	if address == "" {
		return 0
	}
	return s.account(address).id
}

func (s *state) hotkey(id uint64) *hotkey {
	h := entry(s.hotkeys, id, func() *hotkey { return &hotkey{id: id, take: -1} })
	touch(&s.dirtyHotkeys, &h.dirty, h)
	return h
}

// pool is a stake pool that is about to change.
func (s *state) pool(n *subnet, hotkey uint64) *stakePool {
	p := n.pool(hotkey)
	s.touchPool(p)
	return p
}

// pool is a hotkey's stake pool.
func (n *subnet) pool(hotkey uint64) *stakePool {
	return entry(n.pools, hotkey, func() *stakePool {
		return &stakePool{subnet: n, hotkey: hotkey, shares: new(big.Int), positions: map[uint64]*position{}}
	})
}

func (s *state) touchPool(p *stakePool) { touch(&s.dirtyPools, &p.dirty, p) }

// position is one that is about to change.
func (s *state) position(p *stakePool, coldkey uint64) *position {
	at := entry(p.positions, coldkey, func() *position { return &position{pool: p, coldkey: coldkey, shares: new(big.Int)} })
	s.touchPosition(at)
	return at
}

func (s *state) touchPosition(at *position) { touch(&s.dirtyPositions, &at.dirty, at) }

// alphaAt is the amount of one of a pool's accounts of alpha.
func (n *subnet) alphaAt(name string) *uint64 {
	switch name {
	case "issuance":
		return &n.issued
	case "reserve":
		return &n.reserve
	case "staked":
		return &n.staked
	case "protocol":
		return &n.protocol
	case "pending":
		return &n.pending
	case "burned":
		return &n.burned
	}
	return nil
}

// price is TAO per alpha; 0 where there is no alpha.
func (n *subnet) price() float64 { return priceOf(n.tao, n.reserve) }

func priceOf(tao, reserve uint64) float64 {
	if reserve == 0 {
		return 0
	}
	return float64(tao) / float64(reserve)
}

// worth is alpha in rao at the pool's price, rounded down.
func (n *subnet) worth(alpha uint64) uint64 {
	if n.reserve == 0 {
		return 0
	}
	v := new(big.Int).Mul(new(big.Int).SetUint64(alpha), new(big.Int).SetUint64(n.tao))
	if v.Quo(v, new(big.Int).SetUint64(n.reserve)); v.IsUint64() {
		return v.Uint64()
	}
	return ^uint64(0)
}
