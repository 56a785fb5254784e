package types

import (
	"math"
	"slices"
	"strings"
)

// Units of hyperparameters.
const (
	tao     = 1_000_000_000 // rao
	million = 1_000_000
	u16     = math.MaxUint16
)

// MaxUIDs is the most neurons that a subnet can have.
const MaxUIDs = 4096

// access reads and writes a hyperparameter; booleans are 0 and 1.
type access struct {
	get func(*Hyperparameters) uint64
	set func(*Hyperparameters, uint64)
}

func number(field func(*Hyperparameters) *uint32) access {
	return access{
		get: func(h *Hyperparameters) uint64 { return uint64(*field(h)) },
		set: func(h *Hyperparameters, v uint64) { *field(h) = uint32(v) }, // the table's max is below 2^32
	}
}

func large(field func(*Hyperparameters) *uint64) access {
	return access{
		get: func(h *Hyperparameters) uint64 { return *field(h) },
		set: func(h *Hyperparameters, v uint64) { *field(h) = v },
	}
}

func flag(field func(*Hyperparameters) *bool) access {
	return access{
		get: func(h *Hyperparameters) uint64 {
			if *field(h) {
				return 1
			}
			return 0
		},
		set: func(h *Hyperparameters, v uint64) { *field(h) = v != 0 },
	}
}

// hyperparameter is a line of the table in protocol.md §3. min and max are what
// the code can live with: governance sets a profile's bounds within them.
type hyperparameter struct {
	name     string
	min, max uint64
	access
}

var hyperparameters = []hyperparameter{
	{"tempo", 1, 1_000_000, number(func(h *Hyperparameters) *uint32 { return &h.Tempo })},
	{"max_uids", 1, MaxUIDs, number(func(h *Hyperparameters) *uint32 { return &h.MaxUids })},
	{"max_validators", 1, MaxUIDs, number(func(h *Hyperparameters) *uint32 { return &h.MaxValidators })},
	{"immunity_period", 0, math.MaxUint32, number(func(h *Hyperparameters) *uint32 { return &h.ImmunityPeriod })},
	{"kappa", 0, u16, number(func(h *Hyperparameters) *uint32 { return &h.Kappa })},
	{"bonds_moving_average", 0, million, number(func(h *Hyperparameters) *uint32 { return &h.BondsMovingAverage })},
	{"bonds_penalty", 0, u16, number(func(h *Hyperparameters) *uint32 { return &h.BondsPenalty })},
	{"yuma_version", 2, 3, number(func(h *Hyperparameters) *uint32 { return &h.YumaVersion })},
	{"liquid_alpha", 0, 1, flag(func(h *Hyperparameters) *bool { return &h.LiquidAlpha })},
	{"alpha_low", 1, million - 1, number(func(h *Hyperparameters) *uint32 { return &h.AlphaLow })},
	{"alpha_high", 1, million - 1, number(func(h *Hyperparameters) *uint32 { return &h.AlphaHigh })},
	{"alpha_sigmoid_steepness", 0, 10_000, number(func(h *Hyperparameters) *uint32 { return &h.AlphaSigmoidSteepness })},
	{"activity_cutoff", 1, math.MaxUint32, number(func(h *Hyperparameters) *uint32 { return &h.ActivityCutoff })},
	{"min_allowed_weights", 1, MaxUIDs, number(func(h *Hyperparameters) *uint32 { return &h.MinAllowedWeights })},
	{"max_weight_limit", 1, u16, number(func(h *Hyperparameters) *uint32 { return &h.MaxWeightLimit })},
	{"weights_rate_limit", 1, 1_000_000, number(func(h *Hyperparameters) *uint32 { return &h.WeightsRateLimit })},
	{"weights_version", 0, math.MaxUint64, large(func(h *Hyperparameters) *uint64 { return &h.WeightsVersion })},
	{"commit_reveal", 0, 1, flag(func(h *Hyperparameters) *bool { return &h.CommitReveal })},
	{"reveal_period", 1, 1_000, number(func(h *Hyperparameters) *uint32 { return &h.RevealPeriod })},
	{"registration_allowed", 0, 1, flag(func(h *Hyperparameters) *bool { return &h.RegistrationAllowed })},
	{"min_burn", 1, 1_000_000 * tao, large(func(h *Hyperparameters) *uint64 { return &h.MinBurn })},
	{"max_burn", 1, 1_000_000 * tao, large(func(h *Hyperparameters) *uint64 { return &h.MaxBurn })},
	{"burn_half_life", 1, u16, number(func(h *Hyperparameters) *uint32 { return &h.BurnHalfLife })},
	{"burn_increase", 100, 10_000, number(func(h *Hyperparameters) *uint32 { return &h.BurnIncrease })},
	{"owner_cut_enabled", 0, 1, flag(func(h *Hyperparameters) *bool { return &h.OwnerCutEnabled })},
	{"min_stake_to_validate", 0, math.MaxUint64, large(func(h *Hyperparameters) *uint64 { return &h.MinStakeToValidate })},
	{"min_collateral", 0, math.MaxUint64, large(func(h *Hyperparameters) *uint64 { return &h.MinCollateral })},
	{"collateral_unbond", 1, math.MaxUint32, number(func(h *Hyperparameters) *uint32 { return &h.CollateralUnbond })},
	{"max_slash", 0, million, number(func(h *Hyperparameters) *uint32 { return &h.MaxSlash })},
}

// ScheduledNames are the hyperparameters that say what is asked of collateral: a
// raise of one takes effect after collateral_unbond (protocol.md §3).
func ScheduledNames() []string { return []string{"min_collateral", "collateral_unbond", "max_slash"} }

// HyperparameterNames are all names, in the order of protocol.md §3.
func HyperparameterNames() []string {
	names := make([]string, len(hyperparameters))
	for i, p := range hyperparameters {
		names[i] = p.name
	}
	return names
}

func find(name string) (hyperparameter, error) {
	i := slices.IndexFunc(hyperparameters, func(p hyperparameter) bool { return p.name == name })
	if i < 0 {
		return hyperparameter{}, ErrNoHyperparameter.Wrapf("%q: there are %s", cut(name), strings.Join(HyperparameterNames(), ", "))
	}
	return hyperparameters[i], nil
}

// Get is the value of a hyperparameter by its name; booleans are 0 and 1.
func (h Hyperparameters) Get(name string) (uint64, error) {
	p, err := find(name)
	if err != nil {
		return 0, err
	}
	return p.get(&h), nil
}

// Set sets a hyperparameter by its name. It refuses only what no profile allows;
// bounds are the rules', relations Check's.
func (h *Hyperparameters) Set(name string, value uint64) error {
	p, err := find(name)
	if err != nil {
		return err
	}
	if value < p.min || value > p.max {
		return ErrInvalidHyperparameter.Wrapf("%s %d: must be %d to %d", name, value, p.min, p.max)
	}
	p.set(h, value)
	return nil
}

// Check tests what hyperparameters must keep among each other and towards the
// neurons present (protocol.md §3).
func (h Hyperparameters) Check(neurons uint32) error {
	reveal := (uint64(h.RevealPeriod) + 1) * uint64(h.Tempo)
	relation := func(format string, args ...any) error { return ErrInvalidHyperparameter.Wrapf(format, args...) }
	switch {
	case uint64(h.ImmunityPeriod) <= reveal:
		return relation("immunity_period %d must be above (reveal_period %d + 1) · tempo %d = %d blocks: else a neuron could be pruned before weights for it are revealed",
			h.ImmunityPeriod, h.RevealPeriod, h.Tempo, reveal)
	case uint64(h.ActivityCutoff) <= reveal:
		return relation("activity_cutoff %d must be above (reveal_period %d + 1) · tempo %d = %d blocks: else weights would be stale when they are revealed",
			h.ActivityCutoff, h.RevealPeriod, h.Tempo, reveal)
	case h.WeightsRateLimit > h.Tempo:
		return relation("weights_rate_limit %d must be at most the tempo, %d blocks: else weights could not be set once a tempo", h.WeightsRateLimit, h.Tempo)
	case h.MaxUids < neurons:
		return relation("max_uids %d is below the %d neurons present", h.MaxUids, neurons)
	case h.MinAllowedWeights > h.MaxUids:
		return relation("min_allowed_weights %d must be at most max_uids %d", h.MinAllowedWeights, h.MaxUids)
	case h.AlphaLow > h.AlphaHigh:
		return relation("alpha_low %d must be at most alpha_high %d (per million)", h.AlphaLow, h.AlphaHigh)
	case h.MinBurn > h.MaxBurn:
		return relation("min_burn %d must be at most max_burn %d rao", h.MinBurn, h.MaxBurn)
	}
	return nil
}
