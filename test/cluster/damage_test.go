//go:build linux

package cluster_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"sort"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	"github.com/stretchr/testify/require"
)

// bankKey is where a store of the application has an account's TAO.
func bankKey(t *testing.T, account string) []byte {
	t.Helper()
	raw, err := sdk.GetFromBech32(account, "lode")
	require.NoError(t, err)
	return append(append([]byte{2}, address.MustLengthPrefix(raw)...), "rao"...)
}

// flipState flips a bit of a value in a store of a node that is stopped, as memory or a disk
// without checksums may: the database is sound, the value is another. The tree has it
// in a leaf, from which its hash is made, and once more where it is read from ("fast nodes").
func flipState(t *testing.T, home, store string, key []byte, leaves bool) {
	t.Helper()
	db, err := dbm.NewGoLevelDB("application", filepath.Join(home, "data"), nil)
	require.NoError(t, err)
	defer db.Close()
	prefix := []byte("s/k:" + store + "/")
	fastKey := append(append(bytes.Clone(prefix), 'f'), key...)
	fast, err := db.Get(fastKey)
	require.NoError(t, err)
	require.NotEmpty(t, fast, "the store %s has no such key", store)
	version, n := binary.Varint(fast)
	require.Positive(t, n)
	flip := func(at, value []byte) {
		changed := bytes.Clone(value)
		changed[len(changed)-1] ^= 1
		require.NoError(t, db.SetSync(at, changed))
	}
	// The leaf is among the nodes of the version that wrote it last.
	first := binary.BigEndian.AppendUint64(append(bytes.Clone(prefix), 's'), uint64(version))
	end := binary.BigEndian.AppendUint64(append(bytes.Clone(prefix), 's'), uint64(version)+1)
	it, err := db.Iterator(first, end)
	require.NoError(t, err)
	var at, leaf []byte
	for ; it.Valid(); it.Next() {
		// Height 0, size 1, the key with its length, the value with its.
		want := append(binary.AppendVarint(binary.AppendVarint(nil, 0), 1), binary.AppendUvarint(nil, uint64(len(key)))...)
		if bytes.HasPrefix(it.Value(), append(want, key...)) {
			at, leaf = bytes.Clone(it.Key()), bytes.Clone(it.Value())
		}
	}
	require.NoError(t, it.Close())
	require.NotNil(t, at, "the leaf of version %d is not found", version)
	if leaves {
		flip(at, leaf)
	}
	flip(fastKey, fast)
}

// flipBlock flips a bit in the middle of a block that a node has stored.
func flipBlock(t *testing.T, home string, height int64) {
	t.Helper()
	db, err := dbm.NewGoLevelDB("blockstore", filepath.Join(home, "data"), nil)
	require.NoError(t, err)
	defer db.Close()
	it, err := db.Iterator(nil, nil)
	require.NoError(t, err)
	part := []byte("P:" + itoa(height) + ":0")
	var key, value []byte
	for ; it.Valid(); it.Next() {
		if bytes.HasPrefix(it.Key(), part) {
			key, value = bytes.Clone(it.Key()), bytes.Clone(it.Value())
		}
	}
	require.NoError(t, it.Close())
	require.NotNil(t, key, "block %d is not found", height)
	value[len(value)/2] ^= 1
	require.NoError(t, db.SetSync(key, value))
}

// flipFiles flips a bit in the middle of each of a database's files of a kind.
func flipFiles(t *testing.T, home, db, kind string) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "data", db+".db", kind))
	require.NoError(t, err)
	sort.Strings(files)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		if len(raw) == 0 {
			continue
		}
		raw[len(raw)/2] ^= 1
		require.NoError(t, os.WriteFile(f, raw, 0o600))
	}
	return files
}
