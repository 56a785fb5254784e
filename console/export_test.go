package console

import (
	"context"
	"time"

	"github.com/lodenet/lode/client"
)

// Tell hands readers a block, as following the chain does.
func (s *Server) Tell(height int64, missed bool) {
	s.stream.tell(streamBlock{at: newAt(height, time.Unix(height, 0)), Epochs: []uint32{}, Missed: missed})
}

// KeepIndex keeps the index up to date, as Run does.
func (s *Server) KeepIndex(ctx context.Context) error { return s.keepIndex(ctx) }

// Saw takes up a block, as following the chain does.
func (s *Server) Saw(b client.Block) { s.chain.saw(b) }

// Readers are how many streams are open.
func (s *Server) Readers() int {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	return len(s.stream.readers)
}

// Routes are those of the API, as METHOD PATH.
func Routes() (all []string) {
	for _, r := range api {
		all = append(all, r.method+" "+r.path)
	}
	all = append(all, "GET /v1/openapi.yaml", "GET /v1/stream")
	for _, m := range buyMethods {
		all = append(all, m+" /buy/{service}/{path}")
	}
	return all
}

// Params are the names that a route's query may have.
func Params(route string) []string {
	for _, r := range api {
		if r.method+" "+r.path == route {
			return r.params
		}
	}
	return nil
}

// Reachable says whether an endpoint may be asked.
func Reachable(endpoint string, local bool) bool { return reachable(endpoint, local) }

// Dialable says whether a connection may be made.
func Dialable(address string, local bool) bool { return dialable(address, local) == nil }

// PassedType is what a provider's content is called.
func PassedType(s string) string { return passedType(s) }

// JoinURL is a path below an endpoint.
func JoinURL(endpoint, rest, query string) (string, error) { return join(endpoint, rest, query) }

// Halvings are how often the reward has halved, and when it does next.
func Halvings(limit, issued uint64) (int, uint64) { return halvings(limit, issued) }

// PriceOfRao and PerAlpha write prices.
func PriceOfRao(rao uint64) string               { return priceOfRao(rao) }
func PerAlpha(rao, units uint64) string          { return perAlpha(rao, units) }
func FeeOf(p string, gas uint64) (uint64, error) { return feeOf(p, gas) }
