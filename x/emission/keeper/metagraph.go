package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// Metagraph is a subnet with all its neurons at one height.
func (q querier) Metagraph(ctx context.Context, r *types.QueryMetagraphRequest) (*types.QueryMetagraphResponse, error) {
	k, c := q.k, sdk.UnwrapSDKContext(ctx)
	s, err := k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryMetagraphResponse{Height: c.BlockHeight(), Time: c.BlockTime().Unix(), Subnet: s}
	if out.Pool, err = k.alpha.Pool(ctx, s.Id); err != nil {
		return nil, err
	}
	out.Price = out.Pool.Price().String()
	if out.Emission, err = k.Emission(ctx, s.Id); err != nil {
		return nil, err
	}
	out.MovingPrice = out.Emission.MovingPrice.String()
	if out.Epoch, _, err = k.weights.EpochState(ctx, s.Id); err != nil { // all zero before the start
		return nil, err
	}
	if out.Burn, err = k.subnets.BurnCost(ctx, s.Id); err != nil {
		return nil, err
	}
	neurons, err := k.subnets.Neurons(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	result, _, err := k.weights.EpochResult(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	stakes, err := k.weights.StakeWeights(ctx, s.Id, neurons)
	if err != nil {
		return nil, err
	}
	permits, rows, err := k.weights.Standing(ctx, s.Id, len(neurons))
	if err != nil {
		return nil, err
	}
	collateral, err := k.collateral.BondedIn(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	out.Neurons = make([]types.MetagraphNeuron, len(neurons))
	for i, n := range neurons {
		if out.Neurons[i], err = k.metagraphNeuron(ctx, s, n, stakes[i], result); err != nil {
			return nil, err
		}
		out.Neurons[i].Collateral = collateral[string(stakes[i].Binding.Account)]
		out.Neurons[i].Permit, out.Neurons[i].LastUpdate = permits[i], rows[i] // uids have no gaps
	}
	order, err := k.subnets.PruningOrderOf(ctx, s, neurons)
	if err != nil {
		return nil, err
	}
	prune(order, out.Neurons)
	return out, nil
}

// metagraphNeuron is one row. A neuron that came after the last epoch has no
// scores.
func (k Keeper) metagraphNeuron(
	ctx context.Context, s subnetstypes.Subnet, n subnetstypes.Neuron, stake weightskeeper.Stake, r weightstypes.EpochResult,
) (types.MetagraphNeuron, error) {
	out := types.MetagraphNeuron{
		Uid: n.Uid, Hotkey: n.Hotkey, Emission: n.Emission, RegisteredHeight: n.RegisteredHeight,
		Endpoints: n.Endpoints, Protocol: n.Protocol, ProtocolVersion: n.ProtocolVersion,
		Owner:       n.Hotkey == s.OwnerHotkey,
		StakeWeight: stake.Weight, StakeAlpha: stake.Alpha, RootStake: stake.Root, Inherited: stake.Inherited, Lent: stake.Lent,
	}
	out.Coldkey = stake.Binding.Record.Coldkey
	if stake.Binding.Record.Destination != "" {
		_, destination, err := k.alpha.Payee(ctx, stake.Hotkey, stake.Binding.Record)
		if err != nil {
			return out, err
		}
		if !destination.Equals(stake.Hotkey) {
			out.Destination = stake.Binding.Record.Destination
		}
	}
	if uid := int(n.Uid); uid < len(r.Stake) {
		out.Active = r.Active[uid]
		out.Incentive, out.Dividends = r.Incentive[uid], r.Dividends[uid]
		out.Consensus, out.Rank, out.ValidatorTrust = r.Consensus[uid], r.Rank[uid], r.ValidatorTrust[uid]
	}
	return out, nil
}

// prune fills in each neuron's place in the pruning order; those that can't be
// pruned come after all others, by uid.
func prune(order []subnetstypes.PruningPlace, neurons []types.MetagraphNeuron) {
	placed := make([]bool, len(neurons))
	for i, place := range order {
		if int(place.Uid) >= len(neurons) {
			continue
		}
		placed[place.Uid] = true
		neurons[place.Uid].PruningRank = uint32(i)
		neurons[place.Uid].ImmuneUntilHeight = place.ImmuneUntilHeight
	}
	last := uint32(len(order))
	for uid := range neurons {
		if !placed[uid] {
			neurons[uid].PruningRank = last
			last++
		}
	}
}
