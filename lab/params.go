package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lodenet/lode/yuma"
)

// defaults are those of protocol.md §3.
func defaults() (yuma.Params, uint64) {
	const tempo = 360 // blocks
	return yuma.Params{
		Kappa:              32_767,
		BondsPenalty:       65_535,
		BondsMovingAverage: 900_000,
		AlphaLow:           700_000,
		AlphaHigh:          900_000,
		AlphaSteepness:     1000,
		YumaVersion:        3,
		MaxValidators:      64,
		ActivityCutoff:     5000,
	}, tempo
}

// setting reads one hyperparameter of a scenario.
type setting func(s *Scenario, raw json.RawMessage) error

// settings are the hyperparameters that an epoch reads, and the time between two.
var settings = map[string]setting{
	"kappa":                   whole(0, 65_535, func(s *Scenario, v uint64) { s.Params.Kappa = uint16(v) }),
	"bonds_penalty":           whole(0, 65_535, func(s *Scenario, v uint64) { s.Params.BondsPenalty = uint16(v) }),
	"bonds_moving_average":    whole(0, 1_000_000, func(s *Scenario, v uint64) { s.Params.BondsMovingAverage = uint32(v) }),
	"liquid_alpha":            liquidAlpha,
	"alpha_low":               fraction(func(s *Scenario, v uint32) { s.Params.AlphaLow = v }),
	"alpha_high":              fraction(func(s *Scenario, v uint32) { s.Params.AlphaHigh = v }),
	"alpha_sigmoid_steepness": whole(0, 10_000, func(s *Scenario, v uint64) { s.Params.AlphaSteepness = uint32(v) }),
	"yuma_version":            whole(2, 3, func(s *Scenario, v uint64) { s.Params.YumaVersion = uint32(v) }),
	"max_validators":          whole(1, yuma.MaxNeurons, func(s *Scenario, v uint64) { s.Params.MaxValidators = uint32(v) }),
	"activity_cutoff":         whole(0, math.MaxUint32, func(s *Scenario, v uint64) { s.Params.ActivityCutoff = v }),
	"min_stake_to_validate":   whole(0, math.MaxUint64, func(s *Scenario, v uint64) { s.Params.MinStake = v }),
	"tempo":                   whole(1, 65_535, func(s *Scenario, v uint64) { s.Tempo = v }),
}

// unread are the other hyperparameters of protocol.md §3: they decide what may
// be set, registered or paid, not what an epoch makes of it.
var unread = []string{
	"burn_half_life", "burn_increase", "collateral_unbond", "commit_reveal", "immunity_period", "max_burn",
	"max_slash", "max_uids", "max_weight_limit", "min_allowed_weights", "min_burn", "min_collateral",
	"owner_cut_enabled", "registration_allowed", "reveal_period", "weights_rate_limit", "weights_version",
}

func (s *Scenario) parseParams(raw json.RawMessage) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return fmt.Errorf("params: want an object of hyperparameters, not %s", excerpt(raw))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		set, known := settings[name]
		if !known {
			if !slices.Contains(unread, name) {
				return fmt.Errorf("params: there is no %q; an epoch reads %s", name, strings.Join(slices.Sorted(maps.Keys(settings)), ", "))
			}
			s.Unread = append(s.Unread, "params."+name)
			continue
		}
		if err := set(s, given[name]); err != nil {
			return fmt.Errorf("params.%s: %w", name, err)
		}
	}
	if p := s.Params; p.LiquidAlpha && (p.AlphaLow == 0 || p.AlphaLow > p.AlphaHigh || p.AlphaHigh >= 1_000_000) {
		return fmt.Errorf("params: alpha_low %g and alpha_high %g: liquid_alpha wants 0 < low <= high < 1, in steps of 0.000001",
			float64(p.AlphaLow)/1e6, float64(p.AlphaHigh)/1e6)
	}
	return nil
}

func whole(least, most uint64, set func(*Scenario, uint64)) setting {
	return func(s *Scenario, raw json.RawMessage) error {
		v, err := parseWhole(string(raw))
		if err != nil || v < least || v > most {
			return fmt.Errorf("want a whole number from %d to %d, not %s", least, most, excerpt(raw))
		}
		set(s, v)
		return nil
	}
}

// fraction reads a number from 0 to 1, to parts per million.
func fraction(set func(*Scenario, uint32)) setting {
	return func(s *Scenario, raw json.RawMessage) error {
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return fmt.Errorf("want a number from 0 to 1, not %s", excerpt(raw))
		}
		set(s, uint32(math.Round(v*1e6)))
		return nil
	}
}

func liquidAlpha(s *Scenario, raw json.RawMessage) error {
	if text := string(raw); text != "true" && text != "false" {
		return fmt.Errorf("want true or false, not %s", excerpt(raw))
	}
	s.Params.LiquidAlpha = string(raw) == "true"
	return nil
}

// parseWhole reads a JSON number that is a whole one, also where it is written
// as some programs do: 5.0 or 1e3.
func parseWhole(text string) (uint64, error) {
	if v, err := strconv.ParseUint(text, 10, 64); err == nil {
		return v, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f > 1<<53 {
		return 0, fmt.Errorf("%s is not a whole number", text)
	}
	return uint64(f), nil
}

// excerpt is a value of the input, short enough for an error.
func excerpt(raw []byte) string {
	const most = 40
	if len(raw) <= most {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw[:most]), "") + "…"
}
