package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/spf13/cobra"
)

// positionJSON is a stake with what it earns.
type positionJSON struct {
	stakeJSON
	EpochAlpha *uint64  `json:"epoch_alpha,string"` // that the last epoch added to it; null: not known
	Yield      *float64 `json:"yield"`              // a year of such epochs, a fraction of the stake; null: not known
}

func newStakeListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [COLDKEY]",
		Short: "List a coldkey's stakes, what they are worth and what they earn (that of --from unless given)",
		Long: `Lists a coldkey's stakes, by its address or its name: the alpha, what it is worth in TAO at the pool's price (without
impact and fee), and what it earns.

"last epoch" is the alpha that the subnet's last epoch added to the stake: the growth of its shares of the hotkey's stake since
the block before, after the hotkey's take. "a year" is what epochs like that one would add in a year, as a part of the stake:
last epoch / stake before it × 365 days / time from the epoch before to it, by the times of their blocks. It is no promise: one epoch
is a short time, nothing is compounded, and alpha's price moves. What a hotkey's stake of TAO in the chain's validators earns is
not in it: that is paid in TAO (` + "`lode query distribution delegation-total-rewards`" + `).

Both are unknown (–) until the stake was there for an epoch, and where the node no longer has the block before it.`,
		Example: `  lode stake list
  lode stake list validator-1
  lode stake list lode1… --json | jq '.[] | {netuid, alpha, value_rao, yield}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				list, err := positionsOf(ctx, c, addr)
				if err != nil {
					return err
				}
				return output(cmd, list, func(w io.Writer) {
					names := g.names(ctx)
					if len(list) == 0 {
						fmt.Fprintf(w, "%s has nothing staked: `lode stake add` stakes\n", displayKey(addr, names))
						return
					}
					positionsTable(w, list, names)
				})
			})
		},
	}
}

func positionsTable(w io.Writer, list []positionJSON, names map[string]string) {
	t := newColumns(">netuid", "hotkey", ">alpha", ">worth TAO", ">last epoch", ">a year")
	var worth uint64
	for _, p := range list {
		earned, yield := "–", "–"
		if p.EpochAlpha != nil {
			earned = "+" + formatUnits(*p.EpochAlpha, 6)
		}
		if p.Yield != nil {
			yield = percentText(*p.Yield)
		}
		t.add(fmt.Sprint(p.Netuid), displayKey(p.Hotkey, names), formatUnits(p.Alpha, 6), formatUnits(p.ValueRao, 6), earned, yield)
		worth += p.ValueRao
	}
	t.write(w)
	if len(list) > 1 {
		fmt.Fprintf(w, "\ntogether worth %s TAO, at the pools' prices\n", client.FormatTAO(worth))
	}
}

// positionsOf lists a coldkey's stakes with what they earn.
func positionsOf(ctx context.Context, c *client.Client, coldkey string) ([]positionJSON, error) {
	stakes, height, err := stakeInfos(ctx, c, coldkey)
	if err != nil {
		return nil, err
	}
	ctx = client.AtHeight(ctx, height) // all of it is true at one block
	epochs := map[uint32]*stakeEpoch{}
	list := []positionJSON{}
	for _, s := range stakes {
		e, asked := epochs[s.Netuid]
		if !asked {
			if e, err = lastStakeEpoch(ctx, c, coldkey, s.Netuid); err != nil {
				return nil, err
			}
			epochs[s.Netuid] = e
		}
		p := positionJSON{stakeJSON: newStakeJSON(s)}
		p.EpochAlpha, p.Yield = e.earned(s)
		list = append(list, p)
	}
	return list, nil
}

// stakeInfos asks for all stakes of a coldkey at one block, and which that is.
func stakeInfos(ctx context.Context, c *client.Client, coldkey string) (all []alphatypes.StakeInfo, height int64, err error) {
	for req := (&alphatypes.QueryStakesRequest{Coldkey: coldkey}); ; {
		r, err := c.Alpha().Stakes(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, r.Stakes...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return all, r.Height, nil
		}
		ctx = client.AtHeight(ctx, r.Height)
	}
}
