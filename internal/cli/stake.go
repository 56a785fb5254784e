package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/lodenet/lode/client"
	"github.com/spf13/cobra"
)

func newStakeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stake",
		Short: "Stake: buy a subnet's alpha and stake it on a hotkey, sell it, move it",
		Long: `Staking buys a subnet's alpha from its pool with TAO and stakes it on a hotkey; removing stake sells it. Every trade
carries a limit: the price may end at most 5 % away from now, or --tolerance, else nothing is done (or, with --partial,
only the part up to the limit). --dry-run only shows what a trade would give.

Moving stake to another hotkey of the same subnet, or giving it to another coldkey, trades nothing.`,
		Example: `  lode stake add 10 --netuid 1 --hotkey miner-1-hot
  lode stake remove 2.5 --netuid 1 --hotkey miner-1-hot
  lode stake list`,
	}
	cmd.AddCommand(newStakeAddCommand(), newStakeRemoveCommand(), newUnstakeAllCommand(), newStakeMoveCommand(),
		newStakeSwapCommand(), newStakeTransferCommand(), newStakeListCommand(), newStakeBurnCommand(), newStakeRecycleCommand(),
		newStakeClaimsCommand(), newStakeClaimCommand())
	return cmd
}

// tradeFlags are the flags of every trade.
type tradeFlags struct {
	tolerance string
	partial   bool
	dryRun    bool
}

func (f *tradeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tolerance, "tolerance", "5%", "how far from now the price may end, against you")
	cmd.Flags().BoolVar(&f.partial, "partial", false, "trade up to the limit and keep the rest, instead of nothing")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only show what the trade would give")
}

// slippage reads --tolerance, in basis points.
func (f *tradeFlags) slippage() (uint32, error) {
	p, err := parsePercent(f.tolerance, "--tolerance", 10_000)
	return uint32(math.Round(p * 10_000)), err
}

// hotkeyFlag adds a flag that names a hotkey, by its address or its name.
func hotkeyFlag(cmd *cobra.Command, name, what string) *string {
	return cmd.Flags().String(name, "", what+": an address, or a name in the wallet")
}

// tradeJSON is what a trade would give at a block, for programs.
type tradeJSON struct {
	Netuid      uint32  `json:"netuid"`
	Side        string  `json:"side"` // buy: TAO for alpha; sell: alpha for TAO
	Given       uint64  `json:"given,string"`
	Expected    uint64  `json:"expected,string"`
	Fee         uint64  `json:"fee,string"` // part of given
	SpotPrice   float64 `json:"spot_price"` // prices in TAO per alpha
	Average     float64 `json:"average_price"`
	PriceAfter  float64 `json:"price_after"`
	Impact      float64 `json:"impact"` // how far the trade moves the price, a fraction
	LimitPrice  float64 `json:"limit_price"`
	WorstCase   uint64  `json:"worst_case,string"` // the least that it gives, done in full at the limit; of a swap's purchase, after a sale that was
	WithinLimit bool    `json:"within_limit"`
	Height      int64   `json:"height"`
}

func newTradeJSON(t client.Trade, buy bool) (tradeJSON, error) {
	v := tradeJSON{
		Netuid: t.Netuid, Side: "sell", Given: t.Given, Expected: t.Received, Fee: t.Fee,
		LimitPrice: float64(t.LimitPrice) / client.RaoPerTAO, WorstCase: t.Worst, WithinLimit: t.WithinLimit, Height: t.Height,
	}
	tao, alpha := t.Received, t.Given
	if buy {
		v.Side, tao, alpha = "buy", t.Given, t.Received
	}
	if alpha > 0 {
		v.Average = float64(tao) / float64(alpha)
	}
	var err error
	if v.SpotPrice, err = parsePrice(t.Before); err != nil {
		return v, err
	}
	if v.PriceAfter, err = parsePrice(t.After); err != nil {
		return v, err
	}
	if v.SpotPrice > 0 {
		v.Impact = v.PriceAfter/v.SpotPrice - 1
	}
	return v, nil
}

// units names what a trade takes and gives.
func (v *tradeJSON) units() (given, gets string) {
	if v.Side == "buy" {
		return "TAO", "alpha"
	}
	return "alpha", "TAO"
}

// write shows a trade before it is done.
func (v *tradeJSON) write(w io.Writer, partial bool) {
	given, gets := v.units()
	worst := "at least " + client.FormatTAO(v.WorstCase) + " " + gets
	switch {
	case partial:
		worst = "others reach the limit first: then a part is traded, or nothing, at that price or a better one"
	case !v.WithinLimit:
		worst = "the whole would go beyond the limit; with --partial a part of it is traded, at that price or a better one"
	}
	facts(w,
		v.Side+" in subnet "+fmt.Sprint(v.Netuid), fmt.Sprintf("%s %s for about %s %s, at block %d", client.FormatTAO(v.Given), given, client.FormatTAO(v.Expected), gets, v.Height),
		"price now", priceText(v.SpotPrice),
		"average", priceText(v.Average)+", with the fee of "+client.FormatTAO(v.Fee)+" "+given,
		"impact", fmt.Sprintf("%+.3f %%, to %s", 100*v.Impact, priceText(v.PriceAfter)),
		"limit", priceText(v.LimitPrice),
		"worst case", worst,
	)
}

func priceText(p float64) string { return strconv.FormatFloat(p, 'f', 9, 64) + " TAO" }

// check refuses a trade that would go beyond its limit by itself: the chain would, too,
// and take a fee for it.
func (v *tradeJSON) check(f *tradeFlags) error {
	if v.WithinLimit || f.partial {
		return nil
	}
	need := math.Ceil(1000*math.Abs(v.Impact)) / 10
	hint := "trade less, or with --partial only up to the limit"
	if v.Side == "buy" || need < 99 {
		hint += fmt.Sprintf("; --tolerance %.4g%% would allow it", need+0.1)
	}
	given, _ := v.units()
	return fail("beyond_limit", hint, "%s %s would move the price by %.4g %%, from %s to %s: more than the tolerance of %s allows",
		client.FormatTAO(v.Given), given, 100*math.Abs(v.Impact), priceText(v.SpotPrice), priceText(v.PriceAfter), f.tolerance)
}
