package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

func newNodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node of the chain alone",
		Long: `Runs a node of the chain alone: no subnet, no miner. These are the SDK's server commands with this chain's
application; a node's configuration is in HOME/config. Its home is another than that of ` + "`lode up`" + `, whose own node
is in ~/.lode/local/node.

Make a chain of your own with ` + "`init --operator`" + `; join one that there is with ` + "`init --peers`" + ` and ` + "`import`" + `, from a
snapshot with ` + "`state-sync`" + `.`,
		Example: `  lode node init --chain-id lode-local-1 --operator lode1… --account lode1…=1000
  lode node start --check-invariants 1
  lode node export --output-document genesis.json
  lode node import genesis.json --home ~/.lode/other`,
	}
	cmd.PersistentFlags().String("home", app.DefaultHome, "the node's folder")
	cmd.AddCommand(newNodeInitCommand(), newNodeTestnetCommand(), newNodeDoctorCommand(), newNodeImportCommand(), newNodeStateSyncCommand(), newNodeSignerCommand(), newNodeSignerIDCommand(), newNodeExportCommand(), newVRFKeyCommand())
	cmd.AddCommand(newServerCommands()...)
	return cmd
}

func newNodeInitCommand() *cobra.Command {
	var (
		g        app.Genesis
		profile  string
		accounts []string
		operator string
		bond     string
		role     string
		settings node.Settings
	)
	cmd := &cobra.Command{
		Use:   "init [MONIKER]",
		Short: "Make a node's folder, and with --operator a chain of one validator",
		Long: `Makes a node's configuration and keys. With --operator it also makes the genesis of a new chain, whose only validator
is this node; without, the folder waits for the genesis of a chain: ` + "`lode node import FILE`" + `.

The genesis holds balances and the validator, nothing else. Give the operator's address as an account's (lode1…):
if it is a hotkey, the bond is its root stake.

--role says what the node is for, and so what it keeps: a validator little; full, the default, recent states, all blocks,
an index and snapshots for those who join; an archive everything; a seed as little as a validator, and tells nodes of each
other.`,
		Example: `  lode node init --chain-id lode-local-1 --operator lode1… --self-bond 10 --account lode1…=1000
  lode node init my-node --profile mainnet --role validator --peers 1f0e…@203.0.113.7:26656
  lode node init my-seed --role seed --peers 1f0e…@203.0.113.7:26656`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, moniker := nodeHome(cmd), "lode"
			if len(args) > 0 {
				moniker = args[0]
			}
			build, blockTime, err := profileOf(profile)
			if err != nil {
				return err
			}
			if g.BlockTime > 0 {
				blockTime = g.BlockTime
			}
			if g.Balances, err = parseAccounts(accounts); err != nil {
				return err
			}
			v := app.Validator{Operator: operator, Moniker: moniker}
			if v.SelfBond, err = parseTAO(bond, "--self-bond"); err != nil {
				return err
			}
			if operator == "" && len(accounts) > 0 {
				return fail(codeUsage, "add --operator lode1…", "--account is for a new chain, which needs a validator")
			}
			if settings.Role, err = node.ParseRole(role); err != nil {
				return fail(codeUsage, "", "--role: %w", err)
			}
			settings.Moniker, settings.BlockTime = moniker, blockTime
			if err := settings.Check(); err != nil {
				return fail(codeUsage, "", "%w", err)
			}
			if operator == "" {
				_, err = node.Prepare(home, settings)
			} else {
				g.Time = time.Now()
				err = node.Begin(home, settings, build, g, v)
			}
			if err != nil {
				return nodeError(err)
			}
			return printNode(cmd, home, operator == "")
		},
	}
	f := cmd.Flags()
	f.StringVar(&g.ChainID, "chain-id", "lode-local-1", "the new chain's id")
	f.StringVar(&profile, "profile", "local", "parameters of the chain: local or mainnet")
	f.DurationVar(&g.BlockTime, "block-time", 0, "the chain's target (default: the profile's, 1s or 3s)")
	f.StringVar(&operator, "operator", "", "account that operates the validator: begins a new chain")
	f.StringVar(&bond, "self-bond", "10", "what the validator bonds, in TAO")
	f.StringVar(&role, "role", string(node.RoleFull), "what the node is for: validator, full, archive or seed")
	f.Int64Var(&settings.SnapshotInterval, "snapshot-interval", 0, "blocks between two snapshots of the state (0: as the role has it, -1: none)")
	f.StringSliceVar(&settings.Peers, "peers", nil, "nodes to stay connected to, ID@HOST:PORT,…")
	f.StringSliceVar(&settings.Seeds, "seeds", nil, "nodes to learn others' addresses from, ID@HOST:PORT,…")
	f.StringArrayVar(&accounts, "account", nil, "an account's balance at genesis, ADDRESS=TAO; may be given more than once")
	return cmd
}

func newNodeImportCommand() *cobra.Command {
	var moniker string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a node that begins with a genesis file, for example an exported one",
		Long: `Checks a genesis file and makes the folder of a node that begins with it. Configuration and keys that are in the folder
already are kept: to go on as a validator of the genesis, put its priv_validator_key.json and vrf_key.json into HOME/config
first.
What an import makes of an exported file exports to the same file.`,
		Example: `  lode node export --output-document genesis.json
  lode node import genesis.json --home ~/.lode/other
  lode node export --home ~/.lode/other | cmp - genesis.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home := nodeHome(cmd)
			if err := node.Import(home, moniker, args[0]); err != nil {
				return nodeError(err)
			}
			return printNode(cmd, home, false)
		},
	}
	cmd.Flags().StringVar(&moniker, "moniker", "lode", "the node's name")
	return cmd
}

func newNodeExportCommand() *cobra.Command {
	var (
		height int64
		to     string
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the chain's state as a genesis file",
		Long: `Writes the state of a node that is not running as the genesis of a chain that goes on at the next height. Of a node that
has made no block yet, it is the state that its genesis begins with.`,
		Example: `  lode node export > genesis.json
  lode node export --height 1000 --output-document genesis.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if height < 0 {
				return fail(codeUsage, "leave --height out for the last block", "--height %d is no block", height)
			}
			genesis, err := node.Export(nodeHome(cmd), height)
			if err != nil {
				return nodeError(err)
			}
			raw, err := node.MarshalGenesis(genesis)
			if err != nil {
				return err
			}
			if to != "" {
				return os.WriteFile(to, raw, 0o644)
			}
			_, err = cmd.OutOrStdout().Write(raw)
			return err
		},
	}
	cmd.Flags().Int64Var(&height, "height", 0, "block to export (0: the last)")
	cmd.Flags().StringVar(&to, "output-document", "", "file to write (default: standard output)")
	return cmd
}

// nodeError gives errors of nodes their codes.
func nodeError(err error) error {
	switch {
	case errors.Is(err, node.ErrNoNode):
		return fail("no_node", "", "%w", err)
	case errors.Is(err, node.ErrExists):
		return fail("node_exists", "", "%w", err)
	}
	return err
}

// nodeHome is the folder of the node that a command is about.
func nodeHome(cmd *cobra.Command) string {
	home, err := cmd.Flags().GetString("home")
	if err != nil {
		return app.DefaultHome
	}
	return home
}

type buildGenesis = func(app.Genesis) (*genesisFile, error)

func profileOf(name string) (buildGenesis, time.Duration, error) {
	switch name {
	case "local":
		return app.LocalGenesis, time.Second, nil
	case "mainnet":
		return app.MainnetGenesis, 3 * time.Second, nil
	}
	return nil, 0, fail(codeUsage, "", "--profile %q: local or mainnet", name)
}

func parseAccounts(list []string) ([]app.Balance, error) {
	var out []app.Balance
	for _, a := range list {
		addr, amount, ok := strings.Cut(a, "=")
		if !ok {
			return nil, fail(codeUsage, "write it like lode1…=1000", "--account %q is not ADDRESS=TAO", a)
		}
		rao, err := parseTAO(amount, "--account "+addr)
		if err != nil {
			return nil, err
		}
		out = append(out, app.Balance{Address: addr, Rao: rao})
	}
	return out, nil
}

// printNode says what was made.
func printNode(cmd *cobra.Command, home string, waits bool) error {
	cfg := cmtcfg.DefaultConfig().SetRoot(home)
	key, err := p2p.LoadNodeKey(cfg.NodeKeyFile())
	if err != nil {
		return err
	}
	v := struct {
		Home    string `json:"home"`
		NodeID  string `json:"node_id"`
		Genesis bool   `json:"genesis"`
	}{home, string(key.ID()), !waits}
	return output(cmd, v, func(w io.Writer) {
		facts(w, "home", v.Home, "node id", v.NodeID)
		next := "lode node start --home " + home
		if waits {
			next = "lode node import GENESIS --home " + home
		}
		fmt.Fprintf(w, "\nnext: %s\n", next)
	})
}

// withServer prepares the SDK's server commands: they read configuration and
// client settings from the command's context.
func withServer(cmd *cobra.Command, _ []string) error {
	home := nodeHome(cmd)
	if err := node.Check(home); err != nil {
		return nodeError(err)
	}
	// The SDK would take LODE_HOME, which is the local network's, for the node's.
	if err := cmd.Flags().Set("home", home); err != nil {
		return err
	}
	enc := app.MakeEncodingConfig()
	clientCtx := client.Context{}.WithCodec(enc.Codec).WithInterfaceRegistry(enc.InterfaceRegistry).
		WithTxConfig(enc.TxConfig).WithLegacyAmino(enc.Amino).WithHomeDir(home).WithInput(cmd.InOrStdin()).WithOutput(cmd.OutOrStdout())
	ctx := context.WithValue(cmd.Context(), client.ClientContextKey, &clientCtx)
	ctx = context.WithValue(ctx, server.ServerContextKey, server.NewDefaultContext())
	cmd.SetContext(ctx)
	err := server.InterceptConfigsPreRunHandler(cmd, "", nil, cmtcfg.DefaultConfig())
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("the node's folder %s can't be read: %w", home, err)
	}
	return err
}
