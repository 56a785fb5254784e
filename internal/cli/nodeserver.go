package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/server"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

// genesisFile is a genesis as its file has it.
type genesisFile = genutiltypes.AppGenesis

// newServerCommands are the SDK's, run with this chain's application.
func newServerCommands() []*cobra.Command {
	h := newHalt()
	metrics := new(startMetrics)
	start := server.StartCmdWithOptions(metrics.measuring(h.starting), app.DefaultHome, server.StartCmdOptions{
		DBOpener:  node.OpenState,
		PostSetup: metrics.serve,
		AddFlags: func(cmd *cobra.Command) {
			metrics.addFlag(cmd)
			cmd.Flags().Int64(app.FlagCheckInvariants, 0, "check the chain's invariants every so many blocks, and stop where one is broken (0: never)")
			cmd.Flags().String(app.FlagVRFKeyFile, "", "file with the validator's VRF keys (default HOME/config/vrf_key.json)")
			// The SDK's own program adds these to its root command.
			cmd.Flags().String(flags.FlagLogLevel, "info", "trace, debug, info, warn, error, disabled, or pairs of MODULE:LEVEL")
			cmd.Flags().String(flags.FlagLogFormat, flags.OutputFormatText, "text or json")
			cmd.Flags().Bool(flags.FlagLogNoColor, false, "leave colours out of the log")
		},
	})
	start.RunE = h.watch(start.RunE)
	start.Short = "Run the node"
	start.Example = `  lode node start
  lode node start --check-invariants 100 --home ~/.lode/node`

	status := server.StatusCommand()
	status.Short = "Ask a node for its status"
	status.Example = "  lode node status --node tcp://127.0.0.1:26657"
	ask := status.RunE
	status.RunE = func(cmd *cobra.Command, args []string) error {
		err := ask(cmd, args)
		if err != nil {
			return fail("unavailable", "start it with `lode node start`, or name another with --node tcp://HOST:PORT", "the node does not answer: %w", err)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout())
		return err
	}

	comet := group("comet", "Keys and version of the consensus engine", "  lode node comet show-node-id",
		example(server.ShowNodeIDCmd(), "  lode node comet show-node-id"),
		example(ofKey(server.ShowValidatorCmd()), "  lode node comet show-validator"),
		example(ofKey(server.ShowAddressCmd()), "  lode node comet show-address"),
		example(server.VersionCmd(), "  lode node comet version"),
	)
	snapshots := group("snapshots", "Snapshots of the state, for nodes that join", "  lode node snapshots list",
		&cobra.Command{
			Use: "list", Short: "List the snapshots that the node has", Example: "  lode node snapshots list", Args: cobra.NoArgs,
			RunE: snapshot.ListSnapshotsCmd.RunE,
		},
		example(snapshot.RestoreSnapshotCmd(opened), "  lode node snapshots restore 1000 3"),
		example(snapshot.ExportSnapshotCmd(opened), "  lode node snapshots export --height 1000"),
		example(snapshot.DumpArchiveCmd(), "  lode node snapshots dump 1000 3 --output snapshot.tar.gz"),
		example(snapshot.LoadArchiveCmd(), "  lode node snapshots load snapshot.tar.gz"),
		example(snapshot.DeleteSnapshotCmd(), "  lode node snapshots delete 1000 3"),
	)
	cmds := []*cobra.Command{
		start, comet, snapshots,
		example(server.NewRollbackCmd(opened, app.DefaultHome), "  lode node rollback"),
		example(pruning.Cmd(opened, app.DefaultHome), "  lode node prune custom --pruning-keep-recent 100"),
	}
	for _, c := range cmds {
		onRun(c, withServer, h.wrap)
	}
	start.RunE = withSigner(told(start.RunE))
	metrics.configured(start)
	return append(cmds, status)
}

func group(use, short, ex string, cmds ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: ex}
	c.AddCommand(cmds...)
	return c
}

func example(c *cobra.Command, ex string) *cobra.Command {
	c.Example = ex
	return c
}

// onRun runs something before a command and each below it, and wraps what they run.
func onRun(c *cobra.Command, before func(*cobra.Command, []string) error, wrap func(*cobra.Command)) {
	if c.RunE != nil {
		c.PreRunE = before
		wrap(c)
	}
	for _, sub := range c.Commands() {
		onRun(sub, before, wrap)
	}
}
