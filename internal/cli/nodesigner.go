package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/cometbft/cometbft/privval"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/lodenet/lode/app/node"
)

func newNodeSignerCommand() *cobra.Command {
	var c node.SignerConfig
	cmd := &cobra.Command{
		Use:   "signer",
		Short: "Sign for a validator's node with a key that is not on its machine",
		Long: `Holds a validator's key and signs what its node asks for, until Ctrl-C. The node has no key then: its config.toml says
where it waits for the signer, in priv_validator_laddr, and --connect says the same here. The signer calls, and calls again
whenever the connection is lost; while it is away the validator signs nothing.

What was signed last is written to --state before the node has the signature, and no height, round and step is signed
twice. Use one signer only, and keep that file with the key: a copy from before would sign again what was signed since. With
--node, the signer asks a node of the chain at its start and refuses to begin with such a copy.

noise://ID@HOST:PORT authenticates both ends by the ids of ` + "`lode node signer-id`" + `; tcp:// encrypts, but neither end knows
whom it talks to: use it in a network of your own only. unix://PATH is for one machine.`,
		Example: `  lode node signer --key priv_validator_key.json --state priv_validator_state.json --connect tcp://10.0.0.5:26659 --chain-id lode-1
  lode node signer --key k.json --state s.json --connect noise://12D3Koo…@10.0.0.5:26659 --identity id.json --chain-id lode-1 --node http://10.0.0.5:26657`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, must := range []struct{ flag, value string }{
				{"--key FILE", c.KeyFile}, {"--state FILE", c.StateFile}, {"--connect ADDRESS", c.Connect}, {"--chain-id ID", c.ChainID},
			} {
				if must.value == "" {
					return fail(codeUsage, "see `lode node signer --help`", "`lode node signer` needs %s", must.flag)
				}
			}
			if list := globalsOf(cmd).node; list != "" {
				nodes, err := parseNodes(list)
				if err != nil {
					return err
				}
				c.Node = nodes[0]
			}
			c.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			s, err := node.StartSigner(cmd.Context(), c)
			switch {
			case errors.Is(err, node.ErrSignerRuns):
				return fail("signer_runs", "end the other one first", "%w", err)
			case errors.Is(err, node.ErrStateOld):
				return fail("state_old", "", "%w", err)
			case errors.Is(err, node.ErrNoServer):
				return fail("unavailable", "", "%w", err)
			case err != nil:
				return err
			}
			v := struct {
				Address string `json:"address"`
				ChainID string `json:"chain_id"`
				Connect string `json:"connect"`
			}{s.Address, c.ChainID, c.Connect}
			if err := output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "signs on %s for %s with the key of %s. Ctrl-C ends it\n", v.ChainID, v.Connect, v.Address)
			}); err != nil {
				return errors.Join(err, s.Stop())
			}
			<-cmd.Context().Done()
			return s.Stop()
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.KeyFile, "key", "", "the validator's key, a priv_validator_key.json")
	f.StringVar(&c.StateFile, "state", "", "the record of what was signed last, a priv_validator_state.json")
	f.BoolVar(&c.New, "new", false, "the key has never signed: begin a record")
	f.StringVar(&c.Connect, "connect", "", "where the node waits: tcp://HOST:PORT, noise://ID@HOST:PORT or unix://PATH")
	f.StringVar(&c.ChainID, "chain-id", "", "the chain; nothing is signed for another")
	f.StringVar(&c.Identity, "identity", "", "for noise://: the signer's own connection key; made where it is not there")
	return cmd
}

func newNodeSignerIDCommand() *cobra.Command {
	var identity string
	cmd := &cobra.Command{
		Use:   "signer-id",
		Short: "The id by which a node and its signer know each other",
		Long: `Shows the id that noise:// addresses begin with: that of the node in --home, which goes into the signer's --connect, or
with --identity that of a signer, which goes into the node's priv_validator_laddr. The file of a signer's connection key is
made where it is not there; it signs nothing of the chain.`,
		Example: `  lode node signer-id --home ~/.lode/node
  lode node signer-id --identity signer_id.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file := identity
			if file == "" {
				file = filepath.Join(nodeHome(cmd), "config", "node_key.json")
				if err := node.Check(nodeHome(cmd)); err != nil {
					return nodeError(err)
				}
			}
			id, err := node.SignerID(file)
			if err != nil {
				return err
			}
			v := struct {
				ID   string `json:"id"`
				File string `json:"file"`
			}{id, file}
			return output(cmd, v, func(w io.Writer) { fmt.Fprintln(w, v.ID) })
		},
	}
	cmd.Flags().StringVar(&identity, "identity", "", "a signer's connection key, instead of the node's")
	return cmd
}

// withSigner runs a node whose key a remote signer may have.
func withSigner(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		done, err := node.WithoutKey(server.GetServerContextFromCmd(cmd).Config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		err = run(cmd, args)
		if errors.Is(err, privval.ErrConnectionTimeout) {
			return fail("no_signer", "start `lode node signer` first: it waits for the node", "%w: %w", node.ErrNoSigner, err)
		}
		return err
	}
}

// ofKey is a command that reads the validator's key: CometBFT's reader would end the
// process where there is none.
func ofKey(c *cobra.Command) *cobra.Command {
	run := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := node.CheckKey(server.GetServerContextFromCmd(cmd).Config); err != nil {
			return fail("no_key", "ask the node: `lode node status` has validator_info", "%w", err)
		}
		return run(cmd, args)
	}
	return c
}
