package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func newValidateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Validate: measure a subnet's miners for dividends",
		Example: `  lode wallet create judge --kind hotkey
  lode validate video --hotkey judge
  lode stake add 200 --netuid 1 --hotkey judge --tolerance 50%`,
	}
	cmd.AddCommand(newValidateVideoCommand(), newValidateInferenceCommand())
	return cmd
}

func newValidateVideoCommand() *cobra.Command {
	var (
		f     joinFlags
		o     video.ValidateOptions
		state string
	)
	cmd := &cobra.Command{
		Use:   "video",
		Short: "Measure the miners of the video subnet and set weights",
		Long: `Runs a validator of the video subnet until Ctrl-C: it asks every miner for a random window of a clip at a target
quality, measures what comes back, averages the scores, and commits and reveals weights. Weights count once the hotkey
holds a permit, which takes stake on it: see ` + "`lode stake add`" + `. It serves as a gateway for customers, too.

With --price customers pay for what they get through it. The service is listed on chain, and what is paid is redeemed there
for the hotkey's coldkey; the hotkey pays the fees, so it needs a little TAO.

Averages and open commits are kept in --state over restarts, what customers have promised in HOME/market.`,
		Example: `  lode validate video --hotkey judge
  lode validate video --hotkey judge --price 0.01
  lode validate video --hotkey judge --clips ~/videos
  lode validate video --hotkey judge --check`,
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	o.Bind(cmd.Flags())
	cmd.Flags().StringVar(&state, "state", "", "file that keeps averages and open commits (default: in --home)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) {
			return f.validateVideo(cmd, c, o, state)
		})
	}
	return cmd
}

func (f *joinFlags) validateVideo(cmd *cobra.Command, c *client.Client, o video.ValidateOptions, state string) (subnet.Stats, error) {
	ctx, g := cmd.Context(), globalsOf(cmd)
	none := subnet.Stats{}
	tools, err := video.FindTools(ctx)
	if err != nil {
		return none, err
	}
	log, err := f.logger(cmd)
	if err != nil {
		return none, err
	}
	price, err := o.Rao()
	if err != nil {
		return none, err
	}
	netuid, err := parseNetuid(f.netuid)
	if err != nil {
		return none, err
	}
	// The subnet's own measure is known before anything is paid for.
	s, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return none, err
	}
	validator, err := o.Validator(ctx, tools, []byte(s.Subnet.Parameters), log)
	if err != nil {
		return none, err
	}
	j, err := f.join(ctx, cmd, c, log, video.Name, fmt.Sprint(video.Version))
	if err != nil {
		return none, errors.Join(err, validator.Close())
	}
	j.common.Limits = video.GatewayLimits()
	if state == "" {
		state = filepath.Join(g.home, "state", fmt.Sprintf("%s-%s-%d.json", j.name, j.chain, netuid))
		err = os.MkdirAll(filepath.Dir(state), 0o700)
	}
	var node *subnet.ValidatorNode
	var sell func(context.Context) error
	if err == nil {
		node, err = subnet.NewValidatorNode(subnet.ValidatorConfig{
			Common: j.common, Validator: validator, Handler: validator.Gateway(), StateFile: state, WeightsVersion: video.Version,
		})
	}
	if err == nil {
		sell, err = g.selling(ctx, c, j, wares{price, validator.Gateway().Sell, video.Service})
	}
	if err == nil {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return node.Run(ctx) })
		both.Go(func() error { return sell(ctx) })
		err = both.Wait()
	}
	if err = errors.Join(err, j.host.Close(), validator.Close()); err != nil {
		return none, err
	}
	return node.Stats(), nil
}
