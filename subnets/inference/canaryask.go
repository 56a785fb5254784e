package inference

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// Prober is a validator's way to the miners, which looks like any customer's.
type Prober interface {
	// Miners are those of a subnet, with their cards.
	Miners(ctx context.Context, meta *subnet.Metagraph) ([]Known, error)
	// Ask asks one miner what a customer asks. The answer is as far as it came, with an
	// error, too: one of [Caller.Generate], of package pay, of ctx, or emit's.
	Ask(ctx context.Context, hotkey string, q *api.Request, emit func(Event) error) (Call, error)
}

// CanaryGateway is a [Prober] over a gateway of its own.
type CanaryGateway struct {
	*Gateway
	meta atomic.Pointer[subnet.Metagraph]
}

// NewCanaryGateway makes a gateway for canaries. Its caller pays, and goes over a host that
// is not the validator's: miners know a validator's hotkey. Miners are those of the
// metagraph of each round.
func NewCanaryGateway(cfg GatewayConfig, host subnet.Mesh) (*CanaryGateway, error) {
	g := &CanaryGateway{}
	cfg.Unverified = true // they are looked at, and get nothing
	cfg.Miners = func(context.Context) ([]Remote, error) {
		meta := g.meta.Load()
		if meta == nil {
			return nil, errors.New("no round has begun")
		}
		return MinersOf(meta, host), nil
	}
	var err error
	g.Gateway, err = NewGateway(cfg)
	return g, err
}

// CanariesBy lets canaries go by a gateway that knows its miners itself. It must be the
// canaries' own, with Unverified set.
func CanariesBy(g *Gateway) *CanaryGateway { return &CanaryGateway{Gateway: g} }

// Miners is described at [Prober].
func (g *CanaryGateway) Miners(ctx context.Context, meta *subnet.Metagraph) ([]Known, error) {
	g.meta.Store(meta)
	return g.Gateway.Miners(ctx)
}

// Ask is described at [Prober].
func (g *CanaryGateway) Ask(ctx context.Context, hotkey string, q *api.Request, emit func(Event) error) (Call, error) {
	r, err := requestOf(q)
	if err != nil {
		return Call{}, err
	}
	if r.Seed, err = g.seed(q.Seed); err != nil {
		return Call{}, err
	}
	to, done, ok := g.dir.take(want{hotkey: hotkey})
	if !ok {
		return Call{Asked: Generate{Request: r}}, ErrNotServed
	}
	call, err := g.call(ctx, &to, &r, q.Logprobs, emit)
	done(g.learned(ctx, call, err))
	return *call, err
}

// promptTokens counts the tokens of what a canary asks.
func promptTokens(ctx context.Context, e engine.Engine, q *api.Request) (int, error) {
	tokens, err := e.Tokens(ctx, promptOf(q))
	return len(tokens), err
}
