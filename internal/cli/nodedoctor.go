package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/app/node"
)

func newNodeDoctorCommand() *cobra.Command {
	var data bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a node: what is wrong, and what to do",
		Long: `Examines a node's folder and, where it runs, the node: configuration, genesis, version, keys and who may read them, disk,
ports, clock, peers, whether it follows the chain, and whether the validator's VRF key is in force.

Name other nodes of the chain with --node: clock and blocks are compared with theirs. With --data all blocks and the whole
state of a node that is stopped are read, and their hashes computed anew: a wrong bit anywhere is found. Nothing is
changed. It ends with exit code 1 where a check failed; warnings alone don't.`,
		Example: `  lode node doctor
  lode node doctor --data
  lode node doctor --home net/node0 --node http://127.0.0.1:26667`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var others []string
			if list := globalsOf(cmd).node; list != "" {
				var err error
				if others, err = parseNodes(list); err != nil {
					return err
				}
			}
			found, err := node.Diagnose(cmd.Context(), nodeHome(cmd), others)
			if err != nil {
				return nodeError(err)
			}
			if data {
				found = append(found, node.ExamineData(nodeHome(cmd)))
			}
			if err := printFindings(cmd, found); err != nil {
				return err
			}
			failed := 0
			for _, f := range found {
				if f.State == node.Failed {
					failed++
				}
			}
			if failed > 0 {
				return fail("unhealthy", "the table says what to do", "%d of %d checks failed", failed, len(found))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&data, "data", false, "read all blocks and the whole state, too; takes long on a long chain")
	return cmd
}

// printFindings shows what is so, and below what is wrong what to do.
func printFindings(cmd *cobra.Command, found []node.Finding) error {
	v := struct {
		Home   string         `json:"home"`
		Checks []node.Finding `json:"checks"`
	}{nodeHome(cmd), found}
	return output(cmd, v, func(w io.Writer) {
		t := newColumns("check", "state", "what is so")
		for _, f := range found {
			t.add(f.Check, string(f.State), f.Says)
			if f.Do != "" {
				t.add("", "", "do: "+f.Do)
			}
		}
		t.write(w)
	})
}
