package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
)

// Pay is middleware for requests that a client sends, or that a [Bridge] receives: calls
// of tools that ask for payment are paid within the limits. server is the URL of the
// server that is paid, or a name for it, for the books. Errors about money are those of
// pay.Client. A demand of other networks is handed on.
func Pay(c *pay.Client, server string) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			name, ok := called(req)
			if !ok {
				return next(ctx, method, req)
			}
			way := &carrier{next: next, req: req}
			resp, err := c.Over(way).RoundTrip(request(bookURL(server, name), "").WithContext(ctx))
			if err != nil {
				return nil, err
			}
			_, err = io.Copy(io.Discard, resp.Body) // its end may be the settlement
			if err = errors.Join(err, resp.Body.Close()); err != nil {
				return nil, err
			}
			return way.result, way.err
		}
	}
}

// called is the tool that a request calls; false where somebody else pays for it, or it
// is no call.
func called(req sdk.Request) (name string, ok bool) {
	var meta sdk.Meta
	switch p := req.GetParams().(type) {
	case *sdk.CallToolParamsRaw: // at a server
		name, meta = p.Name, p.Meta
	case *sdk.CallToolParams:
		name, meta = p.Name, p.Meta
	default:
		return "", false
	}
	_, paid := meta[MetaPayment]
	return name, !paid
}

// bookURL is what a tool is called in the books: mcp://HOST/PATH/tools/NAME.
func bookURL(server, tool string) *url.URL {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		u = &url.URL{Host: server}
	}
	return &url.URL{Scheme: "mcp", Host: u.Host, Path: strings.TrimSuffix(u.Path, "/") + "/tools/" + tool}
}

// carrier sends a call as often as package pay asks, with the payment that it asks for.
// It is what answers mean on MCP that makes it more than a RoundTripper.
type carrier struct {
	next sdk.MethodHandler
	req  sdk.Request

	// Of the last answer.
	result sdk.Result
	err    error
}

func (t *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, req := r.Context(), t.req
	if header := r.Header.Get(x402.HeaderSignature); header != "" {
		payment, err := x402.DecodePayment(header)
		if err != nil {
			return nil, err
		}
		if req, err = withMeta(req, MetaPayment, payment); err != nil {
			return nil, err
		}
		// An answer that is lost on the way is not told of: it is asked for again when it
		// should have been there, within an hour whatever the terms say.
		wait := time.Duration(min(max(payment.Accepted.MaxTimeoutSeconds, 0), 3600))*time.Second + 30*time.Second
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	res, err := t.next(ctx, callTool, req)
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
	if err != nil {
		if resp.StatusCode = refused(err); resp.StatusCode == 0 {
			return nil, err
		}
		t.result, t.err = nil, err
	} else {
		t.result, t.err = res, nil
		if err := translate(resp, res); err != nil {
			return nil, err
		}
	}
	resp.Status = http.StatusText(resp.StatusCode)
	return resp, nil
}

// translate says in HTTP's words what a result says of payment.
func translate(resp *http.Response, res sdk.Result) error {
	result, _ := res.(*sdk.CallToolResult)
	if result == nil {
		return nil
	}
	if settled, ok := result.Meta[MetaResponse]; ok {
		header, err := x402.Encode(settled)
		if err != nil {
			return err
		}
		resp.Header.Set(x402.HeaderResponse, header)
	}
	header, err := demanded(result)
	if err == nil && header != "" {
		resp.StatusCode = http.StatusPaymentRequired
		resp.Header.Set(x402.HeaderRequired, header)
	}
	return err
}

// codeRejected is the error of the SDK's own transports where a call has not arrived.
const codeRejected = -32005

// refused is the status that an error of the server's is in HTTP; 0 for one of the
// connection: the answer is lost.
func refused(err error) int {
	var wire *jsonrpc.Error
	if !errors.As(err, &wire) || wire.Code == codeRejected {
		return 0
	}
	var t trouble
	if json.Unmarshal(wire.Data, &t) == nil && t.Status >= 500 && t.Status < 600 {
		return t.Status
	}
	return http.StatusBadRequest
}
