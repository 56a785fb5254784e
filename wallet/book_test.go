package wallet_test

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/types/bech32"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

// account is the address of 20 bytes.
func account(t *testing.T, raw []byte) string {
	t.Helper()
	a, err := bech32.ConvertAndEncode("lode", raw)
	require.NoError(t, err)
	return a
}

// nth is one of many addresses, as far apart as addresses are.
func nth(t *testing.T, n uint64) string {
	hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
	return account(t, hash[:20])
}

func TestTheAddressBookKeepsNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	w := open(t, dir, mute(t))
	list, err := w.Contacts()
	require.NoError(t, err)
	require.Empty(t, list)
	require.NoError(t, w.AddContact(wallet.Contact{Name: "shop", Address: nth(t, 1), Note: "the corner"}, false))
	require.NoError(t, w.AddContact(wallet.Contact{Name: "bank", Address: nth(t, 2)}, false))
	list, err = open(t, dir, mute(t)).Contacts()
	require.NoError(t, err)
	require.Equal(t, []wallet.Contact{{Name: "bank", Address: nth(t, 2)}, {Name: "shop", Address: nth(t, 1), Note: "the corner"}}, list)

	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "SHOP", Address: nth(t, 3)}, false), wallet.ErrExists)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "again", Address: nth(t, 1)}, false), wallet.ErrExists)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "a/b", Address: nth(t, 3)}, false), wallet.ErrBadName)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "x", Address: "lode1x"}, false), wallet.ErrBadAddress)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "x", Address: nth(t, 3), Note: "two\nlines"}, false), wallet.ErrBadName)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "x", Address: nth(t, 3), Note: strings.Repeat("x", 201)}, false), wallet.ErrBadName)

	// Keys and contacts share their names.
	w = open(t, dir, answer(secret))
	_, _, err = w.Create("shop", wallet.Coldkey)
	require.ErrorIs(t, err, wallet.ErrExists)
	key, _, err := w.Create("mine", wallet.Coldkey)
	require.NoError(t, err)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "Mine", Address: nth(t, 4)}, false), wallet.ErrExists)
	require.ErrorIs(t, w.AddContact(wallet.Contact{Name: "me", Address: key.Address}, false), wallet.ErrExists)

	require.NoError(t, w.RemoveContact("shop"))
	require.ErrorIs(t, w.RemoveContact("shop"), wallet.ErrNotFound)
}

func TestAnAddressHasOneTextAndAWrongOneIsNotCorrected(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mute(t))
	good := nth(t, 1)
	require.ErrorContains(t, w.AddContact(wallet.Contact{Name: "loud", Address: strings.ToUpper(good)}, false), "write "+good)
	wrong := good[:len(good)-1] + map[bool]string{true: "p", false: "q"}[strings.HasSuffix(good, "q")]
	err := w.AddContact(wallet.Contact{Name: "x", Address: wrong}, false)
	require.ErrorIs(t, err, wallet.ErrBadAddress)
	require.NotContains(t, err.Error(), good[len(good)-6:], "who believes it pays somebody else")
	err = w.AddContact(wallet.Contact{Name: "x", Address: strings.Repeat("lode1", 1<<20)}, false)
	require.ErrorIs(t, err, wallet.ErrBadAddress)
	require.Less(t, len(err.Error()), 300)

	require.True(t, wallet.IsAddress(vectorAccount))
	require.ErrorContains(t, wallet.CheckAddress(vectorAccount), "another network")
	for _, name := range []string{"", "alice", "lode", "vault1", strings.Repeat("a", 1<<20)} {
		require.False(t, wallet.IsAddress(name))
	}

	// A book of an earlier version may have one in capitals.
	write(t, dir, "book.json", `{"version":1,"contacts":[{"name":"loud","address":"`+strings.ToUpper(good)+`"}]}`)
	list, err := w.Contacts()
	require.NoError(t, err)
	require.Equal(t, good, list[0].Address)
}

func TestAnAddressThatLooksLikeAKnownOneIsRefused(t *testing.T) {
	w := open(t, t.TempDir(), mute(t))
	hash := sha256.Sum256([]byte("friend"))
	friend := account(t, hash[:20])
	require.NoError(t, w.AddContact(wallet.Contact{Name: "friend", Address: friend}, false))
	fake := append([]byte(nil), hash[:20]...)
	fake[10] ^= 0xff // the checksum changes the last six characters; the first fifteen are the friend's
	twin := account(t, fake)
	require.True(t, wallet.Resembles(friend, twin))
	err := w.AddContact(wallet.Contact{Name: "twin", Address: twin}, false)
	require.ErrorIs(t, err, wallet.ErrLooksAlike)
	require.ErrorContains(t, err, "friend")
	require.NoError(t, w.AddContact(wallet.Contact{Name: "twin", Address: twin}, true), "who has compared them may say so")
}

func TestWhatLooksAlike(t *testing.T) {
	const a = "lode19rl4cm2hmr8afy4kldpxz3fka4jguq0a4w0y9s"
	for b, want := range map[string]bool{
		a: false,
		"lode19rl4qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq":  false, // four first ones
		"lode19rl4cqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq":  true,  // five
		"lode1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqw0y9s": true,  // five last ones
		"lode19rlqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq9s": true,  // three and two
		"lode1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq0y9s": false,
		"lode1": false, "": false,
	} {
		require.Equal(t, want, wallet.Resembles(a, b), b)
		require.Equal(t, want, wallet.Resembles(b, a), b)
	}
	// Addresses that have nothing to do with each other don't: these are always the same.
	for i := range uint64(200) {
		for j := range i {
			require.False(t, wallet.Resembles(nth(t, i), nth(t, j)))
		}
	}
}

func TestADamagedBookIsSaid(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "{", "a later version": `{"version":2}`,
		"no address": `{"version":1,"contacts":[{"name":"a","address":"b"}]}`,
		"no name":    `{"version":1,"contacts":[{"name":"../a","address":"` + nth(t, 1) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "book.json"), []byte(content), 0o600))
			_, err := open(t, dir, mute(t)).Contacts()
			require.ErrorContains(t, err, "book.json")
			require.Error(t, open(t, dir, mute(t)).AddContact(wallet.Contact{Name: "x", Address: nth(t, 2)}, false))
		})
	}
}
