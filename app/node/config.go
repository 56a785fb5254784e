package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/viper"

	"github.com/cosmos/cosmos-sdk/client/flags"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/lodenet/lode/app"
)

// settings are what the files of a home say.
type settings struct {
	options *viper.Viper // all of them, as the application reads them
	comet   *cmtcfg.Config
	app     serverconfig.Config
}

// load reads the configuration of a home.
func load(home string) (settings, error) {
	s := settings{options: viper.New(), comet: cmtcfg.DefaultConfig()}
	for _, name := range []string{"config.toml", "app.toml"} {
		path := filepath.Join(home, "config", name)
		s.options.SetConfigFile(path)
		err := s.options.MergeInConfig()
		if errors.Is(err, os.ErrNotExist) {
			return s, fmt.Errorf("%w: %s has no config/%s. Make one with `lode node init --home %s`", ErrNoNode, home, name, home)
		}
		if err != nil {
			return s, fmt.Errorf("%s can't be read: %w", path, err)
		}
	}
	if err := s.options.Unmarshal(s.comet); err != nil {
		return s, fmt.Errorf("config/config.toml in %s: %w", home, err)
	}
	s.comet.SetRoot(home)
	if err := s.comet.ValidateBasic(); err != nil {
		return s, fmt.Errorf("config/config.toml in %s: %w", home, err)
	}
	var err error
	if s.app, err = serverconfig.GetConfig(s.options); err != nil {
		return s, fmt.Errorf("config/app.toml in %s: %w", home, err)
	}
	if err := s.app.ValidateBasic(); err != nil {
		return s, fmt.Errorf("config/app.toml in %s: %w", home, err)
	}
	if _, err := os.Stat(s.comet.GenesisFile()); err != nil {
		return s, fmt.Errorf("%w: %s has no genesis (%w). Make one with `lode node init --home %s`, or bring one with `lode node import`", ErrNoNode, home, err, home)
	}
	s.options.Set(flags.FlagHome, home)
	return s, nil
}

// apply overrides addresses by those of a Config, where it gives any.
func (s *settings) apply(c Config) {
	set := func(at *string, addr string) {
		if addr != "" {
			*at = "tcp://" + addr
		}
	}
	set(&s.comet.RPC.ListenAddress, c.RPC)
	set(&s.comet.P2P.ListenAddress, c.P2P)
	set(&s.app.API.Address, c.REST)
	set(&s.app.GRPC.Address, c.GRPC)
	if c.Metrics != "" {
		s.comet.Instrumentation.Prometheus, s.comet.Instrumentation.PrometheusListenAddr = true, c.Metrics
	}
	if c.CheckInvariants > 0 {
		s.options.Set(app.FlagCheckInvariants, c.CheckInvariants)
	}
}

// Check tells whether there is a node in a home that can be started; the error
// wraps [ErrNoNode] where there is none.
func Check(home string) error {
	_, err := load(home)
	return err
}
