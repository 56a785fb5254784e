package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/lodenet/lode/subnets/inference/fidelity"
	"github.com/lodenet/lode/subnets/inference/models"
	"github.com/spf13/cobra"
)

// models is the home's library of language models.
func (g *globals) models() *models.Library { return models.Open(filepath.Join(g.home, "models")) }

func newModelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Language models: the files that miners run and validators judge by",
		Long: `A model is a GGUF file, known by its digest (SHA-256): two files of one model at different precision are two models. The
library is the folder models in --home. Wherever a command takes a MODEL, it is the path of a file, a name, or the beginning
of a digest, 6 characters or more.`,
		Example: "  lode model add mistral-7b-Q4_K_M.gguf\n  lode model calibrate mistral\n  lode model list",
	}
	cmd.AddCommand(newModelListCommand(), newModelAddCommand(), newModelCalibrateCommand(), newModelRemoveCommand())
	return cmd
}

// modelJSON is a model as programs see it.
type modelJSON struct {
	models.Model
	Path       string              `json:"path"`
	Thresholds fidelity.Thresholds `json:"thresholds"`
}

func describeModel(l *models.Library, m models.Model) (modelJSON, error) {
	t, err := l.Thresholds(m.Digest)
	return modelJSON{m, m.Path, t}, err
}

// thresholdsText says where thresholds come from.
func thresholdsText(t fidelity.Thresholds) string {
	if t.Measured == nil {
		return "defaults: calibrate it"
	}
	return fmt.Sprintf("%s, %s tokens", t.Measured.At.Format(time.DateOnly), grouped(uint64(t.Measured.Tokens)))
}

func newModelListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the models of the library",
		Example: "  lode model list\n  lode model list --json | jq -r '.models[].digest'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := globalsOf(cmd).models()
			all, errs := l.List()
			v := struct {
				Dir    string      `json:"dir"`
				Models []modelJSON `json:"models"`
			}{l.Dir(), []modelJSON{}}
			for _, m := range all {
				one, err := describeModel(l, m)
				errs = errors.Join(errs, err)
				v.Models = append(v.Models, one)
			}
			err := output(cmd, v, func(w io.Writer) {
				if len(v.Models) == 0 {
					fmt.Fprintf(w, "no models in %s: `lode model add FILE.gguf` adds one\n", l.Dir())
					return
				}
				t := newColumns("model", "digest", ">size", "calibrated", "file")
				for _, m := range v.Models {
					t.add(m.Name, m.Short(), bytesText(m.Bytes), thresholdsText(m.Thresholds), m.File)
				}
				t.write(w)
			})
			return errors.Join(err, errs)
		},
	}
}

func newModelAddCommand() *cobra.Command {
	var o models.AddOptions
	cmd := &cobra.Command{
		Use:   "add FILE.gguf",
		Short: "Copy a model's file into the library",
		Long: `Copies a GGUF file into the library under its digest, and prints that. A file that is cut off or damaged is refused. With
--link it takes no room where the library is on the same file system; the file must not be changed any more, then.`,
		Example: "  lode model add mistral-7b-Q4_K_M.gguf\n  lode model add --link ~/models/big.gguf",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l := globalsOf(cmd).models()
			bar := newProgressBar(cmd.ErrOrStderr(), globalsOf(cmd).json)
			o.Progress = func(done, total int64) {
				if bar.live {
					bar.say(fmt.Sprintf("%s %s of %s", barOf(done, total), bytesText(done), bytesText(total)))
				}
			}
			m, err := l.Add(cmd.Context(), args[0], o)
			bar.end()
			if err != nil {
				return err
			}
			v, err := describeModel(l, m)
			if err != nil {
				return err
			}
			return output(cmd, v, func(w io.Writer) {
				facts(w, "model", m.Name, "digest", m.Digest, "size", bytesText(m.Bytes), "file", m.Path, "calibrated", thresholdsText(v.Thresholds))
			})
		},
	}
	cmd.Flags().BoolVar(&o.Link, "link", false, "make a hard link in place of a copy")
	return cmd
}

func newModelRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove MODEL",
		Short:   "Remove a model and its thresholds from the library",
		Long:    `Removes a model from the library, with the thresholds that it was calibrated to. The file that it was copied from stays.`,
		Example: "  lode model remove mistral\n  lode model remove f8270e7285aa",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l := globalsOf(cmd).models()
			digest, name, err := l.Resolve(args[0])
			if err != nil {
				return err
			}
			if err := l.Remove(digest); err != nil {
				return err
			}
			v := struct {
				Digest string `json:"digest"`
			}{digest}
			return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "removed %s %s\n", name, digest[:12]) })
		},
	}
}
