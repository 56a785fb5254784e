package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// importFlags say what a key is imported from.
type importFlags struct {
	mnemonicFile, hexFile, armorFile, armorPassphrase string
	address, publicKey                                string
	ledger                                            bool
	account                                           uint32
}

func newWalletImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import NAME",
		Short: "Import a key: its mnemonic, private key or key file; or one that stays elsewhere",
		Long: `Imports a key by its BIP-39 mnemonic of 12 to 24 words: from --mnemonic-file, else from a prompt or standard
input (a line, or several up to an empty one), never from the command line, which others can see. Or by its private key's
hexadecimal digits (--hex-file), or by a key file that the Cosmos SDK's tools or ` + "`lode wallet export`" + ` have written
(--key-file), which has a passphrase of its own.

--address and --public-key watch a key that is elsewhere: with the public key, ` + "`--generate-only`" + ` writes transactions to be
signed there. --ledger adds a key of a Ledger with its Cosmos app; the program must be built for it (docs/wallet.md).`,
		Example: `  lode wallet import alice
  lode wallet import alice --mnemonic-file alice.txt
  pass show alice | lode wallet import alice --passphrase-file pass.txt
  lode wallet import alice --key-file alice.asc
  lode wallet import vault --address lode1…
  lode wallet import nano --ledger`,
		Args: cobra.ExactArgs(1),
	}
	fl := cmd.Flags()
	fl.StringVar(&f.mnemonicFile, "mnemonic-file", "", "file with the mnemonic")
	fl.StringVar(&f.hexFile, "hex-file", "", "file with the private key in hexadecimal; - is standard input")
	fl.StringVar(&f.armorFile, "key-file", "", "file that the SDK's tools, or lode wallet export, have written; - is standard input")
	fl.StringVar(&f.armorPassphrase, "key-passphrase-file", "", "file with the passphrase of --key-file (else a prompt)")
	fl.StringVar(&f.address, "address", "", "watch this address; its key stays elsewhere")
	fl.StringVar(&f.publicKey, "public-key", "", "watch the account of this public key, in JSON; @FILE reads a file")
	fl.BoolVar(&f.ledger, "ledger", false, "a key on a Ledger")
	fl.Uint32Var(&f.account, "account", 0, "with --ledger: which account of it, from 0")
	kind, options := kindFlag(cmd), keyOptions(cmd)
	cmd.MarkFlagsMutuallyExclusive("mnemonic-file", "hex-file", "key-file", "address", "public-key", "ledger")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		if cmd.Flags().Changed("account") && !f.ledger {
			return fail(codeUsage, "a mnemonic's key is that of account 0; import another's by its private key", "--account goes with --ledger")
		}
		kind, err := kind()
		if err != nil {
			return err
		}
		opts, err := options()
		if err != nil {
			return err
		}
		w, err := g.openWallet(cmd.Context())
		if err != nil {
			return err
		}
		k, err := f.add(cmd, w, args[0], kind, opts)
		if err != nil {
			return err
		}
		v := newKeyJSON(k)
		return output(cmd, v, v.facts)
	}
	return cmd
}

// add imports what the flags name.
func (f *importFlags) add(cmd *cobra.Command, w *wallet.Wallet, name string, kind wallet.Kind, opts []wallet.Option) (wallet.Key, error) {
	g, given := globalsOf(cmd), cmd.Flags().Changed // an empty one is a mistake, and no other way to import
	switch {
	case given("address"):
		return w.Watch(name, kind, f.address, opts...)
	case given("public-key"):
		raw, err := readArgument(cmd, "--public-key", f.publicKey)
		if err != nil {
			return wallet.Key{}, err
		}
		pub, err := wallet.ParsePubKey(raw)
		if err != nil {
			return wallet.Key{}, err
		}
		return w.WatchPubKey(name, kind, pub, opts...)
	case f.ledger && kind == wallet.Hotkey:
		return wallet.Key{}, fail(codeUsage, "leave out --kind", "a hotkey works by itself: it can't wait for a person at a Ledger")
	case f.ledger:
		if !g.json {
			fmt.Fprintln(g.terminal.out, "compare the address on the Ledger, and confirm it there")
		}
		return w.AddLedger(name, f.account, opts...)
	case given("hex-file"):
		raw, err := keyFile.read(cmd.InOrStdin(), f.hexFile, "--hex-file")
		if err != nil {
			return wallet.Key{}, err
		}
		return w.ImportHex(name, kind, string(raw), opts...)
	case given("key-file"):
		raw, err := keyFile.read(cmd.InOrStdin(), f.armorFile, "--key-file")
		if err != nil {
			return wallet.Key{}, err
		}
		pass, err := g.keyPassphrase(cmd, f.armorPassphrase, "--key-passphrase-file", "passphrase of the key file: ")
		if err != nil {
			return wallet.Key{}, err
		}
		return w.ImportArmor(name, kind, string(raw), pass, opts...)
	}
	mnemonic, err := g.mnemonic(cmd, f.mnemonicFile)
	if err != nil {
		return wallet.Key{}, err
	}
	return w.Import(name, kind, mnemonic, opts...)
}

// keyPassphrase is the passphrase of a key's own file.
func (g *globals) keyPassphrase(cmd *cobra.Command, file, flag, question string) (string, error) {
	if file != "" {
		return passphraseIn(file, flag)
	}
	return g.askPassphrase(cmd.Context(), question, flag)
}

// askPassphrase asks for the passphrase of a key's file.
func (g *globals) askPassphrase(ctx context.Context, question, flag string) (string, error) {
	p, err := g.terminal.ask(ctx, question, true)
	if errors.Is(err, errNoAnswer) {
		return "", fail("passphrase", "type it, or name a file with "+flag, "no passphrase was given for the key's file")
	}
	return p, err
}

// mnemonic reads a mnemonic from a file or from the user: a line, or several as they are
// shown when a key is made, up to an empty one. What is pasted whole is read whole: the
// shell would run, and remember, the rest.
func (g *globals) mnemonic(cmd *cobra.Command, file string) (string, error) {
	if file != "" {
		raw, err := mnemonicFile.read(cmd.InOrStdin(), file, "--mnemonic-file")
		return string(raw), err
	}
	var words []string
	for question := "mnemonic (it is not shown): "; ; question = fmt.Sprintf("%s so far; the next line, or an empty one: ", counted(len(words), "word", "words")) {
		line, err := g.terminal.ask(cmd.Context(), question, true)
		switch more := strings.Fields(line); {
		case errors.Is(err, errNoAnswer) && len(words) == 0:
			return "", fail("mnemonic", "pipe it in, or name a file with --mnemonic-file", "no mnemonic was given")
		case err != nil && !errors.Is(err, errNoAnswer):
			return "", err
		case len(more) == 0, len(words) == 0 && len(more) >= fewestWords, len(words)+len(more) >= mostWords:
			return strings.Join(append(words, more...), " "), nil
		default:
			words = append(words, more...)
		}
	}
}

// Bounds of a mnemonic.
const (
	fewestWords = 12
	mostWords   = 24
)
