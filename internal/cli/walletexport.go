package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func newWalletExportCommand() *cobra.Command {
	var out, passphraseFile string
	var asHex bool
	cmd := &cobra.Command{
		Use:   "export NAME",
		Short: "Write a key out of the wallet, after asking",
		Long: `Writes a key into a file (--out) or to standard output, as the Cosmos SDK's tools do: encrypted with a passphrase of its own,
which is asked for twice. --hex writes the bare private key instead: whoever sees it has all that the key owns.

It asks first: answer with the key's name, also where no terminal is there to ask (the first line of standard input). A mnemonic can't be
exported: the wallet does not keep it.`,
		Example: `  lode wallet export alice --out alice.asc
  lode wallet export alice --hex`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, which must not exist yet")
	cmd.Flags().StringVar(&passphraseFile, "key-passphrase-file", "", "file with the passphrase that the exported key gets (else a prompt)")
	cmd.Flags().BoolVar(&asHex, "hex", false, "the bare private key, in hexadecimal")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		k, err := g.key(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%q (%s) leaves the wallet, encrypted. ", k.Name, k.Address)
		if asHex {
			what = fmt.Sprintf("%q (%s) leaves the wallet, bare: who sees it has all that it owns. ", k.Name, k.Address)
		}
		if err := g.confirmName(cmd.Context(), what, k.Name); err != nil {
			return err
		}
		w, err := g.openWallet(cmd.Context())
		if err != nil {
			return err
		}
		var text string
		if asHex {
			if text, err = w.ExportHex(k.Name); err != nil {
				return err
			}
			text += "\n"
		} else {
			pass, err := g.newKeyPassphrase(cmd, passphraseFile)
			if err != nil {
				return err
			}
			if text, err = w.Export(k.Name, pass); err != nil {
				return err
			}
		}
		v := struct {
			Name    string  `json:"name"`
			Address string  `json:"address"`
			File    *string `json:"file"` // null: it is in key
			Key     *string `json:"key"`
		}{Name: k.Name, Address: k.Address}
		if out == "" {
			v.Key = &text
			return output(cmd, v, func(w io.Writer) { fmt.Fprint(w, text) })
		}
		v.File = &out
		if err := writeNew(out, []byte(text)); err != nil {
			return err
		}
		return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "%s is in %s\n", k.Name, out) })
	}
	return cmd
}

// confirmName asks for a key's name, for what can't be undone. --yes is no answer to it.
func (g *globals) confirmName(ctx context.Context, what, name string) error {
	answer, err := g.terminal.ask(ctx, what+"Type its name to go on: ", false)
	if errors.Is(err, errNoAnswer) || err == nil && answer != name {
		return fail("not_confirmed", "answer with the key's name, "+name, "nothing was done")
	}
	return err
}

// newKeyPassphrase is the passphrase that an exported key gets.
func (g *globals) newKeyPassphrase(cmd *cobra.Command, file string) (string, error) {
	first, err := g.keyPassphrase(cmd, file, "--key-passphrase-file", "new passphrase for the exported key (at least 8 characters): ")
	if err != nil || file != "" {
		return first, err
	}
	second, err := g.askPassphrase(cmd.Context(), "the same again: ", "--key-passphrase-file")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fail("passphrase", "try again", "the two passphrases differ; nothing was written")
	}
	return first, nil
}

// writeNew writes a file that must not exist, for its owner only.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fail("output_exists", "name another file", "%s exists: it is not overwritten", path)
	}
	if err != nil {
		return fail("not_writable", "name a file that can be written", "%w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fail("not_writable", "name a file that can be written", "%w", err), os.Remove(path))
	}
	return nil
}
