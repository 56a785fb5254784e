package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
)

// connect finds the network: the nodes of --node, or that of the home.
func (g *globals) connect() (*client.Client, error) { return g.connectFor("") }

// connectFor is connect where an account's fee allowance pays what is sent; empty:
// nobody's.
func (g *globals) connectFor(feeGranter string) (*client.Client, error) {
	if g.node != "" {
		nodes, err := parseNodes(g.node)
		if err != nil {
			return nil, err
		}
		return client.New(client.Config{Nodes: nodes, GasPrice: g.gasPrice, FeeGranter: feeGranter})
	}
	info, err := localnet.ReadInfo(g.home)
	if err != nil {
		return nil, err
	}
	if info.PID == 0 {
		return nil, fail("not_running", fmt.Sprintf("start it with `lode up --home %s`, or name a node with --node URL", g.home), "the network in %s is not running", g.home)
	}
	return client.New(client.Config{Nodes: []string{info.Endpoints.RPC}, ChainID: info.ChainID, GasPrice: g.gasPrice, FeeGranter: feeGranter})
}

func parseNodes(list string) ([]string, error) {
	var nodes []string
	for _, s := range strings.Split(list, ",") {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tcp" {
			return nil, fail(codeUsage, "give a CometBFT RPC URL, for example http://127.0.0.1:26657", "--node %q is no URL of a node", s)
		}
		if u.Scheme == "tcp" { // as CometBFT's own configuration writes it
			u.Scheme = "http"
		}
		nodes = append(nodes, u.String())
	}
	return nodes, nil
}

// queryTimeout bounds a command that only asks.
const queryTimeout = 30 * time.Second

// sendTimeout bounds a command that waits for a transaction to be committed.
const sendTimeout = 2 * time.Minute

// withNetwork connects, runs f with a deadline, and disconnects.
func withNetwork(ctx context.Context, g *globals, limit time.Duration, f func(ctx context.Context, c *client.Client) error) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return f(ctx, c)
}
