package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

func newHotkeySwapCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "swap HOTKEY NEW_HOTKEY",
		Short: "Give all that a hotkey has to a new one of the same coldkey, for 0.1 TAO",
		Long: `Moves a hotkey's uids, stakes, weights, bonds, permits and open commits to another hotkey of the same coldkey, which must
be in the wallet and unused; it is bound first if it isn't. Do it when a machine may have lost the key: the old one holds
nothing afterwards. A hotkey that operates a chain validator can't be swapped.`,
		Example: `  lode wallet create miner-4b --kind hotkey
  lode hotkey swap miner-4 miner-4b --from alice`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			old, err := g.hotkeyAddress(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				cold, hot, err := g.pair(ctx, args[1])
				if err != nil {
					return err
				}
				owner, err := c.ColdkeyOf(ctx, old)
				if err != nil {
					return err
				}
				if owner != cold.Address() {
					return fail("bound_elsewhere", "name its coldkey with --from", "%s does not work for %s", args[0], cold.Address())
				}
				r, err := c.SendBound(ctx, cold, hot, &subnetstypes.MsgSwapHotkey{Coldkey: cold.Address(), Hotkey: old, NewHotkey: hot.Address()})
				if err != nil {
					return err
				}
				answer, err := client.Response[*subnetstypes.MsgSwapHotkeyResponse](r)
				if err != nil {
					return err
				}
				v := struct {
					Hotkey    string   `json:"hotkey"`
					NewHotkey string   `json:"new_hotkey"`
					Netuids   []uint32 `json:"netuids"` // where it is registered
					txJSON
				}{old, hot.Address(), append([]uint32{}, answer.Netuids...), newTxJSON(r)}
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "%s has all that %s had%s\n", args[1], args[0], registeredIn(v.Netuids))
					v.write(w)
				})
			})
		},
	}
}

func newColdkeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "coldkey",
		Short: "Coldkeys on chain: move everything to a new one, and the recovery key that decides about it",
		Long: `A coldkey that may be known to somebody else can be left: a swap moves its balance, its stakes, its hotkeys, and the channels
and plans that it pays, to a new coldkey; what it had allowed to others stays behind. It is announced for 0.1 TAO, and executed some
days later (5 on mainnet); until then the coldkey can do nothing else. Since owner and thief hold the same key, name a recovery key
in good time: once it is in force it alone decides, and can also move everything at once. Without one, ` + "`lode coldkey dispute`" + `
cancels an announcement that you did not make.`,
		Example: `  lode coldkey recovery paper-key --from alice
  lode coldkey swap alice-new --from alice
  lode coldkey show alice`,
	}
	cmd.AddCommand(newColdkeyShowCommand(), newColdkeyRecoveryCommand(), newColdkeySwapCommand(), newColdkeyDisputeCommand(), newColdkeyDecideCommand())
	return cmd
}

// coldkeyJSON is what is pending about a coldkey; null: nothing.
type coldkeyJSON struct {
	Coldkey string `json:"coldkey"`
	Swap    *struct {
		NewColdkey      string `json:"new_coldkey"`
		AnnouncedHeight int64  `json:"announced_height"`
		DueHeight       int64  `json:"due_height"`
		DueTime         string `json:"due_time"`
		Executing       bool   `json:"executing"`
	} `json:"swap"`
	Recovery     *string `json:"recovery"`      // the key in force
	NextRecovery *string `json:"next_recovery"` // takes effect later
	NextHeight   *int64  `json:"next_recovery_height"`
	NextTime     *string `json:"next_recovery_time"`
	BarredHeight *int64  `json:"barred_until_height"` // no swap can be announced before
	BarredTime   *string `json:"barred_until_time"`
}

func newColdkeyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [COLDKEY]",
		Short: "Show a coldkey's announced swap, recovery key and bar (that of --from unless given)",
		Example: `  lode coldkey show alice
  lode coldkey show alice --json | jq .swap`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				r, err := c.Alpha().ColdkeySwap(ctx, &alphatypes.QueryColdkeySwapRequest{Coldkey: addr})
				if err != nil {
					return err
				}
				v := newColdkeyJSON(addr, r)
				return output(cmd, v, func(w io.Writer) { v.write(w, g.names(ctx)) })
			})
		},
	}
}

func newColdkeyJSON(coldkey string, r *alphatypes.QueryColdkeySwapResponse) coldkeyJSON {
	v := coldkeyJSON{Coldkey: coldkey}
	later := func(height, seconds int64) (*int64, *string) {
		t := rfc3339(seconds)
		return &height, &t
	}
	if s := r.Swap; s != nil {
		v.Swap = &struct {
			NewColdkey      string `json:"new_coldkey"`
			AnnouncedHeight int64  `json:"announced_height"`
			DueHeight       int64  `json:"due_height"`
			DueTime         string `json:"due_time"`
			Executing       bool   `json:"executing"`
		}{s.NewColdkey, s.AnnouncedHeight, s.DueHeight, rfc3339(s.DueTime), s.Executing}
	}
	if r.Recovery != nil {
		if r.Recovery.Key != "" {
			v.Recovery = &r.Recovery.Key
		}
		if r.Recovery.DueHeight != 0 {
			v.NextRecovery = &r.Recovery.Next
			v.NextHeight, v.NextTime = later(r.Recovery.DueHeight, r.Recovery.DueTime)
		}
	}
	if r.Bar != nil {
		v.BarredHeight, v.BarredTime = later(r.Bar.UntilHeight, r.Bar.UntilTime)
	}
	return v
}

func (v *coldkeyJSON) write(w io.Writer, names map[string]string) {
	swap, recovery, bar := "none announced", "none in force", "no"
	if s := v.Swap; s != nil {
		swap = fmt.Sprintf("to %s, due at block %d and %s", displayKey(s.NewColdkey, names), s.DueHeight, s.DueTime)
		if s.Executing {
			swap = fmt.Sprintf("to %s, being executed", displayKey(s.NewColdkey, names))
		}
	}
	if v.Recovery != nil {
		recovery = fullKey(*v.Recovery, names)
	}
	if v.NextRecovery != nil {
		next := "none"
		if *v.NextRecovery != "" {
			next = displayKey(*v.NextRecovery, names)
		}
		recovery += fmt.Sprintf("; %s from block %d and %s on", next, *v.NextHeight, *v.NextTime)
	}
	if v.BarredHeight != nil {
		bar = fmt.Sprintf("no swap before block %d and %s", *v.BarredHeight, *v.BarredTime)
	}
	facts(w, "coldkey", fullKey(v.Coldkey, names), "swap", swap, "recovery key", recovery, "barred", bar)
}

// recoveryFees are what a recovery key should have for some decisions, in rao: one costs
// about a thousand.
const recoveryFees = 100_000

func newColdkeyRecoveryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "recovery KEY|none",
		Short: "Name the key that decides about swaps of the coldkey of --from, after a delay",
		Long:  "The recovery key should lie where no thief of the coldkey finds it: on paper, or with somebody you trust. It can do nothing but decide about swaps. Send it a little TAO now for the fees of that: the coldkey can send nothing once a swap is announced.",
		Example: `  lode coldkey recovery lode1… --from alice
  lode coldkey recovery none --from alice`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var key string
			if args[0] != "none" {
				var err error
				if key, err = globalsOf(cmd).address(cmd.Context(), args[0]); err != nil {
					return err
				}
			}
			g := globalsOf(cmd)
			return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
				payer, err := g.payer(ctx)
				if err != nil {
					return err
				}
				note := ""
				if key != "" {
					rao, err := c.Balance(ctx, key)
					if err != nil {
						return err
					}
					if rao < recoveryFees {
						note = fmt.Sprintf("\nit has %s TAO, and pays for what it decides: `lode send %s 0.01 --from %s`, since the coldkey can send nothing once a swap is announced", client.FormatTAO(rao), args[0], g.from)
					}
				}
				return send(ctx, cmd, c, []*wallet.Signer{payer}, &alphatypes.MsgSetRecoveryKey{Coldkey: payer.Address(), Recovery: key}, func(r *client.TxResult) (string, error) {
					answer, err := client.Response[*alphatypes.MsgSetRecoveryKeyResponse](r)
					if err != nil {
						return "", err
					}
					if answer.DueHeight == 0 { // back to what is in force
						return fmt.Sprintf("the change that waited is taken back: the recovery key stays %s%s", args[0], note), nil
					}
					return fmt.Sprintf("the recovery key is %s from block %d and %s on%s", args[0], answer.DueHeight, rfc3339(answer.DueTime), note), nil
				})
			})
		},
	}
}

func newColdkeySwapCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "swap NEW_COLDKEY",
		Short:   "Announce that all that the coldkey of --from has moves to a new one; it locks the coldkey until then",
		Example: "  lode coldkey swap alice-new --from alice",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := globalsOf(cmd).address(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return signAndSendFor(cmd, func(coldkey string) sdk.Msg {
				return &alphatypes.MsgAnnounceColdkeySwap{Coldkey: coldkey, NewColdkey: to}
			}, func(r *client.TxResult) (string, error) {
				answer, err := client.Response[*alphatypes.MsgAnnounceColdkeySwapResponse](r)
				if err != nil {
					return "", err
				}
				return fmt.Sprintf("everything moves to %s when block %d and %s have passed; until then the coldkey does nothing else", args[0], answer.DueHeight, rfc3339(answer.DueTime)), nil
			})
		},
	}
}

func newColdkeyDisputeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "dispute",
		Short:   "Cancel an announced swap of the coldkey of --from, where no recovery key is in force",
		Long:    "Cancels the announcement; for a while (30 days on mainnet) no other can be made. Use the time: move what can be moved.",
		Example: "  lode coldkey dispute --from alice",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return signAndSend(cmd, func(coldkey string) sdk.Msg { return &alphatypes.MsgDisputeColdkeySwap{Coldkey: coldkey} }, "the announcement is cancelled")
		},
	}
}

func newColdkeyDecideCommand() *cobra.Command {
	var to string
	var cancel bool
	cmd := &cobra.Command{
		Use:   "decide COLDKEY",
		Short: "The recovery key's word about a coldkey: cancel what is announced, or move everything at once",
		Long:  "The recovery key, named by --from, cancels an announced swap and a waiting change of the recovery key (--cancel), or moves all that the coldkey has at once (--to).",
		Example: `  lode coldkey decide alice --cancel --from paper-key
  lode coldkey decide alice --to alice-new --from paper-key`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&to, "to", "", "the new coldkey: an address, or a name in the wallet")
	cmd.Flags().BoolVar(&cancel, "cancel", false, "cancel what is announced")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		if cancel == (to != "") {
			return fail(codeUsage, "see `lode coldkey decide --help`", "give --cancel or --to")
		}
		coldkey, err := g.address(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		done := "what was announced is cancelled"
		if to != "" {
			done = fmt.Sprintf("everything moves to %s", to)
			if to, err = g.address(cmd.Context(), to); err != nil {
				return err
			}
		}
		return signAndSend(cmd, func(recovery string) sdk.Msg {
			return &alphatypes.MsgDecideColdkeySwap{Recovery: recovery, Coldkey: coldkey, NewColdkey: to}
		}, done)
	}
	return cmd
}

// registeredIn names the subnets in which a swapped hotkey goes on.
func registeredIn(netuids []uint32) string {
	if len(netuids) == 0 {
		return "; it is registered in no subnet"
	}
	return fmt.Sprintf("; in subnet %s it must publish its endpoints anew", strings.Trim(strings.ReplaceAll(fmt.Sprint(netuids), " ", ", "), "[]"))
}
