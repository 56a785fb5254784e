package types

// rule is a line of a profile.
func rule(name string, value, min, max uint64, owner bool) HyperparameterRule {
	return HyperparameterRule{Name: name, Default: value, Min: min, Max: max, Owner: owner}
}

// who may set a hyperparameter, besides governance.
const (
	owners     = true
	governance = false
)

// MainnetRules are protocol.md §3's table.
func MainnetRules() []HyperparameterRule {
	return []HyperparameterRule{
		rule("tempo", 360, 360, 7_200, owners),
		rule("max_uids", 256, 16, MaxUIDs, owners),
		rule("max_validators", 64, 1, 256, governance),
		rule("immunity_period", 5_000, 0, u16, owners),
		rule("kappa", 32_767, 0, u16, governance),
		rule("bonds_moving_average", 900_000, 0, 975_000, owners),
		rule("bonds_penalty", u16, 0, u16, owners),
		rule("yuma_version", 3, 2, 3, owners),
		rule("liquid_alpha", 0, 0, 1, owners),
		rule("alpha_low", 700_000, 1, million-1, owners),
		rule("alpha_high", 900_000, 1, million-1, owners),
		rule("alpha_sigmoid_steepness", 1_000, 0, 10_000, owners),
		rule("activity_cutoff", 5_000, 360, u16, owners),
		rule("min_allowed_weights", 1, 1, MaxUIDs, owners),
		rule("max_weight_limit", u16, 1, u16, owners),
		rule("weights_rate_limit", 100, 10, 7_200, governance),
		rule("weights_version", 0, 0, maxU64, owners),
		rule("commit_reveal", 1, 0, 1, owners),
		rule("reveal_period", 1, 1, 100, owners),
		rule("registration_allowed", 1, 0, 1, owners),
		rule("min_burn", tao/2_000, tao/2_000, tao, owners),
		rule("max_burn", 100*tao, tao/2_000, 1_000*tao, owners),
		rule("burn_half_life", 360, 10, 50_400, owners),
		rule("burn_increase", 126, 101, 300, owners),
		rule("owner_cut_enabled", 1, 0, 1, owners),
		rule("min_stake_to_validate", 0, 0, maxU64, governance),
		rule("min_collateral", 0, 0, maxU64, owners),
		rule("collateral_unbond", 7*day, day, 30*day, owners),
		rule("max_slash", million/10, 0, million/5, owners),
	}
}

// LocalRules are MainnetRules for blocks of a second and tempos of ten: what is
// counted in blocks is short enough to see it pass.
func LocalRules() []HyperparameterRule {
	rules := MainnetRules()
	for i := range rules {
		switch r := &rules[i]; r.Name {
		case "tempo":
			r.Default, r.Min = 10, 10
		case "immunity_period":
			r.Default = 60
		case "activity_cutoff":
			r.Default, r.Min = 300, 30
		case "weights_rate_limit":
			r.Default, r.Min = 5, 1
		case "collateral_unbond":
			r.Default, r.Min = 60, 30
		}
	}
	return rules
}

// validateRules asks for every hyperparameter once, in the table's order, within
// what the code can live with, and for defaults that fit each other.
func validateRules(rules []HyperparameterRule) error {
	if len(rules) != len(hyperparameters) {
		return ErrInvalidParams.Wrapf("%d rules for %d hyperparameters", len(rules), len(hyperparameters))
	}
	var h Hyperparameters
	for i, r := range rules {
		p := hyperparameters[i]
		switch {
		case r.Name != p.name:
			return ErrInvalidParams.Wrapf("rule %d is of %q, must be of %s: every hyperparameter once, in the order of the table", i, cut(r.Name), p.name)
		case r.Min < p.min || r.Max > p.max || r.Min > r.Max:
			return ErrInvalidParams.Wrapf("%s: bounds %d to %d, must be within %d to %d", p.name, r.Min, r.Max, p.min, p.max)
		case r.Default < r.Min || r.Default > r.Max:
			return ErrInvalidParams.Wrapf("%s: the default %d is not within %d to %d", p.name, r.Default, r.Min, r.Max)
		}
		p.set(&h, r.Default)
	}
	if err := h.Check(1); err != nil {
		return ErrInvalidParams.Wrapf("the defaults contradict each other: %s", err)
	}
	return nil
}

// Rule is the rule of a hyperparameter.
func (p Params) Rule(name string) (HyperparameterRule, error) {
	for _, r := range p.Hyperparameters {
		if r.Name == name {
			return r, nil
		}
	}
	_, err := find(name) // says which there are; every one has a rule
	return HyperparameterRule{}, err
}

// Defaults are the hyperparameters of a new subnet.
func (p Params) Defaults() (Hyperparameters, error) {
	var h Hyperparameters
	for _, r := range p.Hyperparameters {
		if err := h.Set(r.Name, r.Default); err != nil {
			return Hyperparameters{}, err
		}
	}
	return h, nil
}
