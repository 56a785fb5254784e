package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/spf13/cobra"
)

// reachJSON says whether an endpoint can be reached from here.
type reachJSON struct {
	Endpoint  string  `json:"endpoint"`
	Reachable bool    `json:"reachable"`
	Seconds   float64 `json:"seconds"`
	Problem   *string `json:"problem"` // null: none
	Public    bool    `json:"public"`  // others than this network's neighbours can route to it
}

// checkReach calls a hotkey at each endpoint that the chain has for it, as a stranger who
// comes from elsewhere does: run it on another machine to see what others see.
func (f *joinFlags) checkReach(ctx context.Context, cmd *cobra.Command, c *client.Client) error {
	g := globalsOf(cmd)
	netuid, err := parseNetuid(f.netuid)
	if err != nil {
		return err
	}
	hotkey, err := g.hotkeyAddress(ctx, f.hotkey)
	if err != nil {
		return err
	}
	r, err := c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: netuid, Hotkey: hotkey})
	if err != nil {
		return err
	}
	if len(r.Neuron.Endpoints) == 0 {
		return fail("not_serving", "start it first: what it serves is published then", "%s serves nothing in subnet %d", hotkey, netuid)
	}
	stranger, err := mesh.New(ctx, mesh.Config{PrivKey: secp256k1.GenPrivKey().Bytes(), DialTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer stranger.Close()
	v := struct {
		Hotkey    string      `json:"hotkey"`
		UID       uint32      `json:"uid"`
		Protocol  string      `json:"protocol"`
		Endpoints []reachJSON `json:"endpoints"`
	}{hotkey, r.Neuron.Uid, r.Neuron.Protocol, nil}
	reached := false
	for _, e := range r.Neuron.Endpoints {
		one := reach(ctx, stranger, hotkey, e)
		reached = reached || one.Reachable
		v.Endpoints = append(v.Endpoints, one)
	}
	err = output(cmd, v, func(w io.Writer) {
		fmt.Fprintf(w, "uid %d, %s\n", v.UID, v.Protocol)
		for _, e := range v.Endpoints {
			switch {
			case e.Problem != nil:
				fmt.Fprintf(w, "no   %s\n     %s\n", e.Endpoint, *e.Problem)
			case !e.Public:
				fmt.Fprintf(w, "yes  %s (%.2f s), from this machine or its neighbours only: the address is not a public one\n", e.Endpoint, e.Seconds)
			default:
				fmt.Fprintf(w, "yes  %s (%.2f s)\n", e.Endpoint, e.Seconds)
			}
		}
	})
	if err == nil && !reached {
		err = fail("unreachable", "is it running? Is the port open and forwarded? --announce publishes the address that others see; --nat with --relay needs no open port", "%s can't be reached at any of its endpoints", hotkey)
	}
	return err
}

// reach calls a hotkey at one endpoint. Any answer will do: strangers are refused.
func reach(ctx context.Context, stranger *mesh.Host, hotkey, endpoint string) reachJSON {
	v := reachJSON{Endpoint: endpoint}
	if a, err := multiaddr.NewMultiaddr(endpoint); err == nil {
		v.Public = manet.IsPublicAddr(a)
	}
	start := time.Now()
	err := func() error {
		if err := stranger.AddPeer(hotkey, endpoint); err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hotkey+"/", nil)
		if err != nil {
			return err
		}
		resp, err := stranger.Client().Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}()
	v.Seconds = time.Since(start).Seconds()
	if err == nil {
		v.Reachable = true
		return v
	}
	p := problem(err)
	v.Problem = &p
	return v
}

// problem says in a line why an endpoint can't be reached.
func problem(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, mesh.ErrWrongPeer):
		return "another peer answers there: the address or the port is somebody else's"
	case strings.Contains(text, "connection refused"):
		return "nothing listens there: the process is down, or listens on another port"
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(text, "timeout"), strings.Contains(text, "deadline"):
		return "no answer: a firewall drops what arrives, or the router doesn't forward the port"
	case strings.Contains(text, "no route"), strings.Contains(text, "unreachable network"), strings.Contains(text, "network is unreachable"):
		return "there is no way from here to that address"
	default:
		line, _, _ := strings.Cut(text, "\n")
		return line
	}
}
