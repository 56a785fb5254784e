package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// InitGenesis loads the module's state and makes its indexes.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, s := range g.Subnets {
		if err := k.subnets.Set(ctx, s.Id, s); err != nil {
			return err
		}
		if err := k.netuids.Set(ctx, s.Netuid, s.Id); err != nil {
			return err
		}
	}
	for _, n := range g.Neurons {
		hotkey, err := k.ac.StringToBytes(n.Hotkey)
		if err != nil {
			return err
		}
		if err := k.seat(ctx, n, hotkey); err != nil {
			return err
		}
	}
	for _, b := range g.BurnPrices {
		if err := k.burns.Set(ctx, b.SubnetId, b.Burn); err != nil {
			return err
		}
	}
	for _, c := range g.Creations {
		creator, err := k.ac.StringToBytes(c.Creator)
		if err != nil {
			return err
		}
		if err := k.creations.Set(ctx, creator, c.Height); err != nil {
			return err
		}
	}
	for _, s := range g.HyperparameterSets {
		if err := k.sets.Set(ctx, collections.Join(s.SubnetId, s.Name), s.Height); err != nil {
			return err
		}
	}
	return k.lock.Set(ctx, g.Lock)
}

// ExportGenesis is the module's whole state. What InitGenesis makes of it
// exports to the same again.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.Lock, _, err = found(k.lock.Get(ctx)); err != nil {
		return nil, err
	}
	err = k.subnets.Walk(ctx, nil, func(_ uint64, s types.Subnet) (bool, error) {
		g.Subnets = append(g.Subnets, s)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.neurons.Walk(ctx, nil, func(_ slot, n types.Neuron) (bool, error) {
		g.Neurons = append(g.Neurons, n)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.burns.Walk(ctx, nil, func(id, burn uint64) (bool, error) {
		g.BurnPrices = append(g.BurnPrices, types.BurnPrice{SubnetId: id, Burn: burn})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.creations.Walk(ctx, nil, func(creator sdk.AccAddress, height int64) (bool, error) {
		s, err := k.ac.BytesToString(creator)
		g.Creations = append(g.Creations, types.Creation{Creator: s, Height: height})
		return false, err
	})
	if err != nil {
		return nil, err
	}
	err = k.sets.Walk(ctx, nil, func(at collections.Pair[uint64, string], height int64) (bool, error) {
		g.HyperparameterSets = append(g.HyperparameterSets, types.HyperparameterSet{SubnetId: at.K1(), Name: at.K2(), Height: height})
		return false, nil
	})
	return g, err
}
