package video

import (
	"encoding/json"
	"fmt"

	"github.com/lodenet/lode/subnets/video/media"
)

// Params are the subnet's own parameters: what its owner publishes on chain as a JSON
// object, the same for all validators. What the object leaves out has its default.
type Params struct {
	// Measure is what quality is measured by; default ssim.
	Measure media.Measure `json:"measure"`
	// Codecs are those that answers to probes may be in; default all.
	Codecs []media.Codec `json:"codecs"`
	// OneCodec is the share of probes that name one codec, as customers do; default 0.25.
	OneCodec float64 `json:"one_codec"`
	// MinQuality and MaxQuality bound the targets of probes; default 94 and 98.
	MinQuality float64 `json:"min_quality"`
	MaxQuality float64 `json:"max_quality"`
	// Exponent is k of the score; default 2.
	Exponent float64 `json:"exponent"`
	// Tail, Chroma, Gain and Offset are the gate's margins; see [Gate].
	Tail   float64 `json:"tail"`
	Chroma float64 `json:"chroma"`
	Gain   float64 `json:"gain"`
	Offset float64 `json:"offset"`
}

// DefaultParams returns the parameters of a subnet that set none.
func DefaultParams() Params {
	g := DefaultGate(media.SSIM, 95)
	return Params{
		Measure: media.SSIM, Codecs: media.Codecs(), OneCodec: 0.25,
		MinQuality: 94, MaxQuality: 98, Exponent: 2,
		Tail: g.Tail, Chroma: g.Chroma, Gain: g.Gain, Offset: g.Offset,
	}
}

// ParseParams reads a subnet's parameters; nothing at all gives the defaults.
func ParseParams(raw json.RawMessage) (Params, error) {
	p := DefaultParams()
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &p); err != nil {
			return p, fmt.Errorf("the subnet's parameters: %w", err)
		}
	}
	if err := p.check(); err != nil {
		return p, fmt.Errorf("the subnet's parameters: %w", err)
	}
	return p, nil
}

func (p Params) check() error {
	if len(p.Codecs) == 0 {
		return fmt.Errorf("codecs: name at least one")
	}
	for _, c := range p.Codecs {
		if err := c.Check(); err != nil {
			return err
		}
	}
	switch {
	case !(p.OneCodec >= 0 && p.OneCodec <= 1):
		return fmt.Errorf("one_codec %v: it is a share, 0 to 1", p.OneCodec)
	case !(p.MinQuality <= p.MaxQuality):
		return fmt.Errorf("min_quality %v is above max_quality %v", p.MinQuality, p.MaxQuality)
	case !(p.Exponent > 0 && p.Exponent <= 16):
		return fmt.Errorf("exponent %v: above 0, at most 16", p.Exponent)
	}
	for _, q := range []float64{p.MinQuality, p.MaxQuality} {
		if err := p.Gate(q).Check(); err != nil {
			return err
		}
	}
	return nil
}

// Gate returns the gate of a target quality.
func (p Params) Gate(quality float64) Gate {
	return Gate{Measure: p.Measure, Quality: quality, Tail: p.Tail, Chroma: p.Chroma, Gain: p.Gain, Offset: p.Offset}
}
