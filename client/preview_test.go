package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

func TestWhatIsAboutToBeSignedIsReviewed(t *testing.T) {
	t.Parallel()
	f, n, alice := running(t, 5*tao)
	bob := key(t, "bob")
	refusal := errors.New("not this one")
	var seen []client.Preview
	say := refusal
	c := connect(t, func(cfg *client.Config) {
		cfg.TxTimeout = time.Second
		cfg.Review = func(ctx context.Context, p client.Preview) error {
			end, ok := ctx.Deadline()
			require.True(t, ok)
			require.Greater(t, time.Until(end), 5*time.Second, "whoever reads is not hurried by TxTimeout")
			seen = append(seen, p)
			return say
		}
	}, n)
	_, err := c.Transfer(within(t, 60*time.Second), alice, bob.Address(), tao)
	require.ErrorIs(t, err, refusal)
	require.Zero(t, len(f.sent), "nothing was signed")
	_, err = c.SendFree(within(t, 60*time.Second), alice, &weightstypes.MsgCommitWeights{Hotkey: alice.Address(), Netuid: 1, Hash: make([]byte, 32)})
	require.ErrorIs(t, err, refusal)
	require.Zero(t, len(f.sent))
	say = nil
	res, err := c.Transfer(within(t, 60*time.Second), alice, bob.Address(), tao)
	require.NoError(t, err)

	require.Len(t, seen, 3)
	p := seen[2]
	require.Equal(t, []string{alice.Address()}, p.Signers)
	require.Equal(t, alice.Address(), p.Payer)
	require.Equal(t, res.FeeRao, p.FeeRao)
	require.EqualValues(t, 104_000, p.Gas, "80,000 · 1.3")
	require.Equal(t, []sdk.Msg{send(alice, bob.Address(), tao)}, p.Msgs)
	require.Nil(t, seen[1].Changes, "what the free lane carries is not run")
	for _, p := range seen {
		require.GreaterOrEqual(t, p.LastBlock, int64(client.TxLifetime)+1, "when it expires is known before it is signed")
	}
	require.GreaterOrEqual(t, res.LastBlock, p.LastBlock, "counted from the signature")
	require.GreaterOrEqual(t, res.LastBlock, res.Height)

	tried, err := connect(t, nil, n).Try(within(t, 10*time.Second), []*wallet.Signer{absent(t, alice)}, send(alice, bob.Address(), tao))
	require.NoError(t, err)
	require.Equal(t, p.FeeRao, tried.FeeRao)
	require.GreaterOrEqual(t, tried.LastBlock, p.LastBlock)
	require.Equal(t, 1, len(f.order))
}

func absent(t *testing.T, s *wallet.Signer) *wallet.Signer {
	t.Helper()
	a, err := wallet.NewAbsentSigner(s.PubKey())
	require.NoError(t, err)
	return a
}

func TestAmountsThatATrialMovesAreWithoutTheFee(t *testing.T) {
	t.Parallel()
	fees := authtypes.NewModuleAddress(authtypes.FeeCollectorName).String()
	changes, err := client.Changes([]byte(`{"gas_info":{"gas_used":"80000"},"result":{"events":[
		{"type":"coin_spent","attributes":[{"key":"spender","value":"lode1a"},{"key":"amount","value":"1000rao"}]},
		{"type":"coin_received","attributes":[{"key":"receiver","value":"` + fees + `"},{"key":"amount","value":"1000rao"}]},
		{"type":"tx","attributes":[{"key":"fee","value":"1000rao"},{"key":"fee_payer","value":"lode1a"}]},
		{"type":"coin_spent","attributes":[{"key":"spender","value":"lode1a"},{"key":"amount","value":"7rao"}]},
		{"type":"coin_received","attributes":[{"key":"receiver","value":"lode1b"},{"key":"amount","value":"7rao,3other"}]},
		{"type":"coin_spent","attributes":[{"key":"spender","value":"lode1c"},{"key":"amount","value":"99999999999999999999rao"}]},
		{"type":"coin_spent","attributes":[{"key":"spender","value":"lode1d"},{"key":"amount","value":"what"}]},
		{"type":"coin_spent","attributes":[]}
	]}}`))
	require.NoError(t, err)
	require.Equal(t, []client.Change{{Address: "lode1a", Rao: -7}, {Address: "lode1b", Rao: 7}}, changes)
	_, err = client.Changes([]byte(`{"result":{"events":7}}`))
	require.Error(t, err)
}

// These are the bytes that Ledgers and browsers' wallets sign.
func TestAminoJSONIsStable(t *testing.T) {
	t.Parallel()
	_, n, alice := running(t, tao)
	c := connect(t, nil, n)
	wrapped, err := codectypes.NewAnyWithValue(send(alice, alice.Address(), 12))
	require.NoError(t, err)
	body := &txtypes.TxBody{Messages: []*codectypes.Any{wrapped}, Memo: "<thanks>", TimeoutHeight: 9}
	auth := &txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: 200_000, Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewInt(2000)))}}
	bytes := func() ([]byte, error) {
		b, err := body.Marshal()
		require.NoError(t, err)
		a, err := auth.Marshal()
		require.NoError(t, err)
		return client.AminoSignBytes(c.Codec().InterfaceRegistry(), alice.Address(), client.AccountData{ChainID: "lode-test-1", Number: 7, Sequence: 3}, b, a)
	}
	got, err := bytes()
	require.NoError(t, err)
	require.Equal(t, `{"account_number":"7","chain_id":"lode-test-1","fee":{"amount":[{"amount":"2000","denom":"rao"}],"gas":"200000"},"memo":"\u003cthanks\u003e",`+
		`"msgs":[{"type":"cosmos-sdk/MsgSend","value":{"amount":[{"amount":"12","denom":"rao"}],"from_address":"`+alice.Address()+`","to_address":"`+alice.Address()+`"}}],"sequence":"3","timeout_height":"9"}`, string(got))

	body.Unordered = true
	_, err = bytes()
	require.ErrorIs(t, err, client.ErrUnordered)
	body.Unordered = false
	body.Messages[0] = &codectypes.Any{TypeUrl: "/nobody.knows.Msg", Value: []byte{1}}
	_, err = bytes()
	require.Error(t, err, "what is not known is not signed")
	require.NotContains(t, err.Error(), base64.StdEncoding.EncodeToString([]byte{1}))
}
