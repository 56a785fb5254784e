package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// Kinds of records in a client's store.
const (
	kindMine    = "c/" // by channel: clientChannel
	kindPayment = "p/" // by number: Payment
)

// chainKey is where a client's store says of which chain it is.
var chainKey = []byte("m/chain")

// Errors of a client that callers tell apart.
var (
	// ErrUnknownOutcome says that a paid request was sent and its answer lost, again and
	// again. It may have been charged; the same request again is a new payment.
	ErrUnknownOutcome = errors.New("it is not known whether the payment was charged")
	// ErrDishonest says that a provider claims what can't be: its channel pays nothing
	// more, and should be closed.
	ErrDishonest = errors.New("the provider's account of the channel can't be true")
	// ErrNoDeposit says that there is no channel to pay with and that the limits do not
	// let the client open one.
	ErrNoDeposit = errors.New("there is no channel to pay with")
	// ErrRefused says that the gateway did not take the payment.
	ErrRefused = errors.New("the payment was refused")
)

// ClientConfig says who pays and how much. Dir is required; Chain for all but reading.
type ClientConfig struct {
	// Dir holds the ledger, the channels and their session keys. One process uses it at a
	// time.
	Dir string
	// Chain opens channels and tops them up.
	Chain PayerChain
	// Limits bind what is spent. They are the caller's at each start; what was spent is
	// in the store.
	Limits Limits
	// Approve, if given, is asked before each payment; an error stops it.
	Approve func(Quote) error
	// CloseDelay is that of channels which the client opens, in seconds, at least what the
	// gateway asks for; default: that.
	CloseDelay int64

	// Base sends requests; default http.DefaultTransport.
	Base http.RoundTripper
	// Tries is how often a paid request is sent whose answer is lost; default 4.
	Tries int
	// MaxBody is how much of a request's body without GetBody is kept to be sent again, in
	// bytes; default 8 MiB.
	MaxBody int64
	// Sync waits for the disk at each payment.
	Sync bool

	// Now defaults to time.Now, After to time.After.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Logger defaults to a silent one.
	Logger *slog.Logger

	hook func(when, step string)
}

// Quote is what a request will cost at most.
type Quote struct {
	Method, URL string
	Provider    string // hotkey
	ServiceID   uint64
	PlanID      uint64 // 0: by use
	PlanName    string
	Amount      uint64 // ceiling in rao, of a plan units
	Unit        string
	Price, Per  uint64 // rao for Per units
	Description string
}

// Client pays. It is an http.RoundTripper: a request that is answered with 402 is paid
// within the limits and sent again. It is safe for concurrent use.
type Client struct {
	cfg   ClientConfig
	log   *slog.Logger
	store *store

	opening sync.Mutex // one opening or top-up at a time

	mu       sync.Mutex // guards what follows
	chainID  string
	channels map[string]*clientChannel
	pending  map[uint64]*Payment // by number: pending and unknown ones
	spent    spending
	number   uint64
	freed    chan struct{}       // closed when a payment ends
	terms    map[string][]choice // what URLs asked last time
}

// OpenClient opens a client's store. Payments that were under way when a process died
// count as charged, until their provider says otherwise.
func OpenClient(cfg ClientConfig) (*Client, error) {
	if cfg.Dir == "" {
		return nil, errors.New("pay: a client needs Dir")
	}
	if cfg.Base == nil {
		cfg.Base = http.DefaultTransport
	}
	if cfg.Tries <= 0 {
		cfg.Tries = 4
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 8 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	st, err := openStore(cfg.Dir, cfg.Sync)
	if err != nil {
		return nil, err
	}
	st.hook = cfg.hook
	c := &Client{cfg: cfg, log: cfg.Logger, store: st, channels: map[string]*clientChannel{}, pending: map[uint64]*Payment{},
		freed: make(chan struct{}), terms: map[string][]choice{}}
	if err := c.load(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return c, nil
}

// Close closes the store. Payments under way fail.
func (c *Client) Close() error { return c.store.close() }

// Spent is what was spent today, in all and by provider, in rao. Payments under way
// count with what they may cost.
func (c *Client) Spent() (all uint64, byProvider map[string]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent.turn(c.cfg.Now())
	byProvider = map[string]uint64{}
	for k, v := range c.spent.byProvider {
		byProvider[k] = v
	}
	return c.spent.all, byProvider
}

func (c *Client) load() error {
	err := c.store.each(kindMine, nil, func(key, raw []byte) (bool, error) {
		var ch clientChannel
		if err := json.Unmarshal(raw, &ch); err != nil {
			return false, fmt.Errorf("channel %x of the store: %w", key, err)
		}
		c.channels[string(ch.ID)] = &ch
		return true, nil
	})
	if err != nil {
		return err
	}
	c.number = c.store.last(kindPayment)
	c.spent.turn(c.cfg.Now())
	var lost []*Payment
	err = c.store.each(kindPayment, nil, func(key, raw []byte) (bool, error) {
		var p Payment
		if err := json.Unmarshal(raw, &p); err != nil {
			return false, fmt.Errorf("payment %x of the ledger: %w", key, err)
		}
		switch {
		case p.Kind != kindRequest:
		case p.State == Pending:
			lost = append(lost, &p)
			c.spent.count(&p, p.Ceiling, 0)
		default:
			c.spent.count(&p, p.Charged, 0)
			if p.State == Unknown {
				c.pending[p.N] = &p
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, p := range lost {
		c.pending[p.N] = p
		if err := c.lose(p, "the process ended before its answer came"); err != nil {
			return err
		}
	}
	return nil
}

// choice is terms of ours among those that a gateway offers.
type choice struct {
	requirements x402.Requirements
	terms        x402.Terms
	amount       uint64
	service      uint64
	plan         uint64
	resource     x402.Resource
	extensions   x402.Extensions
}

// RoundTrip sends a request and pays for it where that is asked for. The answer is the
// application's: what is said about payment within a stream is taken out. Errors about
// money wrap ErrLimit, ErrNoDeposit, ErrRefused, ErrDishonest or ErrUnknownOutcome. A
// 402 whose terms are of other networks is handed on.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get(x402.HeaderSignature) != "" {
		return c.cfg.Base.RoundTrip(req) // somebody else pays
	}
	body, err := newBody(req, c.cfg.MaxBody)
	if err != nil {
		return nil, err
	}
	defer body.finish()
	key := req.Method + " " + req.URL.Scheme + "://" + req.URL.Host + req.URL.Path
	c.mu.Lock()
	choices := c.terms[key]
	c.mu.Unlock()
	if choices == nil {
		resp, err := c.send(req, body, "")
		if err != nil {
			return nil, err
		}
		if choices, err = c.choices(req.Context(), resp); err != nil || choices == nil {
			if err != nil {
				drain(resp)
				return nil, err
			}
			return resp, nil
		}
		drain(resp)
		c.remember(key, choices)
	}
	return c.pay(req, body, key, choices)
}

// remember keeps what a URL asked for, so that the next request pays at once.
func (c *Client) remember(key string, choices []choice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.terms) >= 1024 {
		clear(c.terms)
	}
	if c.terms[key] = choices; choices == nil {
		delete(c.terms, key)
	}
}

// choices are the terms in a 402 that the client can pay on; none where it is no such.
func (c *Client) choices(ctx context.Context, resp *http.Response) ([]choice, error) {
	header := resp.Header.Get(x402.HeaderRequired)
	if resp.StatusCode != http.StatusPaymentRequired || header == "" {
		return nil, nil
	}
	required, err := x402.DecodeRequired(header)
	if err != nil {
		return nil, fmt.Errorf("%s answers 402 with terms that can't be read: %w", resp.Request.URL.Host, err)
	}
	return c.choose(ctx, required)
}

func (c *Client) choose(ctx context.Context, required x402.Required) ([]choice, error) {
	id, err := c.chain(ctx)
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, r := range required.Accepts {
		if r.Scheme != x402.Scheme || r.Network != x402.Network(id) {
			continue
		}
		terms, err := r.Terms()
		if err != nil {
			return nil, err
		}
		amount, err := x402.ParseAmount(r.Amount)
		if err != nil {
			return nil, err
		}
		ch := choice{requirements: r, terms: terms, amount: amount, resource: required.Resource, extensions: required.Extensions}
		ch.service, _ = x402.ParseAmount(terms.ServiceID) // Terms has checked them
		if terms.PlanID != "" {
			ch.plan, _ = x402.ParseAmount(terms.PlanID)
		}
		if want := map[bool]string{true: x402.AssetUnit, false: x402.Asset}[ch.plan != 0]; r.Asset != want {
			continue
		}
		all = append(all, ch)
	}
	return all, nil
}

// chain is the id of the chain that the client pays on.
func (c *Client) chain(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.chainID
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	if c.cfg.Chain == nil {
		return "", errors.New("pay: the client has no chain to pay on")
	}
	var known string
	if _, err := c.store.get(chainKey, &known); err != nil {
		return "", err
	}
	id, err := c.cfg.Chain.ChainID(ctx)
	switch {
	case err != nil && known == "":
		return "", err
	case err != nil:
		id = known // paying needs no node
	case known == "":
		var b batch
		b.put(chainKey, id)
		if err := c.store.write("chain", false, &b); err != nil {
			return "", err
		}
	case known != id:
		return "", fmt.Errorf("the store in %s is of chain %s, this is %s: use another directory", c.cfg.Dir, known, id)
	}
	c.mu.Lock()
	c.chainID = id
	c.mu.Unlock()
	return id, nil
}

// pick takes a plan that the client subscribes to before paying by use.
func (c *Client) pick(choices []choice) (choice, *clientChannel, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, want := range []bool{true, false} {
		for _, ch := range choices {
			if (ch.plan != 0) == want {
				if mine := c.usable(ch.service, ch.plan); mine != nil {
					return ch, mine, true
				}
			}
		}
	}
	i := slices.IndexFunc(choices, func(ch choice) bool { return ch.plan == 0 })
	if i < 0 {
		return choice{}, nil, false
	}
	return choices[i], nil, true
}

// maxRounds bounds how often one request is paid anew: terms change, channels run dry.
const maxRounds = 8

// pay pays for a request and sends it, until it is answered.
func (c *Client) pay(req *http.Request, body *requestBody, key string, choices []choice) (*http.Response, error) {
	deposited := false
	wait := 250 * time.Millisecond
	for range maxRounds {
		if err := body.check(); err != nil {
			return nil, err // before anything is paid for it
		}
		picked, mine, ok := c.pick(choices)
		if !ok {
			return nil, fmt.Errorf("%w: %s sells by plans alone, subscribe to one", ErrNoDeposit, req.URL.Host)
		}
		if err := c.known(req.Context(), picked, mine); err != nil {
			return nil, err
		}
		if c.cfg.Approve != nil {
			if err := c.cfg.Approve(picked.quote(req)); err != nil {
				return nil, err
			}
		}
		p, header, opened, err := c.begin(req, picked, mine, deposited)
		if err != nil {
			return nil, err
		}
		deposited = deposited || opened
		resp, err := c.deliver(req, body, header, p)
		if err != nil {
			return nil, err
		}
		again, err := c.judge(req.Context(), resp, p, picked, &choices)
		switch {
		case err != nil:
			drain(resp)
			return nil, err
		case again == "":
			if resp.Header.Get(x402.HeaderResponse) == "" {
				c.remember(key, nil) // it may cost nothing (any more)
			}
			return resp, nil
		}
		drain(resp)
		c.remember(key, choices)
		if again == x402.ReasonNoChannel || again == x402.ReasonOverBalance || again == x402.ReasonPlan {
			// The chain says otherwise: the gateway's node may be a block behind ours, and a
			// plan's next period begins with a block.
			select {
			case <-c.cfg.After(wait):
				wait *= 2
			case <-req.Context().Done():
				return nil, context.Cause(req.Context())
			}
		}
	}
	return nil, fmt.Errorf("%w: %s asks for other payments again and again", ErrRefused, req.URL.Host)
}

// known sees to it that the provider that terms name is the service's: a channel pays no
// other, and limits are counted by provider. Its hotkey may have been swapped.
func (c *Client) known(ctx context.Context, picked choice, mine *clientChannel) error {
	if mine == nil {
		return nil // it is looked at when a channel is opened
	}
	c.mu.Lock()
	same := mine.Provider == picked.requirements.PayTo
	c.mu.Unlock()
	if same {
		return nil
	}
	info, err := c.cfg.Chain.Service(ctx, picked.service)
	if err != nil {
		return err
	}
	if info.Hotkey != picked.requirements.PayTo {
		return notTheProvider(picked, info.Hotkey)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mine.Provider = info.Hotkey
	var b batch
	b.put(keyed(kindMine, mine.ID), mine)
	return c.store.write("provider", false, &b)
}

func notTheProvider(picked choice, hotkey string) error {
	return fmt.Errorf("%w: it wants to be paid as %.80s, service %d is %s's", ErrDishonest, picked.requirements.PayTo, picked.service, hotkey)
}

func (ch choice) quote(req *http.Request) Quote {
	q := Quote{Method: req.Method, URL: redacted(req), Provider: ch.requirements.PayTo, ServiceID: ch.service, PlanID: ch.plan, PlanName: ch.terms.PlanName,
		Amount: ch.amount, Unit: ch.terms.Unit, Description: ch.resource.Description}
	q.Price, _ = x402.ParseAmount(ch.terms.Price) // Terms has checked them
	q.Per, _ = x402.ParseAmount(ch.terms.Per)
	return q
}

// redacted is a request's URL without a password.
func redacted(req *http.Request) string {
	u := req.URL.Redacted()
	return u[:min(len(u), 2048)]
}

// send sends a request once, with a payment or without.
func (c *Client) send(req *http.Request, body *requestBody, payment string) (*http.Response, error) {
	out := req.Clone(req.Context())
	var err error
	if out.Body, err = body.reader(); err != nil {
		return nil, err
	}
	out.GetBody = nil
	if payment != "" {
		out.Header.Set(x402.HeaderSignature, payment)
	} else if body.large() {
		out.Header.Set("Expect", "100-continue") // a 402 comes before the body is sent
	}
	return c.cfg.Base.RoundTrip(out)
}

// maxWhole is the size up to which an answer is read before it is handed on, so that
// one that breaks off can be asked for again.
const maxWhole = 1 << 20

// deliver sends a paid request, and the same payment again where its answer is lost.
func (c *Client) deliver(req *http.Request, body *requestBody, header string, p *Payment) (*http.Response, error) {
	wait := 100 * time.Millisecond
	var last error
	for try := range c.cfg.Tries {
		if try > 0 {
			select {
			case <-c.cfg.After(wait):
				wait *= 3
			case <-req.Context().Done():
			}
		}
		if err := req.Context().Err(); err != nil {
			last = errors.Join(last, err)
			break
		}
		resp, err := c.send(req, body, header)
		if err == nil {
			if resp, err = whole(resp); err == nil && !lostOnTheWay(resp) {
				return resp, nil
			}
			if err == nil {
				err = fmt.Errorf("answer %s", resp.Status)
				if try == c.cfg.Tries-1 {
					return resp, c.unsettled(p, resp)
				}
				drain(resp)
			}
		}
		var fixed *bodyError
		if errors.As(err, &fixed) {
			last = err
			break
		}
		last = err
		c.log.Warn("the answer to a payment is lost", "url", p.URL, "payment", p.Identifier, "try", try+1, "err", err)
	}
	if err := c.lost(p, "no answer: "+last.Error()); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrUnknownOutcome, p.URL, last)
}

// lostOnTheWay says whether an answer is not of the gateway that was paid, or one that
// it wants to give again.
func lostOnTheWay(resp *http.Response) bool {
	if resp.Header.Get(x402.HeaderResponse) != "" {
		return false
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// unsettled books the last try's answer, which does not say whether it was charged.
func (c *Client) unsettled(p *Payment, resp *http.Response) error {
	p.Status = resp.StatusCode
	return c.lost(p, "answer "+resp.Status)
}

// whole reads a short answer to its end.
func whole(resp *http.Response) (*http.Response, error) {
	if resp.ContentLength < 0 || resp.ContentLength > maxWhole {
		return resp, nil
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(strings.NewReader(string(raw)))
	return resp, nil
}

// drain reads the rest of a short answer, so that its connection is used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // what is lost is nobody's
	_ = resp.Body.Close()
}

// keyFile is where a channel's session key is.
func (c *Client) keyFile(public []byte) string {
	return filepath.Join(c.cfg.Dir, "keys", fmt.Sprintf("%x.key", public))
}
