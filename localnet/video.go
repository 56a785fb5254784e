package localnet

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/subnets/video/media"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// videoParameters are the subnet's own: what its validators measure by.
const videoParameters = `{"measure":"ssim"}`

// videoPrice is what the validator that sells takes for a minute of video, in rao.
const videoPrice = TAO / 100

// videoCrew is subnet 1's. The validators' stakes differ a little, so that who reads the
// table sees dividends follow stake. The second one's customers pay.
func (c *Config) videoCrew() *crew {
	parts := []part{{role: RoleOwner, name: "owner", funds: ownerFunds}}
	for i := range validators {
		parts = append(parts, part{
			role: RoleValidator, name: fmt.Sprintf("validator-%d", i+1),
			funds: 500 * TAO, stake: uint64(200+50*i) * TAO, price: uint64(i) * videoPrice,
		})
	}
	for i, s := range c.Strategies {
		parts = append(parts, part{role: RoleMiner, name: fmt.Sprintf("miner-%d", i+1), strategy: s, funds: 20 * TAO})
	}
	return &crew{parts: parts, create: subnetstypes.MsgCreateSubnet{
		Name: video.Name, Description: "compresses video: fewer bytes at equal quality",
		Url: "https://github.com/lodenet/lode", Parameters: videoParameters,
	}}
}

// startVideo starts the video subnet's miners and validators; they end with ctx.
func (n *Network) startVideo(ctx context.Context, g *errgroup.Group, c *crew) error {
	n.cfg.OnStep("starting miners and validators of video")
	tools, err := n.cfg.Tools, error(nil)
	if tools == nil {
		if tools, err = media.Find(ctx); err != nil {
			return err
		}
	}
	var corpus video.Corpus
	if n.cfg.Clips != "" {
		corpus, err = video.OpenFolder(ctx, tools, n.cfg.Clips, func(path string, err error) {
			n.cfg.OnStep(fmt.Sprintf("skipping %s: %v", path, err))
		})
		if err != nil {
			return err
		}
	}
	for _, p := range c.neurons() {
		w := work{subnet: video.Name, version: video.Version, listing: video.Service}
		log := n.log.With("part", p.name)
		if p.role == RoleMiner {
			m, err := video.NewMiner(video.MinerConfig{Tools: tools, Strategy: video.Strategy(p.strategy), Logger: log})
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			w.miner, w.close = m, m.Close
		} else {
			v, err := video.NewValidator(video.ValidatorConfig{Tools: tools, Corpus: corpus, Sells: p.price > 0, Logger: log})
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			w.validator, w.gateway, w.limits, w.sell, w.close = v, v.Gateway(), video.GatewayLimits(), v.Gateway().Sell, v.Close
		}
		if err := n.start(ctx, g, c.netuid, p, w); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
