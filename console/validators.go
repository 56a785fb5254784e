package console

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"golang.org/x/sync/errgroup"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

type validatorJSON struct {
	Hotkey        string                `json:"hotkey"`
	Coldkey       string                `json:"coldkey"`
	Take          float64               `json:"take"`
	RootStakeRao  uint64                `json:"root_stake_rao,string"`
	StakeValueRao uint64                `json:"stake_value_rao,string"`
	Subnets       []validatorSubnetJSON `json:"subnets"`
}

type validatorSubnetJSON struct {
	Netuid           uint32  `json:"netuid"`
	UID              uint32  `json:"uid"`
	StakeAlpha       uint64  `json:"stake_alpha,string"`
	StakeWeight      uint64  `json:"stake_weight,string"`
	Dividends        float64 `json:"dividends"`
	ValidatorTrust   float64 `json:"validator_trust"`
	EmissionAlpha    uint64  `json:"emission_alpha,string"`
	Active           bool    `json:"active"`
	LastUpdateHeight *int64  `json:"last_update_height"`
}

// validatorsOf are the hotkeys with a permit, the most stake first.
func validatorsOf(t *table) []*validatorJSON {
	all := map[string]*validatorJSON{}
	for _, r := range t.rows {
		for i := range r.members.neurons {
			n := &r.members.neurons[i]
			if !n.Permit {
				continue
			}
			v := all[n.Hotkey]
			if v == nil {
				v = &validatorJSON{Hotkey: n.Hotkey, Coldkey: n.Coldkey, RootStakeRao: n.RootStake}
				all[n.Hotkey] = v
			}
			v.StakeValueRao = sum(v.StakeValueRao, worth(&r.pool, n.StakeAlpha))
			v.Subnets = append(v.Subnets, validatorSubnetJSON{
				Netuid: r.subnet.Netuid, UID: n.Uid, StakeAlpha: n.StakeAlpha, StakeWeight: n.StakeWeight, Dividends: fraction(n.Dividends),
				ValidatorTrust: fraction(n.ValidatorTrust), EmissionAlpha: n.Emission, Active: n.Active, LastUpdateHeight: orNull(n.LastUpdate),
			})
		}
	}
	list := make([]*validatorJSON, 0, len(all))
	for _, v := range all {
		list = append(list, v)
	}
	slices.SortFunc(list, byStake)
	return list
}

func byStake(a, b *validatorJSON) int {
	if c := cmp.Compare(sum(b.StakeValueRao, b.RootStakeRao), sum(a.StakeValueRao, a.RootStakeRao)); c != 0 {
		return c
	}
	return cmp.Compare(a.Hotkey, b.Hotkey)
}

// A validator's cursor is its stake and its hotkey, so that the page after it is found
// where stakes have changed meanwhile.
func (v *validatorJSON) cursor() string {
	return cursor(append(binary.BigEndian.AppendUint64([]byte{ofValidators}, sum(v.StakeValueRao, v.RootStakeRao)), v.Hotkey...))
}

func (s *Server) validators(ctx context.Context, a *ask) (any, error) {
	limit, key, err := a.page(ofValidators)
	if err != nil {
		return nil, err
	}
	var last *validatorJSON
	if key != nil {
		if len(key) < 10 {
			return nil, badCursor()
		}
		last = &validatorJSON{RootStakeRao: binary.BigEndian.Uint64(key[1:]), Hotkey: string(key[9:])}
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	list, next := validatorsOf(t), ""
	if last != nil {
		list = list[slices.IndexFunc(append(list, nil), func(v *validatorJSON) bool { return v == nil || byStake(v, last) > 0 }):]
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].cursor()
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(asking)
	for _, v := range list {
		g.Go(func() error {
			r, err := s.client.Alpha().Hotkey(inner, &alphatypes.QueryHotkeyRequest{Hotkey: v.Hotkey})
			if err != nil {
				return err
			}
			v.Take = share(r.Hotkey.Take)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return struct {
		at
		Items []*validatorJSON `json:"items"`
		Next  string           `json:"next"`
	}{t.at, list, next}, nil
}
