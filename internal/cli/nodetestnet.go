package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

func newNodeTestnetCommand() *cobra.Command {
	var (
		opts    node.TestnetOptions
		profile string
		dir     string
	)
	cmd := &cobra.Command{
		Use:   "testnet",
		Short: "Write the folders of a network of several validators on this machine",
		Long: `Writes the folders node0, node1, … of validators that are each other's peers on 127.0.0.1: one genesis, and for each its
configuration, ports and keys. Each operator bonds 100 TAO and has 1000 more; their keys validator-0, validator-1, … are in
the wallet of the same folder, with its passphrase: use it as --home of the other commands.

Each node takes ten ports: node0 the starting port for peers, then RPC, REST, gRPC and metrics; node1 ten further.
Blocks come once more than two thirds of the validators run. Each node makes a snapshot of the state every so many blocks,
for nodes that join with ` + "`lode node state-sync`" + `, and keeps as many as cover 5 minutes.`,
		Example: `  lode node testnet --validators 4 --output net
  lode node testnet --validators 7 --output net --starting-port 30000 --block-time 500ms --snapshot-interval 20`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			build, blockTime, err := profileOf(profile)
			if err != nil {
				return err
			}
			if opts.Build = build; !cmd.Flags().Changed("block-time") {
				opts.BlockTime = blockTime
			} else if opts.BlockTime <= 0 {
				return fail(codeUsage, "leave it out for the profile's", "--block-time %s: must be more than 0", opts.BlockTime)
			}
			if dir == "" {
				return fail(codeUsage, "add --output DIR, a folder that is empty or not there yet", "`lode node testnet` writes a folder: --output is missing")
			}
			opts.Operators = makeOperators
			nodes, err := node.Testnet(dir, opts)
			if err != nil {
				return nodeError(err)
			}
			return printTestnet(cmd, dir, opts.ChainID, nodes)
		},
	}
	f := cmd.Flags()
	f.IntVar(&opts.Validators, "validators", 4, fmt.Sprintf("how many, 1 to %d", node.MaxTestnet))
	f.StringVar(&dir, "output", "", "folder to write, which must be empty or not be there")
	f.StringVar(&opts.ChainID, "chain-id", "lode-test-1", "the chain's id")
	f.IntVar(&opts.StartingPort, "starting-port", 26656, "node0's first port")
	f.StringVar(&profile, "profile", "local", "parameters of the chain: local or mainnet")
	f.Int64Var(&opts.SnapshotInterval, "snapshot-interval", 100, "blocks between two snapshots of the state, which every node serves (0: none)")
	f.DurationVar(&opts.BlockTime, "block-time", 0, "the chain's target (default: the profile's, 1s or 3s)")
	return cmd
}

// makeOperators makes a wallet with a random passphrase beside it, as `lode up` does,
// and a key for each name.
func makeOperators(dir string, names []string) (addresses []string, err error) {
	pass, err := localnet.Passphrase(dir)
	if err != nil {
		return nil, err
	}
	w, err := wallet.Open(localnet.WalletDir(dir), func(bool) (string, error) { return pass, nil })
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		key, _, err := w.Create(name, wallet.Coldkey)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, key.Address)
	}
	return addresses, nil
}

type testnetNodeJSON struct {
	Home     string `json:"home"`
	NodeID   string `json:"node_id"`
	Operator string `json:"operator"`
	Key      string `json:"key"` // the operator's, in the folder's wallet
	P2P      string `json:"p2p"`
	RPC      string `json:"rpc"`
	REST     string `json:"rest"`
	GRPC     string `json:"grpc"`
	Start    string `json:"start"`
}

func printTestnet(cmd *cobra.Command, dir, chainID string, nodes []node.TestnetNode) error {
	v := struct {
		ChainID string            `json:"chain_id"`
		Home    string            `json:"home"` // with the wallet
		Nodes   []testnetNodeJSON `json:"nodes"`
	}{ChainID: chainID, Home: dir}
	for i, n := range nodes {
		home := filepath.Join(dir, filepath.Base(n.Home))
		v.Nodes = append(v.Nodes, testnetNodeJSON{
			Home: home, NodeID: n.NodeID, Operator: n.Operator, Key: fmt.Sprintf("validator-%d", i),
			P2P: n.P2P, RPC: "http://" + n.RPC, REST: "http://" + n.REST, GRPC: n.GRPC,
			Start: "lode node start --home " + shellWord(home),
		})
	}
	return output(cmd, v, func(w io.Writer) {
		t := newColumns("node", "peers", "RPC", "REST", "gRPC", "operator")
		for _, n := range v.Nodes {
			t.add(filepath.Base(n.Home), n.P2P, n.RPC, n.REST, n.GRPC, displayKey(n.Operator, map[string]string{n.Operator: n.Key}))
		}
		t.write(w)
		fmt.Fprintf(w, "\nstart each in a terminal of its own; blocks come once %d of them run:\n", len(nodes)*2/3+1)
		for _, n := range v.Nodes {
			fmt.Fprintf(w, "  %s\n", n.Start)
		}
		fmt.Fprintf(w, "\nthe operators' keys: lode wallet list --home %s\n", shellWord(dir))
	})
}

// shellWord is a word as a shell takes it for one.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./~+:@%", r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
