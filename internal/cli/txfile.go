package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

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
	fee, err := feeFor(gas, cmp.Or(g.gasPrice, app.MinGasPrices()))
	if err != nil {
		return err
	}
	wrapped, err := codectypes.NewAnyWithValue(msg)
	if err != nil {
		return err
	}
	return chain().print(cmd, &txtypes.Tx{
		Body:       &txtypes.TxBody{Messages: []*codectypes.Any{wrapped}},
		AuthInfo:   &txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: gas, Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, fee))}},
		Signatures: [][]byte{},
	})
}

// feeFor is what gas costs at a price, in rao, rounded up.
func feeFor(gas uint64, price string) (sdkmath.Int, error) {
	per, err := sdk.ParseDecCoin(price)
	if err != nil || per.Denom != client.Denom {
		return sdkmath.Int{}, fail("bad_value", "write it like 0.01rao", "--gas-price: %q is no amount of rao", price)
	}
	return per.Amount.MulInt(sdkmath.NewIntFromUint64(gas)).Ceil().TruncateInt(), nil
}

// readTx reads a transaction in JSON.
func readTx(cmd *cobra.Command, file string) (*txtypes.Tx, error) {
	raw, err := txFile.read(cmd.InOrStdin(), file, "FILE")
	if err != nil {
		return nil, err
	}
	t := &txtypes.Tx{}
	if err := readStranger(raw, t); err != nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "there is no transaction in JSON: %w", err)
	}
	if t.Body == nil || len(t.Body.Messages) == 0 || t.AuthInfo == nil || t.AuthInfo.Fee == nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "the transaction has no messages, or no fee")
	}
	return t, nil
}

// readStranger reads a message of a file that somebody has sent.
func readStranger(raw []byte, into proto.Message) error {
	if err := wallet.CheckJSON(raw); err != nil {
		return err
	}
	return chain().Codec.UnmarshalJSON(raw, into)
}

// lookUpAccounts asks for what signatures cover beside the transaction.
func lookUpAccounts(ctx context.Context, c *client.Client, addresses []string) (list []client.AccountData, err error) {
	chainID, err := c.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		r, err := c.Auth().AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: address})
		if errors.Is(err, client.ErrNotFound) {
			return nil, fmt.Errorf("%w: %s", client.ErrNoAccount, address)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, client.AccountData{ChainID: chainID, Number: r.Info.AccountNumber, Sequence: r.Info.Sequence})
	}
	return list, nil
}

// signTx puts the signatures of all signers on a transaction.
func signTx(t *txtypes.Tx, signers []*wallet.Signer, accounts []client.AccountData) error {
	t.AuthInfo.SignerInfos, t.Signatures = nil, nil
	for i, s := range signers {
		pub, err := codectypes.NewAnyWithValue(s.PubKey())
		if err != nil {
			return err
		}
		t.AuthInfo.SignerInfos = append(t.AuthInfo.SignerInfos, &txtypes.SignerInfo{
			PublicKey: pub, Sequence: accounts[i].Sequence, ModeInfo: single(signing.SignMode_SIGN_MODE_DIRECT),
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
		doc, err := proto.Marshal(&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: info, ChainId: accounts[i].ChainID, AccountNumber: accounts[i].Number})
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
			s, err := readSignatures(t)
			if err != nil {
				return err
			}
			if missing := s.missing(); len(missing) > 0 {
				return fail("bad_tx", "`lode tx sign FILE` signs it where the key is", "the signature of %s is missing", strings.Join(missing, ", "))
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
				r.LastBlock = int64(min(t.Body.TimeoutHeight, math.MaxInt64))
				r.FeeRao = t.AuthInfo.Fee.Amount.AmountOf(client.Denom).Uint64()
				return answered(cmd, r)
			})
		},
	}
}
