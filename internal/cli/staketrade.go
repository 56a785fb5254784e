package cli

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// order is a trade that a command is about to do.
type order struct {
	trades []tradeJSON
	msg    sdk.Msg // signed by the coldkey
}

// dealJSON is a trade that was done: how it was quoted, and its transaction.
type dealJSON struct {
	Trades []tradeJSON `json:"trades"`
	txJSON
}

// deal shows an order's trades and, unless it is a dry run, does them. done turns the
// chain's answer into what is printed.
func deal(cmd *cobra.Command, f *tradeFlags, prepare func(ctx context.Context, c *client.Client, coldkey string, slippage uint32) (order, error),
	done func(r *client.TxResult, tx dealJSON) (v any, text string, err error)) error {
	g := globalsOf(cmd)
	slippage, err := f.slippage()
	if err != nil {
		return err
	}
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		coldkey, err := g.address(ctx, g.from)
		if err != nil {
			return err
		}
		o, err := prepare(ctx, c, coldkey, slippage)
		if err != nil {
			return err
		}
		if !g.json {
			shown := cmd.OutOrStdout()
			if g.unsigned {
				shown = cmd.ErrOrStderr() // the transaction is all that is printed
			}
			for i := range o.trades {
				o.trades[i].write(shown, f.partial)
				fmt.Fprintln(shown)
			}
		}
		if f.dryRun {
			return output(cmd, struct {
				Trades []tradeJSON `json:"trades"`
			}{o.trades}, func(w io.Writer) { fmt.Fprintln(w, "a dry run: nothing was sent") })
		}
		for i := range o.trades {
			if err := o.trades[i].check(f); err != nil {
				return err
			}
		}
		payer, err := g.payer(ctx)
		if err != nil {
			return err
		}
		r, err := c.Send(ctx, []*wallet.Signer{payer}, o.msg)
		if err != nil {
			return err
		}
		tx := dealJSON{o.trades, newTxJSON(r)}
		v, text, err := done(r, tx)
		if err != nil {
			return err
		}
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintln(w, text)
			tx.write(w)
		})
	})
}

func newStakeAddCommand() *cobra.Command {
	var f tradeFlags
	cmd := &cobra.Command{
		Use:   "add TAO",
		Short: "Buy a subnet's alpha with TAO and stake it on a hotkey",
		Example: `  lode stake add 10 --netuid 1 --hotkey miner-1-hot
  lode stake add 500 --netuid 1 --hotkey validator-1-hot --tolerance 40%
  lode stake add 10 --netuid 1 --hotkey lode1… --dry-run --json`,
		Args: cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey to stake on (required)")
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rao, err := parseTAO(args[0], "the amount of TAO")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		prepare := func(ctx context.Context, c *client.Client, coldkey string, slippage uint32) (order, error) {
			t, err := c.QuoteStake(ctx, id, rao, slippage)
			if err != nil {
				return order{}, err
			}
			v, err := newTradeJSON(t, true)
			return order{[]tradeJSON{v}, &alphatypes.MsgStake{Coldkey: coldkey, Hotkey: hot, Netuid: id, Tao: rao, LimitPrice: t.LimitPrice, AllowPartial: f.partial}}, err
		}
		return deal(cmd, &f, prepare, func(r *client.TxResult, tx dealJSON) (any, string, error) {
			a, err := client.Response[*alphatypes.MsgStakeResponse](r)
			if err != nil {
				return nil, "", err
			}
			v := struct {
				Netuid   uint32 `json:"netuid"`
				Hotkey   string `json:"hotkey"`
				Spent    uint64 `json:"tao_spent_rao,string"`
				Staked   uint64 `json:"alpha_staked,string"`
				TradeFee uint64 `json:"trade_fee_rao,string"` // part of what was spent
				dealJSON
			}{id, hot, a.TaoSpent, a.AlphaStaked, a.Fee, tx}
			return v, fmt.Sprintf("staked %s alpha for %s TAO", client.FormatAlpha(v.Staked), client.FormatTAO(v.Spent)), nil
		})
	}
	return cmd
}

func newStakeRemoveCommand() *cobra.Command {
	var f tradeFlags
	cmd := &cobra.Command{
		Use:   "remove ALPHA|all",
		Short: "Sell staked alpha for TAO",
		Example: `  lode stake remove 2.5 --netuid 1 --hotkey miner-1-hot
  lode stake remove all --netuid 1 --hotkey miner-1-hot --from miner-1`,
		Args: cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey that the alpha is staked on (required)")
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		if args[0] == "all" {
			return unstakeAll(cmd, &f, hot, []uint32{id})
		}
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		prepare := func(ctx context.Context, c *client.Client, coldkey string, slippage uint32) (order, error) {
			if err := enough(ctx, c, coldkey, hot, id, alpha); err != nil {
				return order{}, err
			}
			t, err := c.QuoteUnstake(ctx, id, alpha, slippage)
			if err != nil {
				return order{}, err
			}
			v, err := newTradeJSON(t, false)
			return order{[]tradeJSON{v}, &alphatypes.MsgUnstake{Coldkey: coldkey, Hotkey: hot, Netuid: id, Alpha: alpha, LimitPrice: t.LimitPrice, AllowPartial: f.partial}}, err
		}
		return deal(cmd, &f, prepare, func(r *client.TxResult, tx dealJSON) (any, string, error) {
			a, err := client.Response[*alphatypes.MsgUnstakeResponse](r)
			if err != nil {
				return nil, "", err
			}
			v := struct {
				Netuid   uint32 `json:"netuid"`
				Hotkey   string `json:"hotkey"`
				Sold     uint64 `json:"alpha_sold,string"`
				Received uint64 `json:"tao_received_rao,string"`
				TradeFee uint64 `json:"trade_fee_alpha,string"` // part of what was sold
				dealJSON
			}{id, hot, a.AlphaSold, a.TaoReceived, a.Fee, tx}
			return v, fmt.Sprintf("sold %s alpha for %s TAO", client.FormatAlpha(v.Sold), client.FormatTAO(v.Received)), nil
		})
	}
	return cmd
}

func newUnstakeAllCommand() *cobra.Command {
	var (
		f       tradeFlags
		netuids []uint
	)
	cmd := &cobra.Command{
		Use:   "unstake-all",
		Short: "Sell everything staked on a hotkey, in all subnets or those listed",
		Example: `  lode stake unstake-all --hotkey miner-1-hot --from miner-1
  lode stake unstake-all --hotkey miner-1-hot --netuid 1,2 --tolerance 10%`,
		Args: cobra.NoArgs,
	}
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey (required)")
	cmd.Flags().UintSliceVar(&netuids, "netuid", nil, "only in these subnets")
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		hot, err := globalsOf(cmd).hotkeyAddress(cmd.Context(), *hotkey)
		if err != nil {
			return err
		}
		ids := make([]uint32, len(netuids))
		for i, n := range netuids {
			if ids[i], err = parseNetuid(fmt.Sprint(n)); err != nil {
				return err
			}
		}
		return unstakeAll(cmd, &f, hot, ids)
	}
	return cmd
}

// unstakeAll sells all that the coldkey has on a hotkey, in the subnets given or in all.
func unstakeAll(cmd *cobra.Command, f *tradeFlags, hot string, only []uint32) error {
	prepare := func(ctx context.Context, c *client.Client, coldkey string, slippage uint32) (order, error) {
		stakes, err := stakesOn(ctx, c, coldkey, hot, only)
		if err != nil {
			return order{}, err
		}
		msg := &alphatypes.MsgUnstakeAll{Coldkey: coldkey, Hotkey: hot, AllowPartial: f.partial}
		o := order{msg: msg}
		for _, s := range stakes {
			t, err := c.QuoteUnstake(ctx, s.Netuid, s.Alpha, slippage)
			if err != nil {
				return order{}, err
			}
			v, err := newTradeJSON(t, false)
			if err != nil {
				return order{}, err
			}
			o.trades = append(o.trades, v)
			msg.Subnets = append(msg.Subnets, alphatypes.SubnetLimit{Netuid: s.Netuid, LimitPrice: t.LimitPrice})
		}
		return o, nil
	}
	return deal(cmd, f, prepare, func(r *client.TxResult, tx dealJSON) (any, string, error) {
		a, err := client.Response[*alphatypes.MsgUnstakeAllResponse](r)
		if err != nil {
			return nil, "", err
		}
		v := struct {
			Hotkey   string `json:"hotkey"`
			Received uint64 `json:"tao_received_rao,string"`
			dealJSON
		}{hot, a.TaoReceived, tx}
		return v, fmt.Sprintf("sold everything for %s TAO", client.FormatTAO(v.Received)), nil
	})
}

func newStakeSwapCommand() *cobra.Command {
	var (
		f  tradeFlags
		to uint
	)
	cmd := &cobra.Command{
		Use:   "swap ALPHA",
		Short: "Move stake to another subnet, through TAO: a sale and a purchase",
		Example: `  lode stake swap 5 --netuid 1 --hotkey miner-1-hot --to-netuid 2
  lode stake swap 5 --netuid 1 --hotkey miner-1-hot --to-netuid 2 --to-hotkey lode1…`,
		Args: cobra.ExactArgs(1),
	}
	netuid := netuidFlag(cmd)
	hotkey := hotkeyFlag(cmd, "hotkey", "the hotkey that the alpha is staked on (required)")
	cmd.Flags().UintVar(&to, "to-netuid", 0, "the subnet to stake in (required)")
	toHotkey := hotkeyFlag(cmd, "to-hotkey", "the hotkey to stake on (default: the same)")
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alpha, err := parseAlpha(args[0], "the amount of alpha")
		if err != nil {
			return err
		}
		id, hot, err := target(cmd, netuid, *hotkey)
		if err != nil {
			return err
		}
		toID, err := parseNetuid(fmt.Sprint(to))
		if err != nil {
			return fail(codeUsage, "`lode subnet list` shows the subnets", "--to-netuid: %w", err)
		}
		if toID == id {
			return fail("bad_value", "within a subnet `lode stake move` moves it to another hotkey, without a trade", "it is in subnet %d already", id)
		}
		toHot := hot
		if *toHotkey != "" {
			if toHot, err = globalsOf(cmd).hotkeyAddress(cmd.Context(), *toHotkey); err != nil {
				return err
			}
		}
		prepare := func(ctx context.Context, c *client.Client, coldkey string, slippage uint32) (order, error) {
			if err := enough(ctx, c, coldkey, hot, id, alpha); err != nil {
				return order{}, err
			}
			sale, err := c.QuoteUnstake(ctx, id, alpha, slippage)
			if err != nil {
				return order{}, err
			}
			purchase, err := c.QuoteStake(ctx, toID, sale.Received, slippage)
			if err != nil {
				return order{}, err
			}
			purchase.Worst = purchase.WorstWith(min(sale.Worst, sale.Received))
			sell, err := newTradeJSON(sale, false)
			if err != nil {
				return order{}, err
			}
			buy, err := newTradeJSON(purchase, true)
			return order{[]tradeJSON{sell, buy}, &alphatypes.MsgSwapStake{
				Coldkey: coldkey, FromHotkey: hot, FromNetuid: id, ToHotkey: toHot, ToNetuid: toID, Alpha: alpha,
				SellLimitPrice: sale.LimitPrice, BuyLimitPrice: purchase.LimitPrice, AllowPartial: f.partial,
			}}, err
		}
		return deal(cmd, &f, prepare, func(r *client.TxResult, tx dealJSON) (any, string, error) {
			a, err := client.Response[*alphatypes.MsgSwapStakeResponse](r)
			if err != nil {
				return nil, "", err
			}
			v := struct {
				Netuid   uint32 `json:"netuid"`
				ToNetuid uint32 `json:"to_netuid"`
				Sold     uint64 `json:"alpha_sold,string"`
				Through  uint64 `json:"through_rao,string"`
				Staked   uint64 `json:"alpha_staked,string"`
				dealJSON
			}{id, toID, a.AlphaSold, a.Tao, a.AlphaStaked, tx}
			return v, fmt.Sprintf("sold %s alpha of subnet %d for %s TAO, which staked %s alpha of subnet %d",
				client.FormatAlpha(v.Sold), id, client.FormatTAO(v.Through), client.FormatAlpha(v.Staked), toID), nil
		})
	}
	return cmd
}
