package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

// openWallet opens the home's wallet, once for a command. Its passphrase is asked for
// when it is needed.
func (g *globals) openWallet(ctx context.Context) (*wallet.Wallet, error) {
	if g.wallet == nil {
		w, err := wallet.Open(localnet.WalletDir(g.home), func(confirm bool) (string, error) {
			return g.passphrase(ctx, confirm)
		})
		if err != nil {
			return nil, err
		}
		g.wallet = w
	}
	return g.wallet, nil
}

// passphrase finds the wallet's passphrase: --passphrase-file, LODE_PASSPHRASE, the file
// that `lode up` leaves in a local network's home, or a prompt, which asks twice for a
// new one.
func (g *globals) passphrase(ctx context.Context, confirm bool) (string, error) {
	if g.passphraseFile != "" {
		return passphraseIn(g.passphraseFile, "--passphrase-file")
	}
	if p := os.Getenv("LODE_PASSPHRASE"); p != "" {
		return p, nil
	}
	p, err := passphraseIn(localnet.PassphraseFile(g.home), "the home's own passphrase")
	if !errors.Is(err, os.ErrNotExist) {
		return p, err
	}
	ask := func(question string) (string, error) {
		p, err := g.terminal.ask(ctx, question, true)
		if errors.Is(err, errNoAnswer) {
			return "", fail("passphrase", "set LODE_PASSPHRASE, or name a file with --passphrase-file", "no passphrase was given for the wallet in %s", localnet.WalletDir(g.home))
		}
		return p, err
	}
	if !confirm {
		return ask("passphrase of the wallet: ")
	}
	first, err := ask(fmt.Sprintf("new passphrase for the wallet (at least %d characters): ", wallet.MinPassphrase))
	if err != nil {
		return "", err
	}
	if n := len(first); n < wallet.MinPassphrase || n > wallet.MaxPassphrase {
		return first, nil // the wallet says what is wrong with it
	}
	second, err := ask("the same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fail("passphrase", "try again", "the two passphrases differ; nothing was written")
	}
	return first, nil
}

// passphraseIn reads a file that holds a passphrase, and perhaps the end of its line.
func passphraseIn(file, flag string) (string, error) {
	raw, err := passphraseFile.read(nil, file, flag)
	return strings.TrimRight(string(raw), "\r\n"), err
}
