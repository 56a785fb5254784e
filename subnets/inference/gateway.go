package inference

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path"
	"sync"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// GatewayConfig says whom a gateway asks, and what that may cost. Miners and Caller are
// required.
type GatewayConfig struct {
	Netuid  uint16
	ChainID string // for receipts

	// Miners are the subnet's, as the chain has them; the gateway reads their cards.
	Miners func(context.Context) ([]Remote, error)
	// Services is the chain's catalogue, by id: what cards say of services is held to it.
	// Nil: cards are believed.
	Services func(context.Context) (map[uint64]Service, error)
	Caller   *Caller

	MaxPrice   uint64 // rao for a million units; 0: none
	Model      string // of requests that name none ("", auto, lode); empty: the one that validators pay most for
	Tier       string // least tier; empty: [TierAny]
	Unverified bool   // also engines of which nobody can tell whether they run the model

	Tries int // miners that are asked for one answer; 3
	// FirstPiece is how long a miner may take to begin, and a second for each 4 KiB of prompt;
	// 30 s. A deposit on chain is not counted, if it is made by a [PatientChain].
	FirstPiece time.Duration
	NextPiece  time.Duration // how long it may take to go on; 30 s

	// Receipts, if given, gets one for each choice that was begun.
	Receipts func(Receipt) error
	// Logger defaults to a silent one. Nothing of prompts and answers is logged.
	Logger *slog.Logger
	Now    func() time.Time // time.Now
	Rand   io.Reader        // crypto/rand's
}

// Gateway answers what customers ask, by the miners of a subnet: it is an [api.Backend].
// It reads the miners' cards, picks one for each answer (route.go says how), asks another
// where one fails before its first token, and keeps receipts. It reads the directory when
// it is used: one that is idle asks nobody anything.
type Gateway struct {
	cfg GatewayConfig
	log *slog.Logger
	dir *directory
	end context.CancelFunc

	mu     sync.Mutex // guards totals, and Rand
	totals Totals
}

// Totals are what a gateway has had done.
type Totals struct {
	Answers    int    `json:"answers"` // choices that were begun
	Failed     int    `json:"failed"`  // choices that nobody answered, or not to the end
	Prompt     int    `json:"prompt_tokens"`
	Completion int    `json:"completion_tokens"`
	Paid       uint64 `json:"paid_rao,string"`
	// Unknown is the part of it that may not have been charged: answers that were left.
	Unknown uint64 `json:"unknown_rao,string"`
}

var (
	errClosed = errors.New("the gateway is closed")
	// errLie marks what a miner can't say in good faith.
	errLie = errors.New("it lies")
)

// NewGateway makes a gateway; nothing is asked of anybody yet.
func NewGateway(cfg GatewayConfig) (*Gateway, error) {
	if cfg.Miners == nil || cfg.Caller == nil {
		return nil, errors.New("inference: a gateway needs Miners and Caller")
	}
	if cfg.Tier == "" {
		cfg.Tier = TierAny
	}
	if tierRank(cfg.Tier) < 0 {
		return nil, fmt.Errorf("tier %.20q: there are %s, %s and %s", cfg.Tier, TierAny, TierAttested, TierFacility)
	}
	if cfg.Tier != TierAny && cfg.Caller.Envelope.Name() == plainName {
		return nil, fmt.Errorf("tier %s: this version can't prove it of any miner, only %s can be had", cfg.Tier, TierAny)
	}
	if cfg.Tries <= 0 {
		cfg.Tries = 3
	}
	if cfg.FirstPiece <= 0 {
		cfg.FirstPiece = 30 * time.Second
	}
	if cfg.NextPiece <= 0 {
		cfg.NextPiece = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	g := &Gateway{cfg: cfg, log: cfg.Logger}
	g.dir = &directory{cfg: &g.cfg, members: map[string]*member{}}
	g.dir.ctx, g.end = context.WithCancel(context.Background())
	return g, nil
}

// Close ends what the gateway does beside answering. Requests end with their contexts.
func (g *Gateway) Close() error {
	g.end()
	g.dir.running.Wait()
	return nil
}

// Totals are what was done since it was made.
func (g *Gateway) Totals() Totals {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.totals
}

// Miners are those that there are, with what is known of them.
func (g *Gateway) Miners(ctx context.Context) ([]Known, error) {
	if err := g.dir.fresh(ctx); err != nil {
		return nil, err
	}
	return g.dir.list(), nil
}

// Approve is for [pay.ClientConfig]: it agrees to pay what a miner's card and the
// catalogue say, and no more.
func (g *Gateway) Approve(q pay.Quote) error {
	to, ok := g.dir.byURL(q.URL)
	if !ok {
		return fmt.Errorf("%w: nobody has asked %.100s", errLie, q.URL)
	}
	u, err := url.Parse(q.URL)
	if err != nil {
		return err
	}
	units, err := readUnits(path.Base(u.Path))
	if err != nil {
		return fmt.Errorf("%w: it wants to be paid for what is free", errLie)
	}
	price := to.Card.Price
	most, err := pay.Cost(units, price, PricePer)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errLie, err)
	case q.Provider != to.Hotkey || q.ServiceID != to.Card.ServiceID:
		return fmt.Errorf("%w: it wants %.80s to be paid for service %d, its card says %d", errLie, q.Provider, q.ServiceID, to.Card.ServiceID)
	case q.PlanID != 0 && q.Amount > units:
		return fmt.Errorf("%w: it wants %d units of a plan for %d", errLie, q.Amount, units)
	case q.PlanID == 0 && q.Amount > most:
		return fmt.Errorf("%w: it wants %s TAO for %d units, by its card they cost %s", errLie, client.FormatTAO(q.Amount), units, client.FormatTAO(most))
	case g.cfg.MaxPrice > 0 && price > g.cfg.MaxPrice:
		return fmt.Errorf("%w: %w", errOverPrice, errPrice(price, g.cfg.MaxPrice))
	}
	return nil
}

// errOverPrice marks what is over MaxPrice.
var errOverPrice = errors.New("over the price limit")

func errPrice(price, most uint64) error {
	return fmt.Errorf("it takes %s TAO for a million tokens, the limit is %s", client.FormatTAO(price), client.FormatTAO(most))
}

// Models lists what can be asked for, with the prices of the cheapest miners.
func (g *Gateway) Models(ctx context.Context) ([]api.Model, error) {
	if err := g.dir.fresh(ctx); err != nil {
		return nil, told(ctx, err)
	}
	var out []api.Model
	for _, m := range g.dir.models() {
		e := m.of.Engine
		out = append(out, api.Model{ID: m.id, Owner: "lode", Context: e.Context, Tier: m.of.Tier, Digest: e.Digest,
			InputPrice: (m.price + promptShare - 1) / promptShare, OutputPrice: m.price, Created: firstRelease})
	}
	return out, nil
}

// firstRelease stands where clients want to know when a model was made, which nobody can
// tell by its digest.
var firstRelease = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)

// Count says how many tokens a prompt has, by a miner's word.
func (g *Gateway) Count(ctx context.Context, r *api.Request) (int, error) {
	p := promptOf(r)
	if err := p.Check(); err != nil {
		return 0, told(ctx, err)
	}
	m, err := g.model(ctx, r.Model, false)
	if err != nil {
		return 0, err
	}
	var n int
	err = g.each(ctx, want{model: m.key, chat: p.Chat != nil}, func(to Remote) error {
		n, err = g.cfg.Caller.Count(ctx, to, p)
		if err == nil && n > mostPrompt(p) {
			err = fmt.Errorf("%w: it counts %d tokens in a prompt of %d bytes", errLie, n, promptBytes(p))
		}
		return err
	})
	return n, err
}

// Embed gives a vector for each input.
func (g *Gateway) Embed(ctx context.Context, name string, inputs []string) (*api.Embeddings, error) {
	m, err := g.model(ctx, name, true)
	if err != nil {
		return nil, err
	}
	out := &api.Embeddings{Vectors: make([][]float32, len(inputs))}
	for i, text := range inputs {
		p := engine.Prompt{Text: text}
		if err := p.Check(); err != nil {
			return nil, told(ctx, err)
		}
		err := g.each(ctx, want{model: m.key, embeds: true}, func(to Remote) error {
			bill := &bill{}
			got, err := g.cfg.Caller.Embed(pay.OnPaid(ctx, bill.note), to, Embed{Digest: to.Card.Engine.Digest, Prompt: p})
			paid, unknown := bill.sum()
			g.mu.Lock()
			g.totals.Paid += paid
			g.totals.Unknown += unknown
			g.mu.Unlock()
			if err != nil {
				return err
			}
			if got.Tokens > mostPrompt(p) {
				return fmt.Errorf("%w: it counts %d tokens in a prompt of %d bytes", errLie, got.Tokens, promptBytes(p))
			}
			out.Vectors[i] = got.Vector
			out.Tokens += got.Tokens
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// each makes a short call at miners, one after another, until one of them answers.
func (g *Gateway) each(ctx context.Context, w want, call func(Remote) error) error {
	w.maxPrice, w.tried = g.cfg.MaxPrice, map[string]bool{}
	var last error
	for range g.cfg.Tries {
		to, done, ok := g.dir.take(w)
		if !ok {
			break
		}
		w.tried[to.Hotkey] = true
		err := call(to)
		done(g.outcome(ctx, &to, err))
		if err == nil || ctx.Err() != nil || refusal(err) {
			return told(ctx, err)
		}
		last = err
	}
	if last == nil {
		return g.nobody(w)
	}
	return told(ctx, last)
}

// model finds what is asked for.
func (g *Gateway) model(ctx context.Context, name string, embeds bool) (model, error) {
	if err := g.dir.fresh(ctx); err != nil {
		return model{}, told(ctx, err)
	}
	m, ok := find(g.dir.models(), name, g.cfg.Model)
	switch {
	case !ok && !g.dir.usable():
		return m, &api.Error{Kind: api.Overloaded, Message: "no miner of the subnet can be reached: try again when some have published their endpoints", RetryAfter: staleAfter}
	case !ok:
		return m, &api.Error{Kind: api.UnknownModel, Message: "no miner serves this model: GET /v1/models lists those that are served"}
	case embeds && !m.embeds:
		return m, &api.Error{Kind: api.UnknownModel, Message: "no miner embeds with this model"}
	}
	return m, nil
}

// nobody says why there is no miner to ask.
func (g *Gateway) nobody(w want) error {
	price, any := g.dir.cheapest(w)
	if any && g.cfg.MaxPrice > 0 && price > g.cfg.MaxPrice {
		return &api.Error{Kind: api.OverPrice, Message: fmt.Sprintf("no miner serves this model for %s TAO a million tokens: the cheapest takes %s; allow that with --max-price", client.FormatTAO(g.cfg.MaxPrice), client.FormatTAO(price))}
	}
	return &api.Error{Kind: api.Overloaded, Message: "no miner that serves this model can be reached, or has room: try again soon", RetryAfter: pauseFirst}
}

// read fills b with randomness.
func (g *Gateway) read(b []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := io.ReadFull(g.cfg.Rand, b)
	return err
}

// mostPrompt is how many tokens a prompt has at most: one a byte, beside what a template
// says before all and around each message.
func mostPrompt(p engine.Prompt) int {
	most := promptBytes(p) + 256
	if p.Chat != nil {
		most += 32 * len(p.Chat.Messages)
	}
	return most
}

// bill adds up what a call's payments have cost.
type bill struct {
	mu  sync.Mutex
	all map[uint64]pay.Payment
}

func (b *bill) note(p pay.Payment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[uint64]pay.Payment{}
	}
	b.all[p.N] = p
}

// sum is what was charged in rao, and the part of it that may not have been. What a plan
// pays is not in it.
func (b *bill) sum() (paid, unknown uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.all {
		if p.PlanID != 0 {
			continue
		}
		paid += p.Charged
		if p.State == pay.Unknown {
			unknown += p.Charged
		}
	}
	return paid, unknown
}
