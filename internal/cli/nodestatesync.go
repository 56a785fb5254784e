package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/app/node"
)

func newNodeStateSyncCommand() *cobra.Command {
	var (
		opts    node.StateSyncOptions
		servers string
	)
	cmd := &cobra.Command{
		Use:   "state-sync",
		Short: "Let a new node begin with a snapshot that its peers have",
		Long: `Writes the configuration with which a node that has no block yet begins with a snapshot of the state, and not with the
genesis: it has the chain's state within a minute, and no block from before.

The servers of --rpc must be different nodes of the chain and agree on a block to trust. From there on the node believes
what the chain's validators signed, and it verifies the snapshot by that; its peers, who send it, need no trust. With
--trust-height and --trust-hash, taken from a source of your own, the servers need no trust either, and one is enough.

Where the configuration names no peer and no seed, the servers' own nodes become the peers.`,
		Example: `  lode node state-sync --rpc http://a.example.org:26657,http://b.example.org:26657
  lode node state-sync --rpc http://127.0.0.1:26657 --trust-height 4000 --trust-hash 5D2C… --home ~/.lode/second`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if servers == "" {
				return fail(codeUsage, "name two nodes of the chain: --rpc http://HOST:26657,http://HOST:26657", "`lode node state-sync` asks servers for a block to trust: --rpc is missing")
			}
			if opts.Servers = nil; strings.Trim(servers, ", ") != "" {
				for _, one := range strings.Split(servers, ",") {
					opts.Servers = append(opts.Servers, strings.TrimSpace(one))
				}
			}
			home := nodeHome(cmd)
			trust, err := node.PrepareStateSync(cmd.Context(), home, opts)
			switch {
			case errors.Is(err, node.ErrHasBlocks):
				return fail("node_exists", "", "%w", err)
			case errors.Is(err, node.ErrDisagree):
				return fail("servers_disagree", "find out which of them is right before you go on", "%w", err)
			case errors.Is(err, node.ErrNoSnapshot):
				return fail("no_snapshot", "", "%w", err)
			case errors.Is(err, node.ErrNoServer):
				return fail("unavailable", "", "%w", err)
			case err != nil:
				return nodeError(err)
			}
			return printTrust(cmd, home, trust)
		},
	}
	f := cmd.Flags()
	f.StringVar(&servers, "rpc", "", "CometBFT RPC servers of the chain, URL,URL: two, or one with --trust-hash")
	f.Int64Var(&opts.TrustHeight, "trust-height", 0, "the block to trust (default: chosen)")
	f.StringVar(&opts.TrustHash, "trust-hash", "", "its hash, from a source that you trust (default: what all servers say)")
	f.DurationVar(&opts.TrustPeriod, "trust-period", 0, "for how long after a block its validators' word counts (default: two thirds of the chain's unbonding time, at least 1h)")
	return cmd
}

// printTrust says what the node will believe, and why.
func printTrust(cmd *cobra.Command, home string, t node.Trust) error {
	v := struct {
		Home        string   `json:"home"`
		ChainID     string   `json:"chain_id"`
		TrustHeight int64    `json:"trust_height"`
		TrustHash   string   `json:"trust_hash"`
		TrustTime   string   `json:"trust_time"`
		TrustPeriod string   `json:"trust_period"`
		Given       bool     `json:"given"` // by the operator; else the servers'
		Servers     []string `json:"servers"`
		Peers       []string `json:"peers"`
		Snapshots   []int64  `json:"snapshots"` // heights; empty where no peer could be asked
	}{
		home, t.ChainID, t.Height, t.Hash, t.Time.UTC().Format(time.RFC3339), t.Period.String(), t.Given,
		t.Servers, append([]string{}, t.Peers...), append([]int64{}, t.Snapshots...),
	}
	return output(cmd, v, func(w io.Writer) {
		source := fmt.Sprintf("all %d servers say so: compare it with another source", len(t.Servers))
		if t.Given {
			source = "as you gave it"
		}
		snapshots := "unknown: only seeds are configured, which have none"
		if len(t.Snapshots) > 0 {
			heights := make([]string, 0, len(t.Snapshots))
			for _, h := range t.Snapshots[:min(len(t.Snapshots), 5)] {
				heights = append(heights, fmt.Sprint(h))
			}
			if more := len(t.Snapshots) - len(heights); more > 0 {
				heights = append(heights, fmt.Sprintf("%d more", more))
			}
			snapshots = "of block " + strings.Join(heights, ", ")
		}
		peers := strings.Join(t.Peers, ", ")
		if t.NewPeers {
			peers += " (the servers' own nodes)"
		}
		rows := []string{
			"chain", t.ChainID,
			"trusts", fmt.Sprintf("block %d of %s, %s", t.Height, t.Time.UTC().Format(time.DateTime), source),
			"its hash", t.Hash,
			"until", fmt.Sprintf("%s: later, run this command again", t.Time.Add(t.Period).UTC().Format(time.DateTime)),
			"snapshots", snapshots,
		}
		if peers != "" {
			rows = append(rows, "peers", peers)
		}
		facts(w, rows...)
		fmt.Fprintf(w, "\nThe node believes that block, and then what two thirds of the chain's validators signed; it never sees the blocks before\nthe snapshot. next: lode node start --home %s\n", shellWord(home))
	})
}
