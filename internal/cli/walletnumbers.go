package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	"github.com/spf13/cobra"
)

func newWalletNumbersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "numbers [KEY]",
		Short: "Print what a machine without a network needs to sign for a key, as flags of `lode tx sign` (that of --from unless given)",
		Long: `Prints the chain's id, and the number and sequence of a key's account, as the flags that ` + "`lode tx sign`" + ` takes where no node is asked:
` + "`lode tx sign tx.json $(cat numbers)`" + `.`,
		Example: "  lode wallet numbers alice > numbers",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				accounts, err := lookUpAccounts(ctx, c, []string{addr})
				if err != nil {
					return err
				}
				v := struct {
					Address  string `json:"address"`
					ChainID  string `json:"chain_id"`
					Number   uint64 `json:"account_number,string"`
					Sequence uint64 `json:"sequence,string"`
				}{addr, accounts[0].ChainID, accounts[0].Number, accounts[0].Sequence}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "--chain-id %s --account-number %d --sequence %d\n", v.ChainID, v.Number, v.Sequence)
				})
			})
		},
	}
}
