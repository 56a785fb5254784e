package seller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// leastFees is what a hotkey should have for the fees of a day, in rao.
const leastFees = client.RaoPerTAO / 1000

// Config says what is sold. All but Pay and Logger are required.
type Config struct {
	// Chain has the catalogue, and is redeemed at; [NewChain] asks a real one.
	Chain Chain
	// Service is what the catalogue is to say; who signs is filled in.
	Service markettypes.MsgListService
	// Sell is told where customers pay, and nil when they can't any more.
	Sell func(till *pay.Gateway)
	// Dir is the folder that keeps the vouchers of a service: without it what they are
	// worth is lost.
	Dir func(service uint64) string
	// Pay bounds the till; its Dir, Chain, ServiceID and Logger are filled in.
	Pay pay.GatewayConfig
	// Logger defaults to a silent one.
	Logger *slog.Logger
}

// Chain is what a seller needs of the chain.
type Chain interface {
	pay.Chain
	// Blocks tells of new blocks until ctx ends.
	Blocks(ctx context.Context) <-chan client.Block
	// Registered says whether a hotkey has a uid.
	Registered(ctx context.Context, netuid uint16, hotkey string) (bool, error)
	// Own are the hotkey's listed services in a subnet.
	Own(ctx context.Context, netuid uint16, hotkey string) ([]markettypes.ServiceInfo, error)
	// List lists a service, or changes it, and returns its id. The chain fills in who signs.
	List(ctx context.Context, msg markettypes.MsgListService) (uint64, error)
	// Funds are what pays for transactions, in rao.
	Funds(ctx context.Context) (uint64, error)
}

// Seller lists a neuron's service and lets it be paid. Make it with [New], run it once.
type Seller struct {
	cfg Config
	log *slog.Logger
}

// New checks the configuration; nothing happens before Run.
func New(cfg Config) (*Seller, error) {
	switch w := cfg.Service; {
	case cfg.Chain == nil || cfg.Sell == nil || cfg.Dir == nil:
		return nil, errors.New("seller: Chain, Sell and Dir are required")
	case w.Hotkey == "" || w.Name == "" || w.Endpoint == "" || w.Price == 0 || w.Per == 0:
		return nil, errors.New("seller: a service needs Hotkey, Name, Endpoint, Price and Per")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Seller{cfg: cfg, log: cfg.Logger}, nil
}

// Run waits until the hotkey is registered, lists the service, opens the till to
// customers and redeems what they pay, until ctx ends; then it redeems the rest. What
// the chain refuses is tried again. An error says that nothing can be sold at all.
func (s *Seller) Run(ctx context.Context) error {
	till, err := s.open(ctx)
	if till == nil || err != nil {
		return err
	}
	s.cfg.Sell(till)
	info := till.Service()
	s.log.Info("selling", "service", info.Service.Id, "tao", client.FormatTAO(info.Service.Price), "per", info.Service.Per, "unit", info.Service.Unit.Word(), "to", info.Coldkey)
	err = till.Run(ctx)
	s.cfg.Sell(nil)
	s.cashUp(ctx, till)
	return errors.Join(err, till.Close())
}

// open lists the service and opens the till, as soon as the chain lets it; nil where ctx
// ends before.
func (s *Seller) open(ctx context.Context) (*pay.Gateway, error) {
	said, wait := "", 0
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range s.cfg.Chain.Blocks(ctx) {
		if wait--; wait > 0 {
			continue
		}
		till, err := s.try(ctx)
		switch {
		case err == nil && till != nil, errors.Is(err, pay.ErrInUse):
			return till, err
		case err == nil: // it is not registered yet
			wait = 1
			continue
		case ctx.Err() != nil:
			return nil, nil
		}
		if err.Error() != said {
			said = err.Error()
			s.log.Warn("nothing can be sold yet, it tries again", "err", err)
		}
		wait = retryBlocks
	}
	return nil, nil
}

// retryBlocks is how long a seller waits after the chain refused something.
const retryBlocks = 10

func (s *Seller) try(ctx context.Context) (*pay.Gateway, error) {
	registered, err := s.cfg.Chain.Registered(ctx, uint16(s.cfg.Service.Netuid), s.cfg.Service.Hotkey)
	if err != nil || !registered {
		return nil, err
	}
	id, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	cfg := s.cfg.Pay
	cfg.Dir, cfg.Chain, cfg.ServiceID, cfg.Logger = s.cfg.Dir(id), s.cfg.Chain, id, s.log
	return pay.OpenGateway(ctx, cfg)
}

// list makes the catalogue say what is sold here.
func (s *Seller) list(ctx context.Context) (uint64, error) {
	want := s.cfg.Service
	own, err := s.cfg.Chain.Own(ctx, uint16(s.cfg.Service.Netuid), s.cfg.Service.Hotkey)
	if err != nil {
		return 0, err
	}
	for _, o := range own {
		have := o.Service
		if have.Name == want.Name && have.Description == want.Description && have.Endpoint == want.Endpoint && have.Unit == want.Unit &&
			have.Price == want.Price && have.Per == want.Per && have.Terms == want.Terms {
			return have.Id, nil
		}
	}
	funds, err := s.cfg.Chain.Funds(ctx)
	if err != nil {
		return 0, err
	}
	if funds < leastFees {
		return 0, fmt.Errorf("the hotkey has %s TAO: it pays the fees of listing and redeeming; send it a little, for example `lode send %s 0.1`", client.FormatTAO(funds), want.Hotkey)
	}
	return s.cfg.Chain.List(ctx, want)
}

// cashUpTime bounds the last redemption.
const cashUpTime = 10 * time.Second

// cashUp redeems what is owed before the gateway closes: while it is down a payer could
// close its channel.
func (s *Seller) cashUp(ctx context.Context, till *pay.Gateway) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cashUpTime)
	defer cancel()
	got, err := till.Redeem(ctx, true)
	if err != nil {
		s.log.Warn("what customers paid last is not redeemed; it will be at the next start", "err", err)
	} else if got.Channels > 0 {
		s.log.Info("redeemed", "channels", got.Channels, "tao", client.FormatTAO(got.Provider))
	}
}

// chain is one behind package client.
type chain struct {
	pay.Chain
	c   *client.Client
	hot *wallet.Signer
}

// NewChain is a seller's chain. The hotkey signs, and pays the fees.
func NewChain(c *client.Client, hot *wallet.Signer) Chain {
	return chain{pay.NewChain(c, hot), c, hot}
}

func (s chain) Blocks(ctx context.Context) <-chan client.Block { return s.c.Blocks(ctx) }

func (s chain) Funds(ctx context.Context) (uint64, error) {
	return s.c.Balance(ctx, s.hot.Address())
}

func (s chain) Registered(ctx context.Context, netuid uint16, hotkey string) (bool, error) {
	_, err := s.c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: uint32(netuid), Hotkey: hotkey})
	if errors.Is(err, client.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s chain) Own(ctx context.Context, netuid uint16, hotkey string) ([]markettypes.ServiceInfo, error) {
	resp, err := s.c.Market().Services(ctx, &markettypes.QueryServicesRequest{Netuid: uint32(netuid), Hotkey: hotkey})
	if err != nil {
		return nil, err
	}
	return resp.Services, nil // one neuron's are few: one page
}

func (s chain) List(ctx context.Context, msg markettypes.MsgListService) (uint64, error) {
	msg.Signer = s.hot.Address()
	res, err := s.c.Send(ctx, []*wallet.Signer{s.hot}, &msg)
	if err != nil {
		return 0, err
	}
	resp, err := client.Response[*markettypes.MsgListServiceResponse](res)
	if err != nil {
		return 0, err
	}
	return resp.ServiceId, nil
}
