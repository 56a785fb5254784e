package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

func newNeuronCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "neuron",
		Short: "Neurons: register a hotkey in a subnet, list and show them, publish data",
		Example: `  lode neuron register --netuid 1 --hotkey miner-4
  lode neuron list 1
  lode neuron show miner-4 --netuid 1`,
	}
	cmd.AddCommand(newNeuronRegisterCommand(), newNeuronListCommand(), newNeuronShowCommand(),
		newNeuronPublishCommand(), newNeuronRevealCommand(), newNeuronPublishedCommand())
	return cmd
}

// netuidFlag adds --netuid, which is required.
func netuidFlag(cmd *cobra.Command) func() (uint32, error) {
	s := cmd.Flags().String("netuid", "", "the subnet (required)")
	return func() (uint32, error) {
		if *s == "" {
			return 0, fail(codeUsage, "`lode subnet list` shows the subnets", "give --netuid")
		}
		return parseNetuid(*s)
	}
}

// burnRoom is how much more than now a registration may cost, per 100: room for one
// other registration in between, which raises the price by 26 %.
const burnRoom = 130

// maxBurnFlag is the help of --max-burn.
const maxBurnFlag = "the most TAO that the registration may cost (default: what it costs now and 30 %, room for one other in between)"

// maxBurn is the most that a registration may cost: what the flag says, or the price of
// now with some room.
func maxBurn(ctx context.Context, c *client.Client, netuid uint32, flag string) (uint64, error) {
	cost, err := c.Subnets().BurnCost(ctx, &subnetstypes.QueryBurnCostRequest{Netuid: netuid})
	if err != nil {
		return 0, err
	}
	if flag == "" {
		return (cost.Burn*burnRoom + 99) / 100, nil
	}
	limit, err := parseTAO(flag, "--max-burn")
	if err == nil && cost.Burn > limit {
		err = fail("too_dear", "raise --max-burn, or wait: the price falls with every block", "a registration costs %s TAO at block %d, more than --max-burn %s", client.FormatTAO(cost.Burn), cost.Height, flag)
	}
	return limit, err
}

func newNeuronRegisterCommand() *cobra.Command {
	var hotkey, most string
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Give a hotkey a uid in a subnet, for a burn",
		Long: `Registers a hotkey of the wallet in a subnet. The coldkey of --from pays what ` + "`lode subnet burn-cost`" + ` says; that TAO
buys alpha, which is burned. A hotkey that is bound to nobody yet is bound to that coldkey.`,
		Example: `  lode wallet create miner-4 --kind hotkey
  lode neuron register --netuid 1 --hotkey miner-4
  lode neuron register --netuid 1 --hotkey miner-4 --max-burn 0.5 --from alice`,
		Args: cobra.NoArgs,
	}
	netuid := netuidFlag(cmd)
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "hotkey of the wallet (required)")
	cmd.Flags().StringVar(&most, "max-burn", "", maxBurnFlag)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g := globalsOf(cmd)
		id, err := netuid()
		if err != nil {
			return err
		}
		if hotkey == "" {
			return fail(codeUsage, "`lode wallet create NAME --kind hotkey` makes one", "give --hotkey")
		}
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			limit, err := maxBurn(ctx, c, id, most)
			if err != nil {
				return err
			}
			cold, hot, err := g.pair(ctx, hotkey)
			if err != nil {
				return err
			}
			r, err := c.SendBound(ctx, cold, hot, &subnetstypes.MsgRegister{Coldkey: cold.Address(), Hotkey: hot.Address(), Netuid: id, MaxBurn: limit})
			if err != nil {
				return err
			}
			answer, err := client.Response[*subnetstypes.MsgRegisterResponse](r)
			if err != nil {
				return err
			}
			v := struct {
				Netuid uint32 `json:"netuid"`
				UID    uint32 `json:"uid"`
				Hotkey string `json:"hotkey"`
				Burn   uint64 `json:"burn_rao,string"`
				txJSON
			}{id, answer.Uid, hot.Address(), answer.Burn, newTxJSON(r)}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "%s has uid %d in subnet %d, for %s TAO\n", displayKey(v.Hotkey, g.names(ctx)), v.UID, id, client.FormatTAO(v.Burn))
				v.write(w)
			})
		})
	}
	return cmd
}

func newNeuronListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list NETUID",
		Short: "List a subnet's neurons: who they are and what they serve",
		Long:  "Lists a subnet's neurons with their coldkeys and endpoints. `lode metagraph` shows their stake and pay.",
		Example: `  lode neuron list 1
  lode neuron list 1 --json | jq -r '.[].endpoints[]'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				m, err := metagraphOf(ctx, c, netuid)
				if err != nil {
					return err
				}
				return output(cmd, m.Neurons, func(w io.Writer) {
					names := g.names(ctx)
					t := newColumns(">uid", "hotkey", "coldkey", "", ">registered", "serves", "endpoints")
					for _, n := range m.Neurons {
						t.add(fmt.Sprint(n.UID), displayKey(n.Hotkey, names), displayKey(n.Coldkey, names), marks(&n), fmt.Sprint(n.RegisteredHeight),
							orDashText(n.Protocol), orDashText(strings.Join(n.Endpoints, " ")))
					}
					t.write(w)
				})
			})
		},
	}
}

func newNeuronShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show KEY|UID",
		Short: "Show one neuron, by its hotkey or its uid",
		Example: `  lode neuron show miner-1-hot --netuid 1
  lode neuron show 3 --netuid 1 --json`,
		Args: cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		id, err := netuid()
		if err != nil {
			return err
		}
		want := args[0]
		byUID := strings.Trim(want, "0123456789") == ""
		if !byUID {
			if want, err = g.address(cmd.Context(), want); err != nil {
				return err
			}
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			m, err := metagraphOf(ctx, c, id)
			if err != nil {
				return err
			}
			for _, n := range m.Neurons {
				if byUID && fmt.Sprint(n.UID) == want || n.Hotkey == want {
					return output(cmd, n, func(w io.Writer) { writeNeuron(w, &n, m, g.names(ctx)) })
				}
			}
			return fail("not_found", fmt.Sprintf("`lode metagraph %d` shows all", id), "subnet %d has no neuron %s", id, args[0])
		})
	}
	return cmd
}

// writeNeuron shows a neuron in full.
func writeNeuron(w io.Writer, n *console.Neuron, m *metagraphJSON, names map[string]string) {
	prune := "never: the owner's hotkey keeps its uid"
	if n.PruningRank != nil {
		prune = fmt.Sprintf("#%d of %d (#0 is replaced first, once all uids are taken)", *n.PruningRank, len(m.Neurons))
	}
	immune := "no"
	if n.ImmuneUntilHeight != nil {
		immune = fmt.Sprintf("until block %d (now %d)", *n.ImmuneUntilHeight, m.Height)
	}
	weights := "none in force"
	if n.LastUpdateHeight != nil {
		weights = fmt.Sprintf("in force since block %d", *n.LastUpdateHeight)
	}
	serves := "nothing"
	if n.Protocol != "" {
		serves = fmt.Sprintf("%s %s at %s", n.Protocol, n.ProtocolVersion, strings.Join(n.Endpoints, " "))
	}
	facts(w,
		"uid", fmt.Sprintf("%d in subnet %d (%s)", n.UID, m.Netuid, m.Name),
		"hotkey", fullKey(n.Hotkey, names),
		"coldkey", fullKey(n.Coldkey, names),
		"registered", fmt.Sprintf("at block %d", n.RegisteredHeight),
		"stake", fmt.Sprintf("%s alpha, weight %s", formatUnits(n.StakeAlpha, 6), formatUnits(n.StakeWeight, 6)),
		"lent", fmt.Sprintf("%s weight to children, %s from parents", formatUnits(n.LentWeight, 6), formatUnits(n.InheritedWeight, 6)),
		"collateral", client.FormatAlpha(n.CollateralAlpha)+" alpha",
		"root stake", client.FormatTAO(n.RootStakeRao)+" TAO",
		"permit", yesNo(n.Permit),
		"active", yesNo(n.Active),
		"incentive", fmt.Sprintf("%.6f", n.Incentive),
		"dividends", fmt.Sprintf("%.6f", n.Dividends),
		"consensus", fmt.Sprintf("%.6f", n.Consensus),
		"trust", fmt.Sprintf("%.6f", n.ValidatorTrust),
		"last epoch", "+"+client.FormatAlpha(n.EmissionAlpha)+" alpha",
		"incentive to", fullKey(n.Destination, names),
		"weights", weights,
		"pruning", prune,
		"immune", immune,
		"serves", serves,
	)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// metagraphOf asks for a subnet with all its neurons.
func metagraphOf(ctx context.Context, c *client.Client, netuid uint32) (*metagraphJSON, error) {
	r, err := c.Metagraph(ctx, netuid)
	if err != nil {
		return nil, err
	}
	return newMetagraphJSON(r)
}
