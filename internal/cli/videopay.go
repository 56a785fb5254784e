package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/video"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// videoPayFlags are what a customer of the video subnet says about money.
type videoPayFlags struct {
	gateways []string
	maxPrice string
	payer    string
	yes      bool
}

func (f *videoPayFlags) add(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringSliceVar(&f.gateways, "gateway", nil, "hotkeys of the validators to go through, addresses or names in the wallet (default: free ones where there are, else the cheapest of those with the most stake)")
	s.StringVar(&f.maxPrice, "max-price", "1", "most TAO that the clip may cost; 0: only free gateways")
	s.StringVar(&f.payer, "payer", "", "whose account pays, where it isn't that of --from: an address, or a name in the wallet")
	s.BoolVarP(&f.yes, "yes", "y", false, "pay up to --max-price without being asked")
}

// hotkeys are the gateways that were named.
func (f *videoPayFlags) hotkeys(ctx context.Context, g *globals) (list []string, err error) {
	for _, name := range f.gateways {
		hotkey, err := g.hotkeyAddress(ctx, name)
		if err != nil {
			return nil, err
		}
		list = append(list, hotkey)
	}
	return list, nil
}

// videoPayer pays for a clip by the books of --from and --payer.
type videoPayer struct {
	g     *globals
	flags *videoPayFlags
	out   io.Writer // where the price is shown
	bar   *progressBar
	nodes *client.Client // by which it pays; nil until it does
}

// option lets a compression cost something.
func (p *videoPayer) option(o *video.CompressOptions) error {
	rao, err := taoOrRao(p.flags.maxPrice)
	if err != nil {
		return fail("bad_amount", "write it like 0.5, or 0 for nothing", "--max-price: %w", err)
	}
	if o.MaxPrice = rao; rao > 0 {
		o.Pay = p.pay
	}
	return nil
}

// pay shows what a clip costs, asks where there is somebody to ask, and opens the books.
func (p *videoPayer) pay(ctx context.Context, bill video.Bill, base http.RoundTripper, approve func(pay.Quote) error) (video.Books, error) {
	if !p.g.json {
		p.bar.end()
		writeBill(p.out, bill, p.g.names(ctx))
	}
	if err := p.ask(ctx); err != nil {
		return nil, err
	}
	b, err := p.g.books(ctx, p.flags.payer)
	if err != nil {
		return nil, err
	}
	if p.nodes, err = b.connect(ctx); err != nil {
		return nil, err
	}
	cfg, err := b.config(ctx, p.nodes)
	if err != nil {
		return nil, err
	}
	params, err := p.nodes.Market().Params(ctx, &markettypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	// The price was agreed to: a channel may be opened for as much.
	cfg.CurrentLimits = func() (pay.Limits, error) {
		l, err := b.payLimits()
		l.Deposit = max(l.Deposit, bill.Most, params.Params.MinDeposit)
		return l, err
	}
	cfg.Base, cfg.Approve = base, approve
	own, done, err := b.take(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &clipBooks{own, func() error { return done(ctx) }}, nil
}

// clipBooks are the books while a clip is paid by them; other commands use them, too.
type clipBooks struct {
	*pay.Client
	done func() error
}

func (b *clipBooks) Close() error { return b.done() }

// ask asks whether to go on. Who isn't there, or has said yes, isn't asked.
func (p *videoPayer) ask(ctx context.Context) error {
	if p.flags.yes || p.g.terminal.file == nil {
		return nil
	}
	answer, err := p.g.terminal.ask(ctx, "pay that? [y/N] ", false)
	if err != nil {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return fail("not_agreed", "--yes pays up to --max-price without asking", "nothing was paid, and nothing was given out")
	}
	return nil
}

// close ends what paying has opened.
func (p *videoPayer) close() error {
	if p.nodes == nil {
		return nil
	}
	return p.nodes.Close()
}

// explained says what to do about errors of money.
func (p *videoPayer) explained(err error) error {
	switch {
	case errors.Is(err, video.ErrNotFree):
		return fail("not_free", "name the most that it may cost with --max-price", "%w", err)
	case errors.Is(err, video.ErrTooDear):
		return fail("too_dear", "allow more with --max-price, or name another --gateway", "%w", err)
	}
	return err
}

// writeBill shows what a clip costs before it is given out.
func writeBill(w io.Writer, b video.Bill, names map[string]string) {
	ms := video.Milliseconds(b.Frames)
	fmt.Fprintf(w, "\nit costs at most %s TAO: %s pictures, %.1f s of video as it is paid; a segment is paid when it comes back good\n\n",
		client.FormatTAO(b.Most), grouped(uint64(b.Frames)), float64(ms)/1000)
	t := newColumns("gateway", ">service", ">TAO a minute", ">this clip")
	for _, o := range b.Offers {
		minute, err := o.Price.PerMinute()
		perMinute := client.FormatTAO(minute)
		if err != nil {
			perMinute = "–"
		}
		t.add(displayKey(o.Hotkey, names), fmt.Sprint(o.Price.ServiceID), perMinute, client.FormatTAO(o.Most))
	}
	t.write(w)
	fmt.Fprintln(w)
}

// paidText says what a clip has cost.
func paidText(r *video.CompressReport, names map[string]string) string {
	if len(r.Paid) == 0 {
		return "nothing: the gateway is free"
	}
	var parts []string
	for _, p := range r.Paid {
		text := fmt.Sprintf("%s TAO to %s for %s", client.FormatTAO(p.Rao), displayKey(p.Hotkey, names), counted(p.Jobs, "segment", "segments"))
		if p.PlanMS > 0 {
			text += fmt.Sprintf(", %.1f s of a plan", float64(p.PlanMS)/1000)
		}
		if p.Unknown > 0 {
			text += fmt.Sprintf(" (of %s no answer came)", client.FormatTAO(p.Unknown))
		}
		parts = append(parts, text+fmt.Sprintf("; %s TAO are left in the channel", client.FormatTAO(p.Left)))
	}
	return strings.Join(parts, "; ")
}
