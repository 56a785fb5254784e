package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
)

// Tariff says what calls cost.
type Tariff struct {
	// Units is the most units of the service that a call may use; a call of 0 is free. It
	// is asked with the unpaid call too. An error refuses the call, and its client reads it.
	Units func(*sdk.CallToolRequest) (uint64, error)
	// Description tells customers what they get; default: the service's.
	Description string
	// Timeout bounds the tool; default 10 min.
	Timeout time.Duration
}

// Flat is a tariff's Units where each call uses the same.
func Flat(units uint64) func(*sdk.CallToolRequest) (uint64, error) {
	return func(*sdk.CallToolRequest) (uint64, error) { return units, nil }
}

// Charge is middleware for requests that a server receives: it lets a gateway take
// payment for calls of tools. Everything else passes.
func Charge(g *pay.Gateway, t Tariff) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			call, ok := req.(*sdk.CallToolRequest)
			if !ok {
				return next(ctx, method, req)
			}
			payment, paid := call.Params.Meta[MetaPayment]
			bare, err := withMeta(call, MetaPayment, nil) // it is worth money, and no business of the tool's
			if err != nil {
				return nil, err
			}
			units, err := t.Units(call)
			if err != nil {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: err.Error()}
			}
			if units == 0 {
				return next(ctx, method, bare)
			}
			told, err := digest(call.Params)
			if err != nil {
				return nil, err
			}
			name := url.PathEscape(call.Params.Name)
			s := sale{
				url: &url.URL{Scheme: "mcp", Host: "tool", Path: "/" + name, RawQuery: told},
				handler: g.Handler(pay.Route{
					Units: pay.Flat(units), Resource: "mcp://tool/" + name[:min(len(name), 512)],
					Description: t.Description, MimeType: "application/json", Timeout: t.Timeout,
				}, serve(next, bare)),
			}
			header := ""
			if paid {
				if header, err = x402.Encode(payment); err != nil {
					return nil, err
				}
			}
			return s.result(ctx, header)
		}
	}
}

// resultType is the Content-Type of a tool's result, so that it is told from what the
// gateway says itself.
const resultType = "application/mcp-tool-result+json"

// serve is a tool as a handler behind a gateway.
func serve(next sdk.MethodHandler, call sdk.Request) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := next(r.Context(), callTool, call)
		result, _ := res.(*sdk.CallToolResult)
		if err == nil && result == nil {
			err = errors.New("the tool gives no result")
		}
		if err != nil {
			result = &sdk.CallToolResult{}
			result.SetError(err)
		}
		body, err := json.Marshal(result)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", resultType)
		if result.IsError || result.NeedsInput() {
			w.WriteHeader(http.StatusUnprocessableEntity) // it costs nothing
		}
		_, _ = w.Write(body) // where it can't be charged, the gateway says so
	})
}

// sale is a call at the gateway.
type sale struct {
	url     *url.URL
	handler http.Handler
}

// answer is what the gateway answers, in memory.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }

// settlement is what was charged. A large answer says it at its end, in a trailer.
func (a *answer) settlement() string {
	return cmp.Or(a.header.Get(http.TrailerPrefix+x402.HeaderResponse), a.header.Get(x402.HeaderResponse))
}

// ask lets the gateway answer.
func (s sale) ask(ctx context.Context, payment string) (a *answer) {
	a = &answer{header: http.Header{}}
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			a = &answer{status: http.StatusInternalServerError, header: http.Header{}} // the gateway has told its log
		}
	}()
	s.handler.ServeHTTP(a, request(s.url, payment).WithContext(ctx))
	return a
}

// result is a call's: the tool's own, a demand for payment, or why there is neither.
func (s sale) result(ctx context.Context, payment string) (sdk.Result, error) {
	a := s.ask(ctx, payment)
	meta := sdk.Meta{}
	if header := a.settlement(); header != "" {
		settled, err := x402.DecodeSettlement(header)
		if err != nil {
			return nil, err
		}
		meta[MetaResponse] = settled
	}
	if a.header.Get("Content-Type") == resultType {
		result := &sdk.CallToolResult{}
		if err := json.Unmarshal(a.body.Bytes(), result); err != nil {
			return nil, err
		}
		if result.Meta == nil {
			result.Meta = sdk.Meta{}
		}
		result.Meta[MetaResponse] = meta[MetaResponse]
		return result, nil
	}
	if a.header.Get(x402.HeaderRequired) != "" {
		return s.demand(a, "")
	}
	var said struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(a.body.Bytes(), &said) // without words the status speaks
	said.Message = cmp.Or(said.Message, "the gateway answers "+http.StatusText(a.status))
	switch {
	case len(meta) > 0: // served before, and its answer isn't kept; or a channel that was closed
		return &sdk.CallToolResult{Meta: meta, IsError: a.status >= 400, Content: []sdk.Content{&sdk.TextContent{Text: said.Message}}}, nil
	case a.status < 500: // the payment is malformed, or another's
		return s.demand(s.ask(ctx, ""), cmp.Or(said.Error, "invalid_payload")+": "+said.Message)
	}
	data, err := json.Marshal(trouble{a.status, said.Error})
	if err != nil {
		return nil, err
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: said.Message, Data: data}
}

// trouble is the data of an error of the gateway's. The same payment may ask again.
type trouble struct {
	Status int    `json:"status"` // as HTTP has them, from 500 up
	Error  string `json:"error"`
}

// demand makes the gateway's 402 a tool's result. why, if given, is said in its place.
func (s sale) demand(a *answer, why string) (sdk.Result, error) {
	required, err := x402.DecodeRequired(a.header.Get(x402.HeaderRequired))
	if err != nil {
		return nil, fmt.Errorf("the gateway names no terms: %w", err)
	}
	if required.Error == x402.ReasonMissing {
		required.Error = cmp.Or(why, `_meta["`+MetaPayment+`"] is required: this tool costs money; pay with an x402 client, for example lode pay mcp`)
	}
	return demand(required)
}
