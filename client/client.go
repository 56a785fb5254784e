package client

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// Client talks to one chain through one or more of its nodes. It is safe for
// concurrent use; a process needs one for each chain.
type Client struct {
	cfg      Config
	log      *slog.Logger
	gasPrice sdk.DecCoin
	codec    *codec.ProtoCodec
	hub      *hub
	checks   singleflight.Group // by node URL
	resends  singleflight.Group // by address

	mu       sync.Mutex // guards what follows
	nodes    []*node
	current  int    // the node that worked last
	chainID  string // empty until known
	down     bool   // no node answered the last call
	accounts map[string]*account
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// New returns a client. It checks the configuration and touches no network; a node
// that can't be used is an error of the calls that need it.
func New(cfg Config) (*Client, error) {
	price, err := cfg.setDefaults()
	if err != nil {
		return nil, err
	}
	cdc, err := newCodec()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, log: cfg.Logger, gasPrice: price, codec: cdc, chainID: cfg.ChainID, accounts: map[string]*account{}}
	for _, url := range cfg.Nodes {
		n, err := newNode(url)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	c.hub = newHub(c)
	return c, nil
}

// Close ends what the client does by itself and closes its connections. Calls under
// way may fail.
func (c *Client) Close() error {
	c.hub.close()
	for _, n := range c.nodes {
		n.http.CloseIdleConnections()
	}
	return nil
}

// Codec returns the codec of the chain's messages.
func (c *Client) Codec() codec.Codec { return c.codec }

// The query clients of the chain's modules. Their errors wrap those of this package;
// what the chain answers with an error is a [*QueryError].

// Alpha asks about pools and stakes.
func (c *Client) Alpha() alphatypes.QueryClient { return alphatypes.NewQueryClient(c) }

// Subnets asks about subnets and neurons.
func (c *Client) Subnets() subnetstypes.QueryClient { return subnetstypes.NewQueryClient(c) }

// Weights asks about weights, bonds, commits and epochs.
func (c *Client) Weights() weightstypes.QueryClient { return weightstypes.NewQueryClient(c) }

// Collateral asks about what neurons have at stake, and about open claims.
func (c *Client) Collateral() collateraltypes.QueryClient {
	return collateraltypes.NewQueryClient(c)
}

// Emission asks about emission and whole subnets.
func (c *Client) Emission() emissiontypes.QueryClient { return emissiontypes.NewQueryClient(c) }

// Market asks about services, channels and revenue.
func (c *Client) Market() markettypes.QueryClient { return markettypes.NewQueryClient(c) }

// Auth asks about accounts.
func (c *Client) Auth() authtypes.QueryClient { return authtypes.NewQueryClient(c) }

// Bank asks about balances.
func (c *Client) Bank() banktypes.QueryClient { return banktypes.NewQueryClient(c) }

// Staking asks about the chain's validators and delegations.
func (c *Client) Staking() stakingtypes.QueryClient { return stakingtypes.NewQueryClient(c) }

// Distribution asks about the rewards of validators and delegators.
func (c *Client) Distribution() distributiontypes.QueryClient {
	return distributiontypes.NewQueryClient(c)
}

// Slashing asks about validators' signing.
func (c *Client) Slashing() slashingtypes.QueryClient { return slashingtypes.NewQueryClient(c) }

// Gov asks about proposals.
func (c *Client) Gov() govtypes.QueryClient { return govtypes.NewQueryClient(c) }

// Authz asks about grants of authority.
func (c *Client) Authz() authz.QueryClient { return authz.NewQueryClient(c) }

// Feegrant asks about grants of fees.
func (c *Client) Feegrant() feegrant.QueryClient { return feegrant.NewQueryClient(c) }

// Status is where a node is on its chain.
type Status struct {
	ChainID    string
	Height     int64     // of the latest block
	Time       time.Time // of that block
	CatchingUp bool      // the node is still fetching old blocks
	Node       string    // URL of the node that says so, without a password
}

// Status asks the node in use where it is, even one that is behind.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.each(ctx, false, func(ctx context.Context, n *node) (err error) {
		s, err = n.status(ctx)
		return err
	})
	return s, err
}

// ChainID returns the chain's id.
func (c *Client) ChainID(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.chainID
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	s, err := c.Status(ctx)
	return s.ChainID, err
}

// BlockTime returns the time of a block. A node may have dropped old ones: then the
// error wraps [ErrNotFound].
func (c *Client) BlockTime(ctx context.Context, height int64) (time.Time, error) {
	var t time.Time
	err := c.each(ctx, true, func(ctx context.Context, n *node) (err error) {
		t, err = n.blockTime(ctx, height)
		return err
	})
	return t, err
}

// Balance returns an account's TAO in rao; 0 for one that does not exist.
func (c *Client) Balance(ctx context.Context, address string) (rao uint64, err error) {
	resp, err := c.Bank().Balance(ctx, &banktypes.QueryBalanceRequest{Address: address, Denom: Denom})
	if err != nil || resp.Balance == nil {
		return 0, err
	}
	return resp.Balance.Amount.Uint64(), nil // the supply's cap fits
}

// Metagraph returns a subnet with all its neurons at the latest block.
func (c *Client) Metagraph(ctx context.Context, netuid uint32) (*emissiontypes.QueryMetagraphResponse, error) {
	return c.Emission().Metagraph(ctx, &emissiontypes.QueryMetagraphRequest{Netuid: netuid})
}
