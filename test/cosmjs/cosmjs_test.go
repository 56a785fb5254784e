// Package cosmjs_test runs the ecosystem's own JavaScript client against a local
// network.
package cosmjs_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/wallet"
)

func TestCosmJSWorksUnchanged(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	npm := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "npm", args...)
		cmd.Stderr = os.Stderr
		return cmd
	}
	if out, err := npm("ci", "--no-audit", "--no-fund", "--prefer-offline").Output(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}

	n := localnettest.Start(t, localnet.Config{ChainOnly: true})
	mnemonic, err := wallet.NewMnemonic()
	if err != nil {
		t.Fatal(err)
	}
	person, err := wallet.SignerFromMnemonic(mnemonic)
	if err != nil {
		t.Fatal(err)
	}
	faucet, err := n.Wallet().Signer(localnet.FaucetKey)
	if err != nil {
		t.Fatal(err)
	}
	amount := sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewInt(100*localnet.TAO)))
	give := &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: person.Address(), Amount: amount}
	if _, err := n.Client().Send(ctx, []*wallet.Signer{faucet}, give); err != nil {
		t.Fatal(err)
	}

	operator, err := n.Wallet().Get("validator-1-hot")
	if err != nil {
		t.Fatal(err)
	}
	acc, err := sdk.AccAddressFromBech32(operator.Address)
	if err != nil {
		t.Fatal(err)
	}
	e := n.Info().Endpoints
	cmd := npm("test")
	cmd.Env = append(os.Environ(),
		"LODE_RPC="+e.RPC, "LODE_REST="+e.REST, "LODE_CHAIN_ID="+localnet.ChainID,
		"LODE_MNEMONIC="+mnemonic, "LODE_VALIDATOR="+sdk.ValAddress(acc).String())
	out, err := cmd.Output()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
