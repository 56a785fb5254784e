package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Denom is the base unit of TAO in the bank.
const Denom = "rao"

// Config says which chain, and where. Only Nodes is required.
type Config struct {
	// Nodes are URLs of CometBFT RPC servers, http://HOST:PORT. The first that works is
	// used.
	Nodes []string
	// ChainID, if given, is the only chain that the client will talk to; otherwise it
	// is the chain of the first node that answers.
	ChainID string

	// Timeout bounds one request to one node; default 10 s.
	Timeout time.Duration
	// TxTimeout bounds how long [Client.Send] tries to have a transaction committed, and
	// before that to estimate it, where its context does not end before; default 60 s.
	TxTimeout time.Duration
	// MaxBlockAge is how old a node's latest block may be before the node counts as
	// behind; default 60 s.
	MaxBlockAge time.Duration

	// GasPrice is what transactions pay; default 0.01rao.
	GasPrice string
	// GasAdjustment multiplies the simulated gas; default 1.3.
	GasAdjustment float64
	// FeeGranter, if given, is the account whose fee allowance (x/feegrant) pays what
	// [Client.Send] takes, instead of the first signer.
	FeeGranter string
	// Review, if given, is asked about each transaction before it is signed.
	Review Review

	// Logger defaults to a silent one.
	Logger *slog.Logger
}

func (c *Config) setDefaults() (price sdk.DecCoin, err error) {
	if len(c.Nodes) == 0 {
		return price, errors.New("client: no node given: name one as http://HOST:26657")
	}
	for _, n := range c.Nodes {
		u, err := url.Parse(n)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return price, fmt.Errorf("client: node %q is not the URL of a CometBFT RPC server: write http://HOST:PORT", n)
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.TxTimeout <= 0 {
		c.TxTimeout = time.Minute
	}
	if c.MaxBlockAge <= 0 {
		c.MaxBlockAge = time.Minute
	}
	if c.GasPrice == "" {
		c.GasPrice = "0.01" + Denom
	}
	price, err = sdk.ParseDecCoin(c.GasPrice)
	if err != nil || price.Denom != Denom {
		return price, fmt.Errorf("client: gas price %q must be an amount of rao, such as 0.01rao", c.GasPrice)
	}
	if c.GasAdjustment == 0 {
		c.GasAdjustment = 1.3
	}
	if !(c.GasAdjustment >= 1 && c.GasAdjustment <= 10) {
		return price, fmt.Errorf("client: gas adjustment %v must be from 1 to 10", c.GasAdjustment)
	}
	if c.FeeGranter != "" {
		if _, err := sdk.AccAddressFromBech32(c.FeeGranter); err != nil {
			return price, fmt.Errorf("client: fee granter %q is no address: %w", c.FeeGranter, err)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return price, nil
}
