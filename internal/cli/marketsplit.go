package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// splitJSON is where a subnet's revenue goes: fractions that are 1 together.
type splitJSON struct {
	Provider float64 `json:"provider"`
	Burn     float64 `json:"burn"`   // buys alpha that is burned
	Miners   float64 `json:"miners"` // buys alpha for the next epoch's miners
	Owner    float64 `json:"owner"`
}

// scheduledSplitJSON is one that is to come.
type scheduledSplitJSON struct {
	splitJSON
	Height int64 `json:"height"` // the first at which it holds
}

func newSplitJSON(s markettypes.RevenueSplit) splitJSON {
	part := func(n uint32) float64 { return float64(n) / markettypes.Million }
	return splitJSON{part(s.Provider), part(s.Burn), part(s.Miners), part(s.Owner)}
}

func (v splitJSON) String() string {
	return fmt.Sprintf("%s to the provider, %s buys and burns alpha, %s buys alpha for miners, %s to the owner",
		percentText(v.Provider), percentText(v.Burn), percentText(v.Miners), percentText(v.Owner))
}

// revenueJSON is what a subnet's services have brought since it exists.
type revenueJSON struct {
	Total       uint64              `json:"total_rao,string"` // paid by customers, sum of the following
	Provider    uint64              `json:"provider_rao,string"`
	Owner       uint64              `json:"owner_rao,string"`
	BurnRao     uint64              `json:"burn_rao,string"`     // put into the pool
	Burned      uint64              `json:"burned_alpha,string"` // for this
	MinersRao   uint64              `json:"miners_rao,string"`   // put into the pool
	Miners      uint64              `json:"miners_alpha,string"` // for this
	Waiting     uint64              `json:"waiting_rao,string"`  // for the pool to take it, or for the owner
	Redemptions uint64              `json:"redemptions,string"`
	Split       splitJSON           `json:"split"`     // in force
	Scheduled   *scheduledSplitJSON `json:"scheduled"` // null: none
	// PriceWithout is the price had revenue bought nothing and all else been the same;
	// null where that has no sense.
	PriceWithout *float64 `json:"price_without"`

	price float64 // as it is
}

// revenueOf asks for a subnet's revenue.
func revenueOf(ctx context.Context, c *client.Client, netuid uint32) (revenueJSON, error) {
	r, err := c.Market().Revenue(ctx, &markettypes.QueryRevenueRequest{Netuid: netuid})
	if err != nil {
		return revenueJSON{}, err
	}
	in := r.Revenue
	v := revenueJSON{
		Total: in.Total, Provider: in.Provider, Owner: in.Owner, BurnRao: in.BurnTao, Burned: in.Burned, MinersRao: in.MinersTao, Miners: in.Miners,
		Waiting: in.Pending(), Redemptions: in.Claims, Split: newSplitJSON(r.Split),
	}
	if s := r.Scheduled; s != nil {
		v.Scheduled = &scheduledSplitJSON{newSplitJSON(s.Split), s.Height}
	}
	if v.price, err = parsePrice(r.Price); err != nil {
		return v, err
	}
	without, err := parsePrice(r.PriceWithout)
	if err == nil && without > 0 {
		v.PriceWithout = &without
	}
	return v, err
}

// facts are the lines of `subnet show`.
func (v *revenueJSON) facts() []string {
	lines := []string{"revenue", fmt.Sprintf("%s TAO by %s: %s to providers, %s to owners; %s wait",
		client.FormatTAO(v.Total), counted(v.Redemptions, "redemption", "redemptions"), client.FormatTAO(v.Provider), client.FormatTAO(v.Owner), client.FormatTAO(v.Waiting))}
	lines = append(lines, "bought by it", fmt.Sprintf("%s alpha for %s TAO, burned; %s alpha for %s TAO, for miners",
		client.FormatAlpha(v.Burned), client.FormatTAO(v.BurnRao), client.FormatAlpha(v.Miners), client.FormatTAO(v.MinersRao)))
	if p := v.PriceWithout; p != nil && v.Burned+v.Miners > 0 {
		lines = append(lines, "price without", fmt.Sprintf("%.9f TAO per alpha, had revenue bought nothing: it made %+.6f %%", *p, 100*(v.price/(*p)-1)))
	}
	return append(lines, v.splitFacts()...)
}

func (v *revenueJSON) splitFacts() []string {
	lines := []string{"split", v.Split.String()}
	if s := v.Scheduled; s != nil {
		lines = append(lines, fmt.Sprintf("from block %d", s.Height), s.String())
	}
	return lines
}

func newMarketSplitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "split",
		Short: "Show or set where a subnet's revenue goes; its owner sets",
		Long: `Without parts it shows where a subnet's revenue goes, and what is to come. With parts, the owner's coldkey sets it, within
the chain's bounds (` + "`lode query market params`" + `): what is not given stays as it was set last, but for the provider's part,
which is the rest. A change holds after a notice, a day of blocks on mainnet.`,
		Example: `  lode market split --netuid 1
  lode market split --netuid 1 --burn 15% --miners 5% --owner 1% --from owner`,
		Args: cobra.NoArgs,
	}
	netuid := netuidFlag(cmd)
	parts := map[string]*string{}
	for _, p := range [][2]string{
		{"provider", "to the provider that was paid (default: the rest)"}, {"burn", "buys the subnet's alpha, which is burned"},
		{"miners", "buys alpha for the next epoch's miners, by incentive"}, {"owner", "to the subnet's owner"},
	} {
		parts[p[0]] = cmd.Flags().String(p[0], "", "percent: "+p[1])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		id, err := netuid()
		if err != nil {
			return err
		}
		given := map[string]uint32{}
		for name, s := range parts {
			if !cmd.Flags().Changed(name) {
				continue
			}
			part, err := parsePercent(*s, "--"+name, 100)
			if err != nil {
				return err
			}
			given[name] = uint32(part*markettypes.Million + 0.5)
		}
		g := globalsOf(cmd)
		if len(given) == 0 {
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				v, err := revenueOf(ctx, c, id)
				if err != nil {
					return err
				}
				shown := struct {
					Netuid    uint32              `json:"netuid"`
					Split     splitJSON           `json:"split"`
					Scheduled *scheduledSplitJSON `json:"scheduled"`
				}{id, v.Split, v.Scheduled}
				return output(cmd, shown, func(w io.Writer) { facts(w, v.splitFacts()...) })
			})
		}
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			split, err := newSplit(ctx, c, id, given)
			if err != nil {
				return err
			}
			owner, err := g.payer(ctx)
			if err != nil {
				return err
			}
			r, err := c.Send(ctx, []*wallet.Signer{owner}, &markettypes.MsgSetRevenueSplit{Coldkey: owner.Address(), Netuid: id, Split: split})
			if err != nil {
				return err
			}
			answer, err := client.Response[*markettypes.MsgSetRevenueSplitResponse](r)
			if err != nil {
				return err
			}
			v := struct {
				Netuid    uint32             `json:"netuid"`
				Scheduled scheduledSplitJSON `json:"scheduled"`
				txJSON
			}{id, scheduledSplitJSON{newSplitJSON(split), answer.Height}, newTxJSON(r)}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "revenue of subnet %d from block %d on: %s\n", id, answer.Height, v.Scheduled.splitJSON)
				v.txJSON.write(w)
			})
		})
	}
	return cmd
}

// newSplit is what was set last, with the parts given; the provider's is the rest
// unless given.
func newSplit(ctx context.Context, c *client.Client, netuid uint32, given map[string]uint32) (markettypes.RevenueSplit, error) {
	r, err := c.Market().Revenue(ctx, &markettypes.QueryRevenueRequest{Netuid: netuid})
	if err != nil {
		return markettypes.RevenueSplit{}, err
	}
	s := r.Split
	if r.Scheduled != nil {
		s = r.Scheduled.Split
	}
	for name, part := range map[string]*uint32{"burn": &s.Burn, "miners": &s.Miners, "owner": &s.Owner} {
		if n, ok := given[name]; ok {
			*part = n
		}
	}
	others := s.Burn + s.Miners + s.Owner // each at most a million
	provider, ok := given["provider"]
	if !ok {
		provider = markettypes.Million - min(markettypes.Million, others)
	}
	if s.Provider = provider; s.Provider+others != markettypes.Million {
		return s, fail("bad_value", "the parts must be 100 % together; leave out --provider, and it is the rest", "%s: %s together", newSplitJSON(s), percentText(float64(s.Provider+others)/markettypes.Million))
	}
	return s, nil
}
