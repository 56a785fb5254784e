package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/indexer"
	"github.com/spf13/cobra"
)

// consoleListen is where a console listens unless told otherwise.
const consoleListen = "127.0.0.1:8420"

// consoleFlags say how a console is served.
type consoleFlags struct {
	listen            string
	db                string
	hosts             []string
	tls               bool
	certFile, keyFile string
}

func newConsoleCommand() *cobra.Command {
	var f consoleFlags
	var verify bool
	var logLevel string
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Serve the console: wallet, explorer and market as a page, with its JSON API",
		Long: `Serves the console until Ctrl-C: a page that is wallet, explorer and market, and the JSON API that it reads (docs/console.md).
Keys are made in the browser and stay there; the server has none.

The history comes from an index, which this command keeps: --db names a file (SQLite), or a database by postgres://…; "none" does without.
Where another process writes the same index, this one reads it.

It listens on loopback. Elsewhere than on loopback browsers lock the wallet on a page without TLS: --tls makes a certificate of its own,
whose fingerprint is printed; --tls-cert and --tls-key give another. Requests must name the address that it listens on, or a --host.

--verify prints the hash of the page that is built in, and serves nothing: /v1/status of a server shows that of the page it serves.`,
		Example: `  lode console
  lode console --node http://127.0.0.1:26657 --db postgres://lode@127.0.0.1/lode
  lode console --listen 192.168.1.5:8420 --tls
  lode console --verify`,
		Args: cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", consoleListen, "address and port; port 0 takes a free one")
	fl.StringVar(&f.db, "db", "", `index: a file, postgres://…, or "none" (default: HOME/console/CHAIN_ID.db)`)
	fl.StringSliceVar(&f.hosts, "host", nil, "further name that requests may call it by, for example of a proxy before it")
	fl.BoolVar(&f.tls, "tls", false, "serve https with a certificate of its own, kept in HOME/console")
	fl.StringVar(&f.certFile, "tls-cert", "", "file with a certificate (PEM), to serve https with")
	fl.StringVar(&f.keyFile, "tls-key", "", "file with its key (PEM)")
	fl.BoolVar(&verify, "verify", false, "print the hash of the built-in page, and end")
	fl.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		if verify {
			return printBuild(cmd)
		}
		log, err := loggerTo(cmd, logLevel)
		if err != nil {
			return err
		}
		name, secret, err := f.secret(g.home)
		if err != nil {
			return err
		}
		c, err := g.connect()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		asking, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		chainID, err := c.ChainID(asking)
		if err != nil {
			return err
		}
		cfg := console.Config{Client: c, Hosts: f.hosts, Version: app.Version, Logger: log}
		if name != "" {
			cfg.Hosts = append(cfg.Hosts, name)
		}
		closeIndex, err := f.index(ctx, g.home, chainID, c, &cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeIndex()) }()
		s, err := console.New(cfg)
		if err != nil {
			return fail(codeUsage, "see `lode console --help`", "%w", err)
		}
		ln, err := net.Listen("tcp", f.listen)
		if err != nil {
			return err
		}
		url := consoleURL(ln.Addr(), name, secret != nil)
		if g.json {
			log.Info("serving the console", "url", url, "chain_id", chainID, "build", s.Build())
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "the console of %s is at %s; Ctrl-C stops it\n", chainID, url)
			if secret != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "its certificate's SHA-256 is %s\n", console.Fingerprint(secret.Certificates[0]))
			}
		}
		if err := s.Serve(ctx, ln, secret); err != nil {
			return err
		}
		v := struct {
			URL     string `json:"url"`
			ChainID string `json:"chain_id"`
			Build   string `json:"build"`
		}{url, chainID, s.Build()}
		return output(cmd, v, func(w io.Writer) { fmt.Fprintln(w, "stopped") })
	}
	return cmd
}

// printBuild prints the hash of the page that is built in.
func printBuild(cmd *cobra.Command) error {
	build, err := console.BuiltIn()
	if err != nil {
		return err
	}
	v := struct {
		Build   string `json:"build"`
		Files   int    `json:"files"`
		Version string `json:"version"`
	}{build.Hash, build.Files, app.Version}
	return output(cmd, v, func(w io.Writer) { fmt.Fprintln(w, v.Build) })
}

// secret is what the flags say of TLS, nil for none; name is the host of --listen where
// that is no address.
func (f *consoleFlags) secret(home string) (name string, secret *tls.Config, err error) {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return "", nil, fail(codeUsage, "give ADDRESS:PORT, for example "+consoleListen, "--listen %q: %w", f.listen, err)
	}
	if host != "" && net.ParseIP(host) == nil && host != "localhost" {
		name = host
	}
	if (f.certFile == "") != (f.keyFile == "") || f.certFile != "" && f.tls {
		return "", nil, fail(codeUsage, "give --tls, or both of the others", "--tls-cert and --tls-key go together, and without --tls")
	}
	if f.certFile != "" {
		cert, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
		if err != nil {
			return "", nil, fail(codeUsage, "give a certificate and its key as PEM files", "--tls-cert, --tls-key: %w", err)
		}
		return name, console.TLS(cert), nil
	}
	if !f.tls {
		return name, nil, nil
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, f.hosts...)
	if name != "" {
		hosts = append(hosts, name)
	}
	ip := net.ParseIP(host)
	switch {
	case ip != nil && !ip.IsUnspecified():
		hosts = append(hosts, host)
	case host == "" || ip != nil:
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			return "", nil, err
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
				hosts = append(hosts, n.IP.String())
			}
		}
	}
	for i, h := range hosts { // of --host
		if bare, _, err := net.SplitHostPort(h); err == nil {
			hosts[i] = bare
		}
	}
	cert, err := console.Certificate(filepath.Join(home, "console"), hosts, time.Now())
	if err != nil {
		return "", nil, err
	}
	return name, console.TLS(cert), nil
}

// index opens the index that the flags name and gives it to a console.
func (f *consoleFlags) index(ctx context.Context, home, chainID string, c *client.Client, cfg *console.Config) (closeIndex func() error, err error) {
	db := f.db
	switch {
	case db == "none":
		return func() error { return nil }, nil
	case db == "":
		dir := filepath.Join(home, "console")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		db = filepath.Join(dir, chainID+".db")
	}
	return openIndex(ctx, db, c, cfg)
}

// openIndex gives a console an index, and the work that keeps it up to date.
func openIndex(ctx context.Context, db string, c *client.Client, cfg *console.Config) (closeIndex func() error, err error) {
	ix, err := indexer.Open(ctx, db)
	if err != nil {
		return nil, fail("no_index", `name a file or postgres://…, or do without by --db none`, "the index can't be opened: %w", err)
	}
	cfg.Index = ix
	cfg.Indexing = func(ctx context.Context) error { return ix.Run(ctx, indexer.Node(c)) }
	return ix.Close, nil
}

// consoleURL is where browsers find a console.
func consoleURL(at net.Addr, name string, secret bool) string {
	scheme, host := "http", at.String()
	if secret {
		scheme = "https"
	}
	if a, ok := at.(*net.TCPAddr); ok {
		switch {
		case name != "":
			host = net.JoinHostPort(name, fmt.Sprint(a.Port))
		case a.IP.IsUnspecified():
			host = net.JoinHostPort("127.0.0.1", fmt.Sprint(a.Port))
		}
	}
	return scheme + "://" + strings.ToLower(host)
}
