package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/mcp"
)

func newPayMCPCommand() *cobra.Command {
	var logLevel string
	cmd := &cobra.Command{
		Use:   "mcp URL|SERVICE",
		Short: "Run an MCP server that pays for the tools of another one, within limits",
		Long: `Serves MCP on standard input and output, and hands all on to the MCP server at URL (streamable HTTP), or at a service's
endpoint. Calls of tools that ask for payment by x402 are paid. An agent has it in its list of MCP servers as any other, and
knows nothing of payment. What asks for more than the limits allow is told to the agent as the tool's error. The limits are
those of ` + "`lode pay limits`" + `, or those given here for this run.

It ends with its input. One process pays by the books of a key: where an agent has several paid servers, give each a key of
its own, for example by ` + "`lode wallet allow`" + `. ` + "`lode pay history`" + ` and the others work while it runs.`,
		Example: `  lode pay mcp https://example.org/mcp
  lode pay mcp 3 --max-request 0.01 --per-day 2 --deposit 0.5
  lode pay mcp https://example.org/mcp --payer lode1… --from agent`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&logLevel, "log-level", "warn", "debug, info, warn or error; to standard error")
	read := addLimitFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		log, err := loggerTo(cmd, logLevel)
		if err != nil {
			return err
		}
		endpoint, err := paidEndpoint(ctx, g, args[0])
		if err != nil {
			return err
		}
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		payer, done, err := b.spend(ctx, read, log)
		if errors.Is(err, pay.ErrInUse) {
			return fail("in_use", "give each MCP server of an agent a key of its own with --from; `lode pay mcp --help` says how", "%w", err)
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		bridge, err := mcp.NewBridge(ctx, func() (sdk.Transport, error) {
			return &sdk.StreamableClientTransport{Endpoint: endpoint.String()}, nil
		}, false)
		where := endpoint.Host + endpoint.Path // the rest may be secret
		if err != nil {
			return unreachableMCP(ctx, where, err)
		}
		defer func() { err = errors.Join(err, bridge.Close()) }()
		bridge.Server.AddReceivingMiddleware(tellAgent, mcp.Pay(payer, endpoint.String()))
		if !g.json {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s pays for tools of %s\n", fullKey(b.payer, g.names(ctx)), where)
		}
		err = bridge.Server.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(cmd.InOrStdin()), Writer: keepOpen{cmd.OutOrStdout()}})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if spent, _ := payer.Spent(); !g.json {
			fmt.Fprintf(cmd.ErrOrStderr(), "ended; %s TAO are spent today\n", client.FormatTAO(spent))
		}
		return nil
	}
	return cmd
}

// paidEndpoint is the URL of an MCP server that is named by it, or by a service's number.
func paidEndpoint(ctx context.Context, g *globals, arg string) (*url.URL, error) {
	if strings.Trim(arg, "0123456789") != "" {
		return mcpURL(arg)
	}
	id, err := parseService(arg)
	if err != nil {
		return nil, err
	}
	var s serviceJSON
	err = withNetwork(ctx, g, queryTimeout, func(ctx context.Context, c *client.Client) (err error) {
		s, err = service(ctx, c, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	endpoint, kind := pay.EndpointKind(s.Endpoint)
	if kind != "mcp" {
		return nil, fail("bad_value", "`lode pay proxy` pays for services over HTTP; or give the URL of its MCP server", "service %d does not say that it speaks MCP: its endpoint %s does not end in #mcp", id, plain(s.Endpoint))
	}
	return mcpURL(endpoint)
}

// mcpURL checks the URL of an MCP server.
func mcpURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fail(codeUsage, "give a URL, for example https://example.org/mcp", "%q is no URL of an MCP server", s)
	}
	u.Fragment = ""
	return u, nil
}

func unreachableMCP(ctx context.Context, where string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail("unreachable", "see whether it runs, and speaks MCP by streamable HTTP or standard input and output", "no MCP server answers at %s: %w", where, err)
}

// keepOpen is the output, which ends with the process.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// tellAgent makes what keeps a tool from being paid a result of the tool: an agent reads
// that, and sees no other errors.
func tellAgent(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		res, err := next(ctx, method, req)
		var wire *jsonrpc.Error
		if _, call := req.(*sdk.CallToolRequest); err == nil || !call || ctx.Err() != nil || errors.As(err, &wire) {
			return res, err
		}
		code, hint := explain(err)
		message := err.Error()
		if at := (*url.Error)(nil); errors.As(err, &at) { // a URL may have a secret in it
			message = strings.ReplaceAll(message, at.URL, "the server")
		}
		said, err := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message, "hint": hint}})
		if err != nil {
			return nil, err
		}
		return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: string(said)}}}, nil
	}
}
