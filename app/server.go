package app

import (
	"net/http"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/api"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"

	"github.com/lodenet/lode/x/seed/vrf"
)

// RegisterAPIRoutes serves the queries of all modules, of transactions, blocks
// and the node over REST, and what there is to ask.
func (app *App) RegisterAPIRoutes(s *api.Server, _ serverconfig.APIConfig) {
	authtx.RegisterGRPCGatewayRoutes(s.ClientCtx, s.GRPCGatewayRouter)
	cmtservice.RegisterGRPCGatewayRoutes(s.ClientCtx, s.GRPCGatewayRouter)
	nodeservice.RegisterGRPCGatewayRoutes(s.ClientCtx, s.GRPCGatewayRouter)
	app.basics.RegisterGRPCGatewayRoutes(s.ClientCtx, s.GRPCGatewayRouter)
	s.Router.HandleFunc(OpenAPIPath, serveOpenAPI).Methods(http.MethodGet, http.MethodHead)
	s.Router.HandleFunc(HealthPath, serveHealth(s.ClientCtx.Client, app.blockTime, time.Now)).Methods(http.MethodGet, http.MethodHead)
}

// RegisterTxService serves simulation, broadcast and search of transactions. In
// answers, the proof that a block begins with is a transaction without content: a
// list of a block's transactions would fail otherwise.
func (app *App) RegisterTxService(ctx client.Context) {
	ctx = ctx.WithTxConfig(proofsToo{ctx.TxConfig})
	authtx.RegisterTxService(app.GRPCQueryRouter(), ctx, app.Simulate, app.InterfaceRegistry)
}

// RegisterTendermintService serves blocks and validators.
func (app *App) RegisterTendermintService(ctx client.Context) {
	cmtservice.RegisterTendermintService(ctx, app.GRPCQueryRouter(), app.InterfaceRegistry, server.NewCometABCIWrapper(app).Query)
}

// RegisterNodeService serves the node's own configuration and height.
func (app *App) RegisterNodeService(ctx client.Context, cfg serverconfig.Config) {
	nodeservice.RegisterNodeService(ctx, app.GRPCQueryRouter(), cfg, func() int64 { return app.CommitMultiStore().EarliestVersion() })
}

// proofsToo reads the proofs in blocks, too.
type proofsToo struct{ client.TxConfig }

func (c proofsToo) TxDecoder() sdk.TxDecoder {
	decode := c.TxConfig.TxDecoder()
	return func(raw []byte) (sdk.Tx, error) {
		if _, ok := vrf.Unframe(raw); ok {
			return c.NewTxBuilder().GetTx(), nil
		}
		return decode(raw)
	}
}
