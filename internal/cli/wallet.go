package cli

import (
	"fmt"
	"io"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

func newWalletCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "Keys: make, import and list them, see what they own, allow others to spend",
		Long: `The wallet in --home keeps coldkeys (they own funds) and hotkeys (they work), encrypted with a passphrase:
from --passphrase-file, LODE_PASSPHRASE, a local network's home, or a prompt. It also knows keys that are elsewhere: on a
Ledger, watched only, or several that sign together; and other people's addresses (` + "`lode wallet book`" + `).

Keys are BIP-39 mnemonics with the path m/44'/118'/0'/0/0, as in other wallets of the ecosystem.`,
		Example: `  lode wallet create alice
  lode wallet list
  lode wallet balance alice`,
	}
	cmd.AddCommand(newWalletCreateCommand(), newWalletImportCommand(), newWalletExportCommand(), newWalletListCommand(), newWalletShowCommand(),
		newWalletReceiveCommand(), newWalletNumbersCommand(), newWalletBookCommand(), newWalletMultisigCommand(), newWalletBalanceCommand(), newWalletPortfolioCommand(), newWalletHistoryCommand(), newWalletIncomeCommand(), newWalletAllowCommand(), newWalletProveCommand(), newWalletVerifyCommand())
	return cmd
}

// keyJSON is a key for programs. Mnemonic is there only when it was just made.
type keyJSON struct {
	Name      string      `json:"name"`
	Kind      wallet.Kind `json:"kind"`
	Address   string      `json:"address"`
	Algorithm string      `json:"algorithm"`
	Held      wallet.Held `json:"held"`  // where the private key is: here (empty), watch, ledger, multisig
	Under     string      `json:"under"` // the coldkey that a hotkey is kept under
	Mnemonic  string      `json:"mnemonic,omitempty"`
}

func newKeyJSON(k wallet.Key) keyJSON {
	return keyJSON{Name: k.Name, Kind: k.Kind, Address: k.Address, Algorithm: k.Algorithm.String(), Held: k.Held, Under: k.Under}
}

// facts are what people see of a key.
func (k keyJSON) facts(out io.Writer) {
	list := []string{"name", k.Name, "kind", string(k.Kind), "address", k.Address}
	if k.Algorithm != wallet.Secp256k1.String() {
		list = append(list, "algorithm", k.Algorithm)
	}
	if k.Held != wallet.Here {
		list = append(list, "its key", heldText(k.Held))
	}
	if k.Under != "" {
		list = append(list, "under", k.Under)
	}
	facts(out, list...)
}

func heldText(h wallet.Held) string {
	switch h {
	case wallet.Here:
		return "here"
	case wallet.Ledger:
		return "on a Ledger"
	case wallet.Multisig:
		return "several sign together"
	}
	return "elsewhere"
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

func newWalletListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the wallet's keys, hotkeys under their coldkeys; needs no passphrase",
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
			for _, k := range keys {
				list = append(list, newKeyJSON(k))
			}
			return output(cmd, list, func(out io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(out, "no keys yet: `lode wallet create NAME` makes one")
					return
				}
				keysTable(out, list)
			})
		},
	}
}

// keysTable lists keys, those under a coldkey behind it.
func keysTable(out io.Writer, list []keyJSON) {
	t := newColumns("name", "kind", "address", "its key")
	row := func(k keyJSON, name string) {
		held := heldText(k.Held)
		if k.Algorithm != wallet.Secp256k1.String() {
			held += ", " + k.Algorithm
		}
		t.add(name, string(k.Kind), k.Address, held)
	}
	there := map[string]bool{}
	for _, k := range list {
		there[k.Name] = true
	}
	for _, k := range list {
		if there[k.Under] {
			continue
		}
		row(k, k.Name)
		for _, hot := range list {
			if hot.Under == k.Name {
				row(hot, "  "+hot.Name)
			}
		}
	}
	t.write(out)
}
