package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/spf13/cobra"
)

// feesOfADay is TAO that pays for more redemptions than a day has, in rao.
const feesOfADay = 1_000_000

// warnOfFees tells a seller whose key has too little for the fees of redeeming: what is
// promised meanwhile would be lost with the channels.
func (g *globals) warnOfFees(ctx context.Context, c *client.Client, s serviceJSON, log *slog.Logger) error {
	k, err := g.payer(ctx)
	if err != nil {
		return err
	}
	has, err := c.Balance(ctx, k.Address())
	if err != nil {
		return err
	}
	if has < feesOfADay {
		log.Warn("the key that redeems has hardly any TAO for the fees: send it some, or name the coldkey with --from",
			"key", orAddress(k.Address(), g.names(ctx)), "has_tao", client.FormatTAO(has), "service", s.ID)
	}
	return nil
}

// redeem redeems all that a gateway is owed, and says what it brought.
func redeem(ctx context.Context, cmd *cobra.Command, gw *pay.Gateway, id uint64) error {
	r, err := gw.Redeem(ctx, true)
	if err != nil {
		return fail("not_redeemed", fmt.Sprintf("`lode market redeem %d` tries again; the promises are kept", id), "what is owed was not redeemed: %w", err)
	}
	v := struct {
		ServiceID uint64 `json:"service_id,string"`
		Channels  int    `json:"channels"` // that were claimed from
		Plans     int    `json:"plans"`    // of them, those of plans
		Paid      uint64 `json:"paid_rao,string"`
		Provider  uint64 `json:"provider_rao,string"` // of it, by the subnet's split
	}{id, r.Channels, r.Plans, r.Paid, r.Provider}
	return output(cmd, v, func(w io.Writer) { writeRedeemed(w, r, id) })
}

func writeRedeemed(w io.Writer, r pay.Redeemed, id uint64) {
	if r.Channels == 0 {
		fmt.Fprintf(w, "no channel of service %d owes anything\n", id)
		return
	}
	if n := r.Channels - r.Plans; n > 0 || r.Paid > 0 {
		if n == 0 { // a plan's period has ended
			n = r.Plans
		}
		fmt.Fprintf(w, "redeemed %s TAO of %s of service %d; %s of it are yours by the subnet's split\n",
			client.FormatTAO(r.Paid), counted(n, "channel", "channels"), id, client.FormatTAO(r.Provider))
	}
	if r.Plans > 0 {
		fmt.Fprintf(w, "told the use of %s of service %d: the price is paid when the period ends\n", counted(r.Plans, "plan", "plans"), id)
	}
}

func newMarketRedeemCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "redeem SERVICE",
		Short:   "Redeem all that `lode market serve` was promised and has not redeemed",
		Long:    "A gateway that runs redeems by itself. This is for one that is stopped: its books in HOME/market have the promises.",
		Example: "  lode market redeem 3 --from miner-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseService(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				gw, _, err := g.gateway(ctx, c, id, pay.GatewayConfig{})
				if err != nil {
					return err
				}
				return errors.Join(redeem(ctx, cmd, gw, id), gw.Close())
			})
		},
	}
}
