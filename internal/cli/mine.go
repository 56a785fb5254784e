package cli

import (
	"errors"

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
		return f.run(cmd, func(c *client.Client) (subnet.Stats, error) { return f.mineVideo(cmd, c, o) })
	}
	return cmd
}

func (f *joinFlags) mineVideo(cmd *cobra.Command, c *client.Client, o video.MineOptions) (_ subnet.Stats, err error) {
	none := subnet.Stats{}
	tools, err := video.FindTools(cmd.Context())
	if err != nil {
		return none, err
	}
	log, err := f.logger(cmd)
	if err != nil {
		return none, err
	}
	miner, err := o.Miner(tools, log)
	if err != nil {
		return none, fail(codeUsage, "see `lode mine video --help`", "%w", err)
	}
	defer func() { err = errors.Join(err, miner.Close()) }()
	return f.work(cmd, c, log, work{subnet: video.Name, version: video.Version, limits: video.MinerLimits(), miner: miner})
}
