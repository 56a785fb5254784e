package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// openedJSON is a channel that was opened or topped up.
type openedJSON struct {
	ChannelID string `json:"channel_id"`
	Deposit   uint64 `json:"deposit_rao,string"` // all that was ever put in
	txJSON
}

func newOpenedJSON(o pay.Opened, tx txJSON) openedJSON {
	return openedJSON{hex.EncodeToString(o.ChannelID), o.Deposit, tx}
}

// withTx has the transaction of a call told.
func withTx(ctx context.Context) (context.Context, *txJSON) {
	tx := &txJSON{}
	return pay.WithReceipt(ctx, func(r pay.Receipt) { *tx = txJSON{r.Transaction, r.Height, r.FeeRao, orNull(r.LastBlock)} }), tx
}

// closeDelayFlag adds --close-delay.
func closeDelayFlag(cmd *cobra.Command) func() (int64, error) {
	s := cmd.Flags().String("close-delay", "1h", "how long the provider can redeem after you have asked to close; gateways ask for an hour or more")
	return func() (int64, error) { return parsePeriod(*s, "--close-delay") }
}

// anotherFlag adds --another; without it one channel is opened where there is none.
func anotherFlag(cmd *cobra.Command) func(ctx context.Context, c *client.Client, b *books, p purse, o pay.OpenOptions) error {
	another := cmd.Flags().Bool("another", false, "open one beside a channel that is open for the same")
	return func(ctx context.Context, c *client.Client, b *books, p purse, o pay.OpenOptions) error {
		if *another {
			return nil
		}
		open, own, err := b.channels(ctx, c, p)
		if err != nil {
			return err
		}
		return alreadyOpen(open, own, o)
	}
}

// alreadyOpen tells of a channel that pays the same already.
func alreadyOpen(open []markettypes.Channel, own []pay.ClientChannel, o pay.OpenOptions) error {
	for i := range open {
		c := &open[i]
		mine := slices.IndexFunc(own, func(m pay.ClientChannel) bool { return m.ID == hex.EncodeToString(c.Id) && m.Stopped == "" })
		if mine < 0 || c.ServiceId != o.ServiceID || c.PlanID() != o.PlanID || !goesOn(c) {
			continue
		}
		id := own[mine].ID[:12]
		hint := fmt.Sprintf("`lode pay top-up %s TAO` puts more into it, --another opens one beside it", id)
		if o.PlanID != 0 {
			return fail("already_open", hint, "channel %s pays plan %d of service %d already, until %s and on", id, o.PlanID, o.ServiceID, rfc3339(c.Subscription.PeriodEnd))
		}
		left := c.Deposit - min(c.Deposit, max(c.Claimed, own[mine].Charged))
		return fail("already_open", hint, "channel %s to service %d is open, with %s TAO left", id, o.ServiceID, client.FormatTAO(left))
	}
	return nil
}

func newPayOpenCommand() *cobra.Command {
	var deposit string
	cmd := &cobra.Command{
		Use:   "open SERVICE",
		Short: "Open a channel to a service, with a deposit",
		Long: `Puts a deposit into a new channel to a service. What pays by these books then spends it, a voucher a request, without
transactions; the rest comes back with ` + "`lode pay close`" + `. One channel does for a service: ` + "`lode pay top-up`" + ` puts more into it.`,
		Example: `  lode pay open 3 --deposit 1
  lode pay open 3 --deposit 1 --payer lode1… --from agent`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&deposit, "deposit", "", "TAO to put in (required)")
	delay := closeDelayFlag(cmd)
	check := anotherFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := pay.OpenOptions{}
		var err error
		if o.ServiceID, err = parseService(args[0]); err != nil {
			return err
		}
		if deposit == "" {
			return fail(codeUsage, "see `lode pay open --help`", "give --deposit")
		}
		if o.Deposit, err = parseTAO(deposit, "--deposit"); err != nil {
			return err
		}
		if o.CloseDelay, err = delay(); err != nil {
			return err
		}
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		return b.withPurse(cmd.Context(), func(ctx context.Context, c *client.Client, p purse) error {
			if err := check(ctx, c, b, p, o); err != nil {
				return err
			}
			ctx, tx := withTx(ctx)
			r, err := p.Open(ctx, o)
			if err != nil {
				return err
			}
			v := newOpenedJSON(r, *tx)
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "channel %s to service %d holds %s TAO\n", v.ChannelID, o.ServiceID, client.FormatTAO(v.Deposit))
				v.write(w)
			})
		})
	}
	return cmd
}

func newPaySubscribeCommand() *cobra.Command {
	var plan, deposit, most string
	periods := 1
	cmd := &cobra.Command{
		Use:   "subscribe SERVICE",
		Short: "Subscribe to a plan of a service",
		Long: `Opens a channel that pays a plan: its price for the first period now, for each later one when it begins, out of what is left of
the deposit. It ends when that does not reach, or by ` + "`lode pay cancel`" + `. Top it up to keep it.`,
		Example: `  lode pay subscribe 3
  lode pay subscribe 3 --plan monthly --periods 12 --max-price 2`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&plan, "plan", "", "the plan's number or its name (default: the only one)")
	f.IntVar(&periods, "periods", periods, "deposit the price of so many periods")
	f.StringVar(&deposit, "deposit", "", "TAO to put in (default: the price of --periods)")
	f.StringVar(&most, "max-price", "", "most TAO a period (default: what it costs now)")
	delay := closeDelayFlag(cmd)
	check := anotherFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := pay.OpenOptions{}
		var err error
		if o.ServiceID, err = parseService(args[0]); err != nil {
			return err
		}
		if periods < 1 || periods > 10_000 {
			return fail(codeUsage, "give 1 to 10000", "--periods %d can't be", periods)
		}
		if deposit != "" {
			if o.Deposit, err = parseTAO(deposit, "--deposit"); err != nil {
				return err
			}
		}
		if most != "" {
			if o.MaxPrice, err = parseTAO(most, "--max-price"); err != nil {
				return err
			}
		}
		if o.CloseDelay, err = delay(); err != nil {
			return err
		}
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		return b.withPurse(cmd.Context(), func(ctx context.Context, c *client.Client, p purse) error {
			s, err := service(ctx, c, o.ServiceID)
			if err != nil {
				return err
			}
			chosen, err := s.plan(plan)
			if err != nil {
				return err
			}
			o.PlanID = chosen.ID
			switch {
			case o.MaxPrice == 0:
				o.MaxPrice = chosen.PriceRao
			case chosen.PriceRao > o.MaxPrice:
				return fail("too_dear", "raise --max-price", "plan %d costs %s TAO a period, more than --max-price %s", chosen.ID, client.FormatTAO(chosen.PriceRao), most)
			}
			if o.Deposit == 0 {
				if chosen.PriceRao > maxRao/uint64(periods) {
					return fail("bad_amount", "give fewer --periods", "%d periods cost more TAO than there can ever be", periods)
				}
				o.Deposit = chosen.PriceRao * uint64(periods)
			}
			if err := check(ctx, c, b, p, o); err != nil {
				return err
			}
			ctx, tx := withTx(ctx)
			r, err := p.Open(ctx, o)
			if err != nil {
				return err
			}
			v := struct {
				openedJSON
				PlanID uint64 `json:"plan_id,string"`
			}{newOpenedJSON(r, *tx), chosen.ID}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "channel %s pays plan %d (%s): %s TAO for %s in %s, out of %s TAO\n", v.ChannelID, chosen.ID, plain(chosen.Name),
					client.FormatTAO(chosen.PriceRao), unitsText(chosen.Quota, s.unit), periodText(chosen.PeriodSeconds), client.FormatTAO(v.Deposit))
				v.write(w)
			})
		})
	}
	return cmd
}

// plan finds an offered plan by its number or name; the only one where none is named.
func (v *serviceJSON) plan(want string) (planJSON, error) {
	hint := fmt.Sprintf("`lode market show %d` shows the plans", v.ID)
	var found []planJSON
	for _, p := range v.Plans {
		if want == "" || p.Name == want || strconv.FormatUint(p.ID, 10) == want {
			found = append(found, p)
		}
	}
	switch {
	case len(v.Plans) == 0:
		return planJSON{}, fail("not_found", fmt.Sprintf("`lode pay open %d` pays it by use", v.ID), "service %d offers no plan", v.ID)
	case len(found) == 0:
		return planJSON{}, fail("not_found", hint, "service %d offers no plan %q", v.ID, want)
	case len(found) > 1:
		return planJSON{}, fail(codeUsage, hint, "service %d offers %d plans: say which with --plan NUMBER", v.ID, len(found))
	}
	return found[0], nil
}

func newPayTopUpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "top-up CHANNEL TAO",
		Short: "Put more into a channel",
		Long: `Puts more into a channel of these books. The first digits of its id will do, eight or more; or the number of the service
that it pays, where that has one channel.`,
		Example: `  lode pay top-up 3 0.5
  lode pay top-up 3f9a01c2 0.5`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			rao, err := parseTAO(args[1], "the amount")
			if err != nil {
				return err
			}
			return withChannel(cmd, args[0], func(c *markettypes.Channel, known bool) bool { return known && goesOn(c) }, func(ctx context.Context, p purse, id []byte) error {
				ctx, tx := withTx(ctx)
				r, err := p.TopUp(ctx, id, rao)
				if err != nil {
					return err
				}
				v := newOpenedJSON(r, *tx)
				return output(cmd, v, func(w io.Writer) {
					fmt.Fprintf(w, "%s TAO more are in channel %s, %s in all\n", client.FormatTAO(rao), v.ChannelID, client.FormatTAO(v.Deposit))
					v.write(w)
				})
			})
		},
	}
}

// goesOn says whether a channel neither closes nor ends with its period.
func goesOn(c *markettypes.Channel) bool {
	return !c.Closing() && (c.Subscription == nil || !c.Subscription.Cancelled)
}

func newPayCloseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "close CHANNEL",
		Short: "Close a channel: what is left of its deposit comes back",
		Long: `The payer's close takes effect after the channel's delay, in which the provider redeems what it was promised; nothing more is
paid with it. A provider's, with its whole id and the provider's key as --from, takes effect at once: it redeems first.
The first digits of the channel's id will do, eight or more; or the number of the service that it pays, where that has one
channel that isn't ending already.`,
		Example: `  lode pay close 3
  lode pay close 3f9a01c2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withChannel(cmd, args[0], func(c *markettypes.Channel, _ bool) bool { return goesOn(c) }, func(ctx context.Context, p purse, id []byte) error {
				ctx, tx := withTx(ctx)
				r, err := p.CloseChannel(ctx, id)
				if err != nil {
					return err
				}
				v := struct {
					ChannelID     string  `json:"channel_id"`
					ClosingTime   *string `json:"closing_time"` // RFC 3339; both null: it is closed
					ClosingHeight *int64  `json:"closing_height"`
					Refunded      uint64  `json:"refunded_rao,string"`
					txJSON
				}{ChannelID: hex.EncodeToString(id), ClosingHeight: orNull(r.ClosingHeight), Refunded: r.Refunded, txJSON: *tx}
				if r.ClosingTime != 0 {
					at := rfc3339(r.ClosingTime)
					v.ClosingTime = &at
				}
				return output(cmd, v, func(w io.Writer) {
					if v.ClosingTime == nil {
						fmt.Fprintf(w, "channel %s is closed, %s TAO went back to its payer\n", v.ChannelID, client.FormatTAO(v.Refunded))
					} else {
						fmt.Fprintf(w, "channel %s closes when %s and block %d have passed; what its provider has not claimed by then comes back\n", v.ChannelID, *v.ClosingTime, r.ClosingHeight)
					}
					v.write(w)
				})
			})
		},
	}
}

func newPayCancelCommand() *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:   "cancel CHANNEL",
		Short: "Let a subscription end",
		Long: `Without --now the plan goes on to the end of the period that is paid. With --now it ends after the channel's close delay, and of
the period's price the part comes back that is neither past nor used. The first digits of the channel's id will do, eight or
more; or the number of the service, where one plan of it is subscribed to.`,
		Example: `  lode pay cancel 3
  lode pay cancel 3f9a01c2 --now`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&now, "now", false, "end it after the close delay, for a part of the price")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plans := func(c *markettypes.Channel, _ bool) bool {
			return c.Subscription != nil && !c.Closing() && (now || !c.Subscription.Cancelled)
		}
		return withChannel(cmd, args[0], plans, func(ctx context.Context, p purse, id []byte) error {
			ctx, tx := withTx(ctx)
			r, err := p.CancelPlan(ctx, id, now)
			if err != nil {
				return err
			}
			v := struct {
				ChannelID string `json:"channel_id"`
				Ends      string `json:"ends"` // RFC 3339
				txJSON
			}{hex.EncodeToString(id), rfc3339(r.Ends), *tx}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "the plan of channel %s ends at %s\n", v.ChannelID, v.Ends)
				v.write(w)
			})
		})
	}
	return cmd
}
