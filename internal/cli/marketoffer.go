package cli

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

func newMarketOfferCommand() *cobra.Command {
	var (
		msg                     markettypes.MsgListService
		hotkey, unit, price, by string
	)
	cmd := &cobra.Command{
		Use:   "offer",
		Short: "List a service of a registered hotkey, or change the one of that name",
		Long: `Lists a service of a neuron of yours, or changes the one that it has listed by that name: what is not given then stays.
The coldkey of --from signs, or the hotkey itself. The price is for --per units; a price below a rao a unit is written for
more of them. Units are request, token, gib_month, video_minute and task: gib_month is counted in MiB-hours, video_minute
in milliseconds. A new price binds nobody: customers see it before each payment.`,
		Example: `  lode market offer --netuid 1 --hotkey miner-1-hot --name chat --endpoint https://example.org/v1 --unit token --price 0.5 --per 1000000 --from miner-1
  lode market offer --netuid 1 --hotkey miner-1-hot --name chat --price 0.4 --from miner-1`,
		Args: cobra.NoArgs,
	}
	netuid := netuidFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&hotkey, "hotkey", "", "the neuron's hotkey: an address, or a name in the wallet (required)")
	f.StringVar(&msg.Name, "name", "", "the service's name, unique among the neuron's (required)")
	f.StringVar(&msg.Endpoint, "endpoint", "", "where it answers: an http(s) URL, or a multiaddr that ends in /p2p/ID")
	f.StringVar(&unit, "unit", "", "what its use is counted in")
	f.StringVar(&price, "price", "", "what --per units cost, in TAO (or like 1500rao)")
	f.StringVar(&by, "per", "", "the price is for so many units (default 1)")
	f.StringVar(&msg.Description, "description", "", "what it does")
	f.StringVar(&msg.Terms, "terms", "", "terms: a text, or the URL of one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g := globalsOf(cmd)
		id, hot, err := target(cmd, netuid, hotkey)
		if err != nil {
			return err
		}
		if msg.Name == "" {
			return fail(codeUsage, "see `lode market offer --help`", "give --name")
		}
		if price != "" {
			if msg.Price, err = parseTAO(price, "--price"); err != nil {
				return err
			}
		}
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			if err := complete(ctx, cmd, c, &msg, id, hot, unit, by); err != nil {
				return err
			}
			signer, err := g.payer(ctx)
			if err != nil {
				return err
			}
			msg.Signer, msg.Hotkey, msg.Netuid = signer.Address(), hot, id
			r, err := c.Send(ctx, []*wallet.Signer{signer}, &msg)
			if err != nil {
				return err
			}
			answer, err := client.Response[*markettypes.MsgListServiceResponse](r)
			if err != nil {
				return err
			}
			v := struct {
				ServiceID uint64 `json:"service_id,string"`
				txJSON
			}{answer.ServiceId, newTxJSON(r)}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "service %d is offered in subnet %d: %s, %s\n", v.ServiceID, id, plain(msg.Name), priceForText(msg.Price, msg.Per, msg.Unit))
				v.write(w)
			})
		})
	}
	return cmd
}

// complete fills in what is not given: of a service that is listed already, what it is;
// of a new one, what has a default. msg.Price is 0 where none is given.
func complete(ctx context.Context, cmd *cobra.Command, c *client.Client, msg *markettypes.MsgListService, netuid uint32, hotkey, unit, per string) error {
	listed, err := services(ctx, c, netuid, hotkey)
	if err != nil {
		return err
	}
	given := cmd.Flags().Changed
	for _, s := range listed {
		if s.Name != msg.Name {
			continue
		}
		if !given("endpoint") {
			msg.Endpoint = s.Endpoint
		}
		if !given("description") {
			msg.Description = s.Description
		}
		if !given("terms") {
			msg.Terms = s.Terms
		}
		if unit == "" {
			unit = s.Unit
		}
		if msg.Price == 0 {
			msg.Price = s.PriceRao
		}
		if per == "" && unit == s.Unit {
			msg.Per = s.Per
		}
	}
	if msg.Endpoint == "" || unit == "" || msg.Price == 0 {
		return fail(codeUsage, "see `lode market offer --help`", "%q is new: give --endpoint, --unit and --price", msg.Name)
	}
	if msg.Unit, err = markettypes.ParseUnit(unit); err != nil {
		return fail("bad_value", "use request, token, gib_month, video_minute or task", "--unit %q: there is no such unit", unit)
	}
	if msg.Per != 0 {
		return nil
	}
	if per == "" {
		per = "1"
	}
	msg.Per, err = parseUnits(per, msg.Unit, "--per")
	return err
}

func newMarketWithdrawCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "withdraw SERVICE",
		Short: "Withdraw a service and its plans; what was opened for it goes on",
		Long: `Ends the offer of a service and retires its plans. Channels and subscriptions that are open go on. Offered again, the service
begins anew: its plans are offered again, too, and it gets a new number, unless something of it was still open.`,
		Example: "  lode market withdraw 3 --from miner-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseService(args[0])
			if err != nil {
				return err
			}
			return signAndSend(cmd, func(signer string) sdk.Msg {
				return &markettypes.MsgUnlistService{Signer: signer, ServiceId: id}
			}, fmt.Sprintf("service %d and its plans are offered no more; open channels and subscriptions go on", id))
		},
	}
}

func newMarketPlanCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Plans: a fixed price a period for a quota of a service's units",
		Example: `  lode market plan offer 3 --name monthly --price 2 --period month --quota 10000000 --from miner-1
  lode market plan retire 5 --from miner-1`,
	}
	cmd.AddCommand(newMarketPlanOfferCommand(), newMarketPlanRetireCommand())
	return cmd
}

func newMarketPlanOfferCommand() *cobra.Command {
	var name, price, period, quota string
	cmd := &cobra.Command{
		Use:   "offer SERVICE",
		Short: "Offer a plan of a service of yours",
		Long: `Offers a plan: who subscribes pays the price for each period, out of a deposit, until they cancel, and may use the quota in
it. The period's price is paid to you when the period ends. A plan is never changed: offer another one and retire this.`,
		Example: `  lode market plan offer 3 --name monthly --price 2 --period month --quota 10000000 --from miner-1`,
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the plan's name (required)")
	f.StringVar(&price, "price", "", "TAO a period (required)")
	f.StringVar(&period, "period", "month", "the period: like day, month (30 days), 12h")
	f.StringVar(&quota, "quota", "", "units of the service a period (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := parseService(args[0])
		if err != nil {
			return err
		}
		if name == "" || price == "" || quota == "" {
			return fail(codeUsage, "see `lode market plan offer --help`", "give --name, --price and --quota")
		}
		msg := &markettypes.MsgOfferPlan{ServiceId: id, Name: name}
		if msg.Price, err = parseTAO(price, "--price"); err != nil {
			return err
		}
		if msg.Period, err = parsePeriod(period, "--period"); err != nil {
			return err
		}
		g := globalsOf(cmd)
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			s, err := service(ctx, c, id)
			if err != nil {
				return err
			}
			if msg.Quota, err = parseUnits(quota, s.unit, "--quota"); err != nil {
				return err
			}
			signer, err := g.payer(ctx)
			if err != nil {
				return err
			}
			msg.Signer = signer.Address()
			r, err := c.Send(ctx, []*wallet.Signer{signer}, msg)
			if err != nil {
				return err
			}
			answer, err := client.Response[*markettypes.MsgOfferPlanResponse](r)
			if err != nil {
				return err
			}
			v := struct {
				PlanID uint64 `json:"plan_id,string"`
				txJSON
			}{answer.PlanId, newTxJSON(r)}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "plan %d of service %d is offered: %s TAO for %s in %s\n", v.PlanID, id, client.FormatTAO(msg.Price), unitsText(msg.Quota, s.unit), periodText(msg.Period))
				v.write(w)
			})
		})
	}
	return cmd
}

func newMarketPlanRetireCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "retire PLAN",
		Short:   "Offer a plan no more; subscriptions go on as agreed",
		Example: "  lode market plan retire 5 --from miner-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseNumber(args[0], "plan", "`lode market show SERVICE` shows a service's")
			if err != nil {
				return err
			}
			return signAndSend(cmd, func(signer string) sdk.Msg {
				return &markettypes.MsgRetirePlan{Signer: signer, PlanId: id}
			}, fmt.Sprintf("plan %d is offered no more; subscriptions go on", id))
		},
	}
}
