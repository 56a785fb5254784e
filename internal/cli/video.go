package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newVideoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "video",
		Short:   "Have your own clips compressed by the video subnet",
		Example: "  lode video compress IN.mp4 -o OUT.mp4 --quality 98",
	}
	cmd.AddCommand(newVideoCompressCommand())
	return cmd
}

func newVideoCompressCommand() *cobra.Command {
	var (
		o              video.CompressOptions
		netuid, hotkey string
		money          videoPayFlags
	)
	cmd := &cobra.Command{
		Use:   "compress IN -o OUT",
		Short: "Compress a clip by the network's best miners",
		Long: `Has a clip compressed: it is cut into segments, the best miners of the video subnet compress them in parallel, every
answer is measured here and given to another miner where it fails, and what passes is joined with the audio, which is
copied bit by bit, and checked again. The output appears when it is whole, or not at all.

Validators carry the segments, and some want to be paid for it. While one is free nothing is paid; else the price is shown
before anything is given out, and the key of --from pays for what comes back good, within --max-price and the limits of
` + "`lode pay limits`" + `. ` + "`lode pay history`" + ` has every payment.`,
		Example: `  lode video compress IN.mp4 -o OUT.mp4
  lode video compress IN.mp4 -o OUT.mp4 --quality 96 --codec hevc
  lode video compress IN.mp4 -o OUT.mp4 --gateway validator-2-hot --max-price 0.05
  lode video compress IN.mkv -o OUT.mkv --json | jq .saved`,
		Args: cobra.ExactArgs(1),
	}
	o.Bind(cmd.Flags())
	cmd.Flags().StringVar(&netuid, "netuid", "1", "the video subnet")
	cmd.Flags().StringVar(&hotkey, "hotkey", "", "key of the wallet to be known by (default: one made for this clip)")
	money.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		o.In = args[0]
		id, err := parseNetuid(netuid)
		if err != nil {
			return err
		}
		if o.Out == "" {
			return fail(codeUsage, "see `lode video compress --help`", "give the output with -o")
		}
		p := newProgressBar(cmd.ErrOrStderr(), g.json)
		payer := &videoPayer{g: g, flags: &money, out: cmd.ErrOrStderr(), bar: p}
		if err := payer.option(&o); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, payer.close()) }()
		tools, err := video.FindTools(ctx)
		if err != nil {
			return err
		}
		if _, err := tools.Inspect(ctx, o.In); err != nil { // before anybody is called
			return err
		}
		c, err := g.connect()
		if err != nil {
			return err
		}
		defer c.Close()
		only, err := money.hotkeys(ctx, g)
		if err != nil {
			return err
		}
		host, gateways, err := g.customer(ctx, c, id, hotkey, only)
		if err != nil {
			return err
		}
		r, err := video.Compress(ctx, tools, host.Client(), gateways, o, p.show)
		p.end()
		if err = errors.Join(payer.explained(err), host.Close()); err != nil {
			return err
		}
		return output(cmd, r, func(w io.Writer) { writeCompressed(w, r, g.names(ctx)) })
	}
	return cmd
}

// customer starts a host on the mesh that knows the subnet's gateways, or only some.
func (g *globals) customer(ctx context.Context, c *client.Client, netuid uint32, hotkey string, only []string) (*mesh.Host, []string, error) {
	var key *wallet.Signer
	var err error
	if hotkey != "" {
		key, err = g.signer(ctx, hotkey)
	} else {
		key, err = wallet.NewSigner(secp256k1.GenPrivKey().Bytes())
	}
	if err != nil {
		return nil, nil, err
	}
	ask, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	meta, err := onchain.New(c, key, nil).Metagraph(ask, uint16(netuid))
	if err != nil {
		return nil, nil, err
	}
	var listen []string // nobody calls a customer: only local networks can do with loopback
	if !strings.HasPrefix(meta.ChainID, localChains) {
		listen = []string{"/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"}
	}
	host, err := mesh.New(context.WithoutCancel(ctx), mesh.Config{PrivKey: key.PrivKey(), Listen: listen})
	if err != nil {
		return nil, nil, err
	}
	gateways, err := video.Gateways(meta, host, only...)
	if err != nil {
		return nil, nil, errors.Join(err, host.Close())
	}
	return host, gateways, nil
}

// progressBar shows how far work is: a line that changes on a terminal, else a line for
// each change.
type progressBar struct {
	out   io.Writer
	live  bool
	quiet bool
	last  string
	began time.Time
}

func newProgressBar(out io.Writer, quiet bool) *progressBar {
	f, ok := out.(*os.File)
	return &progressBar{out: out, live: ok && term.IsTerminal(int(f.Fd())), quiet: quiet, began: time.Now()}
}

var stages = map[string]string{
	"read": "reading the clip", "cut": "cutting it", "compress": "compressing", "join": "joining", "check": "checking the result",
}

func (p *progressBar) show(s video.Progress) {
	text := stages[s.Stage]
	if s.Segments > 0 {
		text = fmt.Sprintf("%s %d/%d segments, %s", barOf(s.Done, s.Segments), s.Done, s.Segments, text)
		if s.BytesIn > 0 {
			text += fmt.Sprintf(", %s → %s", bytesText(s.BytesIn), bytesText(s.BytesOut))
		}
		if s.Refused > 0 {
			text += fmt.Sprintf(", %d refused", s.Refused)
		}
	}
	p.say(text)
}

// barOf is a bar that is full by part of whole.
func barOf[N int | int64](part, whole N) string {
	const width = 30
	full := int(width * part / max(1, whole))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// say replaces what was said last.
func (p *progressBar) say(text string) {
	if p.quiet {
		return
	}
	if !p.live {
		if text != p.last {
			fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.began).Seconds(), text)
		}
		p.last = text
		return
	}
	fmt.Fprintf(p.out, "\r\x1b[K%6.1fs  %s", time.Since(p.began).Seconds(), text)
	p.last = text
}

// end leaves the line.
func (p *progressBar) end() {
	if p.live && p.last != "" && !p.quiet {
		fmt.Fprintln(p.out)
	}
	p.last = ""
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", f/1e6)
	default:
		return fmt.Sprintf("%.2f GB", f/1e9)
	}
}

func writeCompressed(w io.Writer, r *video.CompressReport, names map[string]string) {
	facts(w,
		"output", r.Out,
		"size", fmt.Sprintf("%s → %s, %.1f %% saved", bytesText(r.BytesIn), bytesText(r.BytesOut), 100*r.Saved),
		"quality", fmt.Sprintf("%.2f by %s (asked: %g), 5th percentile %.2f, worst frame %.2f", r.Quality.Mean, r.Measure, r.Asked, r.Quality.P5, r.Quality.Min),
		"video", fmt.Sprintf("%s, %s in %s", r.Codec, counted(r.Frames, "frame", "frames"), counted(len(r.Segments), "segment", "segments")),
		"copied", counted(r.Carried, "other stream", "other streams"),
		"paid", paidText(r, names),
		"took", fmt.Sprintf("%.1f s", r.Took.Seconds()),
	)
	if len(r.Dropped) > 0 {
		facts(w, "left out", strings.Join(r.Dropped, ", "))
	}
	fmt.Fprintln(w)
	t := newColumns(">uid", "miner", ">segments", ">refused", ">in", ">out")
	for _, m := range r.Workers {
		t.add(fmt.Sprint(m.UID), displayKey(m.Hotkey, names), fmt.Sprint(m.Segments), fmt.Sprint(m.Failed), bytesText(m.BytesIn), bytesText(m.BytesOut))
	}
	t.write(w)
}
