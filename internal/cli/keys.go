package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

// address reads an address, or the name of a key in the wallet, or a name in its address
// book.
func (g *globals) address(ctx context.Context, s string) (string, error) {
	if wallet.IsAddress(s) {
		return s, wallet.CheckAddress(s)
	}
	w, err := g.openWallet(ctx)
	if err != nil {
		return "", err
	}
	contacts, err := w.Contacts()
	if err != nil {
		return "", err
	}
	for _, c := range contacts {
		if c.Name == s {
			return c.Address, nil
		}
	}
	k, err := g.key(ctx, s)
	return k.Address, err
}

// key finds a key in the wallet by name or address, without its passphrase.
func (g *globals) key(ctx context.Context, s string) (wallet.Key, error) {
	w, err := g.openWallet(ctx)
	if err != nil {
		return wallet.Key{}, err
	}
	k, err := w.Get(s)
	if err != nil {
		return wallet.Key{}, g.noKey(s, err)
	}
	return k, nil
}

// noKey says what to do about a key that the wallet lacks.
func (g *globals) noKey(s string, err error) error {
	if !errors.Is(err, wallet.ErrNotFound) {
		return err
	}
	what := "is neither an address nor a key"
	if wallet.IsAddress(s) {
		what = "is no key"
	}
	return fail("no_key", "`lode wallet list` shows the keys, `lode wallet book list` other addresses; `lode wallet create` makes a key", "%q %s of the wallet in %s", s, what, localnet.WalletDir(g.home))
}

// signer opens a key that signs. Where the transaction is only written, any address can
// stand in for it.
func (g *globals) signer(ctx context.Context, s string) (*wallet.Signer, error) {
	w, err := g.openWallet(ctx)
	if err != nil {
		return nil, err
	}
	open := w.Signer
	if g.unsigned {
		open = w.Absent
	}
	k, err := open(s)
	if g.unsigned && errors.Is(err, wallet.ErrNotFound) {
		addr, err := g.address(ctx, s)
		if err != nil {
			return nil, err
		}
		return wallet.AbsentAddress(addr)
	}
	if err != nil {
		return nil, g.noKey(s, err)
	}
	return k, nil
}

// payer opens the coldkey of --from.
func (g *globals) payer(ctx context.Context) (*wallet.Signer, error) { return g.signer(ctx, g.from) }

// hotkeyAddress reads the address of a hotkey, or its name in the wallet.
func (g *globals) hotkeyAddress(ctx context.Context, s string) (string, error) {
	if s == "" {
		return "", fail(codeUsage, "`lode wallet list` shows yours, `lode metagraph` a subnet's", "give a hotkey: an address, or a name in the wallet")
	}
	if wallet.IsAddress(s) {
		return s, wallet.CheckAddress(s)
	}
	k, err := g.key(ctx, s)
	if err == nil && k.Kind != wallet.Hotkey {
		return "", g.notAHotkey(ctx, k)
	}
	if err != nil {
		if addr, known := g.address(ctx, s); known == nil {
			return addr, nil // in the address book
		}
	}
	return k.Address, err
}

// notAHotkey says that a coldkey can't work, and which hotkey may be meant.
func (g *globals) notAHotkey(ctx context.Context, k wallet.Key) error {
	hint := "choose one from `lode wallet list`, or make one with `lode wallet create NAME --kind hotkey`"
	if h, err := g.key(ctx, k.Name+"-hot"); err == nil && h.Kind == wallet.Hotkey {
		hint = fmt.Sprintf("did you mean %q?", h.Name)
	}
	return fail("not_a_hotkey", hint, "%q is a %s: it owns, it does not work", k.Name, k.Kind)
}

// addressOrPayer reads the one argument, or is the address of --from.
func (g *globals) addressOrPayer(ctx context.Context, args []string) (string, error) {
	if len(args) > 0 {
		return g.address(ctx, args[0])
	}
	return g.address(ctx, g.from)
}

// names gives the addresses of the wallet and of its book their names, for display. A
// wallet that can't be read has none: what is shown stays true without.
func (g *globals) names(ctx context.Context) map[string]string {
	names := map[string]string{}
	w, err := g.openWallet(ctx)
	if err != nil {
		return names
	}
	keys, err := w.List()
	if err != nil {
		return names
	}
	contacts, err := w.Contacts()
	if err != nil {
		return names
	}
	for _, c := range contacts {
		names[c.Address] = c.Name
	}
	for _, k := range keys {
		names[k.Address] = k.Name
	}
	return names
}

// fullKey is an address with its name, where it has one.
func fullKey(addr string, names map[string]string) string {
	if n := names[addr]; n != "" {
		return n + " " + addr
	}
	return addr
}
