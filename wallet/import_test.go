package wallet_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdkcrypto "github.com/cosmos/cosmos-sdk/crypto"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/mldsa65"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

func sdkKeyring(t *testing.T) sdkkeyring.Keyring {
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	return sdkkeyring.NewInMemory(codec.NewProtoCodec(registry))
}

func TestAMnemonicHasTwelveOrTwentyFourWords(t *testing.T) {
	w := open(t, t.TempDir(), answer(secret))
	for _, n := range []int{12, 24} {
		_, words, err := w.Create("k"+strings.Repeat("x", n), wallet.Coldkey, wallet.Words(n))
		require.NoError(t, err)
		require.Len(t, strings.Fields(words), n)
	}
	for _, n := range []int{0, -3, 1, 15, 23, 25} {
		_, _, err := w.Create("bad", wallet.Coldkey, wallet.Words(n))
		require.ErrorIs(t, err, wallet.ErrBadMnemonic, "%d", n)
	}
}

func TestAPrivateKeyIsImportedByItsDigits(t *testing.T) {
	w := open(t, t.TempDir(), answer(secret))
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	key, err := w.ImportHex("alice", wallet.Coldkey, " 0x"+strings.ToUpper(hex.EncodeToString(s.PrivKey()))+"\n")
	require.NoError(t, err)
	require.Equal(t, s.Address(), key.Address)
	back, err := w.ExportHex("alice")
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(s.PrivKey()), back)
	_, err = w.ImportHex("again", wallet.Coldkey, back)
	require.ErrorIs(t, err, wallet.ErrExists)
	for name, digits := range map[string]string{
		"nothing": "", "an odd number": "abc", "too short": strings.Repeat("11", 31), "too long": strings.Repeat("11", 33),
		"zero": strings.Repeat("00", 32), "the order": strings.Repeat("ff", 32), "words": vector, "huge": strings.Repeat("11", 1<<20),
	} {
		_, err := w.ImportHex("bad", wallet.Coldkey, digits)
		require.ErrorIs(t, err, wallet.ErrBadKey, name)
		require.NotContains(t, err.Error(), "1111", "it is not repeated")
	}
}

// A key goes to the SDK's tools and comes from them.
func TestKeyFilesAreTheSDKs(t *testing.T) {
	w := open(t, t.TempDir(), answer(secret))
	for _, c := range []struct {
		algorithm wallet.Algorithm
		sdk       sdkkeyring.SignatureAlgo
	}{{wallet.Secp256k1, hd.Secp256k1}, {wallet.MLDSA65, hd.MlDsa65}} {
		t.Run(c.algorithm.String(), func(t *testing.T) {
			kr := sdkKeyring(t)
			rec, err := kr.NewAccount("theirs", vector2, "", wallet.Path, c.sdk)
			require.NoError(t, err)
			theirs, err := rec.GetAddress()
			require.NoError(t, err)
			armor, err := kr.ExportPrivKeyArmor("theirs", "file-passphrase")
			require.NoError(t, err)
			name := "from-" + c.algorithm.String()
			key, err := w.ImportArmor(name, wallet.Coldkey, armor, "file-passphrase")
			require.NoError(t, err)
			require.Equal(t, c.algorithm, key.Algorithm)
			s, err := w.Signer(name)
			require.NoError(t, err)
			require.Equal(t, theirs.Bytes(), s.AccAddress().Bytes())
			sig, err := s.Sign([]byte("message"))
			require.NoError(t, err)
			require.True(t, s.PubKey().VerifySignature([]byte("message"), sig))

			_, err = w.ImportArmor("wrong", wallet.Coldkey, armor, "another")
			require.ErrorIs(t, err, wallet.ErrBadKey)

			out, err := w.Export(name, "another-passphrase")
			require.NoError(t, err)
			require.NoError(t, kr.ImportPrivKey("back", out, "another-passphrase"))
			rec, err = kr.Key("back")
			require.NoError(t, err)
			back, err := rec.GetAddress()
			require.NoError(t, err)
			require.Equal(t, theirs, back)
			_, err = w.Export(name, "short")
			require.ErrorIs(t, err, wallet.ErrBadPassphrase)
		})
	}
}

func TestADamagedKeyFileIsRefused(t *testing.T) {
	w := open(t, t.TempDir(), mute(t))
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	other := ed25519.GenPrivKey()
	for name, armor := range map[string]string{
		"nothing":           "",
		"no armor":          vector,
		"another block":     sdkcrypto.ArmorPubKeyBytes(s.PubKey().Bytes(), "secp256k1"),
		"a validator's key": sdkcrypto.EncryptArmorPrivKey(other, "pass", "ed25519"),
		"no salt":           sdkcrypto.EncodeArmor("TENDERMINT PRIVATE KEY", map[string]string{"kdf": "argon2"}, []byte("x")),
		"a short salt":      sdkcrypto.EncodeArmor("TENDERMINT PRIVATE KEY", map[string]string{"kdf": "bcrypt", "salt": "AB"}, []byte("x")),
		"short content":     sdkcrypto.EncodeArmor("TENDERMINT PRIVATE KEY", map[string]string{"kdf": "argon2", "salt": "AB"}, []byte("x")),
		"huge":              strings.Repeat("x", 1<<20),
	} {
		_, err := w.ImportArmor("bad", wallet.Coldkey, armor, "pass")
		require.ErrorIs(t, err, wallet.ErrBadKey, name)
	}
}

func TestAnMLDSAColdkeySignsAndComesBackFromItsWords(t *testing.T) {
	dir := t.TempDir()
	key, words, err := open(t, dir, answer(secret)).Create("alice", wallet.Coldkey, wallet.By(wallet.MLDSA65), wallet.Words(12))
	require.NoError(t, err)
	require.Equal(t, wallet.MLDSA65, key.Algorithm)
	s, err := open(t, dir, answer(secret)).Signer("alice")
	require.NoError(t, err)
	require.Len(t, s.PubKey().Bytes(), 1952)
	hash := sha256.Sum256(s.PubKey().Bytes())
	require.Equal(t, hash[:20], s.AccAddress().Bytes())
	sig, err := s.Sign([]byte("message"))
	require.NoError(t, err)
	require.Len(t, sig, 3309)
	require.True(t, s.PubKey().VerifySignature([]byte("message"), sig))

	back, err := open(t, t.TempDir(), answer(secret)).Import("back", wallet.Coldkey, words, wallet.By(wallet.MLDSA65))
	require.NoError(t, err)
	require.Equal(t, key.Address, back.Address)
	classic, err := wallet.SignerFromMnemonic(words)
	require.NoError(t, err)
	require.NotEqual(t, key.Address, classic.Address(), "another algorithm is another account")
	seeded, err := open(t, t.TempDir(), answer(secret)).ImportHex("seed", wallet.Coldkey, hex.EncodeToString(classic.PrivKey()), wallet.By(wallet.MLDSA65))
	require.NoError(t, err)
	require.Equal(t, key.Address, seeded.Address, "secp256k1's private key is its seed")

	_, _, err = open(t, dir, answer(secret)).Create("hot", wallet.Hotkey, wallet.By(wallet.MLDSA65))
	require.ErrorContains(t, err, "mesh")
	_, err = wallet.ParseAlgorithm("rsa")
	require.ErrorContains(t, err, "secp256k1 or ml-dsa-65")
	a, err := wallet.ParseAlgorithm("secp256k1")
	require.NoError(t, err)
	require.Equal(t, wallet.Secp256k1, a)
}

func TestAWatchedAddressNeedsNoPassphraseAndSignsNothing(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mute(t))
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	key, err := w.Watch("cold", wallet.Coldkey, s.Address())
	require.NoError(t, err)
	require.Equal(t, wallet.Watch, key.Held)
	other, err := wallet.SignerFromMnemonic(vector2)
	require.NoError(t, err)
	_, err = w.WatchPubKey("known", wallet.Coldkey, other.PubKey())
	require.NoError(t, err)

	w = open(t, dir, mute(t))
	keys, err := w.List()
	require.NoError(t, err)
	require.Len(t, keys, 2)
	for _, name := range []string{"cold", "known", s.Address()} {
		_, err = w.Signer(name)
		require.ErrorIs(t, err, wallet.ErrAbsent)
		a, err := w.Absent(name)
		require.NoError(t, err)
		_, err = a.Sign([]byte("x"))
		require.ErrorIs(t, err, wallet.ErrAbsent)
		require.Nil(t, a.PrivKey())
	}
	pub, err := w.PubKey("known")
	require.NoError(t, err)
	require.True(t, pub.Equals(other.PubKey()))
	_, err = w.PubKey("cold")
	require.ErrorIs(t, err, wallet.ErrAbsent)
	_, err = w.ExportHex("cold")
	require.ErrorIs(t, err, wallet.ErrAbsent)

	_, err = w.Watch("twice", wallet.Coldkey, s.Address())
	require.ErrorIs(t, err, wallet.ErrExists)
	for name, address := range map[string]string{
		"nothing": "", "another network": vectorAccount, "a wrong character": s.Address()[:len(s.Address())-1] + "q", "a name": "alice",
	} {
		_, err = w.Watch("bad", wallet.Coldkey, address)
		require.ErrorIs(t, err, wallet.ErrBadAddress, name)
	}
	// A key that comes later does not open the watched ones.
	w = open(t, dir, answer(secret))
	_, err = w.Import("same", wallet.Coldkey, vector)
	require.ErrorIs(t, err, wallet.ErrExists)
	_, _, err = w.Create("new", wallet.Hotkey, wallet.Under("cold"))
	require.NoError(t, err)
	got, err := w.Get("new")
	require.NoError(t, err)
	require.Equal(t, "cold", got.Under)
	_, _, err = w.Create("lower", wallet.Hotkey, wallet.Under("new"))
	require.ErrorContains(t, err, "under a coldkey")
	_, _, err = w.Create("lost", wallet.Hotkey, wallet.Under("nobody"))
	require.ErrorIs(t, err, wallet.ErrNotFound)
	_, _, err = w.Create("chief", wallet.Coldkey, wallet.Under("cold"))
	require.ErrorContains(t, err, "only hotkeys")
}

func TestWhatWasWatchedGetsItsKey(t *testing.T) {
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	w := open(t, t.TempDir(), answer(secret))
	_, err = w.Watch("vault", wallet.Coldkey, s.Address())
	require.NoError(t, err)
	_, err = w.Import("other", wallet.Coldkey, vector)
	require.ErrorIs(t, err, wallet.ErrExists)
	require.ErrorContains(t, err, `watched as "vault"`)
	_, err = w.Import("vault", wallet.Coldkey, vector2)
	require.ErrorIs(t, err, wallet.ErrExists, "the key of another address")
	_, err = w.Watch("vault", wallet.Coldkey, s.Address())
	require.ErrorIs(t, err, wallet.ErrExists)

	_, err = w.Import("vault", wallet.Coldkey, vector)
	require.NoError(t, err)
	keys, err := w.List()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, wallet.Here, keys[0].Held)
	got, err := w.Signer("vault")
	require.NoError(t, err)
	require.Equal(t, s.PrivKey(), got.PrivKey())
	_, err = w.Watch("vault", wallet.Coldkey, s.Address())
	require.ErrorIs(t, err, wallet.ErrExists, "and keeps it")
}

func TestPublicKeysAreCheckedWhenTheyAreRead(t *testing.T) {
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	raw, err := wallet.MarshalPubKey(s.PubKey())
	require.NoError(t, err)
	pub, err := wallet.ParsePubKey(raw)
	require.NoError(t, err)
	require.True(t, pub.Equals(s.PubKey()))
	short := &mldsa65.PubKey{Key: []byte("short")}
	shortText, err := wallet.MarshalPubKey(short)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing":               "",
		"no JSON":               "A1B2",
		"no point":              `{"@type":"/cosmos.crypto.secp256k1.PubKey","key":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAF"}`,
		"no key":                `{"@type":"/cosmos.crypto.secp256k1.PubKey"}`,
		"a short one":           string(shortText),
		"a validator's":         `{"@type":"/cosmos.crypto.ed25519.PubKey","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`,
		"a private one":         `{"@type":"/cosmos.crypto.secp256k1.PrivKey","key":"AQ=="}`,
		"a null among several":  `{"@type":"/cosmos.crypto.multisig.LegacyAminoPubKey","threshold":1,"public_keys":[null]}`,
		"nothing among several": `{"@type":"/cosmos.crypto.multisig.LegacyAminoPubKey","threshold":1,"public_keys":[{},{}]}`,
		"huge":                  strings.Repeat(" ", 1<<20),
	} {
		_, err := wallet.ParsePubKey([]byte(text))
		require.ErrorIs(t, err, wallet.ErrBadKey, name)
	}
}

func TestAnIndexOfAnEarlierVersionIsRead(t *testing.T) {
	dir := t.TempDir()
	key, err := open(t, dir, answer(secret)).Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys.json"),
		[]byte(`{"version":1,"keys":[{"name":"alice","kind":"coldkey","address":"`+key.Address+`"}]}`), 0o600))
	w := open(t, dir, answer(secret))
	a, err := w.Absent("alice")
	require.NoError(t, err)
	require.Nil(t, a.PubKey(), "it was not written then")
	pub, err := w.PubKey("alice")
	require.NoError(t, err)
	require.Equal(t, key.Address, mustAbsent(t, pub).Address())
}
