package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lodenet/lode/lab"
	"github.com/spf13/cobra"
)

func newLabCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "lab",
		Short:   "Try an incentive mechanism before paying for it",
		Example: "  lode lab epoch scenario.json\n  lode lab attack cabal",
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(newLabEpochCommand(), newLabAttackCommand())
	return cmd
}

func newLabEpochCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "epoch FILE.json",
		Short: "Run a scenario of Yuma Consensus: stakes and weights, epoch by epoch",
		Long: `Runs a scenario through the code that the chain runs, and prints what each epoch gives: incentive and
dividends, consensus, the validators' trust and bonds, and everybody's part of the epoch's pot.

The file holds params (hyperparameters; the chain's defaults where left out), stakes (one for each uid) and
epochs, each with the weights that validators set before it, {"UID": [[uid, value up to 65535], …]}. A validator
that is left out keeps its row; an epoch without weights keeps them all. - reads standard input.`,
		Example: `  lode lab epoch scenario.json
  lode lab epoch scenario.json --json | jq '.epochs[-1].dividends'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readScenario(cmd, args[0])
			if err != nil {
				return err
			}
			scenario, err := lab.Parse(text)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if len(scenario.Unread) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: an epoch does not depend on %s: ignored\n", args[0], strings.Join(scenario.Unread, ", "))
			}
			result, err := lab.Run(scenario)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if globalsOf(cmd).json {
				return printJSON(cmd, result)
			}
			return result.Table(cmd.OutOrStdout())
		},
	}
}

func readScenario(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(path) // its error names the file
}
