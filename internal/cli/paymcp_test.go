package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// mcpHouse is a program that scripts sell: an MCP server on standard input and output
// which knows nothing of payment, but for how much a call has used.
func mcpHouse() {
	server := sdk.NewServer(&sdk.Implementation{Name: "house", Version: "1"}, nil)
	type in struct {
		How string `json:"how,omitempty"`
	}
	sdk.AddTool(server, &sdk.Tool{Name: "knock"}, func(_ context.Context, r *sdk.CallToolRequest, in in) (*sdk.CallToolResult, any, error) {
		if r.Params.Meta["x402/payment"] != nil || os.Getenv("LODE_PASSPHRASE") != "" {
			return nil, nil, errors.New("the gateway gave a secret away")
		}
		res := &sdk.CallToolResult{Meta: sdk.Meta{}, Content: []sdk.Content{&sdk.TextContent{Text: fmt.Sprint("come in, ", r.Params.Meta["lode/payer"])}}}
		switch in.How {
		case "softly":
			res.Meta["lode/units"] = 250
		case "greedily":
			res.Meta["lode/units"] = 5000
		case "oddly":
			res.Meta["lode/units"] = "many"
		case "backwards":
			res.Meta["lode/units"] = -1
		case "rudely":
			return nil, nil, errors.New("go away")
		case "fatally":
			os.Exit(3)
		}
		return res, nil, nil
	})
	server.AddPrompt(&sdk.Prompt{Name: "free"}, nil)
	if err := server.Run(context.Background(), &sdk.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mcpAgent is an agent that knows nothing of payment: it starts an MCP server, or names
// its URL, and calls a tool with each of its arguments. It prints what an agent reads.
//
//	mcpagent TOOL ARGUMENTS... -- COMMAND [ARG]...|URL
func mcpAgent() {
	ctx := context.Background()
	before, behind, _ := strings.Cut(strings.Join(os.Args[1:], "\x00"), "\x00--\x00")
	args, server := strings.Split(before, "\x00"), strings.Split(behind, "\x00")
	var transport sdk.Transport = &sdk.StreamableClientTransport{Endpoint: server[0]}
	if !strings.HasPrefix(server[0], "http") {
		cmd := exec.Command(server[0], server[1:]...)
		cmd.Stderr = os.Stderr
		transport = &sdk.CommandTransport{Command: cmd}
	}
	err := func() error {
		session, err := sdk.NewClient(&sdk.Implementation{Name: "agent", Version: "1"}, nil).Connect(ctx, transport, nil)
		if err != nil {
			return err
		}
		for _, a := range args[1:] {
			res, err := session.CallTool(ctx, &sdk.CallToolParams{Name: args[0], Arguments: json.RawMessage(a)})
			if err != nil {
				fmt.Println("refused:", err)
				continue
			}
			text, _ := json.Marshal(res.Content)
			fmt.Println(map[bool]string{true: "failed:", false: "ok:"}[res.IsError], string(text))
		}
		return session.Close()
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
