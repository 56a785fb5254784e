package cli

import (
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/spf13/cobra"
)

// newEngineChildCommand is what Lode starts itself as, to run a model in a process of its
// own.
func newEngineChildCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "engine-child",
		Short:   "Run a model for the process that started this one",
		Hidden:  true,
		Example: "  lode engine-child",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return llama.ChildMain() },
	}
}
