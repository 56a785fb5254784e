package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/fixed"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	"github.com/spf13/cobra"
)

// metagraphJSON is a subnet with all its neurons at one block.
type metagraphJSON struct {
	Height          int64           `json:"height"`
	Time            string          `json:"time"` // RFC 3339
	Netuid          uint32          `json:"netuid"`
	SubnetID        uint64          `json:"subnet_id"`
	Name            string          `json:"name"`
	Started         bool            `json:"started"`
	Price           float64         `json:"price"`        // TAO per alpha
	MovingPrice     float64         `json:"moving_price"` // TAO per alpha
	TaoReserveRao   uint64          `json:"tao_reserve_rao,string"`
	AlphaReserve    uint64          `json:"alpha_reserve,string"`
	BurnRao         uint64          `json:"burn_rao,string"` // what a registration costs
	Tempo           uint32          `json:"tempo"`           // blocks
	Epochs          uint64          `json:"epochs"`          // runs so far
	NextEpochHeight int64           `json:"next_epoch_height"`
	Neurons         []metaNeuronRow `json:"neurons"`
}

type metaNeuronRow struct {
	UID               uint32   `json:"uid"`
	Hotkey            string   `json:"hotkey"`
	Coldkey           string   `json:"coldkey"`
	Owner             bool     `json:"owner"`
	Permit            bool     `json:"permit"`
	Active            bool     `json:"active"`
	StakeAlpha        uint64   `json:"stake_alpha,string"`
	StakeWeight       uint64   `json:"stake_weight,string"`
	RootStakeRao      uint64   `json:"root_stake_rao,string"`
	Incentive         float64  `json:"incentive"`
	Dividends         float64  `json:"dividends"`
	Consensus         float64  `json:"consensus"`
	ValidatorTrust    float64  `json:"validator_trust"`
	Rank              float64  `json:"rank"`
	EmissionAlpha     uint64   `json:"emission_alpha,string"` // of the last epoch
	RegisteredHeight  int64    `json:"registered_height"`
	LastUpdateHeight  *int64   `json:"last_update_height"`  // of the weights in force; null if none
	PruningRank       *uint32  `json:"pruning_rank"`        // 0 is replaced first; null: never
	ImmuneUntilHeight *int64   `json:"immune_until_height"` // null if not immune
	Endpoints         []string `json:"endpoints"`
	Protocol          string   `json:"protocol"`
	ProtocolVersion   string   `json:"protocol_version"`
	CollateralAlpha   uint64   `json:"collateral_alpha,string"` // bonded
	InheritedWeight   uint64   `json:"inherited_weight,string"` // of stake_weight, from parents
	LentWeight        uint64   `json:"lent_weight,string"`      // to children, not in stake_weight
	Destination       string   `json:"destination"`             // the hotkey that gets its incentive
}

func newMetagraphCommand() *cobra.Command {
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "metagraph NETUID",
		Short: "Show a subnet's neurons: stake, pay, and who is in danger",
		Long: `Shows all neurons of a subnet as of the latest block. "prune #" is a neuron's place in the order in which
they are replaced once all uids are taken: 0 goes first. "immune" is the block until which others go before it.`,
		Example: `  lode metagraph 1
  lode metagraph 1 --csv > neurons.csv
  lode metagraph 1 --json | jq '.neurons[] | select(.permit) | .hotkey'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			netuid, err := parseNetuid(args[0])
			if err != nil {
				return err
			}
			g := globalsOf(cmd)
			if asCSV && g.json {
				return fail(codeUsage, "give one of them", "--csv and --json are two formats")
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				m, err := metagraphOf(ctx, c, netuid)
				if err != nil {
					return err
				}
				if asCSV {
					return m.writeCSV(cmd.OutOrStdout())
				}
				return output(cmd, m, func(w io.Writer) { m.write(w, g.names(ctx)) })
			})
		},
	}
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print comma-separated values")
	return cmd
}

// fraction is a Q32.32 of the chain as a number.
func fraction(q uint64) float64 { return fixed.Q32(q).Float64() }

// rfc3339 is a time of the chain, in Unix seconds.
func rfc3339(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// orNull is nil for 0, where the chain says "none" by it.
func orNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func newMetagraphJSON(r *emissiontypes.QueryMetagraphResponse) (*metagraphJSON, error) {
	price, err := parsePrice(r.Price)
	if err != nil {
		return nil, err
	}
	moving, err := parsePrice(r.MovingPrice)
	if err != nil {
		return nil, err
	}
	m := &metagraphJSON{
		Height: r.Height, Time: rfc3339(r.Time),
		Netuid: r.Subnet.Netuid, SubnetID: r.Subnet.Id, Name: r.Subnet.Name, Started: r.Subnet.StartedHeight > 0,
		Price: price, MovingPrice: moving, TaoReserveRao: r.Pool.TaoReserve, AlphaReserve: r.Pool.AlphaReserve,
		BurnRao: r.Burn, Tempo: r.Subnet.Hyperparameters.Tempo, Epochs: r.Epoch.Number, NextEpochHeight: r.Epoch.DueHeight,
		Neurons: make([]metaNeuronRow, 0, len(r.Neurons)),
	}
	for _, n := range r.Neurons {
		row := metaNeuronRow{
			UID: n.Uid, Hotkey: n.Hotkey, Coldkey: n.Coldkey, Owner: n.Owner, Permit: n.Permit, Active: n.Active,
			StakeAlpha: n.StakeAlpha, StakeWeight: n.StakeWeight, RootStakeRao: n.RootStake,
			Incentive: fraction(n.Incentive), Dividends: fraction(n.Dividends), Consensus: fraction(n.Consensus),
			ValidatorTrust: fraction(n.ValidatorTrust), Rank: fraction(n.Rank), EmissionAlpha: n.Emission,
			RegisteredHeight: n.RegisteredHeight, LastUpdateHeight: orNull(n.LastUpdate), ImmuneUntilHeight: orNull(n.ImmuneUntilHeight),
			Endpoints: append([]string{}, n.Endpoints...), Protocol: n.Protocol, ProtocolVersion: n.ProtocolVersion,
			CollateralAlpha: n.Collateral, InheritedWeight: n.Inherited, LentWeight: n.Lent, Destination: n.Destination,
		}
		if row.Destination == "" {
			row.Destination = row.Hotkey
		}
		if !n.Owner { // whose hotkey always keeps its uid
			row.PruningRank = &n.PruningRank
		}
		m.Neurons = append(m.Neurons, row)
	}
	return m, nil
}

// parsePrice reads a decimal of the chain's.
func parsePrice(s string) (float64, error) {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("the node answered %q for a price", s)
	}
	return p, nil
}

func (m *metagraphJSON) write(w io.Writer, names map[string]string) {
	fmt.Fprintf(w, "subnet %d · %s   block %d   price %.6f TAO (moving %.6f)\n", m.Netuid, m.Name, m.Height, m.Price, m.MovingPrice)
	if m.Started {
		fmt.Fprintf(w, "epoch %d ran, the next is due at block %d   registration costs %s TAO\n\n", m.Epochs, m.NextEpochHeight, formatUnits(m.BurnRao, 6))
	} else {
		fmt.Fprintf(w, "not started: no trades, no emission   registration costs %s TAO\n\n", formatUnits(m.BurnRao, 6))
	}
	t := newColumns(">uid", "hotkey", "", ">stake", ">weight", ">incentive", ">dividends", ">trust", ">last epoch", ">updated", ">prune #", ">immune", "serves")
	for _, n := range m.Neurons {
		prune := "never"
		if n.PruningRank != nil {
			prune = fmt.Sprint(*n.PruningRank)
		}
		t.add(fmt.Sprint(n.UID), displayKey(n.Hotkey, names), n.marks(), formatUnits(n.StakeAlpha, 3), formatUnits(n.StakeWeight, 3),
			fractionText(n.Incentive), fractionText(n.Dividends), fractionText(n.ValidatorTrust), "+"+formatUnits(n.EmissionAlpha, 3),
			blockText(n.LastUpdateHeight), prune, blockText(n.ImmuneUntilHeight), orDashText(n.Protocol))
	}
	t.write(w)
	fmt.Fprintln(w, "\nO owner, P permit (its weights count), A took part in the last epoch's consensus")
}

// marks are a neuron's properties as letters.
func (n *metaNeuronRow) marks() string {
	var b strings.Builder
	for _, m := range []struct {
		is     bool
		letter byte
	}{{n.Owner, 'O'}, {n.Permit, 'P'}, {n.Active, 'A'}} {
		if m.is {
			b.WriteByte(m.letter)
		}
	}
	return b.String()
}

func blockText(height *int64) string {
	if height == nil {
		return "–"
	}
	return fmt.Sprint(*height)
}

func orDashText(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// writeCSV prints the neurons; the columns are named as in JSON.
func (m *metagraphJSON) writeCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"uid", "hotkey", "coldkey", "owner", "permit", "active", "stake_alpha", "stake_weight", "root_stake_rao",
		"incentive", "dividends", "consensus", "validator_trust", "rank", "emission_alpha", "registered_height", "last_update_height",
		"pruning_rank", "immune_until_height", "endpoints", "protocol", "protocol_version",
		"collateral_alpha", "inherited_weight", "lent_weight", "destination"}); err != nil {
		return err
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	orEmpty := func(n *int64) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	for _, n := range m.Neurons {
		prune := ""
		if n.PruningRank != nil {
			prune = fmt.Sprint(*n.PruningRank)
		}
		if err := w.Write([]string{fmt.Sprint(n.UID), n.Hotkey, n.Coldkey, fmt.Sprint(n.Owner), fmt.Sprint(n.Permit), fmt.Sprint(n.Active),
			fmt.Sprint(n.StakeAlpha), fmt.Sprint(n.StakeWeight), fmt.Sprint(n.RootStakeRao), number(n.Incentive), number(n.Dividends),
			number(n.Consensus), number(n.ValidatorTrust), number(n.Rank), fmt.Sprint(n.EmissionAlpha), fmt.Sprint(n.RegisteredHeight),
			orEmpty(n.LastUpdateHeight), prune, orEmpty(n.ImmuneUntilHeight), strings.Join(n.Endpoints, " "), n.Protocol, n.ProtocolVersion,
			fmt.Sprint(n.CollateralAlpha), fmt.Sprint(n.InheritedWeight), fmt.Sprint(n.LentWeight), n.Destination}); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
