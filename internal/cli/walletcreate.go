package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// keyOptions adds the flags of every new key.
func keyOptions(cmd *cobra.Command) func() ([]wallet.Option, error) {
	algorithm := cmd.Flags().String("algorithm", wallet.Secp256k1.String(), strings.Join(wallet.Algorithms, ", or ")+" (coldkeys only): how it signs")
	under := underFlag(cmd)
	return func() ([]wallet.Option, error) {
		a, err := wallet.ParseAlgorithm(*algorithm)
		if err != nil {
			return nil, fail(codeUsage, "see `"+cmd.CommandPath()+" --help`", "--algorithm: %w", err)
		}
		return append(under(), wallet.By(a)), nil
	}
}

// underFlag adds --under.
func underFlag(cmd *cobra.Command) func() []wallet.Option {
	under := cmd.Flags().String("under", "", "of a hotkey: the coldkey to list it under")
	return func() []wallet.Option {
		if *under == "" {
			return nil
		}
		return []wallet.Option{wallet.Under(*under)}
	}
}

func newWalletCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a new key; its mnemonic is shown once",
		Example: `  lode wallet create alice
  lode wallet create miner-4 --kind hotkey --under alice
  lode wallet create safe --algorithm ml-dsa-65 --words 12
  LODE_PASSPHRASE=… lode wallet create alice --json | jq -r .mnemonic`,
		Args: cobra.ExactArgs(1),
	}
	kind, options := kindFlag(cmd), keyOptions(cmd)
	words := cmd.Flags().Int("words", 24, "words of the mnemonic: 12 or 24")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kind, err := kind()
		if err != nil {
			return err
		}
		opts, err := options()
		if err != nil {
			return err
		}
		w, err := globalsOf(cmd).openWallet(cmd.Context())
		if err != nil {
			return err
		}
		k, mnemonic, err := w.Create(args[0], kind, append(opts, wallet.Words(*words))...)
		if err != nil {
			return err
		}
		v := newKeyJSON(k)
		v.Mnemonic = mnemonic
		err = output(cmd, v, func(out io.Writer) {
			v.facts(out)
			fmt.Fprintf(out, "\nIts mnemonic, shown only now. Whoever has it has the key; without it a lost wallet is lost for ever.\n\n%s\n", wrapWords(mnemonic, 6))
		})
		if err != nil {
			return fail("not_shown", "don't use it, make another; or take it out by `lode wallet export`, and keep that", "the key %q is in the wallet, but its mnemonic could not be shown, and is not kept: %w", k.Name, err)
		}
		return nil
	}
	return cmd
}

// wrapWords puts n words on a line, indented.
func wrapWords(text string, n int) string {
	words := strings.Fields(text)
	var b strings.Builder
	for i, w := range words {
		switch {
		case i%n == 0 && i > 0:
			b.WriteString("\n    ")
		case i == 0:
			b.WriteString("    ")
		default:
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}
