package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/spf13/cobra"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/wallet"
)

func newInferenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inference",
		Short: "Have language models answer: an endpoint for any OpenAI client, receipts, and their proof",
		Long: `Language models that competing miners run. ` + "`lode inference serve`" + ` is an endpoint on this machine that any OpenAI or Anthropic
client uses as its base URL; it finds miners and pays them. Each answer has a receipt; with it and the conversation
` + "`lode inference verify`" + ` shows whether the answer was the model's. ` + "`lode chat`" + ` talks in the terminal.`,
		Example: `  lode inference serve
  lode inference bench --plot miners.svg
  lode inference receipts
  lode inference verify chatcmpl-… conversation.json`,
	}
	cmd.AddCommand(newInferenceServeCommand(), newInferenceBenchCommand(), newInferenceReceiptsCommand(), newInferenceVerifyCommand())
	return cmd
}

// inferenceFlags are what customers of the inference subnet say about whom they ask, and
// what it may cost.
type inferenceFlags struct {
	netuid, model, maxPrice, tier, hotkey, payer, logLevel string
	unverified                                             bool
	limits                                                 func(*limitsJSON) (bool, error)
}

func (f *inferenceFlags) add(cmd *cobra.Command, logLevel string) {
	s := cmd.Flags()
	s.StringVar(&f.netuid, "netuid", "2", "the inference subnet")
	s.StringVar(&f.model, "model", "", "model by name or digest (default: the one that validators pay most for)")
	s.StringVar(&f.maxPrice, "max-price", "", "most TAO for a million tokens of answers (default: no limit)")
	s.StringVar(&f.tier, "tier", inference.TierAny, "least privacy of a miner: any is all that can be proved yet")
	s.BoolVar(&f.unverified, "unverified", false, "also ask miners whose engine nobody can check")
	s.StringVar(&f.hotkey, "hotkey", "", "key of the wallet to be known by (default: one made for this run)")
	s.StringVar(&f.payer, "payer", "", "whose account pays, where it isn't that of --from: an address, or a name in the wallet")
	s.StringVar(&f.logLevel, "log-level", logLevel, "debug, info, warn or error; nothing of prompts and answers is logged")
	f.limits = addLimitFlags(cmd)
}

// What may be spent where neither `lode pay limits` nor a flag says anything, in rao.
const (
	inferenceMaxRequest = client.RaoPerTAO / 100
	inferencePerDay     = client.RaoPerTAO
	inferenceDeposit    = client.RaoPerTAO / 10
)

const inferenceLimitsHelp = `Miners are paid by the token, out of channels, within the limits of ` + "`lode pay limits`" + `; those given here go before them, for
this run. Where neither says anything, a request may cost 0.01 TAO and a day 1 TAO, and 0.1 TAO is put into a channel when
one is opened or runs dry; "none" lifts a limit.`

// spend are the limits of this run: those of the flags, else of the file, else ours.
func (f *inferenceFlags) spend(l *limitsJSON) (bool, error) {
	for _, d := range []struct {
		at  **uint64
		rao uint64
	}{{&l.MaxRequest, inferenceMaxRequest}, {&l.PerDay, inferencePerDay}, {&l.Deposit, inferenceDeposit}} {
		if *d.at == nil {
			rao := d.rao
			*d.at = &rao
		}
	}
	return f.limits(l)
}

// inferenceDesk is a gateway with what it needs, open.
type inferenceDesk struct {
	*inference.Gateway
	receipts *inference.Receipts
	payer    *pay.Client
	books    *books
	meta     *subnet.Metagraph // as of the start
	log      *slog.Logger
	close    []func() error // the last one first
}

// Close ends all.
func (d *inferenceDesk) Close() error {
	var err error
	for i := range d.close {
		err = errors.Join(err, d.close[len(d.close)-1-i]())
	}
	return err
}

// open opens a gateway that pays by the books of --from and --payer. With receipts it keeps
// them in the home.
func (f *inferenceFlags) open(cmd *cobra.Command, receipts bool) (_ *inferenceDesk, err error) {
	ctx, g := cmd.Context(), globalsOf(cmd)
	netuid, err := parseNetuid(f.netuid)
	if err != nil {
		return nil, err
	}
	cfg := inference.GatewayConfig{Netuid: uint16(netuid), Model: f.model, Tier: f.tier, Unverified: f.unverified}
	if f.maxPrice != "" {
		if cfg.MaxPrice, err = parseTAO(f.maxPrice, "--max-price"); err != nil {
			return nil, err
		}
	}
	d := &inferenceDesk{}
	if d.log, err = loggerTo(cmd, f.logLevel); err != nil {
		return nil, err
	}
	cfg.Logger = d.log
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	c, err := g.connect()
	if err != nil {
		return nil, err
	}
	d.close = append(d.close, c.Close)
	host, chain, err := f.host(ctx, g, c, cfg.Netuid, d)
	if err != nil {
		return nil, err
	}
	cfg.ChainID = d.meta.ChainID
	cfg.From(c, chain, host)
	if d.books, err = g.books(ctx, f.payer); err != nil {
		return nil, err
	}
	if err := d.openPay(ctx, f, host); err != nil {
		return nil, err
	}
	if receipts {
		if d.receipts, err = g.receipts(); err != nil {
			return nil, err
		}
		d.close = append(d.close, d.receipts.Close)
		cfg.Receipts = d.receipts.Keep
	}
	cfg.By(d.payer)
	if d.Gateway, err = inference.NewGateway(cfg); err != nil {
		return nil, fail(codeUsage, "see `"+cmd.CommandPath()+" --help`", "%w", err)
	}
	d.close = append(d.close, d.Gateway.Close)
	return d, nil
}

// host starts the customer's end of the mesh.
func (f *inferenceFlags) host(ctx context.Context, g *globals, c *client.Client, netuid uint16, d *inferenceDesk) (*mesh.Host, subnet.Chain, error) {
	key, err := wallet.NewSigner(secp256k1.GenPrivKey().Bytes())
	if f.hotkey != "" {
		key, err = g.signer(ctx, f.hotkey)
	}
	if err != nil {
		return nil, nil, err
	}
	chain := onchain.New(c, key, nil)
	ask, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if d.meta, err = chain.Metagraph(ask, netuid); err != nil {
		return nil, nil, err
	}
	var listen []string // nobody calls a customer: only local networks can do with loopback
	if !strings.HasPrefix(d.meta.ChainID, localChains) {
		listen = []string{"/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"}
	}
	host, err := mesh.New(context.WithoutCancel(ctx), mesh.Config{PrivKey: key.PrivKey(), Listen: listen})
	if err != nil {
		return nil, nil, err
	}
	d.close = append(d.close, host.Close)
	return host, chain, nil
}

// openPay opens the books to pay miners.
func (d *inferenceDesk) openPay(ctx context.Context, f *inferenceFlags, host *mesh.Host) error {
	b := d.books
	limits := func() (pay.Limits, error) {
		l, err := b.limits()
		if err == nil {
			_, err = f.spend(&l)
		}
		limits := l.limits()
		// Many answers are paid at once: what lies in a channel anyway may be signed for.
		limits.Ahead = max(limits.PerRequest, limits.Deposit)
		return limits, err
	}
	if _, err := limits(); err != nil {
		return err
	}
	nodes, err := b.connect(ctx)
	if err != nil {
		return err
	}
	d.close = append(d.close, nodes.Close)
	cfg, err := b.config(ctx, nodes)
	if err != nil {
		return err
	}
	cfg.CurrentLimits, cfg.Logger = limits, d.log
	cfg = inference.PayingOver(host, cfg, func(q pay.Quote) error { return d.Approve(q) }) // nothing is paid before the gateway is there
	var done func(context.Context) error
	d.payer, done, err = b.take(ctx, cfg)
	if errors.Is(err, pay.ErrInUse) {
		return fail("in_use", "use a `lode inference serve` that runs with --url, or pay with another key by --from", "%w", err)
	}
	if err != nil {
		return err
	}
	d.close = append(d.close, func() error { return done(context.WithoutCancel(ctx)) })
	return nil
}

// receipts are those that the home keeps.
func (g *globals) receipts() (*inference.Receipts, error) {
	return inference.OpenReceipts(filepath.Join(g.home, "inference", "receipts"), nil)
}

// writeModels shows what can be asked for.
func (d *inferenceDesk) writeModels(ctx context.Context, w io.Writer) error {
	models, err := d.Models(ctx)
	if err != nil {
		return err
	}
	if len(models) == 0 {
		list, err := d.Miners(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "no miner of subnet %d (%s) serves yet; requests find them when they do\n", d.meta.Netuid, plain(d.meta.Name))
		for _, m := range list {
			if m.Out != nil {
				fmt.Fprintf(w, "  uid %d is left out: %s\n", m.UID, plain(m.Out.Error()))
			}
		}
		return nil
	}
	t := newColumns("model", "digest", ">context", "tier", ">TAO/M tokens in", ">out")
	for _, m := range models {
		t.add(plain(m.ID), m.Digest[:min(12, len(m.Digest))], fmt.Sprint(m.Context), m.Tier, client.FormatTAO(m.InputPrice), client.FormatTAO(m.OutputPrice))
	}
	t.write(w)
	return nil
}

// totalsText says what was done and what it has cost.
func totalsText(t inference.Totals) string {
	text := fmt.Sprintf("%s, %s tokens in, %s out; %s TAO were paid", counted(t.Answers, "answer", "answers"), grouped(uint64(t.Prompt)), grouped(uint64(t.Completion)), client.FormatTAO(t.Paid))
	if t.Unknown > 0 {
		text += fmt.Sprintf(", of which %s may not be charged: answers that were left", client.FormatTAO(t.Unknown))
	}
	return text
}
