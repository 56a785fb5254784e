package wallet_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cosmos/btcutil/bech32"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	sdkkeyring "github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

const (
	secret = "correct horse"
	// The first of BIP-39's own test vectors, and its account in every wallet of the
	// ecosystem: cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4.
	vector        = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	vectorAccount = "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4"
	// Another of them.
	vector2 = "legal winner thank year wave sausage worth useful legal winner thank yellow"
)

func answer(pass string) wallet.PassphraseFunc {
	return func(bool) (string, error) { return pass, nil }
}

// mute fails the test when it is asked.
func mute(t *testing.T) wallet.PassphraseFunc {
	return func(bool) (string, error) {
		t.Error("the passphrase was asked for")
		return "", errors.New("asked")
	}
}

func open(t *testing.T, dir string, pass wallet.PassphraseFunc) *wallet.Wallet {
	t.Helper()
	w, err := wallet.Open(dir, pass)
	require.NoError(t, err)
	return w
}

func TestAMnemonicGivesTheAccountOfEveryOtherWallet(t *testing.T) {
	s, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	_, want, err := bech32.DecodeToBase256(vectorAccount)
	require.NoError(t, err)
	require.Equal(t, want, []byte(s.AccAddress()))
	require.True(t, strings.HasPrefix(s.Address(), "lode1"))
	require.Equal(t, "c4a48e2fce1481cd3294b4490f6678090ea98d3d0e5cd984558ab0968741b104", hex.EncodeToString(s.PrivKey()))

	spaced, err := wallet.SignerFromMnemonic("  " + strings.ToUpper(strings.ReplaceAll(vector, " ", "\n\t ")) + "\n")
	require.NoError(t, err)
	require.Equal(t, s.Address(), spaced.Address(), "spaces and capitals don't matter")
}

func TestAKeyIsCreatedOnceAndSignsLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	key, mnemonic, err := open(t, dir, answer(secret)).Create("alice", wallet.Coldkey)
	require.NoError(t, err)
	require.Len(t, strings.Fields(mnemonic), 24)
	require.Equal(t, wallet.Key{Name: "alice", Kind: wallet.Coldkey, Address: key.Address}, key)

	w := open(t, dir, answer(secret))
	for _, name := range []string{"alice", key.Address} {
		s, err := w.Signer(name)
		require.NoError(t, err)
		require.Equal(t, key.Address, s.Address())
		sig, err := s.Sign([]byte("message"))
		require.NoError(t, err)
		require.True(t, s.PubKey().VerifySignature([]byte("message"), sig))
	}
	again, err := wallet.SignerFromMnemonic(mnemonic)
	require.NoError(t, err)
	require.Equal(t, key.Address, again.Address(), "the mnemonic is the key")
}

func TestWhatKeysThereAreNeedsNoPassphrase(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mute(t))
	keys, err := w.List()
	require.NoError(t, err)
	require.Empty(t, keys)

	w = open(t, dir, answer(secret))
	b, err := w.Import("bob", wallet.Hotkey, vector)
	require.NoError(t, err)
	a, err := w.Import("alice", wallet.Coldkey, vector2)
	require.NoError(t, err)

	w = open(t, dir, mute(t))
	keys, err = w.List()
	require.NoError(t, err)
	require.Equal(t, []wallet.Key{a, b}, keys, "by name")
	got, err := w.Get(b.Address)
	require.NoError(t, err)
	require.Equal(t, b, got)
	_, err = w.Get("carol")
	require.ErrorIs(t, err, wallet.ErrNotFound)
	require.ErrorContains(t, err, "alice, bob")
	_, err = w.Signer("carol")
	require.ErrorIs(t, err, wallet.ErrNotFound)
}

func TestAWrongPassphraseIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, answer(secret)).Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)

	for _, pass := range []string{"", "short", "wrong horse", strings.Repeat("x", 500), secret + "\n"} {
		asked := 0
		w := open(t, dir, func(confirm bool) (string, error) {
			require.False(t, confirm, "the wallet has a passphrase")
			asked++
			return pass, nil
		})
		_, err := w.Signer("alice")
		require.ErrorIs(t, err, wallet.ErrWrongPassphrase)
		_, _, err = w.Create("bob", wallet.Hotkey)
		require.ErrorIs(t, err, wallet.ErrWrongPassphrase)
		require.Equal(t, 2, asked, "once for each call")
		keys, err := w.List()
		require.NoError(t, err)
		require.Len(t, keys, 1)
	}
	closed := errors.New("no terminal")
	_, err = open(t, dir, func(bool) (string, error) { return "", closed }).Signer("alice")
	require.ErrorIs(t, err, closed)
}

func TestThePassphraseIsAskedForOnce(t *testing.T) {
	var asked []bool
	w := open(t, t.TempDir(), func(confirm bool) (string, error) {
		asked = append(asked, confirm)
		return secret, nil
	})
	for i := range 3 {
		_, _, err := w.Create(fmt.Sprint("k", i), wallet.Hotkey)
		require.NoError(t, err)
		_, err = w.Signer(fmt.Sprint("k", i))
		require.NoError(t, err)
	}
	require.Equal(t, []bool{true}, asked, "a new one, to be confirmed")
}

// bcrypt, by which a passphrase is checked, reads 72 bytes of it, and again from the
// beginning after a zero.
func TestAPassphraseIsRightAsAWhole(t *testing.T) {
	for name, pass := range map[string]string{"72 bytes": strings.Repeat("p", 72), "8 bytes": "12345678"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := open(t, dir, answer(pass)).Import("alice", wallet.Coldkey, vector)
			require.NoError(t, err)
			for _, other := range []string{pass + "x", pass + "\x00", pass + "\x00" + pass} {
				_, _, err := open(t, dir, answer(other)).Create("bob", wallet.Coldkey)
				require.ErrorIs(t, err, wallet.ErrWrongPassphrase, "%q", other)
			}
		})
	}
	_, _, err := open(t, t.TempDir(), answer("12345678\x00")).Create("bob", wallet.Coldkey)
	require.ErrorIs(t, err, wallet.ErrBadPassphrase)
}

func TestANewPassphraseThatIsTooShortOrLongLeavesNothing(t *testing.T) {
	for _, pass := range []string{"", "1234567", strings.Repeat("x", wallet.MaxPassphrase+1)} {
		dir := filepath.Join(t.TempDir(), "w")
		_, _, err := open(t, dir, answer(pass)).Create("alice", wallet.Coldkey)
		require.ErrorIs(t, err, wallet.ErrBadPassphrase)
		require.NoDirExists(t, dir)
	}
}

func TestABadMnemonicIsRefusedWithoutBeingRepeated(t *testing.T) {
	for name, c := range map[string]struct{ words, why string }{
		"empty":           {"", "it has 0 words"},
		"thirteen words":  {vector + " about", "it has 13 words"},
		"an unknown word": {strings.Replace(vector, "about", "lodestone", 1), "word 12 is not"},
		"a wrong order":   {strings.Replace(vector, "abandon about", "about abandon", 1), "checksum"},
		"a wrong word":    {strings.Replace(vector, "about", "zoo", 1), "checksum"},
		"binary":          {strings.Repeat("\x00 ", 12), "word 1 is not"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "w")
			_, err := open(t, dir, mute(t)).Import("alice", wallet.Coldkey, c.words)
			require.ErrorIs(t, err, wallet.ErrBadMnemonic)
			require.ErrorContains(t, err, c.why)
			require.NotContains(t, err.Error(), "lodestone")
			require.NotContains(t, err.Error(), "abandon")
			require.NoDirExists(t, dir)
		})
	}
}

func TestAKeyIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, answer(secret))
	alice, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	for _, name := range []string{"alice", "ALICE"} {
		_, err = w.Import(name, wallet.Coldkey, vector2)
		require.ErrorIs(t, err, wallet.ErrExists, name)
	}
	_, err = w.Import("bob", wallet.Hotkey, vector)
	require.ErrorIs(t, err, wallet.ErrExists, "the same key under another name")
	require.ErrorContains(t, err, "alice")
	s, err := open(t, dir, answer(secret)).Signer("alice")
	require.NoError(t, err)
	require.Equal(t, alice.Address, s.Address())
}

func TestNamesAreFileNamesEverywhere(t *testing.T) {
	w := open(t, t.TempDir(), answer(secret))
	for _, name := range []string{
		"", strings.Repeat("x", 65), ".", "..", "a/b", `a\b`, "../x", "-a", ".hidden", "a b", "a\nb", "a\x00b",
		"ä", "a:b", "lode1x", "LODE1abc", "*", "~",
	} {
		_, err := w.Import(name, wallet.Coldkey, vector)
		require.ErrorIs(t, err, wallet.ErrBadName, "%q", name)
	}
	_, err := w.Import("alice", "warmkey", vector)
	require.ErrorContains(t, err, "warmkey")
	for _, name := range []string{"a", "A-b_c.d", strings.Repeat("x", 64), "info", "a.info", "x.address", "keyhash", "0"} {
		key, _, err := w.Create(name, wallet.Hotkey)
		require.NoError(t, err, name)
		s, err := w.Signer(name)
		require.NoError(t, err, name)
		require.Equal(t, key.Address, s.Address(), name)
	}
}

func TestOnlyTheOwnerMayReadIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	require.NoError(t, os.Mkdir(dir, 0o755), "a folder that was open to others")
	_, _, err := open(t, dir, answer(secret)).Create("alice", wallet.Coldkey)
	require.NoError(t, err)
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		st, err := d.Info()
		require.NoError(t, err)
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		require.Equal(t, want, st.Mode().Perm(), path)
		return nil
	}))
	require.Equal(t, 5, files, "index, lock, keyhash, key, address: nothing is left over")
}

func TestALinkInTheWalletsFolderIsNotFollowed(t *testing.T) {
	dir, others := t.TempDir(), filepath.Join(t.TempDir(), "others")
	require.NoError(t, os.WriteFile(others, []byte("mine"), 0o644))
	for _, name := range []string{".keys.json.new", ".book.json.new"} {
		require.NoError(t, os.Symlink(others, filepath.Join(dir, name)))
	}
	w := open(t, dir, answer(secret))
	_, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	require.NoError(t, w.AddContact(wallet.Contact{Name: "shop", Address: "lode1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5n7sf3v"}, false))
	raw, err := os.ReadFile(others)
	require.NoError(t, err)
	require.Equal(t, "mine", string(raw))
	for _, name := range []string{"keys.json", "book.json"} {
		st, err := os.Lstat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.True(t, st.Mode().IsRegular(), name)
		require.Equal(t, fs.FileMode(0o600), st.Mode().Perm(), name)
	}
}

func TestKeysAreEncryptedAtRest(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, answer(secret))
	_, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	s, err := w.Signer("alice")
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, leak := range [][]byte{s.PrivKey(), []byte(hex.EncodeToString(s.PrivKey())), []byte("abandon"), []byte(secret)} {
			require.False(t, bytes.Contains(raw, leak), path)
		}
		return err
	}))
}

func TestTheSDKsFileBackendReadsIt(t *testing.T) {
	dir := t.TempDir()
	key, err := open(t, dir, answer(secret)).Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	kr, err := sdkkeyring.New("lode", sdkkeyring.BackendFile, dir, strings.NewReader(secret+"\n"), codec.NewProtoCodec(registry))
	require.NoError(t, err)
	rec, err := kr.Key("alice")
	require.NoError(t, err)
	addr, err := rec.GetAddress()
	require.NoError(t, err)
	require.Equal(t, key.Address, addr.String())
}

func TestSeveralUsersOfOneWalletDontLoseKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	wallets := []*wallet.Wallet{open(t, dir, answer(secret)), open(t, dir, answer(secret)), open(t, dir, answer(secret))}
	var wg sync.WaitGroup
	for i, w := range wallets {
		for j := range 3 {
			wg.Go(func() {
				if _, _, err := w.Create(fmt.Sprintf("k%d-%d", i, j), wallet.Hotkey); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	w := open(t, dir, answer(secret))
	keys, err := w.List()
	require.NoError(t, err)
	require.Len(t, keys, 9)
	for _, k := range keys {
		_, err := w.Signer(k.Name)
		require.NoError(t, err)
	}
}

func TestACrashWhileAKeyIsWrittenLeavesAUsableWallet(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, answer(secret))
	_, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	// The index is written first: the crash came before the key.
	require.NoError(t, os.Remove(filepath.Join(dir, "keyring-file", "alice.info")))
	keys, err := w.List()
	require.NoError(t, err)
	require.Empty(t, keys)
	_, err = open(t, dir, answer(secret)).Import("alice", wallet.Coldkey, vector2)
	require.NoError(t, err, "the name is free")
	keys, err = w.List()
	require.NoError(t, err)
	require.Len(t, keys, 1)
}

// Half a record must not be left, by a full disk or a crash: it would be taken for a key,
// to whose address somebody sends money, or keep its name for ever. Here files end before
// a record does, but after an index, as on a disk that is full; the limit holds for a
// whole process, so it is another one's.
func TestAKeyThatCouldNotBeWrittenIsNoKey(t *testing.T) {
	if dir := os.Getenv("LODE_TEST_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 600, Max: 600}))
		_, _, err := open(t, dir, answer(secret)).Create("bob", wallet.Coldkey)
		require.ErrorIs(t, err, syscall.EFBIG)
		return
	}
	dir := t.TempDir()
	w := open(t, dir, answer(secret))
	_, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	before, err := os.ReadDir(filepath.Join(dir, "keyring-file"))
	require.NoError(t, err)
	full := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	full.Env = append(os.Environ(), "LODE_TEST_FULL="+dir)
	out, err := full.CombinedOutput()
	require.NoError(t, err, string(out))

	after, err := os.ReadDir(filepath.Join(dir, "keyring-file"))
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing of it is left")
	keys, err := w.List()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	_, err = w.Import("bob", wallet.Coldkey, vector2)
	require.NoError(t, err, "the name is free")
}

func TestARecordThatTheIndexDoesNotKnowIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, answer(secret))
	_, err := w.Import("alice", wallet.Coldkey, vector)
	require.NoError(t, err)
	record := filepath.Join(dir, "keyring-file", "alice.info")
	before, err := os.ReadFile(record)
	require.NoError(t, err)
	write(t, dir, "keys.json", `{"version":1,"keys":[]}`)
	_, err = open(t, dir, answer(secret)).Import("alice", wallet.Coldkey, vector2)
	require.ErrorIs(t, err, wallet.ErrExists)
	after, err := os.ReadFile(record)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// The keyring derives from the words as they are given.
func TestAMnemonicMayBeInCapitalsAndLines(t *testing.T) {
	want, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	for name, words := range map[string]string{
		"capitals": strings.ToUpper(vector), "a capital": "A" + vector[1:], "lines": strings.ReplaceAll(" "+vector+"\r\n", " ", "\n  "),
	} {
		w := open(t, t.TempDir(), answer(secret))
		_, err := w.Import("alice", wallet.Coldkey, words)
		require.NoError(t, err, name)
		s, err := w.Signer("alice")
		require.NoError(t, err, name)
		require.Equal(t, want.PrivKey(), s.PrivKey(), name)
	}
}

func TestADamagedWalletSaysWhatIsDamaged(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		why    string
	}{
		"an index that is no JSON": {func(t *testing.T, dir string) { write(t, dir, "keys.json", "{") }, "keys.json is damaged"},
		"an index of a later version": {func(t *testing.T, dir string) {
			write(t, dir, "keys.json", `{"version":2}`)
		}, "version 2"},
		"an index that is missing": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "keys.json")))
		}, "keys.json is missing, by which the 2 keys"},
		"a key that was cut off": {func(t *testing.T, dir string) {
			raw, err := os.ReadFile(filepath.Join(dir, "keyring-file", "alice.info"))
			require.NoError(t, err)
			write(t, dir, "keyring-file/alice.info", string(raw[:len(raw)/2]))
		}, "alice.info"},
		"a key under another's name": {func(t *testing.T, dir string) {
			raw, err := os.ReadFile(filepath.Join(dir, "keyring-file", "bob.info"))
			require.NoError(t, err)
			write(t, dir, "keyring-file/alice.info", string(raw))
		}, "exchanged"},
		"a hash that is missing": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "keyring-file", "keyhash")))
		}, "keyhash is missing"},
		"a hash that was cut off": {func(t *testing.T, dir string) {
			write(t, dir, "keyring-file/keyhash", "$2a$10$")
		}, "keyhash is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := open(t, dir, answer(secret))
			_, err := w.Import("alice", wallet.Coldkey, vector)
			require.NoError(t, err)
			_, err = w.Import("bob", wallet.Coldkey, vector2)
			require.NoError(t, err)
			c.damage(t, dir)
			_, err = open(t, dir, answer(secret)).Signer("alice")
			require.ErrorContains(t, err, c.why)
		})
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
}

func TestASignerNeedsAWholeKey(t *testing.T) {
	for _, n := range []int{0, 31, 33} {
		_, err := wallet.NewSigner(make([]byte, n))
		require.ErrorContains(t, err, "32")
	}
	for _, b := range []byte{0, 0xff} {
		_, err := wallet.NewSigner(bytes.Repeat([]byte{b}, 32))
		require.ErrorContains(t, err, "order")
	}
}
