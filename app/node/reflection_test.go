//lint:file-ignore SA1019 v1alpha is what the SDK serves, and what old tools ask for

package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lodenet/lode/app"
)

// reflector asks a node's reflection, in one of its versions.
type reflector struct {
	services func() ([]string, error)
	file     func(symbol string) ([][]byte, error)
}

// queryServices are those of our modules' queries, as the chain's descriptors have them.
func queryServices() []string {
	var names []string
	app.MakeEncodingConfig().InterfaceRegistry.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			if s := f.Services().Get(i); s.Name() == "Query" && strings.HasPrefix(string(s.FullName()), "lode.") {
				names = append(names, string(s.FullName()))
			}
		}
		return true
	})
	slices.Sort(names)
	return names
}

func TestReflectionDescribesEveryServiceInBothItsVersions(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 1)
	conn, err := grpc.NewClient(n.Endpoints().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	want := queryServices()
	require.Contains(t, want, "lode.alpha.v1.Query")
	want = append(want, "cosmos.bank.v1beta1.Query", "cosmos.staking.v1beta1.Query", "cosmos.tx.v1beta1.Service", "cosmos.base.tendermint.v1beta1.Service")

	for version, r := range map[string]reflector{"v1": newV1(t, conn), "v1alpha": newV1alpha(t, conn)} {
		t.Run(version, func(t *testing.T) {
			services, err := r.services()
			require.NoError(t, err)
			require.Subset(t, services, want)
			for _, name := range want {
				files, err := r.file(name)
				require.NoError(t, err, name)
				require.True(t, describes(t, files, name), "%s is not in the file that is said to have it", name)
			}
			_, err = r.file("lode.alpha.v1.Nothing")
			require.Error(t, err)
		})
	}
}

// describes says whether one of these files has a service, with methods.
func describes(t *testing.T, files [][]byte, service string) bool {
	t.Helper()
	for _, raw := range files {
		var f descriptorpb.FileDescriptorProto
		require.NoError(t, proto.Unmarshal(raw, &f))
		for _, s := range f.Service {
			if f.GetPackage()+"."+s.GetName() == service {
				return len(s.Method) > 0
			}
		}
	}
	return false
}

// refusal is an error of the reflection service.
type refusal string

func (r refusal) Error() string { return string(r) }

func newV1(t *testing.T, conn *grpc.ClientConn) reflector {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	ask := func(req *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
		if err := stream.Send(req); err != nil {
			return nil, err
		}
		res, err := stream.Recv()
		if e := res.GetErrorResponse(); err == nil && e != nil {
			err = refusal(e.ErrorMessage)
		}
		return res, err
	}
	return reflector{
		services: func() (names []string, err error) {
			res, err := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
			for _, s := range res.GetListServicesResponse().GetService() {
				names = append(names, s.GetName())
			}
			return names, err
		},
		file: func(symbol string) ([][]byte, error) {
			res, err := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
			return res.GetFileDescriptorResponse().GetFileDescriptorProto(), err
		},
	}
}

func newV1alpha(t *testing.T, conn *grpc.ClientConn) reflector {
	stream, err := reflectionv1alpha.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	ask := func(req *reflectionv1alpha.ServerReflectionRequest) (*reflectionv1alpha.ServerReflectionResponse, error) {
		if err := stream.Send(req); err != nil {
			return nil, err
		}
		res, err := stream.Recv()
		if e := res.GetErrorResponse(); err == nil && e != nil {
			err = refusal(e.ErrorMessage)
		}
		return res, err
	}
	return reflector{
		services: func() (names []string, err error) {
			res, err := ask(&reflectionv1alpha.ServerReflectionRequest{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{}})
			for _, s := range res.GetListServicesResponse().GetService() {
				names = append(names, s.GetName())
			}
			return names, err
		},
		file: func(symbol string) ([][]byte, error) {
			res, err := ask(&reflectionv1alpha.ServerReflectionRequest{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
			return res.GetFileDescriptorResponse().GetFileDescriptorProto(), err
		},
	}
}
