package localnet_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// made is a home with a network that never ran.
func made(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	n, err := localnet.New(localnet.Config{Home: home, ChainOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestABadHomeIsRefusedInWords(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		name  string
		home  func(t *testing.T) string
		cfg   localnet.Config
		want  error
		words string
	}{
		{"no home", func(*testing.T) string { return "" }, localnet.Config{}, nil, "needs a home"},
		{"a file", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "file")
			write(t, path, "x")
			return path
		}, localnet.Config{}, nil, "can't be made"},
		{"another version", func(t *testing.T) string {
			home := t.TempDir()
			write(t, filepath.Join(home, "network.json"), `{"version": 99}`)
			return home
		}, localnet.Config{}, localnet.ErrHomeVersion, "layout 99"},
		{"damaged", func(t *testing.T) string {
			home := t.TempDir()
			write(t, filepath.Join(home, "network.json"), "{")
			return home
		}, localnet.Config{}, nil, "--fresh"},
		{"a wallet with a passphrase of its own", func(t *testing.T) string {
			home := t.TempDir()
			w, err := wallet.Open(localnet.WalletDir(home), func(bool) (string, error) { return "a person's own", nil })
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.Create("alice", wallet.Coldkey); err != nil {
				t.Fatal(err)
			}
			return home
		}, localnet.Config{}, localnet.ErrForeignWallet, "another --home"},
		{"fresh in somebody's folder", func(t *testing.T) string {
			home := t.TempDir()
			write(t, filepath.Join(home, "thesis.txt"), "years of work")
			return home
		}, localnet.Config{Fresh: true}, nil, "will not delete"},
		{"a port in use", made, localnet.Config{Ports: localnet.Ports{RPC: port}}, localnet.ErrPortInUse, "--rpc-port"},
		{"one port twice", made, localnet.Config{Ports: localnet.Ports{RPC: 45678, REST: 45678}}, nil, "each its own"},
		{"no port", made, localnet.Config{Ports: localnet.Ports{REST: 70000}}, nil, "--rest-port 70000"},
		{"too many miners", made, localnet.Config{Strategies: make([]string, 17)}, nil, "at most 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Home, c.cfg.ChainOnly = c.home(t), true
			n, err := localnet.New(c.cfg)
			if err == nil {
				t.Fatal(errors.Join(errors.New("it was accepted"), n.Close()))
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v; want %v with %q", err, c.want, c.words)
			}
		})
	}
}

func TestAStartThatIsRefusedLeavesNoHome(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	home := filepath.Join(t.TempDir(), "new")
	ports := localnet.Ports{Status: taken.Addr().(*net.TCPAddr).Port}
	if _, err := localnet.New(localnet.Config{Home: home, ChainOnly: true, Ports: ports}); !errors.Is(err, localnet.ErrPortInUse) {
		t.Fatal(err)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the home is there: %v", err)
	}
}

func TestAHomeBelongsToOneNetworkAtATime(t *testing.T) {
	home := t.TempDir()
	n, err := localnet.New(localnet.Config{Home: home, ChainOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, fresh := range []bool{false, true} {
		if _, err := localnet.New(localnet.Config{Home: home, ChainOnly: true, Fresh: fresh}); !errors.Is(err, localnet.ErrHomeInUse) {
			t.Errorf("a second network got %v", err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFreshStartKeepsAPersonsKeys(t *testing.T) {
	home := made(t)
	pass := func(bool) (string, error) {
		raw, err := os.ReadFile(localnet.PassphraseFile(home))
		return string(raw), err
	}
	w, err := wallet.Open(localnet.WalletDir(home), pass)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Create("alice", wallet.Coldkey); err != nil {
		t.Fatal(err)
	}
	secret, err := pass(false)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	n, err := localnet.New(localnet.Config{Home: home, ChainOnly: true, Fresh: true, OnStep: func(s string) { steps = append(steps, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Wallet().Get("alice"); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("the fresh wallet has alice: %v", err)
	}
	kept, err := filepath.Glob(filepath.Join(home, "kept-*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if !strings.Contains(strings.Join(steps, "\n"), kept[0]) {
		t.Errorf("nobody was told of %s: %q", kept[0], steps)
	}
	old, err := wallet.Open(filepath.Join(kept[0], "wallet"), func(bool) (string, error) { return secret, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Signer("alice"); err != nil {
		t.Error(err)
	}
}

func TestAFreshStartEndsWhatWasPaidOnItsOwnChain(t *testing.T) {
	home := made(t)
	books := func(parts ...string) string { return filepath.Join(append([]string{home}, parts...)...) }
	own := []string{books("pay", localnet.ChainID, "lode1a"), books("market", localnet.ChainID, "1")}
	others := []string{books("pay", "lode-1", "lode1a"), books("market", "lode-1", "1")}
	for _, dir := range append(slices.Clone(own), others...) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	n, err := localnet.New(localnet.Config{Home: home, ChainOnly: true, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range own {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
	for _, dir := range others {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("the books of another chain: %v", err)
		}
	}
}
