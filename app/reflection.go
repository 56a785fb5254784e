package app

import (
	gogogrpc "github.com/cosmos/gogoproto/grpc"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// RegisterGRPCServerWithSkipCheckHeader registers the modules' services, and reflection
// in its version v1, which tools ask for first: the SDK's servers have v1alpha alone.
func (app *App) RegisterGRPCServerWithSkipCheckHeader(server gogogrpc.Server, skip bool) {
	app.BaseApp.RegisterGRPCServerWithSkipCheckHeader(server, skip)
	if s, ok := server.(reflection.GRPCServer); ok {
		// The modules' descriptors are gogoproto's: the default resolver lacks them.
		reflectionv1.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{
			Services: s, DescriptorResolver: app.InterfaceRegistry,
		}))
	}
}
