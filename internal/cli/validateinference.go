package cli

import (
	"context"
	"errors"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/models"
	"github.com/spf13/cobra"
)

func newValidateInferenceCommand() *cobra.Command {
	var (
		f     joinFlags
		o     inference.ValidateOptions
		pays  inferenceFlags
		state string
	)
	cmd := &cobra.Command{
		Use:   "inference",
		Short: "Measure the miners of the inference subnet and set weights",
		Long: `Runs a validator of the inference subnet until Ctrl-C: it asks the miners as customers do, reads every answer again with its
own copy of the model, token by token, and scores who is honest by speed, price and availability. Weights count once the
hotkey holds a permit, which takes stake on it: see ` + "`lode stake add`" + `.

It needs the file of the model that the subnet names (` + "`lode model add`" + `), calibrated on this machine (` + "`lode model calibrate`" + `).

Canaries are paid, as customers' requests are, by --from or --payer. Miners see the payer's address on chain: use one that is
used for nothing else, and not the coldkey of the validator. They are asked over the mesh by a key that is made for this run.

` + inferenceLimitsHelp,
		Example: `  lode model add model.gguf
  lode model calibrate model
  lode validate inference --netuid 2 --hotkey judge --from purse --deposit 0.2 --per-day 2
  lode validate inference --netuid 2 --hotkey judge --from purse --model ./model.gguf --prompts prompts.jsonl
  lode validate inference --netuid 2 --hotkey judge --check`,
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	f.in(cmd, "2")
	o.Bind(cmd.Flags())
	addState(cmd, &state)
	cmd.Flags().StringVar(&pays.payer, "payer", "", "whose account pays for canaries, where it isn't that of --from: an address, or a name in the wallet")
	pays.limits = addLimitFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) {
			return f.validateInference(cmd, c, o, pays, state)
		})
	}
	return cmd
}

func (f *joinFlags) validateInference(cmd *cobra.Command, c *client.Client, o inference.ValidateOptions, pays inferenceFlags, state string) (_ subnet.Stats, err error) {
	ctx, g := cmd.Context(), globalsOf(cmd)
	none := subnet.Stats{}
	log, err := f.logger(cmd)
	if err != nil {
		return none, err
	}
	// The subnet's model is known before anything is paid for.
	params, err := f.parameters(ctx, c)
	if err != nil {
		return none, err
	}
	m, err := f.findModel(ctx, g, o, params)
	if err != nil {
		return none, err
	}
	thresholds, err := g.models().Thresholds(m.Digest)
	if err != nil {
		return none, err
	}
	e, err := llama.Start(ctx, llama.Options{Model: m.Path, Slots: 2, Threads: o.Threads, GPULayers: o.GPULayers}, log)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	pays.netuid, pays.tier, pays.unverified, pays.logLevel = f.netuid, inference.TierAny, true, f.logLevel
	desk, err := pays.open(cmd, false)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	validator, err := o.Validator(e, thresholds, inference.CanariesBy(desk.Gateway), params, log)
	if err != nil {
		return none, fail(codeUsage, "see `lode validate inference --help`", "%w", err)
	}
	return f.work(cmd, c, log, work{subnet: inference.Name, version: inference.Version, validator: validator, state: state})
}

// findModel finds the validator's copy of the subnet's model.
func (f *joinFlags) findModel(ctx context.Context, g *globals, o inference.ValidateOptions, params []byte) (models.Model, error) {
	name, err := o.Wanted(params)
	if err != nil {
		return models.Model{}, fail("no_model", "", "%w", err)
	}
	m, err := g.models().Find(ctx, name)
	if errors.Is(err, models.ErrNotFound) && o.Model == "" {
		return m, fail("no_model", "get that file, then `lode model add FILE.gguf`", "the subnet's model is %s, and the library has no such file", name)
	}
	if err != nil {
		return m, err
	}
	p, err := inference.ParseParams(params)
	if err == nil && p.Model != "" && p.Model != m.Digest {
		err = fail("other_model", "get the subnet's file, `lode model add FILE.gguf`, and leave --model away", "%w", inference.ErrOtherModel{Want: p.Model, Name: p.Name, Have: m.Digest})
	}
	return m, err
}
