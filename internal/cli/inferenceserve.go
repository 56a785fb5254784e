package cli

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
)

func newInferenceServeCommand() *cobra.Command {
	var f inferenceFlags
	var listen, key string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run an endpoint on this machine for any OpenAI or Anthropic client",
		Long: `Runs an endpoint until Ctrl-C: /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages, /v1/embeddings and
/v1/models. It finds the miners that serve a model, asks the best (those that validators pay, then the least price × time),
and another one where it fails before its first token, which costs nothing.

` + inferenceLimitsHelp + `

It listens on loopback alone, since it spends for whoever can reach it, and answers no web pages. The header Lode-Receipt of
an answer names its receipt, which ` + "`lode inference receipts`" + ` shows; no prompt or answer is written anywhere. A model called
auto is whichever validators pay most for. Privacy: the miner that answers reads what it is asked.`,
		Example: `  lode inference serve
  lode inference serve --listen 127.0.0.1:8000 --max-price 2 --per-day 0.5
  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=none your-program`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8000", "loopback address and port; port 0 takes a free one")
	cmd.Flags().StringVar(&key, "api-key", "", "key that clients must send (default: any is taken)")
	f.add(cmd, "warn")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		if err := checkLoopback(listen); err != nil {
			return err
		}
		d, err := f.open(cmd, true)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		ln, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		base := "http://" + ln.Addr().String() + "/v1"
		if g.json {
			d.log.Info("serving", "base_url", base, "payer", d.books.payer, "chain_id", d.books.chainID)
		} else {
			out := cmd.ErrOrStderr()
			if err := d.writeModels(ctx, out); err != nil {
				return errors.Join(err, ln.Close())
			}
			fmt.Fprintf(out, "\nbase URL %s; %s pays; Ctrl-C stops it\n", base, fullKey(d.books.payer, g.names(ctx)))
		}
		if err := serveHTTP(ctx, ln, inference.Local(api.Handler(d, api.Config{IDHeader: inference.ReceiptHeader}), key), d.log); err != nil {
			return err
		}
		v := struct {
			BaseURL string `json:"base_url"`
			Payer   string `json:"payer"`
			inference.Totals
		}{base, d.books.payer, d.Totals()}
		return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "stopped: %s\n", totalsText(v.Totals)) })
	}
	return cmd
}
