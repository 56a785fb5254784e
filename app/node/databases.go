package node

import (
	"errors"
	"sync"

	cmtdb "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
)

// databases opens CometBFT's databases and closes them again: stopped, it leaves
// the index of transactions open, and a second start in the same process would
// fail on its lock.
type databases struct {
	mu   sync.Mutex
	open []*closeOnce
}

// closeOnce is a database that CometBFT may have closed already.
type closeOnce struct {
	cmtdb.DB
	once sync.Once
	err  error
}

func (d *closeOnce) Close() error {
	d.once.Do(func() { d.err = d.DB.Close() })
	return d.err
}

func (d *databases) provide(ctx *cmtcfg.DBContext) (cmtdb.DB, error) {
	db, err := cmtcfg.DefaultDBProvider(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	once := &closeOnce{DB: db}
	d.open = append(d.open, once)
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
