package node

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	cmtdb "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
)

// stateCache is how many bytes of the state's database are kept in memory. goleveldb's own
// 8 MiB hold not even its indices and filters where subnets are full, and each read would
// fetch and decode them again.
const stateCache = 64 << 20

// OpenState opens the application's database in a node's home.
func OpenState(home string, backend dbm.BackendType) (db dbm.DB, err error) {
	data := filepath.Join(home, "data")
	if backend == dbm.GoLevelDBBackend {
		db, err = dbm.NewGoLevelDBWithOpts("application", data, &opt.Options{Filter: filter.NewBloomFilter(10), BlockCacheCapacity: stateCache})
	} else {
		db, err = dbm.NewDB("application", backend, data)
	}
	if err != nil {
		return nil, fmt.Errorf("the chain's state in %s can't be opened (is the node running? then stop it first): %w", data, err)
	}
	return db, nil
}

// databases opens CometBFT's databases and closes them again: stopped, it leaves
// the index of transactions open, and a second start in the same process would
// fail on its lock.
type databases struct {
	mu   sync.Mutex
	open map[string]*closeOnce // by CometBFT's names of them
}

// closeOnce is a database that CometBFT may have closed already. Closed, it has nothing:
// CometBFT's routines for peers outlive its stop for a moment, and would panic over a
// database that fails.
type closeOnce struct {
	cmtdb.DB
	once   sync.Once
	closed atomic.Bool
	err    error
}

func (d *closeOnce) Close() error {
	d.once.Do(func() {
		d.closed.Store(true)
		d.err = d.DB.Close()
	})
	return d.err
}

func (d *closeOnce) Get(key []byte) ([]byte, error) {
	value, err := d.DB.Get(key)
	if err != nil && d.closed.Load() {
		return nil, nil
	}
	return value, err
}

func (d *closeOnce) Has(key []byte) (bool, error) {
	has, err := d.DB.Has(key)
	if err != nil && d.closed.Load() {
		return false, nil
	}
	return has, err
}

func (d *databases) provide(ctx *cmtcfg.DBContext) (cmtdb.DB, error) {
	db, err := cmtcfg.DefaultDBProvider(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	once := &closeOnce{DB: db}
	if d.open == nil {
		d.open = map[string]*closeOnce{}
	}
	d.open[ctx.ID] = once
	return once, nil
}

func (d *databases) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, db := range d.open {
		errs = append(errs, db.Close())
	}
	d.open = nil
	return errors.Join(errs...)
}

// state is the one that CometBFT names so: its own, with the results of blocks.
func (d *databases) state() cmtdb.DB {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open["state"]
}
