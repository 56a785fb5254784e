package types_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

func TestSection3TableIsTheMainnetProfile(t *testing.T) {
	const tao, max = 1_000_000_000, uint64(math.MaxUint64)
	want := []types.HyperparameterRule{
		{Name: "tempo", Default: 360, Min: 360, Max: 7_200, Owner: true},
		{Name: "max_uids", Default: 256, Min: 16, Max: 4_096, Owner: true},
		{Name: "max_validators", Default: 64, Min: 1, Max: 256},
		{Name: "immunity_period", Default: 5_000, Min: 0, Max: 65_535, Owner: true},
		{Name: "kappa", Default: 32_767, Min: 0, Max: 65_535},
		{Name: "bonds_moving_average", Default: 900_000, Min: 0, Max: 975_000, Owner: true},
		{Name: "bonds_penalty", Default: 65_535, Min: 0, Max: 65_535, Owner: true},
		{Name: "yuma_version", Default: 3, Min: 2, Max: 3, Owner: true},
		{Name: "liquid_alpha", Default: 0, Min: 0, Max: 1, Owner: true},
		{Name: "alpha_low", Default: 700_000, Min: 1, Max: 999_999, Owner: true},
		{Name: "alpha_high", Default: 900_000, Min: 1, Max: 999_999, Owner: true},
		{Name: "alpha_sigmoid_steepness", Default: 1_000, Min: 0, Max: 10_000, Owner: true},
		{Name: "activity_cutoff", Default: 5_000, Min: 360, Max: 65_535, Owner: true},
		{Name: "min_allowed_weights", Default: 1, Min: 1, Max: 4_096, Owner: true},
		{Name: "max_weight_limit", Default: 65_535, Min: 1, Max: 65_535, Owner: true},
		{Name: "weights_rate_limit", Default: 100, Min: 10, Max: 7_200},
		{Name: "weights_version", Default: 0, Min: 0, Max: max, Owner: true},
		{Name: "commit_reveal", Default: 1, Min: 0, Max: 1, Owner: true},
		{Name: "reveal_period", Default: 1, Min: 1, Max: 100, Owner: true},
		{Name: "registration_allowed", Default: 1, Min: 0, Max: 1, Owner: true},
		{Name: "min_burn", Default: tao / 2_000, Min: tao / 2_000, Max: tao, Owner: true},
		{Name: "max_burn", Default: 100 * tao, Min: tao / 2_000, Max: 1_000 * tao, Owner: true},
		{Name: "burn_half_life", Default: 360, Min: 10, Max: 50_400, Owner: true},
		{Name: "burn_increase", Default: 126, Min: 101, Max: 300, Owner: true},
		{Name: "owner_cut_enabled", Default: 1, Min: 0, Max: 1, Owner: true},
		{Name: "min_stake_to_validate", Default: 0, Min: 0, Max: max},
		{Name: "min_collateral", Default: 0, Min: 0, Max: max, Owner: true},
		{Name: "collateral_unbond", Default: 7 * 28_800, Min: 28_800, Max: 30 * 28_800, Owner: true},
		{Name: "max_slash", Default: 100_000, Min: 0, Max: 200_000, Owner: true},
	}
	require.Equal(t, want, types.MainnetRules())
}

func TestSection2LocalProfileDiffersOnlyInItsTimes(t *testing.T) {
	mainnet := types.MainnetRules()
	for i, r := range types.LocalRules() {
		m := mainnet[i]
		switch r.Name {
		case "tempo":
			require.EqualValues(t, []uint64{10, 10}, []uint64{r.Default, r.Min})
		case "weights_rate_limit":
			require.EqualValues(t, []uint64{5, 1}, []uint64{r.Default, r.Min})
		case "activity_cutoff":
			require.EqualValues(t, 30, r.Min)
		case "collateral_unbond":
			require.EqualValues(t, []uint64{60, 30}, []uint64{r.Default, r.Min})
		case "immunity_period":
			require.LessOrEqual(t, r.Default, uint64(120))
		default:
			require.Equal(t, m, r)
		}
		require.Equal(t, []any{m.Max, m.Owner}, []any{r.Max, r.Owner})
	}
	p := types.LocalParams()
	require.EqualValues(t, 1_000_000_000_000, p.MinLock)
	require.EqualValues(t, []int64{600, 0, 0}, []int64{p.LockInterval, p.StartDelay, p.CreationInterval})
}

func TestProfilesAreValid(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	require.NoError(t, types.LocalParams().Validate())
}

func TestEveryFieldHasItsName(t *testing.T) {
	names := types.HyperparameterNames()
	of := reflect.TypeFor[types.Hyperparameters]()
	require.Equal(t, of.NumField(), len(names))
	for i, name := range names {
		require.Contains(t, strings.Split(of.Field(i).Tag.Get("protobuf"), ","), "name="+name)
		var h types.Hyperparameters
		value := types.MainnetRules()[i].Max
		require.NoError(t, h.Set(name, value))
		require.False(t, reflect.ValueOf(h).Field(i).IsZero(), "%s is field %d", name, i)
		got, err := h.Get(name)
		require.NoError(t, err)
		require.Equal(t, value, got)
	}
}

func TestNoValueIsCutToItsField(t *testing.T) {
	for _, name := range types.HyperparameterNames() {
		var h types.Hyperparameters
		if err := h.Set(name, 1<<32); err != nil {
			require.ErrorIs(t, err, types.ErrInvalidHyperparameter)
			require.Equal(t, types.Hyperparameters{}, h)
		} else {
			got, err := h.Get(name)
			require.NoError(t, err)
			require.EqualValues(t, 1<<32, got)
		}
	}
}

func TestParamsRefuse(t *testing.T) {
	rule := func(name string, change func(*types.HyperparameterRule)) func(*types.Params) {
		return func(p *types.Params) {
			for i := range p.Hyperparameters {
				if p.Hyperparameters[i].Name == name {
					change(&p.Hyperparameters[i])
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*types.Params)
		says   string
	}{
		"no lock":                              {func(p *types.Params) { p.MinLock = 0 }, "min_lock is 0 rao"},
		"an interval of nothing":               {func(p *types.Params) { p.LockInterval = 0 }, "lock_interval is 0, must be 1"},
		"no multiplier":                        {func(p *types.Params) { p.LockMultiplier = 0 }, "lock_multiplier is 0"},
		"no slots":                             {func(p *types.Params) { p.MaxSubnets = 0 }, "max_subnets is 0"},
		"too many slots":                       {func(p *types.Params) { p.MaxSubnets = 70_000 }, "max_subnets is 70000"},
		"a negative delay":                     {func(p *types.Params) { p.StartDelay = -1 }, "start_delay is -1"},
		"a delay that overflows":               {func(p *types.Params) { p.CreationInterval = math.MaxInt64 }, "creation_interval is 9223372036854775807"},
		"a negative limit":                     {func(p *types.Params) { p.ServeRateLimit = -1 }, "serve_rate_limit is -1"},
		"no first price":                       {func(p *types.Params) { p.RegisterBaseBurn = 0 }, "register_base_burn is 0"},
		"publishing less than a message holds": {func(p *types.Params) { p.PublishBytesPerTempo = 511 }, "publish_bytes_per_tempo is 511, must be 512"},
		"publishing a flood":                   {func(p *types.Params) { p.PublishBytesPerTempo = 1<<20 + 1 }, "publish_bytes_per_tempo is 1048577"},
		"a swap that nobody can pay":           {func(p *types.Params) { p.HotkeySwapFee = math.MaxUint64 }, "hotkey_swap_fee is 18446744073709551615 rao"},
		"a sweep that deletes nothing":         {func(p *types.Params) { p.SweepKeysPerBlock = 0 }, "sweep_keys_per_block is 0, must be 10 to"},
		"a sweep of a whole store":             {func(p *types.Params) { p.SweepKeysPerBlock = 1_000_001 }, "sweep_keys_per_block is 1000001"},
		"a rule that is missing":               {func(p *types.Params) { p.Hyperparameters = p.Hyperparameters[1:] }, "28 rules for 29 hyperparameters"},
		"a rule of nothing":                    {rule("kappa", func(r *types.HyperparameterRule) { r.Name = "capa" }), `rule 4 is of "capa", must be of kappa`},
		"a rule twice":                         {rule("kappa", func(r *types.HyperparameterRule) { r.Name = "tempo" }), `rule 4 is of "tempo"`},
		"bounds in reverse":                    {rule("kappa", func(r *types.HyperparameterRule) { r.Min, r.Max = 2, 1 }), "kappa: bounds 2 to 1"},
		"bounds beyond the code's":             {rule("max_uids", func(r *types.HyperparameterRule) { r.Max = 5_000 }), "max_uids: bounds 16 to 5000, must be within 1 to 4096"},
		"a default out of bounds":              {rule("tempo", func(r *types.HyperparameterRule) { r.Default = 359 }), "tempo: the default 359 is not within 360 to 7200"},
		"defaults that contradict":             {rule("immunity_period", func(r *types.HyperparameterRule) { r.Default = 720 }), "immunity_period 720 must be above (reveal_period 1 + 1) · tempo 360 = 720"},
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			c.change(&p)
			err := p.Validate()
			require.ErrorIs(t, err, types.ErrInvalidParams)
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err := types.DefaultParams().Rule("nothing")
	require.ErrorIs(t, err, types.ErrNoHyperparameter)
}
