package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	dbm "github.com/cosmos/cosmos-db"
)

// treeHash computes a store's hash anew from its entries. It reads the database itself:
// the tree's own package takes the hashes that are written there for true, and panics, in
// goroutines of its own, where something is not as it should be.
//
// A node is at 's' ‖ u64 version ‖ u32 nonce, its tree's root at nonce 1. Beside the tree
// each entry is once more at 'f' ‖ key, where it is read from.
type treeHash struct {
	db      dbm.DB
	prefix  []byte // of the store
	version int64
	quick   bool // there are entries at 'f'
	entries int64
}

// hashOf is the hash of a store's tree at a version, and how many entries it has.
func hashOf(db dbm.DB, store string, version int64) (hash []byte, entries int64, err error) {
	t := &treeHash{db: db, prefix: []byte("s/k:" + store + "/"), version: version}
	if t.quick, err = t.hasQuick(); err != nil {
		return nil, 0, err
	}
	root, err := t.get(version, 1)
	if err != nil {
		return nil, 0, err
	}
	const reference = 1 + 8 + 4
	switch {
	case len(root) == 0:
		hash = sha256.New().Sum(nil) // no entries
	case len(root) == reference && root[0] == 's': // nothing has changed since
		hash, _, err = t.node(int64(binary.BigEndian.Uint64(root[1:])), binary.BigEndian.Uint32(root[9:]))
	default:
		hash, _, err = t.node(version, 1)
	}
	if err == nil && t.quick {
		err = t.countQuick()
	}
	return hash, t.entries, err
}

func (t *treeHash) key(kind byte, rest ...byte) []byte {
	return append(append(bytes.Clone(t.prefix), kind), rest...)
}

// get reads a node. A root that pruning left behind for later versions is at nonce 0.
func (t *treeHash) get(version int64, nonce uint32) ([]byte, error) {
	at := binary.BigEndian.AppendUint64(nil, uint64(version))
	raw, err := t.db.Get(t.key('s', binary.BigEndian.AppendUint32(bytes.Clone(at), nonce)...))
	if err == nil && raw == nil && nonce == 1 {
		raw, err = t.db.Get(t.key('s', binary.BigEndian.AppendUint32(at, 0)...))
	}
	if err == nil && raw == nil {
		err = errors.New("it is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("node %d/%d: %w", version, nonce, err)
	}
	return raw, nil
}

// node is the hash and the number of entries of a part of the tree.
func (t *treeHash) node(version int64, nonce uint32) (hash []byte, size int64, err error) {
	raw, err := t.get(version, nonce)
	if err != nil {
		return nil, 0, err
	}
	r := &reader{rest: raw}
	height, size, key := r.number(), r.number(), r.bytes()
	h := sha256.New()
	head := binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(nil, height), size), version)
	if height == 0 {
		value := r.bytes()
		if r.bad || size != 1 {
			return nil, 0, fmt.Errorf("node %d/%d: it can't be read", version, nonce)
		}
		t.entries++
		sum := sha256.Sum256(value)
		h.Write(head)
		h.Write(append(binary.AppendUvarint(nil, uint64(len(key))), key...))
		h.Write(append(binary.AppendUvarint(nil, sha256.Size), sum[:]...))
		return h.Sum(nil), 1, t.checkQuick(key, value)
	}
	written, mode := r.bytes(), r.number()
	left, leftNonce, right, rightNonce := r.number(), r.number(), r.number(), r.number()
	if r.bad || mode != 0 { // another mode is that of trees older than this chain
		return nil, 0, fmt.Errorf("node %d/%d: it can't be read", version, nonce)
	}
	a, aSize, err := t.node(left, uint32(leftNonce))
	if err != nil {
		return nil, 0, err
	}
	b, bSize, err := t.node(right, uint32(rightNonce))
	if err != nil {
		return nil, 0, err
	}
	h.Write(head)
	h.Write(append([]byte{sha256.Size}, a...))
	h.Write(append([]byte{sha256.Size}, b...))
	hash = h.Sum(nil)
	if aSize+bSize != size || !bytes.Equal(hash, written) {
		return nil, 0, fmt.Errorf("node %d/%d: what is below it has another hash, %X, than it says, %X", version, nonce, hash, written)
	}
	return hash, size, nil
}

// hasQuick tells whether entries are kept at 'f' too. Where they are of another version,
// they are made anew when the node starts.
func (t *treeHash) hasQuick() (bool, error) {
	raw, err := t.db.Get(t.key('m', []byte("storage_version")...))
	return strings.HasPrefix(string(raw), "1.1.0") && strings.HasSuffix(string(raw), fmt.Sprintf("-%d", t.version)), err
}

func (t *treeHash) checkQuick(key, value []byte) error {
	if !t.quick {
		return nil
	}
	raw, err := t.db.Get(t.key('f', key...))
	if err != nil {
		return fmt.Errorf("key %X: %w", key, err)
	}
	r := &reader{rest: raw}
	r.number() // the version that wrote it
	if got := r.bytes(); r.bad || !bytes.Equal(got, value) {
		return fmt.Errorf("key %X: %X is read, the tree has %X", key, got, value)
	}
	return nil
}

func (t *treeHash) countQuick() (err error) {
	it, err := t.db.Iterator(t.key('f'), t.key('f'+1))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	n := int64(0)
	for ; it.Valid(); it.Next() {
		n++
	}
	if err := it.Error(); err != nil {
		return err
	}
	if n != t.entries {
		return fmt.Errorf("%d entries are read, the tree has %d", n, t.entries)
	}
	return nil
}

// reader takes a node apart.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) bytes() []byte {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)-n) {
		r.bad = true
		return nil
	}
	b := r.rest[n : n+int(v)]
	r.rest = r.rest[n+int(v):]
	return b
}
