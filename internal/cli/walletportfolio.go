package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

// heldJSON is a stake in a portfolio.
type heldJSON struct {
	Hotkey     string   `json:"hotkey"`
	Registered bool     `json:"registered"` // in the subnet; stake on a hotkey that left it earns nothing
	Alpha      uint64   `json:"alpha,string"`
	Locked     uint64   `json:"locked_alpha,string"` // of it, as collateral
	ValueRao   uint64   `json:"value_rao,string"`
	EpochAlpha *uint64  `json:"epoch_alpha,string"`
	Yield      *float64 `json:"yield"`
	// Yields are those of 1, 7 and 30 days, by an index; null: none was asked.
	Yields []indexer.Yield `json:"yields"`
}

// heldSubnetJSON is what an account has in a subnet.
type heldSubnetJSON struct {
	Netuid   uint32     `json:"netuid"`
	SubnetID uint64     `json:"subnet_id"`
	Name     string     `json:"name"`
	Alpha    uint64     `json:"alpha,string"`
	ValueRao uint64     `json:"value_rao,string"`
	Stakes   []heldJSON `json:"stakes"`
}

// portfolioJSON is all that an account has, as of a block.
type portfolioJSON struct {
	Address      string            `json:"address"`
	Name         *string           `json:"name"`
	Height       int64             `json:"height"`
	Time         string            `json:"time"`
	FreeRao      uint64            `json:"free_rao,string"`
	Subnets      []*heldSubnetJSON `json:"subnets"`
	StakesRao    uint64            `json:"stakes_value_rao,string"` // of all subnets, at the pools' prices
	Claims       []claimJSON       `json:"claims"`                  // of removed subnets
	ClaimsRao    uint64            `json:"claims_rao,string"`
	DelegatedRao uint64            `json:"delegated_rao,string"` // to the chain's validators
	UnbondingRao uint64            `json:"unbonding_rao,string"` // coming back from them
	RewardsRao   uint64            `json:"rewards_rao,string"`   // of them, not yet collected
	ChannelsRao  uint64            `json:"channels_rao,string"`  // in payment channels, not yet claimed by their providers
	DepositsRao  uint64            `json:"deposits_rao,string"`  // on proposals that are not decided yet
	TotalRao     uint64            `json:"total_rao,string"`
}

func newWalletPortfolioCommand() *cobra.Command {
	var all, asCSV bool
	cmd := &cobra.Command{
		Use:   "portfolio [NAME...]",
		Short: "Show all that accounts have, in TAO, per subnet and hotkey (that of --from unless given)",
		Long: `Shows what accounts have at one block: free TAO; stakes by subnet and hotkey, at the pools' prices, without impact and fee, also
those on hotkeys that have left their subnet; what removed subnets will pay; TAO with the chain's validators; what is in payment
channels; and deposits on proposals. A NAME is a key, an address, or a name of the address book.

"last epoch" and "a year" are as ` + "`lode stake list --help`" + ` says. With an index (--db, or that of ` + "`lode up`" + `) what stakes have
yielded over 1, 7 and 30 days is there, too: a year of their mean epoch, compounded, after the take, in alpha. --csv prints a table of
all parts for a spreadsheet.`,
		Example: `  lode wallet portfolio
  lode wallet portfolio alice vault
  lode wallet portfolio --all --csv > portfolio.csv`,
	}
	cmd.Flags().BoolVar(&all, "all", false, "all coldkeys of the wallet, also those that are watched")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "a table with commas")
	db := dbFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		if all && len(args) > 0 {
			return fail(codeUsage, "see `lode wallet portfolio --help`", "give names, or --all")
		}
		addresses, err := g.portfolioOf(cmd.Context(), args, all)
		if err != nil {
			return err
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			now, err := c.Status(ctx)
			if err != nil {
				return err
			}
			ctx = client.AtHeight(ctx, now.Height) // all of it is true at one block
			v := struct {
				Accounts []portfolioJSON `json:"accounts"`
				TotalRao uint64          `json:"total_rao,string"`
			}{Accounts: []portfolioJSON{}}
			names := g.names(ctx)
			for _, a := range addresses {
				p := portfolioJSON{Address: a, Height: now.Height, Time: now.Time.UTC().Format("2006-01-02T15:04:05Z")}
				if n := names[a]; n != "" {
					p.Name = &n
				}
				if err := p.fill(ctx, c); err != nil {
					return err
				}
				if err := g.fillYields(ctx, *db, &p); err != nil {
					return err
				}
				v.Accounts = append(v.Accounts, p)
				v.TotalRao += p.TotalRao
			}
			if asCSV && !g.json {
				return writePortfolioCSV(cmd.OutOrStdout(), v.Accounts)
			}
			return output(cmd, v, func(w io.Writer) {
				for i, p := range v.Accounts {
					if i > 0 {
						fmt.Fprintln(w)
					}
					p.write(w, names)
				}
				if len(v.Accounts) > 1 {
					fmt.Fprintf(w, "\nall together %s TAO\n", client.FormatTAO(v.TotalRao))
				}
			})
		})
	}
	return cmd
}

// portfolioOf are the addresses that are asked about.
func (g *globals) portfolioOf(ctx context.Context, args []string, all bool) (list []string, err error) {
	if !all && len(args) == 0 {
		args = []string{g.from}
	}
	if all {
		w, err := g.openWallet(ctx)
		if err != nil {
			return nil, err
		}
		keys, err := w.List()
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Kind == wallet.Coldkey {
				args = append(args, k.Address)
			}
		}
	}
	for _, a := range args {
		address, err := g.address(ctx, a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, address) { // twice would count twice
			list = append(list, address)
		}
	}
	return list, nil
}

// fill asks about all that the account has, at the height of ctx.
func (p *portfolioJSON) fill(ctx context.Context, c *client.Client) (err error) {
	if p.FreeRao, err = c.Balance(ctx, p.Address); err != nil {
		return err
	}
	if err := p.fillStakes(ctx, c); err != nil {
		return err
	}
	if p.Claims, err = claimsOf(ctx, c, p.Address); err != nil {
		return err
	}
	for _, claim := range p.Claims {
		p.ClaimsRao += claim.TaoRao
	}
	if err := p.fillDelegations(ctx, c); err != nil {
		return err
	}
	for req := (&markettypes.QueryChannelsRequest{Payer: p.Address}); ; {
		r, err := c.Market().Channels(ctx, req)
		if err != nil {
			return err
		}
		for _, ch := range r.Channels {
			p.ChannelsRao += ch.Deposit - min(ch.Claimed, ch.Deposit)
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	if p.DepositsRao, err = c.ProposalDeposits(ctx, p.Address); err != nil {
		return err
	}
	p.TotalRao = p.FreeRao + p.StakesRao + p.ClaimsRao + p.DelegatedRao + p.UnbondingRao + p.RewardsRao + p.ChannelsRao + p.DepositsRao
	return nil
}

func (p *portfolioJSON) fillStakes(ctx context.Context, c *client.Client) error {
	infos, _, err := stakeInfos(ctx, c, p.Address)
	if err != nil {
		return err
	}
	p.Subnets = []*heldSubnetJSON{}
	epochs := map[uint32]*stakeEpoch{}
	for _, s := range infos {
		i := slices.IndexFunc(p.Subnets, func(h *heldSubnetJSON) bool { return h.SubnetID == s.SubnetId })
		if i < 0 {
			i = len(p.Subnets)
			h := &heldSubnetJSON{Netuid: s.Netuid, SubnetID: s.SubnetId}
			r, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: s.Netuid})
			if err != nil && !errors.Is(err, client.ErrNotFound) {
				return err
			}
			if err == nil {
				h.Name = r.Subnet.Name
			}
			if epochs[s.Netuid], err = lastStakeEpoch(ctx, c, p.Address, s.Netuid); err != nil {
				return err
			}
			p.Subnets = append(p.Subnets, h)
		}
		h := p.Subnets[i]
		one := heldJSON{Hotkey: s.Hotkey, Alpha: s.Alpha, Locked: s.Locked, ValueRao: s.ValueTao}
		_, err := c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: s.Netuid, Hotkey: s.Hotkey})
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
		one.Registered = err == nil
		one.EpochAlpha, one.Yield = epochs[s.Netuid].earned(s)
		h.Stakes = append(h.Stakes, one)
		h.Alpha, h.ValueRao = h.Alpha+s.Alpha, h.ValueRao+s.ValueTao
		p.StakesRao += s.ValueTao
	}
	return nil
}

// claimsOf lists what a coldkey will be paid for stakes in removed subnets.
func claimsOf(ctx context.Context, c *client.Client, coldkey string) ([]claimJSON, error) {
	list := []claimJSON{}
	for req := (&alphatypes.QueryClaimsRequest{Coldkey: coldkey}); ; {
		r, err := c.Alpha().Claims(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, p := range r.Claims {
			list = append(list, claimJSON{p.SubnetId, p.Netuid, p.Hotkey, p.Alpha, p.Tao})
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return list, nil
		}
	}
}

// fillDelegations asks about TAO with the chain's validators.
func (p *portfolioJSON) fillDelegations(ctx context.Context, c *client.Client) error {
	for req := (&stakingtypes.QueryDelegatorDelegationsRequest{DelegatorAddr: p.Address}); ; {
		r, err := c.Staking().DelegatorDelegations(ctx, req)
		if err != nil {
			return err
		}
		for _, d := range r.DelegationResponses {
			if d.Balance.Denom == client.Denom {
				p.DelegatedRao += d.Balance.Amount.Uint64()
			}
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	for req := (&stakingtypes.QueryDelegatorUnbondingDelegationsRequest{DelegatorAddr: p.Address}); ; {
		r, err := c.Staking().DelegatorUnbondingDelegations(ctx, req)
		if err != nil {
			return err
		}
		for _, u := range r.UnbondingResponses {
			for _, e := range u.Entries {
				p.UnbondingRao += e.Balance.Uint64()
			}
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	r, err := c.Distribution().DelegationTotalRewards(ctx, &distributiontypes.QueryDelegationTotalRewardsRequest{DelegatorAddress: p.Address})
	if err != nil {
		return err
	}
	p.RewardsRao = r.Total.AmountOf(client.Denom).TruncateInt().Uint64() // a part of a rao is not paid
	return nil
}

// fillYields asks an index what the stakes have yielded, where there is one.
func (g *globals) fillYields(ctx context.Context, db string, p *portfolioJSON) error {
	if db == "" {
		if _, err := os.Stat(g.indexFile()); err != nil {
			return nil
		}
	}
	err := g.withIndex(ctx, db, func(ctx context.Context, ix *indexer.Store, _ indexer.Status) error {
		list, _, err := ix.Yields(ctx, p.Address)
		if err != nil {
			return err
		}
		for _, y := range list {
			for _, h := range p.Subnets {
				for i := range h.Stakes {
					if h.SubnetID == y.SubnetID && h.Stakes[i].Hotkey == y.Hotkey {
						h.Stakes[i].Yields = y.Yields
					}
				}
			}
		}
		return nil
	})
	var f *failure
	if db == "" && errors.As(err, &f) && f.code == "no_index" {
		return nil // that of the home is young, or of another version: nobody has asked for it
	}
	return err
}

// mostAPY is the yield a year above which it is only said to be above: what short epochs
// of a local network make of a year, compounded, has 60 digits.
const mostAPY = 10_000

func yearText(apy float64) string {
	if apy > mostAPY {
		return "over " + grouped(100*mostAPY) + " %"
	}
	return percentText(apy)
}

// yieldsText are a stake's yields a year over 1, 7 and 30 days.
func (s *heldJSON) yieldsText() string {
	var parts []string
	for _, y := range s.Yields {
		if y.APY != nil && y.Samples > 0 {
			parts = append(parts, fmt.Sprintf("%s (%d d, %s)", yearText(*y.APY), y.Days, counted(y.Samples, "epoch", "epochs")))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *portfolioJSON) write(w io.Writer, names map[string]string) {
	list := []string{"account", fullKey(p.Address, names), "as of", fmt.Sprintf("block %d, %s", p.Height, p.Time), "free", client.FormatTAO(p.FreeRao) + " TAO"}
	for _, part := range []struct {
		what string
		rao  uint64
	}{
		{"in subnets", p.StakesRao}, {"of removed subnets", p.ClaimsRao}, {"with validators", p.DelegatedRao},
		{"coming back", p.UnbondingRao}, {"rewards to collect", p.RewardsRao}, {"in channels", p.ChannelsRao}, {"on proposals", p.DepositsRao},
	} {
		if part.rao > 0 {
			list = append(list, part.what, client.FormatTAO(part.rao)+" TAO")
		}
	}
	facts(w, append(list, "together", client.FormatTAO(p.TotalRao)+" TAO")...)
	if len(p.Subnets) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newColumns(">netuid", "subnet", "hotkey", ">alpha", ">worth TAO", ">last epoch", ">a year", "")
	for _, h := range p.Subnets {
		for _, s := range h.Stakes {
			var note string
			earned, yield := "–", "–"
			if s.EpochAlpha != nil {
				earned = "+" + formatUnits(*s.EpochAlpha, 6)
			}
			if s.Yield != nil {
				yield = percentText(*s.Yield)
			}
			if note = s.yieldsText(); !s.Registered {
				note = "not registered: it earns nothing"
			}
			t.add(fmt.Sprint(h.Netuid), plain(h.Name), displayKey(s.Hotkey, names), formatUnits(s.Alpha, 6), formatUnits(s.ValueRao, 6), earned, yield, note)
		}
		if len(h.Stakes) > 1 {
			t.add(fmt.Sprint(h.Netuid), plain(h.Name), "together", formatUnits(h.Alpha, 6), formatUnits(h.ValueRao, 6), "", "", "")
		}
	}
	t.write(w)
}

// writePortfolioCSV writes a row for each part of what accounts have; their rao add up to
// the accounts' totals.
func writePortfolioCSV(out io.Writer, accounts []portfolioJSON) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"height", "time", "account", "kind", "netuid", "subnet_id", "subnet", "hotkey", "registered", "alpha", "value_tao", "epoch_alpha", "yield"}}
	for _, p := range accounts {
		row := func(kind string, rao uint64, more ...string) {
			r := append([]string{strconv.FormatInt(p.Height, 10), p.Time, p.Address, kind}, more...)
			for len(r) < 10 {
				r = append(r, "")
			}
			r = slices.Insert(r, 10, client.FormatTAO(rao))
			for len(r) < len(rows[0]) {
				r = append(r, "")
			}
			rows = append(rows, r)
		}
		row("free", p.FreeRao)
		for _, h := range p.Subnets {
			for _, s := range h.Stakes {
				epoch, yield := "", ""
				if s.EpochAlpha != nil {
					epoch = client.FormatAlpha(*s.EpochAlpha)
				}
				if s.Yield != nil {
					yield = strconv.FormatFloat(*s.Yield, 'g', -1, 64)
				}
				row("stake", s.ValueRao, fmt.Sprint(h.Netuid), fmt.Sprint(h.SubnetID), spreadsheet(h.Name), s.Hotkey, strconv.FormatBool(s.Registered), client.FormatAlpha(s.Alpha), epoch, yield)
			}
		}
		for _, claim := range p.Claims {
			row("claim", claim.TaoRao, fmt.Sprint(claim.Netuid), fmt.Sprint(claim.SubnetID), "", claim.Hotkey, "", client.FormatAlpha(claim.Alpha))
		}
		for _, part := range []struct {
			kind string
			rao  uint64
		}{{"delegated", p.DelegatedRao}, {"unbonding", p.UnbondingRao}, {"rewards", p.RewardsRao}, {"channels", p.ChannelsRao}, {"deposits", p.DepositsRao}} {
			if part.rao > 0 {
				row(part.kind, part.rao)
			}
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// spreadsheet keeps a stranger's text from being a formula in a spreadsheet.
func spreadsheet(s string) string {
	s = plain(s)
	if s != "" && cmp.Compare(s[0], '0') < 0 || len(s) > 0 && (s[0] == '=' || s[0] == '@') {
		return "'" + s
	}
	return s
}
