package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
)

const (
	// maxAnswer bounds what is read of a node's answer, in bytes.
	maxAnswer = 128 << 20
	// maxConns bounds the connections to a node.
	maxConns = 32
	// checkAge is how long a node's check is good for.
	checkAge = 5 * time.Second
)

// node is one CometBFT RPC server.
type node struct {
	url  string
	name string // url without a password, for people
	near bool   // on this machine
	http *http.Client
	rpc  *rpchttp.HTTP

	// What the last check found; guarded by Client.mu.
	checked time.Time // zero: it must be checked before it is used
	last    Status
	lastErr error
}

func newNode(raw string) (*node, error) {
	raw = strings.TrimSuffix(raw, "/")
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.MaxConnsPerHost, tr.MaxIdleConnsPerHost = maxConns, maxConns
	h := &http.Client{Transport: limited{tr}}
	rpc, err := rpchttp.NewWithClient(raw, "/websocket", h)
	if err != nil {
		return nil, fmt.Errorf("client: node %q: %w", u.Redacted(), err)
	}
	ip := net.ParseIP(u.Hostname())
	return &node{url: raw, name: u.Redacted(), near: u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(), http: h, rpc: rpc}, nil
}

// limited keeps a node from filling the memory.
type limited struct{ *http.Transport }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.Transport.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

func (n *node) status(ctx context.Context) (Status, error) {
	s, err := n.rpc.Status(ctx)
	if err != nil {
		return Status{}, err
	}
	return Status{
		ChainID: s.NodeInfo.Network, Height: s.SyncInfo.LatestBlockHeight, Time: s.SyncInfo.LatestBlockTime,
		CatchingUp: s.SyncInfo.CatchingUp, Node: n.name,
	}, nil
}

func (n *node) blockTime(ctx context.Context, height int64) (time.Time, error) {
	h, err := n.rpc.Header(ctx, &height)
	var rpcErr *rpctypes.RPCError
	if errors.As(err, &rpcErr) {
		return time.Time{}, fmt.Errorf("block %d: %w: %s", height, ErrNotFound, rpcErr.Data)
	}
	if err != nil {
		return time.Time{}, err
	}
	if h.Header == nil {
		return time.Time{}, fmt.Errorf("block %d: %w", height, ErrNotFound)
	}
	return h.Header.Time, nil
}

// answer sorts the error of a request to a node. What the node itself said comes back
// as it is, with retry false; what another node may do better is ErrUnavailable or
// ErrBehind.
func (n *node) answer(err error) (retry bool, _ error) {
	var rpcErr *rpctypes.RPCError
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, ErrWrongNetwork), errors.Is(err, ErrBehind), errors.Is(err, ErrUnavailable), errors.Is(err, errNoResults):
		return true, err
	case errors.As(err, &rpcErr):
		if strings.Contains(rpcErr.Data, "catching up") {
			return true, fmt.Errorf("%w: %s is still catching up", ErrBehind, n.name)
		}
		if strings.Contains(rpcErr.Data, "mempool is full") {
			return true, fmt.Errorf("%w: the mempool of %s is full; try again in a few blocks", ErrUnavailable, n.name)
		}
		return false, err
	case errors.Is(err, ErrNotFound), errors.Is(err, errNoIndex), isQueryError(err):
		return false, err
	}
	return true, &unreachable{node: n.name, err: err}
}

// unreachable is a request to a node that got no answer. It wraps [ErrUnavailable].
type unreachable struct {
	node string
	err  error
}

func (u *unreachable) Error() string {
	why := u.err.Error()
	var dns *net.DNSError
	var netErr net.Error
	var op *net.OpError
	var large *http.MaxBytesError
	switch {
	case errors.As(u.err, &dns):
		why = "its host name is not known"
	case errors.As(u.err, &netErr) && netErr.Timeout():
		why = "it does not answer in time"
	case errors.As(u.err, &op):
		why = op.Err.Error()
	case errors.Is(u.err, io.EOF), errors.Is(u.err, io.ErrUnexpectedEOF):
		why = "it closed the connection without an answer"
	case errors.As(u.err, &large):
		why = fmt.Sprintf("its answer is larger than %d MiB", large.Limit>>20)
	case strings.Contains(why, "error in json rpc client") && !strings.Contains(why, "Failed to read"):
		why = "what answers there is no CometBFT RPC server"
	}
	return fmt.Sprintf("%v: %s: %s", ErrUnavailable, u.node, why)
}

func (u *unreachable) Unwrap() []error { return []error{ErrUnavailable, u.err} }

// notSent says that the request can't have reached the node.
func (u *unreachable) notSent() bool {
	var op *net.OpError
	return errors.As(u.err, &op) && op.Op == "dial"
}
