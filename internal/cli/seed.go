package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/spf13/cobra"

	"github.com/lodenet/lode/client"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

const seedLong = `Fetches a past block and recomputes its seed from it: that the block is whole, that it begins with its proposer's VRF
proof over chain id, height and the seed before, and that the seed follows. Without a block it is the last one.

What it takes from the node, and says so: that the block with this hash was decided, the seed before it, and which VRF key
was its proposer's. To rely on no single node, ask several (--node) and compare hash and seed.`

func newSeedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "seed [HEIGHT]",
		Short: "Verify the randomness of a block by itself",
		Long:  seedLong,
		Example: `  lode seed 100
  lode seed 100 --json | jq -r .seed
  lode seed`,
		Args: cobra.MaximumNArgs(1),
		RunE: runSeed,
	}
}

// addSeedQuery lets `lode query seed HEIGHT` verify a seed, beside the module's
// queries.
func addSeedQuery(query *cobra.Command) {
	for _, c := range query.Commands() {
		if c.Name() == seedtypes.ModuleName {
			c.Use, c.Long, c.Args = "seed [HEIGHT]", seedLong+"\n\nWithout a block it lists the module's own queries.", cobra.MaximumNArgs(1)
			c.Example = "  lode query seed 100\n" + c.Example
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					return cmd.Help()
				}
				return runSeed(cmd, args)
			}
		}
	}
}

// seedJSON is a verified seed; bytes are hexadecimal.
type seedJSON struct {
	Height       int64    `json:"height"`
	ChainID      string   `json:"chain_id"`
	Seed         string   `json:"seed"`
	Previous     string   `json:"previous"`
	PreviousFrom string   `json:"previous_from"` // block, genesis, none: what previous was compared with
	Proved       bool     `json:"proved"`
	Unproved     *string  `json:"unproved"` // why it counts as a block without a proof; null: it proved, or had no key to
	Beta         string   `json:"beta"`
	Proof        *string  `json:"proof"`
	Key          *string  `json:"key"`      // the proposer's VRF key in force
	Operator     *string  `json:"operator"` // the account that operates the proposer
	Proposer     string   `json:"proposer"` // its consensus address
	BlockHash    string   `json:"block_hash"`
	Verified     bool     `json:"verified"`
	Trusted      []string `json:"trusted"` // what was taken from the node
}

func runSeed(cmd *cobra.Command, args []string) error {
	g := globalsOf(cmd)
	var height int64
	if len(args) > 0 {
		h, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || h < 1 {
			return fail(codeUsage, "give a block, a number from 1 up", "%q is no block", args[0])
		}
		height = h
	}
	return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
		if height == 0 {
			latest, err := c.Seed().LatestSeed(ctx, &seedtypes.QueryLatestSeedRequest{})
			if err != nil {
				return err
			}
			height = latest.Seed.Height
		}
		checked, err := c.VerifySeed(ctx, height)
		if err != nil {
			return err
		}
		v := newSeedJSON(checked)
		return output(cmd, v, func(w io.Writer) { v.write(w, g.names(ctx)) })
	})
}

func newSeedJSON(c client.VerifiedSeed) seedJSON {
	s := c.Seed
	v := seedJSON{
		Height: s.Height, ChainID: c.ChainID, Seed: hexText(s.Seed), Previous: hexText(s.Previous), PreviousFrom: string(c.Anchor),
		Proved: s.Proved(), Unproved: textOrNull(c.Unproved), Beta: hexText(c.Beta), Proof: textOrNull(hexText(s.Proof)), Key: textOrNull(hexText(s.Key)),
		Operator: textOrNull(s.Operator), Proposer: sdk.ConsAddress(s.Proposer).String(), BlockHash: fmt.Sprintf("%X", c.BlockHash), Verified: true,
		Trusted: []string{"the block with this hash was decided"},
	}
	if s.Key != nil {
		v.Trusted = append(v.Trusted, "the key was the proposer's")
	} else {
		v.Trusted = append(v.Trusted, "the proposer had no key in force")
	}
	if c.Anchor != client.AnchorGenesis {
		v.Trusted = append(v.Trusted, "the seed before")
	}
	return v
}

func (v seedJSON) write(w io.Writer, names map[string]string) {
	proposer := v.Proposer
	if v.Operator != nil {
		proposer += ", operated by " + displayKey(*v.Operator, names)
	}
	before := map[string]string{
		string(client.AnchorBlock):   fmt.Sprintf("%s, that of block %d", v.Previous, v.Height-1),
		string(client.AnchorGenesis): v.Previous + ", with which the chain began",
		string(client.AnchorNone):    v.Previous + ", which is no longer kept by itself",
	}[v.PreviousFrom]
	facts(w, "block", fmt.Sprintf("%d of %s", v.Height, v.ChainID), "hash", v.BlockHash, "proposer", proposer, "seed before", before)
	switch {
	case v.Proved:
		facts(w, "VRF key    ", *v.Key, "proof      ", *v.Proof, "seed       ", v.Seed)
		fmt.Fprintln(w, "\nverified: the block begins with this proof, it is the key's over chain id, height and the seed before, and the seed follows from it")
	case v.Unproved != nil:
		facts(w, "seed       ", v.Seed)
		fmt.Fprintf(w, "\nverified: the block holds no valid proof (%s), 32 zero bytes stand for it, and the seed follows\n", *v.Unproved)
	default:
		facts(w, "seed       ", v.Seed)
		fmt.Fprintln(w, "\nverified: the block holds an empty proof, as it must of a proposer without a key in force; 32 zero bytes stand for it, and the seed follows")
	}
	fmt.Fprint(w, "trusted, as the node says it:")
	for i, t := range v.Trusted {
		if i > 0 {
			fmt.Fprint(w, ";")
		}
		fmt.Fprint(w, " ", t)
	}
	fmt.Fprintln(w)
}

func hexText(b []byte) string { return fmt.Sprintf("%x", b) }

// textOrNull is null where there is nothing.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
