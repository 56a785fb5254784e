package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video"
	"github.com/spf13/cobra"
)

func newMineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mine",
		Short: "Mine: do a subnet's work for pay",
		Example: `  lode wallet create miner-4 --kind hotkey
  lode mine video --hotkey miner-4 --strategy search`,
	}
	cmd.AddCommand(newMineVideoCommand(), newMineInferenceCommand())
	return cmd
}

func newMineVideoCommand() *cobra.Command {
	var (
		f joinFlags
		o video.MineOptions
	)
	cmd := &cobra.Command{
		Use:   "video",
		Short: "Compress clips: fewer bytes at the quality asked for earn more",
		Long: `Runs a miner of the video subnet until Ctrl-C. The hotkey is bound and registered if it isn't (--from pays), its
endpoint is published, and jobs of validators and customers are answered over libp2p.

The strategies that come with Lode: x264 (quick), x265, search (several codecs: a sample first, then the best).`,
		Example: `  lode mine video --hotkey miner-4
  lode mine video --hotkey miner-4 --strategy search --max-burn 0.5
  lode mine video --hotkey miner-4 --listen /ip4/0.0.0.0/udp/4101/quic-v1 --announce /ip4/203.0.113.7/udp/4101/quic-v1
  lode mine video --hotkey miner-4 --check`,
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	o.Bind(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) {
			tools, err := video.FindTools(ctx)
			if err != nil {
				return subnet.Stats{}, err
			}
			log, err := f.logger(cmd)
			if err != nil {
				return subnet.Stats{}, err
			}
			miner, err := o.Miner(tools, log)
			if err != nil {
				return subnet.Stats{}, fail(codeUsage, "see `lode mine video --help`", "%w", err)
			}
			j, err := f.join(ctx, cmd, c, log, video.Name, fmt.Sprint(video.Version))
			if err != nil {
				return subnet.Stats{}, errors.Join(err, miner.Close())
			}
			j.common.Limits = video.MinerLimits()
			node, err := subnet.NewMinerNode(subnet.MinerConfig{Common: j.common, Miner: miner})
			if err == nil {
				err = node.Run(ctx)
			}
			err = errors.Join(err, j.host.Close(), miner.Close())
			if err != nil {
				return subnet.Stats{}, err
			}
			return node.Stats(), nil
		})
	}
	return cmd
}

// run connects, and checks whether the hotkey can be reached or works until it is
// interrupted, which is how it ends well. work returns what was done.
func (f *joinFlags) run(cmd *cobra.Command, work func(c *client.Client) (subnet.Stats, error)) error {
	g := globalsOf(cmd)
	if f.check {
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			return f.checkReach(ctx, cmd, c)
		})
	}
	c, err := g.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := work(c)
	if err != nil {
		return err
	}
	return output(cmd, s, func(w io.Writer) {
		uid := "no uid"
		if s.UID != nil {
			uid = fmt.Sprintf("uid %d", *s.UID)
		}
		fmt.Fprintf(w, "stopped at block %d: %s, %d jobs", s.Height, uid, s.Jobs)
		if s.Rounds+s.Failed > 0 {
			fmt.Fprintf(w, ", %d rounds, weights sent %d times", s.Rounds, s.Sent)
		}
		fmt.Fprintln(w)
	})
}
