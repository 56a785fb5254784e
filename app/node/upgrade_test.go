package node_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

// signed is an operator's transaction.
func signed(t *testing.T, key *secp256k1.PrivKey, operator string, sequence uint64, msgs ...sdk.Msg) []byte {
	t.Helper()
	enc := app.MakeEncodingConfig()
	b := enc.TxConfig.NewTxBuilder()
	require.NoError(t, b.SetMsgs(msgs...))
	b.SetGasLimit(1_000_000)
	b.SetFeeAmount(sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 10_000)))
	sig := signing.SignatureV2{PubKey: key.PubKey(), Sequence: sequence, Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT}}
	require.NoError(t, b.SetSignatures(sig))
	bytes, err := authsigning.GetSignBytesAdapter(t.Context(), enc.TxConfig.SignModeHandler(), signing.SignMode_SIGN_MODE_DIRECT,
		authsigning.SignerData{Address: operator, ChainID: "lode-local-1", Sequence: sequence, PubKey: key.PubKey()}, b.GetTx())
	require.NoError(t, err)
	signature, err := key.Sign(bytes)
	require.NoError(t, err)
	sig.Data = &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT, Signature: signature}
	require.NoError(t, b.SetSignatures(sig))
	raw, err := enc.TxConfig.TxEncoder()(b.GetTx())
	require.NoError(t, err)
	return raw
}

// voteFast lets governance decide in a second, for a deposit of a rao.
func voteFast(t *testing.T, home string) {
	t.Helper()
	path := filepath.Join(home, "config", "genesis.json")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var g map[string]any
	require.NoError(t, json.Unmarshal(raw, &g))
	params := g["app_state"].(map[string]any)["gov"].(map[string]any)["params"].(map[string]any)
	params["voting_period"], params["expedited_voting_period"] = "1s", "0.5s"
	params["min_deposit"].([]any)[0].(map[string]any)["amount"] = "1"
	raw, err = json.Marshal(g)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

func TestANodeThatNeedsAnotherReleaseSaysSoAndDoesNotStartAgain(t *testing.T) {
	home, operator := initHome(t, 100*time.Millisecond)
	voteFast(t, home)
	n := start(t, home)
	wait(t, n, 1)
	addr, err := sdk.AccAddressFromBech32(operator)
	require.NoError(t, err)
	at := n.Height() + 60
	submit, err := govv1.NewMsgSubmitProposal([]sdk.Msg{&upgradetypes.MsgSoftwareUpgrade{
		Authority: authtypes.NewModuleAddress(govtypes.ModuleName).String(), Plan: upgradetypes.Plan{Name: "v9", Height: at, Info: "faster"},
	}}, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 1)), operator, "", "v9", "the ninth", false)
	require.NoError(t, err)
	raw := signed(t, operatorKey(operator), operator, 0, submit, govv1.NewMsgVote(addr, 1, govv1.OptionYes, ""))
	body, _ := get(t, "http://"+n.Endpoints().RPC+"/broadcast_tx_commit?tx=0x"+fmt.Sprintf("%X", raw))
	require.Contains(t, body, `"tx_result":{"code":0,`)

	ended := make(chan error, 1)
	go func() { ended <- n.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("the node stands still without a word")
	}
	require.ErrorIs(t, err, app.ErrUpgradeNeeded)
	require.ErrorContains(t, err, fmt.Sprintf(`the chain has stopped at block %d`, at))
	require.ErrorContains(t, err, `UPGRADE "v9" NEEDED`)
	require.ErrorContains(t, err, "Start the release that has this upgrade")
	require.Equal(t, at-1, n.Height())
	require.NoError(t, n.Stop())
	info, err := os.ReadFile(filepath.Join(home, "data", upgradetypes.UpgradeInfoFilename))
	require.NoError(t, err)
	require.Contains(t, string(info), `"name":"v9"`)

	_, err = node.Start(t.Context(), config(home))
	require.ErrorIs(t, err, app.ErrUpgradeNeeded)
}
