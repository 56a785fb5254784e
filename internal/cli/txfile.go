package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// defaultGas is what a transaction asks for that nobody has tried out.
const defaultGas = 200_000

// generate prints a transaction of one message, unsigned. It needs no network.
func (g *globals) generate(cmd *cobra.Command, msg sdk.Msg, gas uint64) error {
	price := cmp.Or(g.gasPrice, app.MinGasPrices())
	per, err := sdk.ParseDecCoin(price)
	if err != nil || per.Denom != client.Denom {
		return fail("bad_value", "write it like 0.01rao", "--gas-price: %q is no amount of rao", price)
	}
	wrapped, err := codectypes.NewAnyWithValue(msg)
	if err != nil {
		return err
	}
	fee := per.Amount.MulInt(sdkmath.NewIntFromUint64(gas)).Ceil().TruncateInt()
	return chain().print(cmd, &txtypes.Tx{
		Body:       &txtypes.TxBody{Messages: []*codectypes.Any{wrapped}},
		AuthInfo:   &txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: gas, Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, fee))}},
		Signatures: [][]byte{},
	})
}

// readTx reads a transaction in JSON.
func readTx(cmd *cobra.Command, file string) (*txtypes.Tx, error) {
	if file != "-" {
		file = "@" + file
	}
	raw, err := readArgument(cmd, "FILE", file)
	if err != nil {
		return nil, err
	}
	t := &txtypes.Tx{}
	if err := chain().Codec.UnmarshalJSON(raw, t); err != nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "there is no transaction in JSON: %w", err)
	}
	if t.Body == nil || len(t.Body.Messages) == 0 || t.AuthInfo == nil || t.AuthInfo.Fee == nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "the transaction has no messages, or no fee")
	}
	return t, nil
}

func newTxSignCommand() *cobra.Command {
	var number, sequence uint64
	var chainID string
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a transaction of a file with the wallet's keys, and print it",
		Long: `Signs a transaction that --generate-only printed (- reads standard input) with the keys of the wallet that its messages
need; all of them must be there. With --chain-id, --account-number and --sequence it asks no node, so that the key
may be on a machine without a network: there is one signer then.`,
		Example: `  lode tx bank send --to-address alice --amount 1.5TAO --generate-only > tx.json
  lode tx sign tx.json > signed.json
  lode tx sign tx.json --chain-id lode-1 --account-number 7 --sequence 3 > signed.json`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&chainID, "chain-id", "", "the chain, where no node is asked")
	cmd.Flags().Uint64Var(&number, "account-number", 0, "number of the signer's account, where no node is asked")
	cmd.Flags().Uint64Var(&sequence, "sequence", 0, "sequence of the signer's account, where no node is asked")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		t, err := readTx(cmd, args[0])
		if err != nil {
			return err
		}
		signers, err := g.txSigners(cmd.Context(), t)
		if err != nil {
			return err
		}
		given := 0
		for _, name := range []string{"chain-id", "account-number", "sequence"} {
			if cmd.Flags().Changed(name) {
				given++
			}
		}
		switch {
		case given != 0 && given != 3:
			return fail(codeUsage, "or none of them, and a node is asked", "give --chain-id, --account-number and --sequence")
		case given == 3 && len(signers) != 1:
			return fail(codeUsage, "leave out --chain-id, --account-number and --sequence", "%d keys sign this: their accounts must be looked up", len(signers))
		case given == 3:
			if err := signTx(t, chainID, signers, []account{{number, sequence}}); err != nil {
				return err
			}
			return chain().print(cmd, t)
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			id, accounts, err := lookUpAccounts(ctx, c, signers)
			if err != nil {
				return err
			}
			if err := signTx(t, id, signers, accounts); err != nil {
				return err
			}
			return chain().print(cmd, t)
		})
	}
	return cmd
}

// txSigners opens the keys that a transaction needs, in the order of their signatures.
func (g *globals) txSigners(ctx context.Context, t *txtypes.Tx) ([]*wallet.Signer, error) {
	needed, _, err := t.GetSigners(chain().Codec)
	if err != nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "%w", err)
	}
	var signers []*wallet.Signer
	for _, raw := range needed {
		s, err := g.signer(ctx, sdk.AccAddress(raw).String())
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// account is what a signature covers beside the transaction.
type account struct{ number, sequence uint64 }

func lookUpAccounts(ctx context.Context, c *client.Client, signers []*wallet.Signer) (chainID string, list []account, err error) {
	if chainID, err = c.ChainID(ctx); err != nil {
		return "", nil, err
	}
	for _, s := range signers {
		r, err := c.Auth().AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: s.Address()})
		if errors.Is(err, client.ErrNotFound) {
			return "", nil, fmt.Errorf("%w: %s", client.ErrNoAccount, s.Address())
		}
		if err != nil {
			return "", nil, err
		}
		list = append(list, account{r.Info.AccountNumber, r.Info.Sequence})
	}
	return chainID, list, nil
}

// signTx puts the signatures of all signers on a transaction.
func signTx(t *txtypes.Tx, chainID string, signers []*wallet.Signer, accounts []account) error {
	t.AuthInfo.SignerInfos, t.Signatures = nil, nil
	for i, s := range signers {
		pub, err := codectypes.NewAnyWithValue(s.PubKey())
		if err != nil {
			return err
		}
		t.AuthInfo.SignerInfos = append(t.AuthInfo.SignerInfos, &txtypes.SignerInfo{
			PublicKey: pub, Sequence: accounts[i].sequence,
			ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
		})
	}
	body, err := proto.Marshal(t.Body)
	if err != nil {
		return err
	}
	info, err := proto.Marshal(t.AuthInfo)
	if err != nil {
		return err
	}
	for i, s := range signers {
		doc, err := proto.Marshal(&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: info, ChainId: chainID, AccountNumber: accounts[i].number})
		if err != nil {
			return err
		}
		sig, err := s.Sign(doc)
		if err != nil {
			return err
		}
		t.Signatures = append(t.Signatures, sig)
	}
	return nil
}

func newTxBroadcastCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "broadcast FILE",
		Short: "Send a signed transaction of a file",
		Long:  "Sends a transaction that `lode tx sign` printed (- reads standard input), and waits until it is in a block.",
		Example: `  lode tx broadcast signed.json
  lode tx sign tx.json | lode tx broadcast -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTx(cmd, args[0])
			if err != nil {
				return err
			}
			if len(t.Signatures) == 0 {
				return fail("bad_tx", "`lode tx sign FILE` signs it", "the transaction has no signature")
			}
			raw, err := proto.Marshal(t)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), globalsOf(cmd), sendTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.SendRaw(ctx, raw)
				if err != nil {
					return err
				}
				r.FeeRao = t.AuthInfo.Fee.Amount.AmountOf(client.Denom).Uint64()
				return answered(cmd, r)
			})
		},
	}
}
