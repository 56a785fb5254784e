package inference

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// Params are the subnet's own parameters: what its owner publishes on chain as a JSON
// object, the same for all validators. What the object leaves out has its default.
type Params struct {
	// Model is the digest (SHA-256) of the model's file that miners run, and Name what
	// people call it. While there is none, validators measure by the model that they have.
	Model string `json:"model"`
	Name  string `json:"name"`
	// ReferencePrice and ReferenceSpeed are what score 1 is: rao for a million units
	// ([Units]), and tokens a second of a whole answer, the wait for its first token
	// included. Defaults: 10,000,000 (0.01 TAO) and 20.
	ReferencePrice uint64  `json:"reference_price"`
	ReferenceSpeed float64 `json:"reference_speed"`
	// SpeedCap and PriceCap bound by how much being faster and cheaper than the reference
	// pays; both 4.
	SpeedCap float64 `json:"speed_cap"`
	PriceCap float64 `json:"price_cap"`
}

// DefaultParams returns the parameters of a subnet that set none.
func DefaultParams() Params {
	return Params{ReferencePrice: 10_000_000, ReferenceSpeed: 20, SpeedCap: 4, PriceCap: 4}
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

var digestText = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (p Params) check() error {
	switch {
	case p.Model != "" && !digestText.MatchString(p.Model):
		return fmt.Errorf("model %.80q is not a digest of 64 hexadecimal digits: `lode model list --json` shows them", p.Model)
	case len(p.Name) > 200:
		return fmt.Errorf("name of %d bytes: at most 200", len(p.Name))
	case p.ReferencePrice == 0 || p.ReferencePrice > 1e18:
		return fmt.Errorf("reference_price %d: it must be above 0, in rao", p.ReferencePrice)
	case !(p.ReferenceSpeed > 0 && p.ReferenceSpeed <= 1e9):
		return fmt.Errorf("reference_speed %v: it must be above 0, in tokens a second", p.ReferenceSpeed)
	case !(p.SpeedCap >= 1 && p.SpeedCap <= 1000):
		return fmt.Errorf("speed_cap %v: between 1 and 1000", p.SpeedCap)
	case !(p.PriceCap >= 1 && p.PriceCap <= 1000):
		return fmt.Errorf("price_cap %v: between 1 and 1000", p.PriceCap)
	}
	return nil
}

// MaxPrice is the most that validators pay for a million units: who asks for more is not
// asked, and scores nothing.
func (p Params) MaxPrice() uint64 { return p.ReferencePrice * dearest }

// dearest is how many times the reference price a miner may take.
const dearest = 16
