package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

func newSubnetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subnet",
		Short: "Subnets: list, show, create, start, give away, and their hyperparameters",
		Example: `  lode subnet list
  lode subnet show 1
  lode subnet create --name translate --hotkey owner-hot --max-lock 1000`,
	}
	cmd.AddCommand(newSubnetListCommand(), newSubnetShowCommand(), newSubnetCreateCommand(), newSubnetStartCommand(),
		newSubnetUpdateCommand(), newSubnetTransferCommand(), newSubnetSetCommand(), newSubnetHyperparamsCommand(),
		newSubnetLockCostCommand(), newSubnetBurnCostCommand(), newSubnetRemovalOrderCommand())
	return cmd
}

// subnetJSON is a subnet with its pool.
type subnetJSON struct {
	Netuid        uint32  `json:"netuid"`
	SubnetID      uint64  `json:"subnet_id"`
	Name          string  `json:"name"`
	Description   string  `json:"description"`
	URL           string  `json:"url"`
	Parameters    string  `json:"parameters"`
	OwnerHotkey   string  `json:"owner_hotkey"`
	OwnerColdkey  string  `json:"owner_coldkey,omitempty"` // only of `subnet show`
	LockRao       uint64  `json:"lock_rao,string"`
	CreatedHeight int64   `json:"created_height"`
	CreatedTime   string  `json:"created_time"`   // RFC 3339
	StartedHeight *int64  `json:"started_height"` // null: not started
	Neurons       uint32  `json:"neurons"`
	MaxUIDs       uint32  `json:"max_uids"`
	Tempo         uint32  `json:"tempo"`
	Price         float64 `json:"price"` // TAO per alpha
	TaoReserveRao uint64  `json:"tao_reserve_rao,string"`
	AlphaReserve  uint64  `json:"alpha_reserve,string"`
	AlphaIssued   uint64  `json:"alpha_issued,string"`
	AlphaStaked   uint64  `json:"alpha_staked,string"`

	Revenue *revenueJSON `json:"revenue,omitempty"` // only of `subnet show`
}

func newSubnetJSON(s subnetstypes.Subnet, p alphatypes.PoolInfo) (subnetJSON, error) {
	price, err := parsePrice(p.Price)
	return subnetJSON{
		Netuid: s.Netuid, SubnetID: s.Id, Name: s.Name, Description: s.Description, URL: s.Url, Parameters: s.Parameters,
		OwnerHotkey: s.OwnerHotkey, LockRao: s.Lock, CreatedHeight: s.CreatedHeight,
		CreatedTime: rfc3339(s.CreatedTime), StartedHeight: orNull(s.StartedHeight),
		Neurons: s.Neurons, MaxUIDs: s.Hyperparameters.MaxUids, Tempo: s.Hyperparameters.Tempo,
		Price: price, TaoReserveRao: p.Pool.TaoReserve, AlphaReserve: p.Pool.AlphaReserve,
		AlphaIssued: p.Pool.AlphaIssued, AlphaStaked: p.Pool.AlphaStaked,
	}, err
}

func newSubnetListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all subnets with their prices",
		Example: `  lode subnet list
  lode subnet list --json | jq '.[] | {netuid, name, price}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				subnets, err := c.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
				if err != nil {
					return err
				}
				pools, err := c.Alpha().Pools(ctx, &alphatypes.QueryPoolsRequest{})
				if err != nil {
					return err
				}
				byID := map[uint64]alphatypes.PoolInfo{}
				for _, p := range pools.Pools {
					byID[p.Pool.SubnetId] = p
				}
				list := []subnetJSON{}
				t := newColumns(">netuid", "name", ">price TAO", ">pool TAO", ">alpha staked", ">neurons", ">tempo", "state")
				for _, s := range subnets.Subnets {
					pool, ok := byID[s.Id]
					if !ok {
						continue // created or removed between the two answers
					}
					v, err := newSubnetJSON(s, pool)
					if err != nil {
						return err
					}
					list = append(list, v)
					state := "not started"
					if v.StartedHeight != nil {
						state = fmt.Sprintf("started at block %d", *v.StartedHeight)
					}
					t.add(fmt.Sprint(v.Netuid), v.Name, fmt.Sprintf("%.6f", v.Price), formatUnits(v.TaoReserveRao, 3), formatUnits(v.AlphaStaked, 3),
						fmt.Sprintf("%d/%d", v.Neurons, v.MaxUIDs), fmt.Sprint(v.Tempo), state)
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintln(w, "no subnets yet: `lode subnet create` opens one")
						return
					}
					t.write(w)
				})
			})
		},
	}
}

func newSubnetShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NETUID",
		Short: "Show a subnet: owner, pool, price, and what its services bring",
		Example: `  lode subnet show 1
  lode subnet show 1 --json | jq -r .price`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				pool, err := c.Alpha().Pool(ctx, &alphatypes.QueryPoolRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				v, err := newSubnetJSON(r.Subnet, pool.Pool)
				if err != nil {
					return err
				}
				v.OwnerColdkey = r.OwnerColdkey
				revenue, err := revenueOf(ctx, c, netuid)
				if err != nil {
					return err
				}
				v.Revenue = &revenue
				return output(cmd, v, func(w io.Writer) { v.write(w, g.names(ctx)) })
			})
		},
	}
}

func (v *subnetJSON) write(w io.Writer, names map[string]string) {
	started := "no: it neither trades nor emits"
	if v.StartedHeight != nil {
		started = fmt.Sprintf("at block %d", *v.StartedHeight)
	}
	facts(w, append([]string{
		"netuid", fmt.Sprintf("%d (id %d)", v.Netuid, v.SubnetID),
		"name", orDashText(v.Name),
		"description", orDashText(v.Description),
		"url", orDashText(v.URL),
		"parameters", orDashText(v.Parameters),
		"owner", fmt.Sprintf("%s, coldkey %s", displayKey(v.OwnerHotkey, names), displayKey(v.OwnerColdkey, names)),
		"created", fmt.Sprintf("at block %d, %s, for %s TAO", v.CreatedHeight, v.CreatedTime, client.FormatTAO(v.LockRao)),
		"started", started,
		"neurons", fmt.Sprintf("%d of %d", v.Neurons, v.MaxUIDs),
		"tempo", fmt.Sprintf("%d blocks", v.Tempo),
		"price", fmt.Sprintf("%.9f TAO per alpha", v.Price),
		"pool", fmt.Sprintf("%s TAO, %s alpha", formatUnits(v.TaoReserveRao, 6), formatUnits(v.AlphaReserve, 6)),
		"alpha", fmt.Sprintf("%s issued, %s staked", formatUnits(v.AlphaIssued, 6), formatUnits(v.AlphaStaked, 6)),
	}, v.Revenue.facts()...)...)
}

func newSubnetLockCostCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lock-cost",
		Short: "Show what a new subnet costs now",
		Example: `  lode subnet lock-cost
  lode subnet lock-cost --json | jq -r .lock_rao`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Subnets().LockCost(ctx, &subnetstypes.QueryLockCostRequest{})
				if err != nil {
					return err
				}
				v := struct {
					Lock   uint64 `json:"lock_rao,string"`
					Height int64  `json:"height"`
				}{r.Lock, r.Height}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "%s TAO at block %d; the whole of it seeds the subnet's pool\n", client.FormatTAO(v.Lock), v.Height)
				})
			})
		},
	}
}

func newSubnetBurnCostCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "burn-cost NETUID",
		Short: "Show what a registration costs now",
		Example: `  lode subnet burn-cost 1
  lode subnet burn-cost 1 --json | jq -r .burn_rao`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Subnets().BurnCost(ctx, &subnetstypes.QueryBurnCostRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				v := struct {
					Netuid uint32 `json:"netuid"`
					Burn   uint64 `json:"burn_rao,string"`
					Height int64  `json:"height"`
				}{netuid, r.Burn, r.Height}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "%s TAO at block %d; every registration raises it, every block lowers it\n", client.FormatTAO(v.Burn), v.Height)
				})
			})
		},
	}
}
