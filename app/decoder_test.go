package app_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// What the SDK's decoder lets pass and its handlers panic on.
func TestWhatAHandlerWouldPanicOnCanNotBeRead(t *testing.T) {
	c := newChain(t)
	whole := txtypes.Fee{Amount: rao(20_000), GasLimit: 2_000_000}
	for name, o := range map[string]struct {
		says string
		edit func(body *txtypes.TxBody, info *txtypes.AuthInfo)
	}{
		"no fee":    {"missing", func(_ *txtypes.TxBody, i *txtypes.AuthInfo) { i.Fee = nil }},
		"a granter": {"can't be read", func(_ *txtypes.TxBody, i *txtypes.AuthInfo) { i.Fee.Granter = "somebody" }},
		"a payer":   {"bech32", func(_ *txtypes.TxBody, i *txtypes.AuthInfo) { i.Fee.Payer = "somebody" }},
		"an amount": {"no amount", func(_ *txtypes.TxBody, i *txtypes.AuthInfo) { i.Fee.Amount = sdk.Coins{coin("rao", 7)} }},
		"a key": {"incorrect", func(_ *txtypes.TxBody, i *txtypes.AuthInfo) {
			short, err := codectypes.NewAnyWithValue(&ed25519.PubKey{Key: []byte{1}})
			require.NoError(t, err)
			i.SignerInfos = []*txtypes.SignerInfo{{PublicKey: short}}
		}},
		"a validator's key, however deep": {"incorrect", func(b *txtypes.TxBody, _ *txtypes.AuthInfo) {
			short, err := codectypes.NewAnyWithValue(&ed25519.PubKey{Key: []byte{1}})
			require.NoError(t, err)
			rotate := &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: sdk.ValAddress(addr("user")).String(), NewPubkey: short}
			b.Messages = packed(t, exec("user", exec("user", rotate)))
		}},
		"no message":          {"no signer", func(b *txtypes.TxBody, _ *txtypes.AuthInfo) { b.Messages = nil }},
		"a message of nobody": {"", func(b *txtypes.TxBody, _ *txtypes.AuthInfo) { b.Messages = []*codectypes.Any{{}} }},
	} {
		t.Run(name, func(t *testing.T) {
			fee := whole
			body := txtypes.TxBody{Messages: packed(t, send("user", "owner", 1))}
			info := txtypes.AuthInfo{Fee: &fee}
			o.edit(&body, &info)
			var raw txtypes.TxRaw
			var err error
			raw.BodyBytes, err = body.Marshal()
			require.NoError(t, err)
			raw.AuthInfoBytes, err = info.Marshal()
			require.NoError(t, err)
			if name == "an amount" { // what is written has one; field 2 of a coin is it
				raw.AuthInfoBytes = bytes.Replace(raw.AuthInfoBytes, []byte("\x0a\x03rao\x12\x017"), []byte("\x0a\x04rao7\x12\x00"), 1)
			}
			tx, err := raw.Marshal()
			require.NoError(t, err)

			res := c.check(tx)
			require.EqualValues(t, 2, res.Code, res.Log)
			require.Equal(t, "sdk", res.Codespace)
			require.Contains(t, res.Log, o.says)
			require.Equal(t, refused.String(), c.propose(c.frame(), tx).String())
			clear(c.sequence)
			other := c.sign(paid, []string{"user"}, send("user", "owner", 1))
			require.Equal(t, [][]byte{other},
				c.prepare(1<<20, tx, other)[1:], "it keeps nobody else out")
		})
	}
}

// A signature covers the last body, whatever is put before it: longer, the transaction
// would fail for want of gas, and pay.
func TestNobodyOnTheWayMakesATransactionLonger(t *testing.T) {
	c := newChain(t)
	tx := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	parts := split(tx)
	require.Len(t, parts, 3)
	junk := append([]byte{0x0a, 0x80, 0x01}, make([]byte, 128)...)
	for name, longer := range map[string][]byte{
		"a body before it":           append(bytes.Clone(junk), tx...),
		"its body twice":             append(bytes.Clone(parts[0]), tx...),
		"what is signed with it too": bytes.Join([][]byte{parts[0], parts[1], parts[1], parts[2]}, nil),
	} {
		res := c.check(longer)
		require.EqualValues(t, 2, res.Code, name)
		require.Contains(t, res.Log, "is there twice", name)
		require.Equal(t, refused.String(), c.propose(c.frame(), longer).String(), name)
	}
	c.runTx(tx)
}

// A handler of the SDK's panics on a rate that is there and empty.
func TestWhereTheSDKPanicsTheTransactionFailsAndPays(t *testing.T) {
	c := newChain(t)
	c.run([]string{"user"}, send("user", validator, tao))
	description := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "one")
	msg := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), description)
	msg = protowire.AppendString(protowire.AppendTag(msg, 2, protowire.BytesType), sdk.ValAddress(addr(validator)).String())
	msg = protowire.AppendBytes(protowire.AppendTag(msg, 3, protowire.BytesType), nil)
	before := c.balance(validator)
	res := c.block(c.sealed(draft{
		body:    txtypes.TxBody{Messages: []*codectypes.Any{{TypeUrl: sdk.MsgTypeURL(&stakingtypes.MsgEditValidator{}), Value: msg}}},
		fee:     txtypes.Fee{Amount: rao(20_000), GasLimit: 2_000_000},
		signers: []person{named(validator)},
	}))[0]
	require.EqualValues(t, 111_222, res.Code, res.Log)
	require.Equal(t, before-20_000, c.balance(validator))
	c.block()
}
