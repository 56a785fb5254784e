package localnet

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// Config says what network to run.
type Config struct {
	// Home is the folder that holds everything; required. It is made if missing.
	Home string
	// Fresh starts over: what the home held is deleted first.
	Fresh bool

	// Ports on loopback; 0 is the port of the last run, or a free one.
	Ports Ports

	// Strategies are the miners', one miner each; default x264, x265, search. A home
	// made with fewer miners gets the missing ones.
	Strategies []string
	// ChainOnly starts the chain and funds the accounts, but no subnet: for tests
	// of other subnets.
	ChainOnly bool
	// Tools are the programs that miners and validators work with; default those that
	// media.Find finds.
	Tools *media.Tools
	// Clips is a folder of videos that validators draw from; empty: a generated clip.
	Clips string

	// Inference is the subnet of language models beside the video subnet; nil: there is
	// none.
	Inference *Inference

	// BlockTime is the chain's target; default that of the local profile, 1 s. It is
	// fixed when the home is made.
	BlockTime time.Duration

	// Logger defaults to a silent one.
	Logger *slog.Logger
	// OnStep, if given, is told what is being done while the network comes up.
	OnStep func(step string)
}

// Ports of a network's servers on 127.0.0.1.
type Ports struct {
	RPC, GRPC, REST, P2P, Status int
}

// DefaultStrategies are those of the three miners of `lode up`.
var DefaultStrategies = []string{"x264", "x265", "search"}

// Sizes of the network that is made: validators, and what their coldkeys stake.
const (
	validators = 2
	// maxMiners bounds Config.Strategies: more would not be measured in time.
	maxMiners = 16
)

func (c *Config) setDefaults() error {
	if c.Home == "" {
		return fmt.Errorf("a local network needs a home folder")
	}
	if c.Strategies == nil {
		c.Strategies = DefaultStrategies
	}
	if len(c.Strategies) > maxMiners {
		return fmt.Errorf("%d miners are too many for one machine: at most %d", len(c.Strategies), maxMiners)
	}
	for _, p := range []struct {
		flag string
		port int
	}{{"--rpc-port", c.Ports.RPC}, {"--grpc-port", c.Ports.GRPC}, {"--rest-port", c.Ports.REST}, {"--p2p-port", c.Ports.P2P}, {"--status-port", c.Ports.Status}} {
		if p.port < 0 || p.port > 65535 {
			return fmt.Errorf("%s %d is no port: 1 to 65535, or 0 for a free one", p.flag, p.port)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnStep == nil {
		c.OnStep = func(string) {}
	}
	return nil
}
