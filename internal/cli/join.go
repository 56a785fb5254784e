package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/wallet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

// joinFlags are what every miner and validator has in common: its keys, its place in a
// subnet and on the mesh.
type joinFlags struct {
	hotkey   string
	netuid   string
	listen   []string
	announce []string
	relays   []string
	nat      bool
	register bool
	maxBurn  string
	check    bool
	logLevel string
}

func (f *joinFlags) add(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.hotkey, "hotkey", "", "the hotkey that works, in the wallet (required); with --check any hotkey's address")
	s.StringVar(&f.netuid, "netuid", "1", "the subnet")
	s.StringSliceVar(&f.listen, "listen", nil, "multiaddrs to listen on (default: free ports on loopback in a local network, else port 4101 everywhere)")
	s.StringSliceVar(&f.announce, "announce", splitList(os.Getenv("LODE_ANNOUNCE")), "multiaddrs to publish, where they look different from outside (LODE_ANNOUNCE)")
	s.BoolVar(&f.nat, "nat", false, "behind a router: ask it to map a port, punch holes, use --relay")
	s.StringSliceVar(&f.relays, "relay", nil, "multiaddrs (…/p2p/ID) of relays to be reached through; with --nat")
	s.BoolVar(&f.register, "register", true, "bind and register the hotkey if it isn't; the coldkey of --from pays")
	s.StringVar(&f.maxBurn, "max-burn", "", maxBurnFlag)
	s.BoolVar(&f.check, "check", false, "only tell whether the hotkey can be reached from here where the chain says, and why not")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
}

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// publicListen is where processes listen whose network is not on this machine alone;
// those of a local one have [mesh.DefaultListen].
var publicListen = []string{"/ip4/0.0.0.0/udp/4101/quic-v1", "/ip4/0.0.0.0/tcp/4101"}

// joined is a hotkey that is ready to work in a subnet.
type joined struct {
	common subnet.Common
	host   *mesh.Host
	name   string // the hotkey's, in the wallet
	chain  string // id
}

// join makes a hotkey ready to work: it opens the keys, looks at the subnet, and starts
// listening. Nothing is registered yet: the process does it when it runs.
func (f *joinFlags) join(ctx context.Context, cmd *cobra.Command, c *client.Client, log *slog.Logger, name, version string) (*joined, error) {
	g := globalsOf(cmd)
	netuid, err := parseNetuid(f.netuid)
	if err != nil {
		return nil, err
	}
	k, err := g.workingKey(ctx, f.hotkey)
	if err != nil {
		return nil, err
	}
	chainID, err := c.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	if s.Subnet.Name != name {
		log.Warn("the subnet has another name: is it the right one?", "netuid", netuid, "name", s.Subnet.Name, "expected", name)
	}
	cold, limit, err := f.registration(ctx, g, c, netuid, k)
	if err != nil {
		return nil, err
	}
	hot, err := g.signer(ctx, k.Name)
	if err != nil {
		return nil, err
	}
	listen := f.listen
	if len(listen) == 0 && !strings.HasPrefix(chainID, localChains) {
		listen = publicListen
	}
	host, err := mesh.New(context.WithoutCancel(ctx), mesh.Config{
		PrivKey: hot.PrivKey(), Listen: listen, Announce: f.announce, NAT: f.nat, Relays: f.relays, Logger: log,
	})
	if err != nil {
		return nil, fail("listen", "choose other addresses with --listen and --announce", "%w", err)
	}
	if g.json {
		log.Info("working", "hotkey", hot.Address(), "netuid", netuid, "subnet", s.Subnet.Name, "chain_id", chainID, "endpoints", host.Endpoints())
	} else {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s %s works in subnet %d (%s) of %s, listening on %s; Ctrl-C stops it\n",
			k.Name, hot.Address(), netuid, s.Subnet.Name, chainID, strings.Join(host.Endpoints(), " "))
	}
	return &joined{
		common: subnet.Common{
			Chain: onchain.New(c, hot, cold), Mesh: host, Netuid: uint16(netuid), Name: name, Version: version,
			Register: cold != nil, MaxBurn: limit, Logger: log,
		},
		host: host, name: k.Name, chain: chainID,
	}, nil
}

// registration finds who pays for a registration, and how much at most; nobody where
// the hotkey is registered.
func (f *joinFlags) registration(ctx context.Context, g *globals, c *client.Client, netuid uint32, hot wallet.Key) (*wallet.Signer, uint64, error) {
	_, err := c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: netuid, Hotkey: hot.Address})
	if err == nil {
		return nil, 0, nil
	}
	if !errors.Is(err, client.ErrNotFound) {
		return nil, 0, err
	}
	if !f.register {
		return nil, 0, fail("not_registered", fmt.Sprintf("leave --register on, or run `lode neuron register --netuid %d --hotkey %s`", netuid, hot.Name), "%s has no uid in subnet %d", hot.Name, netuid)
	}
	limit, err := maxBurn(ctx, c, netuid, f.maxBurn)
	if err != nil {
		return nil, 0, err
	}
	cold, err := g.payer(ctx)
	return cold, limit, err
}

// logger writes for people, or for programs, to standard error.
func (f *joinFlags) logger(cmd *cobra.Command) (*slog.Logger, error) {
	return loggerTo(cmd, f.logLevel)
}

// loggerTo is the logger of a command that runs on, at a level by its name.
func loggerTo(cmd *cobra.Command, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fail(codeUsage, "use debug, info, warn or error", "--log-level %q: there is no such level", level)
	}
	opts := &slog.HandlerOptions{Level: l}
	if globalsOf(cmd).json {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opts)), nil
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opts)), nil
}

// workingKey finds a hotkey of the wallet.
func (g *globals) workingKey(ctx context.Context, name string) (wallet.Key, error) {
	if name == "" {
		return wallet.Key{}, fail(codeUsage, "`lode wallet create NAME --kind hotkey` makes one", "give --hotkey")
	}
	k, err := g.key(ctx, name)
	if err == nil && k.Kind != wallet.Hotkey {
		err = g.notAHotkey(ctx, k)
	}
	return k, err
}
