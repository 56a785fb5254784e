package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

func newSubnetCreateCommand() *cobra.Command {
	var (
		msg     subnetstypes.MsgCreateSubnet
		hotkey  string
		maxLock string
	)
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Open a subnet at the current lock cost",
		Long: `Opens a subnet. It costs what ` + "`lode subnet lock-cost`" + ` says; all of it seeds the subnet's pool. The hotkey becomes
uid 0 and the owner's key; it is bound to the coldkey first if it isn't. Nothing trades before ` + "`lode subnet start`" + `.`,
		Example: `  lode subnet create --name translate --hotkey owner-hot
  lode subnet create --name translate --hotkey owner-hot --max-lock 1000 --parameters '{"measure":"bleu"}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g := globalsOf(cmd)
			if hotkey == "" || msg.Name == "" {
				return fail(codeUsage, "see `lode subnet create --help`", "give --name and --hotkey")
			}
			if maxLock != "" {
				var err error
				if msg.MaxLock, err = parseTAO(maxLock, "--max-lock"); err != nil {
					return err
				}
			}
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				cold, hot, err := g.pair(ctx, hotkey)
				if err != nil {
					return err
				}
				cost, err := c.Subnets().LockCost(ctx, &subnetstypes.QueryLockCostRequest{})
				if err != nil {
					return err
				}
				switch {
				case maxLock == "":
					msg.MaxLock = cost.Lock // it falls with time: a dearer one came in between
				case cost.Lock > msg.MaxLock:
					return fail("too_dear", "raise --max-lock, or wait: the price falls with every block", "a subnet costs %s TAO at block %d, more than --max-lock %s", client.FormatTAO(cost.Lock), cost.Height, maxLock)
				}
				msg.Coldkey, msg.Hotkey = cold.Address(), hot.Address()
				r, err := c.SendBound(ctx, cold, hot, &msg)
				if err != nil {
					return err
				}
				answer, err := client.Response[*subnetstypes.MsgCreateSubnetResponse](r)
				if err != nil {
					return err
				}
				v := struct {
					Netuid   uint32 `json:"netuid"`
					SubnetID uint64 `json:"subnet_id"`
					Lock     uint64 `json:"lock_rao,string"`
					txJSON
				}{answer.Netuid, answer.SubnetId, answer.Lock, newTxJSON(r)}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "subnet %d is there, for %s TAO; `lode subnet start %d` lets it trade and emit\n", v.Netuid, client.FormatTAO(v.Lock), v.Netuid)
					v.txJSON.write(w)
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&msg.Name, "name", "", "the subnet's name (required)")
	f.StringVar(&hotkey, "hotkey", "", "the owner's hotkey, in the wallet (required)")
	f.StringVar(&maxLock, "max-lock", "", "the most TAO that it may cost (default: what it costs now)")
	f.StringVar(&msg.Description, "description", "", "one line about the work")
	f.StringVar(&msg.Url, "url", "", "where to read more")
	f.StringVar(&msg.Parameters, "parameters", "", "the subnet's own parameters, a JSON object that its miners and validators read")
	return cmd
}

func newSubnetStartCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "start NETUID",
		Short:   "Let a subnet trade and emit; its owner",
		Example: "  lode subnet start 2 --from owner",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			return signAndSend(cmd, func(owner string) sdk.Msg {
				return &subnetstypes.MsgStartSubnet{Coldkey: owner, Netuid: netuid}
			}, fmt.Sprintf("subnet %d is started", netuid))
		},
	}
}

func newSubnetSetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set NETUID NAME VALUE",
		Short: "Set a hyperparameter; its owner",
		Long: `Sets one hyperparameter of a subnet. ` + "`lode subnet hyperparams NETUID`" + ` lists their values, bounds and units, and which of
them an owner may set. Switches take on and off.`,
		Example: `  lode subnet set 1 immunity_period 200 --from owner
  lode subnet set 1 commit_reveal off --from owner`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			value, err := parseHyperparameter(args[2])
			if err != nil {
				return err
			}
			return setHyperparameter(cmd, netuid, args[1], value)
		},
	}
}

// setHyperparameter sends the change, and says what it came to: some take effect later.
func setHyperparameter(cmd *cobra.Command, netuid uint32, name string, value uint64) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		owner, err := g.payer(ctx)
		if err != nil {
			return err
		}
		r, err := c.Send(ctx, []*wallet.Signer{owner}, &subnetstypes.MsgSetHyperparameter{Signer: owner.Address(), Netuid: netuid, Name: name, Value: value})
		if err != nil {
			return err
		}
		now, err := c.Subnets().Hyperparameters(client.AtHeight(ctx, r.Height), &subnetstypes.QueryHyperparametersRequest{Netuid: netuid})
		if err != nil {
			return err
		}
		at := slices.IndexFunc(now.Hyperparameters, func(h subnetstypes.HyperparameterInfo) bool { return h.Name == name })
		if at < 0 {
			return fmt.Errorf("the chain has no hyperparameter %s any more", name)
		}
		v := struct {
			hyperparameterJSON
			txJSON
		}{newHyperparameterJSON(now.Hyperparameters[at]), newTxJSON(r)}
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintf(w, "%s of subnet %d is %d", name, netuid, v.Value)
			if s := v.Scheduled; s != nil {
				fmt.Fprintf(w, ", and will be %d when block %d and %s have passed", s.Value, s.DueHeight, s.DueTime)
			}
			fmt.Fprintln(w)
			v.write(w)
		})
	})
}

func parseHyperparameter(s string) (uint64, error) {
	switch strings.ToLower(s) {
	case "on", "true", "yes":
		return 1, nil
	case "off", "false", "no":
		return 0, nil
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fail("bad_value", "`lode subnet hyperparams NETUID` shows the units", "%q is neither a whole number nor on or off", s)
	}
	return v, nil
}

// hyperparameterJSON is a hyperparameter with its rule.
type hyperparameterJSON struct {
	Name       string         `json:"name"`
	Value      uint64         `json:"value,string"`
	Default    uint64         `json:"default,string"`
	Min        uint64         `json:"min,string"`
	Max        uint64         `json:"max,string"`
	Owner      bool           `json:"owner"`       // the owner may set it, not only governance
	SetHeight  *int64         `json:"set_height"`  // block of its last change; null: never
	NextHeight *int64         `json:"next_height"` // the first block in which the owner may set it; null: only governance may
	Scheduled  *scheduledJSON `json:"scheduled"`   // a change that takes effect later; null: none
}

type scheduledJSON struct {
	Value     uint64 `json:"value,string"`
	DueHeight int64  `json:"due_height"`
	DueTime   string `json:"due_time"` // RFC 3339; both must have passed
}

func newHyperparameterJSON(h subnetstypes.HyperparameterInfo) hyperparameterJSON {
	v := hyperparameterJSON{
		Name: h.Name, Value: h.Value, Default: h.Rule.Default, Min: h.Rule.Min, Max: h.Rule.Max, Owner: h.Rule.Owner,
		SetHeight: orNull(h.SetHeight), NextHeight: orNull(h.NextHeight),
	}
	if s := h.Scheduled; s != nil {
		v.Scheduled = &scheduledJSON{s.Value, s.DueHeight, rfc3339(s.DueTime)}
	}
	return v
}

func newSubnetHyperparamsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hyperparams NETUID",
		Short: "Show a subnet's hyperparameters, their bounds, who may set them and from which block on",
		Example: `  lode subnet hyperparams 1
  lode subnet hyperparams 1 --json | jq -r '.[] | select(.name == "tempo").value'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Subnets().Hyperparameters(ctx, &subnetstypes.QueryHyperparametersRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				list := []hyperparameterJSON{}
				t := newColumns("name", ">value", ">default", ">min", ">max", "set by", ">from block")
				for _, h := range r.Hyperparameters {
					v := newHyperparameterJSON(h)
					list = append(list, v)
					who, from := "governance", "–"
					if v.Owner {
						who = "owner"
					}
					if v.NextHeight != nil {
						from = fmt.Sprint(*v.NextHeight)
					}
					value := fmt.Sprint(v.Value)
					if v.Scheduled != nil {
						value += fmt.Sprintf(" (%d from block %d)", v.Scheduled.Value, v.Scheduled.DueHeight)
					}
					t.add(v.Name, value, fmt.Sprint(v.Default), fmt.Sprint(v.Min), fmt.Sprint(v.Max), who, from)
				}
				return output(cmd, list, func(w io.Writer) {
					t.write(w)
					fmt.Fprintf(w, "\nat block %d; periods in blocks, burns in rao, stakes and collateral in 10^-9 alpha, kappa, bonds_penalty and max_weight_limit\nof 65,535, moving average, alphas and max_slash per 10^6, burn_increase and steepness per 100, switches 0 or 1\n", r.Height)
				})
			})
		},
	}
}

func newSubnetUpdateCommand() *cobra.Command {
	var msg subnetstypes.MsgUpdateSubnet
	cmd := &cobra.Command{
		Use:   "update NETUID",
		Short: "Set a subnet's identity and its own parameters; its owner",
		Long:  "Changes what is given of a subnet's name, description, address and parameters; the rest stays as it is.",
		Example: `  lode subnet update 2 --url https://example.org/translate --from owner
  lode subnet update 2 --parameters '{"measure":"bleu"}' --from owner`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&msg.Name, "name", "", "the subnet's name")
	f.StringVar(&msg.Description, "description", "", "one line about the work")
	f.StringVar(&msg.Url, "url", "", "where to read more")
	f.StringVar(&msg.Parameters, "parameters", "", "the subnet's own parameters, a JSON object")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		netuid, err := parseNetuid(args[0])
		if err != nil {
			return err
		}
		g := globalsOf(cmd)
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			r, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
			if err != nil {
				return err
			}
			given := false
			for _, keep := range []struct {
				flag string
				to   *string
				is   string
			}{{"name", &msg.Name, r.Subnet.Name}, {"description", &msg.Description, r.Subnet.Description}, {"url", &msg.Url, r.Subnet.Url}, {"parameters", &msg.Parameters, r.Subnet.Parameters}} {
				if f.Changed(keep.flag) {
					given = true
				} else {
					*keep.to = keep.is
				}
			}
			if !given {
				return fail(codeUsage, "see `lode subnet update --help`", "nothing to change is given")
			}
			owner, err := g.payer(ctx)
			if err != nil {
				return err
			}
			msg.Coldkey, msg.Netuid = owner.Address(), netuid
			return send(ctx, cmd, c, []*wallet.Signer{owner}, &msg, func(*client.TxResult) (string, error) {
				return fmt.Sprintf("subnet %d (%s) is updated", netuid, msg.Name), nil
			})
		})
	}
	return cmd
}

func newSubnetTransferCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "transfer NETUID HOTKEY",
		Short:   "Give a subnet to another registered hotkey, and with it to that hotkey's coldkey; its owner",
		Example: "  lode subnet transfer 2 alice-hot --from owner",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			hotkey, err := globalsOf(cmd).address(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			return signAndSend(cmd, func(owner string) sdk.Msg {
				return &subnetstypes.MsgTransferOwnership{Coldkey: owner, Netuid: netuid, Hotkey: hotkey}
			}, fmt.Sprintf("%s is the owner's key of subnet %d", args[1], netuid))
		},
	}
}

// removalJSON is a subnet's place in the order of removal.
type removalJSON struct {
	Netuid            uint32  `json:"netuid"`
	SubnetID          uint64  `json:"subnet_id"`
	MovingPrice       float64 `json:"moving_price"`        // TAO per alpha
	ImmuneUntilHeight *int64  `json:"immune_until_height"` // null: not immune
	ImmuneUntilTime   *string `json:"immune_until_time"`   // RFC 3339; both must have passed
}

func newSubnetRemovalOrderCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "removal-order",
		Short: "List which subnet would be removed for a new one, once all slots are taken",
		Example: `  lode subnet removal-order
  lode subnet removal-order --json | jq -r '.order[0].netuid'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Subnets().RemovalOrder(ctx, &subnetstypes.QueryRemovalOrderRequest{})
				if err != nil {
					return err
				}
				v := struct {
					FreeSlots uint32        `json:"free_slots"` // no subnet is removed while there are some
					Order     []removalJSON `json:"order"`      // the first goes first; immune ones come last
				}{r.FreeSlots, []removalJSON{}}
				t := newColumns(">#", ">netuid", ">moving price TAO", ">immune until block")
				for i, p := range r.Order {
					price, err := parsePrice(p.MovingPrice)
					if err != nil {
						return err
					}
					row := removalJSON{Netuid: p.Netuid, SubnetID: p.SubnetId, MovingPrice: price, ImmuneUntilHeight: orNull(p.ImmuneUntilHeight)}
					immune := "–"
					if p.ImmuneUntilHeight != 0 {
						until := rfc3339(p.ImmuneUntilTime)
						row.ImmuneUntilTime, immune = &until, fmt.Sprint(p.ImmuneUntilHeight)
					}
					v.Order = append(v.Order, row)
					t.add(fmt.Sprint(i), fmt.Sprint(p.Netuid), fmt.Sprintf("%.6f", price), immune)
				}
				return output(cmd, v, func(w io.Writer) {
					t.write(w)
					if v.FreeSlots == 0 {
						fmt.Fprintln(w, "\nall slots are taken: a new subnet removes the first, unless that is immune")
						return
					}
					fmt.Fprintf(w, "\n%d slots are free: as long as there are some, no subnet is removed\n", v.FreeSlots)
				})
			})
		},
	}
}
