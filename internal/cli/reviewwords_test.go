package cli

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	multisigkeys "github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/stretchr/testify/require"
)

func TestAMessageIsShownWithAllItsValuesAndTheirUnits(t *testing.T) {
	tenth := sdkmath.LegacyNewDecWithPrec(1, 1)
	for name, c := range map[string]struct {
		msg  sdk.Msg
		want []string
	}{
		"a take of nothing":          {&alphatypes.MsgSetTake{}, []string{"take: 0 %"}},
		"a hyperparameter of zero":   {&subnetstypes.MsgSetHyperparameter{Name: "immunity_period"}, []string{"value: 0"}},
		"a destination that is none": {&alphatypes.MsgSetDestination{}, []string{"destination: –"}},
		"a deposit":                  {&markettypes.MsgDeposit{Amount: 5e9, CloseDelay: 7200}, []string{"amount: 5 TAO", "close delay: 2 hours"}},
		"a plan":                     {&markettypes.MsgOfferPlan{Price: 1e8, Period: 86400}, []string{"price: 0.1 TAO", "period: 1 day"}},
		"a split":                    {&markettypes.MsgSetRevenueSplit{Split: markettypes.RevenueSplit{Burn: 250_000}}, []string{"burn: 25 %"}},
		"children":                   {&alphatypes.MsgSetChildren{Children: []alphatypes.Child{{Proportion: 500_000}}}, []string{"proportion: 50 %"}},
		"a commission":               {&stakingtypes.MsgEditValidator{CommissionRate: &tenth}, []string{"commission rate: 0.1"}},
		"a part of a vote":           {&govv1.MsgVoteWeighted{Options: []*govv1.WeightedVoteOption{{Weight: "1"}}}, []string{"weight: 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for _, l := range messageWords(c.msg, nil) {
				lines = append(lines, strings.TrimSpace(l))
			}
			for _, want := range c.want {
				require.Contains(t, lines, want)
			}
		})
	}
}

// sendRao is a message by which one sends a rao to another.
func sendRao(from, to string) sdk.Msg {
	return &banktypes.MsgSend{FromAddress: from, ToAddress: to, Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", 1))}
}

func TestWhereSeveralSignItIsShownWhoDoesWhat(t *testing.T) {
	a, b := sdk.AccAddress(strings.Repeat("a", 20)).String(), sdk.AccAddress(strings.Repeat("b", 20)).String()
	s := &seen{names: map[string]string{a: "ada"}, signers: []string{a, b}}
	bind := &alphatypes.MsgBindHotkey{Coldkey: a, Hotkey: b}
	require.NoError(t, s.addMessages([]sdk.Msg{sendRao(b, a), sendRao(a, b), bind}))
	require.Equal(t, []string{
		"send 0.000000001 TAO to ada " + a, "by " + b,
		"send 0.000000001 TAO to " + b, "by ada " + a,
		"bind the hotkey " + b + " to the coldkey ada " + a + ", for good",
	}, s.messages)

	s = &seen{signers: []string{a}}
	require.NoError(t, s.addMessages([]sdk.Msg{sendRao(a, b)}))
	require.Len(t, s.messages, 1, "where one signs, it is they")
}

func TestATransactionsTextDoesNotMoveTheCursor(t *testing.T) {
	const evil = "\x1b[2J\x1b[1Afee  none\n→ nothing\u202e"
	s := &seen{signers: []string{"a"}, payer: evil, feeRao: 1, memo: evil, notes: []string{evil}, lookAlikes: []string{evil}}
	s.messages = messageWords(&banktypes.MsgSend{ToAddress: evil, Amount: sdk.Coins{{Denom: evil, Amount: sdkmath.OneInt()}}}, nil)
	var b strings.Builder
	s.write(&b)
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\u202e")
	require.NotContains(t, b.String(), "\n→ nothing")

	b.Reset()
	report(&b, fail("bad_tx", evil, "the node says %s", evil), false)
	require.NotContains(t, b.String(), "\x1b")
	require.Contains(t, b.String(), "error: the node says <U+001B>[2J")
}

func TestWhatHandsSomethingOverIsCompared(t *testing.T) {
	require.Equal(t, []string{"b"}, recipientsOf([]sdk.Msg{&distributiontypes.MsgSetWithdrawAddress{DelegatorAddress: "a", WithdrawAddress: "b"}}))
	require.Equal(t, []string{"b"}, recipientsOf([]sdk.Msg{&subnetstypes.MsgTransferOwnership{Coldkey: "a", Hotkey: "b"}}))
}

func TestAFileThatNobodyCouldSendIsNotSigned(t *testing.T) {
	file := func(msg sdk.Msg) *txtypes.Tx {
		wrapped, err := codectypes.NewAnyWithValue(msg)
		require.NoError(t, err)
		return &txtypes.Tx{Body: &txtypes.TxBody{Messages: []*codectypes.Any{wrapped}}, AuthInfo: &txtypes.AuthInfo{Fee: &txtypes.Fee{}}}
	}
	_, err := readSignatures(file(&banktypes.MsgMultiSend{}))
	require.ErrorContains(t, err, "nobody's signature")

	a := sdk.AccAddress(strings.Repeat("a", 20)).String()
	unordered := file(sendRao(a, a))
	unordered.Body.Unordered = true
	_, err = previewOf(unordered)
	require.ErrorContains(t, err, "unordered")
}

// mutate calls f with a JSON document in which one value is another, for each and all of
// these.
func mutate(t *testing.T, doc []byte, f func([]byte)) {
	t.Helper()
	odd := []any{nil, []any{}, map[string]any{}, "", "x", "AAAA", -1, 1e30, "18446744073709551616", true, []any{nil}, []any{map[string]any{}},
		map[string]any{"@type": "/x"}, map[string]any{"@type": "/cosmos.bank.v1beta1.MsgSend"}, map[string]any{"@type": "/cosmos.crypto.multisig.LegacyAminoPubKey"}}
	var v any
	require.NoError(t, json.Unmarshal(doc, &v))
	try := func() {
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		f(raw)
	}
	var walk func(any)
	walk = func(at any) {
		switch at := at.(type) {
		case []any:
			for i, was := range at {
				for _, at[i] = range odd {
					try()
				}
				at[i] = was
				walk(was)
			}
		case map[string]any:
			for name, was := range at {
				for _, at[name] = range odd {
					try()
				}
				delete(at, name)
				try()
				at[name] = was
				walk(was)
			}
		}
	}
	walk(v)
}

func TestNoFileOfAStrangerFellsTheProgram(t *testing.T) {
	k, err := wallet.SignerFromMnemonic(strings.Repeat("abandon ", 11) + "about")
	require.NoError(t, err)
	one, err := codectypes.NewAnyWithValue(sendRao(k.Address(), k.Address()))
	require.NoError(t, err)
	tx := &txtypes.Tx{Body: &txtypes.TxBody{Messages: []*codectypes.Any{one}}, AuthInfo: &txtypes.AuthInfo{Fee: &txtypes.Fee{Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", 7)), GasLimit: 7}}}
	require.NoError(t, signTx(tx, []*wallet.Signer{k}, make([]client.AccountData, 1)))
	doc, err := chain().Codec.MarshalJSON(tx)
	require.NoError(t, err)
	read := 0
	mutate(t, doc, func(raw []byte) {
		var tx txtypes.Tx
		if readStranger(raw, &tx) != nil || tx.Body == nil || tx.AuthInfo == nil || tx.AuthInfo.Fee == nil {
			return
		}
		s, err := readSignatures(&tx)
		if err != nil {
			return
		}
		p, err := previewOf(&tx)
		if err != nil {
			return
		}
		v := &seen{signers: p.Signers, payer: p.Payer, feeRao: p.FeeRao, gas: p.Gas}
		v.addFile(&tx)
		if v.addMessages(p.Msgs) == nil {
			v.write(io.Discard)
		}
		_ = s.sign([]*wallet.Signer{k}, make([]client.AccountData, 1))
		read++
	})
	require.Positive(t, read, "some are good")

	members := []cryptotypes.PubKey{k.PubKey(), secp256k1.GenPrivKeyFromSecret([]byte("another")).PubKey()}
	several := multisigkeys.NewLegacyAminoPubKey(1, members)
	file := filepath.Join(t.TempDir(), "signature.json")
	tx.AuthInfo.SignerInfos, tx.Signatures = nil, nil
	s, err := readSignatures(tx)
	require.NoError(t, err)
	doc, err = chain().TxConfig.MarshalSignatureJSON([]signing.SignatureV2{{PubKey: k.PubKey(), Data: &signing.SingleSignatureData{SignMode: aminoMode, Signature: make([]byte, 64)}}})
	require.NoError(t, err)
	mutate(t, doc, func(raw []byte) {
		require.NoError(t, os.WriteFile(file, raw, 0o600))
		require.Error(t, s.combine(k.Address(), several, client.AccountData{ChainID: "c"}, []string{file}))
	})
	doc, err = wallet.MarshalPubKey(several)
	require.NoError(t, err)
	mutate(t, doc, func(raw []byte) { _, _ = wallet.ParsePubKey(raw) })
}
