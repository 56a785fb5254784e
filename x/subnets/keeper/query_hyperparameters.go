package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// Hyperparameters are a subnet's, in the order of protocol.md §3, with what an
// owner must know to set them.
func (q querier) Hyperparameters(ctx context.Context, r *types.QueryHyperparametersRequest) (*types.QueryHyperparametersResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	p, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	out := &types.QueryHyperparametersResponse{Height: sdk.UnwrapSDKContext(ctx).BlockHeight()}
	for _, rule := range p.Hyperparameters {
		info, err := q.k.info(ctx, s, rule)
		if err != nil {
			return nil, err
		}
		out.Hyperparameters = append(out.Hyperparameters, info)
	}
	return out, nil
}

// info is a hyperparameter as it is and as it may be set.
func (k Keeper) info(ctx context.Context, s types.Subnet, rule types.HyperparameterRule) (types.HyperparameterInfo, error) {
	info := types.HyperparameterInfo{Name: rule.Name, Rule: rule}
	var err error
	if info.Value, err = s.Hyperparameters.Get(rule.Name); err != nil {
		return info, err
	}
	at := collections.Join(s.Id, rule.Name)
	if info.SetHeight, _, err = found(k.sets.Get(ctx, at)); err != nil {
		return info, err
	}
	c, ok, err := found(k.scheduled.Get(ctx, at))
	if err != nil {
		return info, err
	}
	if ok {
		info.Scheduled = &c
	}
	if rule.Owner {
		info.NextHeight, err = k.nextSet(ctx, s, info.SetHeight)
	}
	return info, err
}

// nextSet is the first block in which the owner may set a hyperparameter that was
// last set in the given one, 0 for never: not this block any more, 2 tempos after
// the last, and not close to an epoch. Epochs are as the schedule is now, a tempo
// apart.
func (k Keeper) nextSet(ctx context.Context, s types.Subnet, last int64) (int64, error) {
	height, _ := now(ctx)
	tempo := int64(s.Hyperparameters.Tempo)
	next := height + 1
	if last > 0 {
		next = max(next, last+setTempos*tempo)
	}
	due, ok, err := k.upper.network.NextEpoch(ctx, s.Id)
	if err != nil || !ok {
		return next, err
	}
	due = max(due, height+1) // an epoch that waits for others runs then at the earliest
	if next > due {
		due += (next - due + tempo - 1) / tempo * tempo
	}
	if next > due-frozenBefore(tempo) {
		next = due + 1
	}
	return next, nil
}
