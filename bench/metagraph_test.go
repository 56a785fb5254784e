package bench_test

import (
	"context"
	"net"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cosmos/cosmos-sdk/codec"

	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

// BenchmarkMetagraph asks for a subnet of 4,096 neurons, the most there can be, 64 of
// them validators with dense rows: through the application's query, which encodes the
// answer, and over gRPC on loopback, where the client decodes it.
func BenchmarkMetagraph(b *testing.B) {
	s := scale{subnets: 1, neurons: 4096, validators: 64, nominators: 8}
	b.Run("query", func(b *testing.B) {
		c := judged(b, s)
		raw, err := (&emissiontypes.QueryMetagraphRequest{Netuid: 1}).Marshal()
		must(b, err)
		size := 0
		for b.Loop() {
			res, err := c.Query(context.Background(), &abci.RequestQuery{Path: "/lode.emission.v1.Query/Metagraph", Data: raw})
			must(b, err)
			if res.Code != 0 {
				b.Fatal(res.Log)
			}
			size = len(res.Value)
		}
		b.ReportMetric(float64(size), "bytes")
	})
	b.Run("grpc", func(b *testing.B) {
		c := judged(b, s)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(b, err)
		server := grpc.NewServer(grpc.ForceServerCodec(codec.NewProtoCodec(c.InterfaceRegistry).GRPCCodec()))
		c.RegisterGRPCServer(server)
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()
		defer func() {
			server.Stop()
			if err := <-done; err != nil {
				b.Error(err)
			}
		}()
		conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		must(b, err)
		defer conn.Close()
		client := emissiontypes.NewQueryClient(conn)
		for b.Loop() {
			res, err := client.Metagraph(context.Background(), &emissiontypes.QueryMetagraphRequest{Netuid: 1})
			must(b, err)
			if len(res.Neurons) != s.neurons {
				b.Fatalf("%d neurons", len(res.Neurons))
			}
		}
	})
}

// judged is a chain whose first subnets have run an epoch.
func judged(b *testing.B, s scale) *scaled {
	b.Helper()
	c := chainOf(b, s)
	if c.round == 3 {
		c.due(b, 0)
		c.block(b)
	}
	return c
}
