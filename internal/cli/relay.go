package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/mesh"
)

// relayListen is where a relay listens by default.
var relayListen = []string{"/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"}

func newRelayCommand() *cobra.Command {
	var (
		hotkey           string
		listen, announce []string
		allow            []string
		r                mesh.Relay
		dataMiB          int64
	)
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Let miners behind routers be reached through this machine",
		Long: `Runs a relay (libp2p's circuit relay v2) until Ctrl-C, on a machine that others can reach. Miners and validators behind
routers hold a connection to it (--nat --relay ADDRESS), and whoever calls them comes through it; it needs no chain. The
hotkey gives it its identity, which is part of its address: one that does nothing else.

Both ends authenticate each other and encrypt: a relay sees who calls whom and how much, and nothing of what is said. It
carries all the traffic of those who can't get a direct connection, so bound it: --allow names who may use it.`,
		Example: `  lode wallet create relay --kind hotkey
  lode relay --hotkey relay --announce /ip4/198.51.100.9/udp/4001/quic-v1
  lode relay --hotkey relay --allow lode1…,gpu --data-mib 1024 --duration 30m`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&hotkey, "hotkey", "", "the hotkey that is the relay's identity, in the wallet (required)")
	f.StringSliceVar(&listen, "listen", relayListen, "multiaddrs to listen on")
	f.StringSliceVar(&announce, "announce", splitList(os.Getenv("LODE_ANNOUNCE")), "multiaddrs to tell, where they look different from outside (LODE_ANNOUNCE)")
	f.StringSliceVar(&allow, "allow", nil, "hotkeys that may be reached through it: addresses, or names in the wallet (default: any)")
	f.IntVar(&r.Hotkeys, "hotkeys", 128, "how many may be reached through it at once")
	f.IntVar(&r.Each, "connections", 64, "to each of them at once")
	f.Int64Var(&dataMiB, "data-mib", 4096, "MiB that a relayed connection may carry each way")
	f.DurationVar(&r.Duration, "duration", 2*time.Hour, "how long a relayed connection may last")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, g := cmd.Context(), globalsOf(cmd)
		if r.Hotkeys < 1 || r.Each < 1 || r.Duration < time.Second || dataMiB < 1 || dataMiB > 1<<40 {
			return fail(codeUsage, "see `lode relay --help`", "--hotkeys, --connections and --data-mib are 1 or more, --duration a second or more")
		}
		r.Data = dataMiB << 20
		k, err := g.workingKey(ctx, hotkey)
		if err != nil {
			return err
		}
		hot, err := g.signer(ctx, k.Name)
		if err != nil {
			return err
		}
		if r.Allow, err = g.allowed(ctx, allow); err != nil {
			return err
		}
		host, err := mesh.New(context.WithoutCancel(ctx), mesh.Config{PrivKey: hot.PrivKey(), Listen: listen, Announce: announce, Relay: &r})
		if err != nil {
			return fail("listen", "choose other addresses with --listen and --announce", "%w", err)
		}
		v := struct {
			Hotkey    string   `json:"hotkey"`
			Endpoints []string `json:"endpoints"`
		}{hot.Address(), host.Endpoints()}
		err = output(cmd, v, func(w io.Writer) {
			fmt.Fprintf(w, "a relay; behind it: lode mine … --nat --relay %s\n", strings.Join(v.Endpoints, " --relay "))
			fmt.Fprintln(w, "Ctrl-C stops it")
		})
		if err == nil {
			<-ctx.Done()
		}
		if closed := host.Close(); err == nil {
			err = closed
		}
		return err
	}
	return cmd
}

// allowed says who is named; anybody where nobody is.
func (g *globals) allowed(ctx context.Context, names []string) (func(hotkey string) bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	list := make([]string, len(names))
	for i, name := range names {
		var err error
		if list[i], err = g.hotkeyAddress(ctx, name); err != nil {
			return nil, err
		}
	}
	return func(hotkey string) bool { return slices.Contains(list, hotkey) }, nil
}
