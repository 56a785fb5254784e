package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/market/types"
)

// OfferPlan offers a fixed price a period for a quota of a service's units.
func (k msgServer) OfferPlan(ctx context.Context, m *types.MsgOfferPlan) (*types.MsgOfferPlanResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	service, _, err := k.ownService(ctx, m.ServiceId, m.Signer)
	if err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case !service.Listed:
		return nil, types.ErrNotListed.Wrapf("service %d: list it again, then offer plans", service.Id)
	case m.Period < params.MinPeriod || m.Period > params.MaxPeriod:
		return nil, types.ErrPlan.Wrapf("a period of %d seconds, must be %d to %d", m.Period, params.MinPeriod, params.MaxPeriod)
	case service.Plans >= params.MaxPlans:
		return nil, types.ErrTooMany.Wrapf("service %d has %d plans, the most (max_plans), those with subscribers included: retire one", service.Id, service.Plans)
	}
	plan := types.Plan{ServiceId: service.Id, Name: m.Name, Price: m.Price, Period: m.Period, Quota: m.Quota, Offered: true}
	if plan.Id, err = next(ctx, k.nextPlanID); err != nil {
		return nil, err
	}
	service.Plans++
	if err := k.setService(ctx, service); err != nil {
		return nil, err
	}
	if err := k.plansOf.Set(ctx, collections.Join(service.Id, plan.Id)); err != nil {
		return nil, err
	}
	if err := k.plans.Set(ctx, plan.Id, plan); err != nil {
		return nil, err
	}
	return &types.MsgOfferPlanResponse{PlanId: plan.Id}, emit(ctx, &types.EventPlanOffered{
		PlanId: plan.Id, ServiceId: plan.ServiceId, Name: plan.Name, Price: plan.Price, Period: plan.Period, Quota: plan.Quota,
	})
}

// RetirePlan ends the offer of a plan. Subscriptions go on as agreed.
func (k msgServer) RetirePlan(ctx context.Context, m *types.MsgRetirePlan) (*types.MsgRetirePlanResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	plan, err := k.plan(ctx, m.PlanId)
	if err != nil {
		return nil, err
	}
	service, _, err := k.ownService(ctx, plan.ServiceId, m.Signer)
	if err != nil {
		return nil, err
	}
	if !plan.Offered {
		return nil, types.ErrPlan.Wrapf("plan %d was retired before: its %d subscriptions go on", plan.Id, plan.Subscriptions)
	}
	if err := k.retire(ctx, &service, plan); err != nil {
		return nil, err
	}
	return &types.MsgRetirePlanResponse{}, k.setService(ctx, service)
}

// retire ends the offer of a plan. The caller stores the service.
func (k Keeper) retire(ctx context.Context, service *types.Service, plan types.Plan) error {
	plan.Offered = false
	if err := k.setPlan(ctx, service, plan); err != nil {
		return err
	}
	return emit(ctx, &types.EventPlanRetired{PlanId: plan.Id, ServiceId: plan.ServiceId})
}

// setPlan stores a plan, or forgets it where it is not offered and nobody subscribes.
// The caller stores the service.
func (k Keeper) setPlan(ctx context.Context, service *types.Service, plan types.Plan) error {
	if plan.Offered || plan.Subscriptions > 0 {
		return k.plans.Set(ctx, plan.Id, plan)
	}
	service.Plans--
	if err := k.plansOf.Remove(ctx, collections.Join(plan.ServiceId, plan.Id)); err != nil {
		return err
	}
	return k.plans.Remove(ctx, plan.Id)
}

func (k Keeper) plan(ctx context.Context, id uint64) (types.Plan, error) {
	plan, ok, err := found(k.plans.Get(ctx, id))
	if err == nil && !ok {
		err = types.ErrNoPlan.Wrapf("plan %d: the query service shows a service's", id)
	}
	return plan, err
}

// plansOfService are a service's, by id.
func (k Keeper) plansOfService(ctx context.Context, serviceID uint64) (plans []types.Plan, err error) {
	var ids []uint64
	err = k.plansOf.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint64](serviceID), func(at planOf) (bool, error) {
		ids = append(ids, at.K2())
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	plans = make([]types.Plan, len(ids))
	for i, id := range ids {
		if plans[i], err = k.plans.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	return plans, nil
}
