package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/lodenet/lode/client"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

func newMarketCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "market",
		Short: "The market: what subnets' neurons sell, at which price, and where the money goes",
		Long: `A registered neuron lists a service of its subnet: where it answers, what a unit of its use costs, on which terms; and
plans, a fixed price a period for a quota. Customers pay out of channels, by vouchers that cost no transaction: ` + "`lode pay`" + `.
What comes in goes to the provider, buys the subnet's alpha, and pays the owner, by the subnet's split.`,
		Example: `  lode market list --netuid 1
  lode market show 3
  lode market offer --netuid 1 --hotkey miner-1-hot --name chat --endpoint https://example.org/v1 --unit token --price 0.5 --per 1000000 --from miner-1
  lode market split --netuid 1`,
	}
	cmd.AddCommand(newMarketListCommand(), newMarketShowCommand(), newMarketOfferCommand(), newMarketWithdrawCommand(),
		newMarketPlanCommand(), newMarketSplitCommand(), newMarketServeCommand(), newMarketRedeemCommand())
	return cmd
}

// serviceJSON is a service that a neuron offers.
type serviceJSON struct {
	ID            uint64     `json:"id,string"`
	Netuid        uint32     `json:"netuid"`
	SubnetID      uint64     `json:"subnet_id"`
	UID           uint32     `json:"uid"`
	Name          string     `json:"name"`
	Description   string     `json:"description"`
	Endpoint      string     `json:"endpoint"`
	Unit          string     `json:"unit"` // request, token, gib_month, video_minute, task
	PriceRao      uint64     `json:"price_rao,string"`
	Per           uint64     `json:"per,string"` // the price is for so many of `counted`
	Counted       string     `json:"counted"`    // what use is counted in: the unit, mib_hour, video_ms
	UnitParts     uint64     `json:"unit_parts"` // so many of `counted` are a unit
	Terms         string     `json:"terms"`
	Hotkey        string     `json:"hotkey"`
	Coldkey       string     `json:"coldkey"`
	Listed        bool       `json:"listed"`   // false: nothing new is opened for it
	Channels      uint32     `json:"channels"` // open ones
	UpdatedHeight int64      `json:"updated_height"`
	Plans         []planJSON `json:"plans"` // the offered ones

	unit markettypes.Unit
}

// planJSON is a plan of a service.
type planJSON struct {
	ID            uint64 `json:"id,string"`
	Name          string `json:"name"`
	PriceRao      uint64 `json:"price_rao,string"` // a period
	PeriodSeconds int64  `json:"period_seconds"`
	Quota         uint64 `json:"quota,string"` // of what the service counts, a period
	Subscriptions uint32 `json:"subscriptions"`
}

func newServiceJSON(info markettypes.ServiceInfo) serviceJSON {
	s := info.Service
	v := serviceJSON{
		ID: s.Id, Netuid: s.Netuid, SubnetID: s.SubnetId, UID: s.Uid, Name: s.Name, Description: s.Description, Endpoint: s.Endpoint,
		Unit: s.Unit.Word(), PriceRao: s.Price, Per: s.Per, Terms: s.Terms, Hotkey: info.Hotkey, Coldkey: info.Coldkey,
		Listed: s.Listed, Channels: s.Channels, UpdatedHeight: s.UpdatedHeight, Plans: []planJSON{}, unit: s.Unit,
	}
	v.Counted, v.UnitParts = s.Unit.Count()
	for _, p := range info.Plans {
		v.Plans = append(v.Plans, planJSON{p.Id, p.Name, p.Price, p.Period, p.Quota, p.Subscriptions})
	}
	return v
}

// services asks for the listed services, of a subnet and of a hotkey where given.
func services(ctx context.Context, c *client.Client, netuid uint32, hotkey string) ([]serviceJSON, error) {
	list := []serviceJSON{}
	for req := (&markettypes.QueryServicesRequest{Netuid: netuid, Hotkey: hotkey}); ; {
		r, err := c.Market().Services(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, info := range r.Services {
			list = append(list, newServiceJSON(info))
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return list, nil
		}
	}
}

// service asks for one.
func service(ctx context.Context, c *client.Client, id uint64) (serviceJSON, error) {
	r, err := c.Market().Service(ctx, &markettypes.QueryServiceRequest{ServiceId: id})
	if err != nil {
		return serviceJSON{}, err
	}
	return newServiceJSON(r.Service), nil
}

// parseNumber reads the number of a service or a plan.
func parseNumber(s, what, hint string) (uint64, error) {
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil || id == 0 {
		return 0, fail(codeUsage, hint, "%q is no %s's number", s, what)
	}
	return id, nil
}

func parseService(s string) (uint64, error) {
	return parseNumber(s, "service", "`lode market list` shows them")
}

func newMarketListCommand() *cobra.Command {
	var netuid, hotkey string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the services that are offered, with their prices",
		Example: `  lode market list
  lode market list --netuid 1
  lode market list --hotkey miner-1-hot --json | jq -r '.[].endpoint'`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&netuid, "netuid", "", "only of this subnet")
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "only of this provider: an address, or a name in the wallet")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g := globalsOf(cmd)
		var id uint32
		var err error
		if cmd.Flags().Changed("netuid") {
			if id, err = parseNetuid(netuid); err != nil {
				return err
			}
		}
		if cmd.Flags().Changed("hotkey") {
			if hotkey, err = g.hotkeyAddress(cmd.Context(), hotkey); err != nil {
				return err
			}
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			list, err := services(ctx, c, id, hotkey)
			if err != nil {
				return err
			}
			return output(cmd, list, func(w io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(w, "nothing is offered: `lode market offer` lists a service")
					return
				}
				names := g.names(ctx)
				t := newColumns(">service", ">netuid", "name", "price", ">plans", "provider", "endpoint")
				for _, v := range list {
					t.add(fmt.Sprint(v.ID), fmt.Sprint(v.Netuid), plain(v.Name), priceForText(v.PriceRao, v.Per, v.unit), fmt.Sprint(len(v.Plans)),
						displayKey(v.Hotkey, names), plain(v.Endpoint))
				}
				t.write(w)
			})
		})
	}
	return cmd
}

func newMarketShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show SERVICE",
		Short: "Show a service: who offers it, its price, its terms and its plans",
		Example: `  lode market show 3
  lode market show 3 --json | jq -r .endpoint`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseService(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				v, err := service(ctx, c, id)
				if err != nil {
					return err
				}
				return output(cmd, v, func(w io.Writer) { v.write(w, g.names(ctx)) })
			})
		},
	}
}

func (v *serviceJSON) write(w io.Writer, names map[string]string) {
	state := fmt.Sprintf("since block %d", v.UpdatedHeight)
	if !v.Listed {
		state = "no more: what was opened for it goes on"
	}
	facts(w,
		"service", fmt.Sprintf("%d of subnet %d", v.ID, v.Netuid),
		"name", plain(v.Name),
		"description", orDashText(plain(v.Description)),
		"endpoint", plain(v.Endpoint),
		"price", priceForText(v.PriceRao, v.Per, v.unit),
		"terms", orDashText(plain(v.Terms)),
		"provider", fmt.Sprintf("%s, coldkey %s", fullKey(v.Hotkey, names), displayKey(v.Coldkey, names)),
		"offered", state,
		"channels", fmt.Sprintf("%d open", v.Channels),
	)
	if len(v.Plans) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newColumns(">plan", "name", ">TAO", "a period of", "quota", ">subscribers")
	for _, p := range v.Plans {
		t.add(fmt.Sprint(p.ID), plain(p.Name), client.FormatTAO(p.PriceRao), periodText(p.PeriodSeconds), unitsText(p.Quota, v.unit), fmt.Sprint(p.Subscriptions))
	}
	t.write(w)
}
