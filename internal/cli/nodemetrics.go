package cli

import (
	"context"
	"path/filepath"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"

	"github.com/lodenet/lode/app/node"
)

// flagMetrics is the start command's, for where to serve metrics.
const flagMetrics = "metrics"

// startMetrics serves the metrics of the node that the start command runs.
type startMetrics struct{ node.ServerMetrics }

func (m *startMetrics) addFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagMetrics, "", "serve metrics for Prometheus at HOST:PORT (default prometheus_listen_addr of config.toml, where prometheus = true)")
}

// measuring makes applications that are measured, if metrics are served.
func (m *startMetrics) measuring(create servertypes.AppCreator) servertypes.AppCreator {
	return func(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
		a, err := m.Measure(create(logger, db, opts), filepath.Join(cast.ToString(opts.Get(flags.FlagHome)), "data"))
		if err != nil {
			panic(err) // as app.New does
		}
		return a
	}
}

// serve serves beside the node.
func (m *startMetrics) serve(_ *server.Context, _ client.Context, ctx context.Context, g *errgroup.Group) error {
	g.Go(func() error {
		m.Serve(ctx)
		return nil
	})
	return nil
}

// configured has metrics configured when the command has read its configuration.
func (m *startMetrics) configured(start *cobra.Command) {
	before := start.PreRunE
	start.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := before(cmd, args); err != nil {
			return err
		}
		address, err := cmd.Flags().GetString(flagMetrics)
		if err != nil {
			return err
		}
		if err := m.Configure(server.GetServerContextFromCmd(cmd).Config.Instrumentation, address); err != nil {
			return fail("port_in_use", "", "%w", err)
		}
		return nil
	}
}
