package localnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/models"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Inference says what the subnet of language models runs.
type Inference struct {
	// Model is the GGUF file that miners and validators run; empty: lode-mini, a tiny one
	// that comes with the program.
	Model string
	// Honest lets the third miner run what it says. Else, with lode-mini, it sells the model
	// and runs a smaller one.
	Honest bool
}

// What the subnet's miners ask for a million tokens, in rao; the cheat is cheaper than the
// others. PurseFunds pay for a validator's canaries.
const (
	inferencePrice      = TAO / 100
	inferenceDearPrice  = TAO / 50
	inferenceCheatPrice = TAO / 200
	purseFunds          = 20 * TAO
)

// inferencePause is the least time between the rounds of the inference subnet's
// validators: models share the machine with all else.
const inferencePause = 10 * time.Second

// inferenceCrew is the inference subnet's.
func (c *Config) inferenceCrew() *crew {
	parts := []part{{role: RoleOwner, name: "inference-owner", funds: 2 * ownerFunds}}
	for i := range validators {
		parts = append(parts, part{
			role: RoleValidator, name: fmt.Sprintf("inference-validator-%d", i+1),
			funds: 500 * TAO, stake: uint64(200+50*i) * TAO, purse: fmt.Sprintf("inference-purse-%d", i+1),
		})
	}
	third := part{strategy: "honest", price: inferencePrice}
	if c.Inference.Model == "" && !c.Inference.Honest {
		third = part{strategy: "Q4_0 as Q8_0", price: inferenceCheatPrice, cheats: true}
	}
	for i, p := range []part{{strategy: "honest", price: inferencePrice}, {strategy: "honest, dearer", price: inferenceDearPrice}, third} {
		p.role, p.name, p.funds = RoleMiner, fmt.Sprintf("inference-miner-%d", i+1), 20*TAO
		parts = append(parts, p)
	}
	return &crew{parts: parts, create: subnetstypes.MsgCreateSubnet{
		Name: inference.Name, Description: "answers of language models, checked token by token", Url: "https://github.com/lodenet/lode",
	}}
}

// joinInference settles the inference subnet and starts its miners and validators; they end
// with ctx.
func (n *Network) joinInference(ctx context.Context, g *errgroup.Group, c *crew) error {
	n.cfg.OnStep("looking at the language model")
	library := models.Open(ModelsDir(n.cfg.Home))
	model, err := n.model(ctx, library, n.cfg.Inference.Model, inference.Demo)
	if err != nil {
		return err
	}
	cheat := model
	if n.cfg.Inference.Model == "" {
		if cheat, err = n.model(ctx, library, "", inference.DemoCheat); err != nil {
			return err
		}
	}
	parameters, err := json.Marshal(map[string]string{"model": model.Digest, "name": model.Name})
	if err != nil {
		return err
	}
	c.create.Parameters = string(parameters)
	if err := n.settle(ctx, []*crew{c}); err != nil {
		return err
	}
	n.cfg.OnStep("starting miners and validators of inference")
	starting, startCtx := errgroup.WithContext(ctx)
	for _, p := range c.neurons() {
		starting.Go(func() error {
			var w work
			var err error
			if p.role == RoleMiner {
				w, err = n.inferenceMiner(startCtx, p, model, cheat)
			} else {
				w, err = n.inferenceValidator(startCtx, c.netuid, p, library, model)
			}
			if err == nil {
				err = n.start(ctx, g, c.netuid, p, w)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			return nil
		})
	}
	return starting.Wait()
}

// ModelsDir is where a home keeps language models.
func ModelsDir(home string) string { return filepath.Join(home, "models") }

// model is a model of the library's: the file that was given, or one that comes with the
// program.
func (n *Network) model(ctx context.Context, library *models.Library, path string, demo inference.DemoModel) (models.Model, error) {
	if path != "" {
		return library.Add(ctx, path, models.AddOptions{Link: true})
	}
	dir, err := os.MkdirTemp("", "lode-model-")
	if err != nil {
		return models.Model{}, err
	}
	path = filepath.Join(dir, demo.File)
	err = os.WriteFile(path, demo.Data, 0o600)
	var m models.Model
	if err == nil {
		m, err = library.Add(ctx, path, models.AddOptions{})
	}
	return m, errors.Join(err, os.RemoveAll(dir))
}

// engineOptions run a model on one thread: several engines share the machine, and more
// threads would wait for each other.
func engineOptions(m models.Model) llama.Options {
	return llama.Options{Model: m.Path, Threads: 1, Slots: 4}
}

func (n *Network) inferenceMiner(ctx context.Context, p part, model, cheat models.Model) (work, error) {
	w := work{subnet: inference.Name, version: inference.Version, limits: inference.MinerLimits(), listing: inference.Listing}
	log := n.log.With("part", p.name)
	runs := model
	if p.cheats {
		runs = cheat
	}
	e, err := llama.Start(ctx, engineOptions(runs), log)
	if err != nil {
		return w, err
	}
	w.close = e.Close
	cfg := inference.MinerConfig{Engine: e, Price: p.price, Logger: log}
	if p.cheats {
		claim := e.Info()
		claim.Model, claim.Digest = model.Name, model.Digest
		cfg.Claim = &claim
	}
	m, err := inference.NewMiner(cfg)
	if err != nil {
		return w, errors.Join(err, e.Close())
	}
	w.miner, w.sell = m, m.Sell
	return w, nil
}

func (n *Network) inferenceValidator(ctx context.Context, netuid uint16, p part, library *models.Library, model models.Model) (_ work, err error) {
	w := work{subnet: inference.Name, version: inference.Version, pause: inferencePause}
	log := n.log.With("part", p.name)
	var closing []func() error
	w.close = func() error { return closeAll(closing) }
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	e, err := llama.Start(ctx, engineOptions(model), log)
	if err != nil {
		return w, err
	}
	closing = append(closing, e.Close)
	thresholds, err := library.Thresholds(model.Digest)
	if err != nil {
		return w, err
	}
	// Canaries come from a host and an account that nobody knows as a validator's.
	host, err := mesh.New(context.WithoutCancel(ctx), mesh.Config{PrivKey: secp256k1.GenPrivKey().Bytes(), Logger: log})
	if err != nil {
		return w, err
	}
	closing = append(closing, host.Close)
	purse, err := n.wallet.Signer(p.purse)
	if err != nil {
		return w, err
	}
	var gateway *inference.CanaryGateway
	payer, err := pay.OpenClient(inference.PayingOver(host, pay.ClientConfig{
		Dir: filepath.Join(stateDir(n.cfg.Home), p.purse), Chain: pay.NewPayerChain(n.client, purse, ""),
		Limits: pay.Limits{PerRequest: TAO / 100, PerDay: TAO, Deposit: TAO / 10}, Logger: log,
	}, func(q pay.Quote) error { return gateway.Approve(q) }))
	if err != nil {
		return w, err
	}
	closing = append(closing, payer.Close)
	cfg := inference.GatewayConfig{Netuid: netuid, ChainID: ChainID, Services: inference.Catalogue(n.client, netuid), Logger: log}
	cfg.By(payer)
	gateway, err = inference.NewCanaryGateway(cfg, host)
	if err != nil {
		return w, err
	}
	closing = append(closing, gateway.Close)
	v, err := inference.NewValidator(inference.ValidatorConfig{Engine: e, Thresholds: thresholds, Prober: gateway, RoundGoal: inferencePause, AtOnce: 1, Logger: log})
	w.validator = v
	return w, err
}
