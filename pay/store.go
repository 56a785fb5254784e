package pay

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/util"
)

// ErrInUse says that another process has the store open: there is one writer.
var ErrInUse = errors.New("the store is in use by another process")

// store keeps records as JSON in one database. Each step of a payment is one batch that
// is written before the step takes effect, so a process may die between any two.
type store struct {
	db   *leveldb.DB
	sync bool // wait for the disk at each step: against a loss of power, not of the process
	// hook is told of each step before and after it is written; tests die there.
	hook func(when, step string)
}

func openStore(dir string, sync bool) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := leveldb.OpenFile(filepath.Join(dir, "payments.db"), &opt.Options{
		Filter: filter.NewBloomFilter(10),
	})
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: %s; use that process, or another directory", ErrInUse, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return &store{db: db, sync: sync}, nil
}

func (s *store) close() error { return s.db.Close() }

// batch collects what one step writes.
type batch struct {
	leveldb.Batch
	err error
}

func (b *batch) put(key []byte, v any) {
	raw, err := json.Marshal(v)
	if err != nil && b.err == nil {
		b.err = err
	}
	b.Put(key, raw)
}

// write makes a step. durable ones reach the disk before it returns, whatever the
// store's setting.
func (s *store) write(step string, durable bool, b *batch) error {
	if b.err != nil {
		return fmt.Errorf("%s: %w", step, b.err)
	}
	if s.hook != nil {
		s.hook("before", step)
	}
	if err := s.db.Write(&b.Batch, &opt.WriteOptions{Sync: s.sync || durable}); err != nil {
		return fmt.Errorf("%s: the store can't be written: %w", step, err)
	}
	if s.hook != nil {
		s.hook("after", step)
	}
	return nil
}

// get reads a record; false if there is none.
func (s *store) get(key []byte, v any) (bool, error) {
	raw, err := s.db.Get(key, nil)
	if errors.Is(err, leveldb.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("record %x of the store: %w", key, err)
	}
	return true, nil
}

// each reads the records of a kind in their order, until visit says stop.
func (s *store) each(kind string, from []byte, visit func(key, raw []byte) (more bool, err error)) error {
	r := util.BytesPrefix([]byte(kind))
	if from != nil {
		r.Start = append([]byte(kind), from...)
	}
	it := s.db.NewIterator(r, nil)
	defer it.Release()
	for it.Next() {
		more, err := visit(it.Key()[len(kind):], it.Value())
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return it.Error()
}

// last is the number of the last record of a kind that is keyed by numbers.
func (s *store) last(kind string) uint64 {
	it := s.db.NewIterator(util.BytesPrefix([]byte(kind)), nil)
	defer it.Release()
	if it.Last() && len(it.Key()) == len(kind)+8 {
		return binary.BigEndian.Uint64(it.Key()[len(kind):])
	}
	return 0
}

func numbered(kind string, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(kind), n)
}

func keyed(kind string, parts ...[]byte) []byte {
	key := []byte(kind)
	for _, p := range parts {
		key = append(key, p...)
	}
	return key
}
