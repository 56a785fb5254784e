package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/spf13/cobra"
)

// stopTime is what requests under way have to end when a server is stopped.
const stopTime = 5 * time.Second

func newPayProxyCommand() *cobra.Command {
	var listen, to, logLevel string
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Run a proxy on this machine through which any program pays, within limits",
		Long: `Runs a proxy until Ctrl-C. A program uses it as the base URL of what it calls, and knows nothing of payment: with --to
http://127.0.0.1:4020/chat goes to URL/chat, without it the URL is the path, http://127.0.0.1:4020/https://HOST/chat. Answers
stream. What asks for more than the limits allow is answered with 402 and why. The limits are those of
` + "`lode pay limits`" + ` as they are at each payment; those given here go before them, for this run.

It listens on loopback alone, since it spends for whoever can reach it. ` + "`lode pay open`" + `, ` + "`history`" + ` and the others work
while it runs.`,
		Example: `  lode pay proxy --to https://example.org/v1
  lode pay proxy --listen 127.0.0.1:4020 --max-request 0.01 --per-day 2 --deposit 0.5
  lode pay proxy --payer lode1… --from agent`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:4020", "loopback address and port; port 0 takes a free one")
	f.StringVar(&to, "to", "", "the service's base URL (default: each request names it in its path)")
	f.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	read := addLimitFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		upstream, err := parseUpstream(to, "--to")
		if err != nil {
			return err
		}
		if err := checkLoopback(listen); err != nil {
			return err
		}
		log, err := loggerTo(cmd, logLevel)
		if err != nil {
			return err
		}
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		payer, done, err := b.spend(ctx, read, log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		ln, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		address := "http://" + ln.Addr().String()
		if g.json {
			log.Info("paying", "url", address, "payer", b.payer, "chain_id", b.chainID)
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s pays what is asked for through %s; Ctrl-C stops it\n", fullKey(b.payer, g.names(ctx)), address)
		}
		if err := serveHTTP(ctx, ln, pay.NewProxy(payer, upstream), log); err != nil {
			return err
		}
		spent, _ := payer.Spent()
		v := struct {
			URL   string `json:"url"`
			Payer string `json:"payer"`
			Spent uint64 `json:"spent_today_rao,string"`
		}{address, b.payer, spent}
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintf(w, "stopped; %s TAO are spent today\n", client.FormatTAO(spent))
		})
	}
	return cmd
}

// parseUpstream reads a base URL; nil where there is none.
func parseUpstream(s, flag string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fail(codeUsage, "give a base URL, for example https://example.org/v1", "%s %q is no URL of a service", flag, s)
	}
	return u, nil
}

// checkLoopback refuses an address that others than this machine can reach.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	if err != nil || ip == nil || !ip.IsLoopback() {
		return fail(codeUsage, "give 127.0.0.1:PORT or [::1]:PORT: it spends your money for whoever can reach it", "--listen %q is no loopback address with a port", address)
	}
	return nil
}

// serveHTTP serves until ctx ends, and then gives requests under way a moment.
func serveHTTP(ctx context.Context, ln net.Listener, handler http.Handler, log *slog.Logger) error {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := s.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close() // what goes on is broken off; the books know it
	}
	if ended := <-ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
