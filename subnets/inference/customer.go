package inference

import (
	"context"
	"net/http"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
)

// PayingOver makes books those of a gateway's customer: calls go over a host of the mesh,
// deposits are waited for, and nothing is paid but what approve agrees to, which is
// [Gateway.Approve].
func PayingOver(host subnet.Mesh, books pay.ClientConfig, approve func(pay.Quote) error) pay.ClientConfig {
	books.Chain, books.Base = PatientChain(books.Chain), host.Client().Transport
	books.Approve, books.SameTerms = approve, true
	return books
}

// By makes payer pay, with the envelope that there is.
func (c *GatewayConfig) By(payer *pay.Client) {
	c.Caller = &Caller{HTTP: &http.Client{Transport: payer}, Envelope: Plain{}}
}

// From takes miners from a subnet on chain, and what they sell from its catalogue.
func (c *GatewayConfig) From(node *client.Client, chain subnet.Chain, host subnet.Mesh) {
	netuid := c.Netuid
	c.Services = Catalogue(node, netuid)
	c.Miners = func(ctx context.Context) ([]Remote, error) {
		meta, err := chain.Metagraph(ctx, netuid)
		if err != nil {
			return nil, err
		}
		return MinersOf(meta, host), nil
	}
}
