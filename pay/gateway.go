package pay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// GatewayConfig says what a gateway sells and where it keeps its books. Dir, Chain and
// ServiceID are required.
type GatewayConfig struct {
	// Dir holds the store. It belongs to one gateway: a service that several processes
	// sell needs one that they all go through, or a customer could spend one deposit in
	// each.
	Dir string
	// Chain is asked for channels and takes what is redeemed.
	Chain Chain
	// ServiceID is the service of the catalogue that is sold here.
	ServiceID uint64

	// CloseDelay is the least close delay of a channel, in seconds; default 3600. In it
	// the gateway redeems after the payer has asked to close.
	CloseDelay int64
	// MinDeposit is the least deposit of a channel, in rao.
	MinDeposit uint64

	// RedeemAbove is how much a channel may owe before it is redeemed, in rao; default
	// 1 TAO. Of a plan's channel: a tenth of its quota.
	RedeemAbove uint64
	// RedeemAfter is how long anything may be owed before it is redeemed; default 1 h.
	RedeemAfter time.Duration
	// MaxOwed is what a channel may owe before nothing more is served to it until it is
	// redeemed, in rao; 0: its deposit alone binds.
	MaxOwed uint64

	// Refresh is how old the state of a channel may be when it pays; default 2 min.
	Refresh time.Duration
	// Offline is how long payments go on while the chain can't be asked, at most half of
	// the channel's close delay; default 10 min.
	Offline time.Duration
	// PollEvery is how often Run looks for channels that are closing, redeems what is due
	// and tidies up; default 30 s.
	PollEvery time.Duration

	// KeepAnswers is how long the answer to a payment can be had again; default 10 min.
	KeepAnswers time.Duration
	// MaxAnswer is the size up to which an answer is kept, and up to which it is held
	// back until it is charged, in bytes; default 256 KiB. KeptAnswers bounds all of
	// them together; default 256 MiB.
	MaxAnswer, KeptAnswers int64
	// KeepHistory is how long entries of the history are kept; default 90 days.
	KeepHistory time.Duration

	// PublicURL is how customers reach the gateway, without a slash at the end, where a
	// proxy stands before it; default: what requests say.
	PublicURL string
	// Sync waits for the disk at each step of a payment. Without it a loss of power (not
	// the end of the process) may lose the last vouchers.
	Sync bool

	// Now defaults to time.Now, After to time.After.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Logger defaults to a silent one.
	Logger *slog.Logger

	hook func(when, step string)
}

func (c *GatewayConfig) setDefaults() error {
	if c.Dir == "" || c.Chain == nil || c.ServiceID == 0 {
		return errors.New("pay: a gateway needs Dir, Chain and ServiceID")
	}
	for _, d := range []struct {
		at *time.Duration
		to time.Duration
	}{
		{&c.RedeemAfter, time.Hour}, {&c.Refresh, 2 * time.Minute}, {&c.Offline, 10 * time.Minute},
		{&c.PollEvery, 30 * time.Second}, {&c.KeepAnswers, 10 * time.Minute}, {&c.KeepHistory, 90 * 24 * time.Hour},
	} {
		if *d.at <= 0 {
			*d.at = d.to
		}
	}
	if c.CloseDelay <= 0 {
		c.CloseDelay = 3600
	}
	if c.RedeemAbove == 0 {
		c.RedeemAbove = 1e9
	}
	if c.MaxAnswer <= 0 {
		c.MaxAnswer = 256 << 10
	}
	if c.KeptAnswers <= 0 {
		c.KeptAnswers = 256 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Gateway takes payments for one service. [Gateway.Handler] puts it before a handler;
// [Gateway.Run] redeems. It is safe for concurrent use; a directory has one.
type Gateway struct {
	cfg     GatewayConfig
	log     *slog.Logger
	store   *store
	chainID string
	reader  x402.Reader
	lookups chan struct{} // bounds questions about channels that are not known yet
	redeem  sync.Mutex    // one redemption at a time
	kick    chan struct{} // something is due

	mu       sync.Mutex // guards what follows
	service  *markettypes.ServiceInfo
	offered  offered
	asked    time.Time // when service was
	accounts map[string]*account
	plans    map[uint64]bool  // that known channels pay
	calls    map[string]*call // in progress, by channel and identifier
	history  uint64           // number of the last entry
	kept     int64            // bytes of kept answers
	closed   bool

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// OpenGateway opens a gateway's store and puts right what a process that died left
// half done: requests that were being served are over, and what they were charged
// stands. It asks the chain for the service; while that can't be asked, a gateway that
// was open before goes on.
func OpenGateway(ctx context.Context, cfg GatewayConfig) (*Gateway, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	st, err := openStore(cfg.Dir, cfg.Sync)
	if err != nil {
		return nil, err
	}
	st.hook = cfg.hook
	sold, err := whatIsSold(ctx, cfg, st)
	if err != nil {
		return nil, errors.Join(err, st.close())
	}
	g := &Gateway{
		cfg: cfg, log: cfg.Logger, store: st, chainID: sold.ChainID, service: &sold.Service, asked: cfg.Now(),
		lookups: make(chan struct{}, 8), kick: make(chan struct{}, 1),
		accounts: map[string]*account{}, plans: map[uint64]bool{}, calls: map[string]*call{},
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if err := g.load(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return g, nil
}

// soldRecord is what is sold, as the catalogue had it last.
type soldRecord struct {
	ChainID string                  `json:"chainId"`
	Service markettypes.ServiceInfo `json:"service"`
}

var soldKey = []byte("m/sold")

// whatIsSold asks the chain for the service. While it can't be asked, a gateway that
// was open before goes on with what it knew.
func whatIsSold(ctx context.Context, cfg GatewayConfig, st *store) (sold soldRecord, err error) {
	known, err := st.get(soldKey, &sold)
	if err != nil {
		return sold, err
	}
	chainID, err := cfg.Chain.ChainID(ctx)
	var service *markettypes.ServiceInfo
	if err == nil {
		if known && chainID != sold.ChainID {
			return sold, fmt.Errorf("the store in %s is of chain %s, this is %s: use another directory", cfg.Dir, sold.ChainID, chainID)
		}
		service, err = cfg.Chain.Service(ctx, cfg.ServiceID)
	}
	switch {
	case known && sold.Service.Service.Id != cfg.ServiceID:
		return sold, fmt.Errorf("the store in %s is of service %d, this is %d: use another directory", cfg.Dir, sold.Service.Service.Id, cfg.ServiceID)
	case err != nil && known && !errors.Is(err, ErrNoService):
		cfg.Logger.Warn("the chain can't be asked, the service is sold as it was", "service", cfg.ServiceID, "err", err)
		return sold, nil
	case err != nil:
		return sold, err
	}
	sold = soldRecord{chainID, *service}
	var b batch
	b.put(soldKey, &sold)
	return sold, st.write("sold", false, &b)
}

// Close ends the requests that are being served and closes the store.
func (g *Gateway) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	var open []*call
	for _, c := range g.calls {
		open = append(open, c)
	}
	g.mu.Unlock()
	g.cancel()
	for _, c := range open {
		<-c.done
	}
	g.redeem.Lock()
	defer g.redeem.Unlock()
	return g.store.close()
}

// current is the service as the catalogue has it, asked again when it is old. While the
// chain can't be asked, prices stay.
func (g *Gateway) current(ctx context.Context) *markettypes.ServiceInfo {
	g.mu.Lock()
	service, old := g.service, g.cfg.Now().Sub(g.asked) > g.cfg.Refresh
	if old {
		g.asked = g.cfg.Now() // others go on with what is known meanwhile
	}
	g.mu.Unlock()
	if !old {
		return service
	}
	fresh, err := g.cfg.Chain.Service(ctx, g.cfg.ServiceID)
	if err != nil {
		g.log.Warn("the catalogue can't be asked, prices stay", "service", g.cfg.ServiceID, "err", err)
		return service
	}
	if err := g.sells(fresh, g.cfg.Now()); err != nil {
		g.log.Error("the books can't be kept", "err", err)
	}
	return fresh
}

// sells takes over what the catalogue says.
func (g *Gateway) sells(service *markettypes.ServiceInfo, asked time.Time) error {
	g.mu.Lock()
	changed := !reflect.DeepEqual(service, g.service)
	g.service, g.asked = service, asked
	g.mu.Unlock()
	if !changed {
		return nil
	}
	var b batch
	b.put(soldKey, soldRecord{g.chainID, *service})
	return g.store.write("sold", false, &b)
}

// Service is the service that is sold, as the catalogue had it when it was last asked.
func (g *Gateway) Service() markettypes.ServiceInfo {
	g.mu.Lock()
	defer g.mu.Unlock()
	return *g.service
}
