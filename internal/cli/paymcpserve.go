package cli

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/mcp"
)

// Keys of _meta between `lode market serve --mcp` and the MCP server behind it.
const (
	metaPayer = "lode/payer" // of a call: who pays
	metaUnits = "lode/units" // of a result: what it has used
)

// serviceAndCommand are the arguments of `lode market serve`: what follows -- is an MCP
// server to start.
func serviceAndCommand(cmd *cobra.Command, args []string) error {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		args = args[:at]
	}
	return cobra.ExactArgs(1)(cmd, args)
}

// mcpBehind is the MCP server that is sold: at a URL, or a command that speaks MCP on
// standard input and output.
func mcpBehind(cmd *cobra.Command, to string, args []string) (opener, error) {
	var connect func() (sdk.Transport, error)
	var where string
	switch at := cmd.ArgsLenAtDash(); {
	case len(args) > 1 && to != "":
		return nil, fail(codeUsage, "give one of them", "--to and a command are two servers")
	case len(args) > 1:
		command := args[at:]
		env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "LODE_PASSPHRASE=") })
		where = command[0]
		connect = func() (sdk.Transport, error) {
			c := exec.Command(command[0], command[1:]...)
			c.Stderr, c.Env = cmd.ErrOrStderr(), env
			return &sdk.CommandTransport{Command: c}, nil
		}
	case to == "":
		return nil, fail(codeUsage, "see `lode market serve --help`", "give --to, or a command after --")
	default:
		endpoint, err := mcpURL(to)
		if err != nil {
			return nil, err
		}
		where = endpoint.Host + endpoint.Path
		connect = func() (sdk.Transport, error) {
			return &sdk.StreamableClientTransport{Endpoint: endpoint.String(), DisableStandaloneSSE: true}, nil
		}
	}
	return func(ctx context.Context, gw *pay.Gateway, units uint64, description string, _ *slog.Logger) (http.Handler, func() error, error) {
		b, err := mcp.NewBridge(context.WithoutCancel(ctx), connect, true) // calls under way may end
		if err != nil {
			return nil, nil, unreachableMCP(ctx, where, err)
		}
		b.Server.AddReceivingMiddleware(mcp.Charge(gw, mcp.Tariff{Units: mcp.Flat(units), Description: description}), metered)
		return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return b.Server }, &sdk.StreamableHTTPOptions{
			Stateless: true, // strangers can't fill the memory with sessions
			// A proxy that stands before it on this machine sends its own Host; what a page of
			// another site might call here, it would have to pay.
			DisableLocalhostProtection: true,
		}), b.Close, nil
	}, nil
}

// metered tells the server behind who pays, and charges what its results say.
func metered(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		call, ok := req.(*sdk.CallToolRequest)
		m := pay.MeterFrom(ctx)
		if !ok || m == nil {
			return next(ctx, method, req)
		}
		if call.Params.Meta == nil {
			call.Params.Meta = sdk.Meta{}
		}
		call.Params.Meta[metaPayer] = m.Payer()
		res, err := next(ctx, method, call)
		result, ok := res.(*sdk.CallToolResult)
		if err != nil || !ok {
			return res, err
		}
		used, said := result.Meta[metaUnits]
		delete(result.Meta, metaUnits)
		if !said || result.IsError {
			return res, nil
		}
		n, ok := used.(float64)
		if !ok || n < 0 || n != math.Trunc(n) || n > 1<<53 {
			return nil, fmt.Errorf("the server answers %s: %.40v, which is no whole number", metaUnits, used)
		}
		if err := m.Charge(uint64(n)); err != nil {
			return nil, err
		}
		return res, nil
	}
}
