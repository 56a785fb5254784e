package pay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/mcp"
)

// house is an MCP server that knows nothing of payment.
type house struct {
	*sdk.Server
	mu       sync.Mutex
	sessions []*sdk.ServerSession
	connects atomic.Int64
	metas    chan sdk.Meta // of calls
	heard    chan struct{} // that a call goes on, by who calls: its end may overtake that
}

func newHouse() *house {
	h := &house{Server: sdk.NewServer(&sdk.Implementation{Name: "house", Version: "7"}, &sdk.ServerOptions{
		Instructions: "knock first",
		CompletionHandler: func(context.Context, *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
			return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{"door"}}}, nil
		},
	}), metas: make(chan sdk.Meta, 100), heard: make(chan struct{})}
	sdk.AddTool(h.Server, &sdk.Tool{Name: "knock"}, func(ctx context.Context, r *sdk.CallToolRequest, in words) (*sdk.CallToolResult, any, error) {
		h.metas <- r.Params.Meta
		if token := r.Params.GetProgressToken(); token != nil {
			for _, token := range []any{[]any{"hostile"}, "lode-0", token} {
				if err := r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: 0.5, Message: in.Text}); err != nil {
					return nil, nil, err
				}
			}
			select {
			case <-h.heard:
			case <-time.After(10 * time.Second):
				return nil, nil, errors.New("nobody hears of progress")
			}
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "who is there?"}}}, nil, nil
	})
	h.AddPrompt(&sdk.Prompt{Name: "greet"}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		return &sdk.GetPromptResult{Description: "good day"}, nil
	})
	h.AddResource(&sdk.Resource{URI: "house://plan", Name: "plan"}, func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: "house://plan", Text: "two rooms"}}}, nil
	})
	return h
}

// connect makes a connection of a bridge's.
func (h *house) connect() (sdk.Transport, error) {
	h.connects.Add(1)
	there, here := sdk.NewInMemoryTransports()
	session, err := h.Connect(context.Background(), there, nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions = append(h.sessions, session)
	return here, err
}

// leave ends all connections.
func (h *house) leave(t *testing.T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		require.NoError(t, s.Close())
	}
	h.sessions = nil
}

func bridge(t *testing.T, connect func() (sdk.Transport, error), toolsOnly bool) *mcp.Bridge {
	t.Helper()
	b, err := mcp.NewBridge(t.Context(), connect, toolsOnly)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// guest connects a client to a bridge.
func guest(t *testing.T, b *mcp.Bridge, options *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	there, here := sdk.NewInMemoryTransports()
	_, err := b.Server.Connect(context.Background(), there, nil)
	require.NoError(t, err)
	session, err := sdk.NewClient(&sdk.Implementation{Name: "guest", Version: "1"}, options).Connect(context.Background(), here, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return session
}

func TestABridgeHandsAllOn(t *testing.T) {
	h := newHouse()
	changed := make(chan string, 10)
	session := guest(t, bridge(t, h.connect, false), &sdk.ClientOptions{
		ToolListChangedHandler:     func(context.Context, *sdk.ToolListChangedRequest) { changed <- "tools" },
		PromptListChangedHandler:   func(context.Context, *sdk.PromptListChangedRequest) { changed <- "prompts" },
		ResourceListChangedHandler: func(context.Context, *sdk.ResourceListChangedRequest) { changed <- "resources" },
	})
	require.Equal(t, "knock first", session.InitializeResult().Instructions)
	require.Equal(t, "house", session.InitializeResult().ServerInfo.Name)
	tools, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "knock", tools.Tools[0].Name)
	require.Equal(t, "who is there?", text(t, call(t, session, "knock", words{})))
	prompts, err := session.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "greet", prompts.Prompts[0].Name)
	prompt, err := session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "greet"})
	require.NoError(t, err)
	require.Equal(t, "good day", prompt.Description)
	resources, err := session.ListResources(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "house://plan", resources.Resources[0].URI)
	templates, err := session.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, templates.ResourceTemplates)
	plan, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "house://plan"})
	require.NoError(t, err)
	require.Equal(t, "two rooms", plan.Contents[0].Text)
	completed, err := session.Complete(t.Context(), &sdk.CompleteParams{Ref: &sdk.CompleteReference{Type: "ref/prompt", Name: "greet"}, Argument: sdk.CompleteParamsArgument{Name: "a", Value: "d"}})
	require.NoError(t, err)
	require.Equal(t, []string{"door"}, completed.Completion.Values)

	_, err = session.CallTool(t.Context(), &sdk.CallToolParams{Name: "none"})
	var wire *jsonrpc.Error
	require.ErrorAs(t, err, &wire)
	require.Equal(t, `unknown tool "none"`, wire.Message)
	require.Equal(t, int64(jsonrpc.CodeInvalidParams), wire.Code)

	for _, c := range []struct {
		what string
		stop func()
	}{
		{"tools", func() { h.RemoveTools("knock") }},
		{"prompts", func() { h.RemovePrompts("greet") }},
		{"resources", func() { h.RemoveResources("house://plan") }},
	} {
		c.stop()
		select {
		case what := <-changed:
			require.Equal(t, c.what, what)
		case <-time.After(10 * time.Second):
			t.Fatalf("nobody says that %s have changed", c.what)
		}
	}
	require.EqualValues(t, 1, h.connects.Load())
}

func TestABridgeConnectsAgain(t *testing.T) {
	h := newHouse()
	session := guest(t, bridge(t, h.connect, false), nil)
	call(t, session, "knock", words{})
	h.leave(t)
	require.Eventually(t, func() bool {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "knock", Arguments: words{}})
		return err == nil && !res.IsError
	}, 10*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 2, h.connects.Load())
}

// cutting is a transport to a server that goes away while it is called.
type cutting struct{ sdk.Transport }

func (t cutting) Connect(ctx context.Context) (sdk.Connection, error) {
	c, err := t.Transport.Connect(ctx)
	return cuttingConnection{c}, err
}

type cuttingConnection struct{ sdk.Connection }

func (c cuttingConnection) Write(ctx context.Context, m jsonrpc.Message) error {
	if r, ok := m.(*jsonrpc.Request); ok && r.Method == "tools/call" {
		return c.Close()
	}
	return c.Connection.Write(ctx, m)
}

// The bridge learns of a connection's end a little after who called meanwhile.
func TestACallRightAfterAServersEndIsAnsweredByTheNext(t *testing.T) {
	for range 50 {
		h := newHouse()
		session := guest(t, bridge(t, func() (sdk.Transport, error) {
			c, err := h.connect()
			if h.connects.Load() == 1 {
				c = cutting{c}
			}
			return c, err
		}, false), nil)
		_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "knock", Arguments: words{}})
		require.ErrorContains(t, err, "the server's answer is lost")
		require.Equal(t, "who is there?", text(t, call(t, session, "knock", words{})))
		require.EqualValues(t, 2, h.connects.Load())
	}
}

func TestABridgeOutlivesItsServersSessions(t *testing.T) {
	h := newHouse()
	var handler atomic.Pointer[sdk.StreamableHTTPHandler]
	start := func() {
		handler.Store(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return h.Server }, nil))
	}
	start()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	t.Cleanup(web.Close) // after the bridge, which says good-bye
	session := guest(t, bridge(t, func() (sdk.Transport, error) {
		h.connects.Add(1)
		return &sdk.StreamableClientTransport{Endpoint: web.URL, DisableStandaloneSSE: true}, nil
	}, false), nil)
	call(t, session, "knock", words{})
	start() // it knows no session any more
	require.Equal(t, "who is there?", text(t, call(t, session, "knock", words{})))
	require.EqualValues(t, 2, h.connects.Load())
}

// ending is a transport to a server that ends so when the connection is closed.
type ending struct {
	sdk.Transport
	so error
}

func (e ending) Connect(ctx context.Context) (sdk.Connection, error) {
	c, err := e.Transport.Connect(ctx)
	return endingConnection{c, e.so}, err
}

type endingConnection struct {
	sdk.Connection
	so error
}

func (c endingConnection) Close() error { return errors.Join(c.Connection.Close(), c.so) }

func TestABridgeClosesThoughItsServerHasGone(t *testing.T) {
	h := newHouse()
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return h.Server }, nil))
	b, err := mcp.NewBridge(t.Context(), func() (sdk.Transport, error) {
		return &sdk.StreamableClientTransport{Endpoint: web.URL, DisableStandaloneSSE: true}, nil
	}, false)
	require.NoError(t, err)
	web.Close()
	require.NoError(t, b.Close())

	stuck := errors.New("it does not end")
	for so, want := range map[error]error{&exec.ExitError{}: nil, stuck: stuck} {
		b, err := mcp.NewBridge(t.Context(), func() (sdk.Transport, error) {
			c, err := h.connect()
			return ending{c, so}, err
		}, false)
		require.NoError(t, err)
		require.ErrorIs(t, b.Close(), want)
	}
}

func TestABridgeToNowhereIsNone(t *testing.T) {
	gone := errors.New("gone")
	_, err := mcp.NewBridge(t.Context(), func() (sdk.Transport, error) { return nil, gone }, false)
	require.ErrorIs(t, err, gone)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	_, err = mcp.NewBridge(t.Context(), func() (sdk.Transport, error) {
		return &sdk.StreamableClientTransport{Endpoint: web.URL}, nil
	}, false)
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer silent.Close()
	_, err = mcp.NewBridge(ctx, func() (sdk.Transport, error) {
		return &sdk.StreamableClientTransport{Endpoint: silent.URL}, nil
	}, false)
	require.Error(t, err)
}

func TestAnAgentThatKnowsNothingOfPaymentUsesPaidTools(t *testing.T) {
	s := newToolShop(t)
	b := bridge(t, func() (sdk.Transport, error) { return &sdk.StreamableClientTransport{Endpoint: s.url}, nil }, false)
	b.Server.AddReceivingMiddleware(mcp.Pay(s.client, s.url))
	session := guest(t, b, nil)
	require.Equal(t, "HELLO", text(t, call(t, session, "shout", words{"hello", 30})))
	require.Equal(t, "no voice", text(t, call(t, session, "shout", words{Text: "fail"})))
	require.Equal(t, "2 rao", text(t, call(t, session, "prices", struct{}{})))
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(60), spent)
}

func TestAServerThatKnowsNothingOfPaymentSellsItsTools(t *testing.T) {
	s := newToolShop(t)
	h := newHouse()
	b := bridge(t, h.connect, true)
	b.Server.AddReceivingMiddleware(mcp.Charge(s.gateway, mcp.Tariff{Units: mcp.Flat(10)}))
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return b.Server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	defer web.Close()
	s.url = web.URL

	told := make(chan *sdk.ProgressNotificationParams, 10)
	client := sdk.NewClient(&sdk.Implementation{Name: "customer", Version: "1"}, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) {
			told <- r.Params
			h.heard <- struct{}{}
		},
	})
	client.AddSendingMiddleware(mcp.Pay(s.client, s.url))
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: s.url}, nil)
	require.NoError(t, err)
	defer session.Close()
	tools, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, tools.Tools, 1)
	require.Nil(t, session.InitializeResult().Capabilities.Prompts)
	_, err = session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "greet"})
	require.Error(t, err, "what is not sold is not there")

	params := &sdk.CallToolParams{Name: "knock", Arguments: words{Text: "half"}, Meta: sdk.Meta{"example/note": "kept"}}
	params.SetProgressToken("mine")
	res, err := session.CallTool(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, "who is there?", text(t, res))
	require.Equal(t, "20", settled(t, res).Extra.ChargedAmount)
	progress := <-told
	require.Equal(t, []any{"mine", 0.5, "half"}, []any{progress.ProgressToken, progress.Progress, progress.Message})
	require.Empty(t, told, "the others were of nobody's call")
	meta := <-h.metas
	require.Equal(t, "kept", meta["example/note"])
	require.NotContains(t, meta, mcp.MetaPayment)
	require.Empty(t, h.metas, "it ran once")
	require.Equal(t, pay.Paid, s.ledger()[0].State)
}
