package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

func newWalletCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "Keys: make, import and list them, see what they own, allow others to spend",
		Long: `The wallet in --home keeps coldkeys (they own funds) and hotkeys (they work), encrypted with a passphrase:
from --passphrase-file, LODE_PASSPHRASE, a local network's home, or a prompt.

Keys are BIP-39 mnemonics with the path m/44'/118'/0'/0/0, as in other wallets of the ecosystem.`,
		Example: `  lode wallet create alice
  lode wallet list
  lode wallet balance alice`,
	}
	cmd.AddCommand(newWalletCreateCommand(), newWalletImportCommand(), newWalletListCommand(), newWalletBalanceCommand(), newWalletAllowCommand())
	return cmd
}

// keyJSON is a key for programs. Mnemonic is there only when it was just made.
type keyJSON struct {
	Name     string      `json:"name"`
	Kind     wallet.Kind `json:"kind"`
	Address  string      `json:"address"`
	Mnemonic string      `json:"mnemonic,omitempty"`
}

// kindFlag adds --kind.
func kindFlag(cmd *cobra.Command) func() (wallet.Kind, error) {
	kind := cmd.Flags().String("kind", string(wallet.Coldkey), "coldkey (it owns funds) or hotkey (it works)")
	return func() (wallet.Kind, error) {
		switch k := wallet.Kind(*kind); k {
		case wallet.Coldkey, wallet.Hotkey:
			return k, nil
		default:
			return "", fail(codeUsage, "use coldkey or hotkey", "--kind %q: there is no such kind of key", *kind)
		}
	}
}

func newWalletCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a new key; its mnemonic is shown once",
		Example: `  lode wallet create alice
  lode wallet create miner-4 --kind hotkey
  LODE_PASSPHRASE=… lode wallet create alice --json | jq -r .mnemonic`,
		Args: cobra.ExactArgs(1),
	}
	kind := kindFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kind, err := kind()
		if err != nil {
			return err
		}
		w, err := globalsOf(cmd).openWallet(cmd.Context())
		if err != nil {
			return err
		}
		k, mnemonic, err := w.Create(args[0], kind)
		if err != nil {
			return err
		}
		return output(cmd, keyJSON{k.Name, k.Kind, k.Address, mnemonic}, func(out io.Writer) {
			facts(out, "name", k.Name, "kind", string(k.Kind), "address", k.Address)
			fmt.Fprintf(out, "\nIts mnemonic, shown only now. Whoever has it has the key; without it a lost wallet is lost for ever.\n\n%s\n", wrapWords(mnemonic, 6))
		})
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

func newWalletImportCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "import NAME",
		Short: "Import a key by its mnemonic",
		Long:  "Imports a key by its BIP-39 mnemonic: from --mnemonic-file, else from a prompt or a line of standard input, never from the command line, which others can see.",
		Example: `  lode wallet import alice
  lode wallet import alice --mnemonic-file alice.txt
  pass show alice | lode wallet import alice --passphrase-file pass.txt`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&file, "mnemonic-file", "", "file with the mnemonic")
	kind := kindFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		kind, err := kind()
		if err != nil {
			return err
		}
		mnemonic, err := g.mnemonic(cmd, file)
		if err != nil {
			return err
		}
		w, err := g.openWallet(cmd.Context())
		if err != nil {
			return err
		}
		k, err := w.Import(args[0], kind, mnemonic)
		if err != nil {
			return err
		}
		return output(cmd, keyJSON{Name: k.Name, Kind: k.Kind, Address: k.Address}, func(out io.Writer) {
			facts(out, "name", k.Name, "kind", string(k.Kind), "address", k.Address)
		})
	}
	return cmd
}

// mnemonic reads a mnemonic from a file or from the user.
func (g *globals) mnemonic(cmd *cobra.Command, file string) (string, error) {
	if file == "" {
		text, err := g.terminal.ask(cmd.Context(), "mnemonic (it is not shown): ", true)
		if errors.Is(err, errNoAnswer) {
			return "", fail("mnemonic", "pipe it in, or name a file with --mnemonic-file", "no mnemonic was given")
		}
		return strings.Join(strings.Fields(text), " "), err
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fail("mnemonic", "name a file that can be read", "--mnemonic-file: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 4<<10)) // 24 words need 215 bytes
	return strings.Join(strings.Fields(string(raw)), " "), err
}

func newWalletListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the wallet's keys; needs no passphrase",
		Example: `  lode wallet list
  lode wallet list --json | jq -r '.[] | select(.kind == "hotkey").address'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := globalsOf(cmd).openWallet(cmd.Context())
			if err != nil {
				return err
			}
			keys, err := w.List()
			if err != nil {
				return err
			}
			list := make([]keyJSON, 0, len(keys))
			t := newColumns("name", "kind", "address")
			for _, k := range keys {
				list = append(list, keyJSON{Name: k.Name, Kind: k.Kind, Address: k.Address})
				t.add(k.Name, string(k.Kind), k.Address)
			}
			return output(cmd, list, func(out io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(out, "no keys yet: `lode wallet create NAME` makes one")
					return
				}
				t.write(out)
			})
		},
	}
}
