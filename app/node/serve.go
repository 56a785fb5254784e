package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	cmtnode "github.com/cometbft/cometbft/node"
	rpcserver "github.com/cometbft/cometbft/rpc/jsonrpc/server"
	"github.com/rs/cors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/server/api"
	servergrpc "github.com/cosmos/cosmos-sdk/server/grpc"

	"github.com/lodenet/lode/records"
)

// servers are a node's listeners. Closing them closes every connection, so that no
// client goes on talking to a node that was stopped.
type servers struct {
	listeners []*listener
	http      []*http.Server
	grpc      *grpc.Server
	conn      *grpc.ClientConn // REST's way to gRPC
	running   sync.WaitGroup
}

// listener keeps its connections, to close them: a WebSocket is out of the HTTP
// server's hands.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

type conn struct {
	net.Conn
	l *listener
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		c.Close()
		return nil, net.ErrClosed
	}
	tracked := conn{c, l}
	l.conns[c] = struct{}{}
	return tracked, nil
}

func (c conn) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c.Conn)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

// closeAll closes what is still open.
func (l *listener) closeAll() {
	l.Close()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		c.Close()
	}
}

// listen opens an address; flag names it in the error.
func (s *servers) listen(what, addr string) (*listener, error) {
	addr = strings.TrimPrefix(addr, "tcp://")
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("the %s address %s can't be listened on: %w. Choose another port, or end what uses it", what, addr, err)
	}
	tracked := &listener{Listener: l, conns: map[net.Conn]struct{}{}}
	s.listeners = append(s.listeners, tracked)
	return tracked, nil
}

// serveHTTP serves until close.
func (s *servers) serveHTTP(l net.Listener, h http.Handler, log quiet, cfg *rpcserver.Config) {
	srv := &http.Server{
		Handler:           rpcserver.PreChecksHandler(h, cfg),
		ReadTimeout:       cfg.ReadTimeout,
		ReadHeaderTimeout: cfg.ReadTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		MaxHeaderBytes:    cfg.MaxHeaderBytes,
	}
	s.http = append(s.http, srv)
	s.running.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("a server stopped", "address", l.Addr().String(), "err", err)
		}
	})
}

// close ends all servers: calls in progress get a moment, connections are closed.
func (s *servers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	for _, srv := range s.http {
		if srv.Shutdown(ctx) != nil {
			srv.Close() // some call takes too long
		}
	}
	if s.conn != nil {
		s.conn.Close()
	}
	if s.grpc != nil {
		s.grpc.Stop()
	}
	for _, l := range s.listeners {
		l.closeAll()
	}
	s.running.Wait()
}

// serveRPC serves CometBFT's RPC as its own node would (node.startRPC), on a
// listener of ours, and beside it records of blocks.
func (s *servers) serveRPC(l *listener, n *cmtnode.Node, state cmtdb.DB, log quiet, allow bool) error {
	env, err := n.ConfigureRPC()
	if err != nil {
		return err
	}
	routes, rpc := env.GetRoutes(), n.Config().RPC
	if rpc.Unsafe {
		env.AddUnsafeRoutes(routes)
	}
	cfg := rpcserver.DefaultConfig()
	cfg.MaxRequestBatchSize, cfg.MaxBodyBytes, cfg.MaxHeaderBytes = rpc.MaxRequestBatchSize, rpc.MaxBodyBytes, rpc.MaxHeaderBytes
	cfg.WriteTimeout = max(cfg.WriteTimeout, rpc.TimeoutBroadcastTxCommit+time.Second)

	ws := rpcserver.NewWebsocketManager(routes,
		rpcserver.OnDisconnect(func(remote string) {
			_ = n.EventBus().UnsubscribeAll(context.Background(), remote) // it may have had no subscription
		}),
		rpcserver.ReadLimit(cfg.MaxBodyBytes),
		rpcserver.WriteChanCapacity(rpc.WebSocketWriteBufferSize),
	)
	ws.SetLogger(log.comet())
	mux := http.NewServeMux()
	mux.HandleFunc("/websocket", ws.WebsocketHandler)
	rpcserver.RegisterRPCFuncs(mux, routes, log.comet())
	origins := rpc.CORSAllowedOrigins
	if allow {
		origins = []string{"*"}
	}
	all := http.NewServeMux()
	all.Handle("/", rpcserver.RecoverAndLogHandler(withCORS(mux, origins, rpc.CORSAllowedMethods, rpc.CORSAllowedHeaders), log.comet()))
	all.Handle(records.Path, Records(n.BlockStore(), state, log.Logger)) // that handler would hide the connection, which has a deadline here
	s.serveHTTP(l, all, log, cfg)
	return nil
}

// serveGRPC serves the application's queries and reflection.
func (s *servers) serveGRPC(l *listener, n *Node, ctx client.Context) error {
	srv, _, err := servergrpc.NewGRPCServerAndContext(ctx, n.app, n.appConfig.GRPC, n.log)
	if err != nil {
		return err
	}
	s.grpc = srv
	s.running.Go(func() {
		if err := srv.Serve(l); err != nil {
			n.log.Error("the gRPC server stopped", "err", err)
		}
	})
	return nil
}

// serveREST serves the same over REST, by way of gRPC at target.
func (s *servers) serveREST(l *listener, n *Node, ctx client.Context, target string, allow bool) error {
	c, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec.NewProtoCodec(ctx.InterfaceRegistry).GRPCCodec()),
			grpc.MaxCallRecvMsgSize(n.appConfig.GRPC.MaxSendMsgSize), grpc.MaxCallSendMsgSize(n.appConfig.GRPC.MaxRecvMsgSize)))
	if err != nil {
		return err
	}
	s.conn = c
	srv := api.New(ctx.WithGRPCClient(c), n.log, s.grpc)
	n.app.RegisterAPIRoutes(srv, n.appConfig.API)
	srv.Router.PathPrefix("/").Handler(srv.GRPCGatewayRouter)
	cfg := rpcserver.DefaultConfig()
	cfg.MaxBodyBytes = int64(n.appConfig.API.RPCMaxBodyBytes)
	var origins []string
	if allow || n.appConfig.API.EnableUnsafeCORS {
		origins = []string{"*"}
	}
	h := withCORS(srv.Router, origins, []string{http.MethodHead, http.MethodGet, http.MethodPost}, []string{"Content-Type"})
	s.serveHTTP(l, rpcserver.RecoverAndLogHandler(h, n.log.comet()), n.log, cfg)
	return nil
}

// withCORS lets pages of the origins call; without origins no other page can.
func withCORS(h http.Handler, origins, methods, headers []string) http.Handler {
	if len(origins) == 0 {
		return h
	}
	return cors.New(cors.Options{AllowedOrigins: origins, AllowedMethods: methods, AllowedHeaders: headers}).Handler(h)
}
