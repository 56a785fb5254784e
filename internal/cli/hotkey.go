package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// takeUnit is a whole take: the chain counts per 10^6.
const takeUnit = 1_000_000

func newHotkeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hotkey",
		Short: "Hotkeys on chain: bind one to its coldkey, its take, children, destination and successor",
		Long: `A hotkey works for one coldkey: it is bound to it once, for ever, by a transaction that both sign. Registering,
creating a subnet, mining and validating bind by themselves.`,
		Example: `  lode hotkey bind miner-4
  lode hotkey show miner-4
  lode hotkey take validator-1-hot 9% --from validator-1`,
	}
	cmd.AddCommand(newHotkeyBindCommand(), newHotkeyShowCommand(), newHotkeyListCommand(), newHotkeyTakeCommand(),
		newHotkeyChildrenCommand(), newHotkeyChildkeyTakeCommand(), newHotkeyDestinationCommand(), newHotkeySwapCommand())
	return cmd
}

type hotkeyJSON struct {
	Hotkey      string  `json:"hotkey"`
	Coldkey     string  `json:"coldkey"`
	Take        float64 `json:"take"` // of nominators' dividends, 0 to 1
	BoundHeight int64   `json:"bound_height"`
	Destination string  `json:"destination"` // the hotkey that gets its incentive
}

func newHotkeyJSON(h alphatypes.Hotkey) hotkeyJSON {
	v := hotkeyJSON{h.Hotkey, h.Coldkey, float64(h.Take) / takeUnit, h.BoundHeight, h.Destination}
	if v.Destination == "" {
		v.Destination = h.Hotkey
	}
	return v
}

func newHotkeyBindCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bind HOTKEY",
		Short: "Bind a hotkey of the wallet to the coldkey of --from, for ever",
		Example: `  lode hotkey bind miner-4
  lode hotkey bind miner-4 --from alice`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				cold, hot, err := g.pair(ctx, args[0])
				if err != nil {
					return err
				}
				if bound, err := c.IsBound(ctx, cold.Address(), hot.Address()); err != nil {
					return err
				} else if bound {
					return fail("already_bound", "there is nothing to do", "%s is bound to %s already", args[0], cold.Address())
				}
				r, err := c.SendBound(ctx, cold, hot)
				if err != nil {
					return err
				}
				v := struct {
					Hotkey  string `json:"hotkey"`
					Coldkey string `json:"coldkey"`
					txJSON
				}{hot.Address(), cold.Address(), newTxJSON(r)}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "%s works for %s\n", displayKey(v.Hotkey, g.names(ctx)), displayKey(v.Coldkey, g.names(ctx)))
					v.write(w)
				})
			})
		},
	}
}

func newHotkeyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show HOTKEY",
		Short:   "Show whom a hotkey works for, and its take",
		Example: "  lode hotkey show validator-1-hot",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.address(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Alpha().Hotkey(ctx, &alphatypes.QueryHotkeyRequest{Hotkey: addr})
				if err != nil {
					return err
				}
				v := newHotkeyJSON(r.Hotkey)
				return output(cmd, v, func(w io.Writer) {
					facts(w, "hotkey", fullKey(v.Hotkey, g.names(ctx)), "coldkey", fullKey(v.Coldkey, g.names(ctx)),
						"take", percentText(v.Take), "incentive to", fullKey(v.Destination, g.names(ctx)), "bound", fmt.Sprintf("at block %d", v.BoundHeight))
				})
			})
		},
	}
}

func newHotkeyListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [COLDKEY]",
		Short: "List the hotkeys that work for a coldkey (that of --from unless given)",
		Example: `  lode hotkey list
  lode hotkey list validator-1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list := []hotkeyJSON{}
				t := newColumns("hotkey", ">take", ">bound at")
				names := g.names(ctx)
				for req := (&alphatypes.QueryHotkeysRequest{Coldkey: addr}); ; {
					r, err := c.Alpha().Hotkeys(ctx, req)
					if err != nil {
						return err
					}
					for _, h := range r.Hotkeys {
						v := newHotkeyJSON(h)
						list = append(list, v)
						t.add(displayKey(v.Hotkey, names), percentText(v.Take), fmt.Sprint(v.BoundHeight))
					}
					if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
						break
					}
				}
				return output(cmd, list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintf(w, "no hotkey works for %s: `lode hotkey bind` binds one\n", displayKey(addr, names))
						return
					}
					t.write(w)
				})
			})
		},
	}
}

func newHotkeyTakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "take HOTKEY PERCENT",
		Short: "Set a hotkey's take of its nominators' dividends; its coldkey",
		Long:  "Sets the part of its nominators' dividends that a hotkey keeps, 0 to 18 %. Lowering is free, raising is possible once in 30 days.",
		Example: `  lode hotkey take validator-1-hot 9% --from validator-1
  lode hotkey take validator-1-hot 12.5 --from validator-1`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.address(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			take, err := parsePercent(args[1], "the take", 100)
			if err != nil {
				return err
			}
			msg := &alphatypes.MsgSetTake{Hotkey: addr, Take: uint32(take*takeUnit + 0.5)}
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				cold, err := g.payer(ctx)
				if err != nil {
					return err
				}
				msg.Coldkey = cold.Address()
				r, err := c.Send(ctx, []*wallet.Signer{cold}, msg)
				if err != nil {
					return err
				}
				v := struct {
					Hotkey string  `json:"hotkey"`
					Take   float64 `json:"take"`
					txJSON
				}{addr, float64(msg.Take) / takeUnit, newTxJSON(r)}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "the take of %s is %s\n", displayKey(addr, g.names(ctx)), percentText(v.Take))
					v.write(w)
				})
			})
		},
	}
}

func percentText(f float64) string { return fmt.Sprintf("%.4g %%", 100*f) }

// pair opens the coldkey of --from and a hotkey of the wallet.
func (g *globals) pair(ctx context.Context, hotkey string) (cold, hot *wallet.Signer, err error) {
	k, err := g.workingKey(ctx, hotkey)
	if err != nil {
		return nil, nil, err
	}
	if cold, err = g.payer(ctx); err != nil {
		return nil, nil, err
	}
	hot, err = g.signer(ctx, k.Name)
	return cold, hot, err
}
