package pay_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/mcp"
	"github.com/lodenet/lode/pay/x402"
)

// toolShop is a shop that sells the tools of an MCP server.
type toolShop struct {
	*shop
	url   string
	calls atomic.Int64 // of tools that ran
}

type words struct {
	Text  string `json:"text"`
	Units uint64 `json:"units,omitempty"` // charged
}

// newToolShop serves tools at 100 tokens a call at most.
func newToolShop(t *testing.T, options ...shopOption) *toolShop {
	t.Helper()
	s := &toolShop{shop: newShop(t, http.NotFoundHandler(), options...)}
	server := sdk.NewServer(&sdk.Implementation{Name: "letters", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "shout"}, func(ctx context.Context, r *sdk.CallToolRequest, in words) (*sdk.CallToolResult, any, error) {
		s.calls.Add(1)
		if _, leaked := r.Params.Meta[mcp.MetaPayment]; leaked {
			return nil, nil, errors.New("the tool sees the payment")
		}
		if in.Units > 0 {
			if err := pay.MeterFrom(ctx).Charge(in.Units); err != nil {
				return nil, nil, err
			}
		}
		if in.Text == "fail" {
			return nil, nil, errors.New("no voice")
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: strings.ToUpper(in.Text)}}}, nil, nil
	})
	sdk.AddTool(server, &sdk.Tool{Name: "prices"}, func(context.Context, *sdk.CallToolRequest, struct{}) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "2 rao"}}}, nil, nil
	})
	sdk.AddTool(server, &sdk.Tool{Name: "panic"}, func(context.Context, *sdk.CallToolRequest, struct{}) (*sdk.CallToolResult, any, error) {
		panic("at the tool")
	})
	server.AddReceivingMiddleware(mcp.Charge(s.gateway, mcp.Tariff{Description: "letters", Units: func(r *sdk.CallToolRequest) (uint64, error) {
		switch r.Params.Name {
		case "prices":
			return 0, nil
		case "unknown":
			return 0, errors.New("there is no such tool")
		}
		return 100, nil
	}}))
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

// session connects a client; with a middleware, if given.
func (s *toolShop) session(middleware ...sdk.Middleware) *sdk.ClientSession {
	s.t.Helper()
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	c.AddSendingMiddleware(middleware...)
	session, err := c.Connect(context.Background(), &sdk.StreamableClientTransport{Endpoint: s.url}, nil)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, session.Close()) })
	return session
}

func (s *toolShop) paying() *sdk.ClientSession { return s.session(mcp.Pay(s.client, s.url)) }

func text(t *testing.T, res *sdk.CallToolResult) string {
	t.Helper()
	require.NotEmpty(t, res.Content)
	content, ok := res.Content[0].(*sdk.TextContent)
	require.True(t, ok, "%T", res.Content[0])
	return content.Text
}

func call(t *testing.T, session *sdk.ClientSession, tool string, arguments any) *sdk.CallToolResult {
	t.Helper()
	res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	require.NoError(t, err)
	return res
}

// settled is what a result says of its payment.
func settled(t *testing.T, res *sdk.CallToolResult) x402.Settlement {
	t.Helper()
	raw, err := json.Marshal(res.Meta[mcp.MetaResponse])
	require.NoError(t, err)
	s, err := x402.ParseSettlement(raw)
	require.NoError(t, err)
	return s
}

// required is what a result asks for, in both places the same.
func required(t *testing.T, res *sdk.CallToolResult) x402.Required {
	t.Helper()
	require.True(t, res.IsError)
	structured, err := json.Marshal(res.StructuredContent)
	require.NoError(t, err)
	require.JSONEq(t, string(structured), text(t, res))
	r, err := x402.DecodeRequired(base64.StdEncoding.EncodeToString(structured))
	require.NoError(t, err)
	return r
}

func TestAToolIsPaidByTheCallAndChargedWhatItUsed(t *testing.T) {
	s := newToolShop(t)
	session := s.paying()
	res := call(t, session, "shout", words{"hello", 30})
	require.False(t, res.IsError)
	require.Equal(t, "HELLO", text(t, res))
	first := settled(t, res)
	require.True(t, first.Success)
	require.Equal(t, "60", first.Extra.ChargedAmount, "30 tokens at 2 rao")

	res = call(t, session, "shout", words{Text: "again"})
	require.Equal(t, "AGAIN", text(t, res))
	require.Equal(t, "200", settled(t, res).Extra.ChargedAmount, "a tool that does not meter costs the whole")
	require.EqualValues(t, 2, s.calls.Load())

	channel := s.gateway.Channels()[0]
	require.Equal(t, []uint64{260, 0}, []uint64{channel.Charged, channel.Reserved})
	sold := s.history(pay.EntryCharge)
	require.Len(t, sold, 2)
	require.Equal(t, "tools/call mcp://tool/shout", sold[0].Resource)
	spent := s.ledger()
	require.Len(t, spent, 2)
	require.Equal(t, []any{pay.Paid, uint64(60), uint64(200), "tools/call"}, []any{spent[0].State, spent[0].Charged, spent[0].Ceiling, spent[0].Method})
	require.Equal(t, "mcp://"+strings.TrimPrefix(s.url, "http://")+"/tools/shout", spent[0].URL)

	got, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, uint64(260), got.Paid)
}

func TestWhatIsNotACallOfAPaidToolIsFree(t *testing.T) {
	s := newToolShop(t)
	session := s.session()
	tools, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, tools.Tools, 3)
	require.Equal(t, "2 rao", text(t, call(t, session, "prices", struct{}{})))
	_, err = session.CallTool(t.Context(), &sdk.CallToolParams{Name: "unknown"})
	var wire *jsonrpc.Error
	require.ErrorAs(t, err, &wire)
	require.Equal(t, int64(jsonrpc.CodeInvalidParams), wire.Code)
	require.Contains(t, wire.Message, "there is no such tool")
	require.Empty(t, s.gateway.Channels())
}

func TestAnUnpaidCallIsToldTheTermsAndDoesNotRun(t *testing.T) {
	s := newToolShop(t)
	terms := required(t, call(t, s.session(), "shout", words{Text: "free?"}))
	require.Equal(t, x402.Resource{URL: "mcp://tool/shout", Description: "letters", MimeType: "application/json"}, terms.Resource)
	require.Len(t, terms.Accepts, 1)
	require.Equal(t, []string{x402.Scheme, "cosmos:" + chainID, "200", "rao", hotkey},
		[]string{terms.Accepts[0].Scheme, terms.Accepts[0].Network, terms.Accepts[0].Amount, terms.Accepts[0].Asset, terms.Accepts[0].PayTo})
	require.Contains(t, terms.Error, "x402/payment")
	require.Zero(t, s.calls.Load())
}

func TestAToolThatFailsCostsNothing(t *testing.T) {
	s := newToolShop(t)
	session := s.paying()
	res := call(t, session, "shout", words{Text: "fail"})
	require.True(t, res.IsError)
	require.Equal(t, "no voice", text(t, res))
	require.Equal(t, "0", settled(t, res).Extra.ChargedAmount)
	res = call(t, session, "shout", words{"too much", 101})
	require.True(t, res.IsError)
	require.Contains(t, text(t, res), "more than the client agreed")
	_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "panic"})
	require.Error(t, err)
	require.Zero(t, s.gateway.Channels()[0].Charged)
	require.Zero(t, s.gateway.Channels()[0].Reserved)
	require.Zero(t, s.client.Channels()[0].UnderWay)

	res = call(t, session, "shout", words{"fail", 10})
	require.Equal(t, "20", settled(t, res).Extra.ChargedAmount, "what it has charged by itself it costs")
	require.Equal(t, uint64(20), s.gateway.Channels()[0].Charged)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(20), spent+0)
}

func TestCallsOfToolsStayWithinTheLimits(t *testing.T) {
	s := newToolShop(t, func(s *shop) { s.ccfg.Limits.PerRequest = 199 })
	session := s.paying()
	_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: words{Text: "dear"}})
	require.ErrorIs(t, err, pay.ErrLimit)
	require.Zero(t, s.calls.Load())
	require.Empty(t, s.ledger())
}

func TestCallsOfToolsRunSideBySideOnOneChannel(t *testing.T) {
	s := newToolShop(t)
	session := s.paying()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			res, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: "shout", Arguments: words{fmt.Sprint("n", i), 10}})
			if err != nil || res.IsError || res.Content[0].(*sdk.TextContent).Text != fmt.Sprint("N", i) {
				t.Errorf("call %d: %v, %v", i, res, err)
			}
		})
	}
	all.Wait()
	require.Len(t, s.gateway.Channels(), 1)
	require.Equal(t, uint64(400), s.gateway.Channels()[0].Charged)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(400), spent)
}

// caught are the payments that a client sends.
func caught(into *[]json.RawMessage) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if p, ok := req.GetParams().(*sdk.CallToolParams); ok {
				if payment, ok := p.Meta[mcp.MetaPayment].(x402.Payment); ok {
					raw, err := json.Marshal(payment)
					if err != nil {
						return nil, err
					}
					*into = append(*into, raw)
				}
			}
			return next(ctx, method, req)
		}
	}
}

// with sends a call with a payment as it is.
func with(t *testing.T, session *sdk.ClientSession, arguments any, payment any) *sdk.CallToolResult {
	t.Helper()
	res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: arguments, Meta: sdk.Meta{mcp.MetaPayment: payment}})
	require.NoError(t, err)
	return res
}

func TestTheSamePaymentForAToolGetsTheSameAnswerAndNothingElse(t *testing.T) {
	s := newToolShop(t)
	var payments []json.RawMessage
	session := s.session(mcp.Pay(s.client, s.url), caught(&payments))
	want := call(t, session, "shout", words{"once", 30})
	require.Len(t, payments, 1)

	plain := s.session()
	again := with(t, plain, words{"once", 30}, payments[0])
	require.Equal(t, text(t, want), text(t, again))
	require.Equal(t, settled(t, want), settled(t, again))
	other := required(t, with(t, plain, words{"another", 30}, payments[0]))
	require.Contains(t, other.Error, "identifier_in_use")
	require.Len(t, other.Accepts, 1)
	require.EqualValues(t, 1, s.calls.Load())
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)

	// Under another identifier it is a payment that was used up.
	var changed map[string]any
	require.NoError(t, json.Unmarshal(payments[0], &changed))
	changed["extensions"] = map[string]any{"payment-identifier": map[string]any{"info": map[string]any{"id": "pay_0123456789abcdef"}}}
	used := required(t, with(t, plain, words{"once", 30}, changed))
	require.Equal(t, x402.ReasonCumulative, used.Error)
	require.EqualValues(t, 1, s.calls.Load())
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)
}

func TestALostAnswerOfAToolIsAskedForByTheSamePayment(t *testing.T) {
	s := newToolShop(t, func(s *shop) { s.ccfg.After = soon })
	var payments []json.RawMessage
	lose := 2
	losing := func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			res, err := next(ctx, method, req)
			if len(payments) > 0 && lose > 0 {
				lose--
				return nil, errors.New("the line is cut")
			}
			return res, err
		}
	}
	session := s.session(mcp.Pay(s.client, s.url), losing, caught(&payments))
	res := call(t, session, "shout", words{"once", 30})
	require.Equal(t, "ONCE", text(t, res))
	require.Len(t, payments, 3)
	require.Equal(t, payments[0], payments[2])
	require.EqualValues(t, 1, s.calls.Load())
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)

	lose = 100
	_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: words{"lost", 30}})
	require.ErrorIs(t, err, pay.ErrUnknownOutcome)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(260), spent, "it counts with all that it may have cost")
	lose = 0
	call(t, session, "shout", words{"found", 30})
	spent, _ = s.client.Spent()
	require.Equal(t, uint64(180), spent, "until a later answer says more")
}

func TestAnAnswerThatIsTooLargeToBeKeptIsChargedOnceAndNotServedAgain(t *testing.T) {
	s := newToolShop(t, func(s *shop) { s.gcfg.MaxAnswer = 64 })
	var payments []json.RawMessage
	session := s.session(mcp.Pay(s.client, s.url), caught(&payments))
	long := strings.Repeat("a", 200)
	for i, units := range []uint64{0, 30} {
		res := call(t, session, "shout", words{long, units})
		require.Equal(t, strings.ToUpper(long), text(t, res))
		require.Equal(t, []string{"200", "60"}[i], settled(t, res).Extra.ChargedAmount)
		again := with(t, s.session(), words{long, units}, payments[i])
		require.True(t, again.IsError)
		require.Contains(t, text(t, again), "its answer is not kept")
		require.True(t, settled(t, again).Success)
	}
	require.EqualValues(t, 2, s.calls.Load())
	require.Equal(t, uint64(260), s.gateway.Channels()[0].Charged)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(260), spent)
}

func TestHostilePaymentsForToolsBuyNothing(t *testing.T) {
	s := newToolShop(t)
	var payments []json.RawMessage
	session := s.session(mcp.Pay(s.client, s.url), caught(&payments))
	call(t, session, "shout", words{"once", 30})
	plain := s.session()
	good := func(change func(m map[string]any)) map[string]any {
		var m map[string]any
		require.NoError(t, json.Unmarshal(payments[0], &m))
		delete(m, "extensions") // it is another payment
		change(m)
		return m
	}
	voucher := func(m map[string]any) map[string]any {
		return m["payload"].(map[string]any)["voucher"].(map[string]any)
	}
	accepted := func(m map[string]any) map[string]any { return m["accepted"].(map[string]any) }
	for name, c := range map[string]struct {
		payment any
		reason  string
	}{
		"null":                {nil, "malformed"},
		"a number":            {7, "malformed"},
		"a header's base64":   {base64.StdEncoding.EncodeToString(payments[0]), "malformed"},
		"an empty object":     {struct{}{}, "malformed"},
		"a list":              {[]any{payments[0]}, "malformed"},
		"an oversized one":    {good(func(m map[string]any) { m["pad"] = strings.Repeat("x", x402.MaxHeader) }), "bytes"},
		"another version":     {good(func(m map[string]any) { m["x402Version"] = 1 }), "version"},
		"a wrong channel":     {good(func(m map[string]any) { voucher(m)["channelId"] = strings.Repeat("0a", 32) }), x402.ReasonNoChannel},
		"a wrong amount":      {good(func(m map[string]any) { accepted(m)["amount"] = "1" }), x402.ReasonTerms},
		"another's address":   {good(func(m map[string]any) { accepted(m)["payTo"] = "lode1other" }), x402.ReasonTerms},
		"another network":     {good(func(m map[string]any) { accepted(m)["network"] = "cosmos:other" }), x402.ReasonNetwork},
		"another scheme":      {good(func(m map[string]any) { accepted(m)["scheme"] = "exact" }), x402.ReasonScheme},
		"a raised voucher":    {good(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "9000" }), x402.ReasonSignature},
		"a negative voucher":  {good(func(m map[string]any) { voucher(m)["maxClaimableAmount"] = "-1" }), "malformed"},
		"a used up voucher":   {good(func(map[string]any) {}), x402.ReasonCumulative},
		"a voucher handed in": {good(func(m map[string]any) { m["payload"].(map[string]any)["stream"] = "pay_0123456789abcdef" }), "no_stream"},
	} {
		t.Run(name, func(t *testing.T) {
			res := with(t, plain, words{"stolen", 30}, c.payment)
			terms := required(t, res)
			require.Contains(t, terms.Error, c.reason)
			require.Len(t, terms.Accepts, 1)
			require.NotContains(t, res.Meta, mcp.MetaResponse)
		})
	}
	require.EqualValues(t, 1, s.calls.Load())
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)
	require.Zero(t, s.gateway.Channels()[0].Reserved)
}

func TestAGatewayThatCantServeIsAskedAgainByTheSamePayment(t *testing.T) {
	s := newToolShop(t, func(s *shop) { s.ccfg.After = soon })
	session := s.paying()
	call(t, session, "shout", words{"once", 30})
	require.NoError(t, s.gateway.Close())
	_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: words{"late", 30}})
	var wire *jsonrpc.Error
	require.ErrorAs(t, err, &wire)
	require.JSONEq(t, `{"status":503,"error":"unexpected_settle_error"}`, string(wire.Data))
	require.Equal(t, pay.Unknown, s.ledger()[1].State)
	require.EqualValues(t, 1, s.calls.Load())
}

// dishonestly changes what a server's results say.
func dishonestly(change func(*sdk.CallToolResult)) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			res, err := next(ctx, method, req)
			if result, ok := res.(*sdk.CallToolResult); ok {
				change(result)
			}
			return res, err
		}
	}
}

func TestAServerThatLiesAboutATool(t *testing.T) {
	settlement := func(change func(charged, state map[string]any)) func(*sdk.CallToolResult) {
		return func(r *sdk.CallToolResult) {
			if m, ok := r.Meta[mcp.MetaResponse].(map[string]any); ok {
				extra := m["extra"].(map[string]any)
				change(extra, extra["channelState"].(map[string]any))
			}
		}
	}
	for name, change := range map[string]func(*sdk.CallToolResult){
		"charges more than was agreed": settlement(func(extra, _ map[string]any) { extra["chargedAmount"] = "201" }),
		"speaks of another channel":    settlement(func(_, state map[string]any) { state["channelId"] = strings.Repeat("0a", 32) }),
		"settles in riddles": func(r *sdk.CallToolResult) {
			if r.Meta[mcp.MetaResponse] != nil {
				r.Meta[mcp.MetaResponse] = "yes"
			}
		},
		"settles at endless length": func(r *sdk.CallToolResult) {
			if m, ok := r.Meta[mcp.MetaResponse].(map[string]any); ok {
				m["pad"] = strings.Repeat("x", x402.MaxHeader)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newToolShop(t)
			session := s.session(mcp.Pay(s.client, s.url), dishonestly(change))
			_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: words{"hello", 30}})
			require.ErrorIs(t, err, pay.ErrDishonest)
			require.NotEmpty(t, s.client.Channels()[0].Stopped)
			spent, _ := s.client.Spent()
			require.Equal(t, uint64(200), spent)
		})
	}
	t.Run("does not say what it has charged", func(t *testing.T) {
		s := newToolShop(t)
		session := s.session(mcp.Pay(s.client, s.url), dishonestly(settlement(func(extra, _ map[string]any) { delete(extra, "chargedAmount") })))
		require.Equal(t, "HELLO", text(t, call(t, session, "shout", words{"hello", 30})))
		require.Equal(t, []any{pay.Unknown, uint64(200)}, []any{s.ledger()[0].State, s.ledger()[0].Charged})
	})
	for name, change := range map[string]func(map[string]any){
		"no terms that can be read": func(m map[string]any) {
			m["accepts"] = []any{map[string]any{"scheme": x402.Scheme, "network": "cosmos:" + chainID}}
		},
		"endless terms":   func(m map[string]any) { m["error"] = strings.Repeat("x", x402.MaxHeader) },
		"another version": func(m map[string]any) { m["x402Version"] = "2" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newToolShop(t)
			session := s.session(mcp.Pay(s.client, s.url), dishonestly(func(r *sdk.CallToolResult) { change(r.StructuredContent.(map[string]any)) }))
			_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "shout", Arguments: words{"hello", 30}})
			require.ErrorIs(t, err, x402.ErrMalformed)
			require.Empty(t, s.ledger())
		})
	}
}

func TestTermsAreReadFromTextToo(t *testing.T) {
	s := newToolShop(t)
	session := s.session(mcp.Pay(s.client, s.url), dishonestly(func(r *sdk.CallToolResult) { r.StructuredContent = nil }))
	require.Equal(t, "HELLO", text(t, call(t, session, "shout", words{"hello", 30})))
}

func TestWhatIsNoDemandOfOursIsHandedOn(t *testing.T) {
	for name, r := range map[string]*sdk.CallToolResult{
		"another network": {IsError: true, StructuredContent: map[string]any{"x402Version": 2, "accepts": []any{map[string]any{"scheme": "exact", "network": "eip155:8453"}}}},
		"a tool's error":  {IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: "not {JSON"}}},
		"no error":        {StructuredContent: map[string]any{"x402Version": 2, "accepts": []any{}}},
		"JSON of a tool":  {IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: `{"accepts":[]}`}}},
		"a list":          {IsError: true, StructuredContent: []any{1}, Content: []sdk.Content{&sdk.TextContent{Text: `[1]`}}},
		"nothing":         {IsError: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newToolShop(t)
			session := s.session(mcp.Pay(s.client, s.url), func(next sdk.MethodHandler) sdk.MethodHandler {
				return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
					if method == "tools/call" {
						return r, nil
					}
					return next(ctx, method, req)
				}
			})
			require.Same(t, r, call(t, session, "shout", words{Text: "hello"}))
			require.Empty(t, s.ledger())
		})
	}
}

func TestTheCatalogueTellsWhichServicesAreMCPServers(t *testing.T) {
	s := newShop(t, http.NotFoundHandler())
	f := httptest.NewServer(s.gateway.Facilitator())
	t.Cleanup(f.Close)
	tools := tokens()
	tools.Service.Id, tools.Service.Endpoint = 9, "https://tools.example/mcp#mcp"
	s.chain.set(func() { s.chain.services[9] = tools })
	for query, want := range map[string][]string{
		"":           {"http https://chat.example", "mcp https://tools.example/mcp"},
		"?type=http": {"http https://chat.example"},
		"?type=mcp":  {"mcp https://tools.example/mcp"},
		"?type=x":    nil,
	} {
		var found x402.Discovery
		get(t, f.URL+"/discovery/resources"+query, 200, &found)
		var items []string
		for _, i := range found.Items {
			items = append(items, i.Type+" "+i.Resource)
		}
		require.Equal(t, want, items, query)
		require.Equal(t, len(want), found.Pagination.Total)
	}
}
