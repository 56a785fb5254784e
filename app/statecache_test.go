package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
)

// below is a store whose next read can be held up.
type below struct {
	storetypes.CommitKVStore
	values  map[string][]byte
	reads   int
	entered chan struct{} // nil: reads aren't held up
	release chan struct{}
}

func (b *below) Get(key []byte) []byte {
	b.reads++
	value := b.values[string(key)]
	if b.entered != nil {
		entered := b.entered
		b.entered = nil
		close(entered)
		<-b.release
	}
	return value
}

func (b *below) Set(key, value []byte) { b.values[string(key)] = value }

func (b *below) Delete(key []byte) { delete(b.values, string(key)) }

func TestASimulationBesideABlockPutsNoOldValueBack(t *testing.T) {
	for name, change := range map[string]func(*cachedStore){
		"set":    func(s *cachedStore) { s.Set([]byte("k"), []byte("new")) },
		"delete": func(s *cachedStore) { s.Delete([]byte("k")) },
		"set, and out of the cache again": func(s *cachedStore) {
			s.Set([]byte("k"), []byte("new"))
			s.Get([]byte("a"))
			s.Get([]byte("b"))
		},
		"too large": func(s *cachedStore) { s.Set([]byte("k"), make([]byte, maxCachedRecord+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := &below{values: map[string][]byte{"k": []byte("old")}, entered: make(chan struct{}), release: make(chan struct{})}
			s := newCachedStore(b, 2)
			read := make(chan []byte)
			entered := b.entered
			go func() { read <- s.Get([]byte("k")) }() // a simulation
			<-entered
			change(s) // a block
			close(b.release)
			require.Equal(t, []byte("old"), <-read, "as it was when the simulation read")
			require.Equal(t, b.values["k"], s.Get([]byte("k")))
			require.Equal(t, b.values["k"] != nil, s.Has([]byte("k")))
		})
	}
}

func TestACachedStoreReadsARecordOnce(t *testing.T) {
	b := &below{values: map[string][]byte{"k": []byte("v"), "large": make([]byte, maxCachedRecord+1)}}
	s := newCachedStore(b, 2)
	for range 3 {
		require.Equal(t, []byte("v"), s.Get([]byte("k")))
		require.Nil(t, s.Get([]byte("none")))
	}
	require.Equal(t, 2, b.reads)
	for range 3 {
		require.Len(t, s.Get([]byte("large")), maxCachedRecord+1)
	}
	require.Equal(t, 5, b.reads, "it is too large to be kept")
	s.Set([]byte("k"), []byte("w"))
	require.Equal(t, []byte("w"), s.Get([]byte("k")))
	require.Equal(t, []byte("w"), b.values["k"])
	require.Equal(t, 5, b.reads)
	require.Panics(t, func() { s.Set([]byte("k"), nil) })
	require.Panics(t, func() { s.Get(nil) })
}

func TestAStateCacheForgetsAStoreThatIsLoadedAgain(t *testing.T) {
	c, key := newStateCache(), storetypes.NewKVStoreKey("a")
	require.Nil(t, c.Unwrap(key))
	b := &below{}
	require.Nil(t, c.GetStoreCache(key, b).Get([]byte("k")))
	require.Same(t, b, c.Unwrap(key))
	again := &below{values: map[string][]byte{"k": []byte("v")}}
	require.Equal(t, []byte("v"), c.GetStoreCache(key, again).Get([]byte("k")))
	require.Same(t, again, c.Unwrap(key))
	c.Reset()
	require.Nil(t, c.Unwrap(key))
}
