package keeper

import (
	"context"
	"slices"

	"cosmossdk.io/collections"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// checkRow applies the subnet's rules to a row of well-formed entries
// (protocol.md §8). A row of nothing but the neuron's own uid is exempt from the
// least number of entries and from the largest share of one.
func checkRow(s subnetstypes.Subnet, self uint32, version uint64, uids, values []uint32) error {
	h := s.Hyperparameters
	if version != h.WeightsVersion {
		return types.ErrVersion.Wrapf("the row is of version %d, subnet %d takes version %d: update the validator's program", version, s.Netuid, h.WeightsVersion)
	}
	sum := uint64(0)
	for i, uid := range uids {
		if uid >= s.Neurons {
			return types.ErrInvalidRow.Wrapf("uid %d: subnet %d has uids 0 to %d", uid, s.Netuid, int64(s.Neurons)-1)
		}
		sum += uint64(values[i])
	}
	if len(uids) == 1 && uids[0] == self {
		return nil
	}
	if len(uids) < int(h.MinAllowedWeights) {
		return types.ErrInvalidRow.Wrapf("%d entries, subnet %d wants at least %d (min_allowed_weights)", len(uids), s.Netuid, h.MinAllowedWeights)
	}
	for i, v := range values {
		if uint64(v)*65_535 > uint64(h.MaxWeightLimit)*sum {
			return types.ErrInvalidRow.Wrapf("uid %d has %d of the row's sum %d, more than max_weight_limit %d of 65535", uids[i], v, sum, h.MaxWeightLimit)
		}
	}
	return nil
}

// putRow brings a row into force. height is the block that its age counts from.
func (k Keeper) putRow(ctx context.Context, s subnetstypes.Subnet, n subnetstypes.Neuron, uids, values []uint32, height int64, revealed bool) error {
	row := types.Row{
		SubnetId: s.Id, Uid: n.Uid, Height: height, SetHeight: targetHeight(ctx),
		Uids: make([]uint32, len(uids)), Values: make([]uint32, len(uids)),
	}
	order := make([]int, len(uids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(uids[a]) - int(uids[b]) })
	for to, from := range order {
		row.Uids[to], row.Values[to] = uids[from], values[from]
	}
	if err := k.rows.Set(ctx, collections.Join(s.Id, n.Uid), row); err != nil {
		return err
	}
	return emit(ctx, &types.EventWeightsSet{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: n.Hotkey,
		Uids: row.Uids, Values: row.Values, Revealed: revealed,
	})
}
