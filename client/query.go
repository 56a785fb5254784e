package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	rpcclient "github.com/cometbft/cometbft/rpc/client"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
)

// AtHeight makes queries with the context that it returns see the chain as it was at a
// block. A node keeps only so many.
func AtHeight(ctx context.Context, height int64) context.Context {
	return metadata.AppendToOutgoingContext(ctx, grpctypes.GRPCBlockHeightHeader, strconv.FormatInt(height, 10))
}

// Invoke asks the chain: it carries a gRPC call over a node's RPC. It makes the Client
// a connection for generated query clients.
func (c *Client) Invoke(ctx context.Context, method string, req, reply any, opts ...grpc.CallOption) error {
	data, err := c.codec.GRPCCodec().Marshal(req)
	if err != nil {
		return fmt.Errorf("query %s: %w", method, err)
	}
	height, err := heightOf(ctx)
	if err != nil {
		return err
	}
	res, err := c.abciQuery(ctx, method, data, height)
	if err != nil {
		return err
	}
	if err := c.codec.GRPCCodec().Unmarshal(res.Response.Value, reply); err != nil {
		return fmt.Errorf("query %s: the answer can't be read, perhaps the node runs another version: %w", method, err)
	}
	for _, o := range opts {
		if h, ok := o.(grpc.HeaderCallOption); ok {
			*h.HeaderAddr = metadata.Pairs(grpctypes.GRPCBlockHeightHeader, strconv.FormatInt(res.Response.Height, 10))
		}
	}
	return nil
}

// NewStream fails: the chain has no streaming queries.
func (c *Client) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, fmt.Errorf("query %s: streams are not supported", method)
}

func heightOf(ctx context.Context) (int64, error) {
	md, _ := metadata.FromOutgoingContext(ctx)
	values := md.Get(grpctypes.GRPCBlockHeightHeader)
	if len(values) == 0 {
		return 0, nil
	}
	h, err := strconv.ParseInt(values[len(values)-1], 10, 64)
	if err != nil || h < 0 {
		return 0, fmt.Errorf("block height %q is not a number from 0 up", values[len(values)-1])
	}
	return h, nil
}

// abciQuery asks the nodes' application; what it answers with an error is a
// [*QueryError].
func (c *Client) abciQuery(ctx context.Context, path string, data []byte, height int64) (res *ctypes.ResultABCIQuery, err error) {
	err = c.each(ctx, true, func(ctx context.Context, n *node) error {
		for {
			res, err = n.rpc.ABCIQueryWithOptions(ctx, path, data, rpcclient.ABCIQueryOptions{Height: height})
			if err != nil {
				return err
			}
			r := res.Response
			switch {
			case r.IsOK():
				return nil
			case strings.Contains(r.Log, "please wait for first block"):
				return fmt.Errorf("%w: %s has no block yet", ErrUnavailable, n.name)
			case strings.Contains(r.Log, "height in the future") && n.has(ctx, height):
				if err := pause(ctx, commitEvery); err != nil {
					return err
				}
				continue
			}
			return &QueryError{Path: path, Codespace: r.Codespace, Code: r.Code, Log: clean(r.Log)}
		}
	})
	return res, err
}

// commitEvery is how often a node is asked again that has a block, and has not executed it
// yet: it tells of blocks a moment before that.
const commitEvery = 20 * time.Millisecond

// has says whether a node has a block.
func (n *node) has(ctx context.Context, height int64) bool {
	s, err := n.status(ctx)
	return err == nil && s.Height >= height
}

func isQueryError(err error) bool {
	var q *QueryError
	return errors.As(err, &q)
}

// clean takes off what the way through gRPC and ABCI puts around the chain's words.
func clean(log string) string {
	if i := strings.Index(log, " desc = "); i >= 0 && strings.HasPrefix(log, "rpc error: code = ") {
		log = log[i+len(" desc = "):]
	}
	for _, e := range []error{sdkerrors.ErrKeyNotFound, sdkerrors.ErrInvalidRequest, sdkerrors.ErrUnknownRequest, sdkerrors.ErrUnauthorized} {
		if rest, ok := strings.CutSuffix(log, ": "+e.Error()); ok {
			return rest
		}
	}
	return log
}

// Unwrap makes errors.Is find [ErrNotFound].
func (e *QueryError) Unwrap() error {
	if e.is(sdkerrors.ErrKeyNotFound) {
		return ErrNotFound
	}
	return nil
}

// GRPCStatus is the error as the chain's own gRPC server gives it.
func (e *QueryError) GRPCStatus() *grpcstatus.Status {
	code := codes.Unknown
	switch {
	case e.is(sdkerrors.ErrKeyNotFound):
		code = codes.NotFound
	case e.is(sdkerrors.ErrInvalidRequest):
		code = codes.InvalidArgument
	case e.is(sdkerrors.ErrUnauthorized):
		code = codes.Unauthenticated
	}
	return grpcstatus.New(code, e.Log)
}

func (e *QueryError) is(known interface {
	Codespace() string
	ABCICode() uint32
}) bool {
	return e.Codespace == known.Codespace() && e.Code == known.ABCICode()
}
