package app

import (
	"crypto/rand"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
)

func TestASignatureIsRememberedForItsKeyAndItsBytesAlone(t *testing.T) {
	key, other := secp256k1.GenPrivKey(), secp256k1.GenPrivKey().PubKey().(*secp256k1.PubKey)
	pub := key.PubKey().(*secp256k1.PubKey)
	msg := []byte("account 7, sequence 3")
	signature, err := key.Sign(msg)
	require.NoError(t, err)
	v := &verified{}
	for range 2 {
		require.True(t, v.check(pub, msg, signature))
		require.False(t, v.check(other, msg, signature))
		require.False(t, v.check(pub, []byte("account 8, sequence 3"), signature))
		for i := range signature {
			wrong := append([]byte(nil), signature...)
			wrong[i] ^= 1
			require.False(t, v.check(pub, msg, wrong), "byte %d", i)
		}
		require.False(t, v.check(pub, msg, signature[:63]))
		require.False(t, v.check(pub, append([]byte{signature[63]}, msg...), signature[:63]))
		require.False(t, v.check(&secp256k1.PubKey{}, append(append([]byte(nil), pub.Key...), msg...), signature))
		require.Len(t, v.now, 1, "what is wrong is not remembered")
	}
}

func TestMemoryOfSignaturesIsBounded(t *testing.T) {
	v := &verified{}
	var id, first [32]byte
	_, err := rand.Read(first[:])
	require.NoError(t, err)
	v.add(first)
	for i := range 3 * verifiedSize {
		binary.BigEndian.PutUint64(id[:], uint64(i))
		v.add(id)
		require.True(t, v.has(id))
		require.Equal(t, i < 2*verifiedSize-1, v.has(first), "%d later", i)
		require.LessOrEqual(t, len(v.now)+len(v.old), 2*verifiedSize)
	}
}
