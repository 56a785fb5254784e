package cli

import (
	"fmt"
	"io"
	"runtime"

	"github.com/lodenet/lode/app"
	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  lode version
  lode version --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{app.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "lode %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch) })
		},
	}
}
