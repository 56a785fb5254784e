package console

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/lodenet/lode/client"
)

// Config says what a [Server] serves. Only Client is required.
type Config struct {
	// Client talks to the chain. It stays its owner's: the server does not close it.
	Client *client.Client
	// Index knows the history; nil: the console has none, and says so where it is asked.
	Index Index
	// Indexing, if given, keeps Index up to date until its context ends. The server runs
	// it, shows its error, and runs it again where that may pass.
	Indexing func(ctx context.Context) error
	// Pages are the built page; default those that are embedded.
	Pages fs.FS
	// Hosts are further names that requests may give, HOST or HOST:PORT: those of a proxy
	// before the server. Without a port any port will do.
	Hosts []string
	// GasPrice is what wallets are told to pay for a unit of gas, in rao; default 0.01.
	GasPrice string
	// Version is that of the program.
	Version string

	// MaxRequests bounds the API's requests at once, MaxStreams those of /v1/stream,
	// MaxBuys those of /buy, MaxConns connections; defaults 256, 1,024, 256, 4,096.
	MaxRequests, MaxStreams, MaxBuys, MaxConns int

	// Logger defaults to a silent one.
	Logger *slog.Logger
}

// LocalChains begin like this; nothing on them is worth anything.
const LocalChains = "lode-local-"

// defaultGasPrice is the client's own.
const defaultGasPrice = "0.01"

func (c *Config) setDefaults() error {
	if c.Client == nil {
		return errors.New("console: no client of the chain is given")
	}
	for _, h := range c.Hosts {
		if _, err := parseHost(h); err != nil {
			return fmt.Errorf("console: %w", err)
		}
	}
	if c.Pages == nil {
		sub, err := embedded()
		if err != nil {
			return err
		}
		c.Pages = sub
	}
	if c.GasPrice == "" {
		c.GasPrice = defaultGasPrice
	}
	for _, d := range []struct {
		value *int
		def   int
	}{{&c.MaxRequests, 256}, {&c.MaxStreams, 1024}, {&c.MaxBuys, 256}, {&c.MaxConns, 4096}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// host is what a request, or Config.Hosts, names: a host and perhaps a port.
type host struct {
	name string     // lower case; empty where it is an address
	addr netip.Addr // without zone
	port string     // empty: none was given
}

// parseHost reads a Host header strictly: an address or a name of letters, digits,
// hyphens and points, and a port. There is no guessing: what is not that is an error.
func parseHost(s string) (host, error) {
	bad := func() (host, error) { return host{}, fmt.Errorf("%.100q is no host", s) }
	if len(s) > 300 {
		return bad()
	}
	var h host
	var rest string
	if in, ok := strings.CutPrefix(s, "["); ok {
		inner, after, ok := strings.Cut(in, "]")
		if !ok {
			return bad()
		}
		addr, err := netip.ParseAddr(inner)
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return bad()
		}
		h.addr, rest = addr.Unmap(), after
	} else {
		name, port, found := strings.Cut(s, ":")
		if found {
			rest = ":" + port
		}
		if addr, err := netip.ParseAddr(name); err == nil && addr.Is4() {
			h.addr = addr
		} else if h.name = strings.ToLower(name); !isName(h.name) {
			return bad()
		}
	}
	if rest != "" {
		port, ok := strings.CutPrefix(rest, ":")
		if !ok || port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return bad()
		}
		h.port = port
	}
	return h, nil
}

// isName says whether s is a host's name, and no number that some program may take for
// an address.
func isName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
