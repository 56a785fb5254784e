package cli

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

func newStakeBurnCommand() *cobra.Command {
	return leaveCirculation("burn", "Burn staked alpha: it can never be issued again",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &alphatypes.MsgBurnAlpha{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		})
}

func newStakeRecycleCommand() *cobra.Command {
	return leaveCirculation("recycle", "Take staked alpha out of circulation: the subnet can issue it again",
		func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg {
			return &alphatypes.MsgRecycleAlpha{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Alpha: alpha}
		})
}

// leaveCirculation makes a command that gives alpha up for nothing.
func leaveCirculation(verb, short string, msg func(coldkey, hotkey string, netuid uint32, alpha uint64) sdk.Msg) *cobra.Command {
	cmd := &cobra.Command{
		Use:     verb + " ALPHA",
		Short:   short,
		Long:    short + ". Nothing is paid for it, and nothing brings it back to you.",
		Example: "  lode stake " + verb + " 5 --netuid 1 --hotkey owner-hot --from owner",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey that the alpha is staked on (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		return signAndSend(cmd, func(coldkey string) sdk.Msg { return msg(coldkey, hot, id, alpha) },
			fmt.Sprintf("%s: %s alpha of subnet %d", verb, client.FormatAlpha(alpha), id))
	}
	return cmd
}

// claimJSON is what a coldkey gets of a removed subnet.
type claimJSON struct {
	SubnetID uint64 `json:"subnet_id"`
	Netuid   uint32 `json:"netuid"` // the slot that it held
	Hotkey   string `json:"hotkey"`
	Alpha    uint64 `json:"alpha,string"`
	TaoRao   uint64 `json:"tao_rao,string"`
}

func newStakeClaimsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "claims [COLDKEY]",
		Short: "List what a coldkey will be paid for stakes in removed subnets (that of --from unless given)",
		Long: `A subnet that is removed for a new one leaves its pool to those who hold its alpha, each in proportion. The chain pays
them one after the other; ` + "`lode stake claim`" + ` doesn't wait for one's turn.`,
		Example: `  lode stake claims
  lode stake claims alice --json | jq '.[].tao_rao'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list, err := claimsOf(ctx, c, addr)
				if err != nil {
					return err
				}
				t := newColumns(">subnet id", ">was netuid", "hotkey", ">alpha", ">TAO")
				names := g.names(ctx)
				for _, p := range list {
					t.add(fmt.Sprint(p.SubnetID), fmt.Sprint(p.Netuid), displayKey(p.Hotkey, names), client.FormatAlpha(p.Alpha), client.FormatTAO(p.TaoRao))
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "%s has nothing to claim\n", displayKey(addr, names))
						return
					}
					t.write(w)
				})
			})
		},
	}
}

func newStakeClaimCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "claim SUBNET_ID [COLDKEY]",
		Short: "Have a coldkey paid now for its stakes in a removed subnet; anyone may send it",
		Example: `  lode stake claim 7
  lode stake claim 7 alice --from bob`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var id uint64
			if _, err := fmt.Sscan(args[0], &id); err != nil {
				return fail(codeUsage, "`lode stake claims` shows them", "%q is no subnet id", args[0])
			}
			whom, err := globalsOf(cmd).addressOrPayer(cmd.Context(), args[1:])
			if err != nil {
				return err
			}
			return signAndSendFor(cmd, func(sender string) sdk.Msg {
				return &alphatypes.MsgClaim{Sender: sender, SubnetId: id, Coldkey: whom}
			}, func(r *client.TxResult) (string, error) {
				answer, err := client.Response[*alphatypes.MsgClaimResponse](r)
				if err != nil {
					return "", err
				}
				text := fmt.Sprintf("%s got %s TAO for %d stakes", whom, client.FormatTAO(answer.Tao), answer.Stakes)
				if answer.Left > 0 {
					text += fmt.Sprintf("; %d are left: claim again", answer.Left)
				}
				return text, nil
			})
		},
	}
}
