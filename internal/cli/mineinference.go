package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/spf13/cobra"
)

func newMineInferenceCommand() *cobra.Command {
	var (
		f joinFlags
		o inference.MineOptions
	)
	cmd := &cobra.Command{
		Use:   "inference",
		Short: "Answer prompts with a language model: honest, fast and cheap earns more",
		Long: `Runs a miner of the inference subnet until Ctrl-C. The hotkey is bound and registered if it isn't (--from pays), its
endpoint is published, and requests of validators and customers are answered over libp2p.

The model of --model runs in a process of its own, by llama.cpp (` + "`make engine`" + ` fetches it), many requests at once. Validators
read every answer again, token by token, with their own copy of the model that the subnet names: another one, or the same at
fewer bits, earns nothing.

With --url any OpenAI-compatible server answers (vLLM, SGLang, llama-server, Ollama). Its tokens can't be checked: the miner
says so, fails validators' measure, and serves only customers who ask for unverified ones.

With --price customers pay for what they get, as it comes. The service is listed on chain, and what is paid is redeemed there
for the hotkey's coldkey; the hotkey pays the fees, so it needs a little TAO. What customers have promised is kept in
HOME/market. Prompts and answers are kept nowhere.`,
		Example: `  lode mine inference --hotkey miner-4 --model model.gguf --price 0.02
  lode mine inference --hotkey miner-4 --model model.gguf --slots 16 --context 8192 --gpu-layers -1
  lode mine inference --hotkey miner-4 --url http://127.0.0.1:8000/v1 --model qwen3-8b --api-key-env SERVER_KEY
  lode mine inference --hotkey miner-4 --check`,
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	f.in(cmd, "2")
	o.Bind(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !f.check {
			if err := o.Check(); err != nil {
				return fail(codeUsage, "see `lode mine inference --help`", "%w", err)
			}
		}
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) {
			return f.mineInference(cmd, c, o)
		})
	}
	return cmd
}

func (f *joinFlags) mineInference(cmd *cobra.Command, c *client.Client, o inference.MineOptions) (_ subnet.Stats, err error) {
	ctx, g := cmd.Context(), globalsOf(cmd)
	none := subnet.Stats{}
	log, err := f.logger(cmd)
	if err != nil {
		return none, err
	}
	price, err := o.Rao()
	if err != nil {
		return none, err
	}
	e, err := g.engine(ctx, o, log)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	miner, err := o.Miner(e, log)
	if err != nil {
		return none, err
	}
	done, err := f.work(cmd, c, log, work{
		subnet: inference.Name, version: inference.Version, limits: inference.MinerLimits(), miner: miner,
		sells: &wares{price, miner.Sell, inference.Listing},
	})
	if err != nil {
		return none, err
	}
	s := miner.Stats()
	log.Info("answered", "requests", s.Answered, "failed", s.Failed, "left", s.Left, "refused", s.Refused, "tokens_in", s.TokensIn, "tokens_out", s.TokensOut)
	return done, nil
}

// engine opens what answers.
func (g *globals) engine(ctx context.Context, o inference.MineOptions, log *slog.Logger) (engine.Engine, error) {
	if o.URL != "" {
		e, err := o.Remote()
		if err != nil {
			return nil, fail(codeUsage, "see `lode mine inference --help`", "--url: %w", err)
		}
		log.Warn("nobody can check a server's tokens: this miner is shown as unverified, earns nothing from validators and serves only who asks for such", "model", o.Model)
		return e, nil
	}
	m, err := g.models().Find(ctx, o.Model)
	if err != nil {
		return nil, err
	}
	e, err := llama.Start(ctx, o.Llama(m.Path), log)
	if err != nil {
		return nil, err
	}
	i := e.Info()
	log.Info("the model is ready", "model", i.Model, "digest", i.Digest, "backend", i.Backend, "threads", i.Threads, "slots", i.Slots, "context", i.Context)
	return e, nil
}
