package pay

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/util"
)

// ErrInUse says that another process has the store open: there is one writer. The error
// that wraps it is an [InUseError].
var ErrInUse = errors.New("the store is in use by another process")

// InUseError names the process that has a store open.
type InUseError struct {
	Dir string
	Holder
}

// Holder is a process that has a store open.
type Holder struct {
	PID     int    `json:"pid"`     // 0: it can't be told
	Command string `json:"command"` // without its flags, which are nobody's business
}

func (h Holder) String() string {
	switch {
	case h.PID == 0:
		return "another process"
	case h.Command == "":
		return fmt.Sprintf("process %d", h.PID)
	}
	return fmt.Sprintf("process %d, `%s`", h.PID, cutTo(h.Command, 80))
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s is in use by %s", e.Dir, e.Holder)
}

// Unwrap makes errors.Is find ErrInUse.
func (e *InUseError) Unwrap() error { return ErrInUse }

// store keeps records as JSON in one database. Each step of a payment is one batch that
// is written before the step takes effect, so a process may die between any two.
type store struct {
	db   *leveldb.DB
	dir  string
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
		return nil, &InUseError{dir, holder(dir)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if err := hold(dir); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db: db, dir: dir, sync: sync}, nil
}

// close closes the store, once it no longer says whose it is.
func (s *store) close() error {
	err := os.Remove(holderFile(s.dir))
	if errors.Is(err, fs.ErrNotExist) { // it was closed before, or somebody has tidied up
		err = nil
	}
	return errors.Join(err, s.db.Close())
}

func holderFile(dir string) string { return filepath.Join(dir, "holder.json") }

// hold says in a store's folder which process has it open.
func hold(dir string) error {
	h := Holder{PID: os.Getpid(), Command: filepath.Base(os.Args[0])}
	for _, word := range os.Args[1:] {
		if strings.HasPrefix(word, "-") || len(h.Command)+len(word) > 80 {
			break
		}
		h.Command += " " + word
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(holderFile(dir), raw, 0o600)
}

// holder is the process that has a store open, as far as that can be told: one that was
// killed has left its name, and the next may not have said its own yet.
func holder(dir string) (h Holder) {
	raw, err := os.ReadFile(holderFile(dir))
	if err != nil || json.Unmarshal(raw, &h) != nil || h.PID <= 0 || errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH) {
		return Holder{}
	}
	return h
}

// batch collects what one step writes.
type batch struct {
	leveldb.Batch
	raw []byte // of the last record
	err error
}

func (b *batch) put(key []byte, v any) {
	var raw []byte
	var err error
	if a, ok := v.(appender); ok {
		if b.raw == nil {
			b.raw = make([]byte, 0, 1024)
		}
		raw, err = a.appendJSON(b.raw[:0])
		b.raw = raw
	} else {
		raw, err = json.Marshal(v)
	}
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
