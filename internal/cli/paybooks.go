package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/pay"
	"github.com/spf13/cobra"
)

// books are whose payments a command is about, and where they are kept.
type books struct {
	g       *globals
	payer   string // whose account pays
	signer  string // the key that signs: the payer's own, or an agent's
	chainID string
	dir     string
}

// agent says whether a key pays for another.
func (b *books) agent() bool { return b.payer != b.signer }

// books finds the books of --from and --payer. It asks no node where the home knows
// the chain: history and limits are there without one.
func (g *globals) books(ctx context.Context, payer string) (*books, error) {
	signer, err := g.address(ctx, g.from)
	if err != nil {
		return nil, err
	}
	b := &books{g: g, payer: signer, signer: signer}
	if payer != "" {
		if b.payer, err = g.address(ctx, payer); err != nil {
			return nil, err
		}
	}
	if b.chainID, err = g.chainOfBooks(ctx); err != nil {
		return nil, err
	}
	who := b.payer
	if b.agent() {
		who += "." + b.signer
	}
	b.dir = filepath.Join(g.home, "pay", b.chainID, who)
	return b, nil
}

// booksOf finds the books that a command's flags name.
func booksOf(cmd *cobra.Command) (*books, error) {
	payer, err := cmd.Flags().GetString("payer")
	if err != nil {
		return nil, err
	}
	return globalsOf(cmd).books(cmd.Context(), payer)
}

// chainName is a chain's id that can be a folder's name.
var chainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// chainOfBooks is the id of the chain that is paid on: that of the local network, or of
// --node. While no node answers it is the only one that the home has books of.
func (g *globals) chainOfBooks(ctx context.Context) (string, error) {
	if g.node == "" {
		info, err := localnet.ReadInfo(g.home)
		if err != nil {
			return "", err
		}
		return info.ChainID, nil
	}
	var id string
	err := withNetwork(ctx, g, queryTimeout, func(ctx context.Context, c *client.Client) (err error) {
		id, err = c.ChainID(ctx)
		return err
	})
	if errors.Is(err, client.ErrUnavailable) {
		if dirs, err := os.ReadDir(filepath.Join(g.home, "pay")); err == nil && len(dirs) == 1 {
			return dirs[0].Name(), nil
		}
	}
	if err == nil && !chainName.MatchString(id) {
		err = fail("wrong_network", "name another node", "the node calls its chain %q", id)
	}
	return id, err
}

// connect finds the network. Where the payer pays an agent's fees, they are taken there;
// so they are while no node answers, for an agent mostly has nothing else.
func (b *books) connect(ctx context.Context) (*client.Client, error) {
	c, err := b.g.connect()
	if err != nil || !b.agent() {
		return c, err
	}
	fees, err := feeAllowance(ctx, c, b.payer, b.signer)
	switch down := errors.Is(err, client.ErrUnavailable); {
	case err != nil && !down:
		return nil, errors.Join(err, c.Close())
	case fees == nil && !down:
		return c, nil
	}
	if err := c.Close(); err != nil {
		return nil, err
	}
	return b.g.connectFor(b.payer)
}

// config is the client of package pay that spends by these books: who pays, on which
// chain, within which limits. It opens the key that signs.
func (b *books) config(ctx context.Context, c *client.Client) (pay.ClientConfig, error) {
	if _, err := b.limits(); err != nil {
		return pay.ClientConfig{}, err
	}
	signer, err := b.g.payer(ctx)
	if err != nil {
		return pay.ClientConfig{}, err
	}
	return pay.ClientConfig{Dir: b.dir, Chain: pay.NewPayerChain(c, signer, b.payer), CurrentLimits: b.payLimits}, nil
}

// kept says whether anything was ever kept in the books.
func (b *books) kept() bool {
	_, err := os.Stat(b.dir)
	return err == nil
}

// withPurse runs f with the books open to spend.
func (b *books) withPurse(ctx context.Context, f func(ctx context.Context, c *client.Client, p purse) error) error {
	return b.g.reviewed(ctx, sendTimeout, b.connect, func(ctx context.Context, c *client.Client) error { return b.openPurse(ctx, c, f) })
}

// openPurse is withPurse on a network.
func (b *books) openPurse(ctx context.Context, c *client.Client, f func(ctx context.Context, c *client.Client, p purse) error) error {
	// The key is asked for where it is needed: not where another process has it.
	p, done, err := b.open(ctx, func() (pay.ClientConfig, error) { return b.config(ctx, c) })
	if err != nil {
		return err
	}
	err = errors.Join(f(ctx, c, p), done(ctx))
	if b.agent() && errors.Is(err, client.ErrNoAccount) { // an allowance makes one
		return fail("not_allowed", "`lode wallet allow` of the payer allows a key to spend", "%s has no allowance: %w", b.signer, err)
	}
	return err
}

// read runs f with the books open to be read: that needs neither passphrase nor node.
func (b *books) read(ctx context.Context, f func(p purse) error) error {
	p, done, err := b.open(ctx, func() (pay.ClientConfig, error) { return pay.ClientConfig{Dir: b.dir}, nil })
	if err != nil {
		return err
	}
	return errors.Join(f(p), done(ctx))
}

// open opens the books, here or in the process that has them, until done. One that has
// them to spend takes commands of others meanwhile.
func (b *books) open(ctx context.Context, config func() (pay.ClientConfig, error)) (p purse, done func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	if p, err = b.elsewhere(ctx); p != nil || err != nil {
		return p, nothing, err
	}
	cfg, err := config()
	if err != nil {
		return nil, nothing, err
	}
	var own *pay.Client
	err = untilFree(ctx, func() (err error) {
		if own, err = pay.OpenClient(cfg); errors.Is(err, pay.ErrInUse) {
			p, err = b.held(ctx, err)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, nothing, err
	case p != nil:
		return p, nothing, nil
	case cfg.Chain == nil:
		return ownPurse{own}, func(context.Context) error { return own.Close() }, nil
	}
	done, err = b.lend(own)
	return ownPurse{own}, done, err
}

// lend takes commands of others while this process has the books open to spend, until
// done closes them.
func (b *books) lend(own *pay.Client) (done func(context.Context) error, err error) {
	c, err := b.hold(own)
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return func(ctx context.Context) error { return errors.Join(c.end(ctx), own.Close()) }, nil
}

// take opens the books here to spend, and lends them until done.
func (b *books) take(ctx context.Context, cfg pay.ClientConfig) (own *pay.Client, done func(context.Context) error, err error) {
	if err = untilFree(ctx, func() (err error) { own, err = pay.OpenClient(cfg); return err }); err != nil {
		return nil, nil, err
	}
	done, err = b.lend(own)
	return own, done, err
}

// spend opens the books for a process that pays for others until done. Limits that flags
// read go before those of the file.
func (b *books) spend(ctx context.Context, flags func(*limitsJSON) (bool, error), log *slog.Logger) (payer *pay.Client, done func() error, err error) {
	limits := func() (pay.Limits, error) {
		l, err := b.limits()
		if err == nil {
			_, err = flags(&l)
		}
		return l.limits(), err
	}
	if _, err := limits(); err != nil {
		return nil, nil, err
	}
	c, err := b.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	var end func(context.Context) error
	cfg, err := b.config(ctx, c)
	if err == nil {
		cfg.CurrentLimits, cfg.Logger = limits, log
		payer, end, err = b.take(ctx, cfg)
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	return payer, func() error { return errors.Join(end(ctx), c.Close()) }, nil
}

// elsewhere is the process that has the books open, where that is known at once: then no
// key is needed here. A killed process has left its file, and the books are free.
func (b *books) elsewhere(ctx context.Context) (purse, error) {
	if _, err := os.Stat(b.controlFile()); err != nil {
		return nil, nil // open finds out whether they are free
	}
	c, err := pay.OpenClient(pay.ClientConfig{Dir: b.dir})
	if err == nil {
		return nil, c.Close()
	}
	if !errors.Is(err, pay.ErrInUse) {
		return nil, err
	}
	p, err := b.held(ctx, err)
	if errors.Is(err, pay.ErrInUse) {
		err = nil // it is starting, or ending: open waits
	}
	return p, err
}

// How long books are waited for that another process has open and takes no commands, and
// how often one looks. A command that only reads has them for a moment; so has one that
// starts, before it says where it is, or ends.
const (
	inUseMost = 2 * time.Second
	inUsePoll = 50 * time.Millisecond
)

// untilFree opens books, again and again while another process has them.
func untilFree(ctx context.Context, open func() error) error {
	end := time.Now().Add(inUseMost)
	for {
		err := open()
		if !errors.Is(err, pay.ErrInUse) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(inUsePoll):
		}
	}
}
