package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
	"github.com/spf13/pflag"
)

// Tools are the local ffmpeg.
type Tools = media.Tools

// FindTools looks for ffmpeg; its error says how to get it.
func FindTools(ctx context.Context) (*Tools, error) { return media.Find(ctx) }

// MineOptions are the flags of `lode mine video`.
type MineOptions struct {
	Strategy string
	Jobs     int
	PerPeer  int
	Encodes  int
}

// Bind adds the flags, with the values of now as defaults where they are set.
func (o *MineOptions) Bind(f *pflag.FlagSet) {
	f.StringVar(&o.Strategy, "strategy", or(o.Strategy, string(StrategySearch)), "how to look for small answers: "+names(Strategies()))
	f.IntVar(&o.Jobs, "jobs", or(o.Jobs, 16), "most jobs that are accepted and not yet answered")
	f.IntVar(&o.PerPeer, "jobs-per-caller", or(o.PerPeer, 8), "most of them from one caller")
	f.IntVar(&o.Encodes, "encodes", or(o.Encodes, 1), "encoders that run at once; each takes a core")
}

// Miner makes the miner. Close it when [subnet.RunMiner] has returned.
func (o MineOptions) Miner(tools *Tools, log *slog.Logger) (*Miner, error) {
	s, err := ParseStrategy(o.Strategy)
	if err != nil {
		return nil, fmt.Errorf("--strategy: %w", err)
	}
	for flag, v := range map[string]int{"--jobs": o.Jobs, "--jobs-per-caller": o.PerPeer, "--encodes": o.Encodes} {
		if v < 0 || v > 1024 {
			return nil, fmt.Errorf("%s %d: between 1 and 1024", flag, v)
		}
	}
	return NewMiner(MinerConfig{Tools: tools, Strategy: s, Jobs: o.Jobs, PerCaller: o.PerPeer, Encodes: o.Encodes, Logger: log})
}

// ValidateOptions are the flags of `lode validate video`.
type ValidateOptions struct {
	Clips     string
	RoundGoal time.Duration
	Price     string // TAO; empty or 0: customers pay nothing
}

// Bind adds the flags, with the values of now as defaults where they are set.
func (o *ValidateOptions) Bind(f *pflag.FlagSet) {
	f.StringVar(&o.Clips, "clips", o.Clips, "folder of videos to draw probes from (default: a clip made afresh each time)")
	f.DurationVar(&o.RoundGoal, "round-goal", or(o.RoundGoal, 20*time.Second), "how long a round should take: probes shrink and grow towards it")
	f.StringVar(&o.Price, "price", o.Price, "TAO that customers pay for a minute of video, 1,500 pictures; the service is listed by itself (default: they pay nothing)")
}

// Rao is the price in rao; 0: customers pay nothing.
func (o ValidateOptions) Rao() (uint64, error) {
	if o.Price == "" {
		return 0, nil
	}
	rao, err := client.ParseTAO(o.Price)
	if err != nil {
		return 0, fmt.Errorf("--price: %w", err)
	}
	return rao, nil
}

// Validator makes the validator. params are the subnet's own from the chain
// ([subnet.Metagraph].Parameters); nil means the defaults. It refuses to where the local
// ffmpeg lacks the measure that they name. Serve [Validator.Gateway] as the handler, with
// [GatewayLimits], and close the validator when [subnet.RunValidator] has returned. With a
// price, run a seller ([Service]) beside it.
func (o ValidateOptions) Validator(ctx context.Context, tools *Tools, params json.RawMessage, log *slog.Logger) (*Validator, error) {
	p, err := ParseParams(params)
	if err != nil {
		return nil, err
	}
	if o.RoundGoal < 0 {
		return nil, fmt.Errorf("--round-goal %v: it must be above 0", o.RoundGoal)
	}
	price, err := o.Rao()
	if err != nil {
		return nil, err
	}
	cfg := ValidatorConfig{Tools: tools, Params: &p, RoundGoal: o.RoundGoal, Sells: price > 0, Logger: log}
	if o.Clips != "" {
		folder, err := OpenFolder(ctx, tools, o.Clips, func(path string, err error) {
			if log != nil {
				log.Warn("a clip is left out", "file", path, "err", err)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("--clips: %w", err)
		}
		cfg.Corpus = folder
	}
	return NewValidator(cfg)
}

// CompressOptions are the flags of `lode video compress`.
type CompressOptions struct {
	In, Out string
	Quality float64
	Codec   string
	Measure string
	Segment time.Duration
	Miners  int
	Drop    bool
	Force   bool

	// MaxPrice is the most that the clip may cost, in rao; 0: whatever Pay agrees to.
	MaxPrice uint64
	// Pay pays gateways that are not free; nil: only free ones are used.
	Pay Payer
}

// Bind adds the flags; In, Out and what is paid are the command's own business. An output
// is asked for with -o.
func (o *CompressOptions) Bind(f *pflag.FlagSet) {
	f.StringVarP(&o.Out, "output", "o", o.Out, "file to write, .mp4 or .mkv")
	f.Float64Var(&o.Quality, "quality", or(o.Quality, 98), "least quality of every segment, 50 to 99.9; 98 is hard to tell from the original")
	f.StringVar(&o.Codec, "codec", or(o.Codec, string(media.AV1)), "codec of the output: "+names(media.Codecs()))
	f.StringVar(&o.Measure, "measure", or(o.Measure, string(media.SSIM)), "what quality is measured by: ssim, vmaf-neg")
	f.DurationVar(&o.Segment, "segment", or(o.Segment, 5*time.Second), "about how long the pieces are that miners get")
	f.IntVar(&o.Miners, "miners", or(o.Miners, 4), "how many of the best miners to use")
	f.BoolVar(&o.Drop, "drop", o.Drop, "leave out streams that the output can't hold, instead of refusing")
	f.BoolVar(&o.Force, "force", o.Force, "overwrite the output")
}

// DefaultCompressOptions are those of the flags.
func DefaultCompressOptions() CompressOptions {
	var o CompressOptions
	o.Bind(pflag.NewFlagSet("", pflag.ContinueOnError))
	return o
}

// ErrNoGateway says that no validator lets customers in.
var ErrNoGateway = errors.New("no validator of the subnet serves customers")

// GatewayURL is the address of a validator's gateway on the mesh.
func GatewayURL(hotkey string, netuid uint16) string {
	n := subnet.NewNetwork(Name, &subnet.Metagraph{Netuid: netuid}, "", nil, nil, nil)
	return strings.TrimSuffix(n.URL(subnet.Neuron{Hotkey: hotkey}, "/"), "/")
}

// Gateways tells a host where the subnet's validators listen, and returns the addresses
// of their gateways, the one with the most stake first. At most three are used. only, if
// given, are the hotkeys of those that the customer wants.
func Gateways(meta *subnet.Metagraph, host subnet.Mesh, only ...string) ([]string, error) {
	var list []subnet.Neuron
	for _, n := range meta.Neurons {
		if n.Protocol == Name+"/validator" && len(n.Endpoints) > 0 && n.Hotkey != host.Hotkey() && (len(only) == 0 || slices.Contains(only, n.Hotkey)) {
			list = append(list, n)
		}
	}
	for _, hotkey := range only {
		if !slices.ContainsFunc(list, func(n subnet.Neuron) bool { return n.Hotkey == hotkey }) {
			return nil, fmt.Errorf("%w: %s is no validator of subnet %d (%s) that serves customers", ErrNoGateway, hotkey, meta.Netuid, meta.Name)
		}
	}
	slices.SortStableFunc(list, func(a, b subnet.Neuron) int {
		switch {
		case a.Stake > b.Stake:
			return -1
		case a.Stake < b.Stake:
			return 1
		}
		return 0
	})
	var out []string
	var errs error
	for _, n := range list {
		if len(out) == 3 {
			break
		}
		if err := host.AddPeer(n.Hotkey, n.Endpoints...); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		out = append(out, GatewayURL(n.Hotkey, meta.Netuid))
	}
	if len(out) == 0 {
		if errs == nil {
			errs = fmt.Errorf("subnet %d (%s) has none; is it a video subnet, and do its validators run?", meta.Netuid, meta.Name)
		}
		return nil, fmt.Errorf("%w: %w", ErrNoGateway, errs)
	}
	return out, nil
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func names[T ~string](list []T) string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}
