package cli

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// signAndSend sends one message that the coldkey of --from signs; done says in words
// what has happened.
func signAndSend(cmd *cobra.Command, msg func(coldkey string) sdk.Msg, done string) error {
	return signAndSendFor(cmd, msg, func(*client.TxResult) (string, error) { return done, nil })
}

// signAndSendFor is signAndSend where the words depend on the answer.
func signAndSendFor(cmd *cobra.Command, msg func(coldkey string) sdk.Msg, done func(*client.TxResult) (string, error)) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		payer, err := g.payer(ctx)
		if err != nil {
			return err
		}
		return send(ctx, cmd, c, []*wallet.Signer{payer}, msg(payer.Address()), done)
	})
}

// signAndSendAsHotkey sends one message that a hotkey of the wallet signs; the coldkey
// of --from pays its fee.
func signAndSendAsHotkey(cmd *cobra.Command, hotkey string, msg func(ctx context.Context, c *client.Client, hotkey string) (sdk.Msg, error), done string) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		cold, hot, err := g.pair(ctx, hotkey)
		if err != nil {
			return err
		}
		m, err := msg(ctx, c, hot.Address())
		if err != nil {
			return err
		}
		return send(ctx, cmd, c, []*wallet.Signer{cold, hot}, m, func(*client.TxResult) (string, error) { return done, nil })
	})
}

func send(ctx context.Context, cmd *cobra.Command, c *client.Client, signers []*wallet.Signer, msg sdk.Msg, done func(*client.TxResult) (string, error)) error {
	r, err := c.Send(ctx, signers, msg)
	if err != nil {
		return err
	}
	text, err := done(r)
	if err != nil {
		return err
	}
	v := newTxJSON(r)
	return output(cmd, v, func(w io.Writer) {
		fmt.Fprintln(w, text)
		v.write(w)
	})
}
