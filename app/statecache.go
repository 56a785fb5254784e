package app

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cosmos/cosmos-sdk/store/v2/cachekv"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
)

const (
	// cachedRecords is how many records of a store are kept in memory over blocks: epochs
	// come back to the same ones every tempo, and the state of 128 full subnets has some
	// hundred thousand.
	cachedRecords = 1 << 17
	// maxCachedRecord keeps large records out, in bytes: rows and bonds are read one after
	// the other, and would take gigabytes.
	maxCachedRecord = 1 << 10
)

// stateCache keeps records of the last state in memory over blocks. The SDK's own forks a
// node now and then (cosmos-sdk#23891): a simulation that reads a record while a block
// changes it puts the old value back, and the next block reads that.
type stateCache struct {
	mu     sync.Mutex
	stores map[string]*cachedStore
}

var _ storetypes.MultiStorePersistentCache = (*stateCache)(nil)

func newStateCache() *stateCache { return &stateCache{stores: map[string]*cachedStore{}} }

// GetStoreCache wraps a store that was loaded. One that is loaded again, as when a snapshot
// is restored, begins with nothing in memory: what was read before is of another state.
func (c *stateCache) GetStoreCache(key storetypes.StoreKey, store storetypes.CommitKVStore) storetypes.CommitKVStore {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := newCachedStore(store, cachedRecords)
	c.stores[key.Name()] = s
	return s
}

// Unwrap is the store below; nil where none was wrapped.
func (c *stateCache) Unwrap(key storetypes.StoreKey) storetypes.CommitKVStore {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stores[key.Name()]; s != nil {
		return s.CommitKVStore
	}
	return nil
}

// Reset forgets all stores.
func (c *stateCache) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.stores)
}

// cachedStore is a store with its last used records in memory. Blocks write, one after the
// other; simulations read at any moment.
type cachedStore struct {
	storetypes.CommitKVStore

	mu      sync.Mutex
	records *simplelru.LRU[string, []byte] // nil: there is no such record
	writes  uint64                         // a value that was read before one is not kept after it
}

func newCachedStore(store storetypes.CommitKVStore, records int) *cachedStore {
	lru, err := simplelru.NewLRU[string, []byte](records, nil)
	if err != nil {
		panic(err) // a size of 0
	}
	return &cachedStore{CommitKVStore: store, records: lru}
}

// CacheWrap implements [storetypes.CacheWrapper].
func (s *cachedStore) CacheWrap() storetypes.CacheWrap { return cachekv.NewStore(s) }

// Get implements [storetypes.BasicKVStore].
func (s *cachedStore) Get(key []byte) []byte {
	storetypes.AssertValidKey(key)
	s.mu.Lock()
	value, ok := s.records.Get(string(key))
	writes := s.writes
	s.mu.Unlock()
	if ok {
		return value
	}
	value = s.CommitKVStore.Get(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == writes {
		s.keep(key, value)
	}
	return value
}

// Has implements [storetypes.BasicKVStore].
func (s *cachedStore) Has(key []byte) bool { return s.Get(key) != nil }

// Set implements [storetypes.BasicKVStore].
func (s *cachedStore) Set(key, value []byte) {
	storetypes.AssertValidKey(key)
	storetypes.AssertValidValue(value)
	s.CommitKVStore.Set(key, value)
	s.wrote(key, value)
}

// Delete implements [storetypes.BasicKVStore].
func (s *cachedStore) Delete(key []byte) {
	s.CommitKVStore.Delete(key)
	s.wrote(key, nil)
}

func (s *cachedStore) wrote(key, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.keep(key, value)
}

func (s *cachedStore) keep(key, value []byte) {
	if len(value) > maxCachedRecord {
		s.records.Remove(string(key))
		return
	}
	s.records.Add(string(key), value)
}
