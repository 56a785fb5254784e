package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// txJSON is what became of a transaction, for programs.
type txJSON struct {
	Hash   string `json:"tx_hash"`
	Height int64  `json:"height"`
	FeeRao uint64 `json:"fee_rao,string"`
	// LastHeight is the last block that could have taken it; null: it never expired.
	LastHeight *int64 `json:"last_height"`
}

func newTxJSON(r *client.TxResult) txJSON {
	return txJSON{r.Hash, r.Height, r.FeeRao, orNull(r.LastBlock)}
}

// inBlock is where a transaction is, for [output].
func (t txJSON) inBlock() (hash string, height int64) { return t.Hash, t.Height }

// write says where a transaction is, as a last line.
func (t txJSON) write(w io.Writer) {
	fmt.Fprintf(w, "block %d, fee %s TAO, transaction %s\n", t.Height, client.FormatTAO(t.FeeRao), t.Hash)
}

func newSendCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "send ADDRESS TAO",
		Aliases: []string{"transfer"},
		Short:   "Send TAO to an address",
		Long:    "Sends TAO from the coldkey of --from to an address, or to a key of the wallet by its name.",
		Example: `  lode send lode1… 12.5
  lode send alice 12.5 --from user --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			to, err := g.address(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			rao, err := parseTAO(args[1], "the amount")
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				from, err := g.payer(ctx)
				if err != nil {
					return err
				}
				return sendTAO(ctx, cmd, c, from, to, rao)
			})
		},
	}
}

// sendTAO transfers TAO and says so.
func sendTAO(ctx context.Context, cmd *cobra.Command, c *client.Client, from *wallet.Signer, to string, rao uint64) error {
	r, err := c.Transfer(ctx, from, to, rao)
	if err != nil {
		return err
	}
	v := struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Amount uint64 `json:"amount_rao,string"`
		txJSON
	}{from.Address(), to, rao, newTxJSON(r)}
	return output(cmd, v, func(w io.Writer) {
		fmt.Fprintf(w, "sent %s TAO to %s\n", client.FormatTAO(rao), displayKey(to, globalsOf(cmd).names(ctx)))
		v.write(w)
	})
}
