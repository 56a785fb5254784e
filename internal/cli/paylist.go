package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// leastPrefix is how many digits of a channel's id name it; what has fewer is the number
// of a service.
const leastPrefix = 8

// withChannel opens the books to spend, and finds a channel by its id, by its first
// digits, or by the service that it pays: where that has several, fits says which of
// them can be meant. known are the channels of these books, by id.
func withChannel(cmd *cobra.Command, want string, fits func(c *markettypes.Channel, known bool) bool, f func(ctx context.Context, p purse, id []byte) error) error {
	want = strings.ToLower(want)
	if !hexadecimal(want) || len(want) > 64 || len(want) < leastPrefix && strings.Trim(want, "0123456789") != "" {
		return fail(codeUsage, "`lode pay list` shows the channels", "%q is no channel: give its id, its first %d digits or more, or the number of the service that it pays", plain(want), leastPrefix)
	}
	b, err := booksOf(cmd)
	if err != nil {
		return err
	}
	return b.withPurse(cmd.Context(), func(ctx context.Context, c *client.Client, p purse) error {
		if len(want) < 64 {
			open, own, err := b.channels(ctx, c, p)
			if err != nil {
				return err
			}
			if want, err = channelNamed(open, want, func(c *markettypes.Channel) bool { return fits(c, inBooks(own, c)) }); err != nil {
				return err
			}
		}
		id, err := pay.ParseChannelID(want)
		if err != nil {
			return err
		}
		return f(ctx, p, id)
	})
}

func hexadecimal(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }

// inBooks says whether a channel is one of the books' own.
func inBooks(own []pay.ClientChannel, c *markettypes.Channel) bool {
	return slices.ContainsFunc(own, func(o pay.ClientChannel) bool { return o.ID == hex.EncodeToString(c.Id) })
}

// channelNamed is the one open channel that begins so; or, by a service's number, the
// one that fits.
func channelNamed(open []markettypes.Channel, want string, fits func(*markettypes.Channel) bool) (string, error) {
	var found []*markettypes.Channel
	what := "begins with " + want
	if len(want) < leastPrefix {
		what = "to service " + want + " is meant by that"
		id, err := parseService(want)
		if err != nil {
			return "", err
		}
		for i := range open {
			if c := &open[i]; c.ServiceId == id && fits(c) {
				found = append(found, c)
			}
		}
	} else {
		for i := range open {
			if c := &open[i]; strings.HasPrefix(hex.EncodeToString(c.Id), want) {
				found = append(found, c)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", fail("not_found", "`lode pay list` shows the channels that are open", "no open channel %s", what)
	case 1:
		return hex.EncodeToString(found[0].Id), nil
	}
	var names []string
	for _, c := range found[:min(len(found), 8)] {
		v := newChannelJSON(*c, nil)
		kind := "by use"
		if v.Plan != nil {
			kind = fmt.Sprintf("plan %d", v.Plan.ID)
		}
		names = append(names, fmt.Sprintf("%s (%s, %s TAO, %s)", v.ID[:12], kind, client.FormatTAO(v.Deposit), v.state()))
	}
	if len(found) > len(names) {
		names = append(names, "…")
	}
	return "", fail(codeUsage, "give the first digits of one", "%d channels can be meant by %s: %s", len(found), want, strings.Join(names, ", "))
}

// channels are all open channels of the payer's, and those that the books know.
func (b *books) channels(ctx context.Context, c *client.Client, p purse) (open []markettypes.Channel, own []pay.ClientChannel, err error) {
	if open, err = channels(ctx, c, &markettypes.QueryChannelsRequest{Payer: b.payer}); err != nil {
		return nil, nil, err
	}
	own, err = p.Channels(ctx)
	return open, own, err
}

// channels asks for open channels.
func channels(ctx context.Context, c *client.Client, req *markettypes.QueryChannelsRequest) ([]markettypes.Channel, error) {
	var list []markettypes.Channel
	for {
		r, err := c.Market().Channels(ctx, req)
		if err != nil {
			return nil, err
		}
		list = append(list, r.Channels...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return list, nil
		}
	}
}

// channelJSON is an open channel: what the chain says of it, and the books.
type channelJSON struct {
	ID            string            `json:"channel_id"`
	Payer         string            `json:"payer"`
	Agent         string            `json:"agent"`    // that opened it; empty: the payer itself
	Provider      string            `json:"provider"` // the hotkey's account
	Netuid        uint32            `json:"netuid"`
	ServiceID     uint64            `json:"service_id,string"`
	Deposit       uint64            `json:"deposit_rao,string"` // all that was ever put in
	Claimed       uint64            `json:"claimed_rao,string"` // of it, by the provider
	Charged       *uint64           `json:"charged,string"`     // by the books: rao, of a plan units; null: it isn't in them
	Stopped       string            `json:"stopped"`            // why the books pay nothing more with it; empty: they do
	CloseDelay    int64             `json:"close_delay_seconds"`
	OpenedHeight  int64             `json:"opened_height"`
	ClosingTime   *string           `json:"closing_time"` // RFC 3339; null: nobody has asked to close
	ClosingHeight *int64            `json:"closing_height"`
	Plan          *subscriptionJSON `json:"plan"` // null: it pays by use
}

// subscriptionJSON is the plan that a channel pays.
type subscriptionJSON struct {
	ID          uint64 `json:"id,string"`
	PriceRao    uint64 `json:"price_rao,string"` // a period
	Period      int64  `json:"period_seconds"`
	Quota       uint64 `json:"quota,string"`
	Used        uint64 `json:"used,string"` // of this period's quota, as far as the provider has said on chain
	PeriodStart string `json:"period_start"`
	PeriodEnd   string `json:"period_end"` // RFC 3339
	Cancelled   bool   `json:"cancelled"`  // it ends with this period
}

func newChannelJSON(c markettypes.Channel, own map[string]pay.ClientChannel) channelJSON {
	v := channelJSON{
		ID: hex.EncodeToString(c.Id), Payer: c.Payer, Agent: c.Spender, Provider: c.Provider, Netuid: c.Netuid, ServiceID: c.ServiceId,
		Deposit: c.Deposit, Claimed: c.Claimed, CloseDelay: c.CloseDelay, OpenedHeight: c.OpenedHeight, ClosingHeight: orNull(c.ClosingHeight),
	}
	if mine, ok := own[v.ID]; ok {
		v.Charged, v.Stopped = &mine.Charged, mine.Stopped
	}
	if c.Closing() {
		at := rfc3339(c.ClosingTime)
		v.ClosingTime = &at
	}
	if s := c.Subscription; s != nil {
		v.Plan = &subscriptionJSON{s.PlanId, s.Price, s.Period, s.Quota, s.Used - min(s.Used, s.UsedBefore), rfc3339(s.PeriodStart), rfc3339(s.PeriodEnd), s.Cancelled}
	}
	return v
}

// state says how a channel stands.
func (v *channelJSON) state() string {
	switch {
	case v.ClosingTime != nil:
		return fmt.Sprintf("closes %s, block %d", *v.ClosingTime, *v.ClosingHeight)
	case v.Stopped != "":
		return "stopped: " + plain(v.Stopped)
	case v.Plan != nil && v.Plan.Cancelled:
		return "ends " + v.Plan.PeriodEnd
	case v.Plan != nil:
		return "paid until " + v.Plan.PeriodEnd
	}
	return "open"
}

func newPayListCommand() *cobra.Command {
	var hotkey string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the open channels of a payer, or those that pay a hotkey",
		Example: `  lode pay list
  lode pay list --hotkey miner-1-hot
  lode pay list --json | jq -r '.[].channel_id'`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "those that pay this provider: an address, or a name in the wallet")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		req := &markettypes.QueryChannelsRequest{Payer: b.payer}
		if cmd.Flags().Changed("hotkey") {
			if hotkey, err = b.g.hotkeyAddress(cmd.Context(), hotkey); err != nil {
				return err
			}
			req = &markettypes.QueryChannelsRequest{Hotkey: hotkey}
		}
		own := map[string]pay.ClientChannel{}
		if b.kept() {
			err := b.read(cmd.Context(), func(p purse) error {
				all, err := p.Channels(cmd.Context())
				for _, c := range all {
					own[c.ID] = c
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return withNetwork(cmd.Context(), b.g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			open, err := channels(ctx, c, req)
			if err != nil {
				return err
			}
			list := []channelJSON{}
			for _, ch := range open {
				list = append(list, newChannelJSON(ch, own))
			}
			return output(cmd, list, func(w io.Writer) { writeChannels(w, list, hotkey != "", b.g.names(ctx)) })
		})
	}
	return cmd
}

// writeChannels lists channels: whole ids for their provider, who names them so.
func writeChannels(w io.Writer, list []channelJSON, whole bool, names map[string]string) {
	if len(list) == 0 {
		fmt.Fprintln(w, "no channel is open: `lode pay open` opens one")
		return
	}
	t := newColumns("channel", ">service", ">plan", "payer", "provider", ">TAO", ">claimed", ">charged", "state")
	for _, v := range list {
		id, plan, charged := v.ID[:12], "–", "–"
		if whole {
			id = v.ID
		}
		if v.Plan != nil {
			plan = fmt.Sprint(v.Plan.ID)
		}
		if v.Charged != nil {
			charged = client.FormatTAO(*v.Charged)
			if v.Plan != nil {
				charged = unitCount(*v.Charged)
			}
		}
		t.add(id, fmt.Sprint(v.ServiceID), plan, displayKey(v.Payer, names), displayKey(v.Provider, names), client.FormatTAO(v.Deposit), client.FormatTAO(v.Claimed), charged, v.state())
	}
	t.write(w)
}
