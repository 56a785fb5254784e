package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// lentJSON is a fraction of a hotkey's stake weight that another has.
type lentJSON struct {
	Hotkey     string  `json:"hotkey"`
	Proportion float64 `json:"proportion"` // of the parent's own stake weight, 0 to 1
}

// childrenJSON is a hotkey's family in a subnet.
type childrenJSON struct {
	Netuid       uint32     `json:"netuid"`
	Hotkey       string     `json:"hotkey"`
	Children     []lentJSON `json:"children"`
	Pending      []lentJSON `json:"pending"`            // replace the children later; null: no change waits
	PendingDue   *int64     `json:"pending_due_height"` // null: no change waits
	PendingTime  *string    `json:"pending_due_time"`   // RFC 3339; both must have passed
	Parents      []lentJSON `json:"parents"`
	ChildkeyTake float64    `json:"childkey_take"` // what it keeps of dividends that lent stake weight earns, 0 to 1
}

func lent(list []alphatypes.Child) []lentJSON {
	out := []lentJSON{}
	for _, c := range list {
		out = append(out, lentJSON{c.Hotkey, float64(c.Proportion) / takeUnit})
	}
	return out
}

func newHotkeyChildrenCommand() *cobra.Command {
	var children []string
	var none bool
	cmd := &cobra.Command{
		Use:   "children HOTKEY",
		Short: "Show or set whom a hotkey lends stake weight to in a subnet",
		Long: `Without --child it shows a hotkey's children, its parents and its childkey take in a subnet.

With --child, its coldkey lends fractions of the hotkey's own stake weight (its alpha and its root stake) to at most five
child hotkeys, in place of those that it had. The change takes effect after a cooldown, a day on mainnet. What a child's
validator earns by lent weight comes back to the parent and its nominators, less the child's childkey take.`,
		Example: `  lode hotkey children validator-1-hot --netuid 1
  lode hotkey children validator-1-hot --netuid 1 --child validator-2-hot=25% --from validator-1
  lode hotkey children validator-1-hot --netuid 1 --none --from validator-1`,
		Args: cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	cmd.Flags().StringArrayVar(&children, "child", nil, "a child and its part, HOTKEY=PERCENT; may be given several times")
	cmd.Flags().BoolVar(&none, "none", false, "lend to nobody any more")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, hotkey, err := target(cmd, netuid, args[0])
		if err != nil {
			return err
		}
		switch {
		case none && len(children) > 0:
			return fail(codeUsage, "see `lode hotkey children --help`", "give --child or --none, not both")
		case !none && len(children) == 0:
			return showChildren(cmd, id, hotkey)
		}
		list := []alphatypes.Child{}
		for _, c := range children {
			child, err := parseChild(cmd.Context(), globalsOf(cmd), c)
			if err != nil {
				return err
			}
			list = append(list, child)
		}
		return signAndSendFor(cmd, func(coldkey string) sdk.Msg {
			return &alphatypes.MsgSetChildren{Coldkey: coldkey, Hotkey: hotkey, Netuid: id, Children: list}
		}, func(r *client.TxResult) (string, error) {
			answer, err := client.Response[*alphatypes.MsgSetChildrenResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s will have %d children in subnet %d, from block %d and %s on", args[0], len(list), id, answer.DueHeight, rfc3339(answer.DueTime)), nil
		})
	}
	return cmd
}

// parseChild reads HOTKEY=PERCENT.
func parseChild(ctx context.Context, g *globals, s string) (alphatypes.Child, error) {
	name, part, ok := strings.Cut(s, "=")
	if !ok {
		return alphatypes.Child{}, fail(codeUsage, "write it like validator-2-hot=25%", "--child %q has no =", s)
	}
	hotkey, err := g.hotkeyAddress(ctx, name)
	if err != nil {
		return alphatypes.Child{}, err
	}
	p, err := parsePercent(part, "--child "+name, 100)
	return alphatypes.Child{Hotkey: hotkey, Proportion: uint32(p*takeUnit + 0.5)}, err
}

func showChildren(cmd *cobra.Command, netuid uint32, hotkey string) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
		r, err := c.Alpha().Children(ctx, &alphatypes.QueryChildrenRequest{Netuid: netuid, Hotkey: hotkey})
		if err != nil {
			return err
		}
		p, err := c.Alpha().Parents(ctx, &alphatypes.QueryParentsRequest{Netuid: netuid, Hotkey: hotkey})
		if err != nil {
			return err
		}
		v := childrenJSON{Netuid: netuid, Hotkey: hotkey, Children: lent(r.Children), Parents: lent(p.Parents), ChildkeyTake: float64(p.ChildkeyTake) / takeUnit}
		if r.Pending != nil {
			due := rfc3339(r.Pending.DueTime)
			v.Pending, v.PendingDue, v.PendingTime = lent(r.Pending.Children.Children), &r.Pending.DueHeight, &due
		}
		return output(cmd, v, func(w io.Writer) {
			names := g.names(ctx)
			text := func(list []lentJSON) string {
				var words []string
				for _, l := range list {
					words = append(words, fmt.Sprintf("%s %s", displayKey(l.Hotkey, names), percentText(l.Proportion)))
				}
				return orDashText(strings.Join(words, ", "))
			}
			facts(w, "hotkey", fullKey(hotkey, names), "children", text(v.Children), "parents", text(v.Parents), "childkey take", percentText(v.ChildkeyTake))
			if v.PendingDue != nil {
				facts(w, "from block", fmt.Sprintf("%d and %s on", *v.PendingDue, *v.PendingTime), "children", text(v.Pending))
			}
		})
	})
}

func newHotkeyChildkeyTakeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "childkey-take HOTKEY PERCENT",
		Short:   "Set what a child hotkey keeps of dividends that lent stake weight earns; its coldkey",
		Long:    "Sets a hotkey's childkey take in a subnet, 0 to 18 %. Lowering is free, raising is possible once in 30 days.",
		Example: "  lode hotkey childkey-take validator-2-hot 9% --netuid 1 --from validator-2",
		Args:    cobra.ExactArgs(2),
	}
	netuid := netuidFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, hotkey, err := target(cmd, netuid, args[0])
		if err != nil {
			return err
		}
		take, err := parsePercent(args[1], "the childkey take", 100)
		if err != nil {
			return err
		}
		return signAndSend(cmd, func(coldkey string) sdk.Msg {
			return &alphatypes.MsgSetChildkeyTake{Coldkey: coldkey, Hotkey: hotkey, Netuid: id, Take: uint32(take*takeUnit + 0.5)}
		}, fmt.Sprintf("the childkey take of %s in subnet %d is %s", args[0], id, percentText(take)))
	}
	return cmd
}

func newHotkeyDestinationCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "destination HOTKEY DESTINATION",
		Short: "Choose which hotkey of the coldkey gets a miner's incentive",
		Long:  "A miner's incentive is staked on its own hotkey, or on another of the same coldkey. Name the hotkey itself to go back.",
		Example: `  lode hotkey destination miner-4 miner-1-hot --from alice
  lode hotkey destination miner-4 miner-4 --from alice`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			hotkey, err := g.hotkeyAddress(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			to, err := g.hotkeyAddress(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			if to == hotkey {
				to = ""
			}
			return signAndSend(cmd, func(coldkey string) sdk.Msg {
				return &alphatypes.MsgSetDestination{Coldkey: coldkey, Hotkey: hotkey, Destination: to}
			}, fmt.Sprintf("the incentive of %s goes to %s", args[0], args[1]))
		},
	}
}
