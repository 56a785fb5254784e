package voucher_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/voucher"
)

const chainID = "lode-test-1"

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func config() voucher.Config {
	return voucher.Config{
		Payer: bytes.Repeat([]byte{1}, 20), Provider: bytes.Repeat([]byte{2}, 20), SessionKey: public(key(7)),
		SubnetID: 3, ServiceID: 4, PlanID: 5, CloseDelay: 3600,
	}
}

func TestTheBytesOfChannelsAndVouchersAreFixed(t *testing.T) {
	id := voucher.ChannelID(chainID, config(), 1000)
	require.Equal(t, "1b338b1123cf00a78980618c9e5c56387fb1982428300e2f71b4d31873436995", hex.EncodeToString(id))

	v := voucher.Voucher{ChannelID: id, Cumulative: 123456789}
	require.Equal(t, hex.EncodeToString([]byte("lode/voucher/1"))+"0b"+hex.EncodeToString([]byte(chainID))+
		hex.EncodeToString(id)+"00000000075bcd15", hex.EncodeToString(v.SignBytes(chainID)))
	require.Equal(t, "479344b4df213e5015d89636b44001e4e77117cfb04b12a4a4f029828c71d4c3bad1702b4bda44fe414701ce331926e4de88f770dafb4dd151250e61fe05ca04", hex.EncodeToString(v.Sign(chainID, key(7))))
}

func TestAChannelIDDependsOnEveryField(t *testing.T) {
	seen := map[string]string{}
	add := func(name, chainID string, c voucher.Config, height int64) {
		id := voucher.ChannelID(chainID, c, height)
		require.Len(t, id, voucher.IDSize)
		other, dup := seen[string(id)]
		require.False(t, dup, "%s has the id of %s", name, other)
		seen[string(id)] = name
	}
	add("as it is", chainID, config(), 1000)
	add("another chain", "lode-test-2", config(), 1000)
	add("opened again", chainID, config(), 1001)
	for name, change := range map[string]func(*voucher.Config){
		"payer":       func(c *voucher.Config) { c.Payer[19]++ },
		"provider":    func(c *voucher.Config) { c.Provider[0]++ },
		"session key": func(c *voucher.Config) { c.SessionKey = public(key(8)) },
		"subnet":      func(c *voucher.Config) { c.SubnetID++ },
		"service":     func(c *voucher.Config) { c.ServiceID++ },
		"plan":        func(c *voucher.Config) { c.PlanID = 0 },
		"close delay": func(c *voucher.Config) { c.CloseDelay++ },
		"the border between payer and provider": func(c *voucher.Config) {
			c.Payer, c.Provider = append(c.Payer, c.Provider[0]), c.Provider[1:]
		},
	} {
		c := config()
		change(&c)
		add(name, chainID, c, 1000)
	}
}

func TestAVoucherIsGoodForItsChainChannelAmountAndKeyAlone(t *testing.T) {
	id := voucher.ChannelID(chainID, config(), 1000)
	v := voucher.Voucher{ChannelID: id, Cumulative: 500}
	signature := v.Sign(chainID, key(7))
	require.True(t, v.Verify(chainID, public(key(7)), signature))

	require.False(t, v.Verify("lode-test-2", public(key(7)), signature), "another chain")
	require.False(t, v.Verify(chainID, public(key(8)), signature), "another key")
	require.False(t, voucher.Voucher{ChannelID: id, Cumulative: 501}.Verify(chainID, public(key(7)), signature), "raised")
	require.False(t, voucher.Voucher{ChannelID: id, Cumulative: 499}.Verify(chainID, public(key(7)), signature), "lowered")
	again := voucher.ChannelID(chainID, config(), 1001)
	require.False(t, voucher.Voucher{ChannelID: again, Cumulative: 500}.Verify(chainID, public(key(7)), signature), "opened again")
	for at := range signature {
		bad := bytes.Clone(signature)
		bad[at] ^= 1
		require.False(t, v.Verify(chainID, public(key(7)), bad), "byte %d of the signature", at)
	}
}

func TestWrongSizesAreRefusedNotPanickedOn(t *testing.T) {
	id := voucher.ChannelID(chainID, config(), 1000)
	v := voucher.Voucher{ChannelID: id, Cumulative: 500}
	good := voucher.Signed{Voucher: v, SessionKey: public(key(7)), Signature: v.Sign(chainID, key(7))}

	var all []voucher.Signed
	for _, n := range []int{0, 1, 31, 33, 63, 65, 1 << 16} {
		junk := make([]byte, n)
		all = append(all, voucher.Signed{Voucher: v, SessionKey: junk, Signature: good.Signature},
			voucher.Signed{Voucher: v, SessionKey: good.SessionKey, Signature: junk},
			voucher.Signed{Voucher: voucher.Voucher{ChannelID: junk, Cumulative: 500}, SessionKey: good.SessionKey, Signature: good.Signature})
	}
	all = append(all, voucher.Signed{}, good)
	for i, ok := range voucher.VerifyAll(chainID, all) {
		require.Equal(t, i == len(all)-1, ok, "%d", i)
		require.Equal(t, ok, all[i].Verify(chainID, all[i].SessionKey, all[i].Signature), "%d", i)
	}
	long := strings.Repeat("x", 256)
	require.False(t, v.Verify(long, good.SessionKey, v.Sign(long, key(7))), "a chain id whose length does not fit")
	require.Empty(t, voucher.VerifyAll(chainID, nil))
}

// zip215 are signatures that other rules refuse and ZIP-215's accept: small
// order keys and R, in canonical and other encodings, with S = 0.
var zip215 = []struct{ name, key, signature string }{
	{"the identity signs with the identity", identity, identity + zeros},
	{"a point of order 8 as R", identity, order8 + zeros},
	{"a point of order 8 as the key", order8, identity + zeros},
	{"a non-canonical R, p+1", identity, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" + zeros},
	{"a non-canonical key, p+1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", identity + zeros},
	{"a non-canonical sign of the identity", "0100000000000000000000000000000000000000000000000000000000000080", identity + zeros},
}

const (
	identity = "0100000000000000000000000000000000000000000000000000000000000000"
	order8   = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
	zeros    = "0000000000000000000000000000000000000000000000000000000000000000"
	order    = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010" // of the group: S must be below
)

func TestSignaturesFollowZIP215AloneAndInBatches(t *testing.T) {
	v := voucher.Voucher{ChannelID: voucher.ChannelID(chainID, config(), 1000), Cumulative: 1}
	for _, c := range zip215 {
		k, signature := unhex(t, c.key), unhex(t, c.signature)
		require.True(t, v.Verify(chainID, k, signature), c.name)
		require.Equal(t, []bool{true, true, true}, voucher.VerifyAll(chainID, []voucher.Signed{
			{Voucher: v, SessionKey: k, Signature: signature}, {Voucher: v, SessionKey: k, Signature: signature},
			{Voucher: v, SessionKey: public(key(7)), Signature: v.Sign(chainID, key(7))},
		}), c.name)
		require.ErrorIs(t, voucher.CheckKey(k), voucher.ErrKey, c.name)
	}
	// S is never reduced: S + the group's order is another signature, and refused.
	for _, s := range []string{order, strings.Repeat("ff", 32)} {
		signature := unhex(t, identity+s)
		require.False(t, v.Verify(chainID, unhex(t, identity), signature))
		require.Equal(t, []bool{false, false}, voucher.VerifyAll(chainID, []voucher.Signed{
			{Voucher: v, SessionKey: unhex(t, identity), Signature: signature},
			{Voucher: v, SessionKey: unhex(t, identity), Signature: signature},
		}))
	}
}

func TestCheckKeyTakesGeneratedKeysAndRefusesTheRest(t *testing.T) {
	for n := range byte(32) {
		require.NoError(t, voucher.CheckKey(public(key(n))))
	}
	// All eight points of small order, and their other encodings.
	for _, bad := range []string{
		identity, order8,
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"0100000000000000000000000000000000000000000000000000000000000080", // the identity with a sign
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // order 2 with a sign
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p: 0
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1: the identity
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+3: 3, a good point otherwise encoded
		"0200000000000000000000000000000000000000000000000000000000000000", // y = 2 is not on the curve
	} {
		require.ErrorIs(t, voucher.CheckKey(unhex(t, bad)), voucher.ErrKey, bad)
	}
	for _, n := range []int{0, 31, 33, 64} {
		require.ErrorIs(t, voucher.CheckKey(make([]byte, n)), voucher.ErrKey)
	}
	require.NoError(t, voucher.CheckKey(unhex(t, "0300000000000000000000000000000000000000000000000000000000000000")))
}

func signed(n int, k ed25519.PrivateKey) voucher.Signed {
	v := voucher.Voucher{ChannelID: voucher.ChannelID(chainID, config(), int64(n)), Cumulative: uint64(n) * 1000}
	return voucher.Signed{Voucher: v, SessionKey: public(k), Signature: v.Sign(chainID, k)}
}

func TestABatchWithAPoisonedItemFindsExactlyThatOne(t *testing.T) {
	for _, size := range []int{1, 2, 3, 64, 128, 1024, 1025, 1100} {
		all := make([]voucher.Signed, size)
		for i := range all {
			all[i] = signed(i, key(byte(i%5)))
		}
		for _, good := range voucher.VerifyAll(chainID, all) {
			require.True(t, good)
		}
		poisoned := map[int]bool{0: true, size / 2: true, size - 1: true}
		for at := range poisoned {
			t.Run(fmt.Sprintf("item %d of %d", at, size), func(t *testing.T) {
				bad := append([]voucher.Signed(nil), all...)
				bad[at].Cumulative++
				for i, good := range voucher.VerifyAll(chainID, bad) {
					require.Equal(t, i != at, good, "%d", i)
				}
			})
		}
	}
}

func TestVerifyAllSaysWhatVerifySays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]voucher.Signed, rapid.IntRange(0, 20).Draw(t, "size"))
		for i := range all {
			all[i] = signed(i, key(byte(rapid.IntRange(0, 3).Draw(t, "key"))))
			switch rapid.IntRange(0, 6).Draw(t, "harm") {
			case 0:
				all[i].Signature[rapid.IntRange(0, 63).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			case 1:
				all[i].SessionKey = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "session key")
			case 2:
				all[i].Cumulative = rapid.Uint64Range(0, math.MaxUint64).Draw(t, "cumulative")
			}
		}
		for i, good := range voucher.VerifyAll(chainID, all) {
			if single := all[i].Verify(chainID, all[i].SessionKey, all[i].Signature); single != good {
				t.Fatalf("item %d: alone %v, in the batch %v", i, single, good)
			}
		}
	})
}

func FuzzCheckKeyAndVerifyTakeAnything(f *testing.F) {
	s := signed(1, key(1))
	f.Add(s.ChannelID, s.SessionKey, s.Signature, uint64(1000))
	f.Add([]byte{}, make([]byte, 32), make([]byte, 64), uint64(0))
	f.Fuzz(func(t *testing.T, id, sessionKey, signature []byte, cumulative uint64) {
		v := voucher.Voucher{ChannelID: id, Cumulative: cumulative}
		good := v.Verify(chainID, sessionKey, signature)
		item := voucher.Signed{Voucher: v, SessionKey: sessionKey, Signature: signature}
		for _, also := range voucher.VerifyAll(chainID, []voucher.Signed{item, item}) {
			require.Equal(t, good, also)
		}
		if err := voucher.CheckKey(sessionKey); err != nil {
			require.ErrorIs(t, err, voucher.ErrKey)
		}
	})
}
