package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// balanceJSON is what an address owns.
type balanceJSON struct {
	Address  string      `json:"address"`
	Name     *string     `json:"name"` // in the wallet; null if it isn't there
	Balance  uint64      `json:"balance_rao,string"`
	Stakes   []stakeJSON `json:"stakes"`
	StakeRao uint64      `json:"stakes_value_rao,string"` // at the pools' prices, without impact and fee
}

type stakeJSON struct {
	Netuid   uint32 `json:"netuid"`
	SubnetID uint64 `json:"subnet_id"`
	Hotkey   string `json:"hotkey"`
	Coldkey  string `json:"coldkey"`
	Alpha    uint64 `json:"alpha,string"`
	ValueRao uint64 `json:"value_rao,string"` // at the pool's price, without impact and fee
}

func newWalletBalanceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "balance [KEY]",
		Short: "Show what an address or a key owns: TAO and stakes (that of --from unless given)",
		Example: `  lode wallet balance
  lode wallet balance miner-1
  lode wallet balance lode1… --json | jq -r .balance_rao`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				v := balanceJSON{Address: addr}
				if v.Balance, err = c.Balance(ctx, addr); err != nil {
					return err
				}
				if v.Stakes, err = stakesOf(ctx, c, addr); err != nil {
					return err
				}
				for _, s := range v.Stakes {
					v.StakeRao += s.ValueRao
				}
				names := g.names(ctx)
				if n := names[addr]; n != "" {
					v.Name = &n
				}
				return output(cmd, v, func(w io.Writer) {
					facts(w, "address", fullKey(addr, names),
						"free", client.FormatTAO(v.Balance)+" TAO",
						"staked", fmt.Sprintf("%s TAO, at the pools' prices", client.FormatTAO(v.StakeRao)),
						"together", client.FormatTAO(v.Balance+v.StakeRao)+" TAO")
					if len(v.Stakes) > 0 {
						fmt.Fprintln(w)
						stakesTable(w, v.Stakes, names)
					}
				})
			})
		},
	}
}

// stakesOf asks for a coldkey's stakes.
func stakesOf(ctx context.Context, c *client.Client, coldkey string) ([]stakeJSON, error) {
	infos, _, err := stakeInfos(ctx, c, coldkey)
	if err != nil {
		return nil, err
	}
	list := []stakeJSON{}
	for _, s := range infos {
		list = append(list, newStakeJSON(s))
	}
	return list, nil
}

func newStakeJSON(s alphatypes.StakeInfo) stakeJSON {
	return stakeJSON{s.Netuid, s.SubnetId, s.Hotkey, s.Coldkey, s.Alpha, s.ValueTao}
}

func stakesTable(w io.Writer, stakes []stakeJSON, names map[string]string) {
	t := newColumns(">netuid", "hotkey", ">alpha", ">worth TAO")
	for _, s := range stakes {
		t.add(fmt.Sprint(s.Netuid), displayKey(s.Hotkey, names), formatUnits(s.Alpha, 6), formatUnits(s.ValueRao, 6))
	}
	t.write(w)
}
