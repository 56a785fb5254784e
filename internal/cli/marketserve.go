package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// Headers between `lode market serve` and the server behind it.
const (
	headerPayer = "Lode-Payer" // of a request: who pays
	headerUnits = "Lode-Units" // of an answer: what it has used
)

// gateway opens the gateway of a service that the key of --from sells.
func (g *globals) gateway(ctx context.Context, c *client.Client, serviceID uint64, cfg pay.GatewayConfig) (*pay.Gateway, serviceJSON, error) {
	s, err := service(ctx, c, serviceID)
	if err != nil {
		return nil, s, err
	}
	chainID, err := c.ChainID(ctx)
	if err != nil {
		return nil, s, err
	}
	if !chainName.MatchString(chainID) {
		return nil, s, fail("wrong_network", "name another node", "the node calls its chain %q", chainID)
	}
	seller, err := g.seller(ctx, s)
	if err != nil {
		return nil, s, err
	}
	cfg.Dir, cfg.Chain, cfg.ServiceID = localnet.GatewayDir(g.home, chainID, serviceID), pay.NewChain(c, seller), serviceID
	gw, err := pay.OpenGateway(ctx, cfg)
	return gw, s, err
}

// seller opens the key of --from, which must be the provider's: else nothing could be
// redeemed.
func (g *globals) seller(ctx context.Context, s serviceJSON) (*wallet.Signer, error) {
	k, err := g.payer(ctx)
	if err != nil {
		return nil, err
	}
	if a := k.Address(); a != s.Hotkey && a != s.Coldkey {
		return nil, fail("not_yours", "name its coldkey or its hotkey with --from", "service %d is sold by %s of coldkey %s, not by %s", s.ID, s.Hotkey, s.Coldkey, a)
	}
	return k, nil
}

func newMarketServeCommand() *cobra.Command {
	var (
		cfg                                       pay.GatewayConfig
		to, listen, units, delay, logLevel        string
		minDeposit, redeemAbove, redeemAfter, max string
		asMCP                                     bool
	)
	cmd := &cobra.Command{
		Use:   "serve SERVICE [-- COMMAND [ARG]...]",
		Short: "Take payment for a service in front of any HTTP or MCP server",
		Long: `Runs a gateway until Ctrl-C: requests are paid for by x402, then handed on to the server at --to, which knows nothing of
payment. A request may use --units of the service and costs that much, or less where the server says in the header
` + headerUnits + ` of its answer how many it has used (of tokens, requests and tasks; milliseconds of video, MiB-hours). Who pays is in
the header ` + headerPayer + ` of the request. Answers of status 400 and above cost nothing.

With --mcp the tools of an MCP server are sold, by the call: of the one at the URL --to (streamable HTTP), or of one that
COMMAND starts and that speaks on its standard input and output. Customers reach it by MCP at any path. What a call has used it may say
in _meta["` + metaUnits + `"] of its result, who pays is in _meta["` + metaPayer + `"] of the call. A result with isError costs nothing. What else
such a server offers (prompts, resources) is not served.

What it was promised it redeems by itself, with the key of --from, which pays the fees: the provider's hotkey or its
coldkey. One process sells a service. For servers that meter streams, use package pay.`,
		Example: `  lode market serve 3 --to http://127.0.0.1:8000 --from miner-1
  lode market serve 3 --to http://127.0.0.1:8000 --units 4000 --listen 0.0.0.0:8402 --public-url https://example.org --from miner-1-hot
  lode market serve 3 --mcp --from miner-1 -- npx -y @modelcontextprotocol/server-everything`,
		Args: serviceAndCommand,
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "the server's base URL; with --mcp that of an MCP server")
	f.BoolVar(&asMCP, "mcp", false, "sell the tools of an MCP server")
	f.StringVar(&listen, "listen", "127.0.0.1:8402", "address and port; port 0 takes a free one")
	f.StringVar(&units, "units", "1", "most units of the service that a request may use")
	f.StringVar(&cfg.PublicURL, "public-url", "", "how customers reach it, where a proxy stands before it")
	f.StringVar(&delay, "close-delay", "1h", "least close delay of a channel: in it what is promised is redeemed")
	f.StringVar(&minDeposit, "min-deposit", "", "least TAO in a channel")
	f.StringVar(&redeemAbove, "redeem-above", "1", "redeem a channel that owes so much TAO")
	f.StringVar(&redeemAfter, "redeem-after", "1h", "redeem what was owed for so long")
	f.StringVar(&max, "max-owed", "", "serve a channel no more that owes so much TAO, until it is redeemed")
	f.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		id, err := parseService(args[0])
		if err != nil {
			return err
		}
		open, err := behind(cmd, to, args, asMCP)
		if err != nil {
			return err
		}
		if public, err := parseUpstream(cfg.PublicURL, "--public-url"); err != nil {
			return err
		} else if public != nil && public.User != nil {
			return fail(codeUsage, "leave the password out", "--public-url is shown to everybody")
		}
		for _, a := range []struct {
			flag, value string
			to          *uint64
		}{{"--min-deposit", minDeposit, &cfg.MinDeposit}, {"--redeem-above", redeemAbove, &cfg.RedeemAbove}, {"--max-owed", max, &cfg.MaxOwed}} {
			if a.value == "" {
				continue
			}
			if *a.to, err = parseTAO(a.value, a.flag); err != nil {
				return err
			}
		}
		if cfg.CloseDelay, err = parsePeriod(delay, "--close-delay"); err != nil {
			return err
		}
		if cfg.RedeemAfter, err = duration(redeemAfter, "--redeem-after"); err != nil {
			return err
		}
		if cfg.Logger, err = loggerTo(cmd, logLevel); err != nil {
			return err
		}
		c, err := g.connect()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		start, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		gw, s, err := g.gateway(start, c, id, cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, gw.Close()) }()
		most, err := parseUnits(units, s.unit, "--units")
		if err != nil {
			return err
		}
		handler, closeBehind, err := open(ctx, gw, most, s.Description, cfg.Logger)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeBehind()) }()
		ln, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		address := "http://" + ln.Addr().String()
		price, err := pay.Cost(most, s.PriceRao, s.Per)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		if err := g.warnOfFees(start, c, s, cfg.Logger); err != nil {
			return errors.Join(err, ln.Close())
		}
		if g.json {
			cfg.Logger.Info("selling", "url", address, "service", id, "request_rao", price)
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "service %d (%s) is sold at %s, a request for %s TAO at most; Ctrl-C stops it\n", id, plain(s.Name), address, client.FormatTAO(price))
		}
		running, stop := context.WithCancel(ctx)
		redeeming := make(chan error, 1)
		go func() { redeeming <- gw.Run(running) }()
		err = serveHTTP(ctx, ln, handler, cfg.Logger)
		stop()
		if err = errors.Join(err, <-redeeming); err != nil {
			return err
		}
		last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
		defer cancelLast()
		return redeem(last, cmd, gw, id)
	}
	return cmd
}

// opener puts a gateway before the server that is sold, until it is closed.
type opener func(ctx context.Context, gw *pay.Gateway, units uint64, description string, log *slog.Logger) (h http.Handler, closeIt func() error, err error)

// behind is the server that flags and arguments name: one of HTTP, or of MCP.
func behind(cmd *cobra.Command, to string, args []string, asMCP bool) (opener, error) {
	if asMCP {
		return mcpBehind(cmd, to, args)
	}
	if len(args) > 1 {
		return nil, fail(codeUsage, "add --mcp, if it is an MCP server", "a command can't be sold")
	}
	upstream, err := parseUpstream(to, "--to")
	if err == nil && upstream == nil {
		err = fail(codeUsage, "see `lode market serve --help`", "give --to")
	}
	return func(_ context.Context, gw *pay.Gateway, units uint64, description string, log *slog.Logger) (http.Handler, func() error, error) {
		return gw.Handler(pay.Route{Units: pay.Flat(units), Description: description}, handOn(upstream, log)), func() error { return nil }, nil
	}, err
}

// duration is parsePeriod as a time.Duration.
func duration(s, what string) (time.Duration, error) {
	n, err := parsePeriod(s, what)
	return time.Duration(n) * time.Second, err
}

// handOn hands paid requests on to a server, and charges what its answers say.
func handOn(to *url.URL, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.SetXForwarded()
			r.Out.Header.Del(x402.HeaderSignature) // it is worth money
			r.Out.Header.Del(headerPayer)
			if m := pay.MeterFrom(r.In.Context()); m != nil {
				r.Out.Header.Set(headerPayer, m.Payer())
			}
		},
		ModifyResponse: func(r *http.Response) error {
			used := r.Header.Get(headerUnits)
			r.Header.Del(headerUnits)
			for _, name := range []string{x402.HeaderRequired, x402.HeaderResponse} {
				r.Header.Del(name)
			}
			if used == "" || r.StatusCode >= http.StatusBadRequest {
				return nil
			}
			n, err := strconv.ParseUint(used, 10, 64)
			if err != nil {
				return fmt.Errorf("the server answers %s: %.40q, which is no whole number", headerUnits, used)
			}
			return pay.MeterFrom(r.Request.Context()).Charge(n)
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Error("a paid request was not served, and costs nothing", "path", r.URL.Path, "err", err)
			http.Error(w, "the server behind this gateway does not answer; the request costs nothing", http.StatusBadGateway)
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
