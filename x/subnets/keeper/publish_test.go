package keeper_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

func TestSection4PublishKeepsDataAndReplacesWhatWasThere(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	require.NoError(t, e.publish("ann", 1, "first"))
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventPublished"), `sealed_height="0"`)
	e.pass(1)
	require.NoError(t, e.publish("ann", 1, "second"))
	want := types.Published{SubnetId: s.Id, Hotkey: addr("ann").String(), Data: []byte("second"), Height: 2}
	require.Equal(t, want, e.published("ann", 1))
	e.pass(1)
	require.NoError(t, e.seal("ann", 1, "third"))
	p := e.published("ann", 1)
	require.Empty(t, p.Data, "what is sealed takes the place of what was plain")
	require.EqualValues(t, []int64{3, 0}, []int64{p.SealedHeight, p.Height})
	e.holds()
}

func TestSection4PublishHoldsOneTo512Bytes(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.publish("ann", 1, strings.Repeat("x", 512)))
	require.Len(t, e.published("ann", 1).Data, 512)
	for _, data := range []string{"", strings.Repeat("x", 513), strings.Repeat("x", 1<<20)} {
		err := e.publish("ann", 1, data)
		require.ErrorIs(t, err, types.ErrInvalidData)
		require.ErrorContains(t, err, "bytes of data, must be 1 to 512")
		require.ErrorIs(t, e.reveal("ann", 1, data, salt), types.ErrInvalidData)
	}
	for _, hash := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		require.ErrorContains(t, e.sealHash("ann", 1, hash), "must have 32")
	}
	for _, s := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		require.ErrorContains(t, e.reveal("ann", 1, "x", s), "the salt has")
	}
	require.ErrorIs(t, e.publish("nobody", 1, "x"), types.ErrNotRegistered)
	require.ErrorIs(t, e.publish("ann", 2, "x"), types.ErrNoSubnet)
	_, err := e.msgs.Publish(e.ctx, &types.MsgPublish{Hotkey: "lode1", Netuid: 1, Data: []byte("x")})
	require.ErrorContains(t, err, "bech32")
	e.holds()
}

func TestSection4TheHashIsOfChainNetuidHotkeyDataAndSalt(t *testing.T) {
	// By hand: every part in its place, lengths before what varies.
	var b bytes.Buffer
	b.WriteString("lode/publish/1")
	b.WriteString("\x0blode-test-1")
	b.Write([]byte{0x01, 0x02}) // netuid 258
	b.Write(addr("ann"))
	b.Write([]byte{0, 3})
	b.WriteString("abc")
	b.Write(salt)
	want := sha256.Sum256(b.Bytes())
	require.Equal(t, want, types.PublishHash(chainID, 258, addr("ann"), []byte("abc"), salt))

	seen := map[string]string{}
	for name, hash := range map[string][32]byte{
		"as it is":                types.PublishHash(chainID, 258, addr("ann"), []byte("abc"), salt),
		"another chain":           types.PublishHash("lode-test-2", 258, addr("ann"), []byte("abc"), salt),
		"another netuid":          types.PublishHash(chainID, 513, addr("ann"), []byte("abc"), salt),
		"another hotkey":          types.PublishHash(chainID, 258, addr("bob"), []byte("abc"), salt),
		"other data":              types.PublishHash(chainID, 258, addr("ann"), []byte("abd"), salt),
		"another salt":            types.PublishHash(chainID, 258, addr("ann"), []byte("abc"), make([]byte, 32)),
		"a byte less, salt first": types.PublishHash(chainID, 258, addr("ann"), []byte("ab"), append([]byte("c"), salt[:31]...)),
		"chain id into netuid":    types.PublishHash(chainID+"\x01", 0x0201, addr("ann"), []byte("abc"), salt),
	} {
		require.Empty(t, seen[hex.EncodeToString(hash[:])], name)
		seen[hex.EncodeToString(hash[:])] = name
	}
}

func TestSection4ASealOpensWithItsDataAndSaltAndKeepsBothBlocks(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	e.pass(4) // block 5
	require.ErrorIs(t, e.reveal("ann", 1, "model", salt), types.ErrNotSealed, "nothing is there")
	require.NoError(t, e.seal("ann", 1, "model"))
	e.pass(2)
	other := bytes.Repeat([]byte{8}, types.SaltSize)
	for name, err := range map[string]error{
		"a wrong salt": e.reveal("ann", 1, "model", other),
		"wrong data":   e.reveal("ann", 1, "mode1", salt),
	} {
		require.ErrorIs(t, err, types.ErrWrongReveal, name)
		require.ErrorContains(t, err, "in block 5", name)
	}
	require.Zero(t, e.published("ann", 1).Height, "a wrong one harms nothing")
	require.NoError(t, e.reveal("ann", 1, "model", salt))
	hash := types.PublishHash(chainID, 1, addr("ann"), []byte("model"), salt)
	require.Equal(t, types.Published{
		SubnetId: s.Id, Hotkey: addr("ann").String(), Data: []byte("model"), Hash: hash[:], SealedHeight: 5, Height: 7,
	}, e.published("ann", 1))
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventPublished"), `sealed_height="5"`)
	err := e.reveal("ann", 1, "model", salt)
	require.ErrorIs(t, err, types.ErrNotSealed)
	require.ErrorContains(t, err, "sealed in block 5 was revealed in block 7")
	e.pass(10)
	require.NoError(t, e.publish("ann", 1, "plain"))
	require.ErrorContains(t, e.reveal("ann", 1, "model", salt), "was published plain in block 17")
	e.holds()
}

func TestSection4AnothersHashOpensForNobody(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	e.register(1, "bob")
	e.register(1, "thief")
	hash := types.PublishHash(chainID, 1, addr("bob"), []byte("model"), salt)
	require.NoError(t, e.sealHash("thief", 1, hash[:]), "a copy, even earlier than the original")
	e.pass(1)
	require.NoError(t, e.seal("bob", 1, "model"))
	e.pass(1)
	require.NoError(t, e.reveal("bob", 1, "model", salt))
	require.ErrorIs(t, e.reveal("thief", 1, "model", salt), types.ErrWrongReveal, "now that all know data and salt")
	require.Zero(t, e.published("thief", 1).Height)
	require.NoError(t, e.publish("thief", 1, "model"), "plain it may, later than bob by its block")
	require.Greater(t, e.published("thief", 1).Height, e.published("bob", 1).SealedHeight)
	// Nor does a seal open on another subnet or another chain.
	e.started("cid")
	e.register(2, "bob")
	require.NoError(t, e.sealHash("bob", 2, hash[:]))
	require.ErrorIs(t, e.reveal("bob", 2, "model", salt), types.ErrWrongReveal)
	e.pass(10)
	require.NoError(t, e.seal("bob", 1, "model"))
	e.ctx = e.ctx.WithChainID("lode-fork-1")
	require.ErrorIs(t, e.reveal("bob", 1, "model", salt), types.ErrWrongReveal)
	e.holds()
}

func TestSection4PublishingIsLimitedByBytesPerTempo(t *testing.T) {
	p := local()
	p.PublishBytesPerTempo = 600
	e := newEnv(t, p)
	e.started("ann")
	e.register(1, "bob")
	e.pass(4) // block 5: the window is blocks 5 to 14
	require.NoError(t, e.publish("ann", 1, strings.Repeat("x", 400)))
	e.pass(1)
	require.NoError(t, e.seal("ann", 1, strings.Repeat("y", 169)), "a hash counts 32")
	require.NoError(t, e.publish("bob", 1, strings.Repeat("x", 512)), "every neuron has its own limit")
	err := e.reveal("ann", 1, strings.Repeat("y", 169), salt)
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "600 bytes in 10 blocks")
	require.ErrorContains(t, err, "has published 432 since block 5 and 169 more are too many, the first block in which they will be accepted is 15 (this is for block 6)")
	require.NoError(t, e.seal("ann", 1, strings.Repeat("y", 136)))
	require.NoError(t, e.reveal("ann", 1, strings.Repeat("y", 136), salt), "to the last byte")
	require.ErrorIs(t, e.publish("ann", 1, "x"), types.ErrTooSoon)
	e.pass(8) // block 14
	require.ErrorIs(t, e.publish("ann", 1, "x"), types.ErrTooSoon)
	e.pass(1)
	require.NoError(t, e.publish("ann", 1, strings.Repeat("x", 512)))
	e.holds()
}

func TestSection4WhoTakesAUidInheritsNothingThatItsFormerHolderPublished(t *testing.T) {
	p := withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 })
	p.PublishBytesPerTempo = 512
	e := newEnv(t, p)
	s := e.started("ann")
	e.fill(1, 16)
	e.pass(61)
	require.NoError(t, e.seal("miner 1", 1, "secret"))
	require.EqualValues(t, 1, e.register(1, "new"))
	_, err := e.query.Published(e.ctx, &types.QueryPublishedRequest{Netuid: 1, Hotkey: addr("new").String()})
	require.ErrorIs(t, err, types.ErrNotPublished)
	require.ErrorIs(t, e.reveal("new", 1, "secret", salt), types.ErrNotSealed)
	require.ErrorIs(t, e.reveal("miner 1", 1, "secret", salt), types.ErrNotRegistered)
	require.NoError(t, e.publish("new", 1, strings.Repeat("x", 512)), "nor what it had used of its limit")
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Equal(t, []types.PublishUse{{SubnetId: s.Id, Uid: 1, Since: 62, Bytes: 512}}, g.PublishUses)
	e.holds()
}
