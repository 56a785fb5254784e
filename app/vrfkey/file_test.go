package vrfkey_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/vrfkey"
	"github.com/lodenet/lode/x/seed/vrf"
)

func TestAKeyFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vrf_key.json")
	_, err := vrfkey.Read(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	made, err := vrfkey.ReadOrMake(path)
	require.NoError(t, err)
	require.Len(t, made.Keys, 1)
	again, err := vrfkey.ReadOrMake(path)
	require.NoError(t, err)
	require.Equal(t, made, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

func TestAKeyFileHoldsTheKeyInForceAndTheNextOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vrf_key.json")
	first, err := vrfkey.ReadOrMake(path)
	require.NoError(t, err)
	next, err := vrf.Generate(nil)
	require.NoError(t, err)
	require.NoError(t, first.With(next).Write(path))
	both, err := vrfkey.Read(path)
	require.NoError(t, err)
	require.Len(t, both.Keys, 2)
	require.Len(t, first.Keys, 1, "the value is as it was")
	found, ok := both.Find(next.Public())
	require.True(t, ok)
	require.Equal(t, next, found)
	_, ok = first.Find(next.Public())
	require.False(t, ok)
	require.Equal(t, vrfkey.File{Keys: []vrf.Key{next}}, both.Keep(next.Public()))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half written is left")
}

func TestADamagedKeyFileIsRefusedAndNotReplaced(t *testing.T) {
	for name, c := range map[string]struct{ content, says string }{
		"no JSON":            {`{"keys":`, "no file of VRF keys"},
		"a short secret":     {`{"keys":[{"public_key":"AA==","secret":"AA=="}]}`, "key 1: a VRF secret has 32 bytes, this one has 1"},
		"another public key": {`{"keys":[{"public_key":"AA==","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`, "the public key is 00, that of the secret"},
	} {
		path := filepath.Join(t.TempDir(), "vrf_key.json")
		require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
		_, err := vrfkey.ReadOrMake(path)
		require.ErrorContains(t, err, c.says, name)
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, c.content, string(raw))
	}
}
