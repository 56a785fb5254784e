package wallet_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

func mustAbsent(t *testing.T, pub cryptotypes.PubKey) *wallet.Signer {
	t.Helper()
	s, err := wallet.NewAbsentSigner(pub)
	require.NoError(t, err)
	return s
}

// members are so many public keys.
func members(t *testing.T, n int) (out []cryptotypes.PubKey) {
	for i := range n {
		s, err := wallet.NewSigner(bytes.Repeat([]byte{byte(i + 1)}, 32))
		require.NoError(t, err)
		out = append(out, s.PubKey())
	}
	return out
}

func TestAnAccountOfSeveralKeysHasTheAddressThatTheSDKGivesIt(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mute(t))
	keys := members(t, 3)
	slices.Reverse(keys)
	key, err := w.AddMultisig("safe", 2, keys)
	require.NoError(t, err)
	require.Equal(t, wallet.Multisig, key.Held)
	sorted := slices.SortedFunc(slices.Values(keys), func(a, b cryptotypes.PubKey) int { return bytes.Compare(a.Address(), b.Address()) })
	require.Equal(t, multisig.NewLegacyAminoPubKey(2, sorted).Address().Bytes(), mustAbsent(t, multisig.NewLegacyAminoPubKey(2, sorted)).AccAddress().Bytes())
	require.Equal(t, mustAbsent(t, multisig.NewLegacyAminoPubKey(2, sorted)).Address(), key.Address)

	w = open(t, dir, mute(t))
	s, err := w.Absent("safe")
	require.NoError(t, err)
	require.Equal(t, wallet.Multisig, s.Held())
	_, err = s.Sign([]byte("x"))
	require.ErrorContains(t, err, "several keys sign")
	pub, err := w.PubKey("safe")
	require.NoError(t, err)
	require.True(t, pub.Equals(s.PubKey()))
	_, err = w.AddMultisig("same", 2, members(t, 3))
	require.ErrorIs(t, err, wallet.ErrExists)
}

func TestWhatTheChainWouldRefuseOfSeveralKeysIsRefusedFirst(t *testing.T) {
	w := open(t, t.TempDir(), mute(t))
	three := members(t, 3)
	for name, c := range map[string]struct {
		threshold int
		keys      []cryptotypes.PubKey
	}{
		"nobody": {1, nil}, "one": {1, three[:1]}, "too many": {2, members(t, 8)}, "none of them": {0, three},
		"less than none": {-1, three}, "more than there are": {4, three}, "one of them twice": {2, []cryptotypes.PubKey{three[0], three[0]}},
		"several in several": {2, []cryptotypes.PubKey{three[0], multisig.NewLegacyAminoPubKey(1, three)}},
	} {
		_, err := w.AddMultisig("bad", c.threshold, c.keys)
		require.ErrorIs(t, err, wallet.ErrMultisig, name)
	}
	raw, err := wallet.MarshalPubKey(multisig.NewLegacyAminoPubKey(2, three))
	require.NoError(t, err)
	_, err = wallet.ParsePubKey([]byte(strings.Replace(string(raw), `"threshold":2`, `"threshold":9`, 1)))
	require.ErrorIs(t, err, wallet.ErrMultisig)
}
