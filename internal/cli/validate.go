package cli

import (
	"errors"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video"
	"github.com/spf13/cobra"
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
	addState(cmd, &state)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) {
			return f.validateVideo(cmd, c, o, state)
		})
	}
	return cmd
}

func (f *joinFlags) validateVideo(cmd *cobra.Command, c *client.Client, o video.ValidateOptions, state string) (_ subnet.Stats, err error) {
	ctx, none := cmd.Context(), subnet.Stats{}
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
	// The subnet's own measure is known before anything is paid for.
	params, err := f.parameters(ctx, c)
	if err != nil {
		return none, err
	}
	validator, err := o.Validator(ctx, tools, params, log)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, validator.Close()) }()
	gateway := validator.Gateway()
	return f.work(cmd, c, log, work{
		subnet: video.Name, version: video.Version, limits: video.GatewayLimits(), validator: validator, gateway: gateway, state: state,
		sells: &wares{price, gateway.Sell, video.Service},
	})
}
