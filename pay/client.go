package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// CurrentLimits, if given, are asked for at each payment, in place of Limits: those
	// that somebody changes meanwhile. An error stops the payment.
	CurrentLimits func() (Limits, error)
	// Approve, if given, is asked before each payment, with what the gateway asks for this
	// very request; an error stops it.
	Approve func(Quote) error
	// SameTerms says that all requests to one URL cost the same at most: then Approve is
	// asked with what the URL wanted last time, and where it agrees, a request is paid at
	// once. Otherwise each request asks for its price before it is paid.
	SameTerms bool
	// CloseDelay is that of channels which the client opens, in seconds, at least what the
	// gateway asks for; default: that.
	CloseDelay int64

	// Base sends requests, save those of [Client.Over]; default http.DefaultTransport.
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
	terms    map[string][]choice // what URLs asked last time; of another request
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

// RoundTrip sends a request and pays for it where that is asked for. The answer is the
// application's: what is said about payment within a stream is taken out. Errors about
// money wrap ErrLimit, ErrNoDeposit, ErrRefused, ErrDishonest or ErrUnknownOutcome. A
// 402 whose terms are of other networks is handed on.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get(x402.HeaderSignature) != "" {
		return c.base(req.Context()).RoundTrip(req) // somebody else pays
	}
	body, err := newBody(req, c.cfg.MaxBody)
	if err != nil {
		return nil, err
	}
	defer body.finish()
	key := req.Method + " " + req.URL.Scheme + "://" + req.URL.Host + req.URL.Path
	if known := c.remembered(key); known != nil {
		resp, err := c.pay(req, body, key, known, true)
		if !errors.Is(err, errOldTerms) {
			return resp, err
		}
	}
	resp, err := c.send(req, body, "")
	if err != nil {
		return nil, err
	}
	choices, err := c.choices(req.Context(), resp)
	if err != nil {
		drain(resp)
		return nil, err
	}
	if choices == nil {
		c.remember(key, nil)
		return resp, nil
	}
	drain(resp)
	c.remember(key, choices)
	return c.pay(req, body, key, choices, false)
}

type baseKey struct{}

type over struct {
	c    *Client
	base http.RoundTripper
}

// Over is the client where requests go another way than ClientConfig.Base: so it pays
// over wires that are not HTTP, by the same books.
func (c *Client) Over(base http.RoundTripper) http.RoundTripper { return over{c, base} }

func (o over) RoundTrip(req *http.Request) (*http.Response, error) {
	return o.c.RoundTrip(req.WithContext(context.WithValue(req.Context(), baseKey{}, o.base)))
}

// base is the way of a request.
func (c *Client) base(ctx context.Context) http.RoundTripper {
	if base, ok := ctx.Value(baseKey{}).(http.RoundTripper); ok {
		return base
	}
	return c.cfg.Base
}

// errOldTerms says that what a URL asked of an earlier request can't be paid, or not
// without a deposit: this one may cost less.
var errOldTerms = errors.New("the terms are of an earlier request")

// remembered is what a URL asked for last time, where this request may be paid so: what
// somebody is to approve must be its own price.
func (c *Client) remembered(key string) []choice {
	if c.cfg.Approve != nil && !c.cfg.SameTerms {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.terms[key]
}

// remember keeps what a URL asked for, so that the next request pays at once.
func (c *Client) remember(key string, choices []choice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if choices == nil {
		delete(c.terms, key)
		return
	}
	if len(c.terms) >= 1024 {
		clear(c.terms)
	}
	c.terms[key] = choices
}
