package keeper

import (
	"context"
	"math"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
	"github.com/lodenet/lode/yuma"
)

// Result is an epoch, for x/emission to pay out. Slices are by uid.
type Result struct {
	Subnet  subnetstypes.Subnet
	Number  uint64 // of this run, the first is 1
	Outcome yuma.Outcome
	Output  *yuma.Output
	Neurons []subnetstypes.Neuron
	Stakes  []Stake // who each is, and what it has

	StakeWeight []uint64 // units of 10^-9
}

// RunEpoch runs Yuma Consensus over the stored rows, bonds and permits of a
// subnet (protocol.md §7, steps 1 to 8), stores what the next epoch and queries
// need, removes commits whose reveal epoch has passed and schedules the next
// run. The caller runs it in a cached store: on an error nothing of it may stay. roots
// are of this block.
func (k Keeper) RunEpoch(ctx context.Context, subnetID uint64, roots RootStakes) (Result, error) {
	subnet, err := k.subnets.Subnet(ctx, subnetID)
	if err != nil {
		return Result{}, err
	}
	state, err := k.started(ctx, subnetID, subnet.Netuid)
	if err != nil {
		return Result{}, err
	}
	r := Result{Subnet: subnet, Number: state.Number + 1}
	if r.Neurons, err = k.subnets.Neurons(ctx, subnetID); err != nil {
		return Result{}, err
	}
	if r.Stakes, err = k.epochStakes(ctx, subnetID, r.Neurons, roots); err != nil {
		return Result{}, err
	}
	r.StakeWeight = make([]uint64, len(r.Stakes))
	for uid, s := range r.Stakes {
		r.StakeWeight[uid] = s.Weight
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	in, err := k.epochInput(ctx, r, state, height)
	if err != nil {
		return Result{}, err
	}
	if r.Output, err = yuma.Epoch(in); err != nil {
		return Result{}, err
	}
	r.Outcome = r.Output.Outcome

	state.Number, state.LastHeight = r.Number, height
	state.DueHeight = height + max(int64(subnet.Hyperparameters.Tempo), 1)
	if err := k.setEpoch(ctx, subnet.Netuid, state); err != nil {
		return Result{}, err
	}
	if err := k.storeEpoch(ctx, r, in, height); err != nil {
		return Result{}, err
	}
	if err := k.expireCommits(ctx, subnet, r.Number); err != nil {
		return Result{}, err
	}
	return r, emit(ctx, epochEvent(r, state))
}

// epochEvent tells what an epoch gave, all that a metagraph shows of it.
func epochEvent(r Result, state types.EpochState) *types.EventEpoch {
	e := &types.EventEpoch{
		SubnetId: r.Subnet.Id, Netuid: r.Subnet.Netuid, Number: r.Number, NextDue: state.DueHeight,
		Incentive: raw(r.Output.Incentive), Dividends: raw(r.Output.Dividends), Outcome: outcome(r.Outcome),
		Stake: r.StakeWeight, Consensus: raw(r.Output.Consensus), ValidatorTrust: raw(r.Output.ValidatorTrust),
	}
	for uid := range r.Neurons {
		if r.Output.Active[uid] > 0 {
			e.Active = append(e.Active, uint32(uid))
		}
		if r.Output.Permits[uid] {
			e.Permits = append(e.Permits, uint32(uid))
		}
	}
	return e
}

// epochInput collects what yuma reads.
func (k Keeper) epochInput(ctx context.Context, r Result, state types.EpochState, height int64) (*yuma.Input, error) {
	n, id := len(r.Neurons), r.Subnet.Id
	in := &yuma.Input{
		Params:     yumaParams(r.Subnet.Hyperparameters),
		Block:      uint64(height),
		LastEpoch:  uint64(state.LastHeight),
		Owner:      -1,
		Stake:      r.StakeWeight,
		Rows:       make([]yuma.Row, n),
		Registered: make([]uint64, n),
		Permits:    make([]bool, n),
		Bonds:      make([][]yuma.Entry, n),
	}
	for uid, neuron := range r.Neurons {
		in.Registered[uid] = uint64(neuron.RegisteredHeight)
		if neuron.Hotkey == r.Subnet.OwnerHotkey {
			in.Owner = uid
		}
	}
	subnet := collections.NewPrefixedPairRange[uint64, uint32](id)
	err := k.permits.Walk(ctx, subnet, func(at slot) (bool, error) {
		in.Permits[at.K2()] = true
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.rows.Walk(ctx, subnet, func(at slot, row types.Row) (bool, error) {
		in.Rows[at.K2()] = yuma.Row{Entries: entries(row.Uids, row.Values), Block: uint64(row.Height), Set: true}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.bonds.Walk(ctx, subnet, func(at slot, b types.Bonds) (bool, error) {
		in.Bonds[at.K2()] = entries(b.Uids, b.Values)
		return false, nil
	})
	return in, err
}

// storeEpoch keeps bonds, permits and the result. What did not change is not
// written again.
func (k Keeper) storeEpoch(ctx context.Context, r Result, in *yuma.Input, height int64) error {
	out, id := r.Output, r.Subnet.Id
	for uid := range r.Neurons {
		at := collections.Join(id, uint32(uid))
		if !slices.Equal(in.Bonds[uid], out.Bonds[uid]) {
			if err := k.storeBonds(ctx, at, out.Bonds[uid]); err != nil {
				return err
			}
		}
		if out.Permits[uid] == in.Permits[uid] {
			continue
		}
		change := k.permits.Remove
		if out.Permits[uid] {
			change = k.permits.Set
		}
		if err := change(ctx, at); err != nil {
			return err
		}
	}
	result := types.EpochResult{
		SubnetId: id, Number: r.Number, Height: height,
		Stake:          r.StakeWeight,
		Incentive:      raw(out.Incentive),
		Dividends:      raw(out.Dividends),
		Consensus:      raw(out.Consensus),
		ValidatorTrust: raw(out.ValidatorTrust),
		Rank:           raw(out.Rank),
		Active:         make([]bool, len(r.Neurons)),
		MaxValidators:  r.Subnet.Hyperparameters.MaxValidators,
	}
	for uid, a := range out.Active {
		result.Active[uid] = a > 0
	}
	return k.results.Set(ctx, id, result)
}

func (k Keeper) storeBonds(ctx context.Context, at slot, row []yuma.Entry) error {
	if len(row) == 0 {
		return k.bonds.Remove(ctx, at)
	}
	b := types.Bonds{SubnetId: at.K1(), Uid: at.K2(), Uids: make([]uint32, len(row)), Values: make([]uint32, len(row))}
	for i, e := range row {
		b.Uids[i], b.Values[i] = uint32(e.UID), uint32(e.Value)
	}
	return k.bonds.Set(ctx, at, b)
}

func yumaParams(h subnetstypes.Hyperparameters) yuma.Params {
	return yuma.Params{
		Kappa:              u16(h.Kappa),
		BondsPenalty:       u16(h.BondsPenalty),
		BondsMovingAverage: h.BondsMovingAverage,
		LiquidAlpha:        h.LiquidAlpha,
		AlphaLow:           h.AlphaLow,
		AlphaHigh:          h.AlphaHigh,
		AlphaSteepness:     h.AlphaSigmoidSteepness,
		YumaVersion:        h.YumaVersion,
		MaxValidators:      h.MaxValidators,
		ActivityCutoff:     uint64(h.ActivityCutoff),
		MinStake:           h.MinStakeToValidate,
	}
}

func outcome(o yuma.Outcome) string {
	switch o {
	case yuma.Weighted:
		return types.OutcomeWeighted
	case yuma.NoWeights:
		return types.OutcomeNoWeights
	default:
		return types.OutcomeNoStake
	}
}

// u16 is a parameter whose bounds are u16's.
func u16(v uint32) uint16 { return uint16(min(v, math.MaxUint16)) }

// entries is a stored sparse row as yuma reads it.
func entries(uids, values []uint32) []yuma.Entry {
	out := make([]yuma.Entry, len(uids))
	for i := range uids {
		out[i] = yuma.Entry{UID: uint16(uids[i]), Value: uint16(values[i])}
	}
	return out
}

// raw are fractions as messages hold them.
func raw[Q ~uint64](in []Q) []uint64 {
	out := make([]uint64, len(in))
	for i, q := range in {
		out[i] = uint64(q)
	}
	return out
}
