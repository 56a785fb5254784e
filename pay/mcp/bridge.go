package mcp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bridge is an MCP server that hands on to another what it is asked for: tools, prompts,
// resources and completions, with progress and changes of lists. It connects again when
// the other has ended. Logs, subscriptions to resources, and what servers ask of clients
// (sampling, elicitation, roots) do not pass.
type Bridge struct {
	// Server is to be run; middleware that is added to it comes before the handing on.
	Server *sdk.Server

	ctx     context.Context
	cancel  context.CancelFunc
	ready   chan struct{} // closed when Server is there
	connect func() (sdk.Transport, error)
	client  *sdk.Client
	tokens  atomic.Uint64
	waiting sync.Map // token of progress, its own → listener

	mu      sync.Mutex // guards what follows
	session *sdk.ClientSession
}

// listener is who is told of a call's progress.
type listener struct {
	ctx     context.Context // of the call: it leads to its answer
	session *sdk.ServerSession
	token   any
}

// connectTime is what a connection may take to be made.
const connectTime = 30 * time.Second

// NewBridge connects to a server by a transport that connect makes, now and whenever
// the connection has ended, until ctx ends or Close. With toolsOnly tools alone are
// handed on.
func NewBridge(ctx context.Context, connect func() (sdk.Transport, error), toolsOnly bool) (*Bridge, error) {
	b := &Bridge{connect: connect, ready: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(ctx)
	options := &sdk.ClientOptions{Capabilities: &sdk.ClientCapabilities{}, ProgressNotificationHandler: b.progress}
	if !toolsOnly {
		b.tellChanges(options)
	}
	b.client = sdk.NewClient(&sdk.Implementation{Name: "lode", Version: "1"}, options)
	s, err := b.current()
	if err != nil {
		b.cancel()
		return nil, err
	}
	is := s.InitializeResult()
	caps := &sdk.ServerCapabilities{}
	if c := is.Capabilities; c != nil {
		caps.Tools = c.Tools
		if !toolsOnly {
			caps.Prompts, caps.Resources, caps.Completions = c.Prompts, c.Resources, c.Completions
			if caps.Resources != nil {
				caps.Resources = &sdk.ResourceCapabilities{ListChanged: c.Resources.ListChanged}
			}
		}
	}
	who := is.ServerInfo
	if who == nil {
		who = &sdk.Implementation{Name: "lode", Version: "1"}
	}
	b.Server = sdk.NewServer(who, &sdk.ServerOptions{Instructions: is.Instructions, Capabilities: caps})
	b.Server.AddReceivingMiddleware(b.forward(toolsOnly))
	close(b.ready)
	return b, nil
}

// tellChanges lets clients know when the other's lists change. The SDK tells them when a
// list of its own does: these are empty, and change for that.
func (b *Bridge) tellChanges(o *sdk.ClientOptions) {
	const name, uri = "changed", "lode:changed"
	tell := func(change func()) {
		select {
		case <-b.ready:
			change()
		case <-b.ctx.Done():
		}
	}
	o.ToolListChangedHandler = func(context.Context, *sdk.ToolListChangedRequest) {
		tell(func() {
			b.Server.AddTool(&sdk.Tool{Name: name, InputSchema: map[string]any{"type": "object"}}, nil)
			b.Server.RemoveTools(name)
		})
	}
	o.PromptListChangedHandler = func(context.Context, *sdk.PromptListChangedRequest) {
		tell(func() { b.Server.AddPrompt(&sdk.Prompt{Name: name}, nil); b.Server.RemovePrompts(name) })
	}
	o.ResourceListChangedHandler = func(context.Context, *sdk.ResourceListChangedRequest) {
		tell(func() { b.Server.AddResource(&sdk.Resource{URI: uri, Name: name}, nil); b.Server.RemoveResources(uri) })
	}
}

// Close ends the connection. Calls under way fail. That the server has gone already, or
// ends badly now, is no error.
func (b *Bridge) Close() error {
	b.cancel()
	b.mu.Lock()
	s := b.session
	b.session = nil
	b.mu.Unlock()
	if s == nil {
		return nil
	}
	err := s.Close()
	var unreachable *url.Error
	var ended *exec.ExitError
	if errors.As(err, &unreachable) || errors.As(err, &ended) {
		return nil // nobody is left to be told
	}
	return err
}

// current is the connection, a new one where the last has ended.
func (b *Bridge) current() (*sdk.ClientSession, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session != nil {
		return b.session, nil
	}
	t, err := b.connect()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.ctx, connectTime)
	defer cancel()
	s, err := b.client.Connect(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	b.session = s
	go func() {
		_ = s.Wait() // why it has ended, its calls say
		b.ended(s)
	}()
	return s, nil
}

func (b *Bridge) ended(s *sdk.ClientSession) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session == s {
		b.session = nil
	}
}

// forward hands requests on.
func (b *Bridge) forward(toolsOnly bool) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			switch r := req.(type) {
			case *sdk.CallToolRequest:
				return b.callTool(ctx, r)
			case *sdk.ListToolsRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).ListTools)
			}
			if toolsOnly {
				return next(ctx, method, req)
			}
			switch r := req.(type) {
			case *sdk.ListPromptsRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).ListPrompts)
			case *sdk.GetPromptRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).GetPrompt)
			case *sdk.ListResourcesRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).ListResources)
			case *sdk.ListResourceTemplatesRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).ListResourceTemplates)
			case *sdk.ReadResourceRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).ReadResource)
			case *sdk.CompleteRequest:
				return hand(ctx, b, r.Params, (*sdk.ClientSession).Complete)
			}
			return next(ctx, method, req)
		}
	}
}

// hand hands one request on. Params and results are copied: both sides write into their
// _meta, and the client keeps lists.
func hand[P, R any, PP interface {
	*P
	sdk.Params
}, RR interface {
	*R
	sdk.Result
}](ctx context.Context, b *Bridge, params PP, ask func(*sdk.ClientSession, context.Context, PP) (RR, error)) (sdk.Result, error) {
	out := PP(new(P))
	if params != nil {
		*out = *params
		out.SetMeta(own(params.GetMeta()))
	}
	// What the other side's request has put into its context is not for this one.
	asking, cancel := context.WithCancel(b.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	var res RR
	for again := false; ; again = true {
		s, err := b.current()
		if err != nil {
			return nil, fmt.Errorf("the server can't be reached: %w", err)
		}
		res, err = ask(s, asking, out)
		if err == nil {
			break
		}
		var wire *jsonrpc.Error
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !again && (errors.Is(err, sdk.ErrSessionMissing) || errors.Is(err, sdk.ErrConnectionClosed)): // it was not looked at
			b.ended(s)
			continue
		case errors.As(err, &wire) && wire.Code != codeRejected:
			return nil, wire // as it is
		}
		return nil, fmt.Errorf("the server's answer is lost: %w", err)
	}
	result := RR(new(R))
	*result = *res
	result.SetMeta(maps.Clone(res.GetMeta()))
	return result, nil
}

// own is what a request's _meta has beside what the protocol says of each connection.
func own(meta map[string]any) map[string]any {
	out := maps.Clone(meta)
	maps.DeleteFunc(out, func(key string, _ any) bool { return strings.HasPrefix(key, "io.modelcontextprotocol/") })
	return out
}

// callTool hands a call on, with a token for its progress that no other call has.
func (b *Bridge) callTool(ctx context.Context, r *sdk.CallToolRequest) (sdk.Result, error) {
	p := sdk.CallToolParams{Meta: maps.Clone(r.Params.Meta), Name: r.Params.Name, InputResponses: r.Params.InputResponses, RequestState: r.Params.RequestState}
	if len(r.Params.Arguments) > 0 {
		p.Arguments = r.Params.Arguments
	}
	if token := r.Params.GetProgressToken(); token != nil {
		mine := fmt.Sprint("lode-", b.tokens.Add(1))
		b.waiting.Store(mine, listener{ctx, r.Session, token})
		defer b.waiting.Delete(mine)
		p.SetProgressToken(mine)
	}
	return hand(ctx, b, &p, (*sdk.ClientSession).CallTool)
}

// progress tells whoever called of a call's.
func (b *Bridge) progress(_ context.Context, n *sdk.ProgressNotificationClientRequest) {
	token, _ := n.Params.ProgressToken.(string) // a server may send anything
	if found, ok := b.waiting.Load(token); ok {
		to, p := found.(listener), *n.Params
		p.ProgressToken = to.token
		_ = to.session.NotifyProgress(to.ctx, &p) // who is gone needs none
	}
}
