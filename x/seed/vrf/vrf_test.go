package vrf_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/ecvrf"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/seed/vrf"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(s)
	require.NoError(t, err)
	return raw
}

func key(t testing.TB, name string) vrf.Key {
	t.Helper()
	secret := sha256.Sum256([]byte(name))
	k, err := vrf.FromSecret(secret[:])
	require.NoError(t, err)
	return k
}

// RFC 9381, appendix B.4: ECVRF-EDWARDS25519-SHA512-ELL2, examples 19 to 21.
var rfc9381 = []struct{ secret, public, alpha, proof, beta string }{
	{
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
		"7d9c633ffeee27349264cf5c667579fc583b4bda63ab71d001f89c10003ab46f14adf9a3cd8b8412d9038531e865c341cafa73589b023d14311c331a9ad15ff2fb37831e00f0acaa6d73bc9997b06501",
		"9d574bf9b8302ec0fc1e21c3ec5368269527b87b462ce36dab2d14ccf80c53cccf6758f058c5b1c856b116388152bbe509ee3b9ecfe63d93c3b4346c1fbc6c54",
	},
	{
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
		"47b327393ff2dd81336f8a2ef10339112401253b3c714eeda879f12c509072ef055b48372bb82efbdce8e10c8cb9a2f9d60e93908f93df1623ad78a86a028d6bc064dbfc75a6a57379ef855dc6733801",
		"38561d6b77b71d30eb97a062168ae12b667ce5c28caccdf76bc88e093e4635987cd96814ce55b4689b3dd2947f80e59aac7b7675f8083865b46c89b2ce9cc735",
	},
	{
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
		"926e895d308f5e328e7aa159c06eddbe56d06846abf5d98c2512235eaa57fdce35b46edfc655bc828d44ad09d1150f31374e7ef73027e14760d42e77341fe05467bb286cc2c9d7fde29120a0b2320d04",
		"121b7f9b9aaaa29099fc04a94ba52784d44eac976dd1a3cca458733be5cd090a7b5fbd148444f17f8daf1fb55cb04b1ae85a626e30a54b4b0f8abf4a43314a58",
	},
}

func TestSection2TheFunctionIsThatOfRFC9381(t *testing.T) {
	for _, v := range rfc9381 {
		k, err := vrf.FromSecret(unhex(t, v.secret))
		require.NoError(t, err)
		require.Equal(t, v.public, hex.EncodeToString(k.Public()))
		require.Equal(t, v.secret, hex.EncodeToString(k.Secret()))
		require.NoError(t, vrf.Check(k.Public()))

		proof := k.Prove(unhex(t, v.alpha))
		require.Equal(t, v.proof, hex.EncodeToString(proof))
		beta, ok := vrf.Verify(k.Public(), unhex(t, v.alpha), proof)
		require.True(t, ok)
		require.Equal(t, v.beta, hex.EncodeToString(beta))
		again, err := vrf.Beta(proof)
		require.NoError(t, err)
		require.Equal(t, beta, again)
	}
}

func TestSection2AnyOtherProofKeyOrInputIsRefused(t *testing.T) {
	k, alpha := key(t, "mine"), []byte("alpha")
	proof := k.Prove(alpha)
	for i := range proof {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(proof)
			bad[i] ^= bit
			_, ok := vrf.Verify(k.Public(), alpha, bad)
			require.False(t, ok, "byte %d", i)
		}
	}
	for name, c := range map[string]struct{ public, alpha, proof []byte }{
		"another input":   {k.Public(), []byte("alphb"), proof},
		"another key":     {key(t, "yours").Public(), alpha, proof},
		"a short proof":   {k.Public(), alpha, proof[:79]},
		"a long proof":    {k.Public(), alpha, append(bytes.Clone(proof), 0)},
		"no proof":        {k.Public(), alpha, nil},
		"a short key":     {k.Public()[:31], alpha, proof},
		"no key":          {nil, alpha, proof},
		"zeros":           {make([]byte, 32), alpha, make([]byte, 80)},
		"the draft's own": {k.Public(), alpha, ecvrf.Prove_v10(ed25519.NewKeyFromSeed(k.Secret()), alpha)},
	} {
		_, ok := vrf.Verify(c.public, c.alpha, c.proof)
		require.False(t, ok, name)
	}
}

// A proposer may make as many proofs as it likes.
func TestSection2ManyProofsHaveOneOutput(t *testing.T) {
	k, alpha := key(t, "mine"), []byte("alpha")
	want, ok := vrf.Verify(k.Public(), alpha, k.Prove(alpha))
	require.True(t, ok)
	seen := map[string]bool{}
	for range 16 {
		proof, err := ecvrf.ProveWithAddedRandomness(nil, ed25519.NewKeyFromSeed(k.Secret()), alpha)
		require.NoError(t, err)
		seen[string(proof)] = true
		beta, ok := vrf.Verify(k.Public(), alpha, proof)
		require.True(t, ok)
		require.Equal(t, want, beta)
	}
	require.Len(t, seen, 16)
}

func TestSection2KeysThatProveNothingAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ key, says string }{
		"the neutral point":           {"0100000000000000000000000000000000000000000000000000000000000000", "low or mixed order"},
		"a point of order 2":          {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "low or mixed order"},
		"a point of order 4":          {"0000000000000000000000000000000000000000000000000000000000000000", "low or mixed order"},
		"a point of order 8":          {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "low or mixed order"},
		"an encoding above the field": {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "encoding"},
		"no point":                    {"0200000000000000000000000000000000000000000000000000000000000000", "no point"},
		"31 bytes":                    {"01000000000000000000000000000000000000000000000000000000000000", "has 32 bytes, this one has 31"},
		"nothing":                     {"", "this one has 0"},
	} {
		err := vrf.Check(unhex(t, c.key))
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := vrf.FromSecret(make([]byte, 31))
	require.ErrorContains(t, err, "has 32 bytes, this one has 31")
	_, err = vrf.Generate(bytes.NewReader(make([]byte, 5)))
	require.Error(t, err)
}

// The bytes that are hashed and proved over, put together by hand.
func TestSection2TheSeedIsOfTheBytesThatProtocolSays(t *testing.T) {
	sum := func(parts ...[]byte) []byte {
		s := sha256.Sum256(bytes.Join(parts, nil))
		return s[:]
	}
	genesis := sum([]byte("lode/genesis"), []byte("lode-1"))
	require.Equal(t, genesis, vrf.Genesis("lode-1"))

	alpha := bytes.Join([][]byte{[]byte("lode-1"), {0, 0, 0, 0, 0, 0, 1, 2}, genesis}, nil)
	require.Equal(t, alpha, vrf.Alpha("lode-1", 258, genesis))

	beta, ok := vrf.Verify(key(t, "mine").Public(), alpha, key(t, "mine").Prove(alpha))
	require.True(t, ok)
	require.Equal(t, sum([]byte("lode/seed"), genesis, beta), vrf.Next(genesis, beta))
	require.Equal(t, sum([]byte("lode/seed"), genesis, make([]byte, 32)), vrf.Next(genesis, nil))
	require.Equal(t, vrf.Next(genesis, nil), vrf.Next(genesis, vrf.NoBeta()))
	vrf.NoBeta()[0] = 1
	require.Equal(t, make([]byte, 32), vrf.NoBeta(), "nobody changes it for others")
}

func TestSection2AProofOfPossessionIsNoProofOfASeed(t *testing.T) {
	for _, n := range []int{20, 32} {
		possession := vrf.Possession("lode-1", make([]byte, n))
		require.NotEqual(t, len(vrf.Alpha("lode-1", 1, make([]byte, 32))), len(possession))
	}
}

func TestSection2AFrameIsReadAsItWasWrittenAndNothingElseIs(t *testing.T) {
	proof := key(t, "mine").Prove([]byte("alpha"))
	got, ok := vrf.Unframe(vrf.Frame(proof))
	require.True(t, ok)
	require.Equal(t, proof, got)
	require.Len(t, vrf.Frame(proof), vrf.FrameSize)
	got, ok = vrf.Unframe(vrf.Frame(nil))
	require.True(t, ok)
	require.Empty(t, got)
	for name, raw := range map[string][]byte{
		"nothing": nil, "a part of the tag": []byte("lode/vr"), "another tag": []byte("lode/vrg"),
		"a proof one byte short": vrf.Frame(proof[1:]), "one byte more": vrf.Frame(append(bytes.Clone(proof), 0)), "one byte": vrf.Frame([]byte{0}),
		"a proof without a tag": proof,
	} {
		_, ok := vrf.Unframe(raw)
		require.False(t, ok, name)
	}
}

// FuzzVerify: whatever a block begins with, it is judged and nothing panics.
func FuzzVerify(f *testing.F) {
	secret := sha256.Sum256([]byte("mine"))
	k, err := vrf.FromSecret(secret[:])
	require.NoError(f, err)
	alpha := []byte("alpha")
	f.Add(k.Public(), k.Prove(alpha))
	f.Add(make([]byte, 32), make([]byte, 80))
	f.Add([]byte{1}, bytes.Repeat([]byte{0xff}, 80))
	want, _ := vrf.Verify(k.Public(), alpha, k.Prove(alpha))
	f.Fuzz(func(t *testing.T, public, proof []byte) {
		_ = vrf.Check(public)
		vrf.Verify(public, alpha, proof)
		if beta, ok := vrf.Verify(k.Public(), alpha, proof); ok {
			require.Equal(t, want, beta)
		}
	})
}
