package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lodenet/lode/pay/x402"
)

// Keys of _meta.
const (
	MetaPayment  = "x402/payment"          // of a call: PaymentPayload
	MetaResponse = "x402/payment-response" // of a result: SettlementResponse
)

// callTool is the method of calls, and of the requests that they are for package pay.
const callTool = "tools/call"

// request is a call as package pay sees it: at a URL, with a payment in its header.
func request(u *url.URL, payment string) *http.Request {
	r := &http.Request{Method: callTool, URL: u, Header: http.Header{}}
	if payment != "" {
		r.Header.Set(x402.HeaderSignature, payment)
	}
	return r
}

// digest is of all that a tool is told: a payment is for that.
func digest(p *sdk.CallToolParamsRaw) (string, error) {
	told, err := json.Marshal([]any{p.Arguments, p.InputResponses, p.RequestState})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(told)
	return hex.EncodeToString(sum[:]), nil
}

// withMeta is a call with a value in its _meta, or without for nil. The call itself
// stays as it is.
func withMeta(req sdk.Request, key string, value any) (sdk.Request, error) {
	change := func(m sdk.Meta) sdk.Meta {
		out := sdk.Meta{}
		maps.Copy(out, m)
		delete(out, key)
		if value != nil {
			out[key] = value
		}
		return out
	}
	switch r := req.(type) {
	case *sdk.CallToolRequest: // at a server
		out, params := *r, *r.Params
		params.Meta = change(params.Meta)
		out.Params = &params
		return &out, nil
	case *sdk.ClientRequest[sdk.Params]:
		if p, ok := r.Params.(*sdk.CallToolParams); ok {
			params := *p
			params.Meta = change(params.Meta)
			return &sdk.ClientRequest[sdk.Params]{Session: r.Session, Params: &params}, nil
		}
	}
	return nil, fmt.Errorf("%T is no call of a tool", req)
}

// demand is the result that asks for payment.
func demand(required x402.Required) (*sdk.CallToolResult, error) {
	raw, err := json.Marshal(required)
	if err != nil {
		return nil, err
	}
	return &sdk.CallToolResult{IsError: true, StructuredContent: json.RawMessage(raw), Content: []sdk.Content{&sdk.TextContent{Text: string(raw)}}}, nil
}

// demanded is what a result asks for, as the header PAYMENT-REQUIRED has it; empty where
// it asks for no payment.
func demanded(res *sdk.CallToolResult) (string, error) {
	if !res.IsError {
		return "", nil
	}
	terms, _ := res.StructuredContent.(map[string]any)
	if !isDemand(terms) && len(res.Content) > 0 {
		terms = nil
		if text, ok := res.Content[0].(*sdk.TextContent); ok && len(text.Text) <= x402.MaxHeader {
			if json.Unmarshal([]byte(text.Text), &terms) != nil {
				return "", nil // a tool's own words
			}
		}
	}
	if !isDemand(terms) {
		return "", nil
	}
	return x402.Encode(terms)
}

func isDemand(terms map[string]any) bool {
	_, version := terms["x402Version"]
	_, accepts := terms["accepts"]
	return version && accepts
}
