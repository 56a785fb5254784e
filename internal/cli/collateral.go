package cli

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	"github.com/spf13/cobra"
)

func newCollateralCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collateral",
		Short: "Collateral: alpha that a miner puts at stake for its promises, and claims against it",
		Long: `A subnet may ask its miners to put own alpha at stake (min_collateral); who has less earns no incentive. Collateral is
stake like any other and earns dividends, but leaves only by unbonding. A validator with a permit may claim that a miner
broke a promise, for a deposit; validators with more than two thirds of the active stake must confirm it within a tempo,
then a part of the collateral is burned. A claim that fails costs its author the deposit.`,
		Example: `  lode collateral show miner-1-hot --netuid 1
  lode collateral lock 10 --netuid 1 --hotkey miner-1-hot --from miner-1
  lode collateral claims 1`,
	}
	cmd.AddCommand(newCollateralShowCommand(), newCollateralListCommand(), newCollateralLockCommand(), newCollateralUnbondCommand(),
		newCollateralClaimCommand(), newCollateralConfirmCommand(), newCollateralAnswerCommand(), newCollateralClaimsCommand())
	return cmd
}

// collateralJSON is what a hotkey has at stake in a subnet.
type collateralJSON struct {
	Netuid     uint32          `json:"netuid"`
	Hotkey     string          `json:"hotkey"`
	Coldkey    string          `json:"coldkey"`
	Bonded     uint64          `json:"bonded_alpha,string"` // counts for min_collateral
	Unbonding  uint64          `json:"unbonding_alpha,string"`
	Unbondings []unbondingJSON `json:"unbondings"`          // oldest first; still at stake
	Frozen     uint64          `json:"frozen_alpha,string"` // by an open claim
	ClaimID    *uint64         `json:"claim_id,string"`     // null: no claim is open against it
	Covered    bool            `json:"covered"`             // it is enough to earn incentive
}

type unbondingJSON struct {
	Alpha     uint64 `json:"alpha,string"`
	DueHeight int64  `json:"due_height"`
	DueTime   string `json:"due_time"` // RFC 3339; both must have passed
}

func newCollateralJSON(netuid uint32, c collateraltypes.CollateralInfo) collateralJSON {
	v := collateralJSON{
		Netuid: netuid, Hotkey: c.Collateral.Hotkey, Coldkey: c.Coldkey, Bonded: c.Collateral.Bonded, Unbonding: c.Unbonding,
		Unbondings: []unbondingJSON{}, Frozen: c.Frozen, Covered: c.Covered,
	}
	for _, u := range c.Collateral.Unbondings {
		v.Unbondings = append(v.Unbondings, unbondingJSON{u.Alpha, u.DueHeight, rfc3339(u.DueTime)})
	}
	if c.ClaimId != 0 {
		v.ClaimID = &c.ClaimId
	}
	return v
}

func newCollateralShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show HOTKEY",
		Short:   "Show what a hotkey has at stake in a subnet, and what the subnet asks for",
		Example: "  lode collateral show miner-1-hot --netuid 1",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, hotkey, err := target(cmd, netuid, args[0])
		if err != nil {
			return err
		}
		g := globalsOf(cmd)
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			r, err := c.Collateral().Collateral(ctx, &collateraltypes.QueryCollateralRequest{Netuid: id, Hotkey: hotkey})
			if err != nil {
				return err
			}
			v := struct {
				collateralJSON
				Min      uint64  `json:"min_collateral_alpha,string"` // the subnet's
				Unbond   uint32  `json:"collateral_unbond"`           // blocks
				MaxSlash float64 `json:"max_slash"`                   // of a collateral, by one claim; 0 to 1
			}{newCollateralJSON(id, r.Collateral), r.MinCollateral, r.CollateralUnbond, float64(r.MaxSlash) / takeUnit}
			return output(cmd, v, func(w io.Writer) {
				enough := "enough"
				if !v.Covered {
					enough = "not enough: it earns no incentive"
				}
				claim := "none"
				if v.ClaimID != nil {
					claim = fmt.Sprintf("%d is open, and holds %s alpha", *v.ClaimID, client.FormatAlpha(v.Frozen))
				}
				facts(w, "hotkey", fullKey(hotkey, g.names(ctx)),
					"bonded", fmt.Sprintf("%s alpha, the subnet asks for %s: %s", client.FormatAlpha(v.Bonded), client.FormatAlpha(v.Min), enough),
					"unbonding", client.FormatAlpha(v.Unbonding)+" alpha",
					"claim", claim,
					"terms", fmt.Sprintf("unbonding takes %d blocks, a claim can slash %s", v.Unbond, percentText(v.MaxSlash)))
				for _, u := range v.Unbondings {
					fmt.Fprintf(w, "  %s alpha free from block %d and %s on\n", client.FormatAlpha(u.Alpha), u.DueHeight, u.DueTime)
				}
			})
		})
	}
	return cmd
}

func newCollateralListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list NETUID",
		Short:   "List all collateral of a subnet",
		Example: "  lode collateral list 1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list := []collateralJSON{}
				t := newColumns("hotkey", ">bonded", ">unbonding", ">frozen", "covered")
				names := g.names(ctx)
				for req := (&collateraltypes.QueryCollateralsRequest{Netuid: netuid}); ; {
					r, err := c.Collateral().Collaterals(ctx, req)
					if err != nil {
						return err
					}
					for _, info := range r.Collaterals {
						v := newCollateralJSON(netuid, info)
						list = append(list, v)
						t.add(displayKey(v.Hotkey, names), client.FormatAlpha(v.Bonded), client.FormatAlpha(v.Unbonding), client.FormatAlpha(v.Frozen), yesNo(v.Covered))
					}
					if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
						break
					}
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "nobody has collateral in subnet %d\n", netuid)
						return
					}
					t.write(w)
				})
			})
		},
	}
}

// amountOfCollateral makes a command about an amount of alpha of a hotkey.
func amountOfCollateral(use, short, long string, msg func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg, done func(alpha string, r *client.TxResult) (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:     use + " ALPHA",
		Short:   short,
		Long:    long,
		Example: "  lode collateral " + use + " 10 --netuid 1 --hotkey miner-1-hot --from miner-1",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the neuron's hotkey (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		return signAndSendFor(cmd, func(coldkey string) sdk.Msg { return msg(coldkey, hot, id, alpha) },
			func(r *client.TxResult) (string, error) { return done(client.FormatAlpha(alpha), r) })
	}
	return cmd
}

func newCollateralLockCommand() *cobra.Command {
	return amountOfCollateral("lock", "Put alpha that the coldkey has staked on its own hotkey at stake",
		"Locks stake that the coldkey of --from has on its own hotkey. It goes on earning dividends.",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &collateraltypes.MsgLockCollateral{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		},
		func(alpha string, r *client.TxResult) (string, error) {
			answer, err := client.Response[*collateraltypes.MsgLockCollateralResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s alpha more are at stake, %s in all", alpha, client.FormatAlpha(answer.Bonded)), nil
		})
}

func newCollateralUnbondCommand() *cobra.Command {
	return amountOfCollateral("unbond", "Take collateral back, after the subnet's unbonding time",
		"Begins to unbond. Until it is free the alpha can still be slashed, but does not count for min_collateral any more.",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &collateraltypes.MsgUnbondCollateral{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		},
		func(alpha string, r *client.TxResult) (string, error) {
			answer, err := client.Response[*collateraltypes.MsgUnbondCollateralResponse](r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s alpha are free from block %d and %s on", alpha, answer.DueHeight, rfc3339(answer.DueTime)), nil
		})
}
