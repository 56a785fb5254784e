package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lodenet/lode/localnet"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// collectRarely is GOGC of the commands that tests start, a thousand times: with Go's
// default a third of what a short one costs is looking for garbage in what the program's
// packages put into memory for good.
const collectRarely = "800"

// cheapHome is the home of a network that a test starts, with a wallet whose passphrase
// is cheap to check: 1 ms instead of 50 each time that a key is used.
func cheapHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	passphrase, err := localnet.Passphrase(home)
	require.NoError(t, err)
	require.NoError(t, cheapWallet(home, passphrase))
	return home
}

// cheapWallet makes the wallet of a home, empty as yet, one whose passphrase is cheap to check.
// The wallet's own tests have it as people do.
func cheapWallet(home, passphrase string) error {
	dir := filepath.Join(localnet.WalletDir(home), "keyring-file")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(passphrase), bcrypt.MinCost)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "keyhash"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(hash); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
