package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// target reads --netuid and --hotkey.
func target(cmd *cobra.Command, netuid func() (uint32, error), hotkey string) (uint32, string, error) {
	id, err := netuid()
	if err != nil {
		return 0, "", err
	}
	hot, err := globalsOf(cmd).hotkeyAddress(cmd.Context(), hotkey)
	return id, hot, err
}

// stakesOn are a coldkey's stakes on a hotkey, in the subnets given or in all. None is
// an error.
func stakesOn(ctx context.Context, c *client.Client, coldkey, hotkey string, only []uint32) ([]stakeJSON, error) {
	all, err := stakesOf(ctx, c, coldkey)
	if err != nil {
		return nil, err
	}
	var on []stakeJSON
	for _, s := range all {
		if s.Hotkey == hotkey && s.Alpha > 0 && (len(only) == 0 || slices.Contains(only, s.Netuid)) {
			on = append(on, s)
		}
	}
	if len(on) == 0 {
		return nil, fail("no_stake", "`lode stake list` shows what it has; --from names another coldkey", "%s has nothing staked on %s there", coldkey, hotkey)
	}
	return on, nil
}

// enough refuses to touch more alpha than there is.
func enough(ctx context.Context, c *client.Client, coldkey, hotkey string, netuid uint32, alpha uint64) error {
	on, err := stakesOn(ctx, c, coldkey, hotkey, []uint32{netuid})
	if err != nil {
		return err
	}
	if has := on[0].Alpha; has < alpha {
		return fail("insufficient_stake", "give at most what is there; `lode stake remove all` sells it all", "%s has %s alpha staked on %s in subnet %d, less than %s",
			coldkey, client.FormatAlpha(has), hotkey, netuid, client.FormatAlpha(alpha))
	}
	return nil
}

// movedJSON is stake that changed its place without a trade.
type movedJSON struct {
	Netuid    uint32 `json:"netuid"`
	Hotkey    string `json:"hotkey"`
	ToHotkey  string `json:"to_hotkey"`
	ToColdkey string `json:"to_coldkey"`
	Alpha     uint64 `json:"alpha,string"`
	txJSON
}

// moveStake sends a message that trades nothing, after a look at what is there.
func moveStake(cmd *cobra.Command, v movedJSON, msg func(coldkey string) sdk.Msg, text string) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		coldkey, err := g.address(ctx, g.from)
		if err != nil {
			return err
		}
		if v.ToColdkey == "" {
			v.ToColdkey = coldkey
		}
		if err := enough(ctx, c, coldkey, v.Hotkey, v.Netuid, v.Alpha); err != nil {
			return err
		}
		payer, err := g.payer(ctx)
		if err != nil {
			return err
		}
		r, err := c.Send(ctx, []*wallet.Signer{payer}, msg(payer.Address()))
		if err != nil {
			return err
		}
		v.txJSON = newTxJSON(r)
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintln(w, text)
			v.txJSON.write(w)
		})
	})
}

func newStakeMoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "move ALPHA",
		Short:   "Move stake to another hotkey of the same subnet; nothing is traded",
		Example: "  lode stake move 5 --netuid 1 --hotkey miner-1-hot --to-hotkey miner-2-hot",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey that the alpha is staked on (required)")
	toHotkey := hotkeyFlag(cmd, "to-hotkey", "the hotkey that it moves to (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		to, err := globalsOf(cmd).hotkeyAddress(cmd.Context(), *toHotkey)
		if err != nil {
			return err
		}
		return moveStake(cmd, movedJSON{Netuid: id, Hotkey: hot, ToHotkey: to, Alpha: alpha}, func(coldkey string) sdk.Msg {
			return &alphatypes.MsgMoveStake{Coldkey: coldkey, Netuid: id, FromHotkey: hot, ToHotkey: to, Alpha: alpha}
		}, fmt.Sprintf("moved %s alpha from %s to %s", client.FormatAlpha(alpha), hot, to))
	}
	return cmd
}

func newStakeTransferCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:     "transfer ALPHA",
		Short:   "Give stake to another coldkey; it stays on its hotkey, nothing is traded",
		Example: "  lode stake transfer 5 --netuid 1 --hotkey miner-1-hot --to alice",
		Args:    cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey that the alpha is staked on (required)")
	cmd.Flags().StringVar(&to, "to", "", "the coldkey that gets it: an address, or a name in the wallet (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		if to == "" {
			return fail(codeUsage, "see `lode stake transfer --help`", "give --to")
		}
		cold, err := globalsOf(cmd).address(cmd.Context(), to)
		if err != nil {
			return err
		}
		return moveStake(cmd, movedJSON{Netuid: id, Hotkey: hot, ToHotkey: hot, ToColdkey: cold, Alpha: alpha}, func(coldkey string) sdk.Msg {
			return &alphatypes.MsgTransferStake{Coldkey: coldkey, ToColdkey: cold, Hotkey: hot, Netuid: id, Alpha: alpha}
		}, fmt.Sprintf("gave %s alpha on %s to %s", client.FormatAlpha(alpha), hot, cold))
	}
	return cmd
}
