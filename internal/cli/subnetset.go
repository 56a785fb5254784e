package cli

import (
	"context"
	"fmt"
	"io"
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
				r, err := sendBound(ctx, c, cold, hot, &msg)
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
			return sendAsOwner(cmd, func(owner string) sdk.Msg {
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
			return sendAsOwner(cmd, func(owner string) sdk.Msg {
				return &subnetstypes.MsgSetHyperparameter{Signer: owner, Netuid: netuid, Name: args[1], Value: value}
			}, fmt.Sprintf("%s of subnet %d is %s", args[1], netuid, args[2]))
		},
	}
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

// sendAsOwner sends a message that the coldkey of --from signs.
func sendAsOwner(cmd *cobra.Command, msg func(owner string) sdk.Msg, done string) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		owner, err := g.payer(ctx)
		if err != nil {
			return err
		}
		r, err := c.Send(ctx, []*wallet.Signer{owner}, msg(owner.Address()))
		if err != nil {
			return err
		}
		v := newTxJSON(r)
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintln(w, done)
			v.write(w)
		})
	})
}

// hyperparameterJSON is a hyperparameter with its rule.
type hyperparameterJSON struct {
	Name    string `json:"name"`
	Value   uint64 `json:"value,string"`
	Default uint64 `json:"default,string"`
	Min     uint64 `json:"min,string"`
	Max     uint64 `json:"max,string"`
	Owner   bool   `json:"owner"` // the owner may set it, not only governance
}

func newSubnetHyperparamsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hyperparams NETUID",
		Short: "Show a subnet's hyperparameters, their bounds and who may set them",
		Example: `  lode subnet hyperparams 1
  lode subnet hyperparams 1 --json | jq -r '.[] | select(.name == "tempo").value'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), globalsOf(cmd), queryTimeout, func(ctx context.Context, c *client.Client) error {
				s, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
				if err != nil {
					return err
				}
				p, err := c.Subnets().Params(ctx, &subnetstypes.QueryParamsRequest{})
				if err != nil {
					return err
				}
				list := []hyperparameterJSON{}
				t := newColumns("name", ">value", ">default", ">min", ">max", "set by")
				for _, rule := range p.Params.Hyperparameters {
					value, err := s.Subnet.Hyperparameters.Get(rule.Name)
					if err != nil {
						return err
					}
					list = append(list, hyperparameterJSON{rule.Name, value, rule.Default, rule.Min, rule.Max, rule.Owner})
					who := "governance"
					if rule.Owner {
						who = "owner"
					}
					t.add(rule.Name, fmt.Sprint(value), fmt.Sprint(rule.Default), fmt.Sprint(rule.Min), fmt.Sprint(rule.Max), who)
				}
				return output(cmd, list, func(w io.Writer) {
					t.write(w)
					fmt.Fprintln(w, "\nperiods in blocks, burns in rao, kappa, bonds_penalty and max_weight_limit of 65,535, moving average and alphas per 10^6,\nburn_increase and steepness per 100, switches 0 or 1")
				})
			})
		},
	}
}
