package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	"github.com/spf13/cobra"
)

// metagraphJSON is a subnet with all its neurons at one block.
type metagraphJSON struct {
	Height          int64            `json:"height"`
	Time            string           `json:"time"` // RFC 3339
	Netuid          uint32           `json:"netuid"`
	SubnetID        uint64           `json:"subnet_id"`
	Name            string           `json:"name"`
	Started         bool             `json:"started"`
	Price           float64          `json:"price"`        // TAO per alpha
	MovingPrice     float64          `json:"moving_price"` // TAO per alpha
	TaoReserveRao   uint64           `json:"tao_reserve_rao,string"`
	AlphaReserve    uint64           `json:"alpha_reserve,string"`
	BurnRao         uint64           `json:"burn_rao,string"` // what a registration costs
	Tempo           uint32           `json:"tempo"`           // blocks
	Epochs          uint64           `json:"epochs"`          // runs so far
	NextEpochHeight int64            `json:"next_epoch_height"`
	Neurons         []console.Neuron `json:"neurons"`
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
					return console.WriteNeurons(cmd.OutOrStdout(), m.Neurons)
				}
				return output(cmd, m, func(w io.Writer) { m.write(w, g.names(ctx)) })
			})
		},
	}
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print comma-separated values")
	return cmd
}

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
		Neurons: make([]console.Neuron, 0, len(r.Neurons)),
	}
	for i := range r.Neurons {
		m.Neurons = append(m.Neurons, console.NewNeuron(&r.Neurons[i]))
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
		t.add(fmt.Sprint(n.UID), displayKey(n.Hotkey, names), marks(&n), formatUnits(n.StakeAlpha, 3), formatUnits(n.StakeWeight, 3),
			fractionText(n.Incentive), fractionText(n.Dividends), fractionText(n.ValidatorTrust), "+"+formatUnits(n.EmissionAlpha, 3),
			blockText(n.LastUpdateHeight), prune, blockText(n.ImmuneUntilHeight), orDashText(n.Protocol))
	}
	t.write(w)
	fmt.Fprintln(w, "\nO owner, P permit (its weights count), A took part in the last epoch's consensus")
}

// marks are a neuron's properties as letters.
func marks(n *console.Neuron) string {
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
