package cli

import (
	"context"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/spf13/cobra"
)

// localChains begin like this; nothing on them is worth anything.
const localChains = "lode-local-"

func newFaucetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "faucet ADDRESS [TAO]",
		Short: "Give TAO of a local network to an address (100 TAO unless told)",
		Long: `Sends TAO from the genesis account "faucet" of a local network, whose key is in the network's home, to an
address or a key of the wallet. It mints nothing, and works on local networks only.`,
		Example: `  lode faucet lode1…
  lode faucet alice 250`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			to, err := g.address(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			rao := uint64(100 * client.RaoPerTAO)
			if len(args) == 2 {
				if rao, err = parseTAO(args[1], "the amount"); err != nil {
					return err
				}
			}
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				if !strings.HasPrefix(s.ChainID, localChains) {
					return fail("not_local", "get TAO from somebody who has some", "%s is no local network: there is no faucet", s.ChainID)
				}
				from, err := g.signer(ctx, localnet.FaucetKey)
				if err != nil {
					return err
				}
				return sendTAO(ctx, cmd, c, from, to, rao)
			})
		},
	}
}
